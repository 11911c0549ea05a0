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
#define PRIO_LEVELS_MAX	128
#define PRIO_RANGE	65536

/* Names of children, binaries and services: safe in labels, args and reports. */
bool config_name_valid(struct hid_str s, const char *marks)
{
	uint32_t i;
	char c;

	if (!s.len || s.len >= CONFIG_NAME_MAX)
		return false;
	for (i = 0; i < s.len; i++) {
		c = s.s[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || (i && c && strchr(marks, c))))
			return false;
	}
	return true;
}

static int get_name(const struct hid_node *node, const char *what,
		    const char *marks, struct hid_str *name,
		    struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, "name");

	if (!a)
		return hid_refuse(err, node->line, node->col,
				  "expected a name after '%.*s', found none",
				  (int)node->type.len, node->type.s);
	if (!config_name_valid(a->value, marks))
		return hid_unexpected(err, a, "a %s of up to %d of [A-Za-z0-9%s]",
				      what, CONFIG_NAME_MAX - 1, marks);
	*name = a->value;
	return 0;
}

int config_name(const struct hid_node *node, struct hid_str *name,
		struct hid_error *err)
{
	return get_name(node, "name", "_.-", name, err);
}

int config_service(const struct hid_node *node, struct hid_str *name,
		   struct hid_error *err)
{
	return get_name(node, "service name", "_", name, err);
}

static const struct hid_field name_only[] = {
	{ .tag = "name" }, { .tag = NULL }
};

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

static int fill_name(struct config *c, struct config_child *child,
		     struct hid_error *err)
{
	const struct hid_node *binary;
	struct hid_str name;
	uint32_t *slot;

	if (config_name(child->node, &name, err))
		return -EINVAL;
	slot = name_slot(c, name);
	if (*slot)
		return hid_refuse(err, child->node->line, child->node->col,
				  "expected a new name, found '%.*s' again "
				  "(line %u)", (int)name.len, name.s,
				  c->children[*slot - 1].node->line);
	hid_copy(name, child->name, sizeof(child->name));
	*slot = c->nchildren + 1;
	if (hid_fill_single(child->node, "binary", name_only, NULL, NULL,
			    &binary, err) ||
	    (binary && config_name(binary, &name, err)))
		return -EINVAL;
	hid_copy(name, child->binary, sizeof(child->binary));
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

struct affinity {
	uint32_t xpos, ypos, width, height;
};

/* A rectangle of the affinity space, whose CPUs are counted row by row. */
static int fill_affinity(const struct config *c, struct config_child *child,
			 struct hid_error *err)
{
	const struct hid_field fields[] = {
		HID_FIELD(struct affinity, HID_U32, xpos, 0, c->space_width - 1),
		HID_FIELD(struct affinity, HID_U32, ypos, 0, c->space_height - 1),
		HID_FIELD(struct affinity, HID_U32, width, 1, c->space_width),
		HID_FIELD(struct affinity, HID_U32, height, 1, c->space_height),
		{ .tag = NULL }
	};
	struct affinity a = { .width = 1, .height = 1 };
	const struct hid_node *n;
	uint32_t y;

	if (hid_fill_single(child->node, "affinity", fields, NULL, &a, &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	if (a.width > c->space_width - a.xpos ||
	    a.height > c->space_height - a.ypos)
		return hid_refuse(err, n->line, n->col, "expected CPUs of the "
				  "affinity space of %u x %u", c->space_width,
				  c->space_height);
	for (y = a.ypos; y < a.ypos + a.height; y++)
		child->affinity |= ~0ull >> (CPUS_MAX - a.width) <<
				   (y * c->space_width + a.xpos);
	return 0;
}

static const char *const services_only[] = { "service", NULL };

/* What is wrong with "service" node @n, which is only a name. */
static int check_service(const struct hid_node *n, struct hid_str *name,
			 struct hid_error *err)
{
	return hid_fill(n, name_only, NULL, NULL, err) ||
	       config_service(n, name, err) ? -EINVAL : 0;
}

static int fill_provides(struct config_child *child, struct hid_error *err)
{
	const struct hid_node *provides, *n;
	struct hid_str name;

	if (hid_fill_single(child->node, "provides", NULL, services_only, NULL,
			    &provides, err))
		return -EINVAL;
	for (n = hid_first(provides, NULL); n; n = hid_next(n, NULL)) {
		if (check_service(n, &name, err))
			return -EINVAL;
		if (config_provides(child, name) >= 0)
			return hid_refuse(err, n->line, n->col, "expected each "
					  "service once, found %.*s again",
					  (int)name.len, name.s);
		if (child->nprovides == CONFIG_PROVIDES)
			return hid_refuse(err, n->line, n->col, "expected at "
					  "most %d services, found more",
					  CONFIG_PROVIDES);
		child->provides[child->nprovides++] = name;
	}
	return 0;
}

/* In a window that the back-offs alone fill the child would never be given up. */
static int check_window(const struct hid_node *n, const struct restart_policy *r,
			struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "within_ms");
	uint64_t sum = restart_pauses(r);

	if (r->within_ms >= sum)
		return 0;
	return hid_refuse(err, a ? a->line : n->line, a ? a->col : n->col,
			  "expected within_ms of at least %llu, the sum of "
			  "the back-offs, found %u", (unsigned long long)sum,
			  r->within_ms);
}

static int fill_restart(struct config_child *child, struct hid_error *err)
{
	static const struct hid_field fields[] = {
		HID_FIELD(struct restart_policy, HID_U32, max, 1, RESTART_MAX),
		HID_FIELD(struct restart_policy, HID_U32, within_ms, 1, MS_MAX),
		HID_FIELD(struct restart_policy, HID_U32, backoff_ms, 1,
			  RESTART_BACKOFF_MAX),
		{ .tag = NULL }
	};
	struct restart_policy r = { .enabled = true, .max = 5,
				    .within_ms = 60000, .backoff_ms = 50 };
	const struct hid_node *n;

	if (hid_fill_single(child->node, "restart", fields, NULL, &r, &n, err) ||
	    (n && check_window(n, &r, err)))
		return -EINVAL;
	if (n)
		child->restart = r;
	return 0;
}

static int fill_exit_and_heartbeat(struct config_child *child,
				   struct hid_error *err)
{
	static const struct hid_field exit[] = {
		{ "propagate", HID_BOOL,
		  offsetof(struct config_child, exit_propagate), 0, 0 },
		{ .tag = NULL }
	}, heartbeat[] = {
		{ "restart_after_skipped", HID_U32,
		  offsetof(struct config_child, skipped_max), 1, 1000000 },
		{ .tag = NULL }
	};
	const struct hid_node *n;

	if (hid_fill_single(child->node, "exit", exit, NULL, child, &n, err) ||
	    hid_fill_single(child->node, "heartbeat", heartbeat, NULL, child,
			    &n, err))
		return -EINVAL;
	child->heartbeat = n != NULL;
	return 0;
}

static int check_quota(const struct config_child *child, struct hid_error *err)
{
	if (child->ram && child->caps)
		return 0;
	return hid_refuse(err, child->node->line, child->node->col, "expected %s, "
			  "found neither it nor a default",
			  child->ram ? "caps" : "ram");
}

#define QUOTA_FIELDS \
	HID_FIELD(struct config_child, HID_U64, caps, 1, CAPS_MAX), \
	HID_FIELD(struct config_child, HID_PAGES, ram, PAGE, RAM_MAX)

/* On top of the defaults, which @child has already. */
static int fill_child(struct config *c, struct config_child *child,
		      struct hid_error *err)
{
	static const struct hid_field fields[] = {
		{ .tag = "name" },
		QUOTA_FIELDS,
		{ .tag = "priority" },
		HID_FIELD(struct config_child, HID_STR, version, 0, 0),
		HID_FIELD(struct config_child, HID_BOOL, managing_system, 0, 0),
		{ .tag = NULL }
	};
	static const char *const nodes[] = {
		"binary", "provides", "route", "config", "exit", "restart",
		"heartbeat", "resource", "affinity", NULL
	};

	return hid_fill(child->node, fields, nodes, child, err) ||
	       fill_name(c, child, err) || config_fill_resources(child, err) ||
	       check_quota(child, err) || fill_priority(c, child, err) ||
	       fill_affinity(c, child, err) || fill_provides(child, err) ||
	       hid_single(child->node, "config", &child->config, err) ||
	       fill_restart(child, err) ||
	       fill_exit_and_heartbeat(child, err) ? -EINVAL : 0;
}

/* --- the whole ------------------------------------ */

static int check_top(struct config *c, const struct hid_node *root,
		     struct hid_error *err)
{
	static const struct hid_field fields[] = {
		HID_FIELD(struct config, HID_BOOL, verbose, 0, 0),
		HID_FIELD(struct config, HID_U32, prio_levels, 1,
			  PRIO_LEVELS_MAX),
		HID_FIELD(struct config, HID_STR, version, 0, 0),
		{ .tag = NULL }
	};
	static const char *const nodes[] = {
		"parent-provides", "default-route", "default", "start", "alias",
		"service", "report", "heartbeat", "resource", "affinity-space",
		NULL
	};

	if (!hid_is(root, "config"))
		return hid_refuse(err, root->line, root->col,
				  "expected 'config', found '%.*s'",
				  root->type.len > 32 ? 32 :
				  (int)root->type.len, root->type.s);
	c->root = root;
	c->prio_levels = 1;
	return hid_fill(root, fields, nodes, c, err);
}

static int fill_parent_provides(struct config *c, struct hid_error *err)
{
	const struct hid_node *n;
	struct hid_str name;
	int ret = hid_fill_single(c->root, "parent-provides", NULL,
				  services_only, NULL, &c->parent_provides, err);

	for (n = hid_first(c->parent_provides, NULL); n && !ret;
	     n = hid_next(n, NULL))
		ret = check_service(n, &name, err);
	return ret;
}

static int fill_children(struct config *c, struct hid_error *err)
{
	static const struct hid_field fields[] = {
		QUOTA_FIELDS, { .tag = NULL }
	};
	struct config_child template = { .ram = 0 };
	const struct hid_node *n;
	int ret = hid_fill_single(c->root, "default", fields, NULL, &template,
				  &n, err);

	for (n = hid_first(c->root, "start"); n && !ret;
	     n = hid_next(n, "start")) {
		if (c->nchildren == CONFIG_CHILDREN)
			return hid_refuse(err, n->line, n->col, "expected at "
					  "most %d children, found more",
					  CONFIG_CHILDREN);
		template.node = n;
		c->children[c->nchildren] = template;
		ret = fill_child(c, &c->children[c->nchildren], err);
		c->nchildren++;
	}
	return ret;
}

/* Once all children are known. */
static int fill_routes(struct config *c, struct hid_error *err)
{
	const struct hid_node *route;
	struct config_child *child;
	unsigned int i;
	int ret = hid_single(c->root, "default-route", &route, err);

	if (!ret && route)
		ret = config_fill_route(c, route, NULL, &c->default_route, err);
	for (i = 0; i < c->nchildren && !ret; i++) {
		child = &c->children[i];
		ret = hid_single(child->node, "route", &route, err);
		child->own_route = route != NULL;
		if (!ret && route)
			ret = config_fill_route(c, route, child, &child->route,
						err);
	}
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
	static const struct hid_field fields[] = {
		{ .tag = "name" }, { .tag = "child" }, { .tag = NULL }
	};
	const struct hid_attr *child;
	const struct hid_node *n;
	struct hid_str name;

	for (n = hid_first(c->root, "alias"); n; n = hid_next(n, "alias")) {
		child = hid_attr(n, "child");
		if (hid_fill(n, fields, NULL, NULL, err) ||
		    config_name(n, &name, err))
			return -EINVAL;
		if (config_child_index(c, name) >= 0)
			return hid_refuse(err, n->line, n->col, "expected a new "
					  "name, found '%.*s' again",
					  (int)name.len, name.s);
		if (!child || config_child_index(c, child->value) < 0)
			return hid_refuse(err, n->line, n->col, "expected the "
					  "start node that '%.*s' stands for",
					  (int)name.len, name.s);
	}
	return 0;
}

static int fill(struct config *c, const struct hid_node *root,
		struct hid_error *err)
{
	int ret = check_top(c, root, err) || config_fill_self(c, err) ||
		  fill_parent_provides(c, err) ? -EINVAL : make_room(c);

	if (ret)
		return ret;
	return fill_children(c, err) || check_aliases(c, err) ||
	       fill_routes(c, err) || config_fill_services(c, err) ? -EINVAL : 0;
}

int config_parse(struct config *c, const char *text, size_t len,
		 struct hid_error *err)
{
	const struct hid_node *root;
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
		ret = hid_parse(copy, len, c->arena, HID_ARENA_SIZE(len), &root,
				err);
	}
	if (!ret)
		ret = fill(c, root, err);
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

int config_check_quota(const struct config *c, uint64_t ram, uint64_t caps,
		       struct hid_error *err)
{
	uint64_t ram_left = ram, caps_left = caps;
	const struct config_child *child;
	const char *what;
	unsigned int i;

	for (i = 0; i < c->nchildren; i++) {
		child = &c->children[i];
		what = child->ram > ram_left ? "ram" :
		       child->caps > caps_left ? "caps" : NULL;
		if (!what) {
			ram_left -= child->ram;
			caps_left -= child->caps;
			continue;
		}
		hid_refuse(err, child->node->line, child->node->col,
			   "expected at most %llu %s for '%s' (of %llu in all), "
			   "found %llu", (unsigned long long)
			   (*what == 'r' ? ram_left : caps_left), what,
			   child->name, (unsigned long long)
			   (*what == 'r' ? ram : caps), (unsigned long long)
			   (*what == 'r' ? child->ram : child->caps));
		return -EDQUOT;
	}
	return 0;
}
