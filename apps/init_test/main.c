// SPDX-License-Identifier: BSD-2-Clause
/* Tests of init with many children and many changes. See README.md. */
#include <stdlib.h>
#include <string.h>
#include "../../servers/lib/config_rom.h"
#include "init_test.h"

static const struct hid_node *config;
static unsigned int failed;

static uint64_t option(const char *tag, uint64_t fallback)
{
	return hid_number(config, tag, fallback);
}

static bool expect(bool good, const char *what)
{
	if (!good) {
		log_error("FAIL: %s: %u open, %u opened, %u said, %u failed",
			  what, load.open, load.opened, load.said, load.failed);
		failed++;
	}
	return good;
}

/* --- configs -------------------------------------------------------------- */

static const char indented[] = "                ";

/* The head of an init's config, @depth levels inside that of the one above. */
static void head(unsigned int depth)
{
	static const char *const services[] = {
		"ROM", "PD", "CPU", "LOG", "Load"
	};
	const char *in = indented + sizeof(indented) - 1 - 2 * depth;
	unsigned int i;

	config_add("%s%sconfig\n", in, depth ? "+ " : "");
	in -= depth ? 2 : 0;
	config_add("%s+ parent-provides\n", in);
	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		config_add("%s  + service %s\n", in, services[i]);
	config_add("%s+ default-route\n%s  + any-service\n%s    + parent\n"
		   "%s    + any-child\n", in, in, in, in);
	config_add("%s+ default | ram: %llu | caps: %llu\n", in,
		   (unsigned long long)option("ram", 384 << 10),
		   (unsigned long long)option("caps", 60));
}

/* Children @first .. @first + @n - 1 of one that has its head. */
static void children(unsigned int depth, unsigned int first, unsigned int n,
		     const char *more)
{
	const char *in = indented + sizeof(indented) - 1 - 2 * depth;
	unsigned int i;

	for (i = first; i < first + n; i++)
		config_add("%s+ start c%u | + binary init_test\n"
			   "%s  + config | %s\n", in, i, in, more);
}

static void crowd(unsigned int n)
{
	config_begin();
	head(0);
	children(0, 0, n, "role: idle");
	config_add("-\n");
	config_show();
}

/* Nobody, and what the init has once all that they had has come back. */
static void nobody(struct account *a)
{
	crowd(0);
	expect(wait_for(&load.open, 0, false), "all children end");
	expect(account_settled("sub", a), "the init's account comes to rest");
}

/* --- tests ---------------------------------------------------------------- */

/* All children of one config start and end, again and again, and leave nothing. */
static void run_crowd(void)
{
	unsigned int n = (unsigned int)option("children", 100), i;
	unsigned int rounds = (unsigned int)option("rounds", 3);
	struct account before, now, full;
	uint64_t begin;

	for (i = 0; i < rounds; i++) {
		begin = pith_now();
		crowd(n);
		if (!expect(wait_for(&load.open, n, false), "all children start"))
			return;
		begin = pith_now() - begin;
		expect(account_of("sub", &full), "the init's account");
		log_line("%u children in %llu us, %llu KiB of init's own, %llu "
			 "caps", n, (unsigned long long)begin / 1000,
			 (unsigned long long)full.ram_used >> 10,
			 (unsigned long long)full.caps_used);
		nobody(i == 1 ? &before : &now);
		if (i > 1)
			expect(account_same(&before, &now), "nothing leaks");
	}
}

/* @n children of one config, each of which says something once and ends; then one
 * config removes all of them, and the init's account is *@a. */
static void many(unsigned int n, struct account *a)
{
	unsigned int said = load.said, i;
	uint64_t begin = pith_now();

	config_begin();
	head(0);
	children(0, 0, n, "role: once");
	config_add("-\n");
	config_show();
	for (i = 250; i < n; i += 250)	/* each 250 have their own time */
		expect(wait_for(&load.said, said + i, true), "some of them run");
	expect(wait_for(&load.said, said + n, false) && !load.failed,
	       "each of them runs");
	log_line("%u children in %llu ms", n,
		 (unsigned long long)(pith_now() - begin) / PITH_MS(1));
	nobody(a);
}

/* Half as many again leave no more than these: what the heap keeps depends on how
 * many there were at once. */
static void run_many(void)
{
	unsigned int n = (unsigned int)option("children", 2000);
	struct account all, again;

	many(n, &all);
	many(n / 2, &again);
	expect(account_same(&all, &again), "nothing leaks");
}

/* Inits with children of their own come and go: hundreds in all. */
static void run_bomb(void)
{
	unsigned int inits = (unsigned int)option("inits", 20), i, r;
	unsigned int each = (unsigned int)option("children", 2);
	unsigned int rounds = (unsigned int)option("rounds", 10);
	struct account before, now;

	for (r = 0; r < rounds; r++) {
		config_begin();
		head(0);
		for (i = 0; i < inits; i++) {
			config_add("+ start i%u | ram: %u | caps: %u\n"
				   "  + binary init\n", i,
				   (unsigned int)option("init_ram", 8 << 20),
				   (unsigned int)option("init_caps", 400));
			head(1);
			children(2, 0, each, "role: idle");
		}
		config_add("-\n");
		config_show();
		if (!expect(wait_for(&load.open, inits * each, false),
			    "all children of all inits start"))
			return;
		nobody(r == 1 ? &before : &now);
		if (r > 1 && !expect(account_same(&before, &now),
				     "nothing leaks"))
			return;
	}
	log_line("%u inits came and went", inits * rounds);
}

/* The @i-th config of the storm: something differs from the one before. */
static void storm_config(unsigned int loads, unsigned int i)
{
	config_begin();
	head(0);
	children(0, 0, loads, "role: load");
	config_add("+ start text | + binary init_test\n"
		   "  + config | role: idle | change: %u\n", i);
	config_add("+ start quota | ram: %uK | + binary init_test\n"
		   "  + config | role: idle\n", 512 + 64 * (i % 3));
	config_add("+ start version | version: %u | + binary init_test\n"
		   "  + config | role: idle\n", i / 50);
	if (i % 20 < 10)
		config_add("+ start guest | + binary init_test\n"
			   "  + config | role: idle\n");
	config_add("-\n");
	config_show();
}

/* @n changes, one upon the other, while children open and close sessions; then
 * nobody is left, and that is the init's account in *@a. */
static void storm(unsigned int n, unsigned int loads, struct account *a)
{
	unsigned int opened, said = load.said, i;

	for (i = 0; i < n; i++) {
		storm_config(loads, i);
		/* something comes between any two */
		ep_dispatch(&ep, pith_now() + PITH_MS(20));
	}
	opened = load.opened;
	expect(wait_for(&load.opened, opened + 100, true),
	       "those who open sessions go on");
	config_begin();
	head(0);
	children(0, loads, 1, "role: ball | sessions: 4 | rounds: 3");
	config_add("-\n");
	config_show();
	expect(wait_for(&load.said, said + 1, false) && !load.failed,
	       "the last config is what counts, and no request failed");
	nobody(a);
}

/* The same number of changes again and again. The first ones make the init's heap as
 * large as the load wants it; from then on it must stay so. */
static void run_storm(void)
{
	unsigned int changes = (unsigned int)option("changes", 1000), i;
	unsigned int loads = (unsigned int)option("children", 8);
	struct account first, now;

	storm(changes, loads, &first);
	for (i = 1; i < option("rounds", 2); i++) {
		storm(changes, loads, &now);
		expect(account_same(&first, &now), "nothing leaks");
	}
	log_line("%u changes, %u sessions meanwhile", changes * i, load.opened);
}

/* Many clients, each with many sessions, each with a donation: there and back. */
static void run_quota(void)
{
	unsigned int n = (unsigned int)option("children", 63);
	struct account before, now;

	crowd(n);
	expect(wait_for(&load.open, n, false), "as many children before");
	nobody(&before);
	config_begin();
	head(0);
	children(0, 0, n, "role: ball | sessions: 16 | rounds: 3");
	config_add("-\n");
	config_show();
	expect(wait_for(&load.said, n, false) && !load.failed,
	       "each has what it had, after each round");
	log_line("%u sessions of %u clients", load.opened, n);
	nobody(&now);
	expect(account_same(&before, &now), "nothing leaks");
}

/* Who hangs, floods or goes round in circles is in nobody's way. */
static void run_hostile(void)
{
	struct account before, now;
	unsigned int opened;

	crowd(8);
	expect(wait_for(&load.open, 8, false), "as many children before");
	nobody(&before);
	config_begin();
	head(0);
	config_add("+ start mute | + binary init_test\n"
		   "  + provides | + service Mute\n  + config | role: mute\n");
	config_add("+ start flood | ram: 4M | caps: 120 | + binary init_test\n"
		   "  + config | role: flood | threads: 8\n");
	config_add("+ start a | + binary init_test\n"
		   "  + provides | + service Ring\n"
		   "  + route\n    + service Ring | + child b\n"
		   "    + any-service | + parent\n  + config | role: ring\n");
	config_add("+ start b | + binary init_test\n"
		   "  + provides | + service Ring\n"
		   "  + route\n    + service Ring | + child a\n"
		   "    + any-service | + parent\n  + config | role: ring-asks\n");
	config_add("+ start patient | caps: 120 | + binary init_test\n"
		   "  + config | role: patient\n");
	children(0, 0, 1, "role: load");
	config_add("-\n");
	config_show();
	/* mute, flood, a, b, patient */
	expect(wait_for(&load.said, 5, false) && !load.failed,
	       "all deadlines are kept");
	opened = load.opened;
	expect(wait_for(&load.opened, opened + 100, true),
	       "others go on meanwhile");
	nobody(&now);
	expect(account_same(&before, &now), "nothing leaks");
}

int component_main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "crowd", run_crowd }, { "bomb", run_bomb },
		{ "storm", run_storm }, { "quota", run_quota },
		{ "hostile", run_hostile }, { "many", run_many },
	};
	static struct rom rom;
	char name[16];

	config = config_read(&rom);
	if (ep_init(&ep))
		env_fatal("no entrypoint");
	if (hid_attr(config, "role"))
		child(config);
	hid_string(config, "run", name, sizeof(name), "");
	sub_init();
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!strcmp(name, tests[i].name))
			tests[i].run();
	log_line("init_test %s: %s", name, failed ? "FAIL" : "PASS");
	return failed != 0;
}
