// SPDX-License-Identifier: BSD-2-Clause
/* HID printer: reports, and the configs that init passes on to its children. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>

static void put(struct hid_print *p, const char *s, size_t len)
{
	if (p->error)
		return;
	if (len >= p->size - p->len) {
		p->error = -EMSGSIZE;
		return;
	}
	memcpy(p->buf + p->len, s, len);
	p->len += len;
	p->buf[p->len] = '\0';
}

static void put_text(struct hid_print *p, const char *s)
{
	put(p, s, strlen(s));
}

static void put_str(struct hid_print *p, struct hid_str s)
{
	put(p, s.s, s.len);
}

static void indent(struct hid_print *p, unsigned int columns)
{
	while (columns--)
		put(p, " ", 1);
}

static void misuse(struct hid_print *p)
{
	if (!p->error)
		p->error = -EINVAL;
}

/* Bytes of the printable character at @s, 0 if it is none. */
static size_t printable(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1, i;

	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	for (i = 1; i < len; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls, long forms, surrogates, beyond U+10FFFF */
	if (len == 1 || c > 0xf4 || (c == 0xc2 && (unsigned char)s[1] < 0xa0) ||
	    (c == 0xe0 && (unsigned char)s[1] < 0xa0) ||
	    (c == 0xed && (unsigned char)s[1] >= 0xa0) ||
	    (c == 0xf0 && (unsigned char)s[1] < 0x90) ||
	    (c == 0xf4 && (unsigned char)s[1] >= 0x90))
		return 0;
	return len;
}

/* @s with '?' for what is not printable or equals @bar. */
static void put_clean(struct hid_print *p, const char *s, char bar, char tab)
{
	size_t n;

	while (*s) {
		n = *s == bar ? 0 : *s == tab ? 1 : printable(s);
		if (n)
			put(p, s, n);
		else
			put(p, "?", 1);
		s += n ? n : 1;
	}
}

void hid_print_begin(struct hid_print *p, char *buf, size_t size)
{
	*p = (struct hid_print){ .buf = buf, .size = size };
	if (size)
		buf[0] = '\0';
	else
		p->error = -EMSGSIZE;
}

/* End the line of the node's head, when something other follows. */
static void end_head(struct hid_print *p)
{
	if (p->head)
		put(p, "\n", 1);
	p->head = false;
}

void hid_print_node(struct hid_print *p, const char *type, const char *name)
{
	if (p->depth == HID_DEPTH || (!p->depth && p->len))
		misuse(p);
	end_head(p);
	if (p->depth) {
		indent(p, 2 * (p->depth - 1));
		put_text(p, "+ ");
	}
	put_text(p, type);
	if (name && *name) {
		put(p, " ", 1);
		put_clean(p, name, '|', 0);
	}
	p->depth++;
	p->head = p->quotes = true;
}

void hid_print_close(struct hid_print *p)
{
	end_head(p);
	p->quotes = false;
	if (!p->depth)
		misuse(p);
	else if (--p->depth == 0)
		put_text(p, "-\n");
}

void hid_print_attr(struct hid_print *p, const char *tag, const char *value)
{
	if (!p->head)
		misuse(p);
	put_text(p, " | ");
	put_text(p, tag);
	put(p, ":", 1);
	if (*value)
		put(p, " ", 1);
	put_clean(p, value, '|', 0);
}

void hid_print_str(struct hid_print *p, const char *tag, struct hid_str value)
{
	char text[64];

	if (value.len && hid_copy(value, text, sizeof(text)) > 0)
		hid_print_attr(p, tag, text);
}

void hid_print_number(struct hid_print *p, const char *tag, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	hid_print_attr(p, tag, text);
}

void hid_print_bool(struct hid_print *p, const char *tag, bool value)
{
	hid_print_attr(p, tag, value ? "yes" : "no");
}

static void start_quote(struct hid_print *p)
{
	if (!p->quotes || !p->depth)
		misuse(p);
	end_head(p);
	if (p->depth)
		indent(p, 2 * (p->depth - 1));
	put(p, ": ", 2);
}

void hid_print_quote(struct hid_print *p, const char *line)
{
	start_quote(p);
	put_clean(p, line, 0, '\t');
	put(p, "\n", 1);
}

/* The parts of a parsed node are clean already. */
static void tree_head(struct hid_print *p, const struct hid_node *n)
{
	const struct hid_attr *a, *name = hid_attr(n, "name");
	const struct hid_quote *q;

	hid_print_node(p, "", NULL);
	put_str(p, n->type);
	if (name && name->value.len) {
		put(p, " ", 1);
		put_str(p, name->value);
	}
	for (a = n->attrs; a; a = a->next) {
		if (a == name && name->value.len)
			continue;
		put_text(p, " | ");
		put_str(p, a->tag);
		put_text(p, a->value.len ? ": " : ":");
		put_str(p, a->value);
	}
	for (q = n->quotes; q; q = q->next) {
		start_quote(p);
		put_str(p, q->text);
		put(p, "\n", 1);
	}
}

void hid_print_tree(struct hid_print *p, const struct hid_node *node)
{
	const struct hid_node *n = node;

	for (;;) {
		tree_head(p, n);
		if (n->first && !p->error) {
			n = n->first;
			continue;
		}
		hid_print_close(p);
		while (n != node && !n->next) {
			n = n->parent;
			hid_print_close(p);
		}
		if (n == node)
			return;
		n = n->next;
	}
}

int hid_print_end(struct hid_print *p)
{
	if (p->depth || !p->len)
		misuse(p);
	return p->error ? p->error : (int)p->len;
}

int hid_print_new(char **text, size_t max,
		  void (*print)(struct hid_print *p, const void *ctx),
		  const void *ctx)
{
	struct hid_print p;
	size_t size;
	int len;

	for (size = 4096; ; size *= 2) {
		size = size < max ? size : max;
		*text = malloc(size);
		if (!*text)
			return -ENOMEM;
		hid_print_begin(&p, *text, size);
		print(&p, ctx);
		len = hid_print_end(&p);
		if (len >= 0)
			return len;
		free(*text);
		*text = NULL;
		if (len != -EMSGSIZE || size == max)
			return len;
	}
}
