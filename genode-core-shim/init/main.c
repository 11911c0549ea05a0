// SPDX-License-Identifier: BSD-2-Clause
/*
 * init: starts the children that its config names and routes their sessions. The
 * config is read, checked as a whole, held against what there is, and only then
 * acted upon; with a wrong one init says why and goes on as before.
 */
#include <errno.h>
#include <string.h>
#include "init.h"

struct init init = {
	.close_timer = { .at = PITH_NO_DEADLINE,
			 .fire = sessions_close_timeout },
};

static struct rom rom;

/* Requests to those that are not there wait for them: a wrong name should be seen. */
static void warn_of_absent(const struct config *c)
{
	const struct config_target *t;

	for (t = c->targets; t < c->targets + c->ntargets; t++)
		if (t->kind == TARGET_CHILD && t->child == CONFIG_NO_CHILD)
			log_line("config:%u:%u: no start node '%.*s' yet",
				 t->node->line, t->node->col, (int)t->name.len,
				 t->name.s);
}

/* Text -> model that fits into our quota -> what runs. */
static int load(void)
{
	struct config new;
	struct hid_error e;
	int err;

	err = config_parse(&new, rom.data, rom.size, &e);
	if (!err)
		err = config_check_quota(&new, balance_available(&new), &e);
	if (err) {
		log_error("config:%u:%u: %s", e.line, e.col, e.text);
	} else {
		warn_of_absent(&new);
		err = config_apply(&new);
		if (err)
			log_error("config: %s", strerror(-err));
	}
	if (err)
		config_free(&new);
	return err;
}

/* The newest content, if its ROM session is open; @otherwise: what if that fails. */
static void update(int err, const char *otherwise)
{
	if (!err)
		err = rom_update(&rom);
	if (err)
		log_error("no ROM \"config\": %s", strerror(-err));
	else
		err = load();
	if (err)
		log_error("%s", otherwise);
}

static void config_changed(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
	update(0, "the config stays as it was");
}

/* -ENOSYS of a ROM that never changes, core's say, is fine. */
static void watch(void)
{
	uint64_t badge;
	int n = ep_new_notification(&init.ep, config_changed, NULL, &badge);
	int err = n < 0 ? n : rom_watch(&rom, n);

	if (err && err != -ENOSYS)
		log_error("changes of ROM \"config\" are not seen: %s",
			  strerror(-err));
	if (err == -ENOSYS) {
		ep_remove(&init.ep, badge);
		pith_close(n);
	}
}

int component_main(void)
{
	int err;

	err = ep_init(&init.ep);
	if (err)
		env_fatal("no endpoint: %s", strerror(-err));
	sessions_init(&init.up);
	balance_init();
	err = rom_session(&rom, "config");
	if (!err)
		watch();
	update(err, "nothing is started");
	ep_run(&init.ep);
}
