// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls across CPUs. Each server runs on one of its own, as its start node says;
 * it is called with a notification, which it signals and gives back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/service.h>
#include "lib_test.h"

#define CALLS	300u

enum { METHOD_ECHO = 1, METHOD_BURN };

struct echo_reply {
	uint32_t cpu;
	uint32_t zero;
	uint64_t value;
};

/* --- a server ----------------------------------------------------------------- */

static void burn(void *ctx)
{
	struct ep_timer *t = ctx;
	uint64_t until = pith_now() + PITH_MS(5);

	while (pith_now() < until)
		;
	ep_timer_set(&ep, t, pith_now() + 10000);
}

static int called(void *ctx, struct ep_request *in)
{
	static struct ep_timer timer = {
		.at = PITH_NO_DEADLINE, .fire = burn, .ctx = &timer,
	};
	const uint64_t *value = ep_req(in, uint64_t);
	struct echo_reply rep = { .cpu = (uint32_t)sched_getcpu() };
	int cap;

	(void)ctx;
	if (!value)
		return -EINVAL;
	if (in->method == METHOD_BURN) {
		ep_timer_cancel(&ep, &timer);
		if (*value)
			ep_timer_set(&ep, &timer, pith_now());
		return 0;
	}
	if (in->method != METHOD_ECHO)
		return -ENOSYS;
	rep.value = *value;
	cap = ep_take_cap(in, 0);
	if (cap < 0)
		return -EINVAL;
	pith_signal(cap, *value);
	ep_reply_cap(in, cap, 1);
	return ep_reply_data(&ep, in, &rep, sizeof(rep));
}

static int open_session(void *ctx, const struct parent_request *req,
			void **session)
{
	uint64_t *badge = malloc(sizeof(*badge));

	(void)ctx;
	(void)req;
	*session = badge;
	return badge ? ep_new_object(&ep, called, NULL, badge) : -ENOMEM;
}

static void close_session(void *ctx, void *session)
{
	(void)ctx;
	ep_remove(&ep, *(uint64_t *)session);
	free(session);
}

_Noreturn void echo(void)
{
	static struct service service = {
		.name = "Echo", .open = open_session, .close = close_session,
	};

	if (service_announce(&ep, &service, 1))
		env_fatal("cannot announce Echo");
	ep_run(&ep);
}

/* --- the client --------------------------------------------------------------- */

int echo_burn(const struct session *s, bool on)
{
	uint64_t value = on;

	return rpc_simple(s->cap, METHOD_BURN, &value, sizeof(value), NULL, 0,
			  pith_now() + PITH_SEC(10));
}

static uint64_t counted;

static void signalled(void *ctx, uint64_t count)
{
	(void)ctx;
	counted += count;
}

/* The server's CPU, or -1. */
static int call(const struct session *s, int notification, uint64_t value)
{
	struct pith_identify sent, back;
	struct echo_reply rep;
	int cap = -1;
	struct rpc r = {
		.req = &value, .req_len = sizeof(value),
		.rep = &rep, .rep_len = sizeof(rep),
		.caps = &notification, .ncaps = 1,
		.rep_caps = &cap, .nrep_caps = 1,
	};
	bool good = !rpc_call(s->cap, METHOD_ECHO, &r, pith_now() + PITH_SEC(10)) &&
		    rep.value == value && !pith_identify(notification, &sent) &&
		    !pith_identify(cap, &back) && sent.object == back.object;

	pith_close(cap);
	expect(good, "what was sent comes back, the capability too");
	return good ? (int)rep.cpu : -1;
}

void test_smp(unsigned int servers)
{
	struct session s[8];
	uint64_t badge, sum = 0, cpus = 0;
	struct pith_domain_info before = { 0 };
	int n = ep_new_notification(&ep, signalled, NULL, &badge), cpu;
	char label[16];

	for (unsigned int i = 0; i < servers; i++) {
		snprintf(label, sizeof(label), "%u", i);
		if (env_session(&s[i], "Echo", label, "", NULL,
				pith_now() + PITH_SEC(20)))
			env_fatal("no server %u", i);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		for (unsigned int j = 0; j < servers; j++) {
			cpu = call(&s[j], n, i + j + 1);
			expect(cpu == (int)j, "a server on the CPU it shall be on");
			cpus |= cpu < 0 ? 0 : 1ull << cpu;
			sum += i + j + 1;
		}
		if (i == CALLS / 2)
			before = usage();
	}
	while (counted < sum && ep_dispatch(&ep, pith_now() + PITH_SEC(5)) > 0)
		;
	expect(counted == sum, "all that they signalled arrives");
	expect(cpus == (1ull << servers) - 1, "all CPUs");
	expect(usage_same(&before), "no capability stays");
	log_line("%u calls to %u CPUs", CALLS * servers, servers);
}
