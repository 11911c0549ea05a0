// SPDX-License-Identifier: BSD-2-Clause
/* Who may have which partition. */
/* test-sources: ../../lib/test/fake_pith.c ../policy.c ../../lib/policy.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/test/fake_pith.h"
#include "../policy.h"

static char arena[65536];
static struct table table;

static const struct hid_node *parse(const char *text)
{
	const struct hid_node *root = NULL;
	struct hid_error err = { 0 };

	if (hid_parse(text, strlen(text), arena, sizeof(arena), &root, &err))
		printf("# %u:%u %s\n", err.line, err.col, err.text);
	return root;
}

static void bad(const char *text, uint32_t line, uint32_t col)
{
	struct hid_error err = { 0 };
	const struct hid_node *c = parse(text);

	ok(c && part_policy_check(c, &err) == -EINVAL && err.line == line &&
	   err.col == col && err.text[0], "refused at %u:%u: %s", err.line,
	   err.col, err.text);
}

static const struct hid_node *good(const char *text)
{
	struct hid_error err = { 0 };
	const struct hid_node *c = parse(text);

	ok(c && part_policy_check(c, &err) == 0, "accepted %s", err.text);
	return c;
}

static void decide(const struct hid_node *c, const char *label,
		   const char *args, int expect, unsigned int number,
		   bool writeable)
{
	struct grant g = { 999, false };
	int err = part_policy_decide(c, &table, label, args, &g);

	ok(err == expect && (err || (g.number == number &&
				     g.writeable == writeable)),
	   "\"%s\" \"%s\": %d, %u%s", label, args, err, g.number,
	   g.writeable ? " writeable" : "");
}

static void test_check(void)
{
	bad("other\n-\n", 1, 1);
	bad("config\n+ policy a\n-\n", 2, 1);
	bad("config\n+ policy | partition: 1\n-\n", 2, 1);
	bad("config\n+ policy a | partition: 129\n-\n", 2, 14);
	bad("config\n+ policy a | partition: one\n-\n", 2, 14);
	bad("config\n+ policy a | partition: 1 | writeable: maybe\n-\n", 2, 29);
	bad("config\n+ policy a | partition: 1 | writable: yes\n-\n", 2, 29);
	bad("config\n+ default-policy x | partition: 1\n-\n", 2, 1);
	bad("config\n+ default-policy | partition: 1\n"
	    "+ default-policy | partition: 2\n-\n", 3, 1);
	bad("config\n+ polizy a | partition: 1\n-\n", 2, 1);
	bad("config | verbose: yes\n-\n", 1, 10);
	bad("config | namespace: 0\n-\n", 1, 10);
	good("config\n-\n");
	good("config | namespace: 2\n+ default-policy | partition: any\n-\n");
}

static void test_decide(void)
{
	const struct hid_node *c = good(
		"config\n"
		"+ policy ext4 | partition: 2\n"
		"+ policy fdisk | partition: 0 | writeable: yes\n"
		"+ policy a -> b | partition: 3\n"
		"+ default-policy | partition: any\n-\n");

	table.kind = TABLE_GPT;
	table.parts[0].count = 1000;
	table.parts[1].count = table.parts[2].count = 100;
	table.parts[128].count = 7;
	decide(c, "ext4", "", 0, 2, false);
	decide(c, "ext4 -> x", "", 0, 2, false);
	decide(c, "ext4 -> x", "partition=2", 0, 2, false);
	decide(c, "ext4", "partition=1", -EACCES, 0, false);
	decide(c, "ext4b", "partition=1", 0, 1, false);
	decide(c, "ext", "partition=128", 0, 128, false);
	decide(c, "a -> b", "", -ENOENT, 0, false);
	decide(c, "a -> b -> c", "", -ENOENT, 0, false);
	decide(c, "a -> c", "partition=1", 0, 1, false);
	decide(c, "fdisk", "", 0, 0, true);
	decide(c, "other", "partition=0", -EACCES, 0, false);
	decide(c, "other", "", -EACCES, 0, false);
	decide(c, "other", "partition=3", -ENOENT, 0, false);
	decide(c, "other", "partition=129", -ENOENT, 0, false);
	decide(c, "other", "partition=4294967297", -ENOENT, 0, false);
	decide(c, "other", "partition=-1", -EINVAL, 0, false);
	decide(c, "other", "partition=1x", -EINVAL, 0, false);
	decide(c, "other", "partition=", -EINVAL, 0, false);
	decide(c, "other", "partition=11111111111111111111", -EINVAL, 0, false);

	table.kind = TABLE_NONE;
	memset(table.parts + 1, 0, PART_MAX * sizeof(table.parts[0]));
	decide(c, "other", "partition=0", 0, 0, false);
	decide(c, "other", "", 0, 0, false);
	decide(c, "other", "partition=1", -ENOENT, 0, false);

	table.kind = TABLE_DAMAGED;
	decide(c, "other", "partition=1", -EIO, 0, false);
	decide(c, "other", "partition=0", -EACCES, 0, false);
	decide(c, "fdisk", "", 0, 0, true);

	c = good("config\n+ policy x | partition: 0\n-\n");
	decide(c, "y", "", -EACCES, 0, false);
}

int main(void)
{
	test_check();
	test_decide();
	return tap_end();
}
