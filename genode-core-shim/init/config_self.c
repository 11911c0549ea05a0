// SPDX-License-Identifier: BSD-2-Clause
/* What the config says about init itself, and resource nodes. */
#include <errno.h>
#include "config.h"

#define PAGE		4096
#define RAM_MAX		(1ull << 40)
#define CAPS_MAX	(1u << 20)
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
			return hid_refuse(err, n->line, n->col, "expected %s, "
					  "found none", tag);
		for (r = known; r->name; r++)
			if (name && hid_equal(name->value, r->name))
				break;
		if (!r->name)
			return hid_refuse(err, n->line, n->col,
					  "expected resource %s", names);
		if (hid_fill_attr(a, &(struct hid_field){
				  tag, r->kind, 0, r->min, r->max }, r->value,
				  err))
			return -EINVAL;
	}
	return 0;
}

int config_fill_resources(struct config_child *child, struct hid_error *err)
{
	const struct resource known[] = {
		{ "RAM", HID_PAGES, PAGE, RAM_MAX, &child->ram },
		{ "CAP", HID_U64, 1, CAPS_MAX, &child->caps },
		{ "CPU", HID_U64, 1, CONFIG_CPU_MAX, &child->cpu },
		{ .name = NULL }
	};

	return fill_resources(child->node, "quantum", known, "RAM, CAP or CPU",
			      err);
}

static int fill_report(struct config *c, struct hid_error *err)
{
#define FLAG(member) HID_FIELD(struct config_report, HID_BOOL, member, 0, 0)
	static const struct hid_field fields[] = {
		FLAG(ids), FLAG(requested), FLAG(provided), FLAG(session_args),
		FLAG(child_ram), FLAG(child_caps), FLAG(init_ram),
		FLAG(init_caps),
		HID_FIELD(struct config_report, HID_U32, delay_ms, 1, MS_MAX),
		HID_FIELD(struct config_report, HID_PAGES, buffer, PAGE, RAM_MAX),
		{ .tag = NULL }
	};
	const struct hid_node *n;

	c->report = (struct config_report){ .delay_ms = 100, .buffer = 64 << 10 };
	if (hid_fill_single(c->root, "report", fields, NULL, &c->report, &n,
			    err))
		return -EINVAL;
	c->report.enabled = n != NULL;
	return 0;
}

static int fill_heartbeat(struct config *c, struct hid_error *err)
{
	static const struct hid_field fields[] = {
		{ "rate_ms", HID_U32, 0, 10, MS_MAX }, { .tag = NULL }
	};
	uint32_t rate_ms = 1000;
	const struct hid_node *n;

	if (hid_fill_single(c->root, "heartbeat", fields, NULL, &rate_ms, &n,
			    err))
		return -EINVAL;
	c->heartbeat_ms = n ? rate_ms : 0;
	return 0;
}

static int fill_space(struct config *c, struct hid_error *err)
{
	static const struct hid_field fields[] = {
		{ "width", HID_U32, offsetof(struct config, space_width), 1,
		  CPUS_MAX },
		{ "height", HID_U32, offsetof(struct config, space_height), 1,
		  CPUS_MAX },
		{ .tag = NULL }
	};
	const struct hid_node *n;

	c->space_width = CPUS_MAX;
	c->space_height = 1;
	if (hid_fill_single(c->root, "affinity-space", fields, NULL, c, &n, err))
		return -EINVAL;
	if (n && !hid_attr(n, "width"))
		c->space_width = 1;
	if (c->space_width * c->space_height <= CPUS_MAX)
		return 0;
	return hid_refuse(err, n->line, n->col, "expected a width and height of "
			  "%d CPUs in all, found %u x %u", CPUS_MAX,
			  c->space_width, c->space_height);
}

int config_fill_self(struct config *c, struct hid_error *err)
{
	const struct resource known[] = {
		{ "RAM", HID_PAGES, PAGE, RAM_MAX, &c->keep_ram },
		{ "CAP", HID_U64, 1, CAPS_MAX, &c->keep_caps },
		{ .name = NULL }
	};

	return fill_report(c, err) || fill_heartbeat(c, err) ||
	       fill_space(c, err) ||
	       fill_resources(c->root, "preserve", known, "RAM or CAP", err) ?
		-EINVAL : 0;
}
