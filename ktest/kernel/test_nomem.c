// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each operation with its first allocation failing, then its second, and so on
 * until it needs no more of them: it fails with an error, all quota is as it was
 * before, and it works the next time. Only where allocations can be made to fail
 * (nomem.c). What no quota pays for is found by kmemleak, on the profile `debug`.
 */
#include <string.h>
#include <sys/syscall.h>
#include "arch.h"
#include "core.h"
#include "source.h"
#include "space.h"

#define MOST	120	/* allocations of one operation */
#define RW	(PITH_R_READ | PITH_R_WRITE)

/* What the operations work on. */
static struct ks space;
static int ep, mem, notif, irq;
static uint8_t *window;		/* eight pages of mem, mapped */

struct op {
	const char *name;
	long (*run)(void);
	void (*undo)(long ret);		/* of an error too */
	void (*before)(void);	/* may be NULL */
};

static void close_it(long fd)
{
	kt_close(fd);
}

static void nothing(long ret)
{
	(void)ret;
}

/* --- objects ---------------------------------------------------------------- */

static long notif_create(void)
{
	return kt_notif_create();
}

static long mem_small(void)
{
	return kt_mem_create(space.domain, KT_PAGE, 0);
}

static long mem_large(void)
{
	return kt_mem_create(-1, 40 * KT_PAGE, 0);
}

static long mem_contig(void)
{
	return kt_mem_create(-1, 5 * KT_PAGE, PITH_MEM_CONTIG);
}

static long mint_badge(void)
{
	return kt_mint_badge(ep, 9);
}

static long mint_range(void)
{
	return kt_mint_range(mem, PITH_R_READ, KT_PAGE, KT_PAGE);
}

static long domain_create(void)
{
	return kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL);
}

static long watch(void)
{
	return kt_watch(ep, notif);
}

static long bind(void)
{
	return kt_bind(notif, ep, 1);
}

static void unbind(long ret)
{
	(void)ret;
	KT_EQ(kt_bind(notif, -1, 0), 0);
}

/* --- mappings --------------------------------------------------------------- */

static long map_shared(void)
{
	return (long)kt_map_at((void *)0x100000000000, mem, 0, 8 * KT_PAGE,
			       KT_R | KT_W, KT_MAP_FIXED);
}

static long map_anonymous(void)
{
	return kt_syscall(SYS_mmap, 0, 3 * KT_PAGE, KT_R | KT_W, 0x22, -1, 0);
}

static void unmap(long at)
{
	if (!kt_is_error((void *)at))
		KT_EQ(kt_unmap((void *)at, 8 * KT_PAGE), 0);
}

static void unmap_anonymous(long at)
{
	if (!kt_is_error((void *)at))
		KT_EQ(kt_unmap((void *)at, 3 * KT_PAGE), 0);
}

static long unmap_middle(void)
{
	return kt_unmap(window + KT_PAGE, KT_PAGE);
}

static void refill(void)
{
	void *p = kt_map_at(window, mem, 0, 8 * KT_PAGE, KT_R | KT_W,
			    KT_MAP_FIXED);

	KT_NEED(p == window);
}

static long protect_middle(void)
{
	return kt_protect(window + 2 * KT_PAGE, KT_PAGE, KT_R);
}

/* The kernel writes where no page table is yet. */
static long touch(void)
{
	void *p = (void *)0x200000000000;
	long err = (long)kt_map_at(p, mem, 0, 8 * KT_PAGE, KT_R | KT_W,
				   KT_MAP_FIXED);

	if (kt_is_error((void *)err))
		return err;
	err = kt_control(mem, PITH_OP_MEM_INFO, p);
	KT_TRUE(err == 0 || err == -EFAULT);
	kt_unmap(p, 8 * KT_PAGE);
	return err == -EFAULT ? -ENOMEM : err;
}

/* --- spaces and threads ----------------------------------------------------- */

static struct pith_space_create made;

static long space_create(void)
{
	static int caps[2];

	caps[0] = mem;
	caps[1] = ep;
	made = (struct pith_space_create){ .exit_notif = notif, .ncaps = 2,
		.caps = (uintptr_t)caps, .name = "nomem" };
	return kt_control(space.domain, PITH_OP_SPACE_CREATE, &made);
}

static void space_gone(long fd)
{
	if (fd < 0)
		return;
	KT_EQ(kt_control(fd, PITH_OP_SPACE_KILL, NULL), 0);
	kt_close(made.thread);
	kt_close(fd);
}

static int other;

static void other_space(void)
{
	other = KT_FD(space_create());
}

static long space_thread(void)
{
	return kt_control(other, PITH_OP_SPACE_THREAD, NULL);
}

static void other_gone(long fd)
{
	kt_close(fd);
	space_gone(other);
}

static long space_map(void)
{
	return ks_map(&space, mem, 0, KS_AT, 8 * KT_PAGE, RW);
}

static void space_unmap(long ret)
{
	(void)ret;
	KT_EQ(ks_unmap(&space, KS_AT, 8 * KT_PAGE), 0);
}

static void mapped(void)
{
	ks_unmap(&space, KS_AT, 8 * KT_PAGE);
	KT_EQ(space_map(), 0);
}

static long space_unmap_middle(void)
{
	return ks_unmap(&space, KS_AT + KT_PAGE, KT_PAGE);
}

static long space_protect(void)
{
	return ks_protect(&space, KS_AT + KT_PAGE, KT_PAGE, PITH_R_READ);
}

static long fault_ep(void)
{
	struct pith_fd_arg arg = { ep, 0 };

	return kt_control(space.space, PITH_OP_SPACE_FAULT_EP, &arg);
}

/* --- devices ---------------------------------------------------------------- */

static long io_mem(void)
{
	struct pith_io_mem a = { .base = KT_UNUSED, .size = KT_PAGE };

	return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a);
}

#if KT_HAS_PORTS
static long io_port(void)
{
	struct pith_io_port a = { 0x310, 4 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a);
}
#endif

static long hw_irq(void)
{
	struct pith_irq a = { .gsi = KT_GSI + 1 };

	return kt_control(kt_hardware, PITH_OP_HW_IRQ, &a);
}

static long irq_bind(void)
{
	struct pith_fd_arg a = { notif, 0 };

	return kt_control(irq, PITH_OP_IRQ_BIND, &a);
}

static long mem_phys(void)
{
	uint64_t address[8];
	struct pith_mem_phys a = { .mem = mem, .count = 8,
				   .addresses = (uintptr_t)address };

	return kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &a);
}

static long log_read(void)
{
	static char text[4096];
	struct pith_log_read a = { .text = (uintptr_t)text, .len = 4096 };

	return kt_control(kt_hardware, PITH_OP_HW_LOG_READ, &a);
}

/* --- messages --------------------------------------------------------------- */

static void serve(void *arg)
{
	(void)arg;
	while (kt_wait(ep, PITH_NO_DEADLINE) == PITH_GOT_CALL) {
		uint64_t label = kt_msg->label;

		for (uint32_t i = 0; i < kt_msg->ncaps; i++)
			if (kt_msg->caps[i] >= 0)
				kt_close(kt_msg->caps[i]);
		kt_reply(ep, 0);
		if (!label)
			break;
	}
}

static long call(void)
{
	kt_prepare(1);
	kt_msg->ncaps = PITH_MSG_CAPS;
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		kt_msg->caps[i] = mem;
	return kt_call(ep, KT_SOON);
}

/* --- all of them ------------------------------------------------------------ */

/* Not HW_MSI: of an interrupt whose entry in procfs, which only this kernel has,
 * could not be made, Linux complains when it is to be removed. */
static const struct op ops[] = {
	{ "ep_create", kt_ep_create, close_it, NULL },
	{ "notif_create", notif_create, close_it, NULL },
	{ "mem_small", mem_small, close_it, NULL },
	{ "mem_large", mem_large, close_it, NULL },
	{ "mem_contig", mem_contig, close_it, NULL },
	{ "mint_badge", mint_badge, close_it, NULL },
	{ "mint_range", mint_range, close_it, NULL },
	{ "domain_create", domain_create, close_it, NULL },
	{ "watch", watch, nothing, NULL },
	{ "bind", bind, unbind, NULL },
	{ "map_shared", map_shared, unmap, NULL },
	{ "map_anonymous", map_anonymous, unmap_anonymous, NULL },
	{ "unmap_middle", unmap_middle, nothing, refill },
	{ "protect_middle", protect_middle, nothing, refill },
	{ "touch", touch, nothing, NULL },
	{ "space_create", space_create, space_gone, NULL },
	{ "space_thread", space_thread, other_gone, other_space },
	{ "space_map", space_map, space_unmap, NULL },
	{ "space_unmap", space_unmap_middle, space_unmap, mapped },
	{ "space_protect", space_protect, space_unmap, mapped },
	{ "fault_ep", fault_ep, nothing, NULL },
	{ "io_mem", io_mem, close_it, NULL },
#if KT_HAS_PORTS
	{ "io_port", io_port, close_it, NULL },
#endif
	{ "hw_irq", hw_irq, close_it, NULL },
	{ "irq_bind", irq_bind, nothing, NULL },
	{ "mem_phys", mem_phys, nothing, NULL },
	{ "log_read", log_read, nothing, NULL },
	{ "call", call, nothing, NULL },
};

static bool same(const struct pith_domain_info *root,
		 const struct pith_domain_info *own)
{
	struct pith_domain_info now[2] = { kt_domain_info(kt_root),
					   kt_domain_info(space.domain) };

	return !memcmp(&now[0], root, sizeof(*root)) &&
	       !memcmp(&now[1], own, sizeof(*own));
}

/* What ends in its own time takes a while to be given back. */
static void await_same(const struct op *op, uint32_t n,
		       const struct pith_domain_info *root,
		       const struct pith_domain_info *own)
{
	uint64_t end = KT_SOON;

	while (!same(root, own)) {
		if (kt_now() > end) {
			KT_FAIL("%s: allocation %u: quota is not back",
				op->name, n);
			return;
		}
		kt_sleep(KT_MS(1));
	}
}

/* With allocation @n failing. True: there was one. */
static bool once(const struct op *op, uint32_t n)
{
	struct pith_domain_info root, own;
	bool failed;
	long ret;

	root = kt_domain_info(kt_root);
	own = kt_domain_info(space.domain);
	if (op->before)
		op->before();
	nomem_arm(n);
	ret = op->run();
	failed = nomem_failed();
	if (!failed && ret < 0)
		KT_FAIL("%s: %ld and nothing had failed", op->name, ret);
	/* it may have done without; of page tables and records of mappings Linux
	 * does not say whether there was no memory or no quota */
	if (ret < 0 && ret != -ENOMEM && ret != -ENFILE && ret != -EAGAIN &&
	    ret != -EDQUOT)
		KT_FAIL("%s: allocation %u: %ld", op->name, n, ret);
	op->undo(ret);
	await_same(op, n, &root, &own);
	return failed;
}

static void each(const struct op *op)
{
	uint32_t n = 1;

	while (n < MOST && once(op, n))
		n++;
	kt_console("# %s: %u allocations", op->name, n - 1);
	if (n == MOST)
		KT_FAIL("%s: no end of allocations", op->name);
}

static void prepare_all(void)
{
	ks_open(&space, NULL, 0);
	ep = KT_FD(kt_ep_create());
	mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	notif = KT_FD(kt_notif_create());
	irq = KT_FD(quiet_irq());
	window = kt_map(mem, 0, 8 * KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(window));
	KT_EQ(fault_ep(), 0);		/* not the one it has from ks_open() */
}

static void drop_all(void)
{
	kt_unmap(window, 8 * KT_PAGE);
	kt_close(irq);
	kt_close(notif);
	kt_close(mem);
	kt_close(ep);
	ks_close(&space);
}

KT_CORE(nomem_everywhere)
{
	struct kt_thread server = { 0 };

	if (!nomem_on()) {
		kt_console("# SKIP: nothing here makes allocations fail");
		return;
	}
	prepare_all();
	kt_thread_start(&server, serve, NULL);
	KT_EQ(call(), 0);		/* it has all that it needs */
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		each(&ops[i]);
	KT_EQ(kt_call_label(ep, 0, KT_SOON), 0);
	kt_thread_join(&server);
	drop_all();
}
