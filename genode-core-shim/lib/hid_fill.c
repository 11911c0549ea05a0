/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <pith/hid_fill.h>

#define PAGE		4096
#define FOUND_SHOWN	32	/* bytes of a value that was found */
#define NAME_SHOWN	24	/* of a tag or type */

static int refuse(struct hid_error *err, uint32_t line, uint32_t col,
		  const char *fmt, va_list ap)
{
	err->line = line;
	err->col = col;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	return -EINVAL;
}

int hid_refuse(struct hid_error *err, uint32_t line, uint32_t col,
	       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(err, line, col, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int hid_refuse_node(struct hid_error *err, const struct hid_node *node,
		    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(err, node->line, node->col, fmt, ap);
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
	const struct hid_sub *subs;
};

static const char *name_at(const struct names *l, unsigned int i)
{
	return l->fields ? l->fields[i].tag : l->subs ? l->subs[i].type : NULL;
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

bool hid_is_name(struct hid_str s, uint64_t max, const char *marks)
{
	uint32_t i;
	char c;

	for (i = 0; i < s.len && i < max; i++) {
		c = s.s[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || (i && c && strchr(marks, c))))
			return false;
	}
	return s.len && i == s.len;
}

bool hid_is_text(struct hid_str s, uint64_t max)
{
	uint32_t i;

	for (i = 0; i < s.len && i < max; i++)
		if (s.s[i] < 0x20 || s.s[i] > 0x7e || s.s[i] == '|')
			return false;
	return i == s.len;
}

static int get_text(const struct hid_attr *a, const struct hid_field *f,
		    struct hid_str *s, struct hid_error *err)
{
	if (f->kind == HID_NAME && !hid_is_name(a->value, f->max, f->marks))
		return hid_unexpected(err, a, "a %s of up to %llu of "
				      "[A-Za-z0-9%s]", f->what,
				      (unsigned long long)f->max, f->marks);
	if (f->kind == HID_TEXT && !hid_is_text(a->value, f->max))
		return hid_refuse(err, a->line, a->col, "expected a %s of up to "
				  "%llu printable ASCII characters", f->what,
				  (unsigned long long)f->max);
	if (s)
		*s = a->value;
	return 0;
}

static int get_number(const struct hid_attr *a, const struct hid_field *f,
		      void *to, struct hid_error *err)
{
	uint64_t v;

	if (hid_parse_number(a->value, &v))
		return hid_unexpected(err, a, "a number for %s", f->tag);
	if (v < f->min || v > f->max)
		return hid_refuse(err, a->line, a->col, "expected %s of %llu to "
				  "%llu, found %llu", f->tag,
				  (unsigned long long)f->min,
				  (unsigned long long)f->max,
				  (unsigned long long)v);
	if (f->kind == HID_PAGES && v % PAGE)
		return hid_refuse(err, a->line, a->col, "expected a multiple of "
				  "4K, found %llu", (unsigned long long)v);
	if (to && f->kind == HID_U32)
		*(uint32_t *)to = (uint32_t)v;
	else if (to)
		*(uint64_t *)to = v;
	return 0;
}

int hid_fill_attr(const struct hid_attr *a, const struct hid_field *f, void *out,
		  struct hid_error *err)
{
	void *to = out ? (char *)out + f->offset : NULL;
	bool on;

	switch (f->kind) {
	case HID_ELSEWHERE:
		return 0;
	case HID_BOOL:
		if (hid_parse_bool(a->value, &on))
			return hid_unexpected(err, a, "yes or no for %s", f->tag);
		if (to)
			*(bool *)to = on;
		return 0;
	case HID_STR:
	case HID_TEXT:
	case HID_NAME:
		return get_text(a, f, to, err);
	default:
		return get_number(a, f, to, err);
	}
}

/* --- nodes ------------------------------------ */

static int fill_attrs(const struct hid_node *node, const struct hid_field *fields,
		      void *out, struct hid_error *err)
{
	const struct names tags = { .fields = fields };
	const struct hid_field *f;
	const struct hid_attr *a;
	int i;

	for (a = node->attrs; a; a = a->next) {
		i = listed(&tags, a->tag);
		if (i < 0)
			return not_listed(err, a->line, a->col, "attribute",
					  &tags, a->tag);
		if (hid_fill_attr(a, &fields[i], out, err))
			return -EINVAL;
	}
	for (f = fields; f && f->tag; f++)
		if (f->kind == HID_NAME && !hid_attr(node, f->tag))
			return hid_refuse_node(err, node, "expected a %s after "
					       "'%.*s', found none", f->tag,
					       (int)node->type.len,
					       node->type.s);
	return 0;
}

static int fill_sub(const struct hid_node *n, const struct hid_sub *sub,
		    void *out, struct hid_error *err)
{
	bool one = sub->times == HID_ONCE || sub->times == HID_FILLED;
	const struct hid_node *first = one ? hid_first(n->parent, sub->type) : n;

	if (first != n)
		return hid_refuse_node(err, n, "expected '%s' once, found it "
				       "again (line %u)", sub->type,
				       first->line);
	if (one && sub->found && out)
		*(const struct hid_node **)((char *)out + sub->found) = n;
	if (sub->times == HID_EACH)
		out = NULL;
	else if (sub->times != HID_FILLED)
		return 0;
	return hid_fill(n, sub->fields, sub->subs, out, err);
}

int hid_fill(const struct hid_node *node, const struct hid_field *fields,
	     const struct hid_sub *subs, void *out, struct hid_error *err)
{
	const struct names types = { .subs = subs };
	const struct hid_node *n;
	int i;

	if (fill_attrs(node, fields, out, err))
		return -EINVAL;
	for (n = node->first; n; n = n->next) {
		i = listed(&types, n->type);
		if (i < 0)
			return not_listed(err, n->line, n->col, "sub node",
					  &types, n->type);
		if (fill_sub(n, &subs[i], out, err))
			return -EINVAL;
	}
	if (node->quotes)
		return hid_refuse_node(err, node,
				       "expected no quoted text in this node");
	return 0;
}
