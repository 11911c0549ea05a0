// SPDX-License-Identifier: BSD-2-Clause
/* tar_rom: the files of an archive as ROMs. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/service.h>

#include "../lib/config_rom.h"
#include "../lib/policy.h"
#include "../lib/rom_server.h"
#include "../lib/tar.h"

struct file {
	struct file *next;
	char name[TAR_NAME_MAX];
	struct rom_source source;
};

static struct entrypoint ep;
static struct rom archive;
static struct file *files;

static struct file *find(const char *name)
{
	struct file *f = files;

	while (f && strcmp(f->name, name))
		f = f->next;
	return f;
}

static void add(const struct tar_entry *e)
{
	struct file *f = find(e->name);

	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			env_fatal("no memory for the names in the archive");
		strcpy(f->name, e->name);
		f->next = files;
		files = f;
	}
	rom_source_set(&f->source, e->data, e->size);
}

static void read_archive(const char *name)
{
	struct tar tar;
	struct tar_entry e;
	int err = rom_open(&archive, name);

	if (err)
		env_fatal("no ROM %s: %s", name, strerror(-err));
	tar = (struct tar) { archive.data, archive.size, 0 };
	while ((err = tar_next(&tar, &e)) > 0)
		if (e.type == TAR_FILE && e.name[0])
			add(&e);
	if (err)
		env_fatal("%s is no tar archive or is damaged at byte %llu",
			  name, (unsigned long long)tar.pos);
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *config = config_read(&rom);
	struct hid_error err;
	char name[PARENT_LABEL_MAX];

	if (config_attrs(config, "rom", &err))
		config_fatal(&err);
	if (hid_string(config, "rom", name, sizeof(name), "") <= 0)
		env_fatal("config:%u:%u: expected rom", config->line,
			  config->col);
	read_archive(name);
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	struct file *f = find(label_last(req->label));

	(void)ctx;
	return f ? rom_client_open(&ep, &f->source, req, session) : -ENOENT;
}

int component_main(void)
{
	static struct service rom = {
		.name = "ROM", .open = open_rom, .close = rom_client_close,
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	read_config();
	err = service_announce(&ep, &rom, 1);
	if (err)
		env_fatal("cannot announce ROM: %s", strerror(-err));
	ep_run(&ep);
}
