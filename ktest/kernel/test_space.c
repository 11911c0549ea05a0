// SPDX-License-Identifier: BSD-2-Clause
/* Spaces: birth, mappings made from outside, end. */
#include <string.h>
#include <sys/syscall.h>
#include "space.h"

#define RW	(PITH_R_READ | PITH_R_WRITE)
#define RX	(PITH_R_READ | PITH_R_EXEC)
#define RWX	(RW | PITH_R_EXEC)

/* --- birth and end ----------------------------------------------------------- */

KT_CORE(space_exit_status)
{
	static const int codes[] = { 0, 1, 77, 255 };
	struct ks s;

	for (unsigned int i = 0; i < 4; i++) {
		ks_open(&s, NULL, 0);
		KT_EQ(kt_type(s.space), PITH_T_SPACE);
		KT_EQ(kt_type(s.thread), PITH_T_THREAD);
		KT_EQ(kt_rights(s.space), PITH_R_MANAGE);
		KT_EQ(kt_rights(s.thread), PITH_R_MANAGE);
		KT_EQ(kt_domain_info(s.domain).processes, 1);
		KT_EQ(ks_info(&s).exited, 0);
		KT_EQ(ks_info(&s).threads, 1);
		ks_run(&s, ks_leave, codes[i]);
		KT_EQ(ks_status(&s), codes[i]);
		KT_EQ(kt_domain_info(s.domain).processes, 0);
		KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_ENDED);
		ks_close(&s);
	}
}

KT_CORE(space_only_what_is_named)
{
	int n = KT_FD(kt_notif_create()), caps[3] = { n, -1, n };
	int extra[32];
	struct ks s;

	for (int i = 0; i < 32; i++)
		extra[i] = KT_FD(kt_mint(kt_report_mem, 0));
	ks_open(&s, caps, 3);
	ks_run(&s, ks_close_all, KS_DATA);
	KT_EQ(ks_status(&s), 0);
	for (int fd = 0; fd < 500; fd++)
		KT_EQ((int64_t)s.word[fd], fd == 0 || fd == 2 ? 0 : -EBADF);
	ks_close(&s);
	for (int i = 0; i < 32; i++)
		kt_close(extra[i]);
	kt_close(n);
}

KT_CORE(space_64_caps)
{
	int caps[64];
	struct ks s;

	for (int i = 0; i < 64; i++)
		caps[i] = kt_report_mem;
	ks_open(&s, caps, 64);
	ks_run(&s, ks_close_all, KS_DATA);
	KT_EQ(ks_status(&s), 0);
	for (int fd = 0; fd < 500; fd++)
		KT_EQ((int64_t)s.word[fd], fd < 64 ? 0 : -EBADF);
	ks_close(&s);
}

/* The descriptors go with the last thread, before its end is told. */
KT_CORE(space_end_closes_endpoint)
{
	int ep = KT_FD(kt_ep_create()), client = KT_FD(kt_mint_badge(ep, 1));
	struct ks s;

	ks_open(&s, &ep, 1);
	kt_close(ep);
	KT_EQ(kt_call_label(client, 0, kt_now()), -ETIMEDOUT);
	ks_run(&s, ks_leave, 0);
	KT_EQ(ks_status(&s), 0);
	KT_EQ(kt_call_label(client, 0, KT_SOON), -EPIPE);
	ks_close(&s);
	kt_close(client);
}

KT_CORE(space_killed_before_start)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_status(&s), 128 + 9);
	KT_EQ(ks_start(s.thread, KS_CODE, 0), -EPIPE);
	ks_close(&s);
}

/* A space that has ended. */
KT_CORE(space_dead)
{
	struct pith_regs r = { 0 };
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_leave, 3);
	KT_EQ(ks_status(&s), 3);
	KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE, RW), -EPIPE);
	KT_EQ(ks_unmap(&s, KS_DATA, KT_PAGE), -EPIPE);
	KT_EQ(ks_protect(&s, KS_DATA, KT_PAGE, PITH_R_READ), -EPIPE);
	KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, s.ep), -EPIPE);
	KT_EQ(ks_fault_ep(s.thread, PITH_OP_THREAD_FAULT_EP, s.ep), -EPIPE);
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_THREAD, NULL), -EPIPE);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_PAUSE, NULL), -EPIPE);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_RESUME, NULL), -EPIPE);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, &r), -EPIPE);
	KT_EQ(ks_start(s.thread, KS_CODE, 0), -EPIPE);
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_info(&s).status, 3);
	ks_close(&s);
}

KT_CORE(space_of_a_dead_domain)
{
	struct ks s;
	int other;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_count, KS_DATA);
	while (!s.word[0])
		kt_sleep(KT_MS(1));
	other = KT_FD(kt_mint(s.domain, PITH_R_ADMIN));
	kt_domain_end(s.domain);
	KT_EQ(ks_status(&s), 128 + 9);
	s.domain = other;
	ks_close(&s);
}

/* Memory of a space is all its holder's; the kernel's own is its domain's. */
KT_CORE(space_is_paid)
{
	int small = kt_domain(16 << 10, KS_CAPS);
	struct pith_space_create c = { .name = "x", .exit_notif = -1 };
	struct ks s;

	KT_EQ(kt_control(small, PITH_OP_SPACE_CREATE, &c), -EDQUOT);
	KT_EQ(kt_domain_info(small).ram_used, 0);
	KT_EQ(kt_domain_info(small).processes, 0);
	kt_domain_end(small);
	ks_open(&s, NULL, 0);
	KT_TRUE(kt_domain_info(s.domain).ram_used >= 16 << 10);
	ks_run(&s, ks_leave, 0);
	KT_EQ(ks_status(&s), 0);
	/* what the two descriptors here hold; ks_close() sees that go */
	KT_TRUE(kt_domain_info(s.domain).ram_used < 16 << 10);
	ks_close(&s);
}

static void refused(struct ks *s, struct pith_space_create c, long err)
{
	struct pith_domain_info before = kt_domain_info(s->domain), after;
	long ret = kt_control(s->domain, PITH_OP_SPACE_CREATE, &c);

	KT_EQ(ret, err);
	after = kt_domain_info(s->domain);
	KT_EQ(after.processes, before.processes);
	KT_EQ(after.ram_used, before.ram_used);
}

#define REFUSED(err, field, value) do {		\
	struct pith_space_create c_ = good;	\
	c_.field = value;			\
	refused(&s, c_, err);			\
} while (0)

KT_CORE(space_create_args)
{
	int32_t caps[3] = { kt_report_mem, -1, 4000 };
	struct pith_space_create good = {
		.exit_notif = -1, .ncaps = 2, .caps = (uintptr_t)caps,
		.name = "x",
	};
	int less, n = KT_FD(kt_notif_create());
	int manage = KT_FD(kt_mint(n, PITH_R_MANAGE));
	struct ks s;

	ks_open(&s, NULL, 0);
	REFUSED(-EBADF, exit_notif, s.ep);
	REFUSED(-EBADF, exit_notif, 4000);
	REFUSED(-EPERM, exit_notif, manage);
	REFUSED(-EBADF, ncaps, 3);
	REFUSED(-EINVAL, ncaps, 65);
	REFUSED(-EINVAL, ncaps, ~0u);
	REFUSED(-EFAULT, caps, 0);
	REFUSED(-EFAULT, caps, KT_KERNEL_ADDRESS);
	REFUSED(-EINVAL, zero, 1);
	REFUSED(-EINVAL, name[0], '\0');
	memset(good.name, 'x', sizeof(good.name));	/* no NUL */
	refused(&s, good, -EINVAL);
	less = KT_FD(kt_mint(s.domain, PITH_R_CHARGE));
	KT_EQ(kt_control(less, PITH_OP_SPACE_CREATE, &good), -EPERM);
	kt_close(less);
	ks_close(&s);
	kt_close(manage);
	kt_close(n);
}

/* --- mappings ------------------------------------------------------------------ */

KT_CORE(space_map_args)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int rom = KT_FD(kt_mint(mem, PITH_R_READ));
	int blind = KT_FD(kt_mint(mem, PITH_R_WRITE | PITH_R_EXEC));
	int part = KT_FD(kt_mint_range(mem, RWX, KT_PAGE, KT_PAGE));
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, s.ep, 0, KS_AT, KT_PAGE, RW), -EBADF);
	KT_EQ(ks_map(&s, -1, 0, KS_AT, KT_PAGE, RW), -EBADF);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, 0), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, PITH_R_CALL), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW | PITH_R_REVOKE), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 0, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 100, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + 8, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 8, KS_AT, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 5 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 4 * KT_PAGE, KS_AT, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, -(uint64_t)KT_PAGE, KS_AT, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, -(uint64_t)KT_PAGE, KS_AT, 2 * KT_PAGE, RW),
	      -EINVAL);
	KT_EQ(ks_map(&s, part, 0, KS_AT, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, part, KT_PAGE, KS_AT, KT_PAGE, RW), -EINVAL);
	/* rights are never wider */
	KT_EQ(ks_map(&s, rom, 0, KS_AT, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_map(&s, rom, 0, KS_AT, KT_PAGE, RX), -EPERM);
	KT_EQ(ks_map(&s, blind, 0, KS_AT, KT_PAGE, PITH_R_WRITE), -EPERM);
	KT_EQ(ks_map(&s, blind, 0, KS_AT, KT_PAGE, PITH_R_EXEC), -EPERM);
	ks_close(&s);
	kt_close(part);
	kt_close(blind);
	kt_close(rom);
	kt_close(mem);
}

/* Where user addresses end: some processors have more of them. */
static uint64_t top_of(struct ks *s)
{
	uint64_t top = KT_TOP;

	if (!ks_map(s, s->data, 0, top, KT_PAGE, RW)) {
		KT_EQ(ks_unmap(s, top, KT_PAGE), 0);
		top = KT_TOP_WIDE;
	}
	return top;
}

KT_CORE(space_map_edges)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	uint64_t top;
	struct ks s;

	ks_open(&s, NULL, 0);
	top = top_of(&s);
	KT_EQ(ks_map(&s, mem, 0, 0, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, 0xf000, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, 0xf000, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, 0x10000, KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, mem, 0, top, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, top - KT_PAGE, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, top - KT_PAGE, KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, mem, 0, 0x8000000000000000, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KT_KERNEL_ADDRESS, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, -(uint64_t)KT_PAGE, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, -(uint64_t)KT_PAGE, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_unmap(&s, 0, KT_PAGE), -EINVAL);
	KT_EQ(ks_unmap(&s, top, KT_PAGE), -EINVAL);
	KT_EQ(ks_unmap(&s, KS_AT, -(uint64_t)KT_PAGE), -EINVAL);
	KT_EQ(ks_unmap(&s, KS_AT, 0), -EINVAL);
	KT_EQ(ks_unmap(&s, KS_AT + 1, KT_PAGE), -EINVAL);
	KT_EQ(ks_unmap(&s, 0x10000, top - 0x10000), 0);
	ks_close(&s);
	kt_close(mem);
}

KT_CORE(space_map_overlap)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 4 * KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 4 * KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + KT_PAGE, KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, KS_AT - KT_PAGE, 2 * KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, KS_AT - KT_PAGE, 8 * KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + 3 * KT_PAGE, 2 * KT_PAGE, RW),
	      -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, s.vdso, KT_PAGE, RW), -EEXIST);
	/* neighbours are none */
	KT_EQ(ks_map(&s, mem, 0, KS_AT - KT_PAGE, KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + 4 * KT_PAGE, KT_PAGE, RW), 0);
	/* a hole in the middle can be filled again, and no more */
	KT_EQ(ks_unmap(&s, KS_AT + KT_PAGE, KT_PAGE), 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + KT_PAGE, 2 * KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + KT_PAGE, KT_PAGE, RW), 0);
	ks_close(&s);
	kt_close(mem);
}

/* What is mapped is the right page, and it is shared. */
KT_CORE(space_map_content)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	int part = KT_FD(kt_mint_range(mem, RW, 2 * KT_PAGE, 4 * KT_PAGE));
	uint8_t *p = kt_map(mem, 0, 8 * KT_PAGE, KT_R | KT_W);
	struct ks s;

	for (int i = 0; i < 8; i++)
		p[i * KT_PAGE] = i + 1;
	for (int i = 0; i < 4; i++) {
		ks_open(&s, NULL, 0);
		KT_EQ(ks_map(&s, part, i * KT_PAGE, KS_AT, KT_PAGE,
			     PITH_R_READ), 0);
		ks_run(&s, ks_read_byte, KS_AT);
		KT_EQ(ks_status(&s), 2 + i + 1);
		ks_close(&s);
	}
	kt_unmap(p, 8 * KT_PAGE);
	kt_close(part);
	kt_close(mem);
}

/* A thread that writes is stopped by PROTECT and by UNMAP from outside. */
KT_CORE(space_unmap_running)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	volatile uint64_t *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	uint64_t seen;
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW), 0);
	ks_run(&s, ks_count, KS_AT);
	while (!*p)
		kt_sleep(KT_MS(1));
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, PITH_R_READ), 0);
	seen = *p;
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(*p, seen);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RW), 0);
	ks_answer(&s, 0);
	while (*p == seen)
		kt_sleep(KT_MS(1));
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	seen = *p;
	if (!kt_wait_call(s.ep) || ks_fault().address != KS_AT)
		KT_FAIL("no fault where nothing is mapped");
	KT_EQ(*p, seen);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_close(&s);
	kt_unmap((void *)p, KT_PAGE);
	kt_close(mem);
}

KT_CORE(space_protect_args)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int rom = KT_FD(kt_mint(mem, PITH_R_READ));
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 2 * KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, rom, 0, KS_AT + 3 * KT_PAGE, KT_PAGE, PITH_R_READ), 0);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, 0), -EINVAL);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RW | PITH_R_CALL), -EINVAL);
	KT_EQ(ks_protect(&s, KS_AT + 1, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_protect(&s, KS_AT, 1, RW), -EINVAL);
	KT_EQ(ks_protect(&s, KS_AT, 0, RW), -EINVAL);
	/* a hole at the end, at the start, in the middle */
	KT_EQ(ks_protect(&s, KS_AT, 3 * KT_PAGE, PITH_R_READ), -ENOMEM);
	KT_EQ(ks_protect(&s, KS_AT + 2 * KT_PAGE, 2 * KT_PAGE, PITH_R_READ),
	      -ENOMEM);
	KT_EQ(ks_protect(&s, KS_AT, 4 * KT_PAGE, PITH_R_READ), -ENOMEM);
	KT_EQ(ks_protect(&s, KS_AT + 16 * KT_PAGE, KT_PAGE, PITH_R_READ),
	      -ENOMEM);
	/* never more than it was mapped with */
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RWX), -EPERM);
	KT_EQ(ks_protect(&s, KS_AT + 3 * KT_PAGE, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_protect(&s, s.vdso, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_map(&s, mem, 0, KS_AT + 2 * KT_PAGE, KT_PAGE, RW), 0);
	KT_EQ(ks_protect(&s, KS_AT, 4 * KT_PAGE, RW), -EPERM);
	KT_EQ(ks_protect(&s, KS_AT, 4 * KT_PAGE, PITH_R_READ), 0);
	/* and what was refused has changed nothing: all of it is read-only */
	ks_run(&s, ks_count, KS_AT + 2 * KT_PAGE);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT + 2 * KT_PAGE);
	KT_EQ(ks_protect(&s, KS_AT, 4 * KT_PAGE, RW), -EPERM);
	ks_answer(&s, 0);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT + 2 * KT_PAGE);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_close(&s);
	kt_close(rom);
	kt_close(mem);
}

/* A thread's own mprotect() goes no further than what it was given. */
KT_CORE(space_cannot_widen)
{
	struct ks s;

	for (int i = 0; i < 3; i++) {
		ks_open(&s, NULL, 0);
		if (i == 0)
			KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE,
				     PITH_R_READ), 0);
		ks_run(&s, ks_widen, i == 0 ? KS_AT : i == 1 ? KS_CODE :
							      s.vdso);
		KT_EQ(ks_status(&s), EACCES);
		ks_close(&s);
	}
}

KT_CORE(space_mappings_limit)
{
	unsigned int n = 0;
	struct ks s;
	long err = 0;

	ks_open(&s, NULL, 0);
	while (n < 2000 && !err) {
		err = ks_map(&s, s.data, 0, KS_AT + 2 * n * KT_PAGE, KT_PAGE,
			     RW);
		n += !err;
	}
	KT_EQ(err, -ENOMEM);
	KT_TRUE(n > 1000 && n < 1024);
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE, RW), 0);
	ks_close(&s);
}

/* --- threads of it --------------------------------------------------------------- */

#define MANY	64

KT_CORE(space_64_threads)
{
	int thread[MANY];
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_load(&s, 0, ks_add_and_end);
	for (int i = 0; i < MANY; i++) {
		thread[i] = kt_control(s.space, PITH_OP_SPACE_THREAD, NULL);
		KT_NEED(thread[i] >= 0);
	}
	KT_EQ(ks_info(&s).threads, MANY + 1);
	for (int i = 0; i < MANY; i++)
		KT_EQ(ks_start(thread[i], KS_CODE, KS_DATA), 0);
	kt_await_word(&s.word[0], MANY);
	for (int i = 0; i < MANY; i++)
		kt_close(thread[i]);
	/* the first is left, and is enough */
	KT_EQ(kt_wait(s.ep, KT_NOT_SOON), -ETIMEDOUT);
	KT_EQ(ks_start(s.thread, KS_CODE, KS_DATA), 0);
	KT_EQ(ks_status(&s), 0);
	KT_EQ(s.word[0], MANY + 1);
	ks_close(&s);
}

/* One that ends with exit_group() or a fault takes all with it, started or not. */
KT_CORE(space_ends_as_one)
{
	for (int how = 0; how < 2; how++) {
		int spin, idle, last;
		struct ks s;

		ks_open(&s, NULL, 0);
		ks_load(&s, 0, ks_count);
		spin = KT_FD(kt_control(s.space, PITH_OP_SPACE_THREAD, NULL));
		idle = KT_FD(kt_control(s.space, PITH_OP_SPACE_THREAD, NULL));
		last = KT_FD(kt_control(s.space, PITH_OP_SPACE_THREAD, NULL));
		KT_EQ(ks_start(spin, KS_CODE, KS_DATA), 0);
		while (!s.word[0])
			kt_sleep(KT_MS(1));
		ks_load(&s, KS_PIECE, how ? ks_read_byte : ks_leave);
		KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, -1), 0);
		KT_EQ(ks_start(last, KS_CODE + KS_PIECE, how ? 16 : 9), 0);
		KT_EQ(ks_status(&s), how ? 128 + 11 : 9);
		KT_EQ(ks_thread_info(spin).state, PITH_THREAD_ENDED);
		KT_TRUE(ks_thread_info(spin).cpu_ns > 0);
		KT_TRUE(ks_info(&s).cpu_ns >= ks_thread_info(spin).cpu_ns);
		kt_close(last);
		kt_close(idle);
		kt_close(spin);
		ks_close(&s);
	}
}

KT_CORE(space_thread_limit)
{
	int thread[300], n = 0;
	long fd = 0;
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(kt_transfer(kt_root, s.domain, 16 << 20, 0), 0);
	while (n < 300 && (fd = kt_control(s.space, PITH_OP_SPACE_THREAD,
					   NULL)) >= 0)
		thread[n++] = fd;
	KT_EQ(fd, -EDQUOT);
	KT_EQ(n, 255);
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_status(&s), 128 + 9);
	while (n--)
		kt_close(thread[n]);
	ks_close(&s);
}

KT_CORE(space_thread_is_paid)
{
	int thread[64], n = 0;
	uint64_t before, used;
	long fd = 0;
	struct ks s;

	ks_open(&s, NULL, 0);
	before = kt_domain_info(s.domain).ram_used;
	KT_EQ(kt_transfer(s.domain, kt_root, KS_RAM - (256 << 10), 0), 0);
	while (n < 64 && (fd = kt_control(s.space, PITH_OP_SPACE_THREAD,
					  NULL)) >= 0)
		thread[n++] = fd;
	KT_EQ(fd, -EDQUOT);
	KT_TRUE(n >= 2);
	used = kt_domain_info(s.domain).ram_used;
	KT_TRUE(used - before >= n * (16ull << 10));
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_status(&s), 128 + 9);
	KT_TRUE(kt_domain_info(s.domain).ram_used < n * (2ull << 10) +
						    (16 << 10));
	while (n--)
		kt_close(thread[n]);
	ks_close(&s);
}

/* --- a holder that is a component ------------------------------------------------- */

KT_ROLE(make_space)
{
	struct ks s;
	struct pith_space_create c = { .name = "inner", .exit_notif = -1 };

	memset(&s, 0, sizeof(s));
	s.ep = KT_FD(kt_ep_create());
	s.notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(s.notif, s.ep, KS_EXIT), 0);
	c.exit_notif = s.notif;
	s.space = KT_FD(kt_control(KT_SLOT_ARG, PITH_OP_SPACE_CREATE, &c));
	s.thread = c.thread;
	s.code = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	KT_EQ(ks_map(&s, s.code, 0, KS_CODE, KT_PAGE, RX), 0);
	ks_run(&s, ks_leave, 5);
	KT_EQ(ks_status(&s), 5);
}

KT_CORE(space_made_by_component)
{
	int domain = kt_domain(KS_RAM, KS_CAPS);
	int args[1] = { domain };

	kt_run("make_space", args, 1);
	kt_domain_end(domain);
}
