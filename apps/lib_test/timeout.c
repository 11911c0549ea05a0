// SPDX-License-Identifier: BSD-2-Clause
/* Timers of an entrypoint: never early, in order, whatever handlers do to them. */
#include <string.h>
#include "lib_test.h"

#define TIMERS	64u

struct timeout {
	struct ep_timer timer;
	uint64_t due;
	volatile uint64_t fired;
	unsigned int place;		/* the how many-th it was */
	struct timeout *other;		/* to be cancelled, or set */
	uint64_t period;
};

static unsigned int places;
static bool early;

static void note(struct timeout *t)
{
	early |= pith_now() < t->due;
	t->fired++;
	t->place = places++;
}

static void fire(void *ctx)
{
	note(ctx);
}

static void set(struct timeout *t, void (*fn)(void *), uint64_t in_us)
{
	t->timer.fire = fn;
	t->timer.ctx = t;
	t->due = pith_now() + 1000 * in_us;
	ep_timer_set(&ep, &t->timer, t->due);
}

static void test_order(void)
{
	static struct timeout t[TIMERS];
	unsigned int i, wrong = 0;

	memset(t, 0, sizeof(t));
	/* set in an order that has nothing to do with when they are due */
	for (i = 0; i < TIMERS; i++)
		set(&t[i * 37 % TIMERS], fire, 20000 + 1000 * (i * 37 % TIMERS));
	expect(!wait_until(&t[0].fired, 2, 5), "not before it is time");
	for (i = 0; i < TIMERS; i++)
		expect(wait_until(&t[i].fired, 1, 5000), "each fires");
	for (i = 1; i < TIMERS; i++)
		wrong += t[i].place != t[i - 1].place + 1;
	expect(!wrong, "in the order of their times");
	expect(!early, "never early");
	wait_until(&t[0].fired, 2, 50);
	expect(t[0].fired == 1 && t[0].timer.at == PITH_NO_DEADLINE, "once");
	/* those of one time in the order of being set */
	for (i = 0; i < 4; i++)
		set(&t[i], fire, 0);
	for (i = 0; i < 4; i++)
		ep_timer_set(&ep, &t[i].timer, t[0].due);
	wait_until(&t[3].fired, 2, 1000);
	expect(t[1].place == t[0].place + 1 && t[3].place == t[2].place + 1,
	       "of the same time: first come");
}

static void cancel_other(void *ctx)
{
	struct timeout *t = ctx;

	note(t);
	ep_timer_cancel(&ep, &t->other->timer);
}

static void set_other(void *ctx)
{
	struct timeout *t = ctx;

	note(t);
	set(t->other, fire, 0);
}

static void again(void *ctx)
{
	struct timeout *t = ctx;

	note(t);
	t->due += t->period;
	ep_timer_set(&ep, &t->timer, t->due);
}

static void test_changes(void)
{
	struct timeout a = { .fired = 0 }, b = { .fired = 0 };

	set(&a, fire, 10000);
	ep_timer_cancel(&ep, &a.timer);
	ep_timer_cancel(&ep, &a.timer);
	expect(!wait_until(&a.fired, 1, 50), "cancelled, twice");
	set(&a, fire, 60000000);
	set(&a, fire, 1000);
	expect(wait_until(&a.fired, 1, 5000), "set again: sooner");
	set(&a, fire, 1000);
	set(&a, fire, 100000);
	expect(!wait_until(&a.fired, 2, 30) && wait_until(&a.fired, 2, 5000),
	       "set again: later");
	a.other = &b;
	set(&b, fire, 1000);
	set(&a, cancel_other, 0);
	expect(wait_until(&a.fired, 3, 5000) && !wait_until(&b.fired, 1, 50),
	       "cancelled by another, when both are due or nearly");
	set(&a, set_other, 0);
	expect(wait_until(&b.fired, 1, 5000), "set by another");
	expect(!early, "none of them early");
}

/* Periods that were missed are made up for, so that it does not drift. */
static void test_periodic(void)
{
	struct timeout t = { .period = PITH_MS(10) };
	uint64_t begin = pith_now(), took;

	set(&t, again, 10000);
	expect(wait_until(&t.fired, 50, 20000), "periodic");
	took = (pith_now() - begin) / 1000000;
	expect(took >= 499 && took < 3000, "no faster, and it does not drift");
	ep_timer_cancel(&ep, &t.timer);
	expect(!wait_until(&t.fired, 51, 50), "until it is cancelled");
	log_line("50 periods of 10 ms took %llu ms", (unsigned long long)took);
}

/* --- with signals, and inside handlers ---------------------------------------- */

static volatile uint64_t signals;

static void signalled(void *ctx, uint64_t count)
{
	signals += count;
	pith_signal(*(int *)ctx, 1);		/* there is always another */
}

static void dispatches(void *ctx)
{
	struct timeout *t = ctx;

	note(t);
	set(t->other, fire, 1000);
	wait_until(&t->other->fired, 1, 5000);
}

static void test_among_signals(void)
{
	struct timeout a = { .fired = 0 }, b = { .fired = 0 };
	uint64_t badge;
	int n = ep_new_notification(&ep, signalled, &n, &badge);

	set(&a, fire, 20000);
	pith_signal(n, 1);
	expect(wait_until(&a.fired, 1, 5000), "signals do not keep timers off");
	expect(signals > 1, "nor timers signals");
	a.other = &b;
	set(&a, dispatches, 0);
	expect(wait_until(&a.fired, 2, 5000) && b.fired == 1 &&
	       b.place == a.place + 1, "a handler waits for another timer");
	/* a timer that is always due leaves the time limit of a wait alone */
	a.period = 0;
	set(&a, again, 0);
	expect(!wait_until(&b.fired, 2, 50), "nor a timer deadlines");
	ep_timer_cancel(&ep, &a.timer);
	ep_remove(&ep, badge);
	pith_close(n);
}

void test_timeout(void)
{
	test_order();
	test_changes();
	test_periodic();
	test_among_signals();
}
