// SPDX-License-Identifier: BSD-2-Clause
/* Replies: given twice, too late, by the wrong one, not at all. */
#include "attack.h"

static volatile uint64_t over;

static void caller(void *arg)
{
	kt_call_label(*(int *)arg, 1, KT_SOON);
}

ATTACK(reply_replayed, "answer one call many times")
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create());

	KT_EQ(kt_reply(ep, 1), -EINVAL);
	kt_thread_start(&t, caller, &ep);
	kt_wait_call(ep);
	KT_EQ(kt_reply(ep, 1), 0);
	for (int i = 0; i < 1000; i++)
		KT_EQ(kt_reply(ep, 1), -EINVAL);
	kt_thread_join(&t);
	attack_victim_answers();
	kt_close(ep);
}

static int saved;
static uint64_t answered;

static void answer_saved(void *arg)
{
	(void)arg;
	kt_prepare(3);
	if (!kt_reply_wait(saved, PITH_REPLY, 0))
		attack_count(&answered);
}

ATTACK(reply_object_raced, "three threads answer with the same reply object")
{
	int ep = KT_FD(kt_ep_create());

	for (int i = 0; i < 30; i++) {
		struct kt_thread t = { 0 };

		answered = 0;
		kt_thread_start(&t, caller, &ep);
		kt_wait_call(ep);
		saved = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
		attack_together(3, answer_saved, NULL);
		KT_EQ(answered, 1);
		kt_thread_join(&t);
		kt_close(saved);
	}
	kt_close(ep);
}

static void impatient(void *arg)
{
	int ep = *(int *)arg;

	for (uint64_t i = 1; i <= 1500; i++) {
		long err;

		kt_prepare(i);
		err = kt_call(ep, kt_now() + i % 60 * 1000);
		if (!err && kt_msg->label != i + 1000000)
			KT_FAIL("call %lu got the answer %lu", i,
				(uint64_t)kt_msg->label);
		if (err && err != -ETIMEDOUT && err != -EPIPE)
			KT_FAIL("call: %ld", err);
	}
	over = 1;
	kt_call_label(ep, 0, KT_SOON);
}

ATTACK(reply_late, "answers that come as the caller gives up meet no later call")
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create());
	uint64_t label;

	over = 0;
	kt_thread_start(&t, impatient, &ep);
	do {
		long got = kt_wait(ep, KT_SOON);

		if (!KT_EQ(got, PITH_GOT_CALL))
			break;
		label = kt_msg->label;
		if (label % 3 == 1) {	/* the slow way, through an object */
			int r = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY,
						 NULL));

			kt_prepare(label + 1000000);
			kt_reply_wait(r, PITH_REPLY, 0);
			kt_close(r);
		} else {
			kt_reply(ep, label + 1000000);
		}
	} while (label);
	kt_thread_join(&t);
	kt_close(ep);
}

KT_ROLE(reply_deserted_with)
{
	for (int i = 0; i < 12; i++) {
		long err = kt_wait(A_PEER, KT_SOON);

		if (err != PITH_GOT_CALL)
			break;
		if (i % 3 == 0)
			KT_FD(kt_control(A_PEER, PITH_OP_EP_SAVE_REPLY, NULL));
	}
}

static void many_callers(void *arg)
{
	long err = kt_call_label(*(int *)arg, 1, KT_SOON);

	KT_TRUE(err == -EPIPE || err == -ETIMEDOUT);
	attack_count(&answered);
}

ATTACK_WITH(reply_deserted, "a server takes calls, drops and saves them and ends")
{
	int peer = A_PEER;

	answered = 0;
	attack_together(12, many_callers, &peer);
	KT_EQ(answered, 12);
}

ATTACK(reply_bad_caps, "answer with descriptors that are none, again and again")
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create());

	kt_thread_start(&t, caller, &ep);
	kt_wait_call(ep);
	for (int i = 0; i < 2000; i++) {
		kt_prepare(1);
		kt_msg->ncaps = 8;
		for (int k = 0; k < 8; k++)
			kt_msg->caps[k] = k < i % 8 ? A_ROM : 4000 + k;
		KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EBADF);
	}
	KT_EQ(kt_reply(ep, 0), 0);
	kt_thread_join(&t);
	kt_close(ep);
}

static void save_and_pass(void *arg)
{
	(void)arg;
	while (!over) {
		long got = kt_wait(A_PEER, KT_NOT_SOON);
		long r;

		if (got != PITH_GOT_CALL)
			continue;
		r = kt_control(A_PEER, PITH_OP_EP_SAVE_REPLY, NULL);
		if (r < 0)
			continue;
		kt_prepare(1);
		kt_msg->ncaps = 1;
		kt_msg->caps[0] = r;
		kt_call(A_VICTIM, KT_SOON);	/* who closes it */
		kt_close(r);
	}
}

static void callers_of_peer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		long err = kt_call_label(A_PEER, i, KT_SOON);

		KT_TRUE(err == -EPIPE || err == -ETIMEDOUT);
	}
	attack_count(&answered);
}

ATTACK(reply_passed_away, "send reply objects to the victim, who drops them")
{
	struct kt_thread t = { 0 };

	over = 0;
	kt_thread_start(&t, save_and_pass, NULL);
	attack_together(3, callers_of_peer, NULL);
	over = 1;
	kt_thread_join(&t);
}
