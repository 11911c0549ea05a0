// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arguments: each operation on each type of object, rights that cannot be
 * widened, fields that are reserved, pointers that lead nowhere.
 */
#include <string.h>
#include "arch.h"
#include "source.h"

#define TYPES	PITH_T_REPLY
#define ALL_RIGHTS	0x3ffu

/* One capability of each type that the machine has, in core. */
struct zoo {
	int fd[TYPES + 1];
	int ep;			/* where the caller of the reply object waits */
	struct kt_thread caller;
	struct kt_child sleeper;
};

KT_ROLE(sleeper)
{
	kt_sleep(KT_MS(120000));
}

static void zoo_caller(void *arg)
{
	kt_call_label(*(int *)arg, 1, KT_SOON);
}

static void zoo_open(struct zoo *z)
{
	struct pith_io_port port = { 0x70, 2 };

	memset(z, 0, sizeof(*z));
	z->ep = KT_FD(kt_ep_create());
	kt_thread_start(&z->caller, zoo_caller, &z->ep);
	kt_wait_call(z->ep);
	z->sleeper = kt_start("sleeper", NULL, 0);
	z->fd[PITH_T_ENDPOINT] = KT_FD(kt_ep_create());
	z->fd[PITH_T_NOTIFICATION] = KT_FD(kt_notif_create());
	z->fd[PITH_T_MEMORY] = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	z->fd[PITH_T_DOMAIN] = kt_root;
	z->fd[PITH_T_SPACE] = z->sleeper.space;
	z->fd[PITH_T_THREAD] = KT_FD(kt_control(z->sleeper.space,
						PITH_OP_SPACE_THREAD, NULL));
	KT_EQ(kt_control(z->fd[PITH_T_THREAD], PITH_OP_THREAD_PAUSE, NULL), 0);
	z->fd[PITH_T_IRQ] = KT_FD(quiet_irq());
	z->fd[PITH_T_IO_PORT] = -1;
	if (KT_HAS_PORTS)
		z->fd[PITH_T_IO_PORT] =
			KT_FD(kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &port));
	z->fd[PITH_T_HARDWARE] = kt_hardware;
	z->fd[PITH_T_REPLY] = KT_FD(kt_control(z->ep, PITH_OP_EP_SAVE_REPLY,
					       NULL));
}

static bool has_type(int type)
{
	return type != PITH_T_IO_PORT || KT_HAS_PORTS;
}

static void zoo_close(struct zoo *z)
{
	kt_kill(&z->sleeper);
	KT_EQ(kt_finish(&z->sleeper), 128 + 9);
	for (int t = 1; t <= TYPES; t++)
		if (t != PITH_T_DOMAIN && t != PITH_T_HARDWARE &&
		    t != PITH_T_SPACE && has_type(t))
			kt_close(z->fd[t]);
	kt_thread_join(&z->caller);
	kt_close(z->ep);
}

KT_CORE(identify_all)
{
	struct zoo z;

	zoo_open(&z);
	for (int t = 1; t <= TYPES; t++) {
		if (!has_type(t))
			continue;
		KT_EQ(kt_type(z.fd[t]), t);
		for (int other = 1; other < t; other++)
			KT_TRUE(kt_object(z.fd[t]) != kt_object(z.fd[other]));
		KT_EQ(kt_control(z.fd[t], PITH_OP_IDENTIFY, NULL), -EFAULT);
	}
	zoo_close(&z);
}

static const struct {
	uint32_t op, type;
} ops[] = {
	{ PITH_OP_EP_WATCH, PITH_T_ENDPOINT },
	{ PITH_OP_EP_SAVE_REPLY, PITH_T_ENDPOINT },
	{ PITH_OP_NOTIF_BIND, PITH_T_NOTIFICATION },
	{ PITH_OP_MEM_INFO, PITH_T_MEMORY },
	{ PITH_OP_DOMAIN_CREATE, PITH_T_DOMAIN },
	{ PITH_OP_DOMAIN_TRANSFER, PITH_T_DOMAIN },
	{ PITH_OP_DOMAIN_INFO, PITH_T_DOMAIN },
	{ PITH_OP_DOMAIN_DESTROY, PITH_T_DOMAIN },
	{ PITH_OP_SPACE_CREATE, PITH_T_DOMAIN },
	{ PITH_OP_SPACE_MAP, PITH_T_SPACE },
	{ PITH_OP_SPACE_UNMAP, PITH_T_SPACE },
	{ PITH_OP_SPACE_PROTECT, PITH_T_SPACE },
	{ PITH_OP_SPACE_FAULT_EP, PITH_T_SPACE },
	{ PITH_OP_SPACE_THREAD, PITH_T_SPACE },
	{ PITH_OP_SPACE_KILL, PITH_T_SPACE },
	{ PITH_OP_SPACE_INFO, PITH_T_SPACE },
	{ PITH_OP_THREAD_PAUSE, PITH_T_THREAD },
	{ PITH_OP_THREAD_RESUME, PITH_T_THREAD },
	{ PITH_OP_THREAD_GET_REGS, PITH_T_THREAD },
	{ PITH_OP_THREAD_SET_REGS, PITH_T_THREAD },
	{ PITH_OP_THREAD_FAULT_EP, PITH_T_THREAD },
	{ PITH_OP_THREAD_SCHED, PITH_T_THREAD },
	{ PITH_OP_THREAD_INFO, PITH_T_THREAD },
	{ PITH_OP_IRQ_BIND, PITH_T_IRQ },
	{ PITH_OP_IRQ_ACK, PITH_T_IRQ },
	{ PITH_OP_PORT_IN, PITH_T_IO_PORT },
	{ PITH_OP_PORT_OUT, PITH_T_IO_PORT },
	{ PITH_OP_HW_INFO, PITH_T_HARDWARE },
	{ PITH_OP_HW_CONSOLE, PITH_T_HARDWARE },
	{ PITH_OP_HW_IO_MEM, PITH_T_HARDWARE },
	{ PITH_OP_HW_IO_PORT, PITH_T_HARDWARE },
	{ PITH_OP_HW_IRQ, PITH_T_HARDWARE },
	{ PITH_OP_HW_MSI, PITH_T_HARDWARE },
	{ PITH_OP_HW_MEM_PHYS, PITH_T_HARDWARE },
	{ PITH_OP_HW_LOG_READ, PITH_T_HARDWARE },
	{ PITH_OP_HW_PANIC_READ, PITH_T_HARDWARE },
};
#define OPS	(sizeof(ops) / sizeof(*ops))

static bool has_op(uint32_t op)
{
	switch (op) {
	case PITH_OP_PORT_IN:
	case PITH_OP_PORT_OUT:
	case PITH_OP_HW_IO_PORT:
		return KT_HAS_PORTS;
	case PITH_OP_HW_MSI:
		return KT_HAS_MSI;
	}
	return true;
}

/* Every operation on every type it is not for. */
KT_CORE(op_on_wrong_type)
{
	uint64_t arg[16] = { 0 };
	struct zoo z;
	long err;

	zoo_open(&z);
	for (unsigned int i = 0; i < OPS; i++) {
		if (!has_op(ops[i].op))
			continue;
		for (unsigned int t = 1; t <= TYPES; t++) {
			if (t == ops[i].type || !has_type(t))
				continue;
			err = kt_control(z.fd[t], ops[i].op, arg);
			if (err != -EBADF)
				KT_FAIL("op %u on type %u: %ld", ops[i].op, t,
					err);
		}
		KT_EQ(kt_control(-1, ops[i].op, arg), -EBADF);
		KT_EQ(kt_control(4000, ops[i].op, arg), -EBADF);
	}
	/* what names no object takes none */
	for (uint32_t op = PITH_OP_BOOTSTRAP; op <= PITH_OP_MEM_CREATE; op++)
		for (int t = 1; t <= TYPES; t++)
			if (has_type(t))
				KT_EQ(kt_control(z.fd[t], op, arg), -EBADF);
	zoo_close(&z);
}

KT_CORE(op_unknown)
{
	static const uint32_t bad[] = { 0, PITH_OP_HW_PANIC_READ + 1, 100, 1000,
		0x7fffffff, 0x80000000u, ~0u };
	uint64_t arg[16] = { 0 };
	struct zoo z;

	zoo_open(&z);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		KT_EQ(kt_control(-1, bad[i], arg), -EINVAL);
		for (int t = 1; t <= TYPES; t++)
			KT_EQ(kt_control(z.fd[t], bad[i], arg), -EINVAL);
	}
	/* nor what is there on other machines */
	for (unsigned int i = 0; i < OPS; i++)
		if (!has_op(ops[i].op))
			KT_EQ(kt_control(z.fd[ops[i].type], ops[i].op, arg),
			      -EINVAL);
	zoo_close(&z);
}

/* Ops that read or write a struct, given addresses that are not the caller's. */
KT_CORE(op_bad_pointer)
{
	static const uintptr_t bad[] = { 0, 8, 0x00007ffffffff000,
		0x8000000000000000, KT_KERNEL_ADDRESS, 0xffffffff81000000,
		0xfffffffffffffff8 };
	static const uint32_t on_none[] = { PITH_OP_BUFFER_SET,
		PITH_OP_MEM_CREATE };
	struct zoo z;
	long err;

	zoo_open(&z);
	for (unsigned int b = 0; b < sizeof(bad) / sizeof(*bad); b++) {
		void *p = (void *)bad[b];

		for (unsigned int i = 0; i < 2; i++)
			KT_EQ(kt_control(-1, on_none[i], p), -EFAULT);
		for (unsigned int i = 0; i < OPS; i++) {
			if (!has_op(ops[i].op) ||
			    ops[i].op == PITH_OP_EP_SAVE_REPLY ||
			    ops[i].op == PITH_OP_DOMAIN_CREATE ||
			    ops[i].op == PITH_OP_DOMAIN_DESTROY ||
			    ops[i].op == PITH_OP_SPACE_THREAD ||
			    ops[i].op == PITH_OP_SPACE_KILL ||
			    ops[i].op == PITH_OP_THREAD_PAUSE ||
			    ops[i].op == PITH_OP_THREAD_RESUME ||
			    ops[i].op == PITH_OP_IRQ_ACK)
				continue;	/* have no argument */
			err = kt_control(z.fd[ops[i].type], ops[i].op, p);
			if (err != -EFAULT)
				KT_FAIL("op %u with %lx: %ld", ops[i].op,
					bad[b], err);
		}
		KT_EQ(kt_control(z.fd[PITH_T_MEMORY], PITH_OP_MINT, p),
		      -EFAULT);
	}
	zoo_close(&z);
}

/* What was made and cannot be told is gone again. */
KT_CORE(op_result_unwritable)
{
	struct pith_space_create c = { .exit_notif = -1, .name = "untold" };
	int domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	void *arg = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	uint64_t caps = kt_domain_info(kt_root).caps_used;

	memcpy(arg, &c, sizeof(c));
	KT_EQ(kt_protect(arg, KT_PAGE, KT_R), 0);
	KT_EQ(kt_control(domain, PITH_OP_SPACE_CREATE, arg), -EFAULT);
	while (kt_domain_info(domain).ram_used)
		kt_sleep(KT_MS(1));
	if (KT_HAS_MSI)
		KT_EQ(kt_control(kt_hardware, PITH_OP_HW_MSI, arg), -EFAULT);
	KT_EQ(kt_domain_info(kt_root).caps_used, caps);
	KT_EQ(kt_unmap(arg, KT_PAGE), 0);
	kt_close(mem);
	kt_domain_end(domain);
}

KT_CORE(bootstrap_only_once)
{
	struct pith_bootstrap b = { -7, -7 };

	KT_EQ(kt_control(-1, PITH_OP_BOOTSTRAP, &b), -EPERM);
	KT_EQ(b.domain, -7);
	KT_EQ(b.hardware, -7);
}

KT_COMPONENT(bootstrap_only_core)
{
	struct pith_bootstrap b;

	KT_EQ(kt_control(-1, PITH_OP_BOOTSTRAP, &b), -EPERM);
}

/* --- mint ------------------------------------------------------------------ */

/* Every combination of rights of every kind of capability but endpoints. */
KT_CORE(mint_never_widens)
{
	struct zoo z;
	long fd;

	zoo_open(&z);
	for (int t = PITH_T_NOTIFICATION; t < PITH_T_REPLY; t++) {
		uint32_t have;

		if (!has_type(t))
			continue;
		have = kt_rights(z.fd[t]);
		for (uint32_t r = 0; r <= 2 * ALL_RIGHTS + 1; r++) {
			fd = kt_mint(z.fd[t], r);
			if (r & ~have) {
				if (!KT_EQ(fd, -EPERM))
					KT_FAIL("type %d: %x from %x", t, r,
						have);
			} else if (KT_FD(fd) >= 0) {
				KT_EQ(kt_rights(fd), r);
				KT_EQ(kt_object(fd), kt_object(z.fd[t]));
			}
			if (fd >= 0)
				kt_close(fd);
		}
	}
	zoo_close(&z);
}

/* What a smaller capability lost, no capability made from it has. */
KT_CORE(mint_from_minted)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0)), a, b;

	for (uint32_t i = 0; i < 8; i++) {
		a = KT_FD(kt_mint(mem, i * PITH_R_READ));
		for (uint32_t k = 0; k < 8; k++) {
			b = kt_mint(a, k * PITH_R_READ);
			if (k & ~i)
				KT_EQ(b, -EPERM);
			else
				KT_EQ(kt_rights(b), k * PITH_R_READ);
			if (b >= 0)
				kt_close(b);
		}
		kt_close(a);
	}
	kt_close(mem);
}

KT_CORE(mint_endpoint)
{
	int ep = KT_FD(kt_ep_create()), client = KT_FD(kt_mint_badge(ep, 1));

	for (uint32_t r = 0; r <= 2 * ALL_RIGHTS + 1; r++) {
		long fd = kt_mint(ep, r);

		if (r == PITH_R_CALL)
			KT_FD(fd);
		else if (fd != -EINVAL && fd != -EPERM)
			KT_FAIL("rights %x: %ld", r, fd);
		if (fd >= 0)
			kt_close(fd);
		/* badges come from the server only */
		KT_EQ(kt_mint(client, r), -EPERM);
	}
	KT_EQ(kt_mint_badge(client, 2), -EPERM);
	kt_close(client);
	kt_close(ep);
}

static void mint_refused(int fd, struct pith_mint m)
{
	KT_EQ(kt_control(fd, PITH_OP_MINT, &m), -EINVAL);
}

KT_CORE(mint_unused_fields)
{
	struct zoo z;

	zoo_open(&z);
	for (int t = 1; t <= TYPES; t++) {
		uint32_t r = t == PITH_T_ENDPOINT ? PITH_R_CALL : 0;

		if (!has_type(t))
			continue;
		mint_refused(z.fd[t], (struct pith_mint){ r, 1, 0, 0, 0 });
		mint_refused(z.fd[t], (struct pith_mint){ r, 1u << 31, 0, 0, 0 });
		if (t != PITH_T_ENDPOINT)
			mint_refused(z.fd[t],
				     (struct pith_mint){ r, 0, 1, 0, 0 });
		if (t == PITH_T_MEMORY)
			continue;
		mint_refused(z.fd[t], (struct pith_mint){ r, 0, 0, 4096, 0 });
		mint_refused(z.fd[t], (struct pith_mint){ r, 0, 0, 0, 4096 });
	}
	zoo_close(&z);
}

/* An operation needs its right: capabilities with all rights but that one. */
static void without(int fd, uint32_t right, uint32_t op)
{
	uint64_t arg[16] = { 0 };
	int less = KT_FD(kt_mint(fd, kt_rights(fd) & ~right));

	if (kt_control(less, op, arg) != -EPERM)
		KT_FAIL("op %u without right %x", op, right);
	kt_close(less);
}

KT_CORE(op_without_right)
{
	struct zoo z;

	zoo_open(&z);
	without(z.fd[PITH_T_ENDPOINT], PITH_R_RECV, PITH_OP_EP_SAVE_REPLY);
	without(z.fd[PITH_T_NOTIFICATION], PITH_R_MANAGE, PITH_OP_NOTIF_BIND);
	for (uint32_t op = PITH_OP_SPACE_MAP; op < PITH_OP_SPACE_INFO; op++)
		without(z.fd[PITH_T_SPACE], PITH_R_MANAGE, op);
	for (uint32_t op = PITH_OP_THREAD_PAUSE; op < PITH_OP_THREAD_INFO; op++)
		without(z.fd[PITH_T_THREAD], PITH_R_MANAGE, op);
	without(z.fd[PITH_T_IRQ], PITH_R_MANAGE, PITH_OP_IRQ_BIND);
	without(z.fd[PITH_T_IRQ], PITH_R_MANAGE, PITH_OP_IRQ_ACK);
	if (KT_HAS_PORTS) {
		without(z.fd[PITH_T_IO_PORT], PITH_R_READ, PITH_OP_PORT_IN);
		without(z.fd[PITH_T_IO_PORT], PITH_R_WRITE, PITH_OP_PORT_OUT);
	}
	without(kt_root, PITH_R_ADMIN, PITH_OP_DOMAIN_CREATE);
	without(kt_root, PITH_R_ADMIN, PITH_OP_DOMAIN_TRANSFER);
	without(kt_root, PITH_R_ADMIN, PITH_OP_DOMAIN_DESTROY);
	without(kt_root, PITH_R_ADMIN, PITH_OP_DOMAIN_CPU);
	without(kt_root, PITH_R_ADMIN, PITH_OP_SPACE_CREATE);
	zoo_close(&z);
}

/* --- priorities ------------------------------------------------------------- */

static long sched(int thread, uint32_t priority, int32_t nice, uint64_t affinity)
{
	struct pith_sched s = { priority, nice, affinity };

	return kt_control(thread, PITH_OP_THREAD_SCHED, &s);
}

KT_CORE(sched_args)
{
	struct pith_thread_info info;
	struct zoo z;
	int t;

	zoo_open(&z);
	t = z.fd[PITH_T_THREAD];
	KT_EQ(sched(t, 99, 0, 0), -EINVAL);
	KT_EQ(sched(t, ~0u, 0, 0), -EINVAL);
	KT_EQ(sched(t, 0, -21, 0), -EINVAL);
	KT_EQ(sched(t, 0, 20, 0), -EINVAL);
	KT_EQ(sched(t, 0, 0, 1ull << 63), -EINVAL);
	KT_EQ(sched(t, 98, 0, 1), 0);
	KT_EQ(kt_control(t, PITH_OP_THREAD_INFO, &info), 0);
	KT_EQ(info.priority, 98);
	KT_EQ(sched(t, 0, 19, 0), 0);
	KT_EQ(kt_control(t, PITH_OP_THREAD_INFO, &info), 0);
	KT_EQ(info.priority, 0);
	zoo_close(&z);
}

/* Nobody but core may be more important than others, or make others so. */
KT_ROLE(try_to_sched)
{
	struct pith_space_create s = { .exit_notif = -1, .name = "mine" };
	int space = KT_FD(kt_control(KT_SLOT_ARG, PITH_OP_SPACE_CREATE, &s));

	KT_EQ(kt_rights(s.thread), PITH_R_MANAGE);
	KT_EQ(sched(s.thread, 1, 0, 0), -EPERM);
	KT_EQ(sched(s.thread, 0, 0, 1), -EPERM);
	KT_EQ(kt_control(space, PITH_OP_SPACE_KILL, NULL), 0);
}

KT_CORE(sched_only_core)
{
	int domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);

	kt_run("try_to_sched", &domain, 1);
	kt_domain_end(domain);
}
