// SPDX-License-Identifier: BSD-2-Clause
/*
 * dynamic_rom: ROMs whose content changes in time, as the config says. The last
 * element of a session's label names the ROM. See README.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <pith/service.h>
#include "../lib/config_rom.h"
#include "../lib/hid_text.h"
#include "../lib/policy.h"
#include "../lib/rom_server.h"

struct timeline {
	const struct hid_node *node, *step;
	struct rom_source source;
	struct ep_timer timer;
	char *text;
	bool once;
	struct timeline *next;
};

static struct entrypoint ep;
static struct timeline *timelines;

static void play(struct timeline *t);

static void show(struct timeline *t, const struct hid_node *n)
{
	char what[64], name[64], *text;
	size_t len;

	text = hid_text_of(n, &len);
	if (!text) {
		log_error("no memory for the next content, or it is too long");
		return;
	}
	rom_source_set(&t->source, text, len);
	free(t->text);
	t->text = text;
	hid_string(t->node, "name", name, sizeof(name), "?");
	if (hid_string(n, "description", what, sizeof(what), "") > 0)
		log_line("%s: %s", name, what);
}

static void awake(void *ctx)
{
	play(ctx);
}

/* Steps up to the next that sleeps; the first follows the last. */
static void play(struct timeline *t)
{
	const struct hid_node *n;

	while ((n = t->step)) {
		t->step = hid_next(n, NULL);
		if (!t->step && !t->once)
			t->step = hid_first(t->node, NULL);
		if (hid_is(n, "sleep")) {
			ep_timer_set(&ep, &t->timer, pith_now() +
				     PITH_MS(hid_number(n, "milliseconds", 0)));
			return;
		}
		if (hid_is(n, "inline"))
			show(t, n);
		else
			rom_source_set(&t->source, NULL, 0);
	}
}

static int check_step(const struct hid_node *n, struct hid_error *err)
{
	const struct hid_attr *ms = hid_attr(n, "milliseconds");
	uint64_t v;

	if (hid_is(n, "sleep")) {
		if (!ms || hid_parse_number(ms->value, &v) || v < 1)
			return hid_refuse(err, n->line, n->col, "expected "
					    "milliseconds of 1 or more");
	} else if (!hid_is(n, "inline") && !hid_is(n, "empty")) {
		return hid_refuse(err, n->line, n->col,
				    "expected inline, empty or sleep");
	}
	return 0;
}

static int check(const struct hid_node *n, bool *once, struct hid_error *err)
{
	const struct hid_node *step;
	bool sleeps = false;
	int ret;

	if (!hid_is(n, "rom") || !hid_attr(n, "name"))
		return hid_refuse(err, n->line, n->col,
				    "expected rom with a name");
	ret = config_attrs(n, "name once", err);
	if (!ret)
		ret = config_bool(n, "once", false, once, err);
	for (step = hid_first(n, NULL); step && !ret;
	     step = hid_next(step, NULL)) {
		ret = check_step(step, err);
		sleeps |= hid_is(step, "sleep");
	}
	if (!sleeps)
		*once = true;		/* would never end */
	return ret;
}

static int add(const struct hid_node *n, struct hid_error *err)
{
	struct timeline *t;
	bool once;

	if (check(n, &once, err))
		return -EINVAL;
	t = malloc(sizeof(*t));
	if (!t)
		env_fatal("no memory");
	*t = (struct timeline){
		.node = n, .step = hid_first(n, NULL), .once = once,
		.next = timelines,
		.timer = { .at = PITH_NO_DEADLINE, .fire = awake, .ctx = t },
	};
	timelines = t;
	play(t);
	return 0;
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *config = config_read(&rom), *n;
	struct hid_error err;

	for (n = hid_first(config, NULL); n; n = hid_next(n, NULL))
		if (add(n, &err))
			config_fatal(&err);
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	const char *name = label_last(req->label);
	struct timeline *t;

	(void)ctx;
	for (t = timelines; t; t = t->next)
		if (hid_equal(hid_attr(t->node, "name")->value, name))
			return rom_client_open(&ep, &t->source, req, session);
	return -ENOENT;
}

int component_main(void)
{
	static struct service rom = {
		.name = "ROM", .open = open_rom, .close = rom_client_close,
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	read_config();
	err = service_announce(&ep, &rom, 1);
	if (err)
		env_fatal("cannot announce ROM: %s", strerror(-err));
	ep_run(&ep);
}
