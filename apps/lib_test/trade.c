// SPDX-License-Identifier: BSD-2-Clause
/*
 * CPU time that moves with sessions: who computes, and how much each then got, as
 * the kernel counted it. The client computes itself, its server does when told.
 */
#include <errno.h>
#include <string.h>
#include <session/core.h>
#include <session/parent.h>
#include "lib_test.h"

#define WINDOW	PITH_SEC(2)
#define SETTLE	PITH_MS(1100)	/* init changes budgets once a second */

static struct session trace;

static void burn(uint64_t until)
{
	while (pith_now() < until)
		;
}

/* Execution time of the first thread with that label at core. */
static uint64_t cpu_ns(const char *label)
{
	static struct trace_subject list[TRACE_SUBJECTS_MAX];
	struct trace_subjects req = { .first = 0 };
	struct trace_subjects_reply rep = { .count = 1 };
	struct rpc r = {
		.req = &req, .req_len = sizeof(req), .rep = &rep,
		.rep_len = sizeof(rep), .rep_tail = list,
		.rep_tail_size = sizeof(list),
	};

	while (rep.count && !rpc_call(trace.cap, TRACE_SUBJECTS, &r,
				      pith_now() + PITH_SEC(5))) {
		for (uint32_t i = 0; i < rep.count; i++) {
			req.first = list[i].id + 1;
			if (!strcmp(list[i].label, label))
				return list[i].cpu_ns;
		}
	}
	expect(false, "a label to be seen");
	return 0;
}

/* --- what both get ------------------------------------------------------------ */

static char own_label[TRACE_LABEL_MAX], server_label[TRACE_LABEL_MAX];

struct percent {
	uint64_t client, server;
};

static struct percent measure(void)
{
	uint64_t client = cpu_ns(own_label), server = cpu_ns(server_label);
	uint64_t begin = pith_now(), took;
	struct percent p;

	burn(begin + WINDOW);
	took = pith_now() - begin;
	p.client = 100 * (cpu_ns(own_label) - client) / took;
	p.server = 100 * (cpu_ns(server_label) - server) / took;
	return p;
}

static bool near(uint64_t is, uint64_t wanted)
{
	return is <= wanted + 2 + wanted / 8 && is + 2 >= wanted - wanted / 4;
}

/* A machine that stands still itself takes from both, and what was overrun is paid
 * back later: several tries. */
static void gets(uint64_t client, uint64_t server, const char *when)
{
	struct percent p = { 0, 0 };

	burn(pith_now() + SETTLE);
	for (int i = 0; i < 6 && !(near(p.client, client) &&
				   near(p.server, server)); i++)
		p = measure();
	log_line("%s: client %llu%% of %llu%%, server %llu%% of %llu%%", when,
		 (unsigned long long)p.client, (unsigned long long)client,
		 (unsigned long long)p.server, (unsigned long long)server);
	expect(near(p.client, client) && near(p.server, server), when);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int open_with(struct session *s, const char *args)
{
	return env_session(s, "Echo", "", args, NULL, pith_now() + PITH_SEC(20));
}

/* Sessions that come and go gain nothing, though each sets two budgets. */
static void storm(uint64_t both)
{
	uint64_t client = cpu_ns(own_label), server = cpu_ns(server_label);
	uint64_t begin = pith_now(), percent;
	unsigned int n = 0;
	struct session s;

	while (pith_now() < begin + 2 * WINDOW) {
		if (open_with(&s, "cpu_quota=20"))
			break;
		burn(pith_now() + PITH_MS(20));
		env_close(&s);
		n++;
	}
	percent = 100 * (cpu_ns(own_label) - client + cpu_ns(server_label) -
			 server) / (pith_now() - begin);
	log_line("%u sessions: both %llu%% of %llu%%", n,
		 (unsigned long long)percent, (unsigned long long)both);
	expect(n > 20 && percent <= both + both / 3, "sessions gain no time");
}

/* We have 40 percent, our server has 10; the init above has so much for us and
 * what we give, which goes through it. */
void test_trade(const struct hid_node *config)
{
	uint64_t above = hid_number(config, "above", 100);
	struct session first, more, extra;

	hid_string(config, "label", own_label, sizeof(own_label), "?");
	hid_string(config, "server", server_label, sizeof(server_label), "?");
	if (env_session(&trace, "TRACE", "", "", NULL, pith_now() + PITH_SEC(5)) ||
	    open_with(&first, ""))
		env_fatal("no sessions");
	expect(!echo_burn(&first, true), "the server computes");
	gets(less(40, above), 10, "before");
	expect(!open_with(&more, "cpu_quota=25"), "a session with CPU time");
	gets(less(15, above - 25), 35, "with a session that pays 25%");
	expect(open_with(&extra, "cpu_quota=15") == -EDQUOT,
	       "more than there is, is refused");
	expect(!open_with(&extra, "cpu_quota=5"), "another one");
	gets(less(10, above - 30), 40, "with another of 5%");
	env_close(&extra);
	env_close(&more);
	gets(less(40, above), 10, "when they are closed");
	storm(less(50, above + 10));
	gets(less(40, above), 10, "after many sessions");
	expect(!echo_burn(&first, false), "the server rests");
}

/* --- what a parent gives and takes ---------------------------------------------- */

static volatile uint64_t told;

static void resources(void *ctx, uint64_t count)
{
	(void)ctx;
	told += count;
}

static uint64_t assigned(void)
{
	struct parent_resources r = { .assigned = { 0, 0, 0 } };

	rpc_simple(PITH_SLOT_PARENT, PARENT_RESOURCES, NULL, 0, &r, sizeof(r),
		   pith_now() + PITH_SEC(5));
	return r.assigned.cpu;
}

static void has(uint64_t percent)
{
	struct percent p = { 0, 0 };

	for (int i = 0; i < 6 && !near(p.client, percent); i++)
		p = measure();
	log_line("assigned %llu%%, used %llu%%", (unsigned long long)percent,
		 (unsigned long long)p.client);
	expect(near(p.client, percent), "what is assigned");
}

/* Twenty percent, asks for as much again, gets it, and is left ten. */
void test_upgrade(const struct hid_node *config)
{
	struct parent_sigh sigh = { .signal = PARENT_SIGNAL_RESOURCES };
	struct parent_quota lack = { .cpu = 20 };
	uint64_t badge;
	int n = ep_new_notification(&ep, resources, NULL, &badge);

	hid_string(config, "label", own_label, sizeof(own_label), "?");
	strcpy(server_label, own_label);
	if (env_session(&trace, "TRACE", "", "", NULL, pith_now() + PITH_SEC(5)))
		env_fatal("no TRACE");
	expect(!rpc_give_cap(PITH_SLOT_PARENT, PARENT_SIGH, &sigh, sizeof(sigh),
			     n, pith_now() + PITH_SEC(5)), "SIGH");
	expect(assigned() == 20, "twenty are assigned");
	has(20);
	expect(!rpc_simple(PITH_SLOT_PARENT, PARENT_RESOURCE_REQUEST, &lack,
			   sizeof(lack), NULL, 0, pith_now() + PITH_SEC(5)),
	       "more is asked for");
	expect(wait_until(&told, 1, 60000) && assigned() == 40, "and given");
	has(40);
	expect(wait_until(&told, 2, 60000) && assigned() == 10, "less again");
	has(10);
}
