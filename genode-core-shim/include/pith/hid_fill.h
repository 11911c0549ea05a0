/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A config held against what a component knows of it: the attributes of a node,
 * and of those below it, go into a struct, by tables, and whatever the tables do
 * not say is refused with its place, what was expected and what was found.
 *
 *	static const struct hid_field limits[] = {
 *		HID_FIELD(struct policy, HID_U32, max, 1, 32),
 *		{ .tag = NULL }
 *	}, fields[] = {
 *		HID_FIELD(struct policy, HID_BOOL, enabled, 0, 0),
 *		{ .tag = NULL }
 *	};
 *	static const struct hid_sub subs[] = {
 *		{ "limits", HID_FILLED, limits }, { .type = NULL }
 *	};
 *	struct policy p = { .max = 5 };		 what is absent stays as it is
 *	err = hid_fill(node, fields, subs, &p, &error);
 */
#ifndef PITH_HID_FILL_H
#define PITH_HID_FILL_H

#include <pith/hid.h>

enum hid_kind {
	HID_ELSEWHERE,		/* may be there; who asks for it reads it */
	HID_BOOL,		/* bool */
	HID_U32,		/* uint32_t, in @min .. @max; K, M and G are known */
	HID_U64,
	HID_PAGES,		/* uint64_t, the same in whole pages of 4 KiB */
	HID_STR,		/* struct hid_str */
	HID_TEXT,		/* the same: up to @max printable ASCII characters */
	HID_NAME,		/* the same, must be there: see hid_is_name() */
};

struct hid_field {
	const char *tag;	/* NULL: the end of the table */
	enum hid_kind kind;
	size_t offset;
	uint64_t min, max;	/* of numbers; of texts the length */
	const char *what;	/* texts: what it is, for who reads the error */
	const char *marks;	/* HID_NAME */
};

#define HID_AT(tag, type, kind, member, min, max) \
	{ tag, kind, offsetof(type, member), min, max, NULL, NULL }
#define HID_FIELD(type, kind, member, min, max) \
	HID_AT(#member, type, kind, member, min, max)

/* Sub nodes. */
enum hid_times {
	HID_MANY,		/* any number; who asks for them reads them */
	HID_EACH,		/* any number; checked, nothing is stored */
	HID_ONCE,		/* one; who asks for it reads it */
	HID_FILLED,		/* one; goes to the same struct */
};

struct hid_sub {
	const char *type;	/* NULL: the end of the table */
	enum hid_times times;
	const struct hid_field *fields;	/* HID_EACH, HID_FILLED: what is in it */
	const struct hid_sub *subs;
	size_t found;	/* one: where its address goes, a hid_node *; 0: nowhere */
};

/* All that hid_fill() and its like return besides 0 is -EINVAL, with *@err set. */

/*
 * Only attributes of @fields and sub nodes of @subs (NULL: none) are in @node; a
 * quote is not. They go to @out; NULL: they are only checked.
 */
int hid_fill(const struct hid_node *node, const struct hid_field *fields,
	     const struct hid_sub *subs, void *out, struct hid_error *err);
/* One attribute. */
int hid_fill_attr(const struct hid_attr *a, const struct hid_field *field,
		  void *out, struct hid_error *err);

/* Is @s of 1 to @max letters, digits and, but for the first, @marks? */
bool hid_is_name(struct hid_str s, uint64_t max, const char *marks);
/* Is it of up to @max printable characters of ASCII but '|'? */
bool hid_is_text(struct hid_str s, uint64_t max);

/* Set *@err to a place and a text; -EINVAL. The second: where @node is; the third:
 * "expected .., found 'x'", where @a is. */
int hid_refuse(struct hid_error *err, uint32_t line, uint32_t col,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int hid_refuse_node(struct hid_error *err, const struct hid_node *node,
		    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int hid_unexpected(struct hid_error *err, const struct hid_attr *a,
		   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
