// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

#define PAGE		4096
#define RAM_MAX		(1ull << 40)
#define CAPS_MAX	(1u << 20)
#define CPUS_MAX	64
#define MS_MAX		86400000	/* a day */
#define PRIO_RANGE	65536

/* --- the children's names ------------------------------------ */

/* Where @name is among c->names, or belongs. */
static uint32_t *name_slot(const struct config *c, struct hid_str name)
{
	uint32_t hash = 2166136261u, i;

	for (i = 0; i < name.len; i++)
		hash = (hash ^ (uint8_t)name.s[i]) * 16777619;
	for (i = hash & c->names_mask; c->names[i]; i = (i + 1) & c->names_mask)
		if (hid_equal(name, c->children[c->names[i] - 1].name))
			break;
	return &c->names[i];
}

int config_child_index(const struct config *c, struct hid_str name)
{
	return c->names ? (int)*name_slot(c, name) - 1 : -1;
}

/* --- start nodes ------------------------------------ */

static int enter_name(struct config *c, struct config_child *child,
		      struct hid_error *err)
{
	struct hid_str name = child->id;
	uint32_t *slot = name_slot(c, name);

	if (*slot)
		return hid_refuse_node(err, child->node, "expected a new name, "
				       "found '%.*s' again (line %u)",
				       (int)name.len, name.s,
				       c->children[*slot - 1].node->line);
	*slot = c->nchildren + 1;
	hid_copy(name, child->name, sizeof(child->name));
	hid_copy(child->program.len ? child->program : name, child->binary,
		 sizeof(child->binary));
	return 0;
}

/* 0 is the highest level, 1 - prio_levels the lowest. */
static int fill_priority(const struct config *c, struct config_child *child,
			 struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(child->node, "priority");
	int64_t v;

	if (!a)
		return 0;
	if (hid_parse_signed(a->value, &v) || v > 0 ||
	    -v >= (int64_t)c->prio_levels)
		return hid_unexpected(err, a, "a priority of -%u to 0",
				      c->prio_levels - 1);
	child->priority = (uint32_t)-v * (PRIO_RANGE / c->prio_levels);
	return 0;
}

/* A rectangle of the affinity space, whose CPUs are counted row by row. */
static int fill_affinity(const struct config *c, struct config_child *child,
			 struct hid_error *err)
{
	struct affinity {
		uint32_t xpos, ypos, width, height;
	} a = { .width = 1, .height = 1 };
	const struct hid_field fields[] = {
		HID_FIELD(struct affinity, HID_U32, xpos, 0, c->space_width - 1),
		HID_FIELD(struct affinity, HID_U32, ypos, 0, c->space_height - 1),
		HID_FIELD(struct affinity, HID_U32, width, 1, c->space_width),
		HID_FIELD(struct affinity, HID_U32, height, 1, c->space_height),
		{ .tag = NULL }
	};
	const struct hid_node *n = hid_first(child->node, "affinity");
	uint32_t y;

	if (!n)
		return 0;
	if (hid_fill(n, fields, NULL, &a, err))
		return -EINVAL;
	if (a.width > c->space_width - a.xpos ||
	    a.height > c->space_height - a.ypos)
		return hid_refuse_node(err, n, "expected CPUs of the affinity "
				       "space of %u x %u", c->space_width,
				       c->space_height);
	for (y = a.ypos; y < a.ypos + a.height; y++)
		child->affinity |= ~0ull >> (CPUS_MAX - a.width) <<
				   (y * c->space_width + a.xpos);
	return 0;
}

static int fill_provides(struct config_child *child, struct hid_error *err)
{
	const struct hid_node *n = hid_first(child->node, "provides");
	struct hid_str name;

	for (n = hid_first(n, NULL); n; n = hid_next(n, NULL)) {
		name = hid_attr(n, "name")->value;
		if (config_provides(child, name) >= 0)
			return hid_refuse_node(err, n, "expected each service "
					       "once, found %.*s again",
					       (int)name.len, name.s);
		if (child->nprovides == CONFIG_PROVIDES)
			return hid_refuse_node(err, n, "expected at most %d "
					       "services, found more",
					       CONFIG_PROVIDES);
		child->provides[child->nprovides++] = name;
	}
	return 0;
}

/* In a window that the back-offs alone fill the child would never be given up. */
static int check_restart(struct config_child *child, struct hid_error *err)
{
	const struct hid_node *n = hid_first(child->node, "restart");
	const struct hid_attr *a = n ? hid_attr(n, "within_ms") : NULL;
	uint64_t sum = restart_pauses(&child->restart);

	child->restart.enabled = n != NULL;
	if (!n || child->restart.within_ms >= sum)
		return 0;
	return hid_refuse(err, a ? a->line : n->line, a ? a->col : n->col,
			  "expected within_ms of at least %llu, the sum of "
			  "the back-offs, found %u", (unsigned long long)sum,
			  child->restart.within_ms);
}

static int check_quota(const struct config_child *child, struct hid_error *err)
{
	return child->quota.ram && child->quota.caps ? 0 :
		hid_refuse_node(err, child->node, "expected %s, found neither it "
				"nor a default", child->quota.ram ? "caps" : "ram");
}

#define CHILD(kind, member, min, max) \
	HID_FIELD(struct config_child, kind, member, min, max)
#define INSIDE(tag, kind, member, min, max) \
	HID_AT(tag, struct config_child, kind, member, min, max)

static const struct hid_field child_fields[] = {
	CONFIG_NAME(struct config_child, id),
	INSIDE("caps", HID_U64, quota.caps, 1, CAPS_MAX),
	INSIDE("ram", HID_PAGES, quota.ram, PAGE, RAM_MAX),
	{ .tag = "priority" },
	CHILD(HID_STR, version, 0, 0),
	CHILD(HID_BOOL, managing_system, 0, 0),
	{ .tag = NULL }
}, binary_fields[] = {
	CONFIG_NAME(struct config_child, program), { .tag = NULL }
}, exit_fields[] = {
	INSIDE("propagate", HID_BOOL, exit_propagate, 0, 0), { .tag = NULL }
}, restart_fields[] = {
	INSIDE("max", HID_U32, restart.max, 1, RESTART_MAX),
	INSIDE("within_ms", HID_U32, restart.within_ms, 1, MS_MAX),
	INSIDE("backoff_ms", HID_U32, restart.backoff_ms, 1,
	       RESTART_BACKOFF_MAX),
	{ .tag = NULL }
}, heartbeat_fields[] = {
	INSIDE("restart_after_skipped", HID_U32, skipped_max, 1, 1000000),
	{ .tag = NULL }
};

static const struct hid_sub child_nodes[] = {
	{ "binary", HID_FILLED, binary_fields, NULL, 0 },
	{ "provides", HID_FILLED, NULL, config_names, 0 },
	{ "route", HID_ONCE, NULL, NULL,
	  offsetof(struct config_child, route.node) },
	{ "config", HID_ONCE, NULL, NULL, offsetof(struct config_child, config) },
	{ "exit", HID_FILLED, exit_fields, NULL, 0 },
	{ "restart", HID_FILLED, restart_fields, NULL, 0 },
	{ "heartbeat", HID_FILLED, heartbeat_fields, NULL,
	  offsetof(struct config_child, heartbeat) },
	{ "resource", HID_MANY, NULL, NULL, 0 },
	{ "affinity", HID_ONCE, NULL, NULL, 0 },
	{ .type = NULL }
};

/* On top of what is usual, which @child has already. */
static int fill_child(struct config *c, struct config_child *child,
		      struct hid_error *err)
{
	return hid_fill(child->node, child_fields, child_nodes, child, err) ||
	       enter_name(c, child, err) || config_fill_resources(child, err) ||
	       check_quota(child, err) || fill_priority(c, child, err) ||
	       fill_affinity(c, child, err) || fill_provides(child, err) ||
	       check_restart(child, err) ? -EINVAL : 0;
}

/* --- the whole ------------------------------------ */

static int fill_children(struct config *c, struct hid_error *err)
{
	struct config_child *child = c->children;
	const struct hid_node *n;

	for (n = hid_first(c->root, "start"); n; n = hid_next(n, "start")) {
		if (c->nchildren == CONFIG_CHILDREN)
			return hid_refuse_node(err, n, "expected at most %d "
					       "children, found more",
					       CONFIG_CHILDREN);
		*child = c->usual;
		child->node = n;
		if (fill_child(c, child++, err))
			return -EINVAL;
		c->nchildren++;
	}
	return 0;
}

/* Once all children are known. */
static int fill_routes(struct config *c, struct hid_error *err)
{
	int ret = config_fill_route(c, NULL, &c->default_route, err);
	unsigned int i;

	for (i = 0; i < c->nchildren && !ret; i++)
		ret = config_fill_route(c, &c->children[i],
					&c->children[i].route, err);
	return ret;
}

/* Room for what the tree can hold at most. */
static int make_room(struct config *c)
{
	const struct hid_node *n;
	uint32_t nchildren = 0;

	config_count_route(c, hid_first(c->root, "default-route"));
	for (n = hid_first(c->root, "service"); n; n = hid_next(n, "service"))
		config_count_route(c, n);
	for (n = hid_first(c->root, "start"); n; n = hid_next(n, "start")) {
		config_count_route(c, hid_first(n, "route"));
		nchildren++;
	}
	while (c->names_mask < 2 * nchildren)
		c->names_mask = 2 * c->names_mask + 1;
	c->names = calloc(c->names_mask + 1, sizeof(*c->names));
	c->children = calloc(nchildren + 1, sizeof(*c->children));
	c->rules = calloc(c->nrules + 1, sizeof(*c->rules));
	c->targets = calloc(c->ntargets + 1, sizeof(*c->targets));
	c->nrules = c->ntargets = 0;
	return c->names && c->children && c->rules && c->targets ? 0 : -ENOMEM;
}

/* Aliases share the name space of the children that they stand for. */
static int check_aliases(const struct config *c, struct hid_error *err)
{
	struct hid_str name;
	const struct hid_node *n;

	for (n = hid_first(c->root, "alias"); n; n = hid_next(n, "alias")) {
		name = hid_attr(n, "name")->value;
		if (config_child_index(c, name) >= 0)
			return hid_refuse_node(err, n, "expected a new name, "
					       "found '%.*s' again",
					       (int)name.len, name.s);
		if (!hid_attr(n, "child") ||
		    config_child_index(c, hid_attr(n, "child")->value) < 0)
			return hid_refuse_node(err, n, "expected the start node "
					       "that '%.*s' stands for",
					       (int)name.len, name.s);
	}
	return 0;
}

static int fill(struct config *c, struct hid_error *err)
{
	int ret = config_fill_top(c, err) ? -EINVAL : make_room(c);

	if (ret)
		return ret;
	return fill_children(c, err) || check_aliases(c, err) ||
	       fill_routes(c, err) || config_fill_services(c, err) ? -EINVAL : 0;
}

int config_parse(struct config *c, const char *text, size_t len,
		 struct hid_error *err)
{
	int ret = -ENOMEM;
	char *copy;

	*c = (struct config){ .nchildren = 0 };
	*err = (struct hid_error){ .line = 1, .col = 1,
				   .text = "not enough memory for the config" };
	/* the tree first, for its alignment, then the copy of the text */
	c->arena = len <= HID_TEXT_MAX ? malloc(HID_ARENA_SIZE(len) + len) :
					 NULL;
	if (c->arena) {
		copy = (char *)c->arena + HID_ARENA_SIZE(len);
		memcpy(copy, text, len);
		ret = hid_parse(copy, len, c->arena, HID_ARENA_SIZE(len),
				&c->root, err);
	}
	if (!ret)
		ret = fill(c, err);
	if (ret)
		config_free(c);
	return ret;
}

void config_free(struct config *c)
{
	free(c->targets);
	free(c->rules);
	free(c->children);
	free(c->names);
	free(c->arena);
	*c = (struct config){ .nchildren = 0 };
}

bool config_child_differs(const struct config_child *a,
			  const struct config_child *b)
{
	unsigned int i;

	for (i = 0; i < a->nprovides; i++)
		if (config_provides(b, a->provides[i]) < 0)
			return true;
	return strcmp(a->binary, b->binary) ||
	       !hid_same_text(a->version, b->version) ||
	       a->priority != b->priority || a->affinity != b->affinity ||
	       a->managing_system != b->managing_system;
}

int config_check_quota(const struct config *c, struct quota all,
		       struct hid_error *err)
{
	const struct config_child *child = c->children;
	struct quota left = all;
	bool ram;
	unsigned int i;

	for (i = 0; i < c->nchildren; i++, child++) {
		if (quota_sub(left, child->quota, &left))
			continue;
		ram = child->quota.ram > left.ram;
		hid_refuse_node(err, child->node, "expected at most %llu %s for "
				"'%s' (of %llu in all), found %llu",
				(unsigned long long)(ram ? left.ram : left.caps),
				ram ? "ram" : "caps", child->name,
				(unsigned long long)(ram ? all.ram : all.caps),
				(unsigned long long)(ram ? child->quota.ram :
							   child->quota.caps));
		return -EDQUOT;
	}
	return 0;
}
