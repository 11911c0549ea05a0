// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state report: for each child its state, quota, time and sessions.
 *
 *	state | version: 7
 *	+ init
 *	  + ram | quota: .. | used: ..			  bytes
 *	  + caps | quota: .. | used: ..
 *	+ child nvme | binary: nvme | version: 2 | id: 4	id: of this start
 *		     | state: running | restarts: 1 | cpu_ms: 12
 *		     | exited: 137		      exited: if it ever has
 *		     | skipped_heartbeats: 2	      if it has
 *	  + ram | assigned: .. | quota: .. | used: .. | avail: ..
 *		| requested: ..			      quota: limit now; requested:
 *	  + caps | ..				      what it said it lacks
 *	  + cpu | assigned: .. | quota: ..	      percent, if there is a limit
 *	  + provides
 *	    + service Block | announced: yes
 *	  + session Platform | label: nvme | server: platform | id: 3
 *		    | state: open
 *	-
 *
 * If that would be longer than report_max(), it is without the sessions. What the
 * Report service gets is what the config's report node wants of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/report.h>
#include "init.h"

/* @assigned, @requested 0: not told; @used NULL: nor this */
static void print_account(struct hid_print *p, const char *type,
			  uint64_t assigned, uint64_t quota,
			  const __u64 *used, uint64_t requested)
{
	hid_print_node(p, type, NULL);
	if (assigned)
		hid_print_number(p, "assigned", assigned);
	hid_print_number(p, "quota", quota);
	if (used) {
		hid_print_number(p, "used", *used);
		hid_print_number(p, "avail", quota - *used);
	}
	if (requested)
		hid_print_number(p, "requested", requested);
	hid_print_close(p);
}

/* One for each of @ram and @caps; of a domain that is not there, nothing. */
static void print_accounts(struct hid_print *p, int domain, bool ram, bool caps,
			   struct quota assigned, struct quota requested)
{
	struct pith_domain_info i = { .ram_limit = 0 };

	if (domain >= 0 && pith_domain_info(domain, &i))
		i = (struct pith_domain_info){ .ram_limit = 0 };
	if (ram)
		print_account(p, "ram", assigned.ram, i.ram_limit, &i.ram_used,
			      requested.ram);
	if (caps)
		print_account(p, "caps", assigned.caps, i.caps_limit,
			      &i.caps_used, requested.caps);
}

static void print_init(struct hid_print *p, const struct config_report *what)
{
	struct quota none = { 0, 0 };

	if (!what->init_ram && !what->init_caps)
		return;
	hid_print_node(p, "init", NULL);
	print_accounts(p, PITH_SLOT_DOMAIN, what->init_ram, what->init_caps, none,
		       none);
	hid_print_close(p);
}

static void print_provides(struct hid_print *p, const struct child *c)
{
	char name[CONFIG_NAME_MAX];
	unsigned int i;

	if (!c->conf->nprovides)
		return;
	hid_print_node(p, "provides", NULL);
	for (i = 0; i < c->conf->nprovides; i++) {
		hid_copy(c->conf->provides[i], name, sizeof(name));
		hid_print_node(p, "service", name);
		hid_print_bool(p, "announced", c->announced[i] >= 0);
		hid_print_close(p);
	}
	hid_print_close(p);
}

/* @args NULL: not told */
static void print_session(struct hid_print *p, const struct parent_request *req,
			  const char *server, const char *state,
			  const char *args)
{
	hid_print_node(p, "session", req->service);
	hid_print_attr(p, "label", req->label);
	hid_print_attr(p, "server", server);
	hid_print_number(p, "id", req->id);
	hid_print_attr(p, "state", state);
	if (args)
		hid_print_attr(p, "args", args);
	hid_print_close(p);
}

/* The LOG session that init opened for a child is none of the child's own. */
static void print_sessions(struct hid_print *p, const struct child *c,
			   bool args)
{
	struct parent_request log = { .service = "LOG", .id = c->log.id };
	struct init_session *s, *next;

	strcpy(log.label, c->conf->name);
	if (log.id)
		print_session(p, &log, "core", "open", NULL);
	for_each_of_client(s, next, c)
		print_session(p, &s->req, s->server ? s->server->conf->name :
			      s->kind == ROUTE_PARENT ? "core" :
			      s->kind == ROUTE_CHILD ? "gone" :
			      s->kind == ROUTE_LATER ? "later" : "init",
			      session_state_name(s->state),
			      args ? s->req.args : NULL);
}

static void print_child(struct hid_print *p, struct child *c,
			const struct config_report *what)
{
	hid_print_node(p, "child", c->conf->name);
	hid_print_attr(p, "binary", c->conf->binary);
	hid_print_str(p, "version", c->conf->version);
	if (what->ids)
		hid_print_number(p, "id", c->id);
	hid_print_attr(p, "state", child_state_name(c->state));
	hid_print_number(p, "restarts", c->restarts);
	hid_print_number(p, "cpu_ms", child_cpu_ns(c) / PITH_MS(1));
	if (c->has_exited)
		hid_print_number(p, "exited", c->exit_code);
	if (c->skipped)
		hid_print_number(p, "skipped_heartbeats", c->skipped);
	print_accounts(p, c->domain, what->child_ram, what->child_caps,
		       c->conf->quota, c->requested);
	if (c->conf->cpu || c->requested_cpu)
		print_account(p, "cpu", c->conf->cpu, cpu_share(c), NULL,
			      c->requested_cpu);
	if (what->provided)
		print_provides(p, c);
	if (what->requested)
		print_sessions(p, c, what->session_args);
	hid_print_close(p);
}

static void print_all(struct hid_print *p, const void *what)
{
	unsigned int i;

	hid_print_node(p, "state", NULL);
	hid_print_str(p, "version", init.config.version);
	print_init(p, what);
	for (i = 0; i < init.config.nchildren; i++)
		print_child(p, init.children[i], what);
	hid_print_close(p);
}

/* Init_control keeps up to 8; that fits into what init keeps for itself and for
 * each child. */
static size_t report_max(void)
{
	return (64u << 10) + init.config.nchildren * 1024u;
}

int report_state(char **text)
{
	struct config_report what = {
		.ids = true, .requested = true, .provided = true,
		.child_ram = true, .child_caps = true, .init_ram = true,
		.init_caps = true,
	};
	int len = hid_print_new(text, report_max(), print_all, &what);

	what.requested = false;
	if (len == -EMSGSIZE)
		len = hid_print_new(text, report_max(), print_all, &what);
	return len == -EMSGSIZE ? -ENOMEM : len;
}

/* --- to the Report service ------------------------------------ */

static struct report out = { .session.cap = -1, .mem = -1 };

static void report_send(void *ctx)
{
	const struct config_report *what = &init.config.report;
	struct hid_print p;
	int len, err = 0;

	(void)ctx;
	if (!what->node || out.size != what->buffer)
		report_close(&out);
	if (!what->node)
		return;
	if (out.session.cap < 0)
		err = report_open(&out, "state", what->buffer);
	if (!err) {
		hid_print_begin(&p, out.buf, out.size);
		print_all(&p, what);
	}
	len = err ? err : hid_print_end(&p);
	err = len < 0 ? len : report_submit(&out, (uint64_t)len);
	if (!err)
		return;
	log_error("the state is not reported: %s", strerror(-err));
	if (err != -EMSGSIZE)	/* another server, another time */
		report_close(&out);
}

static struct ep_timer timer = { .at = PITH_NO_DEADLINE, .fire = report_send };
static uint64_t last_ns;

void report_changed(void)
{
	uint64_t now = pith_now(), at;

	if (timer.at != PITH_NO_DEADLINE ||
	    (!init.config.report.node && out.session.cap < 0))
		return;
	at = last_ns + PITH_MS(init.config.report.delay_ms);
	last_ns = at > now ? at : now;
	ep_timer_set(&init.ep, &timer, last_ns);
}

void report_now(void)
{
	ep_timer_set(&init.ep, &timer, pith_now());
}

