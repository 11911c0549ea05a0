// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "../lib/policy.h"
#include "filter.h"

/* What is being made. */
struct make {
	const struct hid_node *config;
	filter_rom_fn rom;
	void *ctx;
	struct hid_print p;
};

static void make_rules(struct make *m, const struct hid_node *rules);

/* --- inputs ------------------------------------------------------------------- */

static const struct hid_node *input_named(const struct hid_node *config,
					  struct hid_str name)
{
	const struct hid_node *n = hid_first(config, "input");

	while (n && !hid_same_text(hid_attr(n, "name")->value, name))
		n = hid_next(n, "input");
	return n;
}

struct hid_str filter_rom_of(const struct hid_node *n)
{
	const struct hid_attr *rom = hid_attr(n, "rom");

	return rom ? rom->value : hid_attr(n, "name")->value;
}

/* Does @n have the attributes that @pattern says of it? */
static bool fits(const struct hid_node *n, const struct hid_node *pattern)
{
	const struct hid_attr *type = hid_attr(pattern, "name");
	const struct hid_node *h;
	const struct hid_attr *a;

	if (!hid_same_text(n->type, type->value))
		return false;
	for (h = hid_first(pattern, "having"); h; h = hid_next(h, "having")) {
		char tag[64];

		if (hid_string(h, "attribute", tag, sizeof(tag), "") < 0)
			return false;
		a = hid_attr(n, tag);
		if (!a || !hid_same_text(a->value, hid_attr(h, "value")->value))
			return false;
	}
	return true;
}

/* From the top node of the input's ROM down to the node it is about. */
static const struct hid_node *node_of(struct make *m,
				      const struct hid_node *input)
{
	const struct hid_attr *top = hid_attr(input, "node");
	const struct hid_node *at = m->rom(m->ctx, filter_rom_of(input));
	const struct hid_node *pattern = hid_first(input, "node");

	if (at && top && !hid_same_text(at->type, top->value))
		return NULL;
	for (; at && pattern; pattern = hid_first(pattern, "node")) {
		at = hid_first(at, NULL);
		while (at && !fits(at, pattern))
			at = hid_next(at, NULL);
	}
	return at;
}

/* The attribute that the input is about, which stands in its innermost node. */
static const struct hid_node *attribute_of(const struct hid_node *input)
{
	const struct hid_node *inner;

	while ((inner = hid_first(input, "node")))
		input = inner;
	return hid_first(input, "attribute");
}

/* Value of input @name; false if there is none. */
static bool value_of(struct make *m, struct hid_str name, struct hid_str *value)
{
	const struct hid_node *input = input_named(m->config, name);
	const struct hid_node *wanted = attribute_of(input);
	const struct hid_node *n = node_of(m, input);
	const struct hid_attr *a = NULL;
	char tag[64];

	if (n && wanted && hid_string(wanted, "name", tag, sizeof(tag), "") > 0)
		a = hid_attr(n, tag);
	if (a)
		*value = a->value;
	return a;
}

/* --- output -------------------------------------------------------------------- */

static bool is_true(struct make *m, const struct hid_node *cond)
{
	const struct hid_attr *input = hid_attr(cond, "input");
	struct hid_str value;

	if (hid_is(cond, "has-value"))
		return value_of(m, input->value, &value) &&
		       hid_same_text(value, hid_attr(cond, "value")->value);
	if (hid_is(cond, "exists"))
		return node_of(m, input_named(m->config, input->value));
	if (hid_is(cond, "not"))
		return !is_true(m, hid_first(cond, NULL));
	return false;
}

static void make_if(struct make *m, const struct hid_node *rule)
{
	const char *branch = is_true(m, hid_first(rule, NULL)) ? "then" :
								   "else";
	const struct hid_node *n = hid_first(rule, branch);

	if (n)
		make_rules(m, n);
}

static void print_attr(struct make *m, struct hid_str tag, struct hid_str value)
{
	char t[64], v[1024];

	if (hid_copy(tag, t, sizeof(t)) < 0 || hid_copy(value, v, sizeof(v)) < 0)
		m->p.error = -EMSGSIZE;
	else
		hid_print_attr(&m->p, t, v);
}

static void make_attribute(struct make *m, const struct hid_node *rule)
{
	const struct hid_attr *a = hid_attr(rule, "value");
	const struct hid_attr *input = hid_attr(rule, "input");
	struct hid_str value;

	if (a)
		value = a->value;
	else if (!value_of(m, input->value, &value))
		return;
	print_attr(m, hid_attr(rule, "name")->value, value);
}

static void make_node(struct make *m, const struct hid_node *rule)
{
	char type[64];

	if (hid_string(rule, "type", type, sizeof(type), "") <= 0)
		m->p.error = -EMSGSIZE;
	hid_print_node(&m->p, type, NULL);
	make_rules(m, rule);
	hid_print_close(&m->p);
}

static void print_all_in(struct make *m, const struct hid_node *n)
{
	for (n = n ? n->first : NULL; n; n = n->next)
		hid_print_tree(&m->p, n);
}

static void make_rules(struct make *m, const struct hid_node *rules)
{
	const struct hid_node *r;

	for (r = hid_first(rules, NULL); r; r = hid_next(r, NULL)) {
		if (hid_is(r, "if"))
			make_if(m, r);
		else if (hid_is(r, "attribute"))
			make_attribute(m, r);
		else if (hid_is(r, "node"))
			make_node(m, r);
		else if (hid_is(r, "inline"))
			print_all_in(m, r);
		else if (hid_is(r, "content"))
			print_all_in(m, node_of(m, input_named(m->config,
					hid_attr(r, "input")->value)));
	}
}

int filter_make(const struct hid_node *config, filter_rom_fn rom, void *ctx,
		char *buf, size_t size)
{
	const struct hid_node *output = hid_first(config, "output");
	struct make m = { .config = config, .rom = rom, .ctx = ctx };
	char type[64];

	hid_string(output, "node", type, sizeof(type), "");
	hid_print_begin(&m.p, buf, size);
	hid_print_node(&m.p, type, NULL);
	make_rules(&m, output);
	hid_print_close(&m.p);
	return hid_print_end(&m.p);
}

/* --- checks --------------------------------------------------------------------- */

/* Node types and tags: [a-z][a-z0-9_-]*, and short. */
static bool is_tag(const struct hid_attr *a)
{
	struct hid_str s = a ? a->value : (struct hid_str) { NULL, 0 };

	if (!s.len || s.len > 63 || s.s[0] < 'a' || s.s[0] > 'z')
		return false;
	for (uint32_t i = 0; i < s.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", s.s[i], 38))
			return false;
	return true;
}

static int need_tag(const struct hid_node *n, const char *tag,
		    struct hid_error *err)
{
	return is_tag(hid_attr(n, tag)) ? 0 :
	       hid_refuse(err, n->line, n->col, "expected %s: a name of a-z, "
			    "0-9, _ and -", tag);
}

static int need_input(const struct hid_node *config, const struct hid_node *n,
		      struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "input");

	return a && input_named(config, a->value) ? 0 :
	       hid_refuse(err, n->line, n->col, "expected input: one of the "
			    "config's");
}

static int check_pattern(const struct hid_node *n, struct hid_error *err)
{
	const struct hid_node *s;
	int ret = 0;

	for (s = hid_first(n, NULL); s && !ret; s = hid_next(s, NULL)) {
		if (hid_is(s, "attribute")) {
			ret = need_tag(s, "name", err);
		} else if (hid_is(s, "having")) {
			ret = need_tag(s, "attribute", err);
			if (!ret && !hid_attr(s, "value"))
				ret = hid_refuse(err, s->line, s->col,
						   "expected value");
		} else if (hid_is(s, "node")) {
			ret = need_tag(s, "name", err);
			if (!ret)
				ret = check_pattern(s, err);
		} else {
			ret = hid_refuse(err, s->line, s->col, "expected "
					   "node, attribute or having");
		}
	}
	return ret;
}

static int check_condition(const struct hid_node *config,
			   const struct hid_node *rule, struct hid_error *err)
{
	const struct hid_node *c = hid_first(rule, NULL);

	if (c && hid_is(c, "not"))
		return check_condition(config, c, err);
	if (c && hid_is(c, "has-value") && !hid_attr(c, "value"))
		return hid_refuse(err, c->line, c->col, "expected value");
	if (!c || !(hid_is(c, "has-value") || hid_is(c, "exists")))
		return hid_refuse(err, rule->line, rule->col,
				    "expected has-value, exists or not in it");
	return need_input(config, c, err);
}

static int check_rules(const struct hid_node *config,
		       const struct hid_node *rules, struct hid_error *err);

static int check_if(const struct hid_node *config, const struct hid_node *rule,
		    struct hid_error *err)
{
	const struct hid_node *n = hid_first(rule, NULL);
	int ret = check_condition(config, rule, err);

	while (!ret && (n = hid_next(n, NULL)))
		ret = hid_is(n, "then") || hid_is(n, "else") ?
		      check_rules(config, n, err) :
		      hid_refuse(err, n->line, n->col,
				   "expected then or else");
	return ret;
}

static int check_rule(const struct hid_node *config, const struct hid_node *r,
		      struct hid_error *err)
{
	int ret;

	if (hid_is(r, "if"))
		return check_if(config, r, err);
	if (hid_is(r, "inline"))
		return 0;
	if (hid_is(r, "content"))
		return need_input(config, r, err);
	if (hid_is(r, "attribute")) {
		ret = need_tag(r, "name", err);
		return ret || hid_attr(r, "value") ? ret :
		       need_input(config, r, err);
	}
	if (!hid_is(r, "node"))
		return hid_refuse(err, r->line, r->col, "expected if, "
				    "attribute, node, inline or content");
	ret = need_tag(r, "type", err);
	return ret ? ret : check_rules(config, r, err);
}

static int check_rules(const struct hid_node *config,
		       const struct hid_node *rules, struct hid_error *err)
{
	int ret = 0;

	for (rules = hid_first(rules, NULL); rules && !ret;
	     rules = hid_next(rules, NULL))
		ret = check_rule(config, rules, err);
	return ret;
}

int filter_check(const struct hid_node *config, struct hid_error *err)
{
	const struct hid_node *n, *output = hid_first(config, "output");
	int ret = 0;

	for (n = hid_first(config, NULL); n && !ret; n = hid_next(n, NULL)) {
		if (hid_is(n, "input"))
			ret = hid_attr(n, "name") ? check_pattern(n, err) :
			      hid_refuse(err, n->line, n->col,
					   "expected a name");
		else if (n != output)
			ret = hid_refuse(err, n->line, n->col,
					   "expected input or one output");
	}
	if (!ret && !output)
		ret = hid_refuse(err, config->line, config->col,
				   "expected an output");
	if (!ret)
		ret = need_tag(output, "node", err);
	return ret ? ret : check_rules(config, output, err);
}
