// SPDX-License-Identifier: BSD-2-Clause
/* rom_filter: a ROM made by rules from other ROMs. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/service.h>

#include "../lib/config_rom.h"
#include "../lib/policy.h"
#include "../lib/rom_server.h"
#include "filter.h"

#define OUTPUT_MAX	(64u << 10)
#define RETRY		PITH_SEC(1)

/* A ROM that inputs read; several may read the same. */
struct input {
	struct input *next;
	struct hid_str name;
	struct rom rom;
	void *arena;		/* the tree, and the text that it points into */
	const struct hid_node *root;	/* NULL: nothing that can be read */
	int notif;		/* it has changed, or its server has died */
	struct ep_timer retry;
};

static struct entrypoint ep;
static const struct hid_node *config;
static struct input *inputs;
static struct rom_source output;
static char text[2][OUTPUT_MAX];	/* one is shown, one is being made */
static unsigned int shown;

static struct input *input_of(struct hid_str name)
{
	struct input *i = inputs;

	while (i && !hid_same_text(i->name, name))
		i = i->next;
	return i;
}

static const struct hid_node *root_of(void *ctx, struct hid_str name)
{
	(void)ctx;
	return input_of(name)->root;
}

static void make_output(void)
{
	char *next = text[!shown];
	int len = filter_make(config, root_of, NULL, next, OUTPUT_MAX);

	if (len < 0) {
		log_error("the output cannot be made and stays as it was: %s",
			  len == -EMSGSIZE ? "it is too long" :
			  "an attribute comes after a node");
		return;
	}
	if (output.data && output.size == (uint64_t)len &&
	    !memcmp(output.data, next, len))
		return;
	shown = !shown;
	rom_source_set(&output, next, len);
}

static void parse_input(struct input *i)
{
	size_t size = HID_ARENA_SIZE(i->rom.size);
	struct hid_error err;
	char *copy;

	i->arena = malloc(size + i->rom.size);
	if (!i->arena) {
		log_error("no memory for ROM %.*s", (int)i->name.len, i->name.s);
		return;
	}
	/* The tree outlives the mapping, and nobody can change it. */
	copy = (char *)i->arena + size;
	memcpy(copy, i->rom.data, i->rom.size);
	if (hid_parse(copy, i->rom.size, i->arena, size, &i->root, &err))
		log_error("ROM %.*s:%u:%u: %s", (int)i->name.len, i->name.s,
			  err.line, err.col, err.text);
}

static int open_input(struct input *i)
{
	char name[PARENT_LABEL_MAX];
	int err;

	if (hid_copy(i->name, name, sizeof(name)) < 0)
		return -ENAMETOOLONG;
	err = rom_session(&i->rom, name);
	if (err)
		return err;
	err = rom_watch(&i->rom, i->notif);
	if (!err || err == -ENOSYS)
		err = pith_ep_watch(i->rom.session.cap, i->notif);
	if (err)
		rom_close(&i->rom);
	return err;
}

/* The newest content. What cannot be read leaves the rules without this input; a
 * server that died is asked for again, and what it said is kept until then. */
static int read_input(struct input *i)
{
	int err = i->rom.session.cap < 0 ? open_input(i) : 0;

	if (!err)
		err = rom_update(&i->rom);
	if (err && err != -ENOENT) {
		rom_close(&i->rom);
		ep_timer_set(&ep, &i->retry, pith_now() + RETRY);
		return err;
	}
	free(i->arena);
	i->arena = NULL;
	i->root = NULL;
	if (!err)
		parse_input(i);
	return 0;
}

static void changed(void *ctx, uint64_t count)
{
	(void)count;
	if (!read_input(ctx))
		make_output();
}

static void try_again(void *ctx)
{
	changed(ctx, 1);
}

static void add_input(struct hid_str name)
{
	struct input *i = calloc(1, sizeof(*i));
	uint64_t badge;
	int err;

	if (!i)
		env_fatal("no memory for input %.*s", (int)name.len, name.s);
	i->name = name;
	i->rom = (struct rom) { .mem = -1, .session.cap = -1 };
	i->retry = (struct ep_timer) {
		.at = PITH_NO_DEADLINE, .fire = try_again, .ctx = i,
	};
	i->notif = ep_new_notification(&ep, changed, i, &badge);
	err = i->notif < 0 ? i->notif : read_input(i);
	if (err)
		env_fatal("no ROM %.*s: %s", (int)name.len, name.s,
			  strerror(-err));
	i->next = inputs;
	inputs = i;
}

static void start(void)
{
	static struct rom rom;
	struct hid_error err;
	const struct hid_node *n;

	config = config_read(&rom);
	if (filter_check(config, &err))
		config_fatal(&err);
	for (n = hid_first(config, "input"); n; n = hid_next(n, "input"))
		if (!input_of(filter_rom_of(n)))
			add_input(filter_rom_of(n));
	make_output();
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	(void)ctx;
	return rom_client_open(&ep, &output, req, session);
}

int component_main(void)
{
	static struct service rom = {
		.name = "ROM", .open = open_rom, .close = rom_client_close,
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	start();
	err = service_announce(&ep, &rom, 1);
	if (err)
		env_fatal("cannot announce ROM: %s", strerror(-err));
	ep_run(&ep);
}
