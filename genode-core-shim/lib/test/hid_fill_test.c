// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../hid_fill.c ../hid.c ../hid_print.c ../args.c */
/* Configs by table; and the small helpers on labels, args and lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/hid_fill.h>
#include <pith/label.h>
#include <pith/list.h>
#include "tap.h"

struct thing {
	bool on;
	uint32_t small;
	uint64_t big, pages;
	struct hid_str text, label, name;
	const struct hid_node *one;
};

#define FIELD(kind, member, min, max) \
	HID_FIELD(struct thing, kind, member, min, max)

static const struct hid_field fields[] = {
	FIELD(HID_BOOL, on, 0, 0), FIELD(HID_U32, small, 2, 5),
	FIELD(HID_U64, big, 0, UINT64_MAX), FIELD(HID_PAGES, pages, 4096, 1 << 20),
	FIELD(HID_STR, text, 0, 0), { .tag = "else" }, { .tag = NULL }
}, label_only[] = {
	{ "label", HID_TEXT, offsetof(struct thing, label), 0, 3, "label", NULL },
	{ .tag = NULL }
}, name_only[] = {
	{ "name", HID_NAME, offsetof(struct thing, name), 0, 3, "short name",
	  "-" },
	{ .tag = NULL }
};
static const struct hid_sub nodes[] = {
	{ .type = "a" }, { .type = "b" },
	{ "each", HID_EACH, label_only, NULL, 0 },
	{ "once", HID_ONCE, NULL, NULL, offsetof(struct thing, one) },
	{ "named", HID_FILLED, name_only, NULL, offsetof(struct thing, one) },
	{ .type = NULL }
}, things[] = {
	{ "thing", HID_FILLED, fields, nodes, 0 }, { .type = NULL }
};

static struct hid_error err;
static struct thing thing;

/* The node "thing", or in it, with @text after its type. */
static int fill(const char *text, bool single)
{
	static char all[256];
	static char arena[HID_ARENA_SIZE(sizeof(all))]
		__attribute__((aligned(16)));
	const struct hid_node *root;

	snprintf(all, sizeof(all), single ? "top\n%s-\n" : "thing%s-\n", text);
	if (hid_parse(all, strlen(all), arena, sizeof(arena), &root, &err))
		return -EPROTO;
	thing = (struct thing){ .small = 3, .big = 7 };
	return single ? hid_fill(root, NULL, things, &thing, &err) :
			hid_fill(root, fields, nodes, &thing, &err);
}

static void refused(const char *text, bool single, const char *want)
{
	char got[256];
	int ret = fill(text, single);

	snprintf(got, sizeof(got), "%u:%u: %s", err.line, err.col, err.text);
	check(ret == -EINVAL && !strcmp(got, want), "%s", want);
	if (strcmp(got, want))
		printf("# got %s\n", got);
}

static void test_fill(void)
{
	check(!fill("\n", false) && thing.small == 3 && thing.big == 7,
	      "what is absent stays");
	check(!fill(" | on: yes | small: 5 | big: 2G | pages: 8K | text: a b\n"
		    "+ a\n+ b\n", false) && thing.on && thing.small == 5 &&
	      thing.big == 2ull << 30 && thing.pages == 8192 &&
	      hid_equal(thing.text, "a b"), "each kind");
	check(!fill(" | else: 99x\n", false), "what is read elsewhere");
	check(!fill("", true) && !fill("+ thing | small: 2\n", true) &&
	      thing.small == 2, "a node that may be there");
	refused(" | onn: yes\n", false, "1:9: expected on, small, big, pages, "
		"text or else, found 'onn'");
	refused(" | on: maybe\n", false,
		"1:9: expected yes or no for on, found 'maybe'");
	refused(" | small: 1\n", false,
		"1:9: expected small of 2 to 5, found 1");
	refused(" | small: 4294967299\n", false,
		"1:9: expected small of 2 to 5, found 4294967299");
	refused(" | big: -1\n", false,
		"1:9: expected a number for big, found '-1'");
	refused(" | pages: 4097\n", false,
		"1:9: expected a multiple of 4K, found 4097");
	refused("\n+ c\n", false, "2:1: expected a, b, each, once or named, found "
		"'c'");
	refused("\n: text\n", false,
		"1:1: expected no quoted text in this node");
	refused("+ thing\n+ thing\n", true,
		"3:1: expected 'thing' once, found it again (line 2)");
}

static void test_subs(void)
{
	check(!fill("\n+ a x | y: z\n+ a\n", false) && !thing.one,
	      "nodes that others read");
	check(!fill("\n+ each | label: a b\n+ each\n", false) && !thing.label.s,
	      "nodes that are checked only");
	check(!fill("\n+ once x | y: z\n", false) &&
	      hid_is(thing.one, "once"), "one, for another to read");
	check(!fill("\n+ named a-1\n", false) && hid_equal(thing.name, "a-1") &&
	      hid_is(thing.one, "named"), "one, with all that is in it");
	refused("\n+ each | label: abcd\n", false, "2:10: expected a label of up "
		"to 3 printable ASCII characters");
	refused("\n+ each | label: \xc3\xa4\n", false, "2:10: expected a label of "
		"up to 3 printable ASCII characters");
	refused("\n+ each | lable: a\n", false,
		"2:10: expected label only, found 'lable'");
	refused("\n+ once\n+ once\n", false,
		"3:1: expected 'once' once, found it again (line 2)");
	refused("\n+ named\n", false,
		"2:1: expected a name after 'named', found none");
	refused("\n+ named abcd\n", false, "2:9: expected a short name of up to "
		"3 of [A-Za-z0-9-], found 'abcd'");
	refused("\n+ named -a\n", false, "2:9: expected a short name of up to 3 "
		"of [A-Za-z0-9-], found '-a'");
	refused("\n+ named a | + b\n", false,
		"2:13: expected no sub node, found 'b'");
	check(!hid_is_name(hid_text(""), 9, "") &&
	      !hid_is_name((struct hid_str){ "a\0", 2 }, 9, "_") &&
	      hid_is_text(hid_text(""), 0) && !hid_is_text(hid_text("a|b"), 9),
	      "names and texts alone");
}

static void many(struct hid_print *p, const void *ctx)
{
	unsigned int i;

	hid_print_node(p, "top", NULL);
	hid_print_str(p, "text", hid_text("abc"));
	hid_print_str(p, "none", hid_text(""));
	for (i = 0; i < *(const unsigned int *)ctx; i++) {
		hid_print_node(p, "node", NULL);
		hid_print_close(p);
	}
	hid_print_close(p);
}

static void test_print(void)
{
	char *out;
	int len;

	len = hid_print_new(&out, 1 << 16, many, &(unsigned int){ 2000 });
	check(len > 4096 && (size_t)len == strlen(out) &&
	      !strncmp(out, "top | text: abc\n", 16), "a text that grows");
	free(out);
	check(hid_print_new(&out, 8192, many, &(unsigned int){ 2000 }) ==
	      -EMSGSIZE && !out, "up to a limit");
}

static void test_small(void)
{
	struct item { int n; struct list l; } items[3] = { { .n = 0 } }, *p, *n;
	char out[32];
	struct list all;
	int i, sum = 0;

	check(!strcmp(label_last("a -> b -> c"), "c") &&
	      !strcmp(label_last("a"), "a") && !strcmp(label_last(""), "") &&
	      !strcmp(label_last("a -> "), ""), "the last of a label");
	check(!args_drop("a=1, b=2, ab=3", "a", out, sizeof(out)) &&
	      !strcmp(out, "b=2, ab=3"), "args without one");
	check(!args_drop(", a =1,b=2", "a", out, sizeof(out)) &&
	      !strcmp(out, "b=2"), "however it is written");
	check(args_drop("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb=2", "a", out,
			sizeof(out)) < 0, "too many for the room");
	list_init(&all);
	for (i = 0; i < 3; i++) {
		items[i].n = 1 << i;
		list_add_before(&items[i].l, &all);
	}
	list_for_each(p, n, &all, struct item, l) {
		sum = 10 * sum + p->n;
		if (p->n == 2)
			list_del(&p->l);
	}
	check(sum == 124 && items[0].l.next == &items[2].l,
	      "a list, in order, while one leaves");
	list_del(&items[1].l);
	list_del(&items[0].l);
	list_del(&items[2].l);
	check(list_empty(&all), "and is empty");
}

int main(void)
{
	test_fill();
	test_subs();
	test_print();
	test_small();
	return tap_end();
}
