// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

#define PAGE		4096
#define CAPS_MAX	(1u << 20)
#define CPUS_MAX	64
#define PRIO_LEVELS_MAX	128
#define PRIO_RANGE	65536

static const char *const none[] = { NULL };
static const char *const name_only[] = { "name", NULL };

int config_error(struct hid_error *err, uint32_t line, uint32_t col,
		 const char *fmt, ...)
{
	va_list ap;

	err->line = line;
	err->col = col;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- nodes and attributes ------------------------------------ */

static bool listed(struct hid_str s, const char *const *list)
{
	for (; *list; list++)
		if (hid_equal(s, *list))
			return true;
	return false;
}

/* "expected a, b or c, found 'd'" */
static int unexpected(struct hid_error *err, uint32_t line, uint32_t col,
		      const char *what, const char *const *list,
		      struct hid_str found)
{
	char text[100] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; list[i] && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
					!i ? "" : list[i + 1] ? ", " : " or ",
					list[i]);
	return config_error(err, line, col, "expected %s%s%s, found '%.*s'",
			    list[0] ? text : "no ", list[0] ? "" : what,
			    list[0] && !list[1] ? " only" : "",
			    found.len > 24 ? 24 : (int)found.len, found.s);
}

int config_check_node(const struct hid_node *node, const char *const *attrs,
		      const char *const *nodes, struct hid_error *err)
{
	const struct hid_attr *a;
	const struct hid_node *n;

	for (a = node->attrs; a; a = a->next)
		if (!listed(a->tag, attrs))
			return unexpected(err, a->line, a->col, "attribute",
					  attrs, a->tag);
	for (n = node->first; n; n = n->next)
		if (!listed(n->type, nodes))
			return unexpected(err, n->line, n->col, "sub node",
					  nodes, n->type);
	if (node->quotes)
		return config_error(err, node->line, node->col,
				    "expected no quoted text in this node");
	return 0;
}

/* Names of children, binaries and services: safe in labels, args and reports.
 * @marks: what they may hold besides letters and digits, but not begin with. */
static bool name_valid(struct hid_str s, const char *marks)
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
		return config_error(err, node->line, node->col,
				    "expected a name after '%.*s', found none",
				    (int)node->type.len, node->type.s);
	if (!name_valid(a->value, marks))
		return config_error(err, a->line, a->col, "expected a %s of up to "
				    "%d of [A-Za-z0-9%s], found '%.*s'", what,
				    CONFIG_NAME_MAX - 1, marks,
				    a->value.len > 32 ? 32 : (int)a->value.len,
				    a->value.s);
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

/* A number in @min .. @max; *@value stays if the attribute is absent. */
int config_number(const struct hid_node *node, const char *tag,
		      uint64_t min, uint64_t max, uint64_t *value,
		      struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, tag);
	uint64_t v;

	if (!a)
		return 0;
	if (hid_parse_number(a->value, &v))
		return config_error(err, a->line, a->col, "expected a number for "
				    "%s, found '%.*s'", tag,
				    a->value.len > 32 ? 32 : (int)a->value.len,
				    a->value.s);
	if (v < min || v > max)
		return config_error(err, a->line, a->col, "expected %s of %llu to "
				    "%llu, found %llu", tag,
				    (unsigned long long)min,
				    (unsigned long long)max,
				    (unsigned long long)v);
	*value = v;
	return 0;
}

int config_u32(const struct hid_node *node, const char *tag, uint32_t min,
		   uint32_t max, uint32_t *value, struct hid_error *err)
{
	uint64_t v = *value;
	int ret = config_number(node, tag, min, max, &v, err);

	*value = (uint32_t)v;
	return ret;
}

int config_bool(const struct hid_node *node, const char *tag, bool *value,
		    struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, tag);

	if (a && hid_parse_bool(a->value, value))
		return config_error(err, a->line, a->col, "expected yes or no for "
				    "%s, found '%.*s'", tag,
				    a->value.len > 32 ? 32 : (int)a->value.len,
				    a->value.s);
	return 0;
}

/* A node type that may occur once: the node or NULL. */
int config_single(const struct hid_node *node, const char *type,
		      const struct hid_node **found, struct hid_error *err)
{
	const struct hid_node *second;

	*found = hid_first(node, type);
	second = *found ? hid_next(*found, type) : NULL;
	if (second)
		return config_error(err, second->line, second->col,
				    "expected '%s' once, found it again "
				    "(line %u)", type, (*found)->line);
	return 0;
}

/* --- start nodes ------------------------------------ */

int config_ram(const struct hid_node *node, const char *tag, uint64_t *ram,
		   struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, tag);

	if (config_number(node, tag, PAGE, 1ull << 40, ram, err))
		return -EINVAL;
	if (a && *ram % PAGE)
		return config_error(err, a->line, a->col, "expected a multiple of "
				    "4K, found %llu", (unsigned long long)*ram);
	return 0;
}

static int check_start(const struct hid_node *node, struct hid_error *err)
{
	static const char *const attrs[] = {
		"name", "caps", "ram", "priority", "version", "managing_system",
		NULL
	};
	static const char *const nodes[] = {
		"binary", "provides", "route", "config", "exit", "restart",
		"heartbeat", "resource", "affinity", NULL
	};

	return config_check_node(node, attrs, nodes, err);
}

static int fill_name(struct config *c, struct config_child *child,
		     struct hid_error *err)
{
	const struct hid_node *binary;
	struct hid_str name;
	int i, ret;

	ret = config_name(child->node, &name, err);
	if (ret)
		return ret;
	i = config_child_index(c, name);
	if (i >= 0)
		return config_error(err, child->node->line, child->node->col,
				    "expected a new name, found '%.*s' again "
				    "(line %u)", (int)name.len, name.s,
				    c->children[i].node->line);
	hid_copy(name, child->name, sizeof(child->name));
	ret = config_single(child->node, "binary", &binary, err);
	if (!ret && binary)
		ret = config_check_node(binary, name_only, none, err);
	if (!ret && binary)
		ret = config_name(binary, &name, err);
	if (!ret)
		hid_copy(name, child->binary, sizeof(child->binary));
	return ret;
}

static int get_quota(const struct hid_node *node, struct config_child *child,
		     struct hid_error *err)
{
	return config_ram(node, "ram", &child->ram, err) ||
	       config_number(node, "caps", 1, CAPS_MAX, &child->caps, err) ?
		-EINVAL : 0;
}

/* On top of the defaults, which @child has already. */
static int fill_quota(struct config_child *child, struct hid_error *err)
{
	const struct hid_node *n = child->node;

	if (get_quota(n, child, err) || config_fill_resources(child, err))
		return -EINVAL;
	if (!child->ram || !child->caps)
		return config_error(err, n->line, n->col, "expected %s, found "
				    "neither it nor a default",
				    child->ram ? "caps" : "ram");
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
		return config_error(err, a->line, a->col, "expected a priority of "
				    "-%u to 0, found '%.*s'", c->prio_levels - 1,
				    a->value.len > 32 ? 32 : (int)a->value.len,
				    a->value.s);
	child->priority = (unsigned int)-v * (PRIO_RANGE / c->prio_levels);
	return 0;
}

/* CPUs @xpos .. @xpos + @width - 1. */
static int fill_affinity(struct config_child *child, struct hid_error *err)
{
	static const char *const attrs[] = { "xpos", "width", NULL };
	uint32_t xpos = 0, width = 1;
	const struct hid_node *n;

	if (config_single(child->node, "affinity", &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	if (config_check_node(n, attrs, none, err) ||
	    config_u32(n, "xpos", 0, CPUS_MAX - 1, &xpos, err) ||
	    config_u32(n, "width", 1, CPUS_MAX - xpos, &width, err))
		return -EINVAL;
	child->affinity = ~0ull >> (CPUS_MAX - width) << xpos;
	return 0;
}

static int fill_provides(struct config_child *child, struct hid_error *err)
{
	static const char *const services[] = { "service", NULL };
	const struct hid_node *provides, *n;
	struct hid_str name;

	if (config_single(child->node, "provides", &provides, err) ||
	    (provides && config_check_node(provides, none, services, err)))
		return -EINVAL;
	for (n = hid_first(provides, NULL); n; n = hid_next(n, NULL)) {
		if (config_check_node(n, name_only, none, err) ||
		    config_service(n, &name, err))
			return -EINVAL;
		if (config_provides(child, name) >= 0)
			return config_error(err, n->line, n->col, "expected each "
					    "service once, found %.*s again",
					    (int)name.len, name.s);
		if (child->nprovides == CONFIG_PROVIDES)
			return config_error(err, n->line, n->col, "expected at "
					    "most %d services, found more",
					    CONFIG_PROVIDES);
		child->provides[child->nprovides++] = name;
	}
	return 0;
}

static int fill_exit(struct config_child *child, struct hid_error *err)
{
	static const char *const attrs[] = { "propagate", NULL };
	const struct hid_node *n;

	if (config_single(child->node, "exit", &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	return config_check_node(n, attrs, none, err) ||
	       config_bool(n, "propagate", &child->exit_propagate, err) ?
		-EINVAL : 0;
}

/* In a window that the back-offs alone fill the child would never be given up. */
static int check_window(const struct hid_node *n, const struct restart_policy *r,
			struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "within_ms");
	uint64_t sum = restart_pauses(r);

	if (r->within_ms >= sum)
		return 0;
	return config_error(err, a ? a->line : n->line, a ? a->col : n->col,
			    "expected within_ms of at least %llu, the sum of "
			    "the back-offs, found %u", (unsigned long long)sum,
			    r->within_ms);
}

static int fill_restart(struct config_child *child, struct hid_error *err)
{
	static const char *const attrs[] = {
		"max", "within_ms", "backoff_ms", NULL
	};
	struct restart_policy *r = &child->restart;
	const struct hid_node *n;

	if (config_single(child->node, "restart", &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	*r = (struct restart_policy){ .enabled = true, .max = 5,
				      .within_ms = 60000, .backoff_ms = 50 };
	return config_check_node(n, attrs, none, err) ||
	       config_u32(n, "max", 1, RESTART_MAX, &r->max, err) ||
	       config_u32(n, "within_ms", 1, 86400000, &r->within_ms, err) ||
	       config_u32(n, "backoff_ms", 1, RESTART_BACKOFF_MAX, &r->backoff_ms,
		       err) || check_window(n, r, err) ? -EINVAL : 0;
}

static int fill_child(struct config *c, struct config_child *child,
		      struct hid_error *err)
{
	const struct hid_attr *version = hid_attr(child->node, "version");

	if (version)
		child->version = version->value;
	return check_start(child->node, err) || fill_name(c, child, err) ||
	       fill_quota(child, err) ||
	       fill_priority(c, child, err) || fill_affinity(child, err) ||
	       fill_provides(child, err) ||
	       config_single(child->node, "config", &child->config, err) ||
	       config_bool(child->node, "managing_system",
			&child->managing_system, err) ||
	       fill_exit(child, err) || fill_restart(child, err) ||
	       config_fill_heartbeat(child, err) ? -EINVAL : 0;
}

/* --- the whole ------------------------------------ */

static int check_top(struct config *c, const struct hid_node *root,
		     struct hid_error *err)
{
	static const char *const attrs[] = {
		"verbose", "prio_levels", "version", NULL
	};
	static const char *const nodes[] = {
		"parent-provides", "default-route", "default", "start", "alias",
		"service", "report", "heartbeat", "resource", NULL
	};
	const struct hid_attr *version = hid_attr(root, "version");

	if (!hid_is(root, "config"))
		return config_error(err, root->line, root->col,
				    "expected 'config', found '%.*s'",
				    root->type.len > 32 ? 32 :
				    (int)root->type.len, root->type.s);
	c->root = root;
	c->prio_levels = 1;
	if (version)
		c->version = version->value;
	return config_check_node(root, attrs, nodes, err) ||
	       config_bool(root, "verbose", &c->verbose, err) ||
	       config_u32(root, "prio_levels", 1, PRIO_LEVELS_MAX,
			  &c->prio_levels, err) ? -EINVAL : 0;
}

static int check_parent_provides(const struct hid_node *node,
				 struct hid_error *err)
{
	static const char *const services[] = { "service", NULL };
	const struct hid_node *n;
	struct hid_str name;
	int ret = config_check_node(node, none, services, err);

	for (n = hid_first(node, NULL); n && !ret; n = hid_next(n, NULL)) {
		ret = config_check_node(n, name_only, none, err);
		if (!ret)
			ret = config_service(n, &name, err);
	}
	return ret;
}

static int fill_children(struct config *c, const struct hid_node *root,
			 struct hid_error *err)
{
	static const char *const attrs[] = { "caps", "ram", NULL };
	struct config_child template = { .ram = 0 };
	const struct hid_node *defaults, *n;
	int ret;

	ret = config_single(root, "default", &defaults, err);
	if (!ret && defaults)
		ret = config_check_node(defaults, attrs, none, err);
	if (!ret && defaults)
		ret = get_quota(defaults, &template, err);
	for (n = hid_first(root, "start"); n && !ret; n = hid_next(n, "start")) {
		if (c->nchildren == CONFIG_CHILDREN)
			return config_error(err, n->line, n->col, "expected at "
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
static int fill_routes(struct config *c, const struct hid_node *root,
		       struct hid_error *err)
{
	const struct hid_node *route;
	struct config_child *child;
	unsigned int i;
	int ret;

	ret = config_single(root, "default-route", &route, err);
	if (!ret && route)
		ret = config_fill_route(c, route, NULL, &c->default_route, err);
	for (i = 0; i < c->nchildren && !ret; i++) {
		child = &c->children[i];
		ret = config_single(child->node, "route", &route, err);
		child->own_route = route != NULL;
		if (!ret && route)
			ret = config_fill_route(c, route, child, &child->route,
						err);
	}
	return ret;
}

/* Room for what the tree can hold at most. */
static int make_room(struct config *c, const struct hid_node *root)
{
	const struct hid_node *n;
	unsigned int nchildren = 0;

	config_count_route(c, hid_first(root, "default-route"));
	for (n = hid_first(root, "service"); n; n = hid_next(n, "service"))
		config_count_route(c, n);
	for (n = hid_first(root, "start"); n; n = hid_next(n, "start")) {
		config_count_route(c, hid_first(n, "route"));
		nchildren++;
	}
	c->children = calloc(nchildren + 1, sizeof(*c->children));
	c->rules = calloc(c->nrules + 1, sizeof(*c->rules));
	c->targets = calloc(c->ntargets + 1, sizeof(*c->targets));
	c->nrules = c->ntargets = 0;
	return c->children && c->rules && c->targets ? 0 : -ENOMEM;
}

/* Aliases share the name space of the children that they stand for. */
static int check_aliases(struct config *c, const struct hid_node *root,
			 struct hid_error *err)
{
	static const char *const attrs[] = { "name", "child", NULL };
	const struct hid_attr *child;
	const struct hid_node *n;
	struct hid_str name;

	for (n = hid_first(root, "alias"); n; n = hid_next(n, "alias")) {
		child = hid_attr(n, "child");
		if (config_check_node(n, attrs, none, err) ||
		    config_name(n, &name, err))
			return -EINVAL;
		if (config_child_index(c, name) >= 0)
			return config_error(err, n->line, n->col, "expected a new "
					    "name, found '%.*s' again",
					    (int)name.len, name.s);
		if (!child || config_child_index(c, child->value) < 0)
			return config_error(err, n->line, n->col, "expected the "
					    "start node that '%.*s' stands for",
					    (int)name.len, name.s);
	}
	return 0;
}

static int fill(struct config *c, const struct hid_node *root,
		struct hid_error *err)
{
	int ret;

	ret = check_top(c, root, err);
	if (!ret)
		ret = config_single(root, "parent-provides", &c->parent_provides,
				 err);
	if (!ret && c->parent_provides)
		ret = check_parent_provides(c->parent_provides, err);
	if (!ret)
		ret = make_room(c, root);
	if (!ret)
		ret = fill_children(c, root, err);
	if (!ret)
		ret = check_aliases(c, root, err);
	if (!ret)
		ret = fill_routes(c, root, err);
	if (!ret)
		ret = config_fill_services(c, root, err);
	if (!ret)
		ret = config_fill_self(c, root, err);
	return ret;
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
	       a->priority != b->priority ||
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
		config_error(err, child->node->line, child->node->col,
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
