// SPDX-License-Identifier: BSD-2-Clause
/*
 * ext4: offers an ext2, ext3 or ext4 volume, read-only, as File_system.
 * Reading order: main(), session.c, path.c, dir.c, file.c, io.c, disk.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>
#include <pith/hid.h>

#include "disk.h"
#include "session.h"
#include "volume.h"

#define DISK_TIMEOUT	PITH_SEC(30)	/* for the disk to come up */
#define MOUNT_TIMEOUT	PITH_SEC(60)	/* for all partitions together */
#define MOUNT_PAUSE	PITH_SEC(1)	/* between attempts that failed */
#define PARTITIONS	129		/* numbers that are tried: 0 .. 128 */

static struct entrypoint ep;
static struct disk disk;
static struct volume volume;
static int partition = -1;		/* -1: the first with a file system */

static void log_volume(unsigned int number)
{
	struct fs_info info;

	volume_info(&volume, &info);
	log_line("partition %u: %s \"%s\" %s, %llu MiB, read-only", number,
		 info.type, info.name, info.uuid,
		 (unsigned long long)(info.size >> 20));
	if (!info.clean)
		log_error("partition %u was not cleanly unmounted, journal NOT replayed: recent changes may be missing",
			  number);
}

/* 0, or why there is no volume on partition @number. */
static int try_partition(unsigned int number)
{
	int err = disk_open(&disk, number, pith_now() + DISK_TIMEOUT);

	if (err)
		return err;
	err = volume_open(&volume, &disk.source);
	if (!err) {
		log_volume(number);
		return 0;
	}
	if (err != -ENODEV)
		log_error("partition %u: cannot mount: %s", number,
			  volume_text(err));
	disk_close(&disk);
	return err;
}

/* Does trying the other partitions make sense after this? */
static int is_about_one(int err)
{
	switch (err) {
	case -ENOENT:		/* no such partition */
	case -EACCES:		/* not for us */
	case -ENODEV:		/* something else is on it */
	case -EUCLEAN:
	case -EOPNOTSUPP:
	case -EIO:
		return 1;
	default:
		return 0;
	}
}

/* The first one that works; if none does, the most telling error. */
static int try_all(void)
{
	uint64_t until = pith_now() + MOUNT_TIMEOUT;
	int worst = -ENODEV;

	for (unsigned int i = 0; i < PARTITIONS && pith_now() < until; i++) {
		int err = try_partition(i);

		if (!err || !is_about_one(err))
			return err;
		if (err != -ENOENT && err != -EACCES && err != -ENODEV)
			worst = err;
	}
	return worst;
}

/* A disk that is not there now may come: each session that is asked for is a
 * new chance. */
static int mount(struct fs_server *server)
{
	static uint64_t not_before;
	static int last;

	(void)server;
	if (volume.fs)
		return 0;
	if (pith_now() < not_before)
		return last;
	last = partition < 0 ? try_all() : try_partition(partition);
	if (last)
		log_error("no file system: %s", volume_text(last));
	not_before = pith_now() + MOUNT_PAUSE;
	return last;
}

static void read_config(void)
{
	const struct hid_node *config;
	const struct hid_attr *a;
	struct hid_error err;
	struct rom rom;
	uint64_t n;
	size_t size;
	void *arena;

	if (rom_open(&rom, "config"))
		return;			/* defaults */
	size = HID_ARENA_SIZE(rom.size);
	arena = malloc(size);
	if (hid_parse(rom.data, rom.size, arena, size, &config, &err))
		env_fatal("config:%u:%u: %s", err.line, err.col, err.text);
	for (a = config->attrs; a; a = a->next)
		if (!hid_equal(a->tag, "partition"))
			env_fatal("config:%u:%u: expected partition", a->line,
				  a->col);
	a = hid_attr(config, "partition");
	if (a && !hid_equal(a->value, "auto")) {
		if (hid_parse_number(a->value, &n) || n >= PARTITIONS)
			env_fatal("config:%u:%u: expected auto or 0 .. 128",
				  a->line, a->col);
		partition = n;
	}
	free(arena);
	rom_close(&rom);
}

int component_main(void)
{
	static struct fs_server server = {
		.ep = &ep, .volume = &volume, .mount = mount,
	};
	static struct service file_system = {
		.name = "File_system",
		.open = fs_session_open,
		.close = fs_session_close,
		.ctx = &server,
	};
	int err;

	err = ep_init(&ep);
	if (!err)
		err = disk_init(&disk);
	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	read_config();
	mount(&server);
	err = service_announce(&ep, &file_system, 1);
	if (err)
		env_fatal("cannot announce File_system: %s", strerror(-err));
	ep_run(&ep);
}
