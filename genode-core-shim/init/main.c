// SPDX-License-Identifier: BSD-2-Clause
/*
 * init: starts the children that its config names and routes their sessions. The
 * config is read, checked as a whole, held against what there is, and only then
 * acted upon; with a wrong one init says why and stays idle.
 */
#include <errno.h>
#include <string.h>
#include "init.h"

struct init init = {
	.close_timer = { .at = PITH_NO_DEADLINE,
			 .fire = sessions_close_timeout },
};

/* Text -> model that fits into our quota. The ROM stays open: the model refers
 * to its text. */
static int read_config(struct rom *rom)
{
	struct hid_error e;
	struct quota q;
	int err;

	err = rom_open(rom, "config");
	if (err) {
		log_error("no ROM \"config\": %s", strerror(-err));
		return err;
	}
	err = config_parse(&init.config, rom->data, rom->size, &e);
	if (!err) {
		q = quota_for_children(quota_unused(PITH_SLOT_DOMAIN),
				       init.config.nchildren);
		err = config_check_quota(&init.config, q.ram, q.caps, &e);
	}
	if (err) {
		log_error("config:%u:%u: %s", e.line, e.col, e.text);
		config_free(&init.config);
	}
	return err;
}

int component_main(void)
{
	struct rom rom;
	int err;

	err = ep_init(&init.ep);
	if (err)
		env_fatal("no endpoint: %s", strerror(-err));
	err = read_config(&rom);
	if (!err)
		err = children_start();
	if (err)
		log_error("nothing is started");
	ep_run(&init.ep);
}
