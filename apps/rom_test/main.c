// SPDX-License-Identifier: BSD-2-Clause
/* rom_test: ROM and Report sessions from the client's side. See README.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/report.h>
#include <pith/rpc.h>

#include "../fs_test/check.h"

#define KEPT	400	/* capabilities to memory, at most */

static const struct hid_node *config;

static void nap(unsigned int ms)
{
	clock_nanosleep(CLOCK_MONOTONIC, 0,
			&(struct timespec) { ms / 1000, ms % 1000 * 1000000 },
			NULL);
}

/* --- keep ------------------------------------------------------------------------ */

static int kept[KEPT];

/* Hold on to @mem for as long as others come and go. */
static void hold(unsigned int i, int mem)
{
	pith_close(kept[i % KEPT]);
	kept[i % KEPT] = must(pith_mint(mem, PITH_R_READ), "copy", "");
}

static void keep_rom(unsigned int i, const char *name)
{
	struct rom rom;

	must(rom_open(&rom, name), "ROM", name);
	if (!rom.size)
		fail("content", name, 0);
	hold(i, rom.mem);
	rom_close(&rom);
}

static void keep_report(unsigned int i)
{
	struct report r;

	must(report_open(&r, "state", 16384), "Report", "state");
	strcpy(r.buf, "config\n-\n");
	must(report_submit(&r, 9), "submit", "state");
	hold(i, r.mem);
	report_close(&r);
}

static void keep(void)
{
	unsigned int times = hid_number(config, "times", 1000);
	char name[64];

	hid_string(config, "rom", name, sizeof(name), "rom");
	memset(kept, 0xff, sizeof(kept));
	for (unsigned int i = 0; i < times; i++) {
		keep_rom(2 * i, name);
		if (hid_bool(config, "reports", false))
			keep_report(2 * i + 1);
	}
}

/* --- report ----------------------------------------------------------------------- */

static struct report report = { .session.cap = -1, .mem = -1 };
static unsigned int deaths;

/* 0, or why the server does not have it. */
static int say(const char *text)
{
	int len, err = 0;

	if (report.session.cap < 0)
		err = report_open(&report, "state", 4096);
	if (err)
		return err;
	len = snprintf(report.buf, report.size, "config | say: %s\n-\n", text);
	err = report_submit(&report, len);
	if (err == -EPIPE) {
		report_close(&report);
		log_line("death %u", ++deaths);
	}
	return err;
}

static void tell(void)
{
	unsigned int pause = hid_number(config, "pause_ms", 1000);
	unsigned int until = hid_number(config, "until_deaths", 0);
	const struct hid_node *n;
	char text[64] = "";

	for (n = hid_first(config, "say"); n; n = hid_next(n, "say")) {
		hid_string(n, "name", text, sizeof(text), "");
		must(say(text), "submit", text);
		nap(pause);
	}
	while (deaths < until) {
		int err = say(text);

		if (err && err != -EPIPE && err != -EIO)
			fail("submit", text, err);
		nap(pause / 4);
	}
	if (until) {
		must(say("after all"), "submit", "after all");
		nap(pause);
	}
}

/* --- sessions --------------------------------------------------------------------- */

#define SESSIONS	8

/* A session of any service, that of a child which dies now and then. */
static struct peer {
	char service[32], label[64];
	struct session session;
	int death;
	unsigned int deaths;
} peers[SESSIONS];
static unsigned int npeers;
static struct entrypoint ep;

static void open_peer(struct peer *p)
{
	static const struct session_quota quota = { 32768, 16 };

	must(env_session(&p->session, p->service, p->label, "", &quota,
			 pith_now() + PITH_SEC(20)), "session", p->service);
	must(pith_ep_watch(p->session.cap, p->death), "watch", p->service);
}

/* Told once for each session; what it was good for before says so, too. */
static void died(void *ctx, uint64_t count)
{
	struct peer *p = ctx;

	(void)count;
	must_be(rpc_simple(p->session.cap, ~0ull, NULL, 0, NULL, 0,
			   pith_now() + PITH_SEC(5)), -EPIPE, "call",
		p->service);
	env_close(&p->session);
	open_peer(p);
	must_be(rpc_simple(p->session.cap, ~0ull, NULL, 0, NULL, 0,
			   pith_now() + PITH_SEC(5)), -ENOSYS, "call again",
		p->service);
	log_line("%s %s: death %u survived", p->service, p->label, ++p->deaths);
}

static void add_peer(const struct hid_node *n)
{
	struct peer *p = &peers[npeers++];
	uint64_t badge;

	hid_string(n, "name", p->service, sizeof(p->service), "");
	hid_string(n, "label", p->label, sizeof(p->label), "");
	p->death = must(ep_new_notification(&ep, died, p, &badge),
			"notification", p->service);
	open_peer(p);
}

static bool all_died(unsigned int times)
{
	for (unsigned int i = 0; i < npeers; i++)
		if (peers[i].deaths < times)
			return false;
	return true;
}

static void sessions(void)
{
	unsigned int times = hid_number(config, "deaths", 1);
	const struct hid_node *n = hid_first(config, "session");

	must(ep_init(&ep), "entrypoint", "");
	for (; n && npeers < SESSIONS; n = hid_next(n, "session"))
		add_peer(n);
	while (!all_died(times))
		must(ep_dispatch(&ep, PITH_NO_DEADLINE), "dispatch", "");
}

int component_main(void)
{
	char name[16];

	config = read_test_config();
	hid_string(config, "test", name, sizeof(name), "keep");
	if (!strcmp(name, "keep"))
		keep();
	else if (!strcmp(name, "report"))
		tell();
	else if (!strcmp(name, "sessions"))
		sessions();
	else
		env_fatal("no test %s", name);
	log_line("%s: PASS", name);
	return 0;
}
