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
#include "../lib/rom_server.h"

#define TEXT_MAX	(256u << 10)	/* of one inline node */

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

/* The text of an inline node: its quoted lines, or else the node in it. */
static char *text_of(const struct hid_node *n, size_t *len)
{
	const struct hid_quote *q;
	struct hid_print p;
	char *text = malloc(TEXT_MAX), *at = text;
	int printed;

	if (!text)
		return NULL;
	for (q = n->quotes; q; q = q->next) {
		if (q->text.len + 1 > (size_t)(text + TEXT_MAX - at))
			break;
		memcpy(at, q->text.s, q->text.len);
		at += q->text.len;
		*at++ = '\n';
	}
	*len = (size_t)(at - text);
	if (n->quotes || !n->first)
		return text;
	hid_print_begin(&p, text, TEXT_MAX);
	hid_print_tree(&p, n->first);
	printed = hid_print_end(&p);
	*len = printed < 0 ? 0 : (size_t)printed;
	return text;
}

static void show(struct timeline *t, const struct hid_node *n)
{
	char what[64], name[64], *text, *fit;
	size_t len;

	text = text_of(n, &len);
	if (!text) {
		log_error("no memory for the next content");
		return;
	}
	fit = realloc(text, len + 1);
	text = fit ? fit : text;
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

static _Noreturn void wrong(uint32_t line, uint32_t col, const char *what)
{
	env_fatal("config:%u:%u: %s", line, col, what);
}

static void check_step(const struct hid_node *n)
{
	const struct hid_attr *ms = hid_attr(n, "milliseconds");
	uint64_t v;

	if (hid_is(n, "sleep")) {
		if (!ms || hid_parse_number(ms->value, &v) || v < 1)
			wrong(n->line, n->col, "expected milliseconds of 1 or "
			      "more");
	} else if (!hid_is(n, "inline") && !hid_is(n, "empty")) {
		wrong(n->line, n->col, "expected inline, empty or sleep");
	}
}

static void add(const struct hid_node *n)
{
	struct timeline *t = calloc(1, sizeof(*t));
	const struct hid_node *step;
	bool sleeps = false;

	if (!t)
		env_fatal("no memory");
	if (!hid_is(n, "rom") || !hid_attr(n, "name"))
		wrong(n->line, n->col, "expected rom with a name");
	*t = (struct timeline){
		.node = n, .step = hid_first(n, NULL),
		.once = hid_bool(n, "once", false), .next = timelines,
		.timer = { .at = PITH_NO_DEADLINE, .fire = awake, .ctx = t },
	};
	for (step = t->step; step; step = hid_next(step, NULL)) {
		check_step(step);
		sleeps |= hid_is(step, "sleep");
	}
	if (!sleeps)
		t->once = true;		/* would never end */
	timelines = t;
	play(t);
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *config, *n;
	struct hid_error err;
	int ret = rom_open(&rom, "config");
	size_t arena = HID_ARENA_SIZE(rom.size);

	if (ret)
		env_fatal("no config: %s", strerror(-ret));
	ret = hid_parse(rom.data, rom.size, malloc(arena), arena, &config, &err);
	if (ret)
		wrong(err.line, err.col, err.text);
	for (n = hid_first(config, NULL); n; n = hid_next(n, NULL))
		add(n);
}

static const char *last_element(const char *label)
{
	const char *at;

	while ((at = strstr(label, " -> ")))
		label = at + 4;
	return label;
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	const char *name = last_element(req->label);
	struct timeline *t;

	(void)ctx;
	for (t = timelines; t; t = t->next)
		if (hid_equal(hid_attr(t->node, "name")->value, name))
			return rom_client_open(&ep, &t->source, req->ram,
					       (struct rom_client **)session);
	return -ENOENT;
}

static void close_rom(void *ctx, void *session)
{
	(void)ctx;
	rom_client_close(session);
}

int component_main(void)
{
	static struct service rom = {
		.name = "ROM", .open = open_rom, .close = close_rom,
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
