// SPDX-License-Identifier: BSD-2-Clause
/* ram_fs: a file system in RAM as File_system sessions. See README.md. */
#include <errno.h>
#include <string.h>

#include "../lib/config_rom.h"
#include "../lib/fs_content.h"
#include "../lib/fs_server.h"
#include "../lib/policy.h"
#include "../lib/ram_fs.h"

#define SIZE_MIN	(64u << 10)

static struct entrypoint ep;

/* What the config says, or three quarters of what there is now: the rest is for
 * the books of sessions. */
static int size_of(const struct hid_node *config, uint64_t *size,
		   struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(config, "size");
	struct pith_domain_info info;

	if (a && (hid_parse_number(a->value, size) || *size < SIZE_MIN))
		return hid_refuse(err, a->line, a->col,
				    "expected a number of 64K or more");
	if (a)
		return 0;
	if (pith_domain_info(PITH_SLOT_DOMAIN, &info))
		env_fatal("cannot see the own quota");
	*size = (info.ram_limit - info.ram_used) / 4 * 3;
	return 0;
}

static int check(const struct hid_node *config, struct hid_error *err)
{
	const struct hid_node *n;
	int ret = config_attrs(config, "size", err);

	for (n = hid_first(config, NULL); n && !ret; n = hid_next(n, NULL))
		if (!hid_is(n, "content") && !hid_is(n, "policy") &&
		    !hid_is(n, "default-policy"))
			ret = hid_refuse(err, n->line, n->col, "expected "
					   "content, policy or default-policy");
	return ret ? ret : fs_server_check(config, err);
}

static struct fs *make(const struct hid_node *config)
{
	const struct hid_node *content = hid_first(config, "content");
	struct hid_error err;
	uint64_t size;
	struct fs *fs;

	if (check(config, &err) || size_of(config, &size, &err))
		config_fatal(&err);
	fs = ram_fs_new(size);
	if (!fs)
		env_fatal("no memory");
	for (; content; content = hid_next(content, "content"))
		if (fs_content_make(fs, content, &err))
			config_fatal(&err);
	return fs;
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
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	config = config_read(&rom);
	fs_server_init(&server, &ep, make(config), config);
	err = service_announce(&ep, &file_system, 1);
	if (err)
		env_fatal("cannot announce File_system: %s", strerror(-err));
	ep_run(&ep);
}
