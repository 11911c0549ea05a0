// SPDX-License-Identifier: BSD-2-Clause
/* The services that init provides itself: ROM "config" and Init_control. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <session/core.h>
#include <session/init_control.h>
#include "init.h"

#define CONFIG_TEXT_MAX	(1u << 20)	/* bytes of an inline config */
#define CONTROLS	8		/* Init_control sessions in all */
#define CONTROLS_OF_ONE	2		/* of one client */
#define STATE_PART	3072		/* bytes of report in one reply */

/* --- ROM "config" ------------------------------------ */

static void print_config(struct hid_print *p, const void *node)
{
	hid_print_tree(p, node);
}

/* Memory of the child with @text, as a read-only capability. */
static int config_memory(struct child *c, const char *text, size_t len)
{
	uint64_t size = (len + QUOTA_PAGE) & ~(uint64_t)(QUOTA_PAGE - 1);
	int mem, ro, err;
	void *p;

	mem = pith_mem_create(c->domain, size, 0);
	if (mem < 0)
		return mem;
	p = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (p) {
		memcpy(p, text, len);
		pith_unmap(p, size);
		ro = pith_mint(mem, PITH_R_READ);
	} else {
		ro = err;
	}
	pith_close(mem);
	return ro;
}

/* The text as it is now, in memory that is the child's to keep and to pay for. */
static int config_dataspace(struct child *c, struct ep_request *in)
{
	struct rom_dataspace ds;
	char *text;
	int len, mem;

	if (!c->conf->config)	/* it is about to end */
		return -ENOENT;
	len = hid_print_new(&text, CONFIG_TEXT_MAX, print_config,
			    c->conf->config);
	if (len < 0)
		return len;
	mem = config_memory(c, text, (size_t)len);
	free(text);
	if (mem < 0)
		return mem;
	ds.size = (uint64_t)len;
	ep_reply_data(&init.ep, in, &ds, sizeof(ds));
	return ep_reply_cap(in, mem, 1);
}

static int config_call(void *ctx, struct ep_request *in)
{
	struct child *c = ctx;

	if (in->method == ROM_SIGH)
		return take_signal(in, &c->config_sigh);
	return in->method == ROM_DATASPACE ? config_dataspace(c, in) : -ENOSYS;
}

void local_config_changed(struct child *c)
{
	if (c->config_sigh >= 0)
		pith_signal(c->config_sigh, 1);
}

int local_config_open(struct child *c)
{
	if (c->config_cap < 0)
		c->config_cap = ep_new_object(&init.ep, config_call, c,
					      &c->config_badge);
	return c->config_cap;
}

void local_config_free(struct child *c)
{
	if (c->config_cap >= 0)
		ep_remove(&init.ep, c->config_badge);
	pith_close(c->config_cap);
	pith_close(c->config_sigh);
	c->config_cap = c->config_sigh = -1;
}

/* --- Init_control ------------------------------------ */

struct control {
	uint64_t badge;		/* 0: free */
	char *report;
	uint64_t size;
};

static struct control controls[CONTROLS];

static int control_state(struct control *ctl, struct ep_request *in)
{
	const struct init_state *req = ep_req(in, struct init_state);
	struct init_state_reply reply;
	uint64_t part;
	char *text;
	int err;

	if (!req)
		return -EINVAL;
	if (!req->offset) {
		err = report_state(&text);
		if (err < 0)
			return err;
		free(ctl->report);
		ctl->report = text;
		ctl->size = (uint64_t)err;
	}
	if (!ctl->report || req->offset > ctl->size)
		return -EINVAL;
	reply.size = ctl->size;
	part = ctl->size - req->offset;
	part = part < STATE_PART ? part : STATE_PART;
	err = ep_reply_data(&init.ep, in, &reply, sizeof(reply));
	return err ? err : ep_reply_data(&init.ep, in, ctl->report + req->offset,
					 part);
}

static int control_kill(struct ep_request *in)
{
	struct hid_str name = { in->data, (uint32_t)in->len };
	int i;

	if (name.len && !name.s[name.len - 1])
		name.len--;
	i = config_child_index(&init.config, name);
	return i < 0 ? -ENOENT : child_kill(init.children[i]);
}

static int control_call(void *ctx, struct ep_request *in)
{
	return in->method == INIT_STATE ? control_state(ctx, in) :
	       in->method == INIT_KILL ? control_kill(in) : -EINVAL;
}

static unsigned int controls_of(const struct child *client)
{
	struct init_session *s, *next;
	unsigned int n = 0;

	for_each_of_client(s, next, client)
		n += s->control != NULL;
	return n;
}

int local_control_open(struct init_session *s)
{
	struct control *ctl;

	if (controls_of(s->client) >= CONTROLS_OF_ONE)
		return -EBUSY;
	for (ctl = controls; ctl < controls + CONTROLS; ctl++) {
		if (ctl->badge)
			continue;
		s->control = ctl;
		return ep_new_object(&init.ep, control_call, ctl, &ctl->badge);
	}
	return -EBUSY;
}

void local_control_close(struct init_session *s)
{
	if (!s->control)
		return;
	if (s->control->badge)
		ep_remove(&init.ep, s->control->badge);
	free(s->control->report);
	*s->control = (struct control){ .badge = 0 };
}
