// SPDX-License-Identifier: BSD-2-Clause
/*
 * Saved replies whose saver, a thread among several, ends before they are
 * answered: they stay with the table that they are in.
 */
#include "kt.h"

enum { CALLED, SAVED, GO };	/* words of the report */

static int ep, reply[3];
static long result[3];
static uint64_t answer[3], deadline;

static void call(void *arg)
{
	int i = (int)(intptr_t)arg;

	result[i] = kt_call_label(ep, i, deadline ?: KT_SOON);
	answer[i] = kt_msg->label;
	__atomic_fetch_add(&kt_report->shared[CALLED], 1, __ATOMIC_SEQ_CST);
}

/* Takes three calls, and ends when told to. */
static void save(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (!kt_wait_call(ep))
			return;
		reply[kt_msg->label] =
			KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	}
	kt_report->shared[SAVED] = 1;
	kt_await_word(&kt_report->shared[GO], 1);
}

static void begin(struct kt_thread *saver, struct kt_thread *caller)
{
	ep = KT_FD(kt_ep_create());
	kt_thread_start(saver, save, NULL);
	for (int i = 0; i < 3; i++)
		kt_thread_start(&caller[i], call, (void *)(intptr_t)i);
	kt_await_word(&kt_report->shared[SAVED], 1);
}

/* The thread has ended: its message buffer is not charged any more. */
static void saver_ends(struct kt_thread *saver)
{
	kt_report->shared[GO] = 1;
	kt_thread_join(saver);
}

static void end(struct kt_thread *caller)
{
	for (int i = 0; i < 3; i++) {
		kt_thread_join(&caller[i]);
		kt_close(reply[i]);
	}
	kt_close(ep);
}

KT_COMPONENT(reply_saver_thread_ends)
{
	struct kt_thread saver = { 0 }, caller[3] = { 0 };

	begin(&saver, caller);
	saver_ends(&saver);
	KT_EQ(kt_report->shared[CALLED], 0);
	for (int i = 2; i >= 1; i--) {
		kt_prepare(10 + i);
		KT_EQ(kt_reply_wait(reply[i], PITH_REPLY, 0), 0);
		kt_await_word(&kt_report->shared[CALLED], 3 - i);
		KT_EQ(result[i], 0);
		KT_EQ(answer[i], 10 + i);
	}
	kt_close(reply[0]);		/* unanswered */
	kt_await_word(&kt_report->shared[CALLED], 3);
	KT_EQ(result[0], -EPIPE);
	reply[0] = -1;
	end(caller);
}

/* All callers have given up before it ends. */
KT_COMPONENT(reply_saver_thread_ends_late)
{
	struct kt_thread saver = { 0 }, caller[3] = { 0 };

	deadline = kt_now() + KT_MS(2000);
	begin(&saver, caller);
	kt_await_word(&kt_report->shared[CALLED], 3);
	saver_ends(&saver);
	for (int i = 0; i < 3; i++) {
		KT_EQ(result[i], -ETIMEDOUT);
		kt_prepare(1);
		KT_EQ(kt_reply_wait(reply[i], PITH_REPLY, 0),
		      PITH_CALLER_GONE);
	}
	end(caller);
}
