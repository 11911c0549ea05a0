// SPDX-License-Identifier: BSD-2-Clause
/* fs_test: does a File_system keep what it is given? See README.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pith/env.h>
#include <pith/fs_client.h>
#include <pith/hid.h>

#include "check.h"
#include "raw.h"

#define SIZE_MAX_OF_FILE	(256u << 10)

static struct fs_client fs;
static struct fs_file f;
static const struct hid_node *config;
static uint8_t content[SIZE_MAX_OF_FILE];

static uint64_t space(void)
{
	struct fs_info info;

	must(fs_info(&fs, &info), "info", "");
	return info.free;
}

static void write_file(const char *path, unsigned int number, size_t size)
{
	make_content(content, number, size);
	must(fs_open_flags(&fs, &f, path, FS_O_WRITE | FS_O_CREATE |
			   FS_O_EXCLUSIVE), "create", path);
	must(fs_write_all(&f, 0, content, size), "write", path);
	fs_close(&f);
}

static void check_file(const char *path, unsigned int number, size_t size)
{
	const void *data;
	size_t done = 0;
	int n;

	make_content(content, number, size);
	must(fs_open(&fs, &f, path), "open", path);
	must_be(f.stat.size, size, "size", path);
	for (; (n = fs_pread(&f, done, SIZE_MAX_OF_FILE, &data)) > 0; done += n)
		if (done + n > size || memcmp(content + done, data, n))
			fail("content", path, done);
	must(n, "read", path);
	must_be(done, size, "end", path);
	fs_close(&f);
}

/* --- stress --------------------------------------------------------------------- */

static unsigned int entries_in(const char *path)
{
	static struct fs_dir d;
	char name[FS_NAME_MAX];
	unsigned int n = 0;
	uint8_t type;
	int got;

	d.position = 0;
	must(fs_open(&fs, &f, path), "open", path);
	do {
		must(fs_readdir(&f, &d), "readdir", path);
		while ((got = fs_dirent_next(&d, &type, name)) > 0)
			n += strcmp(name, ".") && strcmp(name, "..");
		must(got, "entry", path);
	} while (d.position);
	fs_close(&f);
	return n;
}

static void each_file(const char *dir, unsigned int depth, unsigned int files,
		      size_t size,
		      void (*fn)(const char *path, unsigned int n, size_t size))
{
	char path[FS_PATH_MAX];

	for (unsigned int i = 0; i < files; i++) {
		unsigned int number = depth * files + i;

		snprintf(path, sizeof(path), "%s/file%u", dir, i);
		fn(path, number, size_of(number, size));
	}
}

static void rename_file(const char *path, unsigned int number, size_t size)
{
	char to[FS_PATH_MAX + 8];

	snprintf(to, sizeof(to), "%s.new", path);
	must(fs_rename(&fs, path, to), "rename", path);
	must_be(fs_open(&fs, &f, path), -ENOENT, "open the old name", path);
	check_file(to, number, size);
	must(fs_rename(&fs, to, path), "rename back", path);
}

static void remove_file(const char *path, unsigned int number, size_t size)
{
	(void)number;
	(void)size;
	must(fs_unlink(&fs, path), "unlink", path);
}

static void stress(void)
{
	unsigned int dirs = hid_number(config, "dirs", 4), depth;
	unsigned int files = hid_number(config, "files", 10);
	size_t size = hid_number(config, "size", 10000);
	uint64_t before = space();
	char path[FS_PATH_MAX] = "";

	for (depth = 0; depth < dirs; depth++) {
		strcat(path, "/dir");
		must(fs_mkdir(&fs, path), "mkdir", path);
		must_be(fs_mkdir(&fs, path), -EEXIST, "mkdir again", path);
		each_file(path, depth, files, size, write_file);
	}
	for (depth = dirs; depth--; path[4 * depth] = 0) {
		must_be(entries_in(path), files + (depth + 1 < dirs), "list",
			path);
		each_file(path, depth, files, size, check_file);
		each_file(path, depth, files, size, rename_file);
	}
	for (depth = 0; depth < dirs; depth++)
		strcat(path, "/dir");
	for (depth = dirs; depth--; path[4 * depth] = 0) {
		must_be(fs_unlink(&fs, path), -ENOTEMPTY, "unlink", path);
		each_file(path, depth, files, size, remove_file);
		must(fs_unlink(&fs, path), "unlink", path);
	}
	if (hid_bool(config, "alone", true))
		must_be(space(), before, "space", "");
}

/* --- full ------------------------------------------------------------------------- */

static void full(void)
{
	uint64_t before = space(), offset = 0;
	int n;

	write_file("/keep", 1, 5000);
	make_content(content, 2, sizeof(content));
	must(fs_open_flags(&fs, &f, "/big", FS_O_WRITE | FS_O_CREATE), "create",
	     "/big");
	while ((n = fs_pwrite(&f, offset, content, 100000)) > 0)
		offset += n;
	must_be(n, -ENOSPC, "write", "/big");
	log_line("full after %llu KiB", (unsigned long long)offset >> 10);
	fs_close(&f);
	check_file("/keep", 1, 5000);
	must(fs_unlink(&fs, "/big"), "unlink", "/big");
	write_file("/again", 3, 100000);
	check_file("/again", 3, 100000);
	must(fs_unlink(&fs, "/again"), "unlink", "/again");
	must(fs_unlink(&fs, "/keep"), "unlink", "/keep");
	must_be(space(), before, "space", "");
}

/* --- keep ------------------------------------------------------------------------- */

/* Does the file still have what was last written to it? */
static int check_work(unsigned int number)
{
	const void *data;
	int err = fs_open(&fs, &f, "/work");

	make_content(content, number, 50000);
	if (!err)
		err = fs_pread(&f, 0, 50000, &data);
	if (err == 50000)
		err = memcmp(content, data, 50000) ? -EILSEQ : 0;
	fs_close(&f);
	return err;
}

static int work(unsigned int number)
{
	int err, closed;

	make_content(content, number, 50000);
	err = fs_open_flags(&fs, &f, "/work", FS_O_WRITE | FS_O_CREATE |
			    FS_O_TRUNCATE);
	if (!err)
		err = fs_write_all(&f, 0, content, 50000);
	closed = fs_close(&f);
	return err ? err : closed;
}

/* Is that how a client learns that its server has died? ENOENT: it has died since
 * the file was closed. */
static int is_report(int err)
{
	return err == -EPIPE || err == -ESTALE || err == -ECONNRESET ||
	       err == -ENOENT;
}

static void keep(void)
{
	unsigned int deaths = hid_number(config, "deaths", 1), seen = 0;
	uint64_t known = 1;
	int err;

	for (unsigned int i = 0, good = 0; seen < deaths || good < 5; i++) {
		err = work(i);
		if (!err)
			err = check_work(i);
		if (!is_report(err))
			must(err, "work", "/work");
		good = err ? 0 : good + 1;
		/* Nothing was under way: only that it is another session tells. */
		if (fs_connected(&fs) && fs.generation != known) {
			log_line("reported: session %llu",
				 (unsigned long long)fs.generation);
			known = fs.generation;
			good = 1;
			seen++;
		}
		if (good == 5 && seen)
			log_line("survived %u", seen);
	}
}

/* --- read_only ---------------------------------------------------------------------- */

static void read_only(void)
{
	char path[FS_PATH_MAX], wanted[256];
	const void *data;
	int len = must(hid_string(config, "content", wanted,
				  sizeof(wanted) - 1, ""), "config", "content");

	wanted[len++] = '\n';	/* as quoted lines have */
	hid_string(config, "file", path, sizeof(path), "/");
	must(fs_open(&fs, &f, path), "open", path);
	must_be(fs_pread(&f, 0, 1000, &data), len, "read", path);
	if (memcmp(data, wanted, len))
		fail("content", path, 0);
	fs_close(&f);
	must_be(fs_open_flags(&fs, &f, path, FS_O_WRITE), -EROFS, "write", path);
	must_be(fs_unlink(&fs, path), -EROFS, "unlink", path);
	must_be(fs_mkdir(&fs, "/new"), -EROFS, "mkdir", "/new");
	must_be(fs_rename(&fs, path, "/new"), -EROFS, "rename", path);
}

/* --- update -------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
	must(fs_open_flags(&fs, &f, path, FS_O_WRITE | FS_O_CREATE |
			   FS_O_TRUNCATE), "create", path);
	must(fs_write_all(&f, 0, text, strlen(text)), "write", path);
	must(fs_close(&f), "close", path);
}

static void say(const char *path, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "config | say: %s\n-\n", what);
	put(path, text);
	log_line("wrote: %s", what);
}

/* One way after the other in which a file changes. */
static void update(void)
{
	static const uint64_t pause = PITH_MS(1500);
	uint64_t step = 0;

	for (uint64_t at = pith_now() + pause; step < 6; at += pause, step++) {
		while (pith_now() < at)
			clock_nanosleep(CLOCK_MONOTONIC, 0,
					&(struct timespec) { 0, 50000000 }, NULL);
		switch (step) {
		case 0:
			must(fs_mkdir(&fs, "/dir"), "mkdir", "/dir");
			say("/dir/config", "created");
			break;
		case 1:
			say("/dir/config", "written");
			break;
		case 2:
			put("/dir/config.new", "config | say: replaced\n-\n");
			must(fs_rename(&fs, "/dir/config.new", "/dir/config"),
			     "rename", "/dir/config");
			break;
		case 3:
			must(fs_rename(&fs, "/dir", "/away"), "rename", "/dir");
			break;
		case 4:
			must(fs_mkdir(&fs, "/dir"), "mkdir", "/dir");
			put("/dir/config", "config | say: another\n-\n");
			break;
		case 5:
			must(fs_unlink(&fs, "/dir/config"), "unlink", "/dir/config");
			must(fs_rename(&fs, "/away/config", "/dir/config"), "rename",
			     "/away/config");
			break;
		}
	}
}

/* Once more after the server has died and is empty. */
static void update_again(void)
{
	uint64_t before = fs.generation;

	while (fs.generation == before) {
		clock_nanosleep(CLOCK_MONOTONIC, 0,
				&(struct timespec) { 0, 200000000 }, NULL);
		space();
	}
	must(fs_mkdir(&fs, "/dir"), "mkdir", "/dir");
	say("/dir/config", "survived");
}

static void update_all(void)
{
	update();
	if (hid_bool(config, "again", false))
		update_again();
}

/* --- chunk --------------------------------------------------------------------------- */

/* Is the file @size bytes long, all zeros but for byte @at, which is 'x'? */
static void check_holes(uint64_t size, uint64_t at)
{
	struct fs_stat st;
	uint64_t done = 0;
	const void *data;
	int n;

	must(fs_fstat(&f, &st), "stat", "/holes");
	must_be(st.size, size, "size", "/holes");
	for (; (n = fs_pread(&f, done, FS_BUFFER_SIZE, &data)) > 0; done += n)
		for (int i = 0; i < n; i++)
			must_be(((const char *)data)[i],
				done + i == at ? 'x' : 0, "byte", "/holes");
	must(n, "read", "/holes");
	must_be(done, size, "end", "/holes");
}

/* What was never written takes no space and reads as zeros. */
static void chunk(void)
{
	static const uint64_t places[] = {
		0, 1, 4095, 4096, 4097, 511 * 4096ull, 512 * 4096ull - 1,
		512 * 4096ull, 512 * 4096ull + 12345,
	};
	uint64_t before = space();

	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint64_t at = places[i];

		must(fs_open_flags(&fs, &f, "/holes", FS_O_WRITE |
				   FS_O_CREATE | FS_O_EXCLUSIVE), "create",
		     "/holes");
		must_be(fs_pwrite(&f, at, "x", 1), 1, "write", "/holes");
		check_holes(at + 1, at);
		must(fs_truncate(&f, at + 10000), "grow", "/holes");
		check_holes(at + 10000, at);
		if (before - space() > 32768)
			fail("space of a hole", "/holes", before - space());
		must(fs_truncate(&f, at), "cut", "/holes");
		must(fs_truncate(&f, at + 5000), "grow again", "/holes");
		check_holes(at + 5000, ~0ull);
		must(fs_close(&f), "close", "/holes");
		must(fs_unlink(&fs, "/holes"), "unlink", "/holes");
	}
	must_be(space(), before, "space", "");
}

static void test_packets(void)
{
	packets(fs.label, hid_number(config, "rounds", 10));
}

/* What others have is as it was. */
static void test_hostile(void)
{
	write_file("/honest", 1, 30000);
	hostile(fs.label);
	check_file("/honest", 1, 30000);
	must(fs_unlink(&fs, "/honest"), "unlink", "/honest");
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "chunk", chunk }, { "packets", test_packets },
	{ "hostile", test_hostile },
	{ "update", update_all },
	{ "stress", stress }, { "full", full }, { "keep", keep },
	{ "read_only", read_only },
};

int component_main(void)
{
	static char label[64];
	char name[32];

	config = read_test_config();
	hid_string(config, "test", name, sizeof(name), "stress");
	hid_string(config, "label", label, sizeof(label), "");
	fs_init(&fs, NULL, NULL);
	fs.label = label;
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		if (strcmp(tests[i].name, name))
			continue;
		tests[i].fn();
		log_line("%s: PASS", name);
		return 0;
	}
	env_fatal("no test %s", name);
}
