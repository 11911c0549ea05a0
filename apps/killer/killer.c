// SPDX-License-Identifier: BSD-2-Clause
/* Kills a child of its init again and again. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <session/init_control.h>

#define CALL_TIMEOUT	PITH_SEC(10)
#define RESTART_TIMEOUT	PITH_SEC(30)

static struct {
	char child[32];
	uint64_t first_ms, every_ms, times;
} cfg;

static struct entrypoint ep;

static void read_config(void)
{
	const struct hid_node *root = NULL;
	struct hid_error error = { .text = "no memory" };
	struct rom rom;
	size_t size;
	void *arena;

	if (rom_open(&rom, "config") < 0)
		env_fatal("killer: no config");
	size = HID_ARENA_SIZE(rom.size);
	arena = malloc(size);
	if (!arena ||
	    hid_parse(rom.data, rom.size, arena, size, &root, &error))
		env_fatal("killer: config: %u:%u: %s", error.line, error.col,
			  error.text);
	if (hid_string(root, "child", cfg.child, sizeof(cfg.child), NULL) < 1)
		env_fatal("killer: config: expected child: NAME");
	cfg.every_ms = hid_number(root, "every_ms", 1000);
	cfg.first_ms = hid_number(root, "first_ms", cfg.every_ms);
	cfg.times = hid_number(root, "times", 1);
	free(arena);
	rom_close(&rom);
}

static int kill_child(int cap)
{
	struct rpc r = { .tail = cfg.child, .tail_len = strlen(cfg.child) };

	return rpc_call(cap, INIT_KILL, &r, pith_now() + CALL_TIMEOUT);
}

/* Nothing calls or signals this entrypoint: its deadline is a sleep. */
static void sleep_until(uint64_t at)
{
	while (pith_now() < at)
		ep_dispatch(&ep, at);
}

/* Kill it as soon as it runs: after a crash it may wait for its restart. */
static int kill_running(int cap)
{
	uint64_t end = pith_now() + RESTART_TIMEOUT;
	int err;

	while ((err = kill_child(cap)) == -ESRCH && pith_now() < end)
		sleep_until(pith_now() + PITH_MS(50));
	return err;
}

int component_main(void)
{
	struct session control;
	uint64_t at;
	int err;

	read_config();
	err = ep_init(&ep);
	if (!err)
		err = env_session(&control, "Init_control", "", "", NULL,
				  pith_now() + CALL_TIMEOUT);
	if (err)
		env_fatal("killer: no Init_control: error %d", -err);
	at = pith_now() + PITH_MS(cfg.first_ms);
	for (uint64_t i = 1; i <= cfg.times; i++) {
		sleep_until(at);
		err = kill_running(control.cap);
		if (err)
			env_fatal("killer: %s: error %d", cfg.child, -err);
		log_line("killer: %s %llu of %llu", cfg.child,
			 (unsigned long long)i, (unsigned long long)cfg.times);
		at = pith_now() + PITH_MS(cfg.every_ms);
	}
	log_line("killer: done");
	return 0;
}
