// SPDX-License-Identifier: BSD-2-Clause
/*
 * hid2json FILE - print a HID text as JSON, for scripts:
 * {"type": "..", "name": ".." or null, "attrs": {..}, "nodes": [..],
 *  "quote": [..]}, each node likewise. Disabled nodes are checked and left out;
 * the name is not repeated in attrs. "-" reads standard input. With --places before
 * FILE, each node also has "at": [line, col] and "attrs_at": {tag: [line, col], ..},
 * the name included.
 *
 * Exit 0; 1: the text is wrong, "file:line:col: expected X, found Y" on standard
 * error; 2: usage, or the file cannot be read.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>

static bool places;

static char *read_all(FILE *f, size_t *len)
{
	size_t size = 1 << 16, n;
	char *buf = malloc(size), *more;

	*len = 0;
	while (buf) {
		n = fread(buf + *len, 1, size - *len, f);
		*len += n;
		if (!n) {
			if (!ferror(f))
				return buf;
			break;
		}
		if (*len < size)
			continue;
		if (size > HID_TEXT_MAX)	/* hid_parse() says so */
			return buf;
		size *= 2;
		more = realloc(buf, size);
		if (!more)
			break;
		buf = more;
	}
	free(buf);
	return NULL;
}

static void print_string(struct hid_str s)
{
	uint32_t i;

	putchar('"');
	for (i = 0; i < s.len; i++) {
		if (s.s[i] == '"' || s.s[i] == '\\')
			printf("\\%c", s.s[i]);
		else if ((unsigned char)s.s[i] < 0x20)
			printf("\\u%04x", s.s[i]);
		else
			putchar(s.s[i]);
	}
	putchar('"');
}

static void print_attrs(const struct hid_node *n)
{
	const struct hid_attr *a, *name = hid_attr(n, "name");
	const char *sep = "";

	printf(", \"name\": ");
	if (name)
		print_string(name->value);
	else
		printf("null");
	printf(", \"attrs\": {");
	for (a = n->attrs; a; a = a->next) {
		if (a == name)
			continue;
		printf("%s", sep);
		print_string(a->tag);
		printf(": ");
		print_string(a->value);
		sep = ", ";
	}
	printf("}");
}

static void print_places(const struct hid_node *n)
{
	const struct hid_attr *a;

	printf(", \"at\": [%u, %u], \"attrs_at\": {", n->line, n->col);
	for (a = n->attrs; a; a = a->next) {
		print_string(a->tag);
		printf(": [%u, %u]%s", a->line, a->col, a->next ? ", " : "");
	}
	printf("}");
}

/* The depth is bounded by HID_DEPTH. */
static void print_node(const struct hid_node *n)
{
	const struct hid_node *sub;
	const struct hid_quote *q;

	printf("{\"type\": ");
	print_string(n->type);
	print_attrs(n);
	if (places)
		print_places(n);
	printf(", \"nodes\": [");
	for (sub = n->first; sub; sub = sub->next) {
		print_node(sub);
		if (sub->next)
			printf(", ");
	}
	printf("], \"quote\": [");
	for (q = n->quotes; q; q = q->next) {
		print_string(q->text);
		if (q->next)
			printf(", ");
	}
	printf("]}");
}

static int convert(const char *name, const char *text, size_t len)
{
	size_t size = HID_ARENA_SIZE(len);
	const struct hid_node *root;
	struct hid_error err;
	void *arena = malloc(size);
	int ret;

	if (!arena) {
		fprintf(stderr, "hid2json: out of memory\n");
		return 2;
	}
	ret = hid_parse(text, len, arena, size, &root, &err);
	if (ret) {
		fprintf(stderr, "%s:%u:%u: %s\n", name, err.line, err.col,
			err.text);
	} else {
		print_node(root);
		putchar('\n');
	}
	free(arena);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	FILE *f = stdin;
	size_t len;
	char *text;
	int ret;

	places = argc == 3 && !strcmp(argv[1], "--places");
	if (places) {
		argv++;
		argc--;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: hid2json [--places] FILE|-\n");
		return 2;
	}
	if (strcmp(argv[1], "-") && !(f = fopen(argv[1], "rb"))) {
		fprintf(stderr, "hid2json: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	text = read_all(f, &len);
	if (!text) {
		fprintf(stderr, "hid2json: %s: cannot be read\n", argv[1]);
		return 2;
	}
	ret = convert(argv[1], text, len);
	free(text);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hid2json: standard output: write error\n");
		return 2;
	}
	return ret;
}
