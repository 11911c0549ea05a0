// SPDX-License-Identifier: BSD-2-Clause
/* bench_system: what a system of many components costs. See README.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "../../servers/lib/config_rom.h"

#define TICK_SIZE	4096
#define TICK_ROUNDS	SAMPLES

struct entrypoint ep;
const struct hid_node *config;

void need(int err, const char *what)
{
	if (err < 0)
		env_fatal("%s: %s", what, strerror(-err));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void say(const char *key, int at, uint64_t *samples, unsigned int n)
{
	char suffix[16] = "";

	qsort(samples, n, sizeof(*samples), by_value);
	if (at >= 0)
		snprintf(suffix, sizeof(suffix), "_%d", at);
	log_line("bench: %s%s %llu %llu", key, suffix,
		 (unsigned long long)samples[n / 2],
		 (unsigned long long)samples[0]);
}

void say_one(const char *key, int at, uint64_t value)
{
	say(key, at, &value, 1);
}

bool next_size(const char *tag, unsigned int *pos, unsigned int *value)
{
	char list[64];
	int used = 0;

	need(hid_string(config, tag, list, sizeof(list), ""), tag);
	if (sscanf(list + *pos, "%u%n", value, &used) != 1)
		return false;
	*pos += (unsigned int)used;
	return true;
}

void idle(uint64_t ns)
{
	uint64_t end = pith_now() + ns;

	while (ep_dispatch(&ep, end) > 0)
		;
}

/* --- a report that becomes a ROM ---------------------------------------------- */

static struct rom tick;
static uint64_t late[SAMPLES];
static unsigned int nlate;

/* What was written is when. */
static void ticked(void *ctx, uint64_t count)
{
	uint64_t when;

	(void)ctx;
	(void)count;
	if (rom_update(&tick) || nlate > TICK_ROUNDS)
		return;
	when = strtoull(tick.data, NULL, 10);
	if (nlate)	/* the first time is another matter */
		late[nlate - 1] = stamp() - when;
	if (nlate++ == TICK_ROUNDS)
		say("rom.pith.update_insns", -1, late, TICK_ROUNDS);
}

static void read_ticks(void)
{
	uint64_t badge;
	int n = ep_new_notification(&ep, ticked, NULL, &badge);

	need(n, "no notification");
	need(rom_session(&tick, "tick"), "ROM tick");
	need(rom_watch(&tick, n), "ROM tick");
	ep_run(&ep);
}

static void write_ticks(void)
{
	struct report r;

	need(report_open(&r, "tick", TICK_SIZE), "report");
	for (unsigned int i = 0; i < TICK_ROUNDS + 1; i++) {
		int len = snprintf(r.buf, TICK_SIZE, "%llu\n",
				   (unsigned long long)stamp());

		need(report_submit(&r, (uint64_t)len), "report");
		idle(PITH_MS(20));
	}
	report_close(&r);
}

int component_main(void)
{
	static struct rom rom;
	char run[16];

	need(ep_init(&ep), "entrypoint");
	config = config_read(&rom);
	hid_string(config, "run", run, sizeof(run), "");
	if (!strcmp(run, "reader"))
		read_ticks();
	write_ticks();
	sessions();
	growth_init();
	cost();
	growth();
	log_line("bench: done");
	return 0;
}
