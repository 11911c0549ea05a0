// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pith/env.h>
#include <pith/label.h>
#include "route.h"

#define PRIO_RANGE	65536

/* --- labels ------------------------------------ */

bool text_valid(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len < size &&
	       hid_is_text((struct hid_str){ s, (uint32_t)len }, len);
}

bool service_valid(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len < size &&
	       hid_is_name((struct hid_str){ s, (uint32_t)len },
			   CONFIG_NAME_MAX - 1, "_");
}

/* "child -> label", or "child" if the label is empty. */
static int scoped_label(char *out, const char *child, const char *label)
{
	int len = snprintf(out, PARENT_LABEL_MAX, "%s%s%s", child,
			   *label ? LABEL_ARROW : "", label);

	return len < PARENT_LABEL_MAX ? 0 : -EINVAL;
}

/* --- rules ------------------------------------ */

struct request {
	const struct config *c;
	unsigned int client;	/* nchildren: one of the parent's */
	struct hid_str service;
	const char *label;
	char scoped[PARENT_LABEL_MAX];
};

/* A child's label is text of its own, whose last element decides at the server: that
 * must not begin behind the prefix. Policies know clients by whole elements. */
static bool begins(const struct request *r, struct hid_str prefix)
{
	if (r->client == r->c->nchildren)
		return label_begins(r->label, prefix.s, prefix.len);
	return !strncmp(r->label, prefix.s, prefix.len) &&
	       label_last(r->label) <= r->label + prefix.len;
}

static bool ends(const struct request *r, struct hid_str suffix)
{
	size_t len = strlen(r->label);

	if (r->client == r->c->nchildren)
		return label_ends(r->label, suffix.s, suffix.len);
	return len >= suffix.len &&
	       !memcmp(r->label + len - suffix.len, suffix.s, suffix.len);
}

static bool matches(const struct config_rule *rule, const struct request *r)
{
	if (rule->service.len && !hid_same_text(rule->service, r->service))
		return false;
	return (!rule->label.s || hid_equal(rule->label, r->label)) &&
	       (!rule->label_prefix.s || begins(r, rule->label_prefix)) &&
	       (!rule->label_suffix.s || ends(r, rule->label_suffix)) &&
	       (!rule->label_last.s ||
		hid_equal(rule->label_last, label_last(r->label))) &&
	       (!rule->unscoped_label.s ||
		hid_equal(rule->unscoped_label, r->scoped));
}

static enum route_kind any_child(const struct request *r, unsigned int *child)
{
	unsigned int i, found = 0;

	for (i = 0; i < r->c->nchildren; i++) {
		if (i == r->client ||
		    config_provides(&r->c->children[i], r->service) < 0)
			continue;
		*child = i;
		found++;
	}
	return !found ? ROUTE_NONE : found == 1 ? ROUTE_CHILD : ROUTE_AMBIGUOUS;
}

static enum route_kind try_target(const struct config_target *t,
				  const struct request *r, unsigned int *child)
{
	switch (t->kind) {
	case TARGET_PARENT:
		return config_parent_provides(r->c, r->service) ? ROUTE_PARENT :
								  ROUTE_NONE;
	case TARGET_CHILD:
		*child = t->child;
		if (t->child == CONFIG_NO_CHILD)
			return ROUTE_LATER;
		return t->child != r->client &&
		       config_provides(&r->c->children[t->child],
				       r->service) >= 0 ?
			ROUTE_CHILD : ROUTE_NONE;
	case TARGET_ANY_CHILD:
		return any_child(r, child);
	case TARGET_LOCAL:
		return ROUTE_LOCAL;
	}
	return ROUTE_NONE;
}

/* What @t says in the place of @s, or that. */
static struct hid_str or_else(struct hid_str t, const char *s, size_t len)
{
	return t.s ? t : (struct hid_str){ s, (uint32_t)len };
}

/* The label for the server: "identity -> resource", each as the target says. */
static int relabel(const struct config_target *t, const char *scoped,
		   struct route *route)
{
	const char *last = label_last(scoped);
	bool alone = last == scoped;	/* no resource in it */
	struct hid_str all = or_else(t->label, scoped, strlen(scoped));
	struct hid_str id = or_else(t->identity, scoped, alone ? strlen(scoped) :
				    (size_t)(last - scoped) - LABEL_ARROW_LEN);
	struct hid_str more = or_else(t->prepend_resource, "", 0);
	struct hid_str res = or_else(t->resource, alone ? "" : last,
				     alone ? 0 : strlen(last));
	bool parts = t->identity.s || t->resource.s || more.len;
	int len;

	route->relabelled = t->label.s || t->resource.s;
	if (!parts)
		return hid_copy(all, route->label, sizeof(route->label)) < 0 ?
			-EINVAL : 0;
	len = snprintf(route->label, sizeof(route->label), "%.*s%s%.*s%.*s",
		       (int)id.len, id.s, more.len + res.len ? LABEL_ARROW : "",
		       (int)more.len, more.s, (int)res.len, res.s);
	return len < (int)sizeof(route->label) ? 0 : -EINVAL;
}

/* The first rule of @rules that matches decides. */
static int resolve(const struct config_route *rules, const struct request *r,
		   struct route *route)
{
	const struct config_rule *rule = rules->rules;
	const struct config_target *t, *chosen = NULL;
	enum route_kind kind;
	unsigned int i;

	*route = (struct route){ .kind = ROUTE_NONE };
	for (i = 0; i < rules->nrules && !matches(rule, r); i++)
		rule++;
	if (i == rules->nrules)
		return 0;
	/* who is there goes before who may come */
	for (t = rule->targets; t < rule->targets + rule->ntargets; t++) {
		kind = try_target(t, r, &route->child);
		if (kind == ROUTE_NONE || (kind == ROUTE_LATER && chosen))
			continue;
		chosen = t;
		route->kind = kind;
		if (kind != ROUTE_LATER)
			break;
	}
	return chosen ? relabel(chosen, r->scoped, route) : 0;
}

/* A child's config is inline, if there is one; init's own, which the parent knows by
 * that name, is not for children. */
static void find_config(const struct config_child *child, const struct request *r,
			struct route *route)
{
	if (!hid_equal(r->service, "ROM"))
		return;
	if (child->config && !strcmp(r->label, "config"))
		*route = (struct route){ .kind = ROUTE_CONFIG, .label = "config" };
	else if (route->kind == ROUTE_PARENT && !route->relabelled &&
		 !strcmp(label_last(route->label), "config"))
		route->kind = ROUTE_HIDDEN;
}

int route_resolve(const struct config *c, unsigned int client,
		  const char *service, const char *label, struct route *route)
{
	const struct config_child *child = &c->children[client];
	struct request r = {
		.c = c, .client = client, .label = label,
		.service = hid_text(service),
	};

	if (scoped_label(r.scoped, child->name, label) ||
	    resolve(child->route.node ? &child->route : &c->default_route, &r,
		    route))
		return -EINVAL;
	find_config(child, &r, route);
	return 0;
}

int route_upward(const struct config *c, const char *service, const char *label,
		 struct route *route)
{
	struct request r = {
		.c = c, .client = c->nchildren, .label = label,
		.service = hid_text(service),
	};

	snprintf(r.scoped, sizeof(r.scoped), "%s", label);
	return resolve(&c->policies, &r, route);
}

/* --- args ------------------------------------ */

/* A CPU session: the child's range of priorities begins at its own level, and its
 * children run where it may, if they would run nowhere else. */
static int scale_cpu(const struct config *c,
			  const struct config_child *child, const char *args,
			  char *out)
{
	uint64_t asked = args_number(args, "priority", 0);
	uint64_t cpus = args_number(args, "affinity", 0);
	char rest[PARENT_ARGS_MAX];
	size_t len;
	int n;

	if (asked >= PRIO_RANGE)
		asked = PRIO_RANGE - 1;
	if (child->affinity)
		cpus = cpus & child->affinity ? cpus & child->affinity :
						child->affinity;
	if (args_drop(args, "priority", rest, sizeof(rest)) ||
	    args_drop(rest, "affinity", out, PARENT_ARGS_MAX))
		return -EINVAL;
	len = strlen(out);
	n = snprintf(out + len, PARENT_ARGS_MAX - len,
		     "%spriority=%u, affinity=%llu", len ? ", " : "",
		     child->priority + (unsigned int)asked / c->prio_levels,
		     (unsigned long long)cpus);
	return n < (int)(PARENT_ARGS_MAX - len) ? 0 : -EINVAL;
}

int args_for_child(const struct config *c, unsigned int client,
		   const char *service, const char *args,
		   char out[PARENT_ARGS_MAX])
{
	const struct config_child *child = &c->children[client];

	if (!strcmp(service, "CPU"))
		return scale_cpu(c, child, args, out);
	if (child->managing_system) {
		memcpy(out, args, strlen(args) + 1);
		return 0;
	}
	if (args_drop(args, "managing_system", out, PARENT_ARGS_MAX))
		return -EINVAL;
	return strstr(out, "managing_system") ? -EACCES : 0;
}
