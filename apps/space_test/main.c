// SPDX-License-Identifier: BSD-2-Clause
/* space_test: spaces and threads from a component's side. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>
#include "kid.h"

struct entrypoint ep;
int failures;

void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	failures++;
}

static void get_config(char *run, size_t size)
{
	const struct hid_node *config;
	struct hid_error err;
	struct rom rom;
	void *room;

	if (rom_open(&rom, "config"))
		env_fatal("no config");
	room = malloc(HID_ARENA_SIZE(rom.size));
	if (!room || hid_parse(rom.data, rom.size, room,
			       HID_ARENA_SIZE(rom.size), &config, &err))
		env_fatal("no config that can be read");
	hid_string(config, "run", run, size, "");
	free(room);
	rom_close(&rom);
}

int component_main(void)
{
	struct pith_identify id;
	char run[16];
	int err;

	if (!pith_identify(KID_SLOT, &id) && id.type == PITH_T_ENDPOINT)
		kid_main();
	err = ep_init(&ep);
	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	get_config(run, sizeof(run));
	if (!strcmp(run, "rm"))
		test_rm();
	else if (!strcmp(run, "cpu"))
		test_cpu();
	else if (!strcmp(run, "budget"))
		test_budget();
	else if (!strcmp(run, "bench"))
		bench();
	else
		env_fatal("no test %s", run);
	log_line(failures ? "space_test %s: %d failures" : "space_test %s: PASS",
		 run, failures);
	return failures != 0;
}
