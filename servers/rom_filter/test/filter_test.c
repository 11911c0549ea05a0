// SPDX-License-Identifier: BSD-2-Clause
/* Rules on inputs: what comes out, and which configs are refused. */
/* test-sources: ../../lib/test/fake_pith.c ../filter.c ../../lib/policy.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c ../../../genode-core-shim/lib/hid_print.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/test/fake_pith.h"
#include "../filter.h"

static const char *state, *menu;	/* content of the two ROMs */

static const struct hid_node *parse(const char *text, unsigned int slot)
{
	static char arenas[3][65536];
	const struct hid_node *root = NULL;
	struct hid_error err;

	if (hid_parse(text, strlen(text), arenas[slot], sizeof(arenas[slot]),
		      &root, &err))
		printf("# %u:%u: %s in:\n%s", err.line, err.col, err.text, text);
	return root;
}

static const struct hid_node *rom(void *ctx, struct hid_str name)
{
	const char *text = hid_equal(name, "state") ? state :
			   hid_equal(name, "menu") ? menu : NULL;

	(void)ctx;
	return text ? parse(text, hid_equal(name, "state")) : NULL;
}

static char out[8192];

/* What rules make of the two ROMs. */
static const char *make(const char *rules, size_t size)
{
	static const char inputs[] =
		"config\n"
		"+ input level | rom: state | node: state\n"
		"  + node battery\n"
		"    + having | attribute: slot | value: 1\n"
		"    + attribute level\n"
		"+ input other | rom: state | node: other\n"
		"+ input name | rom: state | + attribute name\n"
		"+ input menu\n";
	char text[4096];
	const struct hid_node *config;
	struct hid_error err;
	int len;

	snprintf(text, sizeof(text), "%s+ output | node: x\n%s-\n", inputs, rules);
	config = parse(text, 2);
	if (filter_check(config, &err)) {
		printf("# %u:%u: %s\n", err.line, err.col, err.text);
		return "refused";
	}
	memset(out, '#', sizeof(out));
	len = filter_make(config, rom, NULL, out, size);
	return len == -EMSGSIZE ? "too long" : len < 0 ? "order" : out;
}

static int makes(const char *rules, const char *wanted)
{
	const char *got = make(rules, sizeof(out));

	if (strcmp(got, wanted))
		printf("# got %s\n", got);
	return !strcmp(got, wanted);
}

#define IF_LOW	"  + if\n    + has-value | input: level | value: low\n" \
		"    + then | + attribute is | value: low\n" \
		"    + else | + attribute is | value: not\n"

static void test_values(void)
{
	state = "state | name: top\n+ battery | slot: 0 | level: bad\n"
		"+ battery | slot: 1 | level: low\n-\n";
	ok(makes("  + attribute a | value: b\n  + attribute c | input: level\n"
		 "  + attribute d | input: name\n",
		 "x | a: b | c: low | d: top\n-\n"), "attributes");
	ok(makes(IF_LOW, "x | is: low\n-\n"), "has-value");
	state = "state\n+ battery | slot: 1 | level: full\n-\n";
	ok(makes(IF_LOW, "x | is: not\n-\n"), "another value");
	state = "state\n+ battery | slot: 2 | level: low\n-\n";
	ok(makes(IF_LOW, "x | is: not\n-\n"), "another node");
	state = "status\n+ battery | slot: 1 | level: low\n-\n";
	ok(makes(IF_LOW, "x | is: not\n-\n"), "another top node");
	state = "state\n+ battery | slot: 1\n-\n";
	ok(makes(IF_LOW "  + attribute a | input: level\n", "x | is: not\n-\n"),
	   "no value: left out");
	state = NULL;
	ok(makes(IF_LOW "  + attribute a | input: level\n", "x | is: not\n-\n"),
	   "no ROM");
}

static void test_conditions(void)
{
	static const char rule[] =
		"  + if\n    + not | + not | + exists | input: other\n"
		"    + then | + attribute is | value: there\n";

	state = "other\n-\n";
	ok(makes(rule, "x | is: there\n-\n"), "exists, not not");
	state = "state\n-\n";
	ok(makes(rule, "x\n-\n"), "no else: nothing");
}

static void test_nodes(void)
{
	state = "state | name: n\n-\n";
	menu = "menu | q: 1\n+ entry a | key: 1\n  + deep\n+ entry b\n-\n";
	ok(makes("  + node | type: list\n    + attribute for | input: name\n"
		 "    + content | input: menu\n  + inline | + y | z: 1\n",
		 "x\n+ list | for: n\n  + entry a | key: 1\n    + deep\n"
		 "  + entry b\n+ y | z: 1\n-\n"), "node, content and inline");
	menu = NULL;
	ok(makes("  + content | input: menu\n", "x\n-\n"), "content of nothing");
	ok(!strcmp(make("  + node | type: n\n  + attribute a | value: 1\n",
			sizeof(out)), "order"), "an attribute after a node");
	ok(!strcmp(make("  + attribute a | value: 0123456789\n", 16),
		   "too long"), "no room");
}

static void test_refused(void)
{
	static const char *const wrong[] = {
		"config\n-\n",
		"config\n+ output\n-\n",
		"config\n+ output | node: X\n-\n",
		"config\n+ output | node: a\n+ output | node: b\n-\n",
		"config\n+ input\n+ output | node: a\n-\n",
		"config\n+ input i | + bode x\n+ output | node: a\n-\n",
		"config\n+ input i | + node\n+ output | node: a\n-\n",
		"config\n+ input i | + having | attribute: a\n+ output | node: a\n-\n",
		"config\n+ output | node: a | + attribute x | input: none\n-\n",
		"config\n+ output | node: a | + attribute x\n-\n",
		"config\n+ output | node: a | + content\n-\n",
		"config\n+ output | node: a | + node\n-\n",
		"config\n+ output | node: a | + if\n-\n",
		"config\n+ output | node: a | + if | + then\n-\n",
		"config\n+ output | node: a | + if | + not\n-\n",
		"config\n+ input i\n+ output | node: a | + if | + has-value | input: i\n-\n",
		"config\n+ input i\n+ output | node: a | + if | + exists | input: i\n"
		"                            + perhaps\n-\n",
		"config\n+ output | node: a | + echo\n-\n",
	};
	struct hid_error err;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(filter_check(parse(wrong[i], 2), &err) == -EINVAL,
		   "refused: %s", err.text);
}

int main(void)
{
	test_values();
	test_conditions();
	test_nodes();
	test_refused();
	return tap_end();
}
