// SPDX-License-Identifier: BSD-2-Clause
/* probe: says what its parent does to it; for tests of init. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <session/parent.h>

static struct entrypoint ep;
static struct rom rom;
static void *held;
static uint64_t held_size, asked, beats = UINT64_MAX;
static struct session session = { .cap = -1 };

static int parent(uint64_t method, const void *req, size_t len, void *rep,
		  size_t rep_len)
{
	return rpc_simple(PITH_SLOT_PARENT, method, req, len, rep, rep_len,
			  pith_now() + PITH_SEC(5));
}

static void let_go(void)
{
	if (held)
		pith_unmap(held, held_size);
	held = NULL;
}

static void hold(uint64_t size)
{
	int mem, err;

	let_go();
	if (!size)
		return;
	held_size = size;
	mem = pith_mem_create(-1, size, 0);
	held = mem < 0 ? NULL : pith_map(mem, 0, 0, PITH_MAP_READ, &err);
	log_line("holds %llu KiB: %s", (unsigned long long)size >> 10,
		 held ? "yes" : "no");
	pith_close(mem);
}

static void ask(uint64_t ram)
{
	struct parent_quota q = { .ram = ram };

	if (ram && ram != asked)
		parent(PARENT_RESOURCE_REQUEST, &q, sizeof(q), NULL, 0);
	asked = ram;
}

static void open_session(const char *service)
{
	int err;

	if (session.cap >= 0 || !*service)
		return;
	err = env_session(&session, service, "probe", "", NULL,
			  pith_now() + PITH_SEC(5));
	log_line("session %s: %s", service, err ? strerror(-err) : "open");
}

/* A state report of an init, in the place of a config. */
static void see(const struct hid_node *state)
{
	const struct hid_node *n;
	char name[64], how[64];

	for (n = hid_first(state, "child"); n; n = hid_next(n, "child")) {
		hid_string(n, "name", name, sizeof(name), "?");
		hid_string(n, "state", how, sizeof(how), "?");
		log_line("sees %s %s, id %llu, skipped %llu, requested %llu KiB",
			 name, how, (unsigned long long)hid_number(n, "id", 0),
			 (unsigned long long)hid_number(n, "skipped_heartbeats",
							0),
			 (unsigned long long)hid_number(hid_first(n, "ram"),
							"requested", 0) >> 10);
	}
}

static void obey(const struct hid_node *c)
{
	char text[64];

	if (hid_is(c, "state")) {
		see(c);
		return;
	}
	if (hid_string(c, "say", text, sizeof(text), "") > 0)
		log_line("config: %s", text);
	beats = hid_number(c, "heartbeats", UINT64_MAX);
	hold(hid_number(c, "hold", 0));
	ask(hid_number(c, "ask", 0));
	hid_string(c, "session", text, sizeof(text), "");
	open_session(text);
	if (hid_attr(c, "exit"))
		_Exit((int)hid_number(c, "exit", 0));
}

static void read_config(void)
{
	const struct hid_node *config;
	size_t arena = HID_ARENA_SIZE(rom.size);
	struct hid_error err;
	void *room = malloc(arena);

	if (room && !hid_parse(rom.data, rom.size, room, arena, &config, &err))
		obey(config);
	else
		log_error("no config that can be read");
	free(room);
}

static void config_changed(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
	if (!rom_update(&rom))
		read_config();
}

static void resources(void *ctx, uint64_t count)
{
	struct parent_resources r;

	(void)ctx;
	(void)count;
	if (parent(PARENT_RESOURCES, NULL, 0, &r, sizeof(r)))
		return;
	log_line("resources: ram %llu KiB, caps %llu; wanted back: %llu KiB",
		 (unsigned long long)r.assigned.ram >> 10,
		 (unsigned long long)r.assigned.caps,
		 (unsigned long long)r.wanted.ram >> 10);
	if (!r.wanted.ram && !r.wanted.caps)
		return;
	let_go();
	parent(PARENT_YIELD_RESPONSE, NULL, 0, NULL, 0);
}

static void heartbeat(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
	if (beats) {
		beats--;
		parent(PARENT_HEARTBEAT_RESPONSE, NULL, 0, NULL, 0);
	}
}

static void listen_to_parent(enum parent_signal signal, ep_notify_fn fn)
{
	struct parent_sigh req = { .signal = signal };
	uint64_t badge;
	int n = ep_new_notification(&ep, fn, NULL, &badge);
	struct rpc r = {
		.req = &req, .req_len = sizeof(req), .caps = &n, .ncaps = 1,
	};
	int err = n < 0 ? n : rpc_call(PITH_SLOT_PARENT, PARENT_SIGH, &r,
				       pith_now() + PITH_SEC(5));

	if (err)
		log_error("parent signal %d: %s", (int)signal, strerror(-err));
}

int component_main(void)
{
	uint64_t badge;
	int n;

	if (ep_init(&ep))
		return 1;
	log_line("starts");
	listen_to_parent(PARENT_SIGNAL_RESOURCES, resources);
	listen_to_parent(PARENT_SIGNAL_HEARTBEAT, heartbeat);
	if (!rom_session(&rom, "config")) {
		n = ep_new_notification(&ep, config_changed, NULL, &badge);
		rom_watch(&rom, n);
		config_changed(NULL, 1);
	}
	ep_run(&ep);
}
