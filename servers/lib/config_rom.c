// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_rom.h"

void config_fatal(const struct hid_error *err)
{
	env_fatal("config:%u:%u: %s", err->line, err->col, err->text);
}

const struct hid_node *config_read(struct rom *rom)
{
	const struct hid_node *config;
	struct hid_error err;
	int ret = rom_open(rom, "config");
	size_t size = HID_ARENA_SIZE(rom->size);

	if (ret)
		env_fatal("no config: %s", strerror(-ret));
	ret = hid_parse(rom->data, rom->size, malloc(size), size, &config, &err);
	if (ret)
		config_fatal(&err);
	return config;
}
