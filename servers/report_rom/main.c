// SPDX-License-Identifier: BSD-2-Clause
/* report_rom: reports become ROMs. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <pith/service.h>
#include <session/report.h>
#include "../lib/rom_server.h"

#define BOOKS		8192	/* of a Report session, out of its donation */
#define POLICIES	64

/* A report that a policy names: as many as there are policies, at most. */
struct slot {
	struct hid_str label;
	struct rom_source source;
	struct writer *writer;
};

struct writer {
	struct slot *slot;	/* NULL: nobody may read it */
	uint64_t badge, ram;
	void *buf;		/* the client writes to it at any time */
	uint64_t size;
	void *text;		/* the report: a copy */
};

static struct entrypoint ep;
static const struct hid_node *config;
static bool verbose;
static struct slot slots[POLICIES];
static unsigned int nslots;

static struct slot *slot_of(struct hid_str label)
{
	unsigned int i;

	for (i = 0; i < nslots; i++)
		if (hid_same_text(slots[i].label, label))
			return &slots[i];
	return NULL;
}

static struct hid_str str(const char *s)
{
	return (struct hid_str){ s, (uint32_t)strlen(s) };
}

/* --- config ------------------------------------ */

static _Noreturn void wrong(uint32_t line, uint32_t col, const char *what)
{
	env_fatal("config:%u:%u: %s", line, col, what);
}

static void add_policy(const struct hid_node *n)
{
	const struct hid_attr *report = hid_attr(n, "report");

	if (!hid_is(n, "policy"))
		wrong(n->line, n->col, "expected policy");
	if (!report || !hid_attr(n, "label") == !hid_attr(n, "label_prefix"))
		wrong(n->line, n->col, "expected report and either label or "
		      "label_prefix");
	if (slot_of(report->value))
		return;
	if (nslots == POLICIES)
		wrong(n->line, n->col, "expected at most 64 policies");
	slots[nslots++].label = report->value;
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *n;
	struct hid_error err;
	int ret = rom_open(&rom, "config");
	size_t arena = HID_ARENA_SIZE(rom.size);

	if (ret)
		env_fatal("no config: %s", strerror(-ret));
	ret = hid_parse(rom.data, rom.size, malloc(arena), arena, &config, &err);
	if (ret)
		wrong(err.line, err.col, err.text);
	verbose = hid_bool(config, "verbose", false);
	for (n = hid_first(config, NULL); n; n = hid_next(n, NULL))
		add_policy(n);
}

/* --- Report ------------------------------------ */

static int give_buffer(struct writer *w, struct ep_request *in)
{
	const struct report_size *req = ep_req(in, struct report_size);
	int mem, rw, err;

	if (!req || !req->size || req->size % 4096)
		return -EINVAL;
	if (w->buf)
		return -EBUSY;
	if (req->size > (w->ram - BOOKS) / 3)
		return -EDQUOT;
	mem = pith_mem_create(-1, req->size, 0);
	if (mem < 0)
		return mem;
	/* without the right to revoke it */
	rw = pith_mint(mem, PITH_R_READ | PITH_R_WRITE);
	err = rw < 0 ? rw : 0;
	if (!err)
		w->buf = pith_map(mem, 0, 0, PITH_MAP_READ, &err);
	w->size = req->size;
	pith_close(mem);
	if (w->buf)
		return ep_reply_cap(in, rw, 1);
	pith_close(rw);
	return err;
}

static int submit(struct writer *w, struct ep_request *in)
{
	const struct report_size *req = ep_req(in, struct report_size);
	void *text;

	if (!req || !w->buf || req->size > w->size)
		return -EINVAL;
	if (!w->slot)		/* it would be read by nobody */
		return 0;
	text = malloc(req->size + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, w->buf, req->size);
	rom_source_set(&w->slot->source, text, req->size);
	free(w->text);
	w->text = text;
	if (verbose)
		log_line("report \"%.*s\": %llu bytes", (int)w->slot->label.len,
			 w->slot->label.s, (unsigned long long)req->size);
	return 0;
}

static int report_call(void *ctx, struct ep_request *in)
{
	switch (in->method) {
	case REPORT_BUFFER:
		return give_buffer(ctx, in);
	case REPORT_SUBMIT:
		return submit(ctx, in);
	}
	return -ENOSYS;
}

static int open_report(void *ctx, const struct parent_request *req,
		       void **session)
{
	struct slot *slot = slot_of(str(req->label));
	struct writer *w;
	int cap;

	(void)ctx;
	if (req->ram < BOOKS)
		return -EDQUOT;
	if (slot && slot->writer)
		return -EBUSY;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct writer){ .slot = slot, .ram = req->ram };
	cap = ep_new_object(&ep, report_call, w, &w->badge);
	if (cap < 0) {
		free(w);
		return cap;
	}
	if (slot)
		slot->writer = w;
	*session = w;
	return cap;
}

static void close_report(void *ctx, void *session)
{
	struct writer *w = session;

	(void)ctx;
	ep_remove(&ep, w->badge);
	if (w->buf)
		pith_unmap(w->buf, w->size);
	if (w->slot) {		/* readers are told of the next report, not of this */
		w->slot->source.data = NULL;
		w->slot->source.size = 0;
		w->slot->writer = NULL;
	}
	free(w->text);
	free(w);
}

/* --- ROM ------------------------------------ */

/* Does @prefix end where an element of @label does? */
static bool begins(const char *label, struct hid_str prefix)
{
	const char *rest = label + prefix.len;

	return strlen(label) >= prefix.len &&
	       !memcmp(label, prefix.s, prefix.len) &&
	       (!*rest || !strncmp(rest, " -> ", 4));
}

static bool matches(const struct hid_node *policy, const char *label)
{
	const struct hid_attr *exact = hid_attr(policy, "label");

	return exact ? hid_equal(exact->value, label) :
		       begins(label, hid_attr(policy, "label_prefix")->value);
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	const struct hid_node *p = hid_first(config, "policy");
	struct rom_client *client;
	int cap;

	(void)ctx;
	while (p && !matches(p, req->label))
		p = hid_next(p, "policy");
	if (!p)
		return -EACCES;
	cap = rom_client_open(&ep, &slot_of(hid_attr(p, "report")->value)->source,
			      req->ram, &client);
	*session = cap < 0 ? NULL : client;
	return cap;
}

static void close_rom(void *ctx, void *session)
{
	(void)ctx;
	rom_client_close(session);
}

int component_main(void)
{
	static struct service services[] = {
		{ .name = "Report", .open = open_report, .close = close_report },
		{ .name = "ROM", .open = open_rom, .close = close_rom },
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	read_config();
	err = service_announce(&ep, services, 2);
	if (err)
		env_fatal("cannot announce: %s", strerror(-err));
	ep_run(&ep);
}
