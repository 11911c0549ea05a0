// SPDX-License-Identifier: BSD-2-Clause
/* Registers of threads. */
#include <string.h>
#include "../space.h"

/* All registers but rdi, which is where, and rsp, to the data page. */
KS_ASM(dump, "mov %rax, 0(%rdi)\n\tmov %rbx, 8(%rdi)\n\tmov %rcx, 16(%rdi)\n\t"
	     "mov %rdx, 24(%rdi)\n\tmov %rsi, 32(%rdi)\n\tmov %rbp, 40(%rdi)\n\t"
	     "mov %r8, 48(%rdi)\n\tmov %r9, 56(%rdi)\n\tmov %r10, 64(%rdi)\n\t"
	     "mov %r11, 72(%rdi)\n\tmov %r12, 80(%rdi)\n\tmov %r13, 88(%rdi)\n\t"
	     "mov %r14, 96(%rdi)\n\tmov %r15, 104(%rdi)\n\tmov %rsp, 112(%rdi)\n\t"
	     "pushf\n\tpop 120(%rdi)\n\tmov %fs:0, %rax\n\tmov %rax, 128(%rdi)\n\t"
	     "stmxcsr 136(%rdi)\n\t"
	     "xor %edi, %edi" KS_EXIT_DI);

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
	ks_resume(s.thread);
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
	ks_await_change(&s.word[1], 0);
	ks_pause(s.thread);
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
	ks_resume(s.thread);
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
	ks_await_change(&s.word[0], 0);
	/* only of one that stands still */
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_GET_REGS, &r), -EBUSY);
	memset(&r, 0, sizeof(r));
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), -EBUSY);
	ks_pause(s.thread);
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
	ks_resume(s.thread);
	ks_await_change(&s.word[0], s.word[0]);
	ks_close(&s);
}

/* --- exceptions that others do not have ------------------------------------- */

KS_ASM(divide, "mov $42, %eax\n\txor %edx, %edx\n\txor %ecx, %ecx\n\t"
	       "idiv %ecx\n\tmov %eax, %edi" KS_EXIT_DI);

KT_CORE(exception_divide)
{
	struct pith_regs r;
	struct ks s;

	for (int answer = 0; answer < 2; answer++) {
		ks_open(&s, NULL, 0);
		ks_run(&s, ks_divide, 0);
		ks_wait_fault(&s, PITH_FAULT_EXCEPTION, 0);
		KT_EQ(ks_fault().code, 0);
		r = ks_regs(s.thread);
		KT_EQ(r.ip, ks_fault().ip);
		r.cx = 2;
		KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
		ks_answer(&s, answer);
		KT_EQ(ks_status(&s), answer ? 128 + 8 : 21);
		ks_close(&s);
	}
}
