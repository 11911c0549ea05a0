// SPDX-License-Identifier: BSD-2-Clause
/*
 * A handler that waits: for a signal, for time, for other calls, which are
 * handled inside of it. Its request, its reply and its caller are as they were.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "lib_test.h"

#define CLIENTS		4u
#define TEXT		2000u

enum method { METHOD_WAIT = 1, METHOD_QUICK, METHOD_DROP };

struct order {
	uint32_t client;
	uint32_t ms;		/* WAIT: 0: for its signal, or so long */
	char text[TEXT];
};

static struct entrypoint srv;
static int object;
static struct {
	int notification;
	volatile bool signalled;
} io[CLIENTS];
static unsigned int depth, deepest, ticks;
static volatile bool stop, waits[CLIENTS];
static int gone;		/* what answering a caller that has gone brought */

static void signalled(void *ctx, uint64_t count)
{
	(void)count;
	io[(uintptr_t)ctx].signalled = true;
}

static void tick(void *ctx)
{
	struct ep_timer *t = ctx;

	ticks++;
	ep_timer_set(&srv, t, pith_now() + PITH_MS(5));
}

/* It begins the reply, waits, and looks at what the call said after that. */
static int wait_here(struct ep_request *in)
{
	const struct order *o = in->data;
	uint64_t until = o->ms ? pith_now() + PITH_MS(o->ms) : PITH_NO_DEADLINE;
	uint32_t client = o->client;
	int reply = ep_save_reply(&srv, in), ret;

	if (reply < 0)
		return reply;
	ep_reply_data(&srv, in, "begin", 5);
	waits[client] = true;
	while (!io[client].signalled && pith_now() < until)
		ep_dispatch(&srv, until);
	io[client].signalled = waits[client] = false;
	ep_reply_data(&srv, in, o->text, TEXT);
	ret = ep_answer(reply, o->client == client ? 0 : -EIO, srv.reply,
			in->rep_len, -1);
	if (ret)
		gone = ret;
	return EP_DEFERRED;
}

static int called(void *ctx, struct ep_request *in)
{
	const struct order *o = ep_req(in, struct order);
	uint64_t until = pith_now() + PITH_MS(20);
	int ret = 0;

	(void)ctx;
	if (!o || o->client >= CLIENTS)
		return -EINVAL;
	if (in->method == METHOD_QUICK)
		return ep_reply_data(&srv, in, o->text, TEXT);
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (in->method == METHOD_WAIT)
		ret = wait_here(in);
	else
		while (pith_now() < until)
			ep_dispatch(&srv, until);
	depth--;
	return ret;
}

static void *serve(void *arg)
{
	struct ep_timer timer = { .fire = tick, .ctx = &timer };

	expect(!rpc_thread_init(), "a buffer for the server");
	ep_timer_set(&srv, &timer, pith_now() + PITH_MS(5));
	while (!stop)
		ep_dispatch(&srv, pith_now() + PITH_MS(50));
	return arg;
}

/* --- clients ---------------------------------------------------------------- */

struct call {
	pthread_t thread;
	uint32_t client, ms;
	enum method method;
	uint64_t patience_ms;
	int err;
	bool good;
};

static void make_call(struct call *c)
{
	struct order o = { .client = c->client, .ms = c->ms };
	char got[5 + TEXT] = "";
	struct rpc r = {
		.req = &o, .req_len = sizeof(o), .rep_tail = got,
		.rep_tail_size = sizeof(got),
	};
	size_t skip = c->method == METHOD_WAIT ? 5 : 0;

	memset(o.text, 'a' + (int)c->client, sizeof(o.text));
	c->err = rpc_call(object, c->method, &r,
			  pith_now() + PITH_MS(c->patience_ms));
	c->good = !c->err && r.rep_tail_len == skip + TEXT &&
		  !memcmp(got, "begin", skip) && !memcmp(got + skip, o.text, TEXT);
}

static void *client_main(void *arg)
{
	expect(!rpc_thread_init(), "a buffer for a client");
	make_call(arg);
	return arg;
}

/* Begins it and comes back when its handler waits. */
static bool call_begin(struct call *c, uint32_t client)
{
	uint64_t end = pith_now() + PITH_SEC(10);

	*c = (struct call) {
		.client = client, .method = METHOD_WAIT, .patience_ms = 20000,
	};
	if (pthread_create(&c->thread, NULL, client_main, c))
		return false;
	while (!waits[client] && pith_now() < end)
		;
	return waits[client];
}

static bool call_end(struct call *c)
{
	void *result;

	pthread_join(c->thread, &result);
	return c->good;
}

static int call_now(enum method method, uint32_t client, uint32_t ms,
		    uint64_t patience_ms, bool *good)
{
	struct call c = {
		.client = client, .ms = ms, .method = method,
		.patience_ms = patience_ms,
	};

	make_call(&c);
	if (good)
		*good = c.good;
	return c.err;
}

/* --- tests ------------------------------------------------------------------ */

static void test_waiting(void)
{
	struct call c;
	bool good;
	unsigned int before;

	expect(call_begin(&c, 0), "a handler that waits");
	before = ticks;
	for (int i = 0; i < 100; i++) {
		call_now(METHOD_QUICK, 1, 0, 5000, &good);
		expect(good, "calls meanwhile");
	}
	expect(!call_now(METHOD_WAIT, 2, 50, 5000, &good) && good,
	       "one that waits for time, inside of it");
	expect(ticks > before, "timers go on");
	pith_signal(io[0].notification, 1);
	expect(call_end(&c), "its caller gets what it said before");
}

/* All at once, signalled from the outermost on: answered from the innermost. */
static void test_inside_each_other(void)
{
	struct call c[CLIENTS];
	bool good;

	for (unsigned int round = 0; round < 10; round++) {
		deepest = 0;
		for (uint32_t i = 0; i < CLIENTS; i++)
			expect(call_begin(&c[i], i), "one more that waits");
		for (uint32_t i = 0; i + 1 < CLIENTS; i++)
			pith_signal(io[i].notification, 1);
		call_now(METHOD_QUICK, 1, 0, 5000, &good);
		expect(good && waits[0], "the outer ones wait for the inner");
		pith_signal(io[CLIENTS - 1].notification, 1);
		for (uint32_t i = 0; i < CLIENTS; i++)
			expect(call_end(&c[i]), "each gets its own");
		expect(deepest == CLIENTS, "all inside each other");
	}
}

static void test_gone(void)
{
	uint64_t end = pith_now() + PITH_SEC(5);
	bool good;

	gone = 0;
	expect(call_now(METHOD_WAIT, 3, 200, 50, &good) == -ETIMEDOUT,
	       "a caller gives up");
	while (!gone && pith_now() < end)
		call_now(METHOD_QUICK, 1, 0, 5000, &good);
	expect(gone == PITH_CALLER_GONE, "its server is told");
	expect(call_now(METHOD_DROP, 0, 0, 5000, &good) == -EPIPE,
	       "who dispatches without having saved the reply drops the call");
	call_now(METHOD_QUICK, 1, 0, 5000, &good);
	expect(good, "and serves others");
}

void test_entrypoint(void)
{
	pthread_t server;
	uint64_t badge;
	void *result;

	expect(!ep_init(&srv), "an entrypoint");
	object = ep_new_object(&srv, called, NULL, &badge);
	for (uintptr_t i = 0; i < CLIENTS; i++)
		io[i].notification = ep_new_notification(&srv, signalled,
							 (void *)i, &badge);
	if (object < 0 || pthread_create(&server, NULL, serve, NULL)) {
		expect(false, "a server");
		return;
	}
	test_waiting();
	test_inside_each_other();
	test_gone();
	stop = true;
	pthread_join(server, &result);
}
