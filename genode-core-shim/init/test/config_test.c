// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../config.c ../config_route.c ../config_self.c
 * ../route.c ../restart.c ../../lib/hid_fill.c ../../lib/hid.c ../../lib/args.c */
/*
 * Config: what is refused and with which words, what a good one says, how its
 * routes decide.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../route.h"
#include "../../lib/test/tap.h"

static struct config c;
static struct hid_error err;

static int parse(const char *text)
{
	return config_parse(&c, text, strlen(text), &err);
}

/* --- refused ------------------------------------ */

#define A "config\n+ parent-provides | + service LOG\n"
#define S "+ start s | ram: 4K | caps: 1\n  + provides | + service Block\n"

/* the longest label */
#define LONG40	"0123456789012345678901234567890123456789"
#define LONG	LONG40 LONG40 LONG40 "012345678901234567890123456789012345678"

static const struct {
	const char *text, *error;
} bad[] = {
	{ "", "1:1: expected a node type, found end of text" },
	{ "config\n+ start a\n", "3:1: expected '-' on a line of its own, found "
	  "end of text" },
	{ "conf\n-\n", "1:1: expected 'config', found 'conf'" },
	{ "config | verbos: yes\n-\n", "1:10: expected verbose, prio_levels or "
	  "version, found 'verbos'" },
	{ "config | verbose: maybe\n-\n", "1:10: expected yes or no for verbose, "
	  "found 'maybe'" },
	{ "config | prio_levels: 0\n-\n", "1:10: expected prio_levels of 1 to 128,"
	  " found 0" },
	{ "config | prio_levels: -1\n-\n", "1:10: expected a number for "
	  "prio_levels, found '-1'" },
	{ "config\n+ begin a\n-\n", "2:1: expected parent-provides, default-route, "
	  "default, start, alias, service, report, heartbeat, resource or "
	  "affinity-space, found 'begin'" },
	{ "config\n: text\n-\n", "1:1: expected no quoted text in this node" },
	{ "config\n+ parent-provides\n  + servise ROM\n-\n",
	  "3:3: expected service only, found 'servise'" },
	{ "config\n+ parent-provides | + service\n-\n",
	  "2:21: expected a name after 'service', found none" },
	{ "config\n+ parent-provides | + service A | + service B\n-\n",
	  "2:35: expected no sub node, found 'service'" },
	{ "config\n+ parent-provides\n+ parent-provides\n-\n",
	  "3:1: expected 'parent-provides' once, found it again (line 2)" },
	{ "config\n+ default\n  ram: 4097\n-\n",
	  "3:3: expected a multiple of 4K, found 4097" },
	{ "config\n+ default | rma: 4K\n-\n",
	  "2:13: expected caps or ram, found 'rma'" },
	{ "config\n+ start | ram: 4K | caps: 1\n-\n",
	  "2:1: expected a name after 'start', found none" },
	{ "config\n+ start a b | ram: 4K | caps: 1\n-\n", "2:9: expected a name of "
	  "up to 31 of [A-Za-z0-9_.-], found 'a b'" },
	{ "config\n+ start a -> b | ram: 4K | caps: 1\n-\n", "2:9: expected a name "
	  "of up to 31 of [A-Za-z0-9_.-], found 'a -> b'" },
	{ "config\n+ start .. | ram: 4K | caps: 1\n-\n", "2:9: expected a name of "
	  "up to 31 of [A-Za-z0-9_.-], found '..'" },
	{ "config\n+ start abcdefghijklmnopqrstuvwxyzabcdef | ram: 4K\n-\n",
	  "2:9: expected a name of up to 31 of [A-Za-z0-9_.-], found "
	  "'abcdefghijklmnopqrstuvwxyzabcdef'" },
	{ "config\n+ start a | caps: 1\n-\n",
	  "2:1: expected ram, found neither it nor a default" },
	{ "config\n+ start a | ram: 4K\n-\n",
	  "2:1: expected caps, found neither it nor a default" },
	{ "config\n+ start a | ram: 4x | caps: 1\n-\n",
	  "2:13: expected a number for ram, found '4x'" },
	{ "config\n+ start a | ram: 0 | caps: 1\n-\n",
	  "2:13: expected ram of 4096 to 1099511627776, found 0" },
	{ "config\n+ start a | ram: 4K | caps: 0\n-\n",
	  "2:23: expected caps of 1 to 1048576, found 0" },
	{ "config\n+ start a | ram: 99999999999G | caps: 1\n-\n",
	  "2:13: expected a number for ram, found '99999999999G'" },
	{ "config\n+ start a | ram: 4K | caps: 1 | prioriti: 1\n-\n",
	  "2:33: expected name, caps, ram, priority, version or managing_system, "
	  "found 'prioriti'" },
	{ "config\n+ start a | ram: 4K | caps: 1 | priority: -1\n-\n",
	  "2:33: expected a priority of -0 to 0, found '-1'" },
	{ "config | prio_levels: 2\n+ start a | ram: 4K | caps: 1 | priority: -2\n"
	  "-\n", "2:33: expected a priority of -1 to 0, found '-2'" },
	{ "config | prio_levels: 2\n+ start a | ram: 4K | caps: 1 | priority: 1\n"
	  "-\n", "2:33: expected a priority of -1 to 0, found '1'" },
	{ "config\n+ start a | ram: 4K | caps: 1 | managing_system: ja\n-\n",
	  "2:33: expected yes or no for managing_system, found 'ja'" },
	{ "config\n+ default | ram: 4K | caps: 1\n+ start a\n+ start b\n"
	  "+ start a\n-\n",
	  "5:1: expected a new name, found 'a' again (line 3)" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + provide | + service X\n-\n",
	  "3:3: expected binary, provides, route, config, exit, restart, "
	  "heartbeat, resource or affinity, found 'provide'" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + binary\n-\n",
	  "3:3: expected a name after 'binary', found none" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + binary x | + y\n-\n",
	  "3:16: expected no sub node, found 'y'" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + provides\n"
	  "    + service X\n    + service X\n-\n",
	  "5:5: expected each service once, found X again" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + provides\n"
	  "    + service A\n    + service B\n    + service C\n    + service D\n"
	  "    + service E\n    + service F\n    + service G\n    + service H\n"
	  "    + service I\n-\n",
	  "12:5: expected at most 8 services, found more" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + exit | propagates: yes\n-\n",
	  "3:12: expected propagate only, found 'propagates'" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + affinity | xpos: 64\n-\n",
	  "3:16: expected xpos of 0 to 63, found 64" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + affinity | xpos: 60 | "
	  "width: 5\n-\n", "3:3: expected CPUs of the affinity space of 64 x 1" },
	{ "config\n+ affinity-space | width: 2 | height: 2\n"
	  "+ start a | ram: 4K | caps: 1\n  + affinity | xpos: 2\n-\n",
	  "4:16: expected xpos of 0 to 1, found 2" },
	{ "config\n+ affinity-space | width: 2 | height: 2\n"
	  "+ start a | ram: 4K | caps: 1\n  + affinity | ypos: 1 | height: 2\n"
	  "-\n", "4:3: expected CPUs of the affinity space of 2 x 2" },
	{ "config\n+ affinity-space | width: 9 | height: 8\n-\n", "2:1: expected "
	  "a width and height of 64 CPUs in all, found 9 x 8" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n    + service Block\n"
	  "      + child s | label: x | resource: y\n-\n", "8:30: expected label "
	  "alone, found resource with it" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + affinity | width: 0\n-\n",
	  "3:16: expected width of 1 to 64, found 0" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + restart | max: 33\n-\n",
	  "3:15: expected max of 1 to 32, found 33" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + restart | backoff_ms: 0\n-\n",
	  "3:15: expected backoff_ms of 1 to 5000, found 0" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + restart | max: 3 | "
	  "within_ms: 349\n-\n", "3:24: expected within_ms of at least 350, the "
	  "sum of the back-offs, found 349" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + restart | max: 32 | "
	  "backoff_ms: 5000\n-\n", "3:3: expected within_ms of at least 160000, "
	  "the sum of the back-offs, found 60000" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + provides\n"
	  "    + service a-b\n-\n", "4:15: expected a service name of up to 31 of "
	  "[A-Za-z0-9_], found 'a-b'" },
	{ "config\n+ parent-provides | + service a.b\n-\n", "2:31: expected a "
	  "service name of up to 31 of [A-Za-z0-9_], found 'a.b'" },
	{ "config\n+ default-route\n  + service a.b | + parent\n-\n", "3:13: "
	  "expected a service name of up to 31 of [A-Za-z0-9_], found 'a.b'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Block | + child s | label: \xc3\xa4\n-\n", "7:35: expected "
	  "a label of up to 159 printable ASCII characters" },
	{ A "+ default-route\n  + service LOG | + parent | label: " LONG "x\n-\n",
	  "4:30: expected a label of up to 159 printable ASCII characters" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + restart\n  + restart\n-\n",
	  "4:3: expected 'restart' once, found it again (line 3)" },
	{ "config\n+ start a | ram: 4K | caps: 1\n  + config\n  + config\n-\n",
	  "4:3: expected 'config' once, found it again (line 3)" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n    + servce Block\n-\n",
	  "7:5: expected service or any-service, found 'servce'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n    + service Block\n-\n",
	  "7:5: expected a target: parent, child, any-child or local" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Blok | + child s\n-\n",
	  "7:22: expected a child that provides Blok, found 's'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service LGO | + parent\n-\n",
	  "7:21: expected a service of parent-provides, found LGO" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Nic | + any-child\n-\n",
	  "7:21: expected a service that a child provides, found Nic" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service LOG | + local\n-\n",
	  "7:21: expected the target 'local' for Init_control only" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + any-service | + local\n-\n",
	  "7:21: expected the target 'local' for Init_control only" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + any-service Block | + parent\n-\n",
	  "7:19: expected any-service without a name, or 'service'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Block | labl: x | + child s\n-\n",
	  "7:23: expected name, label, label_prefix, label_suffix, label_last or "
	  "unscoped_label, found 'labl'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Block | + child s | lable: x\n-\n",
	  "7:35: expected name, label, identity, resource or prepend_resource, found 'lable'" },
	{ A S "+ start a | ram: 4K | caps: 1\n  + route\n"
	  "    + service Block | + parrent\n-\n",
	  "7:23: expected parent, child, any-child or local, found 'parrent'" },
	{ A "+ start s | ram: 4K | caps: 1\n  + provides | + service Block\n"
	  "  + route | + service Block | + child s\n-\n",
	  "5:31: expected another child than 's' itself" },
	{ "config\n+ default-route\n  + service ROM | + parent\n-\n",
	  "3:19: expected a service of parent-provides, found ROM" },
};

static void test_bad(void)
{
	char got[240];
	unsigned int i;
	int ret;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ret = parse(bad[i].text);
		snprintf(got, sizeof(got), "%u:%u: %s", err.line, err.col,
			 err.text);
		if (!check(ret == -EINVAL && !strcmp(got, bad[i].error) &&
			   !c.arena && !c.children && !c.nchildren,
			   "refused: %s", got))
			printf("# expected %s\n", bad[i].error);
		if (!ret)
			config_free(&c);
	}
}

/* A config of @n children, "c0" and so on, from malloc(). */
static char *many_children(unsigned int n)
{
	char *text = malloc(64 + 32 * (size_t)n), *at = text;
	unsigned int i;

	at += sprintf(at, "config\n+ default | ram: 4K | caps: 1\n");
	for (i = 0; i < n; i++)
		at += sprintf(at, "+ start c%u\n", i);
	sprintf(at, "-\n");
	return text;
}

static void test_many_children(void)
{
	char *text = many_children(CONFIG_CHILDREN), name[16];
	unsigned int i;
	bool good;

	good = check(!parse(text), "%d children", CONFIG_CHILDREN);
	for (i = 0; good && i < CONFIG_CHILDREN; i++) {
		sprintf(name, "c%u", i);
		good = config_child_index(&c, (struct hid_str){
					name, (uint32_t)strlen(name) }) == (int)i;
	}
	check(good && config_child_index(&c, (struct hid_str){ "c", 1 }) < 0,
	      "each is found by its name");
	config_free(&c);
	free(text);
	text = many_children(CONFIG_CHILDREN + 1);
	check(parse(text) == -EINVAL && err.line == 3 + CONFIG_CHILDREN &&
	      !strcmp(err.text, "expected at most 4096 children, found more"),
	      "one too many");
	free(text);
}

/* What the server sees of "label" asked by "a". */
static void rewritten(const char *target, const char *label, const char *want)
{
	char text[512];
	struct route r;

	sprintf(text, "config\n+ parent-provides | + service LOG\n"
		"+ start a | ram: 4K | caps: 1\n  + route\n    + service LOG\n"
		"      + parent | %s\n-\n", target);
	if (!check(!parse(text), "%s: %s", target, err.text))
		return;
	check(!route_resolve(&c, 0, "LOG", label, &r) &&
	      !strcmp(r.label, want), "\"%s\" is \"%s\"", label, want);
	config_free(&c);
}

static void test_rewriting(void)
{
	struct route r;

	rewritten("label: x", "b -> c", "x");
	rewritten("identity: i", "b -> c", "i -> c");
	rewritten("identity: i", "", "i");
	rewritten("resource: r", "b -> c", "a -> b -> r");
	rewritten("resource: r", "", "a -> r");
	rewritten("prepend_resource: /home", "/x", "a -> /home/x");
	rewritten("prepend_resource: /home", "", "a -> /home");
	rewritten("identity: i | resource: r | prepend_resource: p", "b -> c",
		  "i -> pr");
	check(!parse("config\n+ parent-provides | + service LOG\n"
		     "+ start a | ram: 4K | caps: 1\n  + route\n"
		     "    + service LOG | + parent | prepend_resource: " LONG
		     "\n-\n") &&
	      route_resolve(&c, 0, "LOG", "x", &r) == -EINVAL,
	      "a label that becomes too long");
	config_free(&c);
}

/* --- good ------------------------------------ */

static const char good[] =
	"config | prio_levels: 4 | version: 7\n"
	"+ parent-provides\n"
	"  + service ROM\n"
	"  + service LOG\n"
	"  + service CPU\n"
	"  + service PD\n"
	"+ default | caps: 100 | ram: 1M\n"
	"+ default-route\n"
	"  + any-service\n"
	"    + parent\n"
	"    + any-child\n"
	"+ start platform | managing_system: yes | version: b2\n"
	"  + provides\n"
	"    + service Platform\n"
	"    + service System\n"
	"  + exit | propagate: yes\n"
	"x start disabled\n"
	"  + route | + service ROM | + parent\n"
	"+ start nvme | caps: 20 | ram: 8M | priority: -3\n"
	"  + affinity | xpos: 1 | width: 2\n"
	"  + binary nvme_drv\n"
	"  + provides | + service Block\n"
	"  + restart | max: 3 | backoff_ms: 10\n"
	"  + config | any: thing\n"
	"    + at all\n"
	"    : quoted\n"
	"+ start ahci\n"
	"  + provides | + service Block\n"
	"  + restart\n"
	"+ start app\n"
	"  + route\n"
	"    + service ROM | label: a.txt        | + child nvme2\n"
	"    + service ROM | label_prefix: dir/  | + child nvme2 | label: pre\n"
	"    + service ROM | label_suffix: .lib  | + parent | label: the_lib\n"
	"    + service ROM | label_last: last    | + parent\n"
	"    + service ROM | unscoped_label: app -> one -> two | + child nvme2\n"
	"    + service ROM | label: p            | + parent\n"
	"    + service ROM | label_prefix: s ->  | + parent | label: st\n"
	"    + service ROM | label_prefix: s -> t | + parent | label: st\n"
	"    + service ROM | label_prefix: space - | + parent | label: sp\n"
	"    + service Init_control | + local\n"
	"    + service Platform     | + child platform\n"
	"    + service Nothing      | label: x | + child nvme2\n"
	"    + any-service          | + any-child\n"
	"+ start nvme2\n"
	"  + provides\n"
	"    + service ROM\n"
	"    + service Nothing\n"
	"-\n";

static void test_good(void)
{
	const struct config_child *k;

	if (!check(!parse(good), "good config: %u:%u: %s", err.line,
		   err.col, err.text))
		return;
	check(c.nchildren == 5 && c.prio_levels == 4 &&
	      hid_equal(c.version, "7"), "children, levels, version");
	k = &c.children[0];
	check(k->quota.ram == 1 << 20 && k->quota.caps == 100 && k->managing_system &&
	      k->exit_propagate && k->nprovides == 2 && !k->config &&
	      !k->route.node && !k->restart.enabled &&
	      hid_equal(k->version, "b2") && !strcmp(k->binary, "platform"),
	      "defaults of a child");
	k = &c.children[1];
	check(k->quota.ram == 8 << 20 && k->quota.caps == 20 && !k->managing_system &&
	      k->priority == 3 * 16384 && !strcmp(k->binary, "nvme_drv") &&
	      k->config && hid_first(k->config, "at"), "what a child says itself");
	check(k->restart.enabled && k->restart.max == 3 &&
	      k->restart.backoff_ms == 10 && k->restart.within_ms == 60000,
	      "restart policy");
	check(c.children[2].restart.max == 5 && c.children[3].route.node &&
	      c.children[3].route.nrules == 13, "restart defaults, rules");
}

/* What is just within the limits that test_bad() crosses. */
static void test_limits(void)
{
	static const char text[] = A "+ default-route\n"
		"  + service LOG | + parent | label: " LONG "\n"
		"+ start a | ram: 4K | caps: 1\n"
		"  + restart | max: 3 | within_ms: 350\n"
		"+ start b | ram: 4K | caps: 1\n"
		"  + restart | max: 32 | backoff_ms: 5000 | within_ms: 160000\n-\n";
	struct route r;

	if (!check(!parse(text), "just within the limits: %u:%u: %s", err.line,
		   err.col, err.text))
		return;
	check(!route_resolve(&c, 0, "LOG", "x", &r) && !strcmp(r.label, LONG) &&
	      r.relabelled, "the longest label of a target");
	config_free(&c);
}

/* --- routes ------------------------------------ */

/* A target that is no start node is one that may come; who is there goes first. */
static void test_later(void)
{
	static const char text[] = A S "+ alias one | child: s\n"
		"+ start a | ram: 4K | caps: 1\n  + route\n"
		"    + service Block | + child t | label: x\n"
		"    + service Nic\n      + child t\n      + child u\n"
		"    + any-service\n      + child t\n      + child one\n-\n";
	const struct config_target *t;
	struct route r;

	if (!check(!parse(text), "routes to who is not there: %u:%u: %s",
		   err.line, err.col, err.text))
		return;
	check(!route_resolve(&c, 1, "Block", "l", &r) && r.kind == ROUTE_LATER &&
	      !strcmp(r.label, "x"), "with the label that it will get");
	check(!route_resolve(&c, 1, "Nic", "l", &r) && r.kind == ROUTE_LATER,
	      "one of several");
	check(!route_resolve(&c, 1, "Block2", "", &r) && r.kind == ROUTE_LATER,
	      "any service");
	t = c.targets;
	check(t->child == CONFIG_NO_CHILD && t->node->line == 8 &&
	      t->node->col == 23 && hid_equal(t->name, "t"),
	      "it is known where that is said");
	config_free(&c);
	check(!parse(A S "+ start a | ram: 4K | caps: 1\n  + route\n    + service "
		     "Block\n      + child t\n      + child s\n-\n") &&
	      !route_resolve(&c, 1, "Block", "", &r) && r.kind == ROUTE_CHILD &&
	      !r.child, "who is there goes first");
	config_free(&c);
}

static void goes_up(const char *label, enum route_kind kind, const char *child)
{
	struct route r;

	check(!route_upward(&c, "Block", label, &r) && r.kind == kind &&
	      (kind != ROUTE_CHILD || !strcmp(c.children[r.child].name, child)),
	      "a client of the parent, \"%s\"", label);
}

#define SERVER(name) "+ start " name " | ram: 4K | caps: 1\n" \
	"  + provides | + service Block\n"

/* Policies compare whole elements of a label. */
static void test_upward(void)
{
	static const char text[] = "config\n+ service Block\n"
		"  + default-policy | + child later\n"
		"  + policy | label_prefix: a | + child s1\n"
		"  + policy | label_suffix: b | + child s2\n"
		"  + policy | label: ab -> c | + child s3\n"
		"  + policy | label_prefix: a -> b | + child s4\n"
		SERVER("s1") SERVER("s2") SERVER("s3") SERVER("s4") "-\n";

	if (!check(!parse(text), "policies: %u:%u: %s", err.line, err.col,
		   err.text))
		return;
	goes_up("a", ROUTE_CHILD, "s1");
	goes_up("a -> x", ROUTE_CHILD, "s1");
	goes_up("a -> b -> x", ROUTE_CHILD, "s1");
	goes_up("ab", ROUTE_LATER, "");
	goes_up("ab -> x", ROUTE_LATER, "");
	goes_up("a b -> x", ROUTE_LATER, "");
	goes_up("a-b", ROUTE_LATER, "");
	goes_up("x -> b", ROUTE_CHILD, "s2");
	goes_up("b", ROUTE_CHILD, "s2");
	goes_up("x -> ab", ROUTE_LATER, "");
	goes_up("x -> a b", ROUTE_LATER, "");
	goes_up("ab -> c", ROUTE_CHILD, "s3");
	goes_up("ab -> cd", ROUTE_LATER, "");
	goes_up("x -> ab -> c", ROUTE_LATER, "");
	goes_up("", ROUTE_LATER, "");
	config_free(&c);
}

static bool goes(unsigned int client, const char *service, const char *label,
		 enum route_kind kind, unsigned int child, const char *at_server)
{
	struct route r;
	bool ok = !route_resolve(&c, client, service, label, &r) &&
		  r.kind == kind && (kind != ROUTE_CHILD || r.child == child) &&
		  !strcmp(r.label, at_server);

	check(ok, "%s asks for %s \"%s\"", c.children[client].name, service,
	      label);
	return ok;
}

enum { PLATFORM, NVME, AHCI, APP, NVME2 };

static void test_routes(void)
{
	char label[PARENT_LABEL_MAX];
	struct route r;

	goes(APP, "ROM", "a.txt", ROUTE_CHILD, NVME2, "app -> a.txt");
	goes(APP, "ROM", "dir/x", ROUTE_CHILD, NVME2, "pre");
	goes(APP, "ROM", "dir/x -> init", ROUTE_CHILD, NVME2,
	     "app -> dir/x -> init");
	goes(APP, "ROM", "s -> t", ROUTE_PARENT, 0, "st");
	goes(APP, "ROM", "s -> t -> u", ROUTE_CHILD, NVME2, "app -> s -> t -> u");
	goes(APP, "ROM", "space -> init", ROUTE_CHILD, NVME2,
	     "app -> space -> init");
	goes(APP, "ROM", "dir", ROUTE_CHILD, NVME2, "app -> dir");
	goes(APP, "ROM", "x.lib", ROUTE_PARENT, 0, "the_lib");
	goes(APP, "ROM", "lib", ROUTE_CHILD, NVME2, "app -> lib");
	goes(APP, "ROM", "x -> last", ROUTE_PARENT, 0, "app -> x -> last");
	goes(APP, "ROM", "last", ROUTE_PARENT, 0, "app -> last");
	goes(APP, "ROM", "blast", ROUTE_CHILD, NVME2, "app -> blast");
	goes(APP, "ROM", "one -> two", ROUTE_CHILD, NVME2, "app -> one -> two");
	goes(APP, "ROM", "p", ROUTE_PARENT, 0, "app -> p");
	goes(APP, "ROM", "", ROUTE_CHILD, NVME2, "app");
	goes(APP, "Init_control", "", ROUTE_LOCAL, 0, "app");
	goes(APP, "Platform", "", ROUTE_CHILD, PLATFORM, "app");
	goes(APP, "Nothing", "x", ROUTE_CHILD, NVME2, "app -> x");
	goes(APP, "System", "", ROUTE_CHILD, PLATFORM, "app");
	goes(APP, "Block", "", ROUTE_AMBIGUOUS, 0, "app");
	goes(APP, "LOG", "", ROUTE_NONE, 0, "");
	goes(APP, "Block2", "", ROUTE_NONE, 0, "");
	goes(NVME, "LOG", "", ROUTE_PARENT, 0, "nvme");
	goes(NVME, "Platform", "", ROUTE_CHILD, PLATFORM, "nvme");
	goes(NVME, "Block", "", ROUTE_CHILD, AHCI, "nvme");
	goes(AHCI, "Block", "x", ROUTE_CHILD, NVME, "ahci -> x");
	goes(NVME, "IO_MEM", "", ROUTE_NONE, 0, "");
	goes(NVME, "Init_control", "", ROUTE_NONE, 0, "");
	memset(label, 'x', sizeof(label));
	label[PARENT_LABEL_MAX - 9] = '\0';	/* "nvme -> " and the NUL */
	check(!route_resolve(&c, NVME, "LOG", label, &r) &&
	      strlen(r.label) == PARENT_LABEL_MAX - 1, "the longest label");
	label[PARENT_LABEL_MAX - 9] = 'x';
	label[PARENT_LABEL_MAX - 8] = '\0';
	check(route_resolve(&c, NVME, "LOG", label, &r) == -EINVAL,
	      "a label that is too long with its scope");
}

static bool args_are(unsigned int client, const char *service, const char *args,
		     int want, const char *text)
{
	char out[PARENT_ARGS_MAX];
	int ret = args_for_child(&c, client, service, args, out);
	bool ok = ret == want && (ret || !strcmp(out, text));

	check(ok, "args of %s for %s: %s", c.children[client].name, service,
	      args);
	return ok;
}

static void test_args(void)
{
	char args[PARENT_ARGS_MAX];

	args_are(APP, "ROM", "", 0, "");
	args_are(APP, "Block", "a=1, b=x y,c=2", 0, "a=1, b=x y, c=2");
	args_are(APP, "PD", "managing_system=yes", 0, "");
	args_are(APP, "PD", "a=1,managing_system=yes, b=2", 0, "a=1, b=2");
	args_are(APP, "PD", " , managing_system =yes,a=1", 0, "a=1");
	args_are(APP, "PD", "a=managing_system=yes", -EACCES, "");
	args_are(APP, "PD", "a=\"x, managing_system=yes\"", 0, "a=\"x");
	args_are(PLATFORM, "PD", "managing_system=yes", 0, "managing_system=yes");
	args_are(PLATFORM, "PD", "", 0, "");
	args_are(NVME, "CPU", "", 0, "priority=49152, affinity=6");
	args_are(NVME, "CPU", "x=1, priority=0", 0,
		 "x=1, priority=49152, affinity=6");
	args_are(NVME, "CPU", "priority=99999999999", 0,
		 "priority=65535, affinity=6");
	args_are(NVME, "CPU", "affinity=12", 0, "priority=49152, affinity=4");
	args_are(NVME, "CPU", "affinity=9", 0, "priority=49152, affinity=6");
	args_are(APP, "CPU", "priority=40000", 0, "priority=10000, affinity=0");
	args_are(APP, "CPU", "affinity=9", 0, "priority=0, affinity=9");
	memset(args, 'a', sizeof(args));
	args[PARENT_ARGS_MAX - 1] = '\0';
	args_are(APP, "CPU", args, -EINVAL, "");
}

static void test_text(void)
{
	check(text_valid("", 1) && text_valid("a -> b", 7) &&
	      !text_valid("abc", 3), "text ends within its field");
	check(!text_valid("a\n", 3) && !text_valid("a\x7f", 3) &&
	      !text_valid("\xc3\xa4", 3) && !text_valid("a|b", 4),
	      "text without control characters, '|' and non-ASCII");
	check(service_valid("Init_control", 13) && !service_valid("", 1) &&
	      !service_valid("a b", 4) && !service_valid("a-b", 4) &&
	      !service_valid("abc", 3), "names of services");
}

static bool no_room(uint64_t ram, uint64_t caps, uint32_t line,
		    const char *text)
{
	bool ok = config_check_quota(&c, (struct quota){ ram, caps }, &err) == -EDQUOT &&
		  err.line == line && !strcmp(err.text, text);

	check(ok, "%u:%u: %s", err.line, err.col, err.text);
	return ok;
}

static void test_quota(void)
{
	check(!config_check_quota(&c, (struct quota){ 12 << 20, 420 }, &err), "quotas that fit");
	no_room((12 << 20) - 4096, 420, 45, "expected at most 1044480 ram for "
		"'nvme2' (of 12578816 in all), found 1048576");
	no_room(12 << 20, 119, 19, "expected at most 19 caps for 'nvme' (of 119 "
		"in all), found 20");
	no_room(0, 0, 12, "expected at most 0 ram for 'platform' (of 0 in all), "
		"found 1048576");
}

int main(void)
{
	test_bad();
	test_many_children();
	test_rewriting();
	test_limits();
	test_later();
	test_upward();
	test_good();
	test_routes();
	test_args();
	test_text();
	test_quota();
	config_free(&c);
	return tap_end();
}
