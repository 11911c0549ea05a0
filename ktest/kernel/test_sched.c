// SPDX-License-Identifier: BSD-2-Clause
/* Priorities: who runs first, and who runs for whom. */
#include "actor.h"

static void start_client(struct actor *a, int ep, uint32_t priority)
{
	actor_start(a, ks_client, priority, &ep, 1);
}

static void expect_done(struct actor *a, long result)
{
	kt_await_word(&a->s.word[W_COUNT], 1);
	KT_EQ((long)a->s.word[W_RESULT], result);
}

KT_CORE(sched_args)
{
	struct actor a;
	struct pith_sched arg = { 5, 0, 0 };
	int none, ep = KT_FD(kt_ep_create());

	start_client(&a, ep, 42);
	none = KT_FD(kt_mint(a.s.thread, 0));
	KT_EQ(ks_thread_info(a.s.thread).priority, 42);
	KT_EQ(set_sched(a.s.thread, 98, 0), 0);
	KT_EQ(set_sched(a.s.thread, 99, 0), -EINVAL);
	KT_EQ(set_sched(a.s.thread, ~0u, 0), -EINVAL);
	KT_EQ(set_sched(a.s.thread, 1, 1ull << 63), -EINVAL);
	arg.nice = 20;
	KT_EQ(kt_control(a.s.thread, PITH_OP_THREAD_SCHED, &arg), -EINVAL);
	arg.nice = -21;
	KT_EQ(kt_control(a.s.thread, PITH_OP_THREAD_SCHED, &arg), -EINVAL);
	KT_EQ(kt_control(a.s.thread, PITH_OP_THREAD_SCHED, NULL), -EFAULT);
	KT_EQ(set_sched(none, 1, 0), -EPERM);
	KT_EQ(ks_thread_info(a.s.thread).priority, 98);
	KT_EQ(set_sched(a.s.thread, 0, 0), 0);
	await_priority(&a, 0);
	kt_close(none);
	actor_end(&a);
	kt_close(ep);
}

/* --- chains of calls ------------------------------------------------------------ */

/* Relays between a client and core: all inherit, and stop to. */
#define DEPTH	12

struct chain {
	int ep[DEPTH + 1];		/* the last is core's */
	struct actor relay[DEPTH];
};

static struct chain chain;

static void chain_open(void)
{
	for (int i = 0; i <= DEPTH; i++)
		chain.ep[i] = KT_FD(kt_ep_create());
	for (int i = 0; i < DEPTH; i++)
		actor_start(&chain.relay[i], ks_relay, 0, &chain.ep[i], 2);
}

static void chain_close(void)
{
	for (int i = 0; i < DEPTH; i++)
		actor_end(&chain.relay[i]);
	for (int i = 0; i <= DEPTH; i++)
		kt_close(chain.ep[i]);
}

/* Relays @first to @last run at @priority, which is not their own. */
static void expect(int first, int last, uint32_t priority)
{
	for (int i = first; i <= last; i++) {
		if (!await_priority(&chain.relay[i], priority))
			KT_FAIL("relay %d", i);
		KT_EQ(ks_thread_info(chain.relay[i].s.thread).priority, 0);
	}
}

/* A client of priority @priority, whose call has come to core. */
static void chain_call(struct actor *a, uint32_t priority)
{
	start_client(a, chain.ep[0], priority);
	kt_wait_call(chain.ep[DEPTH]);
}

static void chain_reply(struct actor *a)
{
	KT_EQ(kt_reply(chain.ep[DEPTH], 0), 0);
	expect_done(a, 0);
}

KT_CORE(sched_chain)
{
	static const uint32_t priorities[] = { 50, 0, 20, 50, 0 };
	struct actor a;

	chain_open();
	for (int i = 0; i < 5; i++) {
		chain_call(&a, priorities[i]);
		expect(0, DEPTH - 1, priorities[i]);
		chain_reply(&a);
		expect(0, DEPTH - 1, 0);
		actor_end(&a);
	}
	chain_close();
}

/* A priority that changes while its thread waits. */
KT_CORE(sched_chain_follows)
{
	struct actor a;

	chain_open();
	chain_call(&a, 0);
	expect(0, DEPTH - 1, 0);
	for (uint32_t p = 10; p < 98; p += 20) {
		KT_EQ(set_sched(a.s.thread, p, 0), 0);
		expect(0, DEPTH - 1, p);
	}
	KT_EQ(set_sched(a.s.thread, 7, 0), 0);
	expect(0, DEPTH - 1, 7);
	KT_EQ(set_sched(a.s.thread, 0, 0), 0);
	expect(0, DEPTH - 1, 0);
	chain_reply(&a);
	actor_end(&a);
	chain_close();
}

/* The client goes while all relays are at it. */
KT_CORE(sched_chain_death)
{
	struct actor a;

	chain_open();
	chain_call(&a, 60);
	expect(0, DEPTH - 1, 60);
	KT_EQ(kt_control(a.s.space, PITH_OP_SPACE_KILL, NULL), 0);
	expect(0, DEPTH - 1, 0);
	KT_EQ(kt_reply(chain.ep[DEPTH], 0), 0);
	actor_end(&a);
	chain_close();
}

/* One in the middle gives up: what is behind it hurries for nobody. */
KT_CORE(sched_chain_deadline)
{
	const int middle = DEPTH / 2;
	uint64_t deadline;
	struct actor a;

	chain_open();
	deadline = kt_now() + KT_MS(1500);
	chain.relay[middle].s.word[W_DEADLINE] = deadline;
	chain_call(&a, 60);
	if (kt_now() < deadline - KT_MS(1000))
		expect(middle + 1, DEPTH - 1, 60);
	expect_done(&a, 0);
	KT_EQ((long)chain.relay[middle].s.word[W_RESULT], -ETIMEDOUT);
	expect(0, DEPTH - 1, 0);
	KT_EQ(kt_reply(chain.ep[DEPTH], 0), 0);
	expect(0, DEPTH - 1, 0);
	actor_end(&a);
	chain_close();
}

/* One in the middle ends: those before are told, those behind slow down. */
KT_CORE(sched_chain_breaks)
{
	const int middle = DEPTH / 2;
	struct actor a;

	chain_open();
	chain_call(&a, 60);
	expect(0, DEPTH - 1, 60);
	KT_EQ(kt_control(chain.relay[middle].s.space, PITH_OP_SPACE_KILL, NULL),
	      0);
	expect_done(&a, 0);
	KT_EQ((long)chain.relay[middle - 1].s.word[W_RESULT], -EPIPE);
	expect(0, middle - 1, 0);
	expect(middle + 1, DEPTH - 1, 0);
	KT_EQ(kt_reply(chain.ep[DEPTH], 0), 0);
	actor_end(&a);
	chain_close();
}

/* Somebody more urgent joins in the middle, waits, and goes. */
KT_CORE(sched_chain_branch)
{
	const int middle = DEPTH / 2;
	struct actor a, urgent;

	chain_open();
	chain_call(&a, 20);
	expect(0, DEPTH - 1, 20);
	start_client(&urgent, chain.ep[middle], 60);
	expect(middle, DEPTH - 1, 60);
	expect(0, middle - 1, 20);
	KT_EQ(set_sched(urgent.s.thread, 70, 0), 0);
	expect(middle, DEPTH - 1, 70);
	KT_EQ(set_sched(urgent.s.thread, 10, 0), 0);
	expect(0, DEPTH - 1, 20);
	KT_EQ(set_sched(urgent.s.thread, 60, 0), 0);
	expect(middle, DEPTH - 1, 60);
	actor_end(&urgent);
	expect(0, DEPTH - 1, 20);
	chain_reply(&a);
	expect(0, DEPTH - 1, 0);
	actor_end(&a);
	chain_close();
}

/* Two that wait for each other in a ring let go once one is killed. */
KT_CORE(sched_ring)
{
	int ep[2] = { KT_FD(kt_ep_create()), KT_FD(kt_ep_create()) };
	int back[2] = { ep[1], ep[0] };
	struct actor a, b, client;

	actor_start(&a, ks_relay, 0, ep, 2);
	actor_start(&b, ks_relay, 0, back, 2);
	start_client(&client, ep[0], 40);
	await_priority(&a, 40);
	await_priority(&b, 40);
	actor_end(&client);
	actor_end(&b);
	await_priority(&a, 0);
	actor_end(&a);
	kt_close(ep[0]);
	kt_close(ep[1]);
}

/* --- other ways to wait for a server ---------------------------------------------- */

/* Who queues hurries the server along, which serves somebody less urgent. */
KT_CORE(sched_busy_server)
{
	int ep = KT_FD(kt_ep_create());
	struct actor server, low, high;

	actor_start(&server, ks_slow, 0, &ep, 1);
	start_client(&low, ep, 5);
	kt_await_word(&server.s.word[W_COUNT], 1);
	await_priority(&server, 5);
	start_client(&high, ep, 61);
	await_priority(&server, 61);
	server.s.word[W_GO] = 1;
	expect_done(&low, 0);
	kt_await_word(&server.s.word[W_COUNT], 2);
	await_priority(&server, 61);
	server.s.word[W_GO] = 1;
	expect_done(&high, 0);
	await_priority(&server, 0);
	actor_end(&low);
	actor_end(&high);
	actor_end(&server);
	kt_close(ep);
}

/* The most urgent caller first, the oldest of equals before the others. */
KT_CORE(sched_queue_order)
{
	static const uint32_t priority[] = { 0, 10, 30, 10, 20 };
	static const uint64_t order[] = { 2, 4, 1, 3, 0 };
	int ep = KT_FD(kt_ep_create());
	struct actor a[5];

	for (int i = 0; i < 5; i++) {
		int client = KT_FD(kt_mint_badge(ep, i));

		start_client(&a[i], client, priority[i]);
		kt_close(client);
		await_waiting(&a[i]);
	}
	for (int i = 0; i < 5; i++) {
		kt_wait_call(ep);
		KT_EQ(kt_msg->badge, order[i]);
		KT_EQ(kt_reply(ep, 0), 0);
	}
	for (int i = 0; i < 5; i++) {
		expect_done(&a[i], 0);
		actor_end(&a[i]);
	}
	kt_close(ep);
}

/* A caller in the queue that gets another priority moves in it. */
KT_CORE(sched_queue_moves)
{
	static const uint64_t order[] = { 2, 0, 1 };
	int ep = KT_FD(kt_ep_create());
	struct actor a[3];

	for (int i = 0; i < 3; i++) {
		int client = KT_FD(kt_mint_badge(ep, i));

		start_client(&a[i], client, 10 + i);
		kt_close(client);
		await_waiting(&a[i]);
	}
	KT_EQ(set_sched(a[0].s.thread, 20, 0), 0);
	KT_EQ(set_sched(a[2].s.thread, 30, 0), 0);
	for (int i = 0; i < 3; i++) {
		kt_wait_call(ep);
		KT_EQ(kt_msg->badge, order[i]);
		KT_EQ(kt_reply(ep, 0), 0);
	}
	for (int i = 0; i < 3; i++)
		actor_end(&a[i]);
	kt_close(ep);
}

static void answer_saved(struct actor *saver, int n)
{
	saver->s.word[W_GO] = saver->s.word[W_SAVED + n];
	kt_await_word(&saver->s.word[W_GO], 0);
}

/* A server owes what it has saved, each as long as it has not answered. */
KT_CORE(sched_saved_replies)
{
	static const uint32_t priority[] = { 10, 50, 0, 30 };
	static const uint32_t sum[] = { 10, 50, 50, 50 };
	int ep = KT_FD(kt_ep_create());
	struct actor saver, a[4];

	actor_prepare(&saver, 0, &ep, 1);
	saver.s.word[W_REPEAT] = 4;
	ks_run(&saver.s, ks_saver, KS_DATA);
	for (int i = 0; i < 4; i++) {
		start_client(&a[i], ep, priority[i]);
		kt_await_word(&saver.s.word[W_COUNT], i + 1);
		await_priority(&saver, sum[i]);
	}
	/* one of those that wait changes, one is answered, one goes */
	KT_EQ(set_sched(a[2].s.thread, 70, 0), 0);
	await_priority(&saver, 70);
	KT_EQ(set_sched(a[2].s.thread, 0, 0), 0);
	await_priority(&saver, 50);
	answer_saved(&saver, 1);
	expect_done(&a[1], 0);
	await_priority(&saver, 30);
	KT_EQ(kt_control(a[3].s.space, PITH_OP_SPACE_KILL, NULL), 0);
	await_priority(&saver, 10);
	answer_saved(&saver, 0);
	expect_done(&a[0], 0);
	await_priority(&saver, 0);
	answer_saved(&saver, 2);
	expect_done(&a[2], 0);
	for (int i = 0; i < 4; i++)
		actor_end(&a[i]);
	actor_end(&saver);
	kt_close(ep);
}

/* The server has saved a reply and ends: its caller is told. */
KT_CORE(sched_saver_death)
{
	int ep = KT_FD(kt_ep_create());
	struct actor saver, a;

	actor_start(&saver, ks_saver, 0, &ep, 1);
	start_client(&a, ep, 50);
	kt_await_word(&saver.s.word[W_COUNT], 1);
	await_priority(&saver, 50);
	actor_end(&saver);
	expect_done(&a, -EPIPE);
	actor_end(&a);
	kt_close(ep);
}

/* Who serves a fault runs for the thread that has it, and so on. */
KT_CORE(sched_fault)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int ep[2] = { KT_FD(kt_ep_create()), KT_FD(kt_ep_create()) };
	struct actor pager, a;

	actor_start(&pager, ks_relay, 0, ep, 2);
	actor_prepare(&a, 45, NULL, 0);
	KT_EQ(ks_fault_ep(a.s.thread, PITH_OP_THREAD_FAULT_EP, ep[0]), 0);
	ks_run(&a.s, ks_touch, KS_DATA);
	kt_wait_call(ep[1]);
	KT_EQ(kt_msg->label, PITH_FAULT);
	KT_EQ(ks_thread_info(a.s.thread).state, PITH_THREAD_FAULTED);
	await_priority(&pager, 45);
	KT_EQ(set_sched(a.s.thread, 55, 0), 0);
	await_priority(&pager, 55);
	KT_EQ(ks_map(&a.s, mem, 0, KS_AT, KT_PAGE,
		     PITH_R_READ | PITH_R_WRITE), 0);
	KT_EQ(kt_reply(ep[1], 0), 0);
	kt_await_word(&a.s.word[W_COUNT], 1);
	await_priority(&pager, 0);
	actor_end(&a);
	actor_end(&pager);
	kt_close(ep[0]);
	kt_close(ep[1]);
	kt_close(mem);
}

/* --- who runs, and where ------------------------------------------------------------ */

/* Of two that would run for ever on one CPU the more urgent does. */
KT_CORE(sched_urgent_first)
{
	struct actor a, b;

	if (cpus() < 2)
		return;		/* core would not run */
	actor_start(&a, ks_spin, 10, NULL, 0);
	KT_EQ(set_sched(a.s.thread, 10, 2), 0);
	await_steps(&a);
	actor_start(&b, ks_spin, 0, NULL, 0);
	KT_EQ(set_sched(b.s.thread, 20, 2), 0);
	await_steps(&b);
	expect_stopped(&a);
	KT_EQ(ks_thread_info(a.s.thread).cpu, 1);
	KT_EQ(ks_thread_info(b.s.thread).cpu, 1);
	KT_EQ(set_sched(a.s.thread, 30, 2), 0);
	await_steps(&a);
	expect_stopped(&b);
	/* one without a priority is after all that have one */
	KT_EQ(set_sched(a.s.thread, 0, 2), 0);
	await_steps(&b);
	expect_stopped(&a);
	actor_end(&a);
	actor_end(&b);
}

/* One that spins between the two in priority is not in the way of a call. */
KT_CORE(sched_no_inversion)
{
	int ep = KT_FD(kt_ep_create());
	struct actor server, spinner, client;

	if (cpus() < 2) {
		kt_close(ep);
		return;
	}
	actor_prepare(&server, 5, &ep, 1);
	KT_EQ(set_sched(server.s.thread, 5, 2), 0);
	ks_run(&server.s, ks_echo, KS_DATA);
	await_waiting(&server);
	actor_start(&spinner, ks_spin, 0, NULL, 0);
	KT_EQ(set_sched(spinner.s.thread, 20, 2), 0);
	await_steps(&spinner);
	for (uint32_t p = 0; p <= 60; p += 30) {
		actor_prepare(&client, p, &ep, 1);
		client.s.word[W_REPEAT] = 100;
		if (p < 20)
			client.s.word[W_DEADLINE] = kt_now() + KT_MS(100);
		KT_EQ(set_sched(client.s.thread, p, 1), 0);
		ks_run(&client.s, ks_client, KS_DATA);
		if (p < 20)
			expect_done(&client, -ETIMEDOUT);
		else
			kt_await_word(&client.s.word[W_COUNT], 100);
		KT_EQ((long)client.s.word[W_RESULT], p < 20 ? -ETIMEDOUT : 0);
		actor_end(&client);
	}
	actor_end(&spinner);
	actor_end(&server);
	kt_close(ep);
}

/* A call does not take a server to a CPU where it may not run. */
KT_CORE(sched_affinity)
{
	int ep = KT_FD(kt_ep_create());
	struct actor server, client;

	if (cpus() < 2) {
		kt_close(ep);
		return;
	}
	actor_prepare(&server, 7, &ep, 1);
	KT_EQ(set_sched(server.s.thread, 7, 2), 0);
	ks_run(&server.s, ks_echo, KS_DATA);
	for (int i = 0; i < 10; i++) {
		actor_prepare(&client, 7, &ep, 1);
		client.s.word[W_REPEAT] = 20;
		KT_EQ(set_sched(client.s.thread, 7, i & 1 ? 1 : 3), 0);
		ks_run(&client.s, ks_client, KS_DATA);
		kt_await_word(&client.s.word[W_COUNT], 20);
		KT_EQ(ks_thread_info(server.s.thread).cpu, 1);
		actor_end(&client);
	}
	/* a mask that changes moves it at once */
	KT_EQ(set_sched(server.s.thread, 7, 1), 0);
	start_client(&client, ep, 0);
	expect_done(&client, 0);
	KT_EQ(ks_thread_info(server.s.thread).cpu, 0);
	actor_end(&client);
	actor_end(&server);
	kt_close(ep);
}
