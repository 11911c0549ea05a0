// SPDX-License-Identifier: BSD-2-Clause
/* Threads of a space: start, pause, registers, information. */
#include <string.h>
#include <sys/syscall.h>
#include "space.h"

KS_ASM(count, "1: incq (%rdi)\n\tjmp 1b");
KS_ASM(leave, KS_EXIT_DI);
/* Counts, and makes a system call each time round. */
KS_ASM(count_calls, "mov %rdi, %rbx\n"
		    "1: incq (%rbx)\n\tmov $24, %eax\n\tsyscall\n\tjmp 1b");
/* All registers but rdi, which is where, and rsp, to the data page. */
KS_ASM(dump, "mov %rax, 0(%rdi)\n\tmov %rbx, 8(%rdi)\n\tmov %rcx, 16(%rdi)\n\t"
	     "mov %rdx, 24(%rdi)\n\tmov %rsi, 32(%rdi)\n\tmov %rbp, 40(%rdi)\n\t"
	     "mov %r8, 48(%rdi)\n\tmov %r9, 56(%rdi)\n\tmov %r10, 64(%rdi)\n\t"
	     "mov %r11, 72(%rdi)\n\tmov %r12, 80(%rdi)\n\tmov %r13, 88(%rdi)\n\t"
	     "mov %r14, 96(%rdi)\n\tmov %r15, 104(%rdi)\n\tmov %rsp, 112(%rdi)\n\t"
	     "pushf\n\tpop 120(%rdi)\n\tmov %fs:0, %rax\n\tmov %rax, 128(%rdi)\n\t"
	     "stmxcsr 136(%rdi)\n\t"
	     "xor %edi, %edi" KS_EXIT_DI);
/* BUFFER_SET of fd 1, call(fd 0), exit(0); the arguments are at rdi. */
KS_ASM(call, "mov %rdi, %rdx\n\tmov $503, %eax\n\tmov $-1, %rdi\n\t"
	     "mov $2, %esi\n\tsyscall\n\t"
	     "mov $500, %eax\n\txor %edi, %edi\n\tmov $-1, %rsi\n\tsyscall\n\t"
	     "mov %eax, %edi" KS_EXIT_DI);
/* PAUSE of fd 0, 1,000 times. */
KS_ASM(pause_1000, "mov $1000, %ebx\n1: mov $503, %eax\n\txor %edi, %edi\n\t"
		  "mov $26, %esi\n\txor %edx, %edx\n\tsyscall\n\t"
		  "mov %eax, %edi\n\ttest %eax, %eax\n\tjnz 2f\n\t"
		  "dec %ebx\n\tjnz 1b\n2:" KS_EXIT_DI);
_Static_assert(PITH_OP_THREAD_PAUSE == 26, "as in the code");
_Static_assert(PITH_OP_BUFFER_SET == 2, "as in the code");

static void pause(int thread)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_PAUSE, NULL), 0);
}

static void resume(int thread)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_RESUME, NULL), 0);
}

static void await_change(volatile uint64_t *word, uint64_t from)
{
	uint64_t end = KT_SOON;

	while (*word == from && kt_now() < end)
		kt_sleep(KT_MS(1));
	KT_TRUE(*word != from);
}

/* A paused thread makes no step, from the return of PAUSE on. */
static void pause_and_resume(const uint8_t *code)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, code, KS_DATA);
	for (int i = 0; i < 20; i++) {
		uint64_t seen;

		await_change(&s.word[0], s.word[0]);
		pause(s.thread);
		seen = s.word[0];
		KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_PAUSED);
		kt_sleep(KT_MS(3));
		KT_EQ(s.word[0], seen);
		if (i % 2)	/* a flag, not a counter */
			pause(s.thread);
		resume(s.thread);
		await_change(&s.word[0], seen);
	}
	resume(s.thread);	/* runs anyway */
	ks_close(&s);
}

KT_CORE(thread_pause_spinning)
{
	pause_and_resume(ks_count);
}

KT_CORE(thread_pause_calling)
{
	pause_and_resume(ks_count_calls);
}

KT_CORE(thread_born_paused)
{
	struct pith_regs r = { .ip = KS_CODE, .sp = KS_DATA + KT_PAGE,
			       .di = KS_DATA };
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_load(&s, 0, ks_count);
	KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_PAUSED);
	KT_EQ(ks_regs(s.thread).ip, 0);
	pause(s.thread);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	kt_sleep(KT_MS(20));
	KT_EQ(s.word[0], 0);
	KT_EQ(ks_regs(s.thread).ip, KS_CODE);
	resume(s.thread);
	await_change(&s.word[0], 0);
	ks_close(&s);
}

KT_CORE(thread_killed_while_paused)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_count, KS_DATA);
	await_change(&s.word[0], 0);
	pause(s.thread);
	KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
	KT_EQ(ks_status(&s), 128 + 9);
	ks_close(&s);
}

/* A call goes on while its caller is paused, which only does not return. */
KT_CORE(thread_pause_in_call)
{
	int ep = KT_FD(kt_ep_create());
	int caps[2] = { KT_FD(kt_mint_badge(ep, 9)),
			KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0)) };
	struct ks s;

	ks_open(&s, caps, 2);
	*(struct pith_buffer *)s.word = (struct pith_buffer){ 1, 0, 0 };
	ks_run(&s, ks_call, KS_DATA);
	kt_wait_call(ep);
	KT_EQ(kt_msg->badge, 9);
	KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_WAITING);
	KT_EQ(ks_thread_info(s.thread).calls, 1);
	pause(s.thread);
	KT_EQ(kt_reply(ep, 0), 0);
	KT_EQ(kt_wait(s.ep, KT_NOT_SOON), -ETIMEDOUT);
	KT_TRUE(ks_regs(s.thread).ip > KS_CODE);
	KT_TRUE(ks_regs(s.thread).ip < KS_CODE + KS_PIECE);
	resume(s.thread);
	KT_EQ(ks_status(&s), 0);
	KT_EQ(ks_thread_info(s.thread).calls, 1);
	ks_close(&s);
	kt_close(caps[0]);
	kt_close(caps[1]);
	kt_close(ep);
}

/*
 * PAUSE has nothing to wait for when somebody resumes the thread meanwhile: it
 * looks once or twice. If it waited on, it would look until something else takes
 * the thread's CPU away, which shows where there are CPUs for all three.
 */
KT_CORE(thread_resumed_in_pause)
{
	struct ks s, by;
	int cap;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_count, KS_DATA);
	await_change(&s.word[0], 0);
	cap = KT_FD(kt_mint(s.thread, PITH_R_MANAGE));
	ks_open(&by, &cap, 1);
	ks_run(&by, ks_pause_1000, 0);
	while (ks_thread_info(by.thread).state != PITH_THREAD_ENDED)
		resume(s.thread);
	KT_EQ(ks_status(&by), 0);
	KT_TRUE(ks_thread_info(by.thread).switches <= 2 * 1000);
	kt_close(cap);
	ks_close(&by);
	ks_close(&s);
}

/* Hammer on a thread from two sides while it is killed. */
static void pauser(void *arg)
{
	int thread = *(int *)arg;

	for (int i = 0; i < 300; i++) {
		kt_control(thread, PITH_OP_THREAD_PAUSE, NULL);
		kt_control(thread, PITH_OP_THREAD_RESUME, NULL);
	}
}

KT_CORE(thread_pause_storm)
{
	struct kt_thread t[2];
	struct ks s;

	for (int i = 0; i < 5; i++) {
		ks_open(&s, NULL, 0);
		ks_run(&s, i % 2 ? ks_count : ks_count_calls, KS_DATA);
		await_change(&s.word[0], 0);
		kt_thread_start(&t[0], pauser, &s.thread);
		kt_thread_start(&t[1], pauser, &s.thread);
		kt_sleep(KT_MS(20));
		if (i)
			KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
		kt_thread_join(&t[0]);
		kt_thread_join(&t[1]);
		if (!i) {
			uint64_t seen = s.word[0];

			resume(s.thread);
			await_change(&s.word[0], seen);
		}
		ks_close(&s);
	}
}

/* --- registers ------------------------------------------------------------------- */

#define USER_FLAGS	0xcd5u		/* CF PF AF ZF SF DF OF */

KT_CORE(thread_begins_clean)
{
	struct pith_regs r;
	struct ks s;

	ks_open(&s, NULL, 0);
	s.word[1024 / 8] = 0x1234;
	ks_load(&s, 0, ks_dump);
	r = ks_regs(s.thread);	/* no creator's */
	r.ip = KS_CODE;
	r.sp = KS_DATA + 2048;
	r.tls = KS_DATA + 1024;
	KT_EQ(r.di, 0);
	r.di = KS_DATA;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	resume(s.thread);
	KT_EQ(ks_status(&s), 0);
	for (int i = 0; i < 14; i++)
		KT_EQ(s.word[i], 0);
	KT_EQ(s.word[14], KS_DATA + 2048);
	KT_EQ(s.word[15] & USER_FLAGS, 0);
	KT_EQ(s.word[16], 0x1234);
	KT_EQ((uint32_t)s.word[17], 0x1f80);
	ks_close(&s);
}

/* All that SET_REGS sets is what the thread has, and what GET_REGS gets. */
KT_CORE(thread_set_regs)
{
	struct pith_regs r, got;
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_load(&s, KS_PIECE, ks_dump);
	ks_run(&s, ks_count, KS_DATA + 8);
	await_change(&s.word[1], 0);
	pause(s.thread);
	r = ks_regs(s.thread);
	KT_EQ(r.di, KS_DATA + 8);
	KT_EQ(r.sp, KS_DATA + KT_PAGE);
	KT_TRUE(r.ip >= KS_CODE && r.ip < KS_CODE + 16);
	r.ip = KS_CODE + KS_PIECE;
	r.sp = KS_DATA + 2048;
	r.tls = KS_DATA + 1024;
	r.flags = 0x3;		/* carry */
	r.di = KS_DATA;
	r.ax = 0x1000000000000001; r.bx = 2; r.cx = 3; r.dx = 4; r.si = 5;
	r.bp = -6; r.r8 = 8; r.r9 = 9; r.r10 = 10; r.r11 = 11; r.r12 = 12;
	r.r13 = 13; r.r14 = 14; r.r15 = 15;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	got = ks_regs(s.thread);
	got.flags &= USER_FLAGS;
	r.flags &= USER_FLAGS;
	KT_EQ(memcmp(&got, &r, sizeof(r)), 0);
	s.word[1024 / 8] = 0x4321;
	resume(s.thread);
	KT_EQ(ks_status(&s), 0);
	KT_EQ(s.word[0], r.ax);
	KT_EQ(s.word[1], 2);
	KT_EQ(s.word[2], 3);
	KT_EQ(s.word[3], 4);
	KT_EQ(s.word[4], 5);
	KT_EQ(s.word[5], -6);
	for (int i = 8; i < 16; i++)
		KT_EQ(s.word[6 + i - 8], i);
	KT_EQ(s.word[14], KS_DATA + 2048);
	KT_EQ(s.word[15] & USER_FLAGS, 1);
	KT_EQ(s.word[16], 0x4321);
	ks_close(&s);
}

static void regs_refused(int thread, struct pith_regs r)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_SET_REGS, &r), -EINVAL);
}

KT_CORE(thread_regs_args)
{
	static const uint64_t bad[] = { (1ull << 56) - KT_PAGE, 1ull << 57,
		1ull << 63, 0xffff800000000000, 0xffffffff81000000, ~0ull };
	struct pith_regs r, x;
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_count, KS_DATA);
	await_change(&s.word[0], 0);
	/* only of one that stands still */
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, &r), -EBUSY);
	memset(&r, 0, sizeof(r));
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), -EBUSY);
	pause(s.thread);
	r = ks_regs(s.thread);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		x = r;
		x.ip = bad[i];
		regs_refused(s.thread, x);
		x = r;
		x.sp = bad[i];
		regs_refused(s.thread, x);
		x = r;
		x.tls = bad[i];
		regs_refused(s.thread, x);
	}
	x = ks_regs(s.thread);
	KT_EQ(memcmp(&x, &r, sizeof(r)), 0);
	/* of the flags it gets those that it could set itself */
	x.flags = ~0ull & ~(1ull << 8);		/* no single step */
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &x), 0);
	x = ks_regs(s.thread);
	KT_EQ(x.flags & ~USER_FLAGS & ~(1ull << 18),
	      r.flags & ~USER_FLAGS & ~(1ull << 18));
	KT_EQ(x.flags & (3u << 12), 0);		/* no I/O privilege */
	KT_TRUE(x.flags & (1u << 9));		/* interrupts on */
	r.flags = 0;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	KT_TRUE(ks_regs(s.thread).flags & (1u << 9));
	resume(s.thread);
	await_change(&s.word[0], s.word[0]);
	ks_close(&s);
}

/* --- information ------------------------------------------------------------------- */

KT_CORE(thread_info)
{
	struct pith_thread_info info;
	int less, second;
	struct ks s;

	ks_open(&s, NULL, 0);
	less = KT_FD(kt_mint(s.thread, 0));
	KT_EQ(kt_control(less, PITH_OP_THREAD_PAUSE, NULL), -EPERM);
	KT_EQ(kt_control(less, PITH_OP_THREAD_GET_REGS, NULL), -EPERM);
	KT_EQ(kt_control(less, PITH_OP_THREAD_INFO, &info), 0);
	kt_close(less);
	KT_EQ(info.state, PITH_THREAD_PAUSED);
	KT_EQ(info.calls + info.receives + info.faults, 0);
	ks_run(&s, ks_count, KS_DATA);
	await_change(&s.word[0], 0);
	kt_sleep(KT_MS(20));
	info = ks_thread_info(s.thread);
	KT_EQ(info.state, PITH_THREAD_RUNNING);
	KT_TRUE(info.cpu_ns > KT_MS(1));
	KT_TRUE(info.switches > 0);
	KT_EQ(info.priority, 0);
	KT_EQ(info.priority_now, 0);
	second = KT_FD(kt_control(s.space, PITH_OP_SPACE_THREAD, NULL));
	KT_TRUE(kt_object(second) != kt_object(s.thread));
	KT_TRUE(ks_info(&s).cpu_ns >= info.cpu_ns);
	ks_load(&s, KS_PIECE, ks_leave);
	KT_EQ(ks_start(second, KS_CODE + KS_PIECE, 4), 0);
	KT_EQ(ks_status(&s), 4);
	KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_ENDED);
	KT_TRUE(ks_thread_info(s.thread).cpu_ns >= info.cpu_ns);
	kt_close(second);
	ks_close(&s);
}
