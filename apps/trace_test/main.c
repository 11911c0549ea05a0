// SPDX-License-Identifier: BSD-2-Clause
/* trace_test: the TRACE service from a client's side. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "../../servers/lib/config_rom.h"

#define CALLS		200
#define BUSY_NS		PITH_MS(300)

static struct session trace;
static int failures;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	failures++;
}

static int subjects(uint64_t first, struct trace_subject *list, uint32_t *n)
{
	struct trace_subjects req = { .first = first };
	struct trace_subjects_reply rep = { 0 };
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.rep = &rep, .rep_len = sizeof(rep), .rep_tail = list,
		.rep_tail_size = TRACE_SUBJECTS_MAX * sizeof(*list),
	};
	int err = rpc_call(trace.cap, TRACE_SUBJECTS, &r,
			   pith_now() + PITH_SEC(5));

	*n = rep.count;
	return err;
}

/* The thread with that label, if we see it. */
static bool find(const char *label, struct trace_subject *out)
{
	static struct trace_subject list[TRACE_SUBJECTS_MAX];
	uint64_t first = 0;
	uint32_t n;

	do {
		if (subjects(first, list, &n)) {
			expect(false, "SUBJECTS answers");
			return false;
		}
		for (uint32_t i = 0; i < n; i++) {
			first = list[i].id + 1;
			*out = list[i];
			if (!strcmp(out->label, label))
				return true;
		}
	} while (n);
	return false;
}

static void busy(void)
{
	uint64_t end = pith_now() + BUSY_NS;

	while (pith_now() < end)
		;
}

static void test_counters(const char *label)
{
	struct trace_subject before, after;
	struct trace_subject list[TRACE_SUBJECTS_MAX];
	uint32_t n;

	if (!find(label, &before)) {
		expect(false, "we see ourselves");
		return;
	}
	for (int i = 0; i < CALLS; i++)
		subjects(UINT64_MAX, list, &n);
	busy();
	find(label, &after);
	expect(after.id == before.id, "a thread keeps its id");
	expect(after.calls - before.calls >= CALLS &&
	       after.calls - before.calls < CALLS + 20, "our calls");
	/* others may have had the CPU meanwhile */
	expect(after.cpu_ns - before.cpu_ns > BUSY_NS / 20, "our time");
	expect(after.state == PITH_THREAD_WAITING, "our state: in a call");
	expect(!after.priority && !after.faults, "nothing that never was");
}

static void test_log(bool allowed)
{
	struct trace_log_read req = { 0 };
	struct trace_log_reply rep = { 0 };
	char text[TRACE_TEXT_MAX];
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_tail = text, .rep_tail_size = sizeof(text),
	};
	int err = rpc_call(trace.cap, TRACE_LOG_READ, &r,
			   pith_now() + PITH_SEC(5));

	expect(err == (allowed ? 0 : -EACCES), "who may read the log");
}

static void test_errors(void)
{
	expect(rpc_simple(trace.cap, TRACE_SUBJECTS, NULL, 0, NULL, 0,
			  pith_now() + PITH_SEC(5)) == -EINVAL, "no request");
	expect(rpc_simple(trace.cap, 99, NULL, 0, NULL, 0,
			  pith_now() + PITH_SEC(5)) == -ENOSYS, "no method");
}

/* --- shares of the CPU ------------------------------------------------------ */

#define SHARES	8u

struct share {
	char label[TRACE_LABEL_MAX];
	uint64_t least, most;	/* tenths of what the next one gets */
	uint64_t before, ran;	/* ns */
};

static struct entrypoint ep;
static struct share shares[SHARES];
static unsigned int nshares;

static void read_shares(const struct hid_node *config)
{
	const struct hid_node *n;

	for (n = hid_first(config, "share"); n && nshares < SHARES;
	     n = hid_next(n, "share")) {
		struct share *s = &shares[nshares++];

		hid_string(n, "label", s->label, sizeof(s->label), "?");
		s->least = hid_number(n, "at_least", 0);
		s->most = hid_number(n, "at_most", UINT64_MAX);
	}
}

static bool times_used(bool before)
{
	struct trace_subject subject;

	for (unsigned int i = 0; i < nshares; i++) {
		if (!find(shares[i].label, &subject))
			return false;
		if (before)
			shares[i].before = subject.cpu_ns;
		else
			shares[i].ran = subject.cpu_ns - shares[i].before;
	}
	return true;
}

static bool fits(const struct share *s)
{
	uint64_t tenths = s[1].ran ? 10 * s->ran / s[1].ran : UINT64_MAX;

	return tenths >= s->least && tenths <= s->most;
}

/* One window of two seconds: are all as they shall be? */
static bool look(void)
{
	bool good;

	times_used(true);
	ep_dispatch(&ep, pith_now() + PITH_SEC(2));
	good = times_used(false);
	for (unsigned int i = 0; i + 1 < nshares; i++)
		good = good && fits(&shares[i]);
	return good;
}

/* A busy machine steals time from any of them: several tries. */
static void test_shares(void)
{
	uint64_t until = pith_now() + PITH_SEC(30);	/* to be started */
	bool good = false;

	if (ep_init(&ep))
		env_fatal("no entrypoint");
	while (!times_used(true) && pith_now() < until)
		ep_dispatch(&ep, pith_now() + PITH_MS(100));
	for (int i = 0; i < 5 && !good; i++)
		good = look();
	expect(good, "shares of the CPU");
	for (unsigned int i = 0; i < nshares; i++)
		log_line("%s: %llu ms", shares[i].label,
			 (unsigned long long)shares[i].ran / 1000000);
}

static void test(const struct hid_node *config)
{
	struct trace_subject s;
	uint64_t until = pith_now() + PITH_SEC(10);	/* to be started */
	char label[TRACE_LABEL_MAX];
	int err = env_session(&trace, "TRACE", "", "", NULL,
			      pith_now() + PITH_SEC(5));

	if (err)
		env_fatal("no TRACE: %s", strerror(-err));
	read_shares(config);
	if (nshares) {
		test_shares();
		return;
	}
	hid_string(config, "label", label, sizeof(label), "?");
	test_counters(label);
	hid_string(config, "sees", label, sizeof(label), "?");
	while (!find(label, &s) && pith_now() < until)
		;
	expect(find(label, &s), "what we shall see");
	hid_string(config, "hidden", label, sizeof(label), "?");
	expect(!find(label, &s), "what we shall not see");
	test_log(hid_bool(config, "log", false));
	test_errors();
}

int component_main(void)
{
	struct rom rom;

	test(config_read(&rom));
	log_line(failures ? "trace_test: %d failures" : "trace_test: PASS",
		 failures);
	return failures != 0;
}
