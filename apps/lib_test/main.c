// SPDX-License-Identifier: BSD-2-Clause
/* lib_test: the component library from a component's side. See README.md. */
#include <errno.h>
#include <string.h>
#include <pith/hid.h>
#include <session/core.h>
#include "lib_test.h"
#include "../../servers/lib/config_rom.h"

struct entrypoint ep;
static int failures;

void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

bool wait_until(const volatile uint64_t *counter, uint64_t value, uint64_t ms)
{
	uint64_t end = pith_now() + PITH_MS(ms);

	while (*counter != value && pith_now() < end)
		ep_dispatch(&ep, end);
	return *counter == value;
}

static bool same(const struct pith_domain_info *a,
		 const struct pith_domain_info *b)
{
	return a->ram_used == b->ram_used && a->caps_used == b->caps_used;
}

/* The kernel gives some back a little later. */
struct pith_domain_info usage(void)
{
	struct pith_domain_info last, now = { 0 };

	pith_domain_info(PITH_SLOT_DOMAIN, &now);
	do {
		last = now;
		ep_dispatch(&ep, pith_now() + PITH_MS(200));
		pith_domain_info(PITH_SLOT_DOMAIN, &now);
	} while (!same(&last, &now));
	return now;
}

bool usage_same(const struct pith_domain_info *before)
{
	uint64_t end = pith_now() + PITH_SEC(10);
	struct pith_domain_info now;

	do
		now = usage();
	while (!same(before, &now) && pith_now() < end);
	if (!same(before, &now))
		log_line("used before: %llu bytes, %llu caps; now %llu, %llu",
			 (unsigned long long)before->ram_used,
			 (unsigned long long)before->caps_used,
			 (unsigned long long)now.ram_used,
			 (unsigned long long)now.caps_used);
	return same(before, &now);
}

/* --- log ---------------------------------------------------------------------- */

static int write_log(const char *text)
{
	struct rpc r = { .tail = text, .tail_len = strlen(text) };

	return rpc_call(PITH_SLOT_LOG, LOG_WRITE, &r, pith_now() + PITH_SEC(5));
}

/* What becomes of it the scenario looks for. */
static void test_log(void)
{
	char text[LOG_MAX + 2] = "";

	log_line("number %d, hex 0x%x, text %s, char %c, %%", -42, 0xf00u, "abc",
		 'x');
	log_line("min %lld, max %llu", (long long)INT64_MIN,
		 (unsigned long long)UINT64_MAX);
	log_line("%5d|%-5d|%05d|%.3s|%*d", 42, 42, 42, "abcdef", 4, 7);
	log_line("empty:%s.", "");
	expect(!write_log("one\ntwo\n\n\nthree\nfour\nfive\n"), "lines");
	expect(!write_log("no\x1b[31m colour,\ttab\x7f"), "control characters");
	expect(!write_log("\n\n\n"), "empty lines");
	memset(text, 'l', LOG_MAX);
	expect(!write_log(text), "as long as may be");
	text[LOG_MAX] = 'l';
	expect(write_log(text) == -EINVAL, "too long");
	expect(write_log("") == -EINVAL, "nothing");
	log_line("%0300d", 7);
	log_line("the end");
}

/* --- which test ----------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "signal", test_signal }, { "entrypoint", test_entrypoint },
	{ "timeout", test_timeout }, { "thread", test_thread },
	{ "log", test_log },
};

int component_main(void)
{
	const struct hid_node *config;
	struct rom rom;
	char run[16];
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	config = config_read(&rom);
	hid_string(config, "run", run, sizeof(run), "");
	if (!strcmp(run, "echo"))
		echo();
	while (!strcmp(run, "burn"))
		;
	if (!strcmp(run, "smp"))
		test_smp((unsigned int)hid_number(config, "servers", 1));
	if (!strcmp(run, "trade"))
		test_trade(config);
	if (!strcmp(run, "upgrade"))
		test_upgrade(config);
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!strcmp(run, tests[i].name))
			tests[i].run();
	log_line(failures ? "lib_test %s: %d failures" : "lib_test %s: PASS", run,
		 failures);
	return failures != 0;
}
