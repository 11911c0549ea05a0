// SPDX-License-Identifier: BSD-2-Clause
/* vfs: a name space put together by its config, as File_system sessions. */
#include <errno.h>
#include <string.h>

#include "../lib/config_rom.h"
#include "../lib/fs_server.h"
#include "../lib/policy.h"
#include "../lib/vfs.h"

static struct entrypoint ep;

static int check(const struct hid_node *config, struct hid_error *err)
{
	const struct hid_node *n;
	int ret = config_attrs(config, "", err);

	for (n = hid_first(config, NULL); n && !ret; n = hid_next(n, NULL))
		if (!hid_is(n, "vfs") && !hid_is(n, "policy") &&
		    !hid_is(n, "default-policy"))
			ret = hid_refuse(err, n->line, n->col, "expected vfs, "
					   "policy or default-policy");
	if (!ret && !hid_first(config, "vfs"))
		ret = hid_refuse(err, config->line, config->col,
				   "expected vfs");
	return ret ? ret : fs_server_check(config, err);
}

int component_main(void)
{
	static struct fs_server server;
	static struct service file_system = {
		.name = "File_system", .ctx = &server,
		.open = fs_server_open, .close = fs_server_close,
	};
	static struct rom rom;
	const struct hid_node *config;
	struct hid_error where;
	struct fs *fs;
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	config = config_read(&rom);
	if (check(config, &where))
		config_fatal(&where);
	fs = vfs_make(hid_first(config, "vfs"), &ep, &where);
	if (!fs)
		config_fatal(&where);
	fs_server_init(&server, &ep, fs, config);
	err = service_announce(&ep, &file_system, 1);
	if (err)
		env_fatal("cannot announce File_system: %s", strerror(-err));
	ep_run(&ep);
}
