// SPDX-License-Identifier: BSD-2-Clause
/* The routes of the config: <service|any-service> with targets, in order. */
#include <errno.h>
#include <string.h>
#include "route.h"

void config_count_route(struct config *c, const struct hid_node *node)
{
	const struct hid_node *rule, *target;

	for (rule = hid_first(node, NULL); rule; rule = hid_next(rule, NULL)) {
		c->nrules++;
		for (target = hid_first(rule, NULL); target;
		     target = hid_next(target, NULL))
			c->ntargets++;
	}
}

/* --- targets ------------------------------------ */

/* Index of the child that @name is one of, or stands for, or -1. */
static int find_child(const struct config *c, struct hid_str name)
{
	const struct hid_node *alias;

	for (alias = hid_first(c->root, "alias"); alias;
	     alias = hid_next(alias, "alias"))
		if (hid_same_text(hid_attr(alias, "name")->value, name))
			name = hid_attr(alias, "child")->value;
	return config_child_index(c, name);
}

static int fill_child(const struct config *c, const struct hid_node *node,
		      const struct config_rule *rule,
		      const struct config_child *child,
		      struct config_target *t, struct hid_error *err)
{
	const struct config_child *server;
	int i = find_child(c, t->name);

	t->child = i < 0 ? CONFIG_NO_CHILD : (unsigned int)i;
	if (i < 0)
		return 0;
	server = &c->children[i];
	if (server == child)
		return hid_refuse_node(err, node, "expected another child than "
				       "'%s' itself", child->name);
	if (rule->service.len && config_provides(server, rule->service) < 0)
		return hid_refuse_node(err, node, "expected a child that "
				       "provides %.*s, found '%s'",
				       (int)rule->service.len, rule->service.s,
				       server->name);
	return 0;
}

static bool any_provides(const struct config *c, struct hid_str service)
{
	unsigned int i;

	for (i = 0; i < c->nchildren; i++)
		if (config_provides(&c->children[i], service) >= 0)
			return true;
	return false;
}

/* Does @t fit to its rule? */
static int check_target(const struct config *c, const struct hid_node *node,
			const struct config_rule *rule,
			const struct config_child *child,
			struct config_target *t, struct hid_error *err)
{
	struct hid_str service = rule->service;
	bool parent = t->kind == TARGET_PARENT;

	if (t->kind == TARGET_CHILD)
		return fill_child(c, node, rule, child, t, err);
	if (t->kind == TARGET_LOCAL)
		return hid_equal(service, "Init_control") ? 0 :
			hid_refuse_node(err, node, "expected the target 'local' "
					"for Init_control only");
	if (!service.len || (parent ? config_parent_provides(c, service) :
				      any_provides(c, service)))
		return 0;
	return hid_refuse_node(err, node, "expected a service %s, found %.*s",
			       parent ? "of parent-provides" :
					"that a child provides",
			       (int)service.len, service.s);
}

#define LABEL(type, member) \
	CONFIG_TEXT(#member, type, HID_TEXT, member, PARENT_LABEL_MAX - 1, \
		    "label", NULL)
#define REWRITE(member) LABEL(struct config_target, member)
#define REWRITES REWRITE(label), REWRITE(identity), REWRITE(resource), \
		 REWRITE(prepend_resource)

static const struct hid_field child_fields[] = {
	CONFIG_NAME(struct config_target, name), REWRITES, { .tag = NULL }
};
static const struct hid_field parent_fields[] = { REWRITES, { .tag = NULL } };

static const struct hid_sub targets[] = {
	[TARGET_PARENT]		= { "parent", HID_MANY, parent_fields, NULL, 0 },
	[TARGET_CHILD]		= { "child", HID_MANY, child_fields, NULL, 0 },
	[TARGET_ANY_CHILD]	= { "any-child", HID_MANY, NULL, NULL, 0 },
	[TARGET_LOCAL]		= { "local", HID_MANY, NULL, NULL, 0 },
	{ .type = NULL }
};

/* The label as a whole and a part of it at once make no sense. */
static int check_labels(const struct hid_node *node, struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, "label");
	const struct hid_field *f;

	for (f = parent_fields + 1; a && f->tag; f++)
		if (hid_attr(node, f->tag))
			return hid_refuse(err, hid_attr(node, f->tag)->line,
					  hid_attr(node, f->tag)->col,
					  "expected label alone, found %s with "
					  "it", f->tag);
	return 0;
}

static int fill_target(const struct config *c, const struct hid_node *node,
		       const struct config_rule *rule,
		       const struct config_child *child,
		       struct config_target *t, struct hid_error *err)
{
	t->node = node;
	while (!hid_is(node, targets[t->kind].type))
		t->kind++;
	return hid_fill(node, targets[t->kind].fields, NULL, t, err) ||
	       check_labels(node, err) ||
	       check_target(c, node, rule, child, t, err) ? -EINVAL : 0;
}

/* --- rules ------------------------------------ */

#define SELECTOR(member) HID_FIELD(struct config_rule, HID_STR, member, 0, 0)
#define SELECTORS SELECTOR(label), SELECTOR(label_prefix), \
		  SELECTOR(label_suffix), SELECTOR(label_last), \
		  SELECTOR(unscoped_label)

static const struct hid_field service_rule[] = {
	CONFIG_SERVICE(struct config_rule, service), SELECTORS, { .tag = NULL }
}, any_rule[] = {
	{ .tag = "name" }, SELECTORS, { .tag = NULL }
}, policy[] = {
	SELECTORS, { .tag = NULL }
};

static int check_rule(const struct hid_node *node, struct config_rule *rule,
		      struct hid_error *err)
{
	const struct hid_attr *name = hid_attr(node, "name");
	bool any = hid_is(node, "any-service");

	if (hid_fill(node, any ? any_rule : service_rule, targets, rule, err))
		return -EINVAL;
	if (any && name)
		return hid_refuse(err, name->line, name->col, "expected "
				  "any-service without a name, or 'service'");
	if (!hid_first(node, NULL))
		return hid_refuse_node(err, node, "expected a target: parent, "
				       "child, any-child or local");
	return 0;
}

/* The targets of @rule, which is checked. */
static int fill_targets(struct config *c, const struct hid_node *node,
			const struct config_child *child,
			struct config_rule *rule, struct hid_error *err)
{
	const struct hid_node *target;
	int ret = 0;

	rule->targets = c->targets + c->ntargets;
	for (target = hid_first(node, NULL); target && !ret;
	     target = hid_next(target, NULL)) {
		ret = fill_target(c, target, rule, child,
				  &c->targets[c->ntargets++], err);
		rule->ntargets++;
	}
	return ret;
}

int config_fill_route(struct config *c, const struct config_child *child,
		      struct config_route *route, struct hid_error *err)
{
	static const struct hid_sub rules[] = {
		{ .type = "service" }, { .type = "any-service" },
		{ .type = NULL }
	};
	const struct hid_node *n = route->node;
	int ret = n ? hid_fill(n, NULL, rules, NULL, err) : 0;
	struct config_rule *rule;

	route->rules = c->rules + c->nrules;
	for (n = hid_first(n, NULL); n && !ret; n = hid_next(n, NULL)) {
		rule = &c->rules[c->nrules++];
		route->nrules++;
		ret = check_rule(n, rule, err) ||
		      fill_targets(c, n, child, rule, err) ? -EINVAL : 0;
	}
	return ret;
}

/* --- services for the parent's clients ------------------------------------ */

static const struct hid_sub child_only[] = {
	{ .type = "child" }, { .type = NULL }
};
const struct hid_sub config_policies[] = {
	{ "policy", HID_EACH, policy, child_only, 0 },
	{ "default-policy", HID_ONCE, NULL, NULL, 0 },
	{ .type = NULL }
};

/* The policies of @node; default-policy decides last, wherever it stands. */
static int fill_policies(struct config *c, const struct hid_node *node,
			 const char *type, struct hid_error *err)
{
	const struct hid_field *fields = *type == 'p' ? policy : NULL;
	const struct hid_node *n;
	struct config_rule *rule;

	for (n = hid_first(node, type); n; n = hid_next(n, type)) {
		rule = &c->rules[c->nrules++];
		rule->service = hid_attr(node, "name")->value;
		c->policies.nrules++;
		if (hid_fill(n, fields, child_only, rule, err))
			return -EINVAL;
		if (!n->first || n->first->next)
			return hid_refuse_node(err, n,
					       "expected one target, a child");
		if (fill_targets(c, n, NULL, rule, err))
			return -EINVAL;
	}
	return 0;
}

int config_fill_services(struct config *c, struct hid_error *err)
{
	const struct hid_node *n;

	c->policies.rules = c->rules + c->nrules;
	for (n = hid_first(c->root, "service"); n; n = hid_next(n, "service")) {
		if (c->nservices == CONFIG_PROVIDES)
			return hid_refuse_node(err, n, "expected at most %d "
					       "services, found more",
					       CONFIG_PROVIDES);
		c->services[c->nservices++] = hid_attr(n, "name")->value;
		if (fill_policies(c, n, "policy", err) ||
		    fill_policies(c, n, "default-policy", err))
			return -EINVAL;
	}
	return 0;
}

int config_provides(const struct config_child *child, struct hid_str service)
{
	unsigned int i;

	for (i = 0; i < child->nprovides; i++)
		if (hid_same_text(child->provides[i], service))
			return (int)i;
	return -1;
}

bool config_parent_provides(const struct config *c, struct hid_str service)
{
	const struct hid_node *n;

	for (n = hid_first(c->parent_provides, "service"); n;
	     n = hid_next(n, "service"))
		if (hid_same_text(hid_attr(n, "name")->value, service))
			return true;
	return false;
}
