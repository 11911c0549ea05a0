// SPDX-License-Identifier: BSD-2-Clause
/* CPU budgets: what a domain's threads run for in all, by the kernel's account. */
#include "actor.h"

#define MS		1000000ull
#define WINDOW		(2000 * MS)

static long set_budget(int domain, uint64_t budget, uint64_t period)
{
	struct pith_cpu_budget b = { budget, period };

	return kt_control(domain, PITH_OP_DOMAIN_CPU, &b);
}

KT_CORE(budget_args)
{
	int d = kt_domain(0, 0), charge = KT_FD(kt_mint(d, PITH_R_CHARGE));

	KT_EQ(set_budget(d, 1, 100 * MS), -EINVAL);
	KT_EQ(set_budget(d, 99999, 100 * MS), -EINVAL);
	KT_EQ(set_budget(d, ~0ull, 100 * MS), -EINVAL);
	KT_EQ(set_budget(d, 10 * MS, 999999), -EINVAL);
	KT_EQ(set_budget(d, 10 * MS, 1000 * MS + 1), -EINVAL);
	KT_EQ(set_budget(d, 10 * MS, 0), -EINVAL);
	KT_EQ(set_budget(charge, 10 * MS, 100 * MS), -EPERM);
	KT_EQ(kt_control(d, PITH_OP_DOMAIN_CPU, NULL), -EFAULT);
	KT_EQ(set_budget(d, 100000, MS), 0);
	KT_EQ(set_budget(d, 0, 0), 0);
	kt_close(charge);
	kt_domain_end(d);
}

static void spin(uint64_t ns)
{
	uint64_t end = kt_now() + ns;

	while (kt_now() < end)
		;
}

static void spin_on(void *arg)
{
	(void)arg;
	for (;;)
		kt_report->shared[1]++;
}

KT_ROLE(budget_spins)
{
	kt_report->shared[0] = 1;
	spin_on(NULL);
}

KT_ROLE(budget_spins_twice)
{
	struct kt_thread t = { 0 };

	kt_thread_start(&t, spin_on, NULL);
	kt_report->shared[0] = 1;
	spin_on(NULL);
}

/* Is asleep whenever a tick could find it running. */
KT_ROLE(budget_dodges)
{
	kt_report->shared[0] = 1;
	for (;;) {
		spin(300000);
		kt_sleep(1000);
	}
}

#define MANY	100

static void spin_when_told(void *arg)
{
	while (!kt_report->shared[0])
		kt_sleep(MS);
	spin_on(arg);
}

KT_ROLE(budget_spins_manifold)
{
	static struct kt_thread t[MANY];

	for (int i = 0; i < MANY; i++)
		kt_thread_start(&t[i], spin_when_told, NULL);
	kt_report->shared[0] = 1;
	spin_on(NULL);
}

static uint64_t cpu_ns(struct kt_child *c)
{
	return kt_space_info(c->space).cpu_ns;
}

/* Per cent of one CPU that the child uses in a while. */
static uint64_t share(struct kt_child *c)
{
	uint64_t t = kt_now(), ns = cpu_ns(c);

	kt_sleep(WINDOW);
	ns = cpu_ns(c) - ns;
	return 100 * ns / (kt_now() - t);
}

static void check_share(const char *role)
{
	struct kt_child c = kt_start(role, NULL, 0);
	uint64_t percent;

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(set_budget(c.domain, 10 * MS, 50 * MS), 0);
	kt_sleep(100 * MS);
	percent = share(&c);
	if (percent < 10 || percent > 23)
		KT_FAIL("%s: %lu%% of a CPU, not 20%%", role, percent);
	/* without a limit it gets what there is */
	KT_EQ(set_budget(c.domain, 0, 0), 0);
	percent = share(&c);
	if (percent < 30)
		KT_FAIL("%s: only %lu%% of a CPU", role, percent);
	kt_kill(&c);
	kt_finish(&c);
}

KT_CORE(budget_holds)
{
	check_share("budget_spins");
}

KT_CORE(budget_of_all_threads)
{
	check_share("budget_spins_twice");
}

KT_CORE(budget_is_not_sampled)
{
	check_share("budget_dodges");
}

/* To wake up for nothing is not free, and may not be had each period by each
 * thread of a domain that is in debt. */
KT_CORE(budget_of_many_threads)
{
	int d = kt_domain(4 * KT_CHILD_RAM, 4 * KT_CHILD_CAPS);
	struct kt_child c = kt_start_in(d, "budget_spins_manifold", NULL, 0);
	uint64_t percent;

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(set_budget(d, MS / 10, MS), 0);
	kt_sleep(500 * MS);
	percent = share(&c);
	if (percent > 40)	/* it was 137 */
		KT_FAIL("%lu%% of a CPU, not 10%%", percent);
	KT_EQ(set_budget(d, 0, 0), 0);
	percent = share(&c);
	if (percent < 30)
		KT_FAIL("no limit: only %lu%% of a CPU", percent);
	kt_kill(&c);
	kt_finish(&c);
}

/* Who waits for a budget that is too small does not wait for a larger one. */
KT_CORE(budget_raised)
{
	struct kt_child c = kt_start("budget_spins", NULL, 0);
	volatile uint64_t *turns = &kt_report->shared[1];
	uint64_t t, seen;

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(set_budget(c.domain, MS / 10, 1000 * MS), 0);
	do {
		seen = *turns;
		kt_sleep(50 * MS);
	} while (*turns != seen);
	KT_EQ(set_budget(c.domain, 500 * MS, 1000 * MS), 0);
	t = kt_now();
	while (*turns == seen && kt_now() - t < 700 * MS)
		kt_sleep(MS);
	KT_TRUE(*turns != seen);
	kt_kill(&c);
	kt_finish(&c);
}

/* A budget that is set again is not a new one: what was used of it stays so. */
KT_CORE(budget_set_again)
{
	struct kt_child c = kt_start("budget_spins", NULL, 0);
	uint64_t t, ns, percent;

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(set_budget(c.domain, 10 * MS, 100 * MS), 0);
	kt_sleep(200 * MS);
	t = kt_now();
	ns = cpu_ns(&c);
	for (int i = 0; kt_now() - t < WINDOW; i++) {
		KT_EQ(set_budget(c.domain, (10 + i % 2) * MS, 100 * MS), 0);
		kt_sleep(5 * MS);
	}
	percent = 100 * (cpu_ns(&c) - ns) / (kt_now() - t);
	if (percent < 5 || percent > 15)
		KT_FAIL("%lu%% of a CPU, not 10%%", percent);
	kt_kill(&c);
	kt_finish(&c);
}

/* One that waits for its next period can be killed. */
KT_CORE(budget_kill)
{
	struct kt_child c = kt_start("budget_spins", NULL, 0);
	uint64_t t;

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(set_budget(c.domain, 100000, 1000 * MS), 0);
	kt_sleep(50 * MS);
	t = kt_now();
	kt_kill(&c);
	kt_finish(&c);
	KT_TRUE(kt_now() - t < 700 * MS);
}

/* Of domains that are made from one: each its own, and all of them that one's. */
KT_CORE(budget_of_all_below)
{
	int top = kt_domain(2 * KT_CHILD_RAM, 2 * KT_CHILD_CAPS), below[2];
	struct kt_child c[2];
	uint64_t percent;

	for (int i = 0; i < 2; i++) {
		below[i] = KT_FD(kt_control(top, PITH_OP_DOMAIN_CREATE, NULL));
		KT_EQ(kt_transfer(top, below[i], KT_CHILD_RAM, KT_CHILD_CAPS),
		      0);
		c[i] = kt_start_in(below[i], "budget_spins", NULL, 0);
	}
	KT_EQ(set_budget(top, 10 * MS, 50 * MS), 0);
	kt_sleep(100 * MS);
	percent = share(&c[0]) + share(&c[1]);
	if (percent < 10 || percent > 28)
		KT_FAIL("two below: %lu%% of a CPU, not 20%%", percent);
	KT_EQ(set_budget(below[0], 1 * MS, 50 * MS), 0);
	kt_sleep(100 * MS);
	percent = share(&c[0]);
	if (percent > 5)
		KT_FAIL("one below: %lu%% of a CPU, not 2%%", percent);
	KT_EQ(set_budget(top, 0, 0), 0);
	percent = share(&c[1]);
	if (percent < 30)
		KT_FAIL("no limit: only %lu%% of a CPU", percent);
	for (int i = 0; i < 2; i++) {
		kt_kill(&c[i]);
		kt_finish(&c[i]);
	}
	kt_domain_end(top);
}

/* Domains in one another as deep as it goes, each with a budget; who runs at
 * the bottom keeps to each of them, and is in nobody's way. */
#define DEEPEST		64

KT_CORE(budget_deep_chain)
{
	int d[DEEPEST], ep = KT_FD(kt_ep_create());
	struct actor server, client;
	struct kt_child c;
	uint64_t percent;

	for (int i = 0; i < DEEPEST; i++) {
		d[i] = KT_FD(kt_control(i ? d[i - 1] : kt_root,
					PITH_OP_DOMAIN_CREATE, NULL));
		KT_EQ(set_budget(d[i], 10 * MS, 50 * MS), 0);
	}
	KT_EQ(kt_control(d[DEEPEST - 1], PITH_OP_DOMAIN_CREATE, NULL), -EINVAL);
	KT_EQ(kt_transfer(kt_root, d[DEEPEST - 1], KT_CHILD_RAM,
			  KT_CHILD_CAPS), 0);
	c = kt_start_in(d[DEEPEST - 1], "budget_dodges", NULL, 0);
	kt_await_word(&kt_report->shared[0], 1);
	percent = share(&c);
	if (percent < 5 || percent > 23)
		KT_FAIL("%lu%% of a CPU, not 20%%", percent);
	actor_start(&server, ks_echo, 0, &ep, 1);
	actor_prepare(&client, 50, &ep, 1);
	client.s.word[W_REPEAT] = 1000;
	ks_run(&client.s, ks_client, KS_DATA);
	kt_await_word(&client.s.word[W_COUNT], 1000);
	actor_end(&client);
	actor_end(&server);
	/* from the middle, and from the top */
	for (int i = DEEPEST / 2; i >= 0; i -= DEEPEST / 2) {
		KT_EQ(set_budget(d[i], 1 * MS, 50 * MS), 0);
		kt_sleep(100 * MS);
		percent = share(&c);
		if (percent > 5)
			KT_FAIL("%d: %lu%% of a CPU, not 2%%", i, percent);
		KT_EQ(set_budget(d[i], 10 * MS, 50 * MS), 0);
	}
	kt_kill(&c);
	kt_finish(&c);		/* the lowest domain with it */
	for (int i = DEEPEST - 1; i--;)
		kt_domain_end(d[i]);
	kt_close(ep);
}

/*
 * A server whose domain has used its budget up answers nobody, however urgent;
 * its caller's deadline holds. The one that uses it up is another thread.
 */
KT_CORE(budget_of_server)
{
	int ep = KT_FD(kt_ep_create()), spinner;
	struct actor server, client;
	uint64_t before, received, end = KT_LATER;

	actor_start(&server, ks_echo, 0, &ep, 1);
	await_waiting(&server);
	spinner = KT_FD(kt_control(server.s.space, PITH_OP_SPACE_THREAD, NULL));
	ks_load(&server.s, 1024, ks_spin);
	KT_EQ(ks_start(spinner, KS_CODE + 1024, KS_DATA + 1024), 0);
	/* Into debt for many periods. Each try begins without a budget: periods
	 * begin in step with the ticks, and what is used to the next one would be
	 * too little again and again. */
	do {
		KT_NEED(kt_now() < end);
		KT_EQ(set_budget(server.s.domain, 0, 0), 0);
		kt_sleep(20 * MS);
		before = ks_info(&server.s).cpu_ns;
		KT_EQ(set_budget(server.s.domain, 100000, 1000 * MS), 0);
		kt_sleep(50 * MS);
	} while (ks_info(&server.s).cpu_ns - before < 2 * MS);
	received = server.s.word[W_COUNT];
	actor_prepare(&client, 50, &ep, 1);
	client.s.word[W_DEADLINE] = kt_now() + 300 * MS;
	ks_run(&client.s, ks_client, KS_DATA);
	kt_await_word(&client.s.word[W_COUNT], 1);
	KT_EQ((long)client.s.word[W_RESULT], -ETIMEDOUT);
	KT_EQ(server.s.word[W_COUNT], received);
	KT_EQ(ks_thread_info(server.s.thread).receives, received + 1);
	actor_end(&client);
	KT_EQ(set_budget(server.s.domain, 0, 0), 0);
	actor_start(&client, ks_client, 0, &ep, 1);
	kt_await_word(&client.s.word[W_COUNT], 1);
	KT_EQ((long)client.s.word[W_RESULT], 0);
	actor_end(&client);
	kt_close(spinner);
	actor_end(&server);
	kt_close(ep);
}
