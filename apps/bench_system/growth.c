// SPDX-License-Identifier: BSD-2-Clause
/*
 * A system that grows: its init has the config that we report, its components
 * tell us through the service Bench when their first instruction ran.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <pith/service.h>
#include "bench.h"

#define CONFIG_SIZE	(128u << 10)
#define ROUNDS_MAX	SAMPLES
#define PATIENCE	PITH_SEC(300)	/* for all to have started, and said so */
#define SETTLE		PITH_SEC(3)	/* for one to be gone */

static struct report out;
static const struct hid_node *frame;	/* the config without members */
static unsigned int arrived;
static uint64_t last;

/* --- Bench ----------------------------------------------------------------- */

static int nothing(void *ctx, struct ep_request *in)
{
	(void)ctx;
	(void)in;
	return -ENOSYS;
}

static int arrive(void *ctx, const struct parent_request *req, void **session)
{
	uint64_t first = args_number(req->args, "first", 0), *badge;
	int cap;

	(void)ctx;
	badge = malloc(sizeof(*badge));
	if (!badge || !first)
		return -EINVAL;
	cap = ep_new_object(&ep, nothing, badge, badge);
	if (cap < 0) {
		free(badge);
		return cap;
	}
	*session = badge;
	arrived++;
	last = first > last ? first : last;
	return cap;
}

static void leave(void *ctx, void *session)
{
	(void)ctx;
	ep_remove(&ep, *(uint64_t *)session);
	free(session);
}

/* --- the config -------------------------------------------------------------- */

static void print_member(struct hid_print *p, unsigned int i,
			 unsigned int version)
{
	char name[16];

	snprintf(name, sizeof(name), "m%u", i);
	hid_print_node(p, "start", name);
	hid_print_number(p, "version", version);
	hid_print_node(p, "binary", "bench_member");
	hid_print_close(p);
	hid_print_close(p);
}

static void print_least(struct hid_print *p, const struct members *m)
{
	hid_print_node(p, "start", "least");
	hid_print_number(p, "version", m->least_version);
	hid_print_number(p, "ram", m->ram);
	hid_print_number(p, "caps", m->caps);
	hid_print_node(p, "binary", m->least);
	hid_print_close(p);
	hid_print_close(p);
}

static void print_report(struct hid_print *p)
{
	static const char *const parts[] = {
		"child_ram", "child_caps", "init_ram", "init_caps",
	};

	hid_print_node(p, "report", NULL);
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		hid_print_bool(p, parts[i], true);
	hid_print_number(p, "delay_ms", 1000);
	hid_print_close(p);
}

uint64_t members_set(const struct members *m)
{
	const struct hid_node *n;
	struct hid_print p;
	uint64_t begin;
	int len;

	hid_print_begin(&p, out.buf, out.size);
	hid_print_node(&p, "config", NULL);
	for (n = hid_first(frame, NULL); n; n = hid_next(n, NULL))
		if (!hid_is(n, "start"))
			hid_print_tree(&p, n);
	if (m->report)
		print_report(&p);
	for (unsigned int i = 0; i < m->n; i++)
		print_member(&p, i, m->version);
	if (m->least)
		print_least(&p, m);
	hid_print_close(&p);
	len = hid_print_end(&p);
	need(len, "config");
	arrived = 0;
	last = 0;
	begin = stamp();
	need(report_submit(&out, (uint64_t)len), "config");
	return begin;
}

/* Until @n have told when they began: that of the last. */
static uint64_t await(unsigned int n)
{
	uint64_t end = pith_now() + PATIENCE;

	while (arrived < n)
		if (ep_dispatch(&ep, end) <= 0)
			env_fatal("%u of %u components have started", arrived, n);
	return last;
}

/* --- figures ----------------------------------------------------------------- */

/* One more, when there are @n, of @version. */
static void measure_one(unsigned int n, unsigned int version)
{
	unsigned int rounds = (unsigned int)hid_number(config, "rounds", 5);
	struct members m = { .n = n, .version = version };
	uint64_t took[ROUNDS_MAX];

	rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t begin;

		m.n = n + 1;
		begin = members_set(&m);
		took[i] = await(1) - begin;
		m.n = n;
		members_set(&m);
		idle(SETTLE);
	}
	say("component.pith.start_insns", (int)n, took, rounds);
}

/* @n at once, from none; then the same ones again. */
static void measure_all(unsigned int n)
{
	struct members m = { .n = n };
	uint64_t begin = members_set(&m), took = await(n) - begin;

	say_one("system.pith.start_insns", (int)n, took);
	say_one("system.pith.start_each_insns", (int)n, took / n);
	m.version = 1;
	begin = members_set(&m);
	took = await(n) - begin;
	say_one("system.pith.restart_each_insns", (int)n, took / n);
}

void growth(void)
{
	unsigned int pos = 0, n;

	measure_one(0, 0);
	while (next_size("members", &pos, &n)) {
		measure_all(n);
		measure_one(n, 1);
		members_set(&(struct members){ .n = 0 });
		idle(2 * SETTLE);
	}
}

void growth_init(void)
{
	static struct service bench = {
		.name = "Bench", .open = arrive, .close = leave,
	};
	const struct hid_node *sub = hid_first(config, "sub");

	frame = hid_first(sub, "config");
	if (!frame)
		env_fatal("no config for members");
	need(service_announce(&ep, &bench, 1), "Bench");
	need(report_open(&out, "config", CONFIG_SIZE), "report");
}
