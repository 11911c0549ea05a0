/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <pith/hid_fill.h>

#define PAGE		4096
#define FOUND_SHOWN	32	/* bytes of a value that was found */
#define NAME_SHOWN	24	/* of a tag or type */

int hid_refuse(struct hid_error *err, uint32_t line, uint32_t col,
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

static int shown(struct hid_str s, int most)
{
	return s.len > (uint32_t)most ? most : (int)s.len;
}

int hid_unexpected(struct hid_error *err, const struct hid_attr *a,
		   const char *fmt, ...)
{
	char what[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return hid_refuse(err, a->line, a->col, "expected %s, found '%.*s'",
			  what, shown(a->value, FOUND_SHOWN), a->value.s);
}

/* --- names of attributes and sub nodes ------------------------------------ */

/* A list of either, one behind the other. */
struct names {
	const struct hid_field *fields;
	const char *const *nodes;
};

static const char *name_at(const struct names *l, unsigned int i)
{
	return l->fields ? l->fields[i].tag : l->nodes ? l->nodes[i] : NULL;
}

/* Index in the list, or -1. */
static int listed(const struct names *l, struct hid_str s)
{
	int i;

	for (i = 0; name_at(l, i); i++)
		if (hid_equal(s, name_at(l, i)))
			return i;
	return -1;
}

/* "expected a, b or c, found 'd'" */
static int not_listed(struct hid_error *err, uint32_t line, uint32_t col,
		      const char *what, const struct names *l,
		      struct hid_str found)
{
	char text[160] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; name_at(l, i) && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
					!i ? "" : name_at(l, i + 1) ? ", " :
					" or ", name_at(l, i));
	return hid_refuse(err, line, col, "expected %s%s%s, found '%.*s'",
			  i ? text : "no ", i ? "" : what,
			  i == 1 ? " only" : "", shown(found, NAME_SHOWN),
			  found.s);
}

/* --- values ------------------------------------ */

static int get_number(const struct hid_attr *a, const struct hid_field *f,
		      uint64_t *v, struct hid_error *err)
{
	if (hid_parse_number(a->value, v))
		return hid_unexpected(err, a, "a number for %s", f->tag);
	if (*v < f->min || *v > f->max)
		return hid_refuse(err, a->line, a->col, "expected %s of %llu to "
				  "%llu, found %llu", f->tag,
				  (unsigned long long)f->min,
				  (unsigned long long)f->max,
				  (unsigned long long)*v);
	if (f->kind == HID_PAGES && *v % PAGE)
		return hid_refuse(err, a->line, a->col, "expected a multiple of "
				  "4K, found %llu", (unsigned long long)*v);
	return 0;
}

int hid_fill_attr(const struct hid_attr *a, const struct hid_field *f, void *out,
		  struct hid_error *err)
{
	uint64_t v;
	void *to;

	if (f->kind == HID_ELSEWHERE)	/* there may be no @out at all */
		return 0;
	to = (char *)out + f->offset;
	switch (f->kind) {
	case HID_BOOL:
		return hid_parse_bool(a->value, to) ?
			hid_unexpected(err, a, "yes or no for %s", f->tag) : 0;
	case HID_STR:
		*(struct hid_str *)to = a->value;
		return 0;
	default:
		break;
	}
	if (get_number(a, f, &v, err))
		return -EINVAL;
	if (f->kind == HID_U32)
		*(uint32_t *)to = (uint32_t)v;
	else
		*(uint64_t *)to = v;
	return 0;
}

/* --- nodes ------------------------------------ */

int hid_fill(const struct hid_node *node, const struct hid_field *fields,
	     const char *const *nodes, void *out, struct hid_error *err)
{
	const struct names tags = { .fields = fields }, types = { .nodes = nodes };
	const struct hid_attr *a;
	const struct hid_node *n;
	int i;

	for (a = node->attrs; a; a = a->next) {
		i = listed(&tags, a->tag);
		if (i < 0)
			return not_listed(err, a->line, a->col, "attribute",
					  &tags, a->tag);
		if (hid_fill_attr(a, &fields[i], out, err))
			return -EINVAL;
	}
	for (n = node->first; n; n = n->next)
		if (listed(&types, n->type) < 0)
			return not_listed(err, n->line, n->col, "sub node",
					  &types, n->type);
	if (node->quotes)
		return hid_refuse(err, node->line, node->col,
				  "expected no quoted text in this node");
	return 0;
}

int hid_single(const struct hid_node *node, const char *type,
	       const struct hid_node **found, struct hid_error *err)
{
	const struct hid_node *second;

	*found = hid_first(node, type);
	second = *found ? hid_next(*found, type) : NULL;
	if (second)
		return hid_refuse(err, second->line, second->col,
				  "expected '%s' once, found it again "
				  "(line %u)", type, (*found)->line);
	return 0;
}

int hid_fill_single(const struct hid_node *node, const char *type,
		    const struct hid_field *fields, const char *const *nodes,
		    void *out, const struct hid_node **found,
		    struct hid_error *err)
{
	int ret = hid_single(node, type, found, err);

	return ret || !*found ? ret : hid_fill(*found, fields, nodes, out, err);
}
