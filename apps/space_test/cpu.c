// SPDX-License-Identifier: BSD-2-Clause
/* Threads in a child's space, their CPU session, and budgets of domains. */
#include <errno.h>
#include <string.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "kid.h"

#define PAGE		4096ull
#define SHARED		RM_SPACE_FIRST	/* counters, in the child */
#define STACKS		(RM_SPACE_FIRST + (1 << 30))
#define STACK_SIZE	(4 * PAGE)
#define THREADS		300		/* more than a space may have */
#define WINDOW		PITH_SEC(2)
#define SPARE_CAPS	4

static volatile uint64_t *shared;	/* the counters, here */

static void pause_ms(uint64_t ms)
{
	uint64_t end = pith_now() + PITH_MS(ms);

	while (pith_now() < end)
		ep_dispatch(&ep, end);
}

/* --- a child with threads ------------------------------------------------- */

struct team {
	struct kid kid;
	int shared_mem, stack_mem;
	uint64_t counter, leaver;	/* functions in the child */
};

static bool team_start(struct team *t, const struct session_quota *quota)
{
	struct rm_attach a = { .at = SHARED, .rights = PITH_R_READ | PITH_R_WRITE };
	int err = 0;

	t->shared_mem = a.mem = pith_mem_create(-1, PAGE, 0);
	shared = pith_map(a.mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!shared || !kid_start(&t->kid, quota))
		return false;
	err = rm_attach(&t->kid.map, &a) < 0;
	t->stack_mem = a.mem = pith_mem_create(-1, 4 * STACK_SIZE, 0);
	a.at = STACKS;
	err |= rm_attach(&t->kid.map, &a) < 0;
	err |= !kid_do(&t->kid, KID_COUNTER, 0, 0);
	t->counter = t->kid.result;
	err |= !kid_do(&t->kid, KID_LEAVER, 0, 0);
	t->leaver = t->kid.result;
	expect(!err, "a child to make threads in");
	return !err;
}

static void team_end(struct team *t)
{
	kid_end(&t->kid);
	pith_unmap((void *)shared, PAGE);
	pith_close(t->shared_mem);
	pith_close(t->stack_mem);
}

static int new_thread(const struct team *t)
{
	return pith_control(t->kid.space, PITH_OP_SPACE_THREAD, NULL);
}

/* Thread @i of the team: with a stack of its own and counter @i. */
static int start(int thread, uint64_t function, int i)
{
	struct pith_regs r = {
		.ip = function, .sp = STACKS + (i + 1) * STACK_SIZE - 8,
		.di = SHARED + 8 * i,
	};
	int err = pith_control(thread, PITH_OP_THREAD_SET_REGS, &r);

	return err ? err : pith_control(thread, PITH_OP_THREAD_RESUME, NULL);
}

static struct pith_thread_info info(int thread)
{
	struct pith_thread_info i = { 0 };

	pith_control(thread, PITH_OP_THREAD_INFO, &i);
	return i;
}

static bool ended(int thread)
{
	uint64_t end = pith_now() + PITH_SEC(10);

	while (info(thread).state != PITH_THREAD_ENDED && pith_now() < end)
		pause_ms(1);
	return info(thread).state == PITH_THREAD_ENDED;
}

/* --- CPU sessions --------------------------------------------------------- */

static bool cpu_open(struct session *s, const char *args, uint64_t caps)
{
	struct session_quota q = { .ram = 16384, .caps = caps };
	int err = env_session(s, "CPU", "team", args, &q,
			      pith_now() + PITH_SEC(5));

	expect(!err, "a CPU session");
	return !err;
}

static int sched(const struct session *s, int thread, uint64_t affinity,
		 uint32_t priority)
{
	struct cpu_sched req = {
		.affinity = affinity, .priority = priority, .name = "worker",
	};
	struct rpc r = {
		.req = &req, .req_len = sizeof(req), .caps = &thread, .ncaps = 1,
	};

	return rpc_call(s->cap, CPU_SCHED, &r, pith_now() + PITH_SEC(5));
}

/* Pause, look and change, go on; what it does and what it has used. */
static void test_control(void)
{
	struct pith_regs regs;
	struct team t;
	uint64_t seen;
	int thread;

	if (!team_start(&t, NULL))
		return;
	thread = new_thread(&t);
	expect(thread >= 0 && info(thread).state == PITH_THREAD_PAUSED,
	       "a thread");
	expect(!start(thread, t.counter, 0) &&
	       start(thread, t.counter, 0) == -EBUSY, "is started once");
	pause_ms(200);
	expect(shared[0] > 0 && info(thread).cpu_ns > 0, "and runs");
	expect(pith_control(thread, PITH_OP_THREAD_GET_REGS, &regs) == -EBUSY,
	       "registers of one that runs are not read");
	expect(!pith_control(thread, PITH_OP_THREAD_PAUSE, NULL), "pause");
	seen = shared[0];
	pause_ms(100);
	expect(shared[0] == seen &&
	       info(thread).state == PITH_THREAD_PAUSED, "it stands still");
	expect(!pith_control(thread, PITH_OP_THREAD_GET_REGS, &regs) &&
	       regs.ip - t.counter < 256, "where it stands");
	pith_control(thread, PITH_OP_THREAD_RESUME, NULL);
	pause_ms(200);
	expect(shared[0] > seen, "resume");
	pith_control(thread, PITH_OP_THREAD_PAUSE, NULL);
	pith_control(thread, PITH_OP_THREAD_GET_REGS, &regs);
	regs.ip = t.leaver;
	regs.sp = STACKS + STACK_SIZE - 8;
#if defined(__x86_64__)
	regs.di = SHARED + 16;
#elif defined(__aarch64__)
	regs.x[0] = SHARED + 16;
#endif
	expect(!pith_control(thread, PITH_OP_THREAD_SET_REGS, &regs) &&
	       !pith_control(thread, PITH_OP_THREAD_RESUME, NULL) &&
	       ended(thread) && shared[2] == 1, "it goes on where it is told to");
	expect(kid_do(&t.kid, KID_READ, SHARED + 16, 0) && t.kid.result == 1,
	       "the others of its space do not mind");
	pith_close(thread);
	team_end(&t);
}

/*
 * A thread that comes and goes, so that its space forgets all that ended before:
 * what the domain uses then.
 */
static uint64_t used_after_one(const struct team *t)
{
	struct pith_domain_info now = { 0 };
	int thread = new_thread(t);

	if (thread >= 0 && !start(thread, t->leaver, 3))
		ended(thread);
	pith_close(thread);
	pause_ms(50);
	pith_domain_info(t->kid.domain, &now);
	return now.ram_used;
}

static bool all_back(const struct team *t, uint64_t used)
{
	uint64_t end = pith_now() + PITH_SEC(10);

	while (used_after_one(t) > used)
		if (pith_now() > end)
			return false;
	return true;
}

/* As many as quota allows, and as many again once they have ended. */
static void test_many(void)
{
	static const struct session_quota quota = { .ram = 3 << 20, .caps = 60 };
	static int threads[THREADS];
	unsigned int first = 0;
	uint64_t used;
	struct team t;

	if (!team_start(&t, &quota))
		return;
	used_after_one(&t);
	pause_ms(300);
	used = used_after_one(&t);
	for (int round = 0; round < 3; round++) {
		unsigned int n = 0;
		bool good = true;

		while (n < THREADS && (threads[n] = new_thread(&t)) >= 0)
			n++;
		expect(n && n < THREADS && threads[n] == -EDQUOT,
		       "threads end with the quota");
		first = first ? first : n;
		/* one that ended is still known until the next one comes */
		expect(n + 2 >= first && n <= first + 2,
		       "there are as many again");
		shared[3] = 0;
		for (unsigned int i = 0; i < n; i++) {
			good = good && !start(threads[i], t.leaver, 3) &&
			       ended(threads[i]);
			pith_close(threads[i]);
		}
		expect(good && shared[3] == n, "each of them runs");
		expect(all_back(&t, used), "and gives all back");
	}
	log_line("threads for 3 MiB: %u", first);
	team_end(&t);
}

static void test_session(void)
{
	struct session s, other;
	int threads[SPARE_CAPS + 1], i;
	struct team t;

	if (!team_start(&t, NULL) ||
	    !cpu_open(&s, "affinity=1", CORE_SESSION_CAPS + SPARE_CAPS) ||
	    !cpu_open(&other, "", CORE_SESSION_CAPS + SPARE_CAPS))
		return;
	for (i = 0; i <= SPARE_CAPS; i++)
		threads[i] = new_thread(&t);
	for (i = 0; i < SPARE_CAPS; i++)
		expect(!sched(&s, threads[i], 0, 0), "SCHED");
	expect(sched(&s, threads[i], 0, 0) == -EDQUOT,
	       "as many threads as were paid for");
	expect(sched(&other, threads[0], 0, 0) == -EBUSY, "of one session");
	expect(sched(&s, threads[0], 2, 0) == -EINVAL, "on CPUs of the session");
	expect(sched(&s, t.kid.space, 0, 0) == -EINVAL &&
	       sched(&s, -1, 0, 0) == -EINVAL, "nothing but threads");
	start(threads[0], t.leaver, 0);
	expect(ended(threads[0]) && !sched(&s, threads[i], 0, 0),
	       "one that ended makes room");
	expect(sched(&other, threads[0], 0, 0) == -EPIPE, "and has ended");
	env_close(&s);
	expect(!sched(&other, threads[1], 0, 0), "a session that closes lets go");
	env_close(&other);
	for (i = 0; i <= SPARE_CAPS; i++)
		pith_close(threads[i]);
	team_end(&t);
}

/* --- several CPUs --------------------------------------------------------- */

/* From one to the other and back, while it runs. */
static void test_moves(void)
{
	struct session s;
	struct team t;
	int thread;

	if (!team_start(&t, NULL) || !cpu_open(&s, "", 10))
		return;
	thread = new_thread(&t);
	start(thread, t.counter, 0);
	for (uint32_t i = 0; i < 20; i++) {
		uint64_t seen, end = pith_now() + PITH_SEC(5);

		expect(!sched(&s, thread, 1 << i % 2, 0), "smp: SCHED");
		seen = shared[0];
		while ((shared[0] == seen || info(thread).cpu != i % 2) &&
		       pith_now() < end)
			pause_ms(1);
		expect(info(thread).cpu == i % 2 && shared[0] != seen,
		       "smp: a thread goes on on another CPU");
	}
	pith_close(thread);
	env_close(&s);
	team_end(&t);
}

/* What is detached is out of reach at once, on all CPUs: one of the two threads
 * is not on ours. */
static void test_tlb(void)
{
	struct session s;
	struct team t;
	uint64_t seen[2];
	int threads[2];

	for (int round = 0; round < 10; round++) {
		if (!team_start(&t, NULL) || !cpu_open(&s, "", 10))
			return;
		for (int i = 0; i < 2; i++) {
			threads[i] = new_thread(&t);
			expect(!sched(&s, threads[i], 1 << i, 0) &&
			       !start(threads[i], t.counter, i), "smp: a thread");
		}
		pause_ms(20);
		expect(shared[0] && shared[1], "smp: both run");
		rm_detach(&t.kid.map, SHARED);
		for (int i = 0; i < 2; i++)
			seen[i] = shared[i];
		expect(wait_for(&t.kid.exited) && t.kid.faults,
		       "smp: they fault");
		for (int i = 0; i < 2; i++) {
			expect(shared[i] == seen[i], "smp: no write comes after");
			pith_close(threads[i]);
		}
		env_close(&s);
		team_end(&t);
	}
}

/* --- time ----------------------------------------------------------------- */

/* Two on one CPU, the second @lower: what the first got for 10 of its. */
static uint64_t compare(const struct session *s, const int *threads,
			uint32_t lower)
{
	uint64_t was[2], ran[2];
	int i;

	sched(s, threads[0], 2, 0);
	sched(s, threads[1], 2, lower);
	pause_ms(50);
	for (i = 0; i < 2; i++)
		was[i] = info(threads[i]).cpu_ns;
	pause_ms(WINDOW / 1000000);
	for (i = 0; i < 2; i++)
		ran[i] = info(threads[i]).cpu_ns - was[i];
	return ran[1] ? 10 * ran[0] / ran[1] : 10000;
}

static void test_priority(void)
{
	struct session s;
	struct team t;
	int threads[2], i;
	uint64_t equal, lower;

	if (!team_start(&t, NULL) || !cpu_open(&s, "affinity=2", 10))
		return;
	for (i = 0; i < 2; i++) {
		threads[i] = new_thread(&t);
		sched(&s, threads[i], 0, 0);
		start(threads[i], t.counter, i);
	}
	/* a busy machine steals time from either: several tries */
	for (i = 0, equal = 0; i < 5 && (equal < 7 || equal > 14); i++)
		equal = compare(&s, threads, 0);
	for (i = 0, lower = 0; i < 5 && lower <= 18; i++)
		lower = compare(&s, threads, CPU_PRIORITY_MAX / 4);
	expect(info(threads[0]).cpu == 1 && info(threads[1]).cpu == 1, "affinity");
	expect(equal >= 7 && equal <= 14, "scale_priority: the same share");
	expect(lower > 18, "scale_priority: less time for a lower one");
	log_line("shares: equal 10:%llu, five levels lower 10:%llu",
		 (unsigned long long)(equal ? 100 / equal : 0),
		 (unsigned long long)(lower ? 100 / lower : 0));
	for (i = 0; i < 2; i++)
		pith_close(threads[i]);
	env_close(&s);
	team_end(&t);
}

static uint64_t cpu_ns(const struct kid *k)
{
	struct pith_space_info i = { 0 };

	pith_control(k->space, PITH_OP_SPACE_INFO, &i);
	return i.cpu_ns;
}

static int set_budget(const struct kid *k, uint64_t budget)
{
	struct pith_cpu_budget b = { .budget = budget, .period = PITH_MS(50) };

	return pith_control(k->domain, PITH_OP_DOMAIN_CPU, &b);
}

/*
 * Percent of one CPU that both use, which shall be @low to @high. What is overrun
 * when the machine itself stands still is paid back later: several tries.
 */
static uint64_t share(const struct kid *a, const struct kid *b, uint64_t low,
		      uint64_t high)
{
	uint64_t ran, at, percent = 0;

	for (int i = 0; i < 5 && (percent < low || percent > high); i++) {
		pause_ms(100);
		ran = cpu_ns(a) + cpu_ns(b);
		at = pith_now();
		pause_ms(WINDOW / 1000000);
		ran = cpu_ns(a) + cpu_ns(b) - ran;
		percent = 100 * ran / (pith_now() - at);
	}
	return percent;
}

/*
 * Our config says 40 percent for us and all that we start. What children have
 * less is theirs; together they do not have more, whatever we let them.
 */
void test_budget(void)
{
	struct pith_cpu_budget b = { .budget = 0 };
	struct kid k[2];
	uint64_t both, one;

	if (!kid_start(&k[0], NULL) || !kid_start(&k[1], NULL))
		return;
	expect(pith_control(PITH_SLOT_DOMAIN, PITH_OP_DOMAIN_CPU, &b) == -EPERM,
	       "nobody has a say in what he gets himself");
	kid_tell(&k[0], KID_BUSY, 0, 0);
	kid_tell(&k[1], KID_BUSY, 0, 0);
	both = share(&k[0], &k[1], 15, 46);
	expect(both >= 15 && both <= 46, "children share what their parent has");
	expect(!set_budget(&k[0], PITH_MS(5)) && !set_budget(&k[1], PITH_MS(5)),
	       "a parent gives its children less");
	one = share(&k[0], &k[1], 8, 25);
	expect(one >= 8 && one <= 25, "and they have no more");
	log_line("budgets: 40%% in all: %llu%%; 10%% each: %llu%%",
		 (unsigned long long)both, (unsigned long long)one);
	kid_end(&k[0]);
	kid_end(&k[1]);
}

void test_cpu(void)
{
	test_control();
	test_many();
	test_session();
	test_moves();
	test_tlb();
	test_priority();
}
