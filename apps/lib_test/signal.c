// SPDX-License-Identifier: BSD-2-Clause
/* Signals: what is counted arrives once, at whom it is for, and nowhere else. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "lib_test.h"

#define FAST		20000u	/* signals of a fast sender */
#define SENDERS		8u
#define CONTEXTS	200u
#define ROUNDS		2000u	/* of contexts that come and go */
#define DEEP		10u

/* A context: what its signals are counted in. */
struct context {
	uint64_t badge;
	int notification;
	volatile uint64_t count;	/* of signals */
	uint64_t calls;			/* of its handler */
	bool gone;			/* nothing may come any more */
	uint64_t pause_us;		/* how slow its handler is */
};

static void counted(void *ctx, uint64_t count)
{
	struct context *c = ctx;

	c->count += count;
	c->calls++;
	expect(!c->gone, "no signal for a context that is gone");
	if (c->pause_us) {
		uint64_t end = pith_now() + c->pause_us * 1000;

		while (pith_now() < end)
			;
	}
}

static bool context_make(struct context *c, ep_notify_fn fn)
{
	memset(c, 0, sizeof(*c));
	c->notification = ep_new_notification(&ep, fn, c, &c->badge);
	expect(c->notification >= 0, "a context");
	return c->notification >= 0;
}

static void context_end(struct context *c)
{
	ep_remove(&ep, c->badge);
	pith_close(c->notification);
	c->gone = true;
}

/* A thread that signals @n times, each time one of @to. */
struct sender {
	pthread_t thread;
	int to[CONTEXTS];
	unsigned int contexts, n;
	uint64_t pause_us;
	volatile bool stop;
	uint64_t sent, refused;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;
	uint64_t until;

	for (unsigned int i = 0; i < s->n && !s->stop; i++) {
		if (pith_signal(s->to[i % s->contexts], 1))
			s->refused++;
		else
			s->sent++;
		until = s->pause_us ? pith_now() + 1000 * s->pause_us : 0;
		while (pith_now() < until)
			;
	}
	return arg;
}

static bool sender_start(struct sender *s, unsigned int n)
{
	bool good;

	s->n = n;
	good = !pthread_create(&s->thread, NULL, send_all, s);
	expect(good, "a thread");
	return good;
}

static void sender_end(struct sender *s)
{
	void *result;

	pthread_join(s->thread, &result);
	expect(!s->refused, "each signal is taken");
}

/* --- 1: a fast sender -------------------------------------------------------------- */

/* The receiver is slower: it has fewer turns, and misses none. */
static void fast_sender(void)
{
	struct context c;
	struct sender s = { .contexts = 1 };

	if (!context_make(&c, counted))
		return;
	c.pause_us = 100;
	s.to[0] = c.notification;
	if (!sender_start(&s, FAST))
		return;
	expect(wait_until(&c.count, FAST, 60000), "fast sender: all arrive");
	sender_end(&s);
	wait_until(&c.count, UINT64_MAX, 50);
	expect(c.count == FAST, "fast sender: and no more");
	expect(c.calls < FAST / 2, "fast sender: many at once");
	log_line("%u signals in %llu turns", FAST, (unsigned long long)c.calls);
	context_end(&c);
}

/* --- 2: many senders --------------------------------------------------------------- */

static void many_senders(void)
{
	static struct sender s[SENDERS];
	struct context own[SENDERS], all;
	bool good = context_make(&all, counted);
	unsigned int i;

	memset(s, 0, sizeof(s));
	for (i = 0; i < SENDERS && good; i++) {
		good = context_make(&own[i], counted);
		s[i].contexts = 2;
		s[i].to[0] = own[i].notification;
		s[i].to[1] = all.notification;
		good = good && sender_start(&s[i], FAST);
	}
	if (!good)
		return;
	expect(wait_until(&all.count, SENDERS * FAST / 2, 60000),
	       "many senders: all arrive at one");
	for (i = 0; i < SENDERS; i++) {
		sender_end(&s[i]);
		expect(wait_until(&own[i].count, FAST / 2, 10000),
		       "many senders: and at each");
		context_end(&own[i]);
	}
	context_end(&all);
}

/* --- 3: lazy receivers and senders --------------------------------------------------- */

/* Nobody waits when it comes, and not in the order in which it came. */
static void lazy_receivers(void)
{
	struct entrypoint other;
	struct context a, b, late;
	struct sender slow = { .contexts = 1, .pause_us = 20000 };
	uint64_t badge;
	int n;

	if (!context_make(&a, counted) || !context_make(&b, counted) ||
	    ep_init(&other))
		return;
	memset(&late, 0, sizeof(late));
	n = pith_notif_create();
	pith_signal(n, 3);
	badge = (uint64_t)ep_add(&other, NULL, counted, &late);
	pith_signal(a.notification, 5);
	pith_signal(b.notification, 7);
	pith_signal(n, 4);
	pith_notif_bind(n, other.ep, badge);
	expect(ep_dispatch(&other, pith_now() + PITH_SEC(5)) == 1 &&
	       late.count == 7 && late.calls == 1,
	       "lazy: counted before it was bound, received first");
	expect(!ep_dispatch(&other, pith_now()), "lazy: once");
	expect(!a.count && !b.count, "lazy: nothing comes by itself");
	wait_until(&b.count, 7, 5000);
	wait_until(&a.count, 5, 5000);
	expect(a.count == 5 && a.calls == 1 && b.count == 7 && b.calls == 1,
	       "lazy: each once, with all that it had");
	/* bound elsewhere while something is pending */
	pith_signal(n, 2);
	late.count = 0;
	pith_notif_bind(n, -1, 0);
	expect(!ep_dispatch(&other, pith_now() + PITH_MS(20)) && !late.count,
	       "lazy: not where it is bound no more");
	pith_notif_bind(n, other.ep, badge);
	expect(ep_dispatch(&other, pith_now() + PITH_SEC(5)) == 1 &&
	       late.count == 2, "lazy: kept until it is bound again");
	slow.to[0] = a.notification;
	a.count = a.calls = 0;
	if (sender_start(&slow, 20)) {
		expect(wait_until(&a.count, 20, 20000), "lazy sender");
		sender_end(&slow);
	}
	pith_close(n);
	ep_remove(&other, badge);
	pith_close(other.ep);
	context_end(&a);
	context_end(&b);
}

/* --- 4: contexts come and go ----------------------------------------------------------- */

static void contexts_come_and_go(void)
{
	struct pith_domain_info before;
	struct context c, next;
	uint64_t first;

	if (!context_make(&c, counted))
		return;
	first = c.badge;
	context_end(&c);
	before = usage();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (!context_make(&c, counted))
			return;
		pith_signal(c.notification, 1);
		if (i % 2)
			wait_until(&c.count, 1, 1000);
		context_end(&c);
		expect(c.calls == i % 2, "contexts: a signal that was waited for");
	}
	expect(c.badge != first, "contexts: no badge comes again");
	/* what was signalled before its end is for nobody, least of all the next */
	context_make(&c, counted);
	pith_signal(c.notification, 1);
	ep_remove(&ep, c.badge);
	c.gone = true;
	context_make(&next, counted);
	expect((next.badge & 0xffff) == (c.badge & 0xffff), "contexts: its slot");
	wait_until(&next.count, 1, 50);
	expect(!next.count && !c.count, "contexts: not its signal");
	pith_close(c.notification);
	context_end(&next);
	expect(usage_same(&before), "contexts: nothing is left of them");
}

/* --- 5: removed while it is signalled ------------------------------------------------------ */

static void ends_itself(void *ctx, uint64_t count)
{
	counted(ctx, count);
	context_end(ctx);
}

static void synchronised_destruction(void)
{
	static struct sender s;
	struct context c;
	void *result;

	for (unsigned int i = 0; i < 100; i++) {
		memset(&s, 0, sizeof(s));
		if (!context_make(&c, i % 2 ? ends_itself : counted))
			return;
		s.contexts = 1;
		s.to[0] = pith_mint(c.notification, PITH_R_SIGNAL);
		if (!sender_start(&s, UINT32_MAX))
			return;
		ep_dispatch(&ep, pith_now() + PITH_SEC(5));
		if (!(i % 2))
			context_end(&c);
		/* more of them come now, for nobody */
		for (unsigned int n = 0; n < 3; n++)
			ep_dispatch(&ep, pith_now() + PITH_MS(1));
		s.stop = true;
		pthread_join(s.thread, &result);
		pith_close(s.to[0]);
		expect(c.gone && c.calls == 1, "destruction: it was signalled once");
	}
}

/* --- 6: one handler, many contexts ------------------------------------------------------------ */

static void many_contexts(void)
{
	static struct context c[CONTEXTS];
	static struct sender s;
	uint64_t all = 0;

	memset(&s, 0, sizeof(s));
	s.contexts = CONTEXTS;
	for (unsigned int i = 0; i < CONTEXTS; i++) {
		if (!context_make(&c[i], counted))
			return;
		s.to[i] = c[i].notification;
	}
	if (!sender_start(&s, 50 * CONTEXTS))
		return;
	for (unsigned int i = 0; i < CONTEXTS; i++)
		expect(wait_until(&c[i].count, 50, 60000),
		       "many contexts: each has its own");
	sender_end(&s);
	for (unsigned int i = 0; i < CONTEXTS; i++) {
		all += c[i].count;
		context_end(&c[i]);
	}
	expect(all == s.sent, "many contexts: all of them");
}

/* --- 7, 8: handlers that dispatch -------------------------------------------------------------- */

struct nest {
	struct context c[DEEP];
	unsigned int depth, deepest;
	unsigned int order[DEEP], ended;	/* which ended when */
	bool stress;
};

static struct nest nest;

/* Goes on when the next one has: the last of them first. */
static void dispatches(void *ctx, uint64_t count)
{
	struct context *c = ctx, *next = c + 1;
	unsigned int i = (unsigned int)(c - nest.c);

	c->count += count;
	c->calls++;
	nest.depth++;
	if (nest.depth > nest.deepest)
		nest.deepest = nest.depth;
	if (nest.stress) {
		if (nest.depth < DEEP)
			ep_dispatch(&ep, pith_now());
	} else if (i + 1 < DEEP) {
		pith_signal(next->notification, 1);
		wait_until(&next->count, 1, 5000);
	}
	if (nest.ended < DEEP)
		nest.order[nest.ended++] = i;
	nest.depth--;
}

static bool nest_make(bool stress)
{
	memset(&nest, 0, sizeof(nest));
	nest.stress = stress;
	for (unsigned int i = 0; i < DEEP; i++)
		if (!context_make(&nest.c[i], dispatches))
			return false;
	return true;
}

static void nest_end(void)
{
	for (unsigned int i = 0; i < DEEP; i++)
		context_end(&nest.c[i]);
}

static void nested_dispatch(void)
{
	bool good = true;

	if (!nest_make(false))
		return;
	pith_signal(nest.c[0].notification, 1);
	expect(ep_dispatch(&ep, pith_now() + PITH_SEC(5)) == 1,
	       "nested: one dispatch");
	for (unsigned int i = 0; i < DEEP; i++)
		good = good && nest.c[i].calls == 1 &&
		       nest.order[i] == DEEP - 1 - i;
	expect(good && nest.deepest == DEEP, "nested: the innermost ends first");
	nest_end();
}

static void nested_stress(void)
{
	static struct sender s[4];
	uint64_t sent = 0, got = 0, end = pith_now() + PITH_SEC(60);

	if (!nest_make(true))
		return;
	memset(s, 0, sizeof(s));
	for (unsigned int i = 0; i < 4; i++) {
		s[i].contexts = DEEP;
		for (unsigned int j = 0; j < DEEP; j++)
			s[i].to[j] = nest.c[(i + j) % DEEP].notification;
		if (!sender_start(&s[i], FAST))
			return;
	}
	while (got < 4 * FAST && pith_now() < end) {
		ep_dispatch(&ep, pith_now() + PITH_MS(10));
		got = 0;
		for (unsigned int i = 0; i < DEEP; i++)
			got += nest.c[i].count;
	}
	for (unsigned int i = 0; i < 4; i++) {
		sender_end(&s[i]);
		sent += s[i].sent;
	}
	expect(sent == got && got == 4 * FAST, "nested stress: all arrive");
	expect(!nest.depth && nest.deepest > 1 && nest.deepest <= DEEP,
	       "nested stress: inside each other");
	log_line("%llu signals, up to %u inside each other",
		 (unsigned long long)got, nest.deepest);
	nest_end();
}

void test_signal(void)
{
	fast_sender();
	many_senders();
	lazy_receivers();
	contexts_come_and_go();
	synchronised_destruction();
	many_contexts();
	nested_dispatch();
	nested_stress();
}
