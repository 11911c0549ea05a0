/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A config held against what a component knows of it: a node's attributes go
 * into a struct, by a table, and whatever the table does not say is refused with
 * its place, what was expected and what was found.
 *
 *	static const struct hid_field fields[] = {
 *		HID_FIELD(struct policy, HID_U32, max, 1, 32),
 *		HID_FIELD(struct policy, HID_BOOL, enabled, 0, 0),
 *		{ .tag = NULL }
 *	};
 *	struct policy p = { .max = 5 };		 what is absent stays as it is
 *	err = hid_fill(node, fields, NULL, &p, &error);
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
};

struct hid_field {
	const char *tag;	/* NULL: the end of the table */
	enum hid_kind kind;
	size_t offset;
	uint64_t min, max;	/* of numbers */
};

#define HID_FIELD(type, kind, member, min, max) \
	{ #member, kind, offsetof(type, member), min, max }

/* All that hid_fill() and its like return besides 0 is -EINVAL, with *@err set. */

/*
 * Only attributes of @fields and sub nodes of @nodes (NULL: none) are in @node;
 * a quote is not. The former go to @out.
 */
int hid_fill(const struct hid_node *node, const struct hid_field *fields,
	     const char *const *nodes, void *out, struct hid_error *err);
/* The sub node of @type in *@found, NULL if there is none: a second is refused. */
int hid_single(const struct hid_node *node, const char *type,
	       const struct hid_node **found, struct hid_error *err);
/* Both: @out stays as it is, and *@found NULL, if there is none. */
int hid_fill_single(const struct hid_node *node, const char *type,
		    const struct hid_field *fields, const char *const *nodes,
		    void *out, const struct hid_node **found,
		    struct hid_error *err);
/* One attribute. */
int hid_fill_attr(const struct hid_attr *a, const struct hid_field *field,
		  void *out, struct hid_error *err);

/* Set *@err to a place and a text; -EINVAL. The second: "expected .., found 'x'",
 * where @a is. */
int hid_refuse(struct hid_error *err, uint32_t line, uint32_t col,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int hid_unexpected(struct hid_error *err, const struct hid_attr *a,
		   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
