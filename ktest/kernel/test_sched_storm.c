// SPDX-License-Identifier: BSD-2-Clause
/*
 * Priorities and CPUs change, budgets run out, threads end and endpoints are
 * revoked while calls go through a chain of servers from several sides. What
 * must hold is that the calls go on, and that nobody keeps what he inherited.
 */
#include <string.h>
#include "actor.h"

#define DEPTH	3
#define ECHOS	2
#define CLIENTS	6
#define CALLS	(kt_report->checked ? 1000u : 10000u)
#define ROUNDS	150
static const uint32_t priorities[] = { 0, 0, 3, 17, 40, 60 };

static int ep[DEPTH + 1];
static struct actor relay[DEPTH], echo[ECHOS], client[CLIENTS];
static uint64_t done, others, seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

/* Any CPUs but the first, which is core's. */
static void change(struct actor *a)
{
	uint64_t mask = 2 * (1 + random_below((1u << (cpus() - 1)) - 1));
	long err = set_sched(a->s.thread, priorities[random_below(6)], mask);

	if (err != -EPIPE && err != -EBUSY)	/* it has ended */
		KT_EQ(err, 0);
}

/*
 * All of them together may use a part of one CPU: who has a priority and never
 * waits would keep the kernel's own threads from it, and they free memory.
 */
static void ready(struct actor *a, const int *eps, unsigned int neps)
{
	struct pith_cpu_budget part = { KT_MS(2), KT_MS(40) };

	actor_prepare(a, 0, eps, neps);
	KT_EQ(kt_control(a->s.domain, PITH_OP_DOMAIN_CPU, &part), 0);
	KT_EQ(set_sched(a->s.thread, 0, others), 0);
}

static void client_start(struct actor *a)
{
	/* most from the far end, some in between */
	int at = random_below(2) ? 0 : random_below(DEPTH + 1);

	ready(a, &ep[at], 1);
	a->s.word[W_REPEAT] = ~0ull;
	if (random_below(3) == 0)
		a->s.word[W_DEADLINE] = kt_now() + KT_MS(random_below(300));
	ks_run(&a->s, ks_client, KS_DATA);
}

static void client_end(struct actor *a)
{
	done += a->s.word[W_COUNT];
	actor_end(a);
}

static uint64_t calls(void)
{
	uint64_t sum = done;

	for (int i = 0; i < CLIENTS; i++)
		sum += client[i].s.word[W_COUNT];
	return sum;
}

static void relay_start(int i)
{
	ready(&relay[i], &ep[i], 2);
	ks_run(&relay[i].s, ks_relay, KS_DATA);
}

static void servers_start(void)
{
	for (int i = 0; i < ECHOS; i++) {
		ready(&echo[i], &ep[DEPTH], 1);
		ks_run(&echo[i].s, ks_echo, KS_DATA);
	}
	for (int i = 0; i < DEPTH; i++)
		relay_start(i);
}

static void servers_end(void)
{
	for (int i = 0; i < DEPTH; i++)
		actor_end(&relay[i]);
	for (int i = 0; i < ECHOS; i++)
		actor_end(&echo[i]);
}

static void open_all(void)
{
	seed = 1;
	done = 0;
	others = (1u << cpus()) - 2;
	for (int i = 0; i <= DEPTH; i++)
		ep[i] = KT_FD(kt_ep_create());
	servers_start();
	for (int i = 0; i < CLIENTS; i++)
		client_start(&client[i]);
}

static void close_all(void)
{
	servers_end();
	for (int i = 0; i <= DEPTH; i++)
		kt_close(ep[i]);
}

static void change_any(void)
{
	uint32_t n = random_below(DEPTH + ECHOS + CLIENTS);

	if (n < DEPTH)
		change(&relay[n]);
	else if (n < DEPTH + ECHOS)
		change(&echo[n - DEPTH]);
	else
		change(&client[n - DEPTH - ECHOS]);
}

/* A client ends in the middle of whatever it does; another one comes. */
static void replace_client(void)
{
	struct actor *a = &client[random_below(CLIENTS)];

	client_end(a);
	client_start(a);
}

static void clients_end(void)
{
	for (int i = 0; i < CLIENTS; i++)
		client_end(&client[i]);
}

/* All idle servers have what is their own, and lend it to the next call. */
static void expect_quiet(void)
{
	for (int i = 0; i < DEPTH; i++)
		KT_EQ(set_sched(relay[i].s.thread, 0, others), 0);
	for (int i = 0; i < ECHOS; i++)
		KT_EQ(set_sched(echo[i].s.thread, 0, others), 0);
	for (int i = 0; i < DEPTH; i++)
		await_priority(&relay[i], 0);
	for (int i = 0; i < ECHOS; i++)
		await_priority(&echo[i], 0);
}

/* However slow the machine: until nothing was called for half a minute. */
static bool go_on(int round)
{
	static uint64_t end, seen;

	if (!round || calls() > seen)
		end = kt_now() + KT_MS(30000);
	seen = calls();
	return (round < ROUNDS || seen < CALLS) && kt_now() < end;
}

KT_CORE(sched_storm)
{
	if (cpus() < 2)
		return;		/* core would not run */
	open_all();
	for (int round = 0; go_on(round); round++) {
		for (int i = 0; i < 4; i++)
			change_any();
		if (round % 4 == 0)
			replace_client();
		kt_sleep(KT_MS(1));
	}
	clients_end();
	expect_quiet();
	if (done < CALLS)
		KT_FAIL("only %lu calls", done);
	close_all();
}

/* The same, and servers end and endpoints are revoked, each in the middle. */
KT_CORE(sched_storm_revoke)
{
	struct pith_revoke all = { 0 };

	if (cpus() < 2)
		return;
	open_all();
	for (int round = 0; round < 30; round++) {
		int at = random_below(DEPTH + 1);

		for (int i = 0; i < 20; i++)
			change_any();
		if (round % 3 == 0) {
			KT_EQ(kt_control(ep[at], PITH_OP_REVOKE, &all), 0);
			kt_close(ep[at]);
			ep[at] = KT_FD(kt_ep_create());
		}
		servers_end();
		servers_start();
		clients_end();
		for (int i = 0; i < CLIENTS; i++)
			client_start(&client[i]);
		kt_sleep(KT_MS(3));
	}
	clients_end();
	expect_quiet();
	close_all();
}
