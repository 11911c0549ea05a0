// SPDX-License-Identifier: BSD-2-Clause
/* Endpoints: who waits for whom, and what happens when one of them goes. */
#include <string.h>
#include <pith/loader.h>
#include "kt.h"

/* A thread that makes one call and keeps what came of it. */
struct caller {
	struct kt_thread thread;
	int ep;
	uint64_t label, deadline;
	volatile uint64_t result;	/* of the call, as long */
	volatile uint64_t answer;	/* label of the reply */
};

#define PENDING	12345

static void call_once(void *arg)
{
	struct caller *c = arg;
	long err = kt_call_label(c->ep, c->label, c->deadline);

	c->answer = kt_msg->label;
	c->result = err;
}

static void caller_start(struct caller *c, int ep, uint64_t label)
{
	memset(c, 0, sizeof(*c));
	c->ep = ep;
	c->label = label;
	c->deadline = KT_SOON;
	c->result = PENDING;
	kt_thread_start(&c->thread, call_once, c);
}

static void caller_end(struct caller *c, long result)
{
	kt_thread_join(&c->thread);
	KT_EQ(c->result, result);
}

KT_COMPONENT(ep_wrong_use)
{
	int ep = KT_FD(kt_ep_create()), notif = KT_FD(kt_notif_create());
	int client = KT_FD(kt_mint_badge(ep, 1));

	KT_EQ(kt_type(ep), PITH_T_ENDPOINT);
	KT_EQ(kt_rights(ep), PITH_R_CALL | PITH_R_RECV);
	KT_EQ(kt_rights(client), PITH_R_CALL);
	kt_prepare(1);
	KT_EQ(kt_call(notif, 0), -EBADF);
	KT_EQ(kt_call(-1, 0), -EBADF);
	KT_EQ(kt_call(4000, 0), -EBADF);
	KT_EQ(kt_reply_wait(notif, PITH_WAIT, 0), -EBADF);
	KT_EQ(kt_reply_wait(4000, PITH_WAIT, 0), -EBADF);
	KT_EQ(kt_reply_wait(client, PITH_WAIT, 0), -EPERM);
	KT_EQ(kt_reply_wait(ep, 0, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, 4, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, PITH_WAIT | 8, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, 0x80000000u | PITH_WAIT, 0), -EINVAL);
	/* nothing was received, so nothing can be answered or saved */
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, PITH_REPLY | PITH_WAIT, 0), -EINVAL);
	KT_EQ(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL), -EINVAL);
	KT_EQ(kt_control(client, PITH_OP_EP_SAVE_REPLY, NULL), -EPERM);
	kt_close(client);
	kt_close(notif);
	kt_close(ep);
}

KT_COMPONENT(ep_answer_once)
{
	int ep = KT_FD(kt_ep_create());
	struct caller c;

	caller_start(&c, ep, 5);
	kt_wait_call(ep);
	KT_EQ(kt_msg->label, 5);
	KT_EQ(kt_reply(ep, 6), 0);
	KT_EQ(kt_reply(ep, 7), -EINVAL);
	caller_end(&c, 0);
	KT_EQ(c.answer, 6);
	kt_close(ep);
}

/* --- death of the server --------------------------------------------------- */

KT_COMPONENT(ep_dead)
{
	int ep = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(ep, 1));

	KT_EQ(kt_close(ep), 0);
	kt_prepare(3);
	kt_msg->len = 5;
	KT_EQ(kt_call(client, KT_SOON), -EPIPE);
	KT_EQ(kt_msg->label, 3);
	KT_EQ(kt_msg->len, 5);
	KT_EQ(kt_call(client, 0), -EPIPE);
	kt_close(client);
}

KT_COMPONENT(ep_dies_with_queue)
{
	int ep = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(ep, 1));
	struct caller c[3];

	for (int i = 0; i < 3; i++)
		caller_start(&c[i], client, i);
	kt_let_block();
	KT_EQ(c[0].result, PENDING);
	KT_EQ(kt_close(ep), 0);
	for (int i = 0; i < 3; i++)
		caller_end(&c[i], -EPIPE);
	kt_close(client);
}

KT_COMPONENT(ep_server_drops_call)
{
	int ep = KT_FD(kt_ep_create());
	struct caller c;

	caller_start(&c, ep, 1);
	kt_wait_call(ep);
	kt_wait_nothing(ep);	/* not answered before: dropped */
	caller_end(&c, -EPIPE);
	KT_EQ(kt_reply(ep, 1), -EINVAL);
	kt_close(ep);
}

static void receive_and_end(void *arg)
{
	kt_wait_call(*(int *)arg);
}

KT_COMPONENT(ep_server_thread_ends)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_thread t = { 0 };

	kt_thread_start(&t, receive_and_end, &ep);
	KT_EQ(kt_call_label(ep, 1, KT_SOON), -EPIPE);
	kt_thread_join(&t);
	/* the endpoint lives on: another thread of the server can receive */
	KT_EQ(kt_call_label(ep, 1, kt_now() + KT_MS(5)), -ETIMEDOUT);
	kt_close(ep);
}

/* Takes its endpoint by message, so that it holds the only RECV capability. */
static int receive_endpoint(void)
{
	kt_prepare(0);
	if (!KT_EQ(kt_call(KT_SLOT_ARG, KT_SOON), 0))
		kt_exit(1);
	return kt_msg->caps[0];
}

/* Core gives its endpoint to the component and keeps a client's capability. */
static int give_endpoint(int gate)
{
	int ep = KT_FD(kt_ep_create()), client = KT_FD(kt_mint_badge(ep, 9));

	kt_wait_call(gate);
	kt_prepare(0);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = ep;
	KT_EQ(kt_reply_wait(gate, PITH_REPLY, 0), 0);
	kt_close(ep);
	return client;
}

KT_ROLE(server_never_receives)
{
	receive_endpoint();
	kt_report->shared[0] = 1;
	kt_sleep(KT_MS(60000));
}

KT_ROLE(server_never_answers)
{
	int ep = receive_endpoint();

	kt_wait_call(ep);
	kt_report->shared[0] = 1;
	kt_sleep(KT_MS(60000));
}

KT_ROLE(server_crashes)
{
	int ep = receive_endpoint();

	kt_wait_call(ep);
	kt_report->shared[0] = 1;
	kt_crash();
}

KT_ROLE(server_exits)
{
	int ep = receive_endpoint();

	kt_wait_call(ep);
	kt_report->shared[0] = 1;
}

static void server_death(const char *role, bool kill, int status)
{
	int gate = KT_FD(kt_ep_create()), client;
	struct kt_child s = kt_start(role, &gate, 1);
	struct caller c;

	client = give_endpoint(gate);
	caller_start(&c, client, 1);
	kt_await_word(&kt_report->shared[0], 1);
	if (kill) {
		kt_let_block();
		KT_EQ(c.result, PENDING);
		kt_kill(&s);
	}
	caller_end(&c, -EPIPE);
	KT_EQ(kt_call_label(client, 1, KT_SOON), -EPIPE);
	KT_EQ(kt_finish(&s), status);
	kt_close(client);
	kt_close(gate);
}

KT_CORE(ep_server_killed_before_receive)
{
	server_death("server_never_receives", true, 128 + 9);
}

KT_CORE(ep_server_killed_mid_call)
{
	server_death("server_never_answers", true, 128 + 9);
}

KT_CORE(ep_server_crashes_mid_call)
{
	server_death("server_crashes", false, 128 + 11);
}

KT_CORE(ep_server_exits_mid_call)
{
	server_death("server_exits", false, 0);
}

/* --- death of the client --------------------------------------------------- */

KT_ROLE(client_calls)
{
	kt_report->shared[1]++;
	KT_EQ(kt_call_label(KT_SLOT_ARG, 1, PITH_NO_DEADLINE), 0);
}

/* Without receiving, which would drop the call that is to be answered. */
static void await_dead(struct kt_child *c)
{
	uint64_t end = KT_SOON;

	while (!kt_space_info(c->space).exited && kt_now() < end)
		kt_sleep(KT_MS(1));
	KT_EQ(kt_space_info(c->space).exited, 1);
}

KT_CORE(ep_client_killed_mid_call)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child first, second;

	first = kt_start("client_calls", &ep, 1);
	kt_wait_call(ep);
	kt_kill(&first);
	await_dead(&first);
	KT_EQ(kt_reply(ep, 1), PITH_CALLER_GONE);
	KT_EQ(kt_finish(&first), 128 + 9);

	second = kt_start("client_calls", &ep, 1);
	kt_wait_call(ep);
	KT_EQ(kt_reply(ep, 1), 0);
	KT_EQ(kt_finish(&second), 0);
	kt_close(ep);
}

KT_CORE(ep_client_killed_while_queued)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child first, second;

	first = kt_start("client_calls", &ep, 1);
	kt_await_word(&kt_report->shared[1], 1);
	kt_let_block();
	second = kt_start("client_calls", &ep, 1);
	kt_await_word(&kt_report->shared[1], 2);
	kt_let_block();
	kt_kill(&first);
	KT_EQ(kt_finish(&first), 128 + 9);
	kt_wait_call(ep);		/* the second one's */
	KT_EQ(kt_reply(ep, 1), 0);
	KT_EQ(kt_finish(&second), 0);
	kt_wait_nothing(ep);
	kt_close(ep);
}

KT_CORE(ep_client_killed_reply_saved)
{
	int ep = KT_FD(kt_ep_create()), reply;
	struct kt_child c = kt_start("client_calls", &ep, 1);

	kt_wait_call(ep);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	kt_kill(&c);
	KT_EQ(kt_finish(&c), 128 + 9);
	kt_prepare(1);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0),
	      PITH_CALLER_GONE);
	kt_close(reply);
	kt_close(ep);
}

/* --- deadlines ------------------------------------------------------------- */

static void took(uint64_t since, uint64_t at_least)
{
	uint64_t ns = kt_now() - since;

	KT_TRUE(ns >= at_least);
	KT_TRUE(ns < at_least + KT_MS(10000));
}

KT_COMPONENT(ep_call_deadline)
{
	int ep = KT_FD(kt_ep_create());
	uint64_t t = kt_now();

	kt_prepare(4);
	kt_msg->len = 9;
	KT_EQ(kt_call(ep, 0), -ETIMEDOUT);
	KT_EQ(kt_call(ep, t), -ETIMEDOUT);
	took(t, 0);
	t = kt_now();
	KT_EQ(kt_call(ep, t + KT_MS(50)), -ETIMEDOUT);
	took(t, KT_MS(50));
	KT_EQ(kt_msg->label, 4);
	KT_EQ(kt_msg->len, 9);
	kt_wait_nothing(ep);	/* a call that was given up is not queued */
	kt_close(ep);
}

KT_COMPONENT(ep_wait_deadline)
{
	int ep = KT_FD(kt_ep_create());
	uint64_t t = kt_now();

	KT_EQ(kt_wait(ep, 0), -ETIMEDOUT);
	KT_EQ(kt_wait(ep, t), -ETIMEDOUT);
	took(t, 0);
	t = kt_now();
	KT_EQ(kt_wait(ep, t + KT_MS(50)), -ETIMEDOUT);
	took(t, KT_MS(50));
	kt_close(ep);
}

/* Deadlines far in the future are no special numbers. */
KT_COMPONENT(ep_wait_far_deadline)
{
	static const uint64_t far[] = { ~0ull, ~0ull - 1, 1ull << 63,
		(1ull << 63) - 1, 1ull << 62 };
	int ep = KT_FD(kt_ep_create());
	struct caller c;

	for (int i = 0; i < 5; i++) {
		caller_start(&c, ep, 1);
		KT_EQ(kt_wait(ep, far[i]), PITH_GOT_CALL);
		KT_EQ(kt_reply(ep, 1), 0);
		caller_end(&c, 0);
	}
	kt_close(ep);
}

/* What waits already is received even when the deadline has passed. */
KT_COMPONENT(ep_poll_gets_what_waits)
{
	int ep = KT_FD(kt_ep_create());
	struct caller c;

	caller_start(&c, ep, 1);
	kt_let_block();
	KT_EQ(kt_wait(ep, 0), PITH_GOT_CALL);
	KT_EQ(kt_reply(ep, 1), 0);
	caller_end(&c, 0);
	kt_close(ep);
}

static void timeout_then_call(void *arg)
{
	int ep = *(int *)arg;

	KT_EQ(kt_call_label(ep, 1, kt_now() + KT_MS(30)), -ETIMEDOUT);
	kt_report->shared[0] = 1;
	KT_EQ(kt_call_label(ep, 2, KT_SOON), 0);
	KT_EQ(kt_msg->label, 22);
}

/* The answer to a call that was given up does not answer the next one. */
KT_COMPONENT(ep_late_reply)
{
	int ep = KT_FD(kt_ep_create()), reply;
	struct kt_thread t = { 0 };

	kt_thread_start(&t, timeout_then_call, &ep);
	kt_wait_call(ep);
	KT_EQ(kt_msg->label, 1);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	kt_await_word(&kt_report->shared[0], 1);
	kt_wait_call(ep);	/* the second call is here, */
	KT_EQ(kt_msg->label, 2);
	kt_prepare(11);		/* now comes the first one's answer */
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0),
	      PITH_CALLER_GONE);
	kt_let_block();
	KT_EQ(kt_reply(ep, 22), 0);
	kt_thread_join(&t);
	kt_close(reply);
	kt_close(ep);
}

/* --- saved replies --------------------------------------------------------- */

KT_COMPONENT(reply_any_order)
{
	int ep = KT_FD(kt_ep_create()), reply[3];
	struct caller c[3];

	for (int i = 0; i < 3; i++) {
		caller_start(&c[i], ep, i);
		kt_wait_call(ep);
		reply[i] = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
		KT_EQ(kt_type(reply[i]), PITH_T_REPLY);
	}
	for (int i = 2; i >= 0; i--) {
		KT_EQ(c[i].result, PENDING);
		kt_prepare(100 + i);
		KT_EQ(kt_reply_wait(reply[i], PITH_REPLY, 0), 0);
		caller_end(&c[i], 0);
		KT_EQ(c[i].answer, 100 + i);
		kt_close(reply[i]);
	}
	kt_close(ep);
}

KT_COMPONENT(reply_single_use)
{
	int ep = KT_FD(kt_ep_create()), reply;
	struct caller c;

	caller_start(&c, ep, 1);
	kt_wait_call(ep);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	KT_EQ(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL), -EINVAL);
	KT_EQ(kt_reply(ep, 1), -EINVAL);	/* it is in the object now */
	KT_EQ(kt_mint(reply, 0), -EINVAL);
	KT_EQ(kt_reply_wait(reply, PITH_WAIT, 0), -EINVAL);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY | PITH_WAIT, 0), -EINVAL);
	kt_prepare(2);
	KT_EQ(kt_call(reply, 0), -EBADF);
	KT_EQ(c.result, PENDING);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), 0);
	caller_end(&c, 0);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), -EPIPE);
	kt_close(reply);
	kt_close(ep);
}

KT_COMPONENT(reply_dropped)
{
	int ep = KT_FD(kt_ep_create()), reply;
	struct caller c;

	caller_start(&c, ep, 1);
	kt_wait_call(ep);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	kt_wait_nothing(ep);	/* does not drop the saved one */
	KT_EQ(c.result, PENDING);
	kt_close(reply);
	caller_end(&c, -EPIPE);
	kt_close(ep);
}

/* Who holds the reply object may answer, also when the endpoint is gone. */
KT_COMPONENT(reply_outlives_endpoint)
{
	int ep = KT_FD(kt_ep_create()), reply;
	struct caller c;

	caller_start(&c, ep, 1);
	kt_wait_call(ep);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	kt_prepare(3);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), 0);
	caller_end(&c, 0);
	KT_EQ(c.answer, 3);
	kt_close(ep);
	kt_close(reply);
}

/* Passed in a message: the other thread answers. */
static void answer_for_another(void *arg)
{
	int ep = *(int *)arg, reply;

	kt_wait_call(ep);
	reply = kt_msg->caps[0];
	KT_EQ(kt_type(reply), PITH_T_REPLY);
	KT_EQ(kt_reply(ep, 0), 0);
	kt_prepare(55);
	KT_EQ(kt_reply_wait(reply, PITH_REPLY, 0), 0);
	kt_close(reply);
}

KT_COMPONENT(reply_passed_on)
{
	int ep = KT_FD(kt_ep_create()), back = KT_FD(kt_ep_create()), reply;
	struct kt_thread t = { 0 };
	struct caller c;

	kt_thread_start(&t, answer_for_another, &back);
	caller_start(&c, ep, 1);
	kt_wait_call(ep);
	reply = KT_FD(kt_control(ep, PITH_OP_EP_SAVE_REPLY, NULL));
	kt_prepare(0);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = reply;
	KT_EQ(kt_call(back, KT_SOON), 0);
	kt_close(reply);
	caller_end(&c, 0);
	KT_EQ(c.answer, 55);
	kt_thread_join(&t);
	kt_close(back);
	kt_close(ep);
}

/* --- many threads ---------------------------------------------------------- */

#define SERVERS	4

static volatile uint64_t inside;

static void serve_together(void *arg)
{
	int ep = *(int *)arg;

	if (!kt_wait_call(ep))
		return;
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	/* answered only when all of them hold a call at once */
	kt_await_word(&inside, SERVERS);
	KT_EQ(kt_reply(ep, kt_msg->label + 1), 0);
}

KT_COMPONENT(ep_several_servers)
{
	struct kt_thread server[SERVERS] = { 0 };
	struct caller client[SERVERS];
	int ep = KT_FD(kt_ep_create());

	for (int i = 0; i < SERVERS; i++)
		kt_thread_start(&server[i], serve_together, &ep);
	for (int i = 0; i < SERVERS; i++)
		caller_start(&client[i], ep, 10 * i);
	for (int i = 0; i < SERVERS; i++) {
		caller_end(&client[i], 0);
		KT_EQ(client[i].answer, 10 * i + 1);
		kt_thread_join(&server[i]);
	}
	kt_close(ep);
}

KT_COMPONENT(ep_first_come_first_served)
{
	struct caller c[5];
	int ep = KT_FD(kt_ep_create());

	for (int i = 0; i < 5; i++) {
		caller_start(&c[i], ep, i);
		kt_let_block();
	}
	for (int i = 0; i < 5; i++) {
		kt_wait_call(ep);
		KT_EQ(kt_msg->label, i);
		KT_EQ(kt_reply(ep, i), 0);
	}
	for (int i = 0; i < 5; i++)
		caller_end(&c[i], 0);
	kt_close(ep);
}

static int inner_ep;

static void nested_server(void *arg)
{
	int ep = *(int *)arg;

	kt_wait_call(ep);
	KT_EQ(kt_call_label(inner_ep, 2, KT_SOON), 0);
	KT_EQ(kt_msg->label, 3);
	KT_EQ(kt_reply(ep, 4), 0);	/* still the first call's */
}

KT_COMPONENT(ep_call_while_serving)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_thread t = { 0 };
	struct caller c;

	inner_ep = KT_FD(kt_ep_create());
	kt_thread_start(&t, nested_server, &ep);
	caller_start(&c, ep, 1);
	kt_wait_call(inner_ep);
	KT_EQ(kt_msg->label, 2);
	KT_EQ(kt_reply(inner_ep, 3), 0);
	caller_end(&c, 0);
	KT_EQ(c.answer, 4);
	kt_thread_join(&t);
	kt_close(inner_ep);
	kt_close(ep);
}

/* Both cannot answer: the deadline ends it. */
KT_COMPONENT(ep_call_to_oneself)
{
	int ep = KT_FD(kt_ep_create());

	KT_EQ(kt_call_label(ep, 1, KT_NOT_SOON), -ETIMEDOUT);
	kt_wait_nothing(ep);
	kt_close(ep);
}

/* A capability to the endpoint, with RECV, sent to the endpoint itself. */
KT_COMPONENT(ep_sent_to_itself)
{
	int ep = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(ep, 1));

	kt_prepare(1);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = ep;
	KT_EQ(kt_call(client, KT_NOT_SOON), -ETIMEDOUT);
	KT_EQ(kt_close(ep), 0);
	KT_EQ(kt_call_label(client, 1, 0), -EPIPE);
	kt_close(client);
}

/* --- processes on several CPUs --------------------------------------------- */

#define ROUNDS	5000

KT_ROLE(pong)
{
	int ep = KT_SLOT_ARG;

	if (!kt_wait_call(ep))
		return;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		if (kt_msg->label != i)
			break;
		kt_msg->label = i + 1;
		kt_msg->len = i % 200;
		if (i + 1 < ROUNDS)
			kt_reply_wait(ep, PITH_REPLY | PITH_WAIT, KT_SOON);
		else
			kt_reply_wait(ep, PITH_REPLY, 0);
	}
}

KT_ROLE(ping)
{
	uint64_t i, t = kt_now();

	for (i = 0; i < ROUNDS; i++) {
		kt_prepare(i);
		if (kt_call(KT_SLOT_ARG, KT_SOON) || kt_msg->label != i + 1 ||
		    kt_msg->len != i % 200)
			break;
	}
	KT_EQ(i, ROUNDS);
	kt_report->shared[2] = (kt_now() - t) / ROUNDS;
}

static struct kt_child start_on(const char *role, int ep, uint64_t cpus)
{
	int domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	struct kt_child c = { .domain = domain };
	int caps[] = { domain, kt_report_mem, ep };
	struct pith_sched sched = { .affinity = cpus };
	struct loader l = {
		.name = role, .domain = domain, .binary = kt_program,
		.caps = caps, .ncaps = 3, .stack = KT_CHILD_STACK,
	};

	c.ep = KT_FD(kt_ep_create());
	c.exit_notif = l.exit_notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(c.exit_notif, c.ep, 1), 0);
	KT_NEED(loader_load(&l) == 0);
	KT_EQ(kt_control(l.thread, PITH_OP_THREAD_SCHED, &sched), 0);
	KT_NEED(loader_start(&l) == 0);
	c.space = l.space;
	return c;
}

static void ping_pong(uint64_t a, uint64_t b)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child server = start_on("pong", ep, a);
	struct kt_child client = start_on("ping", ep, b);

	KT_EQ(kt_finish(&client), 0);
	KT_EQ(kt_finish(&server), 0);
	kt_close(ep);
	kt_console("# %lu ns per call and reply", kt_report->shared[2]);
}

KT_CORE(ep_ping_pong_one_cpu)
{
	ping_pong(1, 1);
}

KT_CORE(ep_ping_pong_two_cpus)
{
	struct pith_hw_info info = { 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_INFO, &info), 0);
	if (info.cpus < 2)
		kt_console("# one CPU only: run with -smp 2");
	ping_pong(1, info.cpus > 1 ? 2 : 1);
}

/* Clients with short deadlines against servers: nothing is lost or mixed up. */
#define STORM_CALLS	400

static void storm_client(void *arg)
{
	int ep = *(int *)arg;
	long err;

	for (uint64_t i = 0; i < STORM_CALLS; i++) {
		kt_prepare((uintptr_t)&i ^ i);
		uint64_t sent = kt_msg->label;

		err = kt_call(ep, kt_now() + (i % 7) * 20000);
		if (err == 0) {
			if (!KT_EQ(kt_msg->label, ~sent))
				return;
		} else if (err != -ETIMEDOUT) {
			KT_FAIL("call: %ld", err);
			return;
		}
	}
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
}

static void storm_server(void *arg)
{
	int ep = *(int *)arg;
	long got = kt_wait(ep, KT_SOON);

	while (got == PITH_GOT_CALL && kt_msg->label) {
		kt_msg->label = ~kt_msg->label;
		kt_msg->len = 0;
		got = kt_reply_wait(ep, PITH_REPLY | PITH_WAIT, KT_SOON);
	}
	if (KT_EQ(got, PITH_GOT_CALL))
		KT_EQ(kt_reply(ep, 0), 0);
}

KT_COMPONENT(ep_deadline_storm)
{
	struct kt_thread server[2] = { 0 }, client[4] = { 0 };
	int ep = KT_FD(kt_ep_create());

	inside = 0;
	for (int i = 0; i < 2; i++)
		kt_thread_start(&server[i], storm_server, &ep);
	for (int i = 0; i < 4; i++)
		kt_thread_start(&client[i], storm_client, &ep);
	for (int i = 0; i < 4; i++)
		kt_thread_join(&client[i]);
	KT_EQ(inside, 4);
	for (int i = 0; i < 2; i++)
		KT_EQ(kt_call_label(ep, 0, KT_SOON), 0);
	for (int i = 0; i < 2; i++)
		kt_thread_join(&server[i]);
	kt_close(ep);
}
