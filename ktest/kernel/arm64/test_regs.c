// SPDX-License-Identifier: BSD-2-Clause
/* Registers of threads. */
#include <string.h>
#include "../space.h"

#define REGS		31
#define USER_FLAGS	0xf0000000u	/* N Z C V */
#define MODE		0x3cfu		/* level, masks of interrupts */

/* Words of what is dumped, after x0 to x30: x0 is where. */
enum { D_SP = REGS, D_FLAGS, D_TLS, D_FPCR, D_VECTOR, D_WORDS = D_VECTOR + 64 };

KS_ASM(dump, "stp x1, x2, [x0, #8]\n\tstp x3, x4, [x0, #24]\n\t"
	     "stp x5, x6, [x0, #40]\n\tstp x7, x8, [x0, #56]\n\t"
	     "stp x9, x10, [x0, #72]\n\tstp x11, x12, [x0, #88]\n\t"
	     "stp x13, x14, [x0, #104]\n\tstp x15, x16, [x0, #120]\n\t"
	     "stp x17, x18, [x0, #136]\n\tstp x19, x20, [x0, #152]\n\t"
	     "stp x21, x22, [x0, #168]\n\tstp x23, x24, [x0, #184]\n\t"
	     "stp x25, x26, [x0, #200]\n\tstp x27, x28, [x0, #216]\n\t"
	     "stp x29, x30, [x0, #232]\n\tmov x1, sp\n\tmrs x2, nzcv\n\t"
	     "stp x1, x2, [x0, #248]\n\tmrs x1, tpidr_el0\n\t"
	     "mrs x2, fpcr\n\tstp x1, x2, [x0, #264]\n\tadd x3, x0, #280\n\t"
	     "st1 {v0.2d-v3.2d}, [x3], #64\n\tst1 {v4.2d-v7.2d}, [x3], #64\n\t"
	     "st1 {v8.2d-v11.2d}, [x3], #64\n\tst1 {v12.2d-v15.2d}, [x3], #64\n\t"
	     "st1 {v16.2d-v19.2d}, [x3], #64\n\tst1 {v20.2d-v23.2d}, [x3], #64\n\t"
	     "st1 {v24.2d-v27.2d}, [x3], #64\n\tst1 {v28.2d-v31.2d}, [x3], #64\n\t"
	     "mov x0, #0\n\tmov x8, #94\n\tsvc #0\n\tudf #0\n");

/* Something that a new thread must not find. */
static void fill_vectors(void)
{
	__asm__ volatile("dup v0.2d, %0\n\tdup v7.2d, %0\n\tdup v15.2d, %0\n\t"
			 "dup v16.2d, %0\n\tdup v31.2d, %0"
			 : : "r"(0x5ec4e75ec4e7ull)
			 : "v0", "v7", "v15", "v16", "v31");
}

KT_CORE(thread_begins_clean)
{
	struct pith_regs r;
	struct ks s;

	fill_vectors();
	ks_open(&s, NULL, 0);
	fill_vectors();
	ks_load(&s, 0, ks_dump);
	r = ks_regs(s.thread);	/* no creator's */
	KT_EQ(r.tls, 0);
	KT_EQ(r.flags & (USER_FLAGS | MODE), 0);
	for (int i = 0; i < REGS; i++)
		KT_EQ(r.x[i], 0);
	r.ip = KS_CODE;
	r.sp = KS_DATA + 2048;
	r.tls = KS_DATA + 1024;
	r.x[0] = KS_DATA;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	ks_resume(s.thread);
	KT_EQ(ks_status(&s), 0);
	for (int i = 1; i < REGS; i++)
		KT_EQ(s.word[i], 0);
	KT_EQ(s.word[D_SP], KS_DATA + 2048);
	KT_EQ(s.word[D_FLAGS], 0);
	KT_EQ(s.word[D_TLS], KS_DATA + 1024);
	KT_EQ(s.word[D_FPCR], 0);
	for (int i = D_VECTOR; i < D_WORDS; i++)
		KT_EQ(s.word[i], 0);
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
	KT_EQ(r.x[0], KS_DATA + 8);
	KT_EQ(r.sp, KS_DATA + KT_PAGE);
	KT_TRUE(r.ip >= KS_CODE && r.ip < KS_CODE + 16);
	r.ip = KS_CODE + KS_PIECE;
	r.sp = KS_DATA + 2048;
	r.tls = KS_DATA + 1024;
	r.flags = (r.flags & ~(uint64_t)USER_FLAGS) | 0x60000000;	/* Z C */
	r.x[0] = KS_DATA;
	for (int i = 1; i < REGS; i++)
		r.x[i] = 0x1000000000000000ull * (i & 7) + i;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	got = ks_regs(s.thread);
	KT_EQ(memcmp(&got, &r, sizeof(r)), 0);
	ks_resume(s.thread);
	KT_EQ(ks_status(&s), 0);
	for (int i = 1; i < REGS; i++)
		KT_EQ(s.word[i], r.x[i]);
	KT_EQ(s.word[D_SP], KS_DATA + 2048);
	KT_EQ(s.word[D_FLAGS], 0x60000000);
	KT_EQ(s.word[D_TLS], KS_DATA + 1024);
	ks_close(&s);
}

static void regs_refused(int thread, struct pith_regs r)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_SET_REGS, &r), -EINVAL);
}

KT_CORE(thread_regs_args)
{
	static const uint64_t bad[] = { 1ull << 48, (1ull << 56) - KT_PAGE,
		1ull << 57, 1ull << 63, KT_KERNEL_ADDRESS, ~0ull };
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
	/* of the flags it gets those that it could set itself: no other level,
	 * no interrupts off, no single step */
	x.flags = ~0ull;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &x), 0);
	x = ks_regs(s.thread);
	KT_EQ(x.flags & USER_FLAGS, USER_FLAGS);
	KT_EQ(x.flags & ~(uint64_t)USER_FLAGS, r.flags & ~(uint64_t)USER_FLAGS);
	x.flags = MODE;
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &x), 0);
	KT_EQ(ks_regs(s.thread).flags & (USER_FLAGS | MODE), 0);
	ks_resume(s.thread);
	ks_await_change(&s.word[0], s.word[0]);
	ks_close(&s);
}
