// SPDX-License-Identifier: BSD-2-Clause
/* timer_test: the Timer service from a client's side. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <session/timer.h>

static struct entrypoint ep;
static struct session timer;
static uint64_t signals;	/* counts of all so far */
static int failures;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	failures++;
}

static void signalled(void *ctx, uint64_t count)
{
	(void)ctx;
	signals += count;
}

static int set(enum timer_method how, uint64_t us)
{
	struct timer_us req = { .us = us };

	return rpc_simple(timer.cap, how, &req, sizeof(req), NULL, 0,
			  pith_now() + PITH_SEC(5));
}

static uint64_t elapsed_us(void)
{
	struct timer_us rep = { 0 };

	expect(!rpc_simple(timer.cap, TIMER_ELAPSED, NULL, 0, &rep, sizeof(rep),
			   pith_now() + PITH_SEC(5)), "ELAPSED answers");
	return rep.us;
}

/* Let signals come for @ms, or until there are @count: ms that took. */
static uint64_t wait_for(uint64_t count, uint64_t ms)
{
	uint64_t start = pith_now(), end = start + PITH_MS(ms);

	while (signals < count && ep_dispatch(&ep, end) > 0)
		;
	return (pith_now() - start) / 1000000;
}

static void test_once(void)
{
	uint64_t before = elapsed_us(), ms;

	signals = 0;
	expect(!set(TIMER_TRIGGER_ONCE, 200000), "TRIGGER_ONCE");
	ms = wait_for(1, 5000);
	expect(signals == 1 && ms >= 199, "once, and never early");
	expect(elapsed_us() - before >= 200000, "ELAPSED goes on meanwhile");
	wait_for(2, 500);
	expect(signals == 1, "once only");
	set(TIMER_TRIGGER_ONCE, 0);
	wait_for(2, 2000);
	expect(signals == 2, "0: at once");
}

static void test_periodic(void)
{
	uint64_t ms;

	signals = 0;
	expect(!set(TIMER_TRIGGER_PERIODIC, 20000), "TRIGGER_PERIODIC");
	ms = wait_for(50, 20000);
	expect(signals >= 50 && ms >= 999, "50 periods are not over early");
	/* what a busy machine misses is counted: no drift */
	expect(signals - 50 <= ms / 20 && ms < 1000 + 2000,
	       "nor do they drift away");
	expect(!set(TIMER_TRIGGER_PERIODIC, 0), "and end");
	wait_for(UINT64_MAX, 50);
	signals = 0;
	wait_for(1, 300);
	expect(!signals, "for good");
}

static void test_replaced(void)
{
	signals = 0;
	set(TIMER_TRIGGER_PERIODIC, 10000);
	set(TIMER_TRIGGER_ONCE, 100000);
	wait_for(UINT64_MAX, 400);
	expect(signals == 1, "the last trigger counts");
}

static void test_errors(void)
{
	struct session poor;
	struct session_quota q = { .ram = 0, .caps = 0 };

	expect(set(TIMER_TRIGGER_PERIODIC, 999) == -EINVAL, "period too short");
	expect(set(TIMER_TRIGGER_ONCE, TIMER_US_MAX + 1) == -EINVAL, "too long");
	expect(rpc_simple(timer.cap, TIMER_SIGH, NULL, 0, NULL, 0,
			  pith_now() + PITH_SEC(5)) == -EINVAL, "no notification");
	expect(rpc_simple(timer.cap, 99, NULL, 0, NULL, 0,
			  pith_now() + PITH_SEC(5)) == -ENOSYS, "no method");
	expect(env_session(&poor, "Timer", "", "", &q,
			   pith_now() + PITH_SEC(5)) == -EDQUOT, "no donation");
}

int component_main(void)
{
	uint64_t badge;
	int n, err;
	struct rpc r = { .caps = &n, .ncaps = 1 };

	err = ep_init(&ep);
	n = ep_new_notification(&ep, signalled, NULL, &badge);
	if (!err)
		err = env_session(&timer, "Timer", "", "", NULL,
				  pith_now() + PITH_SEC(10));
	if (!err)
		err = rpc_call(timer.cap, TIMER_SIGH, &r,
			       pith_now() + PITH_SEC(5));
	if (err)
		env_fatal("no timer: %s", strerror(-err));
	test_once();
	test_periodic();
	test_replaced();
	test_errors();
	log_line(failures ? "timer_test: %d failures" : "timer_test: PASS",
		 failures);
	return failures != 0;
}
