// SPDX-License-Identifier: BSD-2-Clause
/*
 * Faults and exceptions as messages: pagers, managed dataspaces, nested ones,
 * and what happens if somebody dies meanwhile.
 */
#include <string.h>
#include <sys/syscall.h>
#include "space.h"

#define RW	(PITH_R_READ | PITH_R_WRITE)
#define RX	(PITH_R_READ | PITH_R_EXEC)

/* --- pagers -------------------------------------------------------------------- */

/* A dataspace of many pages, each mapped when it is touched. */
KT_CORE(fault_pages_on_demand)
{
	int mem = KT_FD(kt_mem_create(-1, KS_PAGES * KT_PAGE, 0));
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_touch_all, KS_AT);
	for (int i = 0; i < KS_PAGES; i++) {
		uint64_t at = KS_AT + i * KT_PAGE;

		if (!ks_wait_fault(&s, PITH_FAULT_WRITE, at))
			break;
		KT_EQ(ks_fault().thread, kt_object(s.thread));
		KT_TRUE(ks_fault().ip >= KS_CODE &&
			ks_fault().ip < KS_CODE + KS_PIECE);
		KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_FAULTED);
		/* in another order than in memory */
		KT_EQ(ks_map(&s, mem, (KS_PAGES - 1 - i) * KT_PAGE, at, KT_PAGE,
			     RW), 0);
		ks_answer(&s, 0);
	}
	KT_EQ(ks_status(&s), 0);
	KT_EQ(s.word[0], KS_PAGES * (KS_PAGES + 1) / 2);
	KT_EQ(ks_thread_info(s.thread).faults, KS_PAGES);
	ks_close(&s);
	kt_close(mem);
}

/* An answer that has mapped nothing is no answer: it comes again. */
KT_CORE(fault_comes_again)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_read_byte, KS_AT + 5);
	for (int i = 0; i < 10; i++) {
		ks_wait_fault(&s, PITH_FAULT_READ, KS_AT + 5);
		ks_answer(&s, 0);
	}
	ks_wait_fault(&s, PITH_FAULT_READ, KS_AT + 5);
	s.word[0] = 0x77ull << 40;
	KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE, PITH_R_READ), 0);
	ks_answer(&s, 0);
	KT_EQ(ks_status(&s), 0x77);
	ks_close(&s);
}

KT_CORE(fault_refused)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_read_byte, 16);
	ks_wait_fault(&s, PITH_FAULT_READ, 16);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_close(&s);
}

/* No fault endpoint, no message. */
KT_CORE(fault_nowhere)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, -1), 0);
	ks_run(&s, ks_read_byte, 16);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_close(&s);
}

/* A thread's own endpoint comes before that of its space. */
KT_CORE(fault_of_thread)
{
	int ep = KT_FD(kt_ep_create());
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_fault_ep(s.thread, PITH_OP_THREAD_FAULT_EP, ep), 0);
	ks_run(&s, ks_read_byte, 16);
	kt_wait_call(ep);
	KT_EQ(ks_fault().address, 16);
	KT_EQ(ks_fault_ep(s.thread, PITH_OP_THREAD_FAULT_EP, -1), 0);
	KT_EQ(kt_reply(ep, 0), 0);
	ks_wait_fault(&s, PITH_FAULT_READ, 16);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_close(&s);
	kt_close(ep);
}

KT_CORE(fault_ep_args)
{
	struct pith_fd_arg arg = { 4000, 0 };
	struct ks s;

	ks_open(&s, NULL, 0);
	for (int i = 0; i < 2; i++) {
		int fd = i ? s.thread : s.space;
		uint32_t op = i ? PITH_OP_THREAD_FAULT_EP :
				  PITH_OP_SPACE_FAULT_EP;

		arg = (struct pith_fd_arg){ 4000, 0 };
		KT_EQ(kt_control(fd, op, &arg), -EBADF);
		arg.fd = s.notif;
		KT_EQ(kt_control(fd, op, &arg), -EBADF);
		arg = (struct pith_fd_arg){ s.ep, 1 };
		KT_EQ(kt_control(fd, op, &arg), -EINVAL);
		KT_EQ(kt_control(fd, op, NULL), -EFAULT);
	}
	ks_close(&s);
}

/* A ROM: what is written faults, whatever the pager does with the capability. */
KT_CORE(fault_read_only)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int rom = KT_FD(kt_mint(mem, PITH_R_READ));
	uint64_t *p = kt_map(mem, 0, KT_PAGE, KT_R);
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, rom, 0, KS_AT, KT_PAGE, PITH_R_READ), 0);
	ks_run(&s, ks_write_one, KS_AT);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	KT_EQ(ks_map(&s, rom, 0, KS_AT, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_map(&s, rom, 0, KS_AT, KT_PAGE, PITH_R_READ), 0);
	ks_answer(&s, 0);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(*p, 0);
	/* only another capability makes it writable */
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW), 0);
	ks_answer(&s, 0);
	KT_EQ(ks_status(&s), 11);
	KT_EQ(*p, 1);
	ks_close(&s);
	kt_unmap(p, KT_PAGE);
	kt_close(rom);
	kt_close(mem);
}

KT_CORE(fault_no_execute)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	uint8_t *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	struct ks s;

	memcpy(p, ks_leave_44, KS_PIECE);
	ks_open(&s, NULL, 0);
	ks_run(&s, ks_jump, KS_AT);
	ks_wait_fault(&s, PITH_FAULT_EXEC, KS_AT);
	KT_EQ(ks_fault().ip, KS_AT);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW), 0);
	ks_answer(&s, 0);
	ks_wait_fault(&s, PITH_FAULT_EXEC, KS_AT);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RX), -EPERM);
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RX), 0);
	ks_answer(&s, 0);
	KT_EQ(ks_status(&s), 44);
	ks_close(&s);
	kt_unmap(p, KT_PAGE);
	kt_close(mem);
}

/* --- nested: a pager whose own memory is managed -------------------------------- */

#define DEPTH	3

/*
 * Space 0 faults to pager 1, which faults to pager 2 while it serves that, and so
 * on; the last faults to core. A pager holds: its buffer, its endpoint, the space
 * it serves, the memory it maps there.
 */
struct nest {
	struct ks s[DEPTH];
	int ep[DEPTH];
	int buf[DEPTH];
	int mem[DEPTH];		/* what pager i maps into space i - 1 */
};

#define BUFFER_AT	0x40000000ull

static void nest_pager(struct nest *n, int i)
{
	int caps[4] = { n->buf[i], n->ep[i], n->s[i - 1].space, n->mem[i] };
	struct ks *s = &n->s[i];

	ks_open(s, caps, 4);
	*(struct pith_buffer *)s->word = (struct pith_buffer){ 0, 0, 0 };
	s->word[2] = KS_AT;
	*(struct pith_map *)(s->word + 3) =
		(struct pith_map){ 3, RW, KS_AT, 0, KT_PAGE };
	s->word[8] = BUFFER_AT;
	KT_EQ(ks_map(s, n->buf[i], 0, BUFFER_AT, PITH_BUFFER_SIZE, RW), 0);
	ks_run(s, ks_pager, KS_DATA);
	/* it serves what is below */
	KT_EQ(ks_fault_ep(n->s[i - 1].space, PITH_OP_SPACE_FAULT_EP, n->ep[i]),
	      0);
}

static void nest_open(struct nest *n)
{
	ks_open(&n->s[0], NULL, 0);
	for (int i = 1; i < DEPTH; i++) {
		n->ep[i] = KT_FD(kt_ep_create());
		n->buf[i] = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));
		n->mem[i] = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
		nest_pager(n, i);
	}
}

static void nest_close(struct nest *n)
{
	for (int i = DEPTH - 1; i >= 0; i--) {
		ks_close(&n->s[i]);
		if (!i)
			break;
		kt_close(n->ep[i]);
		kt_close(n->buf[i]);
		kt_close(n->mem[i]);
	}
}

KT_CORE(fault_nested)
{
	struct nest n;
	struct ks *last = &n.s[DEPTH - 1];

	nest_open(&n);
	ks_run(&n.s[0], ks_write_one, KS_AT);
	/* each pager in between has met a fault of its own by then */
	ks_wait_fault(last, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(ks_thread_info(n.s[0].thread).state, PITH_THREAD_FAULTED);
	KT_EQ(ks_map(last, last->data, 0, KS_AT, KT_PAGE, RW), 0);
	ks_answer(last, 0);
	KT_EQ(ks_status(&n.s[0]), 11);
	nest_close(&n);
}

/* The pager in the middle goes: whoever waits for it is told, and killed. */
KT_CORE(fault_nested_pager_killed)
{
	struct nest n;
	struct ks *last = &n.s[DEPTH - 1];

	nest_open(&n);
	ks_run(&n.s[0], ks_write_one, KS_AT);
	ks_wait_fault(last, PITH_FAULT_WRITE, KS_AT);
	for (int i = 1; i < DEPTH; i++) {
		kt_close(n.ep[i]);
		n.ep[i] = -1;
	}
	KT_EQ(kt_control(n.s[1].space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_status(&n.s[0]), 128 + 11);
	/* waiting for that has dropped the fault that core owed an answer to */
	KT_EQ(ks_status(last), 128 + 11);
	nest_close(&n);
}

/* --- a fault of a thread that owes a reply ------------------------------------------ */

static void caller(void *arg)
{
	KT_EQ(kt_call_label(*(int *)arg, 5, KT_SOON), 0);
}

KT_CORE(fault_while_serving)
{
	int ep = KT_FD(kt_ep_create());
	int caps[2] = { KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0)), ep };
	struct kt_thread t;
	struct ks s;

	ks_open(&s, caps, 2);
	*(struct pith_buffer *)s.word = (struct pith_buffer){ 0, 0, 0 };
	s.word[2] = KS_AT;
	ks_run(&s, ks_serve, KS_DATA);
	kt_thread_start(&t, caller, &ep);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(t.done, 0);
	KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE, RW), 0);
	/* a long reply with capabilities: nobody has asked for that */
	kt_msg->label = 0;
	kt_msg->len = PITH_MSG_BYTES;
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = s.data;
	memset(kt_data, 0xee, PITH_MSG_BYTES);
	KT_EQ(kt_reply_wait(s.ep, PITH_REPLY, 0), 0);
	kt_thread_join(&t);
	KT_EQ(ks_status(&s), 0);
	KT_EQ(ks_thread_info(s.thread).receives, 1);
	KT_EQ(ks_thread_info(s.thread).faults, 1);
	ks_close(&s);
	kt_close(caps[0]);
	kt_close(ep);
}

/* --- exceptions --------------------------------------------------------------------- */

/*
 * @number is the processor's, @skip as long as the instruction, or 0 where that
 * was done; what follows it makes the exit status 1.
 */
static void exception(const uint8_t *code, uint32_t number, uint64_t skip,
		      int fatal)
{
	struct pith_regs r;
	struct ks s;

	for (int answer = 0; answer < 2; answer++) {
		ks_open(&s, NULL, 0);
		ks_run(&s, code, 0);
		ks_wait_fault(&s, PITH_FAULT_EXCEPTION, 0);
		KT_EQ(ks_fault().code, number);
		r = ks_regs(s.thread);
		KT_EQ(r.ip, ks_fault().ip);
		r.ip += skip;
		KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
		ks_answer(&s, answer);
		KT_EQ(ks_status(&s), answer ? 128 + fatal : 1);
		ks_close(&s);
	}
}

KT_CORE(exception_undefined)
{
	exception(ks_undefined, KT_UNDEFINED, KT_UNDEFINED_SIZE, 4);
}

KT_CORE(exception_breakpoint)
{
	exception(ks_breakpoint, KT_BREAKPOINT, KT_BREAKPOINT_SIZE, 5);
}

KT_CORE(exception_privileged)
{
	exception(ks_privileged, KT_PRIVILEGED, KT_PRIVILEGED_SIZE,
		  KT_PRIVILEGED_SIGNAL);
}

/* Each is told as what it is, after others too. */
KT_CORE(exception_after_fault)
{
	struct pith_regs r;
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_load(&s, KS_PIECE, ks_breakpoint);
	ks_run(&s, ks_jump, KS_AT);
	ks_wait_fault(&s, PITH_FAULT_EXEC, KS_AT);
	KT_EQ(ks_map(&s, s.code, 0, KS_AT, KT_PAGE, RX), 0);
	r = ks_regs(s.thread);
	r.ip = KS_AT + KS_PIECE;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	ks_answer(&s, 0);
	ks_wait_fault(&s, PITH_FAULT_EXCEPTION, 0);
	KT_EQ(ks_fault().code, KT_BREAKPOINT);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 5);
	ks_close(&s);
}

/* Paused while it waits for the answer: it goes on when both are over. */
KT_CORE(fault_and_pause)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_write_one, KS_AT);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_PAUSE, NULL), 0);
	KT_EQ(ks_map(&s, s.data, 0, KS_AT, KT_PAGE, RW), 0);
	ks_answer(&s, 0);
	KT_EQ(kt_wait(s.ep, KT_NOT_SOON), -ETIMEDOUT);
	KT_EQ(s.word[0], 0);
	KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_PAUSED);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_RESUME, NULL), 0);
	KT_EQ(ks_status(&s), 11);
	KT_EQ(s.word[0], 1);
	ks_close(&s);
}

/* --- deaths -------------------------------------------------------------------------- */

KT_CORE(fault_space_killed)
{
	struct ks s;

	/* while the pager has the fault, and while it is in the queue */
	for (int queued = 0; queued < 2; queued++) {
		ks_open(&s, NULL, 0);
		ks_run(&s, ks_read_byte, 16);
		if (queued)
			kt_sleep(KT_MS(20));
		else
			ks_wait_fault(&s, PITH_FAULT_READ, 16);
		KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
		while (!ks_info(&s).exited)
			kt_sleep(KT_MS(1));
		if (!queued) {
			kt_prepare(0);
			KT_EQ(kt_reply_wait(s.ep, PITH_REPLY, 0),
			      PITH_CALLER_GONE);
		}
		KT_EQ(ks_status(&s), 128 + 9);
		ks_close(&s);
	}
}

KT_CORE(fault_pager_dies)
{
	int ep;
	struct ks s;

	/* closed while the fault waits; closed before it comes */
	for (int before = 0; before < 2; before++) {
		ks_open(&s, NULL, 0);
		ep = KT_FD(kt_ep_create());
		KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, ep), 0);
		if (before)
			kt_close(ep);
		ks_run(&s, ks_read_byte, 16);
		if (!before) {
			kt_sleep(KT_MS(20));
			kt_close(ep);
		}
		KT_EQ(ks_status(&s), 128 + 11);
		ks_close(&s);
	}
}

/* Many spaces that fault at once, all killed in the middle of it. */
KT_CORE(fault_storm)
{
	enum { SPACES = 8 };
	struct ks s[SPACES];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SPACES; i++) {
			ks_open(&s[i], NULL, 0);
			KT_EQ(ks_fault_ep(s[i].space, PITH_OP_SPACE_FAULT_EP,
					  s[0].ep), 0);
			ks_run(&s[i], ks_read_byte, 16);
		}
		for (int i = 0; i < 200; i++) {
			if (!kt_wait_call(s[0].ep))
				break;
			KT_EQ(kt_reply(s[0].ep, 0), 0);
		}
		for (int i = SPACES - 1; i >= 0; i--)
			ks_close(&s[i]);
	}
}

/* --- threads that made no call yet --------------------------------------------- */

enum { F_GO, F_READY };		/* words of the report */

/* Until there is nothing left for any object. */
static void spend_all(void)
{
	for (uint64_t size = 4u << 20; size >= KT_PAGE; size /= 2)
		while (kt_mem_create(-1, size, 0) >= 0)
			;
	while (kt_notif_create() >= 0)
		;
}

static void crash_when_told(void *arg)
{
	(void)arg;
	kt_await_word(&kt_report->shared[F_GO], 1);
	kt_crash();
}

static void crash_in_new_thread(bool poor)
{
	struct kt_thread t = { .no_buffer = true };

	kt_thread_start(&t, crash_when_told, NULL);
	if (poor)
		spend_all();
	kt_report->shared[F_READY] = 1;
	kt_thread_join(&t);
}

KT_ROLE(fault_poor)
{
	crash_in_new_thread(true);
}

KT_ROLE(fault_rich)
{
	crash_in_new_thread(false);
}

/* Of a component whose faults go to @ep, -1: nowhere. */
static void expect_deadly(const char *role, int ep)
{
	struct kt_child c = kt_start(role, NULL, 0);

	kt_await_word(&kt_report->shared[F_READY], 1);
	KT_EQ(ks_fault_ep(c.space, PITH_OP_SPACE_FAULT_EP, ep), 0);
	kt_report->shared[F_GO] = 1;
	KT_EQ(kt_finish(&c), 128 + 11);
}

KT_CORE(fault_of_unknown_thread)
{
	expect_deadly("fault_rich", -1);
}

/* To make it known, so that it can send a message, takes memory. */
KT_CORE(fault_unpaid)
{
	int ep = KT_FD(kt_ep_create());

	expect_deadly("fault_poor", ep);
	kt_wait_nothing(ep);
	kt_close(ep);
}

/* The same with enough of it is a message. */
KT_CORE(fault_paid)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child c;

	c = kt_start("fault_rich", NULL, 0);
	kt_await_word(&kt_report->shared[F_READY], 1);
	KT_EQ(ks_fault_ep(c.space, PITH_OP_SPACE_FAULT_EP, ep), 0);
	kt_report->shared[F_GO] = 1;
	if (kt_wait_call(ep)) {
		KT_EQ(kt_msg->label, PITH_FAULT);
		KT_EQ(kt_reply(ep, 1), 0);
	}
	KT_EQ(kt_finish(&c), 128 + 11);
	kt_close(ep);
}
