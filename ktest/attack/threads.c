// SPDX-License-Identifier: BSD-2-Clause
/* Threads and their faults: registers, states, answers that are wrong. */
#include <string.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include "attack.h"
#include "space.h"

#define RW	(PITH_R_READ | PITH_R_WRITE)

KS_ASM(counter, "1: incq (%rdi)\n\tjmp 1b");
KS_ASM(store, "movq $1, (%rdi)\n\txor %edi, %edi" KS_EXIT_DI);
KS_ASM(flags_out, "pushf\n\tpopq (%rdi)\n\txor %edi, %edi" KS_EXIT_DI);
KS_ASM(irqs_off, "cli\n\txor %edi, %edi" KS_EXIT_DI);
/* BUFFER_SET with what is at rdi, then calls fd 0 for ever, counting. */
KS_ASM(caller, "mov %rdi, %rbx\n\tmov %rdi, %rdx\n\tmov $503, %eax\n\t"
	       "mov $-1, %rdi\n\tmov $2, %esi\n\tsyscall\n"
	       "1: mov $500, %eax\n\txor %edi, %edi\n\tmov $-1, %rsi\n\t"
	       "syscall\n\tincq 16(%rbx)\n\tjmp 1b");
_Static_assert(PITH_OP_BUFFER_SET == 2, "as in the code");

static const uint64_t no_address[] = { (1ull << 56) - KT_PAGE, 1ull << 56,
	1ull << 57, 1ull << 63, ~0ull, 0xffffffff81000000, 0xffff888000000000,
	0xfffffe0000000000 };

static long op(int fd, uint32_t which)
{
	return kt_control(fd, which, NULL);
}

static void await_change(volatile uint64_t *word)
{
	uint64_t from = *word, end = KT_SOON;

	while (*word == from && kt_now() < end)
		kt_sleep(100000);
	KT_TRUE(*word != from);
}

/* --- registers -------------------------------------------------------------- */

static void set_refused(struct ks *s, const struct pith_regs *r)
{
	struct pith_regs copy = *r;

	KT_EQ(kt_control(s->thread, PITH_OP_THREAD_SET_REGS, &copy), -EINVAL);
}

ATTACK(regs_kernel_addresses, "registers, starts and thread pointers in the kernel")
{
	struct pith_regs r, back;
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	for (unsigned int i = 0; i <= COUNT(no_address); i++) {
		uint64_t a = i < COUNT(no_address) ? no_address[i] :
						     attack_top(&s);

		r = (struct pith_regs){ .ip = a, .sp = KS_DATA };
		set_refused(&s, &r);
		r = (struct pith_regs){ .ip = KS_CODE, .sp = a };
		set_refused(&s, &r);
		r = (struct pith_regs){ .ip = KS_CODE, .sp = KS_DATA, .tls = a };
		set_refused(&s, &r);
	}
	KT_EQ(ks_regs(s.thread).ip, 0);
	ks_run(&s, ks_counter, KS_DATA);
	await_change(s.word);
	KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), 0);
	r = ks_regs(s.thread);
	for (unsigned int i = 0; i < COUNT(no_address); i++) {
		back = r;
		back.ip = no_address[i];
		set_refused(&s, &back);
		back = r;
		back.sp = no_address[i];
		set_refused(&s, &back);
		back = r;
		back.tls = no_address[i];
		set_refused(&s, &back);
	}
	back = ks_regs(s.thread);
	KT_TRUE(!memcmp(&r, &back, sizeof(r)));
	KT_EQ(op(s.thread, PITH_OP_THREAD_RESUME), 0);
	await_change(s.word);
	ks_end(&s);
}

/* Each flag alone and all: what runs then is still a user's program. */
ATTACK(regs_flags, "I/O privilege, interrupts off, nested tasks in the flags")
{
	const uint64_t user = 0x40dd5;	/* CF PF AF ZF SF TF DF OF AC */
	struct ks s;

	for (int bit = 0; bit <= 32; bit++) {
		struct pith_regs r;

		if (bit == 8)		/* TF stops it after one instruction */
			continue;
		ks_open_in(&s, A_OWN, NULL, 0);
		ks_load(&s, 0, ks_flags_out);
		r = ks_regs(s.thread);
		r.ip = KS_CODE;
		r.sp = KS_DATA + KT_PAGE;
		r.di = KS_DATA;
		r.flags = bit == 32 ? ~0x100ull : 1ull << bit;
		KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
		KT_EQ(op(s.thread, PITH_OP_THREAD_RESUME), 0);
		KT_EQ(ks_status(&s), 0);
		KT_TRUE(s.word[0] & 0x200);
		KT_EQ(s.word[0] & ~(user | 0x202), 0);
		ks_end(&s);
	}
	ks_open_in(&s, A_OWN, NULL, 0);
	ks_run(&s, ks_irqs_off, 0);
	ks_wait_fault(&s, PITH_FAULT_EXCEPTION, 0);
	KT_EQ(ks_fault().code, 13);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_end(&s);
}

ATTACK(regs_running, "read and set the registers of a thread that runs")
{
	struct pith_regs r = { .ip = KS_CODE, .sp = KS_DATA };
	uint64_t before;
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	ks_run(&s, ks_counter, KS_DATA);
	await_change(s.word);
	for (int i = 0; i < 2000; i++) {
		KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, &r), -EBUSY);
		KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), -EBUSY);
	}
	before = s.word[0];
	KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), 0);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, NULL), -EFAULT);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, NULL), -EFAULT);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS,
			 (void *)0xffffffff81000000), -EFAULT);
	KT_TRUE(s.word[0] >= before);
	KT_EQ(op(s.space, PITH_OP_SPACE_KILL), 0);
	KT_EQ(ks_status(&s), 128 + 9);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, &r), -EPIPE);
	KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), -EPIPE);
	KT_EQ(op(s.thread, PITH_OP_THREAD_RESUME), -EPIPE);
	KT_EQ(ks_start(s.thread, KS_CODE, 0), -EPIPE);
	ks_end(&s);
}

/* --- states ----------------------------------------------------------------- */

static volatile uint64_t over;

static void order_about(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;
	struct pith_regs r;
	struct ks *s = arg;

	while (!over) {
		switch (attack_random(&random) % 5) {
		case 0:
		case 1:
			op(s->thread, PITH_OP_THREAD_PAUSE);
			break;
		case 2:
			op(s->thread, PITH_OP_THREAD_RESUME);
			break;
		case 3:
			if (!kt_control(s->thread, PITH_OP_THREAD_GET_REGS, &r))
				kt_control(s->thread, PITH_OP_THREAD_SET_REGS,
					   &r);
			break;
		case 4:
			ks_thread_info(s->thread);
		}
	}
}

ATTACK(thread_ordered_about, "four threads pause, resume and set one thread")
{
	struct kt_thread t[4] = { 0 };
	struct ks s;

	over = 0;
	ks_open_in(&s, A_OWN, NULL, 0);
	ks_run(&s, ks_counter, KS_DATA);
	for (int i = 0; i < 4; i++)
		kt_thread_start(&t[i], order_about, &s);
	kt_sleep(KT_MS(400));
	over = 1;
	for (int i = 0; i < 4; i++)
		kt_thread_join(&t[i]);
	KT_EQ(op(s.thread, PITH_OP_THREAD_RESUME), 0);
	await_change(s.word);
	ks_end(&s);
}

/* What its registers say of who started it, and how often that was. */
KS_ASM(started, "lock incq 8(%rdi)\n\tmov %rsi, 16(%rdi)\n\t"
		"mov %rdx, 24(%rdi)\n\tmov %r15, 32(%rdi)\n\t"
		"mov %rsp, 40(%rdi)\n1: incq (%rdi)\n\tjmp 1b");

#define STARTERS	4
#define ROUNDS		200

struct starter {
	struct ks *s;
	uint64_t n;
	long set;		/* what SET_REGS said, this round */
	struct kt_thread t;
};

static volatile uint64_t round_no;
static uint64_t tried;

static void start_it(void *arg)
{
	struct starter *me = arg;
	struct pith_regs r = { .ip = KS_CODE, .di = KS_DATA, .si = me->n,
			       .dx = me->n, .r15 = me->n,
			       .sp = KS_DATA + KT_PAGE - 16 * me->n };

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		while (round_no < i)
			kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		me->set = kt_control(me->s->thread, PITH_OP_THREAD_SET_REGS,
				     &r);
		KT_TRUE(me->set == 0 || me->set == -EBUSY);
		if (!me->set)
			KT_EQ(op(me->s->thread, PITH_OP_THREAD_RESUME), 0);
		attack_count(&tried);
	}
}

/* It started once more, with all the registers of one who was told so. */
static void check_start(const struct ks *s, const struct starter *starter,
			uint64_t times)
{
	uint64_t n = s->word[2];

	KT_EQ(s->word[1], times);
	KT_NEED(n >= 1 && n <= STARTERS);
	KT_EQ(starter[n - 1].set, 0);
	KT_EQ(s->word[3], n);
	KT_EQ(s->word[4], n);
	KT_EQ(s->word[5], KS_DATA + KT_PAGE - 16 * n);
}

ATTACK(thread_start_raced, "four threads start one: it starts once, as one of them said")
{
	struct starter starter[STARTERS] = { 0 };
	struct ks s;

	round_no = tried = 0;
	ks_open_in(&s, A_OWN, NULL, 0);
	ks_load(&s, 0, ks_started);
	for (int i = 0; i < STARTERS; i++) {
		starter[i].s = &s;
		starter[i].n = i + 1;
		kt_thread_start(&starter[i].t, start_it, &starter[i]);
	}
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		round_no = i;
		kt_await_word(&tried, i * STARTERS);
		await_change(s.word);
		KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), 0);
		check_start(&s, starter, i);
	}
	for (int i = 0; i < STARTERS; i++)
		kt_thread_join(&starter[i].t);
	ks_end(&s);
}

ATTACK(thread_priority, "raise one's priority, take all CPUs, or leave them")
{
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	for (uint32_t p = 0; p < 100; p++)
		for (int nice = -20; nice < 20; nice += 13) {
			struct pith_sched a = { p, nice, p & 3 };

			KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SCHED, &a),
			      -EPERM);
		}
	KT_EQ(ks_thread_info(s.thread).priority, 0);
	ks_end(&s);
}

static void regs_until_it_ends(void *arg)
{
	struct ks *s = arg;
	struct pith_regs r;
	long err;

	do {
		err = kt_control(s->thread, PITH_OP_THREAD_GET_REGS, &r);
		if (!err)
			err = kt_control(s->thread, PITH_OP_THREAD_SET_REGS, &r);
	} while (!err);
	KT_EQ(err, -EPIPE);
}

/* Its kernel stack, where they are, goes before the thread does. */
ATTACK(regs_of_the_dying, "read and set the registers of a thread that is killed")
{
	for (int i = 0; i < 100; i++) {
		struct kt_thread t[2] = { 0 };
		struct ks s;

		ks_open_in(&s, A_OWN, NULL, 0);
		ks_run(&s, ks_counter, KS_DATA);
		KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), 0);
		kt_thread_start(&t[0], regs_until_it_ends, &s);
		kt_thread_start(&t[1], regs_until_it_ends, &s);
		kt_sleep(200000 + i * 10000);
		KT_EQ(op(s.space, PITH_OP_SPACE_KILL), 0);
		kt_thread_join(&t[0]);
		kt_thread_join(&t[1]);
		KT_EQ(ks_status(&s), 128 + 9);
		ks_end(&s);
	}
}

/* A caller that stands still, or is ordered about, holds up nobody else. */
ATTACK(thread_paused_caller, "pause a thread again and again while it calls")
{
	int mem = KT_FD(kt_mem_create(-1, 2 * KT_PAGE, 0));
	int caps[2] = { A_VICTIM, mem };
	struct kt_thread t[2] = { 0 };
	uint64_t seen;
	struct ks s;

	over = 0;
	ks_open_in(&s, A_OWN, caps, 2);
	*(struct pith_buffer *)s.word = (struct pith_buffer){ .mem = 1 };
	s.word[2] = 0;
	ks_run(&s, ks_caller, KS_DATA);
	await_change(&s.word[2]);
	kt_thread_start(&t[0], order_about, &s);
	kt_thread_start(&t[1], order_about, &s);
	for (int i = 0; i < 50; i++)
		attack_victim_answers();
	over = 1;
	kt_thread_join(&t[0]);
	kt_thread_join(&t[1]);
	KT_EQ(op(s.thread, PITH_OP_THREAD_PAUSE), 0);
	seen = s.word[2];
	for (int i = 0; i < 20; i++)
		attack_victim_answers();
	KT_EQ(s.word[2], seen);
	ks_end(&s);
	kt_close(mem);
}

/* --- answers to faults ------------------------------------------------------ */

static void fault(struct ks *s)
{
	ks_run(s, ks_store, KS_AT);
	ks_wait_fault(s, PITH_FAULT_WRITE, KS_AT);
}

ATTACK(fault_answered_twice, "answer a fault again, with an object and without")
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0)), reply;
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	fault(&s);
	KT_EQ(kt_reply(s.ep, 0), 0);
	KT_EQ(kt_reply(s.ep, 1), -EINVAL);
	KT_EQ(kt_reply(s.ep, 0), -EINVAL);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	reply = KT_FD(op(s.ep, PITH_OP_EP_SAVE_REPLY));
	KT_EQ(op(s.ep, PITH_OP_EP_SAVE_REPLY), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW), 0);
	kt_prepare(0);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), 0);
	kt_prepare(1);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), -EPIPE);
	KT_EQ(ks_status(&s), 0);
	kt_close(reply);
	kt_close(mem);
	ks_end(&s);
}

ATTACK(fault_answered_with_caps, "answer a fault with payload and capabilities")
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	fault(&s);
	for (int i = 0; i < 30; i++) {
		memset(kt_data, 0xff, PITH_MSG_BYTES);
		kt_prepare(0);
		kt_msg->len = PITH_MSG_BYTES;
		kt_msg->ncaps = PITH_MSG_CAPS;
		for (int k = 0; k < PITH_MSG_CAPS; k++)
			kt_msg->caps[k] = mem;
		KT_EQ(kt_reply_wait(s.ep, PITH_REPLY, 0), 0);
		ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT);
	}
	KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, RW), 0);
	ks_answer(&s, 0);
	KT_EQ(ks_status(&s), 0);
	kt_close(mem);
	ks_end(&s);
}

ATTACK(fault_answers_crossed, "two spaces' faults, answered in the other order")
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0)), reply[2];
	struct ks s[2];

	for (int i = 0; i < 2; i++) {
		ks_open_in(&s[i], A_OWN, NULL, 0);
		fault(&s[i]);
		reply[i] = KT_FD(op(s[i].ep, PITH_OP_EP_SAVE_REPLY));
	}
	/* "go on" to the one where nothing was mapped, death to the other */
	KT_EQ(ks_map(&s[0], mem, 0, KS_AT, KT_PAGE, RW), 0);
	kt_prepare(0);
	KT_EQ(kt_reply_wait(reply[1], PITH_REPLY, 0), 0);
	kt_prepare(1);
	KT_EQ(kt_reply_wait(reply[0], PITH_REPLY, 0), 0);
	KT_EQ(ks_status(&s[0]), 128 + 11);
	ks_wait_fault(&s[1], PITH_FAULT_WRITE, KS_AT);
	ks_answer(&s[1], 1);
	KT_EQ(ks_status(&s[1]), 128 + 11);
	for (int i = 0; i < 2; i++) {
		kt_close(reply[i]);
		ks_end(&s[i]);
	}
	kt_close(mem);
}

ATTACK(fault_handler_gone, "drop, revoke and close what a fault waits at")
{
	struct pith_revoke all = { 0 };
	struct ks s;
	int reply;

	for (int how = 0; how < 4; how++) {
		int n = KT_FD(kt_ep_create());

		ks_open_in(&s, A_OWN, NULL, 0);
		fault(&s);
		KT_EQ(kt_bind(s.notif, n, KS_EXIT), 0);
		if (how == 0) {			/* wait for something else */
			KT_EQ(kt_wait(s.ep, 0), -ETIMEDOUT);
		} else if (how == 1) {
			reply = KT_FD(op(s.ep, PITH_OP_EP_SAVE_REPLY));
			kt_close(reply);
		} else if (how == 2) {
			/* received already: still to be answered, which
			 * any wait of ours would give up */
			KT_EQ(kt_control(s.ep, PITH_OP_REVOKE, &all), 0);
			kt_sleep(KT_MS(5));
			KT_EQ(ks_info(&s).exited, 0);
			op(s.space, PITH_OP_SPACE_KILL);
		} else {
			ks_answer(&s, 0);
			kt_sleep(KT_MS(5));	/* in the queue again */
			KT_EQ(kt_control(s.ep, PITH_OP_REVOKE, &all), 0);
		}
		KT_TRUE(kt_wait_note(n, KS_EXIT, 1));
		KT_EQ(ks_info(&s).status, how == 2 ? 128 + 9 : 128 + 11);
		ks_end(&s);
		kt_close(n);
	}
}

/* The handler's answer never helps. */
ATTACK(fault_for_ever, "a fault that is answered ten thousand times in vain")
{
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	fault(&s);
	for (int i = 0; i < 10000; i++) {
		kt_prepare(0);
		if (kt_reply_wait(s.ep, PITH_REPLY | PITH_WAIT, KT_SOON) !=
		    PITH_GOT_CALL)
			break;
	}
	KT_TRUE(ks_thread_info(s.thread).faults > 10000);
	attack_victim_answers();
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_end(&s);
}

/* Each space's faults go to an endpoint that only the other could serve. */
ATTACK(fault_ring, "two spaces wait for each other's answer; both can be killed")
{
	struct ks a, b;

	ks_open_in(&a, A_OWN, NULL, 0);
	ks_open_in(&b, A_OWN, NULL, 0);
	KT_EQ(ks_fault_ep(a.space, PITH_OP_SPACE_FAULT_EP, b.ep), 0);
	KT_EQ(ks_fault_ep(b.space, PITH_OP_SPACE_FAULT_EP, a.ep), 0);
	ks_run(&a, ks_store, KS_AT);
	ks_run(&b, ks_store, KS_AT);
	for (int i = 0; i < 200 && (ks_thread_info(a.thread).state !=
				    PITH_THREAD_FAULTED ||
				    ks_thread_info(b.thread).state !=
				    PITH_THREAD_FAULTED); i++)
		kt_sleep(KT_MS(5));
	KT_EQ(op(a.thread, PITH_OP_THREAD_PAUSE), 0);
	KT_EQ(op(a.space, PITH_OP_SPACE_KILL), 0);
	KT_EQ(ks_thread_info(b.thread).state, PITH_THREAD_FAULTED);
	KT_EQ(op(b.space, PITH_OP_SPACE_KILL), 0);
	for (int i = 0; i < 200 && kt_domain_info(A_OWN).processes; i++)
		kt_sleep(KT_MS(5));
	KT_EQ(ks_info(&a).status, 128 + 9);
	KT_EQ(ks_info(&b).status, 128 + 9);
	ks_end(&a);
	ks_end(&b);
}

/* --- domains and the rest --------------------------------------------------- */

ATTACK(budget_edges, "CPU budgets that are no budgets, and somebody else's")
{
	static const uint64_t budgets[] = { 1, 99999, 64000000001, 1ull << 63,
		~0ull };
	static const uint64_t periods[] = { 0, 1, 999999, 1000000001,
		1ull << 63, ~0ull };
	struct pith_cpu_budget b;
	struct ks s;

	for (unsigned int i = 0; i < COUNT(budgets); i++) {
		b = (struct pith_cpu_budget){ budgets[i], 1000000 };
		KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_CPU, &b), -EINVAL);
	}
	for (unsigned int i = 0; i < COUNT(periods); i++) {
		b = (struct pith_cpu_budget){ 100000, periods[i] };
		KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_CPU, &b), -EINVAL);
	}
	b = (struct pith_cpu_budget){ 100000, 1000000 };
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_CPU, &b), -EPERM);
	b = (struct pith_cpu_budget){ 0, ~0ull };
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_CPU, &b), -EPERM);
	KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_CPU, &b), 0);
	/* the longest overrun that can be asked for, then none at all */
	b = (struct pith_cpu_budget){ 100000, 1000000000 };
	ks_open_in(&s, A_OWN, NULL, 0);
	KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_CPU, &b), 0);
	ks_run(&s, ks_counter, KS_DATA);
	kt_sleep(KT_MS(50));
	b.budget = 0;
	KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_CPU, &b), 0);
	ks_end(&s);		/* killed while it waits for its period */
}

ATTACK(hardware_without, "hardware operations on everything but the hardware")
{
	uint8_t arg[512];

	for (uint32_t which = PITH_OP_HW_INFO; which <= PITH_OP_HW_PANIC_READ;
	     which++)
		for (int fd = -1; fd < A_SLOTS + 4; fd++) {
			memset(arg, 0, sizeof(arg));
			KT_EQ(kt_control(fd, which, arg), -EBADF);
		}
	KT_EQ(kt_control(-1, PITH_OP_BOOTSTRAP, arg), -EPERM);
}

static uint32_t *word;

static void futex_at_shared(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;

	(void)arg;
	while (!over) {
		struct timespec ts = { 0, attack_random(&random) % 100000 };
		uint64_t n = attack_random(&random);
		long err;

		if (n % 3)
			err = kt_syscall(SYS_futex, (long)word, FUTEX_WAIT,
					 *word, (long)&ts, 0, 0);
		else
			err = kt_syscall(SYS_futex, (long)word, n & 8 ?
					 FUTEX_WAKE : FUTEX_REQUEUE, 8, 8,
					 (long)(word + 4), 0);
		KT_EQ(err, -EFAULT);
		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	}
}

static void futex_shared_part(void)
{
	struct kt_thread t[3] = { 0 };

	over = 0;
	word = kt_map(A_SHARED, 0, KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(word));
	for (int i = 0; i < 3; i++)
		kt_thread_start(&t[i], futex_at_shared, NULL);
	kt_sleep(KT_MS(300));
	over = 1;
	for (int i = 0; i < 3; i++)
		kt_thread_join(&t[i]);
}

KT_ROLE(futex_across_with)
{
	futex_shared_part();
}

ATTACK_WITH(futex_across, "wait and wake at memory that two components share")
{
	futex_shared_part();
}
