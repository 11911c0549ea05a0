// SPDX-License-Identifier: BSD-2-Clause
/* The routes of the config: <service|any-service> with targets, in order. */
#include <errno.h>
#include <string.h>
#include "route.h"

static const char *const no_names[] = { NULL };

static const struct {
	const char *tag;
	enum selector selector;
} selectors[] = {
	{ "label", SELECT_LABEL },
	{ "label_prefix", SELECT_PREFIX },
	{ "label_suffix", SELECT_SUFFIX },
	{ "label_last", SELECT_LAST },
	{ "unscoped_label", SELECT_UNSCOPED },
};

#define NSELECTORS (sizeof(selectors) / sizeof(selectors[0]))

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

static int fill_selector(const struct hid_node *node, struct config_rule *rule,
			 struct hid_error *err)
{
	const struct hid_attr *a;
	unsigned int i;

	for (i = 0; i < NSELECTORS; i++) {
		a = hid_attr(node, selectors[i].tag);
		if (!a)
			continue;
		if (rule->selector != SELECT_ALL)
			return config_error(err, a->line, a->col, "expected one "
					    "selector, found a second: %s",
					    selectors[i].tag);
		rule->selector = selectors[i].selector;
		rule->value = a->value;
	}
	return 0;
}

int config_find_child(const struct config *c, const struct hid_node *node,
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
		config_error(err, node->line, node->col, "expected the name of a "
			     "start node, found '%.*s'", (int)name.len, name.s);
	return i;
}

static int fill_child(const struct config *c, const struct hid_node *node,
		      const struct config_rule *rule,
		      const struct config_child *child,
		      struct config_target *t, struct hid_error *err)
{
	static const char *const attrs[] = { "name", "label", NULL };
	const struct config_child *server;
	int i;

	if (config_check_node(node, attrs, no_names, err))
		return -EINVAL;
	i = config_find_child(c, node, err);
	if (i < 0)
		return -EINVAL;
	server = &c->children[i];
	if (server == child)
		return config_error(err, node->line, node->col, "expected another "
				    "child than '%s' itself", child->name);
	if (rule->service.len && config_provides(server, rule->service) < 0)
		return config_error(err, node->line, node->col, "expected a child "
				    "that provides %.*s, found '%s'",
				    (int)rule->service.len, rule->service.s,
				    server->name);
	t->kind = TARGET_CHILD;
	t->child = (unsigned int)i;
	return 0;
}

static int fill_parent(const struct config *c, const struct hid_node *node,
		       const struct config_rule *rule, struct config_target *t,
		       struct hid_error *err)
{
	static const char *const attrs[] = { "label", NULL };

	if (config_check_node(node, attrs, no_names, err))
		return -EINVAL;
	if (rule->service.len && !config_parent_provides(c, rule->service))
		return config_error(err, node->line, node->col, "expected a "
				    "service of parent-provides, found %.*s",
				    (int)rule->service.len, rule->service.s);
	t->kind = TARGET_PARENT;
	return 0;
}

static int fill_any_child(const struct config *c, const struct hid_node *node,
			  const struct config_rule *rule,
			  struct config_target *t, struct hid_error *err)
{
	unsigned int i, n = 0;

	if (config_check_node(node, no_names, no_names, err))
		return -EINVAL;
	for (i = 0; i < c->nchildren; i++)
		n += config_provides(&c->children[i], rule->service) >= 0;
	if (rule->service.len && !n)
		return config_error(err, node->line, node->col, "expected a "
				    "service that a child provides, found %.*s",
				    (int)rule->service.len, rule->service.s);
	t->kind = TARGET_ANY_CHILD;
	return 0;
}

static int fill_local(const struct hid_node *node,
		      const struct config_rule *rule, struct config_target *t,
		      struct hid_error *err)
{
	if (config_check_node(node, no_names, no_names, err))
		return -EINVAL;
	if (!hid_equal(rule->service, "Init_control"))
		return config_error(err, node->line, node->col, "expected the "
				    "target 'local' for Init_control only");
	t->kind = TARGET_LOCAL;
	return 0;
}

static int fill_target(const struct config *c, const struct hid_node *node,
		       const struct config_rule *rule,
		       const struct config_child *child,
		       struct config_target *t, struct hid_error *err)
{
	const struct hid_attr *label = hid_attr(node, "label");
	char text[PARENT_LABEL_MAX];

	if (label) {
		if (hid_copy(label->value, text, sizeof(text)) < 0 ||
		    !text_valid(text, sizeof(text)))
			return config_error(err, label->line, label->col,
					    "expected a label of up to %d "
					    "printable ASCII characters",
					    PARENT_LABEL_MAX - 1);
		t->relabel = true;
		t->label = label->value;
	}
	if (hid_is(node, "child"))
		return fill_child(c, node, rule, child, t, err);
	if (hid_is(node, "parent"))
		return fill_parent(c, node, rule, t, err);
	if (hid_is(node, "any-child"))
		return fill_any_child(c, node, rule, t, err);
	return fill_local(node, rule, t, err);
}

static int check_rule(const struct hid_node *node, struct hid_error *err)
{
	static const char *const attrs[] = {
		"name", "label", "label_prefix", "label_suffix", "label_last",
		"unscoped_label", NULL
	};
	static const char *const targets[] = {
		"parent", "child", "any-child", "local", NULL
	};
	bool any = hid_is(node, "any-service");
	const struct hid_attr *name = hid_attr(node, "name");

	if (config_check_node(node, attrs, targets, err))
		return -EINVAL;
	if (any && name)
		return config_error(err, name->line, name->col, "expected "
				    "any-service without a name, or 'service'");
	if (!hid_first(node, NULL))
		return config_error(err, node->line, node->col, "expected a "
				    "target: parent, child, any-child or local");
	return 0;
}

/* The latest rule of c->rules, from @node. */
static int fill_rule(struct config *c, const struct hid_node *node,
		     const struct config_child *child, struct config_rule *rule,
		     struct hid_error *err)
{
	const struct hid_node *target;
	int ret = check_rule(node, err);

	if (!ret && hid_is(node, "service"))
		ret = config_service(node, &rule->service, err);
	if (!ret)
		ret = fill_selector(node, rule, err);
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
	static const char *const rules[] = { "service", "any-service", NULL };
	const struct hid_node *rule;
	int ret = config_check_node(node, no_names, rules, err);

	route->rules = c->rules + c->nrules;
	for (rule = hid_first(node, NULL); rule && !ret;
	     rule = hid_next(rule, NULL)) {
		ret = fill_rule(c, rule, child, &c->rules[c->nrules++], err);
		route->nrules++;
	}
	return ret;
}

/* --- services for the parent's clients ------------------------------------ */

static int check_policy(const struct hid_node *node, struct hid_error *err)
{
	static const char *const attrs[] = {
		"label", "label_prefix", "label_suffix", "label_last",
		"unscoped_label", NULL
	};
	static const char *const targets[] = { "child", NULL };
	bool fallback = hid_is(node, "default-policy");

	if (config_check_node(node, fallback ? no_names : attrs, targets, err))
		return -EINVAL;
	if (!hid_first(node, NULL) || hid_next(hid_first(node, NULL), NULL))
		return config_error(err, node->line, node->col, "expected one "
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
		rule->targets = &c->targets[c->ntargets];
		rule->ntargets = 1;
		c->policies.nrules++;
		ret = check_policy(n, err);
		if (!ret)
			ret = fill_selector(n, rule, err);
		if (!ret)
			ret = fill_target(c, hid_first(n, NULL), rule, NULL,
					  &c->targets[c->ntargets++], err);
	}
	return ret;
}

int config_fill_services(struct config *c, const struct hid_node *root,
			 struct hid_error *err)
{
	static const char *const attrs[] = { "name", NULL };
	static const char *const nodes[] = { "policy", "default-policy", NULL };
	const struct hid_node *n, *one;
	struct hid_str *name;

	c->policies.rules = c->rules + c->nrules;
	for (n = hid_first(root, "service"); n; n = hid_next(n, "service")) {
		if (c->nservices == CONFIG_PROVIDES)
			return config_error(err, n->line, n->col, "expected at "
					    "most %d services, found more",
					    CONFIG_PROVIDES);
		name = &c->services[c->nservices++];
		if (config_check_node(n, attrs, nodes, err) ||
		    config_service(n, name, err) ||
		    config_single(n, "default-policy", &one, err) ||
		    fill_policies(c, n, *name, "policy", err) ||
		    fill_policies(c, n, *name, "default-policy", err))
			return -EINVAL;
	}
	return 0;
}

int config_child_index(const struct config *c, struct hid_str name)
{
	unsigned int i;

	for (i = 0; i < c->nchildren; i++)
		if (hid_equal(name, c->children[i].name))
			return (int)i;
	return -1;
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
