// SPDX-License-Identifier: BSD-2-Clause
/* Calls that go in circles, deep, or to oneself. */
#include "attack.h"

#define DEEP	40

static int eps[DEEP + 1];
static uint64_t next_link, at_work;

static void make_eps(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		eps[i] = KT_FD(kt_ep_create());
}

static void close_eps(unsigned int n)
{
	while (n--)
		kt_close(eps[n]);
}

ATTACK(call_self, "call the endpoint that only oneself serves")
{
	make_eps(1);
	for (int i = 0; i < 30; i++) {
		KT_EQ(kt_call_label(eps[0], 1, kt_now() + 1000000), -ETIMEDOUT);
		kt_wait_nothing(eps[0]);
	}
	close_eps(1);
}

/* Serve endpoint i by calling i + 1. */
static void forward(void *arg)
{
	uint64_t i = __atomic_fetch_add(&next_link, 1, __ATOMIC_SEQ_CST);
	uint64_t label;

	(void)arg;
	if (!kt_wait_call(eps[i]))
		return;
	label = kt_msg->label;
	attack_count(&at_work);
	if (i + 1 < DEEP) {
		KT_EQ(kt_call_label(eps[i + 1], label + 1, KT_SOON), 0);
		label = kt_msg->label;
	}
	KT_EQ(kt_reply(eps[i], label), 0);
}

ATTACK(chain_deep, "a call through forty servers and back")
{
	static struct kt_thread t[DEEP];

	make_eps(DEEP);
	next_link = at_work = 0;
	for (int i = 0; i < DEEP; i++)
		kt_thread_start(&t[i], forward, NULL);
	KT_EQ(kt_call_label(eps[0], 5, KT_SOON), 0);
	KT_EQ(kt_msg->label, 5 + DEEP - 1);
	for (int i = 0; i < DEEP; i++)
		kt_thread_join(&t[i]);
	KT_EQ(at_work, DEEP);
	close_eps(DEEP);
}

static void forward_forever(void *arg)
{
	uint64_t i = __atomic_fetch_add(&next_link, 1, __ATOMIC_SEQ_CST);

	(void)arg;
	kt_wait(eps[i], PITH_NO_DEADLINE);
	attack_count(&at_work);
	kt_call_label(eps[i + 1], 1, PITH_NO_DEADLINE);
}

static void start_chain(void *arg)
{
	kt_call_label(*(int *)arg, 1, PITH_NO_DEADLINE);
}

ATTACK_KILLED(chain_killed, "forty servers wait for each other and are killed")
{
	static struct kt_thread t[DEEP + 1];

	make_eps(DEEP + 1);
	for (int i = 0; i < DEEP; i++)
		kt_thread_start(&t[i], forward_forever, NULL);
	kt_thread_start(&t[DEEP], start_chain, &eps[0]);
	kt_await_word(&at_work, DEEP);
	attack_ready();
}

#define RING	8

static uint64_t ring_limit;
static uint64_t timeouts;

static void ring_member(void *arg)
{
	uint64_t i = __atomic_fetch_add(&next_link, 1, __ATOMIC_SEQ_CST);
	long err = kt_call_label(eps[(i + 1) % RING], 1, ring_limit);

	(void)arg;
	if (err == -ETIMEDOUT)
		attack_count(&timeouts);
}

ATTACK(ring_with_deadlines, "eight threads call each other in a ring; time ends it")
{
	make_eps(RING);
	next_link = timeouts = 0;
	ring_limit = kt_now() + KT_MS(100);
	attack_together(RING, ring_member, NULL);
	KT_EQ(timeouts, RING);
	close_eps(RING);
}

ATTACK_KILLED(ring_for_ever, "the same without deadlines, killed")
{
	static struct kt_thread t[RING];

	make_eps(RING);
	ring_limit = PITH_NO_DEADLINE;
	for (int i = 0; i < RING; i++)
		kt_thread_start(&t[i], ring_member, NULL);
	kt_sleep(KT_MS(30));
	attack_ready();
}

KT_ROLE(ring_of_two_with)
{
	if (kt_wait(A_PEER, KT_SOON) == PITH_GOT_CALL && kt_msg->ncaps)
		kt_call_label(kt_msg->caps[0], 1, PITH_NO_DEADLINE);
	attack_ready();
}

static int back;

static void wait_in_vain(void *arg)
{
	kt_call_label(*(int *)arg, 1, PITH_NO_DEADLINE);
}

ATTACK_WITH_KILLED(ring_of_two, "two components wait for each other and are killed")
{
	static struct kt_thread t;

	back = KT_FD(kt_ep_create());
	kt_thread_start(&t, wait_in_vain, &back);
	kt_prepare(1);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = back;
	kt_report->shared[A_WORD_READY] = 1;
	kt_call(A_PEER, PITH_NO_DEADLINE);
	attack_ready();
}

static volatile uint64_t over;

static void flood(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;

	(void)arg;
	while (!over)
		kt_call_label(A_VICTIM, 1, kt_now() +
			      attack_random(&random) % 40000);
}

ATTACK(victim_flooded, "twelve callers with short deadlines at the victim's queue")
{
	struct kt_thread t[12] = { 0 };

	over = 0;
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_start(&t[i], flood, NULL);
	kt_sleep(KT_MS(500));
	over = 1;
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_join(&t[i]);
	attack_victim_answers();
}

static void come_and_go(void *arg)
{
	(void)arg;
	kt_call_label(A_PEER, 1, kt_now() + KT_MS(1));
	kt_wait(A_PEER, kt_now() + KT_MS(1));
}

KT_ROLE(threads_die_in_queue_with)
{
	for (int i = 0; i < 12; i++)
		attack_together(6, come_and_go, NULL);
}

ATTACK_WITH(threads_die_in_queue, "threads of two components queue, serve and end")
{
	for (int i = 0; i < 12; i++)
		attack_together(6, come_and_go, NULL);
}
