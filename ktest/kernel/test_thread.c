// SPDX-License-Identifier: BSD-2-Clause
/* Threads of a space: start, pause, registers, information. */
#include <string.h>
#include <sys/syscall.h>
#include "space.h"

/* A paused thread makes no step, from the return of PAUSE on. */
static void pause_and_resume(const uint8_t *code)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, code, KS_DATA);
	for (int i = 0; i < 20; i++) {
		uint64_t seen;

		ks_await_change(&s.word[0], s.word[0]);
		ks_pause(s.thread);
		seen = s.word[0];
		KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_PAUSED);
		kt_sleep(KT_MS(3));
		KT_EQ(s.word[0], seen);
		if (i % 2)	/* a flag, not a counter */
			ks_pause(s.thread);
		ks_resume(s.thread);
		ks_await_change(&s.word[0], seen);
	}
	ks_resume(s.thread);	/* runs anyway */
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
	struct pith_regs r = { .ip = KS_CODE, .sp = KS_DATA + KT_PAGE };
	struct ks s;

	KS_ARGUMENT(&r) = KS_DATA;
	ks_open(&s, NULL, 0);
	ks_load(&s, 0, ks_count);
	KT_EQ(ks_thread_info(s.thread).state, PITH_THREAD_PAUSED);
	KT_EQ(ks_regs(s.thread).ip, 0);
	ks_pause(s.thread);
	KT_EQ(kt_control(s.thread, PITH_OP_THREAD_SET_REGS, &r), 0);
	kt_sleep(KT_MS(20));
	KT_EQ(s.word[0], 0);
	KT_EQ(ks_regs(s.thread).ip, KS_CODE);
	ks_resume(s.thread);
	ks_await_change(&s.word[0], 0);
	ks_close(&s);
}

KT_CORE(thread_killed_while_paused)
{
	struct ks s;

	ks_open(&s, NULL, 0);
	ks_run(&s, ks_count, KS_DATA);
	ks_await_change(&s.word[0], 0);
	ks_pause(s.thread);
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
	ks_pause(s.thread);
	KT_EQ(kt_reply(ep, 0), 0);
	KT_EQ(kt_wait(s.ep, KT_NOT_SOON), -ETIMEDOUT);
	KT_TRUE(ks_regs(s.thread).ip > KS_CODE);
	KT_TRUE(ks_regs(s.thread).ip < KS_CODE + KS_PIECE);
	ks_resume(s.thread);
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
	ks_await_change(&s.word[0], 0);
	cap = KT_FD(kt_mint(s.thread, PITH_R_MANAGE));
	ks_open(&by, &cap, 1);
	ks_run(&by, ks_pause_1000, 0);
	while (ks_thread_info(by.thread).state != PITH_THREAD_ENDED)
		ks_resume(s.thread);
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
		ks_await_change(&s.word[0], 0);
		kt_thread_start(&t[0], pauser, &s.thread);
		kt_thread_start(&t[1], pauser, &s.thread);
		kt_sleep(KT_MS(20));
		if (i)
			KT_EQ(kt_control(s.space, PITH_OP_SPACE_KILL, NULL), 0);
		kt_thread_join(&t[0]);
		kt_thread_join(&t[1]);
		if (!i) {
			uint64_t seen = s.word[0];

			ks_resume(s.thread);
			ks_await_change(&s.word[0], seen);
		}
		ks_close(&s);
	}
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
	ks_await_change(&s.word[0], 0);
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
