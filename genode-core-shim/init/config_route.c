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

static int find_child(const struct config *c, const struct hid_node *node,
		      struct hid_error *err)
{
	const struct hid_node *alias;
	struct hid_str name;
	int i;

	if (config_name(node, &name, err))
		return -1;
	for (alias = hid_first(c->root, "alias"); alias;
	     alias = hid_next(alias, "alias"))
		if (hid_same_text(hid_attr(alias, "name")->value, name))
			name = hid_attr(alias, "child")->value;
	i = config_child_index(c, name);
	if (i < 0)
		hid_refuse(err, node->line, node->col, "expected the name of a "
			   "start node, found '%.*s'", (int)name.len, name.s);
	return i;
}

static int fill_child(const struct config *c, const struct hid_node *node,
		      const struct config_rule *rule,
		      const struct config_child *child,
		      struct config_target *t, struct hid_error *err)
{
	const struct config_child *server;
	int i = find_child(c, node, err);

	if (i < 0)
		return -EINVAL;
	server = &c->children[i];
	if (server == child)
		return hid_refuse(err, node->line, node->col, "expected another "
				  "child than '%s' itself", child->name);
	if (rule->service.len && config_provides(server, rule->service) < 0)
		return hid_refuse(err, node->line, node->col, "expected a child "
				  "that provides %.*s, found '%s'",
				  (int)rule->service.len, rule->service.s,
				  server->name);
	t->child = (unsigned int)i;
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
	const char *whose;

	if (t->kind == TARGET_CHILD)
		return fill_child(c, node, rule, child, t, err);
	if (t->kind == TARGET_LOCAL)
		return hid_equal(service, "Init_control") ? 0 :
			hid_refuse(err, node->line, node->col, "expected the "
				   "target 'local' for Init_control only");
	whose = t->kind == TARGET_PARENT ? "of parent-provides" :
					   "that a child provides";
	if (!service.len || (t->kind == TARGET_PARENT ?
			     config_parent_provides(c, service) :
			     any_provides(c, service)))
		return 0;
	return hid_refuse(err, node->line, node->col, "expected a service %s, "
			  "found %.*s", whose, (int)service.len, service.s);
}

#define LABEL(member) HID_FIELD(struct config_target, HID_STR, member, 0, 0)
#define LABELS LABEL(label), LABEL(identity), LABEL(resource), \
	       LABEL(prepend_resource)

static const struct hid_field child_fields[] = {
	{ .tag = "name" }, LABELS, { .tag = NULL }
};
static const struct hid_field parent_fields[] = { LABELS, { .tag = NULL } };

/* How the nodes of targets are called, and what may be in them. */
static const struct {
	const char *type;
	const struct hid_field *fields;
} targets[] = {
	[TARGET_PARENT]		= { "parent", parent_fields },
	[TARGET_CHILD]		= { "child", child_fields },
	[TARGET_ANY_CHILD]	= { "any-child", NULL },
	[TARGET_LOCAL]		= { "local", NULL },
};

static int check_labels(const struct hid_node *node, struct config_target *t,
			struct hid_error *err)
{
	const struct hid_field *f;
	const struct hid_attr *a;
	char text[PARENT_LABEL_MAX];

	for (f = parent_fields; f->tag; f++) {
		a = hid_attr(node, f->tag);
		if (!a)
			continue;
		if (hid_copy(a->value, text, sizeof(text)) < 0 ||
		    !text_valid(text, sizeof(text)))
			return hid_refuse(err, a->line, a->col, "expected a label "
					  "of up to %d printable ASCII characters",
					  PARENT_LABEL_MAX - 1);
		if (t->label.s && f > parent_fields)
			return hid_refuse(err, a->line, a->col, "expected label "
					  "alone, found %s with it", f->tag);
	}
	return 0;
}

static int fill_target(const struct config *c, const struct hid_node *node,
		       const struct config_rule *rule,
		       const struct config_child *child,
		       struct config_target *t, struct hid_error *err)
{
	while (!hid_is(node, targets[t->kind].type))
		t->kind++;
	if (hid_fill(node, targets[t->kind].fields, NULL, t, err) ||
	    check_labels(node, t, err))
		return -EINVAL;
	return check_target(c, node, rule, child, t, err);
}

/* --- rules ------------------------------------ */

#define SELECTOR(member) HID_FIELD(struct config_rule, HID_STR, member, 0, 0)
#define SELECTORS SELECTOR(label), SELECTOR(label_prefix), \
		  SELECTOR(label_suffix), SELECTOR(label_last), \
		  SELECTOR(unscoped_label)

static int check_rule(const struct hid_node *node, struct config_rule *rule,
		      struct hid_error *err)
{
	static const struct hid_field fields[] = {
		{ .tag = "name" }, SELECTORS, { .tag = NULL }
	};
	static const char *const types[] = {
		"parent", "child", "any-child", "local", NULL
	};
	const struct hid_attr *name = hid_attr(node, "name");

	if (hid_fill(node, fields, types, rule, err))
		return -EINVAL;
	if (hid_is(node, "any-service") && name)
		return hid_refuse(err, name->line, name->col, "expected "
				  "any-service without a name, or 'service'");
	if (!hid_first(node, NULL))
		return hid_refuse(err, node->line, node->col, "expected a "
				  "target: parent, child, any-child or local");
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

int config_fill_route(struct config *c, const struct hid_node *node,
		      const struct config_child *child,
		      struct config_route *route, struct hid_error *err)
{
	static const char *const types[] = { "service", "any-service", NULL };
	const struct hid_node *n;
	struct config_rule *rule;
	int ret = hid_fill(node, NULL, types, NULL, err);

	route->rules = c->rules + c->nrules;
	for (n = hid_first(node, NULL); n && !ret; n = hid_next(n, NULL)) {
		rule = &c->rules[c->nrules++];
		route->nrules++;
		ret = check_rule(n, rule, err);
		if (!ret && hid_is(n, "service"))
			ret = config_service(n, &rule->service, err);
		if (!ret)
			ret = fill_targets(c, n, child, rule, err);
	}
	return ret;
}

/* --- services for the parent's clients ------------------------------------ */

static int check_policy(const struct hid_node *node, struct config_rule *rule,
			struct hid_error *err)
{
	static const struct hid_field fields[] = { SELECTORS, { .tag = NULL } };
	static const char *const types[] = { "child", NULL };

	if (hid_fill(node, hid_is(node, "policy") ? fields : NULL, types, rule,
		     err))
		return -EINVAL;
	if (!hid_first(node, NULL) || hid_next(hid_first(node, NULL), NULL))
		return hid_refuse(err, node->line, node->col, "expected one "
				  "target, a child");
	return 0;
}

/* The policies of @node; default-policy decides last, wherever it stands. */
static int fill_policies(struct config *c, const struct hid_node *node,
			 struct hid_str service, const char *type,
			 struct hid_error *err)
{
	const struct hid_node *n;
	struct config_rule *rule;
	int ret = 0;

	for (n = hid_first(node, type); n && !ret; n = hid_next(n, type)) {
		rule = &c->rules[c->nrules++];
		rule->service = service;
		c->policies.nrules++;
		ret = check_policy(n, rule, err);
		if (!ret)
			ret = fill_targets(c, n, NULL, rule, err);
	}
	return ret;
}

int config_fill_services(struct config *c, struct hid_error *err)
{
	static const struct hid_field fields[] = {
		{ .tag = "name" }, { .tag = NULL }
	};
	static const char *const types[] = { "policy", "default-policy", NULL };
	const struct hid_node *n, *one;
	struct hid_str *name;

	c->policies.rules = c->rules + c->nrules;
	for (n = hid_first(c->root, "service"); n; n = hid_next(n, "service")) {
		if (c->nservices == CONFIG_PROVIDES)
			return hid_refuse(err, n->line, n->col, "expected at "
					  "most %d services, found more",
					  CONFIG_PROVIDES);
		name = &c->services[c->nservices++];
		if (hid_fill(n, fields, types, NULL, err) ||
		    config_service(n, name, err) ||
		    hid_single(n, "default-policy", &one, err) ||
		    fill_policies(c, n, *name, "policy", err) ||
		    fill_policies(c, n, *name, "default-policy", err))
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
