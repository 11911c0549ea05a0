// SPDX-License-Identifier: BSD-2-Clause
/* What the config says about init itself, and resource nodes. */
#include <errno.h>
#include "config.h"

#define PAGE		4096
#define RAM_MAX		(1ull << 40)
#define CAPS_MAX	(1u << 20)
#define PRIO_LEVELS_MAX	128
#define CPUS_MAX	64
#define MS_MAX		86400000	/* a day */

/* What a "resource NAME | TAG: .." node says, on a child or init itself. */
struct resource {
	const char *name;
	enum hid_kind kind;
	uint64_t min, max, *value;
};

/* All of them below @node; the last of @known has no name. */
static int fill_resources(const struct hid_node *node, const char *tag,
			  const struct resource *known, const char *names,
			  struct hid_error *err)
{
	const struct hid_field fields[] = {
		{ .tag = "name" }, { .tag = tag }, { .tag = NULL }
	};
	const struct hid_attr *name, *a;
	const struct hid_node *n;
	const struct resource *r;

	for (n = hid_first(node, "resource"); n; n = hid_next(n, "resource")) {
		if (hid_fill(n, fields, NULL, NULL, err))
			return -EINVAL;
		name = hid_attr(n, "name");
		a = hid_attr(n, tag);
		if (!a)
			return hid_refuse_node(err, n, "expected %s, found none",
					       tag);
		for (r = known; r->name; r++)
			if (name && hid_equal(name->value, r->name))
				break;
		if (!r->name)
			return hid_refuse_node(err, n, "expected resource %s",
					       names);
		if (hid_fill_attr(a, &(struct hid_field){
				  .tag = tag, .kind = r->kind, .min = r->min,
				  .max = r->max }, r->value, err))
			return -EINVAL;
	}
	return 0;
}

int config_fill_resources(struct config_child *child, struct hid_error *err)
{
	const struct resource known[] = {
		{ "RAM", HID_PAGES, PAGE, RAM_MAX, &child->quota.ram },
		{ "CAP", HID_U64, 1, CAPS_MAX, &child->quota.caps },
		{ "CPU", HID_U64, 1, CONFIG_CPU_MAX, &child->cpu },
		{ .name = NULL }
	};

	return fill_resources(child->node, "quantum", known, "RAM, CAP or CPU",
			      err);
}

#define TOP(kind, member, min, max) \
	HID_FIELD(struct config, kind, member, min, max)
#define INSIDE(tag, kind, member, min, max) \
	HID_AT(tag, struct config, kind, member, min, max)
#define REPORT(member)	INSIDE(#member, HID_BOOL, report.member, 0, 0)

static const struct hid_field top_fields[] = {
	TOP(HID_BOOL, verbose, 0, 0),
	TOP(HID_U32, prio_levels, 1, PRIO_LEVELS_MAX),
	TOP(HID_STR, version, 0, 0),
	{ .tag = NULL }
}, default_fields[] = {
	INSIDE("caps", HID_U64, usual.quota.caps, 1, CAPS_MAX),
	INSIDE("ram", HID_PAGES, usual.quota.ram, PAGE, RAM_MAX),
	{ .tag = NULL }
}, alias_fields[] = {
	CONFIG_NAME(struct config_child, id), { .tag = "child" }, { .tag = NULL }
}, service_fields[] = {
	CONFIG_SERVICE(struct config_rule, service), { .tag = NULL }
}, report_fields[] = {
	REPORT(ids), REPORT(requested), REPORT(provided), REPORT(session_args),
	REPORT(child_ram), REPORT(child_caps), REPORT(init_ram),
	REPORT(init_caps),
	INSIDE("delay_ms", HID_U32, report.delay_ms, 1, MS_MAX),
	INSIDE("buffer", HID_PAGES, report.buffer, PAGE, RAM_MAX),
	{ .tag = NULL }
}, heartbeat_fields[] = {
	INSIDE("rate_ms", HID_U32, heartbeat_ms, 10, MS_MAX), { .tag = NULL }
}, space_fields[] = {
	INSIDE("width", HID_U32, space_width, 1, CPUS_MAX),
	INSIDE("height", HID_U32, space_height, 1, CPUS_MAX),
	{ .tag = NULL }
};

const struct hid_sub config_names[] = {
	{ "service", HID_EACH, service_fields, NULL, 0 }, { .type = NULL }
};

static const struct hid_sub top_nodes[] = {
	{ "parent-provides", HID_FILLED, NULL, config_names,
	  offsetof(struct config, parent_provides) },
	{ "default-route", HID_ONCE, NULL, NULL,
	  offsetof(struct config, default_route.node) },
	{ "default", HID_FILLED, default_fields, NULL, 0 },
	{ "start", HID_MANY, NULL, NULL, 0 },
	{ "alias", HID_EACH, alias_fields, NULL, 0 },
	{ "service", HID_EACH, service_fields, config_policies, 0 },
	{ "report", HID_FILLED, report_fields, NULL,
	  offsetof(struct config, report.node) },
	{ "heartbeat", HID_FILLED, heartbeat_fields, NULL, 0 },
	{ "resource", HID_MANY, NULL, NULL, 0 },
	{ "affinity-space", HID_FILLED, space_fields, NULL, 0 },
	{ .type = NULL }
};

static int check_space(struct config *c, struct hid_error *err)
{
	const struct hid_node *n = hid_first(c->root, "affinity-space");

	if (!c->space_width)
		c->space_width = n ? 1 : CPUS_MAX;
	if (c->space_width * c->space_height <= CPUS_MAX)
		return 0;
	return hid_refuse_node(err, n, "expected a width and height of %d CPUs "
			       "in all, found %u x %u", CPUS_MAX,
			       c->space_width, c->space_height);
}

int config_fill_top(struct config *c, struct hid_error *err)
{
	const struct resource known[] = {
		{ "RAM", HID_PAGES, PAGE, RAM_MAX, &c->keep_ram },
		{ "CAP", HID_U64, 1, CAPS_MAX, &c->keep_caps },
		{ .name = NULL }
	};
	struct hid_str type = c->root->type;

	if (!hid_is(c->root, "config"))
		return hid_refuse_node(err, c->root,
				       "expected 'config', found '%.*s'",
				       type.len > 32 ? 32 : (int)type.len,
				       type.s);
	c->prio_levels = c->space_height = 1;
	c->report = (struct config_report){ .delay_ms = 100, .buffer = 64 << 10 };
	c->usual.restart = (struct restart_policy){
		.max = 5, .within_ms = 60000, .backoff_ms = 50,
	};
	c->heartbeat_ms = hid_first(c->root, "heartbeat") ? 1000 : 0;
	return hid_fill(c->root, top_fields, top_nodes, c, err) ||
	       check_space(c, err) ||
	       fill_resources(c->root, "preserve", known, "RAM or CAP", err) ?
		-EINVAL : 0;
}
