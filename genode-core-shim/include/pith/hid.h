/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HID (human-inclined data), the syntax of configs and reports.
 *
 *	config | prio_levels: 4
 *	+ start nvme | caps: 120 | ram: 8M	   node, name, attributes
 *	  + provides | + service Block		   '|' starts a segment, which
 *	  x provides | + service Other		   counts as a line of its own
 *	  . comment, to the end of the line	   'x': disabled node
 *	  + config
 *	    : quoted | text			   kept as it is
 *	-
 *
 * Rules where one could doubt:
 * - Columns are counted in characters, not in bytes. The top node stands two
 *   columns left of column 1; a sub node stands at least two columns right of
 *   its parent, an attribute or quote not left of its node. It belongs to the
 *   nearest node above for which that holds. One column deeper than an open
 *   node is neither a sibling nor a sub node and is refused.
 * - A name or value runs to the end of its segment and is trimmed; it may be
 *   empty. "+ type name" is the same as "name: name". A tag occurs once.
 * - Text is UTF-8 without control characters. Tabs may stand in quotes and
 *   comments only; lines end in LF, not CR LF. Blank lines and empty segments
 *   mean nothing, but the first line names the top node and nothing follows "-".
 * - Disabled nodes are checked like all others and are not in the tree.
 *
 * The tree refers to the text, which must stay as long as the tree is used.
 */
#ifndef PITH_HID_H
#define PITH_HID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HID_DEPTH	32	/* nodes inside each other, the top one included */
#define HID_ATTRS	64	/* of one node */
#define HID_TEXT_MAX	(16u << 20)	/* bytes */

/* Bytes of arena that suffice for any text of @len bytes. */
#define HID_ARENA_SIZE(len)	(20 * (size_t)(len) + 256)

/* A piece of the text, not NUL terminated. */
struct hid_str {
	const char *s;
	uint32_t len;
};

/* All of a string. */
static inline struct hid_str hid_text(const char *s)
{
	return (struct hid_str){ s, (uint32_t)strlen(s) };
}

struct hid_attr {
	struct hid_str tag, value;
	uint32_t line, col;	/* of the tag; both from 1 */
	const struct hid_attr *next;
};

struct hid_quote {
	struct hid_str text;	/* one line, without its end */
	const struct hid_quote *next;
};

struct hid_node {
	struct hid_str type;
	uint32_t line, col;	/* of the '+', or of the top node's type */
	const struct hid_attr *attrs;	/* in order; the name is one of them */
	const struct hid_quote *quotes;
	const struct hid_node *parent, *first, *next;
};

struct hid_error {
	uint32_t line, col;	/* from 1; col in characters */
	char text[200];		/* "expected X, found Y" */
};

/* --- parsing ---------------------------------------------------------------- */

/*
 * Parse @text of @len bytes into a tree in @arena.
 * Returns 0 and the top node in *@root; or with *@err set -EINVAL (the text is
 * wrong) or -ENOMEM (@arena_size is too small).
 */
int hid_parse(const char *text, size_t len, void *arena, size_t arena_size,
	      const struct hid_node **root, struct hid_error *err);

/* --- looking up -------------------------------------------------------------- */

bool hid_equal(struct hid_str a, const char *b);
bool hid_same_text(struct hid_str a, struct hid_str b);

/* First sub node of type @type (NULL: of any), and the next sibling, or NULL. */
const struct hid_node *hid_first(const struct hid_node *node, const char *type);
const struct hid_node *hid_next(const struct hid_node *node, const char *type);
/* Is @node of type @type? */
bool hid_is(const struct hid_node *node, const char *type);

/* Do both (or neither) exist and say the same, wherever they stand? */
bool hid_same(const struct hid_node *a, const struct hid_node *b);

/* Attribute @tag or NULL; "name" finds the name. */
const struct hid_attr *hid_attr(const struct hid_node *node, const char *tag);

/* The whole of @s as a number: decimal with optional K, M or G (2^10, 2^20,
 * 2^30), or 0x and hexadecimal. 0 or -EINVAL (malformed, above 2^64 - 1). */
int hid_parse_number(struct hid_str s, uint64_t *value);
/* Decimal with optional '-'. */
int hid_parse_signed(struct hid_str s, int64_t *value);
/* yes, true, on, 1 / no, false, off, 0 */
int hid_parse_bool(struct hid_str s, bool *value);

/* The same of attribute @tag; @fallback if it is absent or malformed. Who wants
 * to refuse a malformed one takes hid_attr() and hid_parse_*(). */
uint64_t hid_number(const struct hid_node *node, const char *tag,
		    uint64_t fallback);
bool hid_bool(const struct hid_node *node, const char *tag, bool fallback);

/*
 * Copy the value of @tag to @buf, NUL terminated; @fallback (may be NULL) if it
 * is absent. Returns its length; -ENOENT: absent, no fallback; -ENAMETOOLONG: it
 * does not fit. On an error @buf holds "".
 */
int hid_string(const struct hid_node *node, const char *tag, char *buf,
	       size_t size, const char *fallback);
/* Copy @s likewise: its length or -ENAMETOOLONG. */
int hid_copy(struct hid_str s, char *buf, size_t size);

/* --- printing ----------------------------------------------------------------- */

/*
 * Writes HID into a buffer. Errors (no room, attribute after a sub node, too
 * deep, unbalanced) are remembered and reported once, by hid_print_end(). In a
 * value, what HID cannot hold there (control characters, '|', broken UTF-8)
 * becomes '?'.
 */
struct hid_print {
	char *buf;
	size_t size, len;
	unsigned int depth;	/* open nodes */
	bool head;		/* the open node can still get attributes */
	bool quotes;		/* ... and quotes */
	int error;
};

void hid_print_begin(struct hid_print *p, char *buf, size_t size);
/* Open a node, the first one being the top node; @name may be NULL. */
void hid_print_node(struct hid_print *p, const char *type, const char *name);
void hid_print_close(struct hid_print *p);
void hid_print_attr(struct hid_print *p, const char *tag, const char *value);
/* The same of a piece of text, unless it is empty or longer than 63 bytes. */
void hid_print_str(struct hid_print *p, const char *tag, struct hid_str value);
void hid_print_number(struct hid_print *p, const char *tag, uint64_t value);
void hid_print_bool(struct hid_print *p, const char *tag, bool value);
/* One quoted line, after all attributes and before all sub nodes. */
void hid_print_quote(struct hid_print *p, const char *line);
/* @node with all below it, as a sub node or, if none is open, as the text. */
void hid_print_tree(struct hid_print *p, const struct hid_node *node);
/* Length of the text (it is NUL terminated as well), -EMSGSIZE or -EINVAL. */
int hid_print_end(struct hid_print *p);
/* What @print writes, as *@text from malloc(), of @max bytes at most: its length,
 * -ENOMEM, or as hid_print_end(). */
int hid_print_new(char **text, size_t max,
		  void (*print)(struct hid_print *p, const void *ctx),
		  const void *ctx);

#endif
