// SPDX-License-Identifier: BSD-2-Clause
/* report_rom: reports become ROMs. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/service.h>
#include <session/report.h>
#include "../lib/config_rom.h"
#include "../lib/policy.h"
#include "../lib/report_server.h"
#include "../lib/rom_server.h"

#define POLICIES	64

/* A report that a policy names: as many as there are policies, at most. */
struct slot {
	struct hid_str label;
	struct rom_source source;
	struct writer *writer;
};

struct writer {
	struct report_client *client;
	struct slot *slot;	/* NULL: nobody may read it */
	void *text;		/* the report */
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

static int add_policy(const struct hid_node *n, struct hid_error *err)
{
	const struct hid_attr *report = hid_attr(n, "report");
	int ret = policy_check(n, err);

	if (!ret)
		ret = config_attrs(n, POLICY_SELECTORS " report", err);
	if (!ret && !report)
		ret = hid_refuse(err, n->line, n->col, "expected report");
	if (ret || slot_of(report->value))
		return ret;
	if (nslots == POLICIES)
		return hid_refuse(err, n->line, n->col,
				    "expected at most 64 reports");
	slots[nslots++].label = report->value;
	return 0;
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *n;
	struct hid_error err;
	int ret;

	config = config_read(&rom);
	ret = config_attrs(config, "verbose", &err);
	if (!ret)
		ret = config_bool(config, "verbose", false, &verbose, &err);
	for (n = hid_first(config, NULL); n && !ret; n = hid_next(n, NULL))
		ret = add_policy(n, &err);
	if (ret)
		config_fatal(&err);
}

/* --- Report ------------------------------------ */

/* @text is ours from now on. */
static int submitted(void *ctx, char *text, uint64_t len)
{
	struct writer *w = ctx;

	if (!w->slot) {		/* it would be read by nobody */
		free(text);
		return 0;
	}
	rom_source_set(&w->slot->source, text, len);
	free(w->text);
	w->text = text;
	if (verbose)
		log_line("report \"%.*s\": %llu bytes", (int)w->slot->label.len,
			 w->slot->label.s, (unsigned long long)len);
	return 0;
}

static int open_report(void *ctx, const struct parent_request *req,
		       void **session)
{
	struct slot *slot = slot_of(str(req->label));
	struct writer *w;
	int cap;

	(void)ctx;
	if (slot && slot->writer)
		return -EBUSY;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct writer){ .slot = slot };
	cap = report_client_open(&ep, submitted, w, req, &w->client);
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
	report_client_close(w->client);
	if (w->slot) {		/* readers are told of the next report, not of this */
		w->slot->source.data = NULL;
		w->slot->source.size = 0;
		w->slot->writer = NULL;
	}
	free(w->text);
	free(w);
}

/* --- ROM ------------------------------------ */

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	const struct hid_node *p = policy_find(config, req->label);

	(void)ctx;
	return p ? rom_client_open(&ep, &slot_of(hid_attr(p, "report")->value)->
				   source, req, session) : -EACCES;
}

int component_main(void)
{
	static struct service services[] = {
		{ .name = "Report", .open = open_report, .close = close_report },
		{ .name = "ROM", .open = open_rom, .close = rom_client_close },
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
