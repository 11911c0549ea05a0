// SPDX-License-Identifier: BSD-2-Clause
/* vfs_test: a name space of a component's own. See README.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pith/env.h>

#include "../../servers/lib/config_rom.h"
#include "../../servers/lib/vfs.h"
#include "../fs_test/check.h"
#include "vfs_test.h"

#define SIZE_MAX_OF_FILE	(64u << 10)

struct entrypoint ep;
struct name_space ns;
const struct hid_node *config;
static uint8_t content[SIZE_MAX_OF_FILE], got[SIZE_MAX_OF_FILE];

const char *attr(const char *tag)
{
	static struct { char tag[16], value[256]; } kept[8];
	unsigned int i = 0;

	while (kept[i].tag[0] && strcmp(kept[i].tag, tag))
		i++;
	snprintf(kept[i].tag, sizeof(kept[i].tag), "%s", tag);
	hid_string(config, tag, kept[i].value, sizeof(kept[i].value), "");
	return kept[i].value;
}

static void nap(unsigned int ms)
{
	clock_nanosleep(CLOCK_MONOTONIC, 0,
			&(struct timespec) { ms / 1000, ms % 1000 * 1000000 },
			NULL);
}

/* --- stress ---------------------------------------------------------------------- */

static void write_file(const char *path, unsigned int number, size_t size)
{
	int fd = must(ns_open(&ns, path, O_WRONLY | O_CREAT | O_EXCL), "create",
		      path);

	make_content(content, number, size);
	must_be(ns_write(&ns, fd, content, size), size, "write", path);
	must(ns_close(&ns, fd), "close", path);
}

static void check_file(const char *path, unsigned int number, size_t size)
{
	int fd = must(ns_open(&ns, path, O_RDONLY), "open", path);
	struct fs_stat st;

	make_content(content, number, size);
	must(ns_stat(&ns, path, &st), "stat", path);
	must_be(st.size, size, "size", path);
	must_be(ns_read(&ns, fd, got, size), size, "read", path);
	must_be(ns_read(&ns, fd, got + size, 1), 0, "end", path);
	if (memcmp(content, got, size))
		fail("content", path, 0);
	ns_close(&ns, fd);
}

static void rename_file(const char *path, unsigned int number, size_t size)
{
	char to[FS_PATH_MAX + 8];

	snprintf(to, sizeof(to), "%s.new", path);
	must(ns_rename(&ns, path, to), "rename", path);
	must_be(ns_open(&ns, path, O_RDONLY), -ENOENT, "open the old name", path);
	check_file(to, number, size);
	must(ns_rename(&ns, to, path), "rename back", path);
}

static void remove_file(const char *path, unsigned int number, size_t size)
{
	(void)number;
	(void)size;
	must_be(ns_rmdir(&ns, path), -ENOTDIR, "rmdir", path);
	must(ns_unlink(&ns, path), "unlink", path);
}

static void each_file(const char *dir, unsigned int depth,
		      void (*fn)(const char *path, unsigned int n, size_t size))
{
	unsigned int files = hid_number(config, "files", 10);
	size_t size = hid_number(config, "size", 10000);
	char path[FS_PATH_MAX];

	for (unsigned int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/file%u", dir, i);
		fn(path, depth * files + i,
		   size ? size_of(depth * files + i, size - 1) + 1 : 0);
	}
}

static unsigned int entries_in(const char *path)
{
	struct ns_dirent e[8];
	int fd = must(ns_open(&ns, path, O_RDONLY | O_DIRECTORY), "open", path);
	unsigned int sum = 0;
	int n;

	while ((n = must(ns_readdir(&ns, fd, e, 8), "readdir", path)))
		sum += n;
	ns_close(&ns, fd);
	return sum;
}

static void stress(void)
{
	unsigned int dirs = hid_number(config, "dirs", 4), depth;
	unsigned int files = hid_number(config, "files", 10);
	size_t base = strlen(attr("dir"));
	char path[FS_PATH_MAX];

	strcpy(path, attr("dir"));
	for (depth = 0; depth < dirs; depth++) {
		strcat(path, "/dir");
		must(ns_mkdir(&ns, path), "mkdir", path);
		must_be(ns_mkdir(&ns, path), -EEXIST, "mkdir again", path);
		each_file(path, depth, write_file);
	}
	for (depth = dirs; depth--; path[base + 4 * depth] = 0) {
		must_be(entries_in(path), files + (depth + 1 < dirs), "list",
			path);
		each_file(path, depth, check_file);
		each_file(path, depth, rename_file);
	}
	for (depth = 0; depth < dirs; depth++)
		strcat(path, "/dir");
	for (depth = dirs; depth--; path[base + 4 * depth] = 0) {
		must_be(ns_rmdir(&ns, path), -ENOTEMPTY, "rmdir", path);
		must_be(ns_unlink(&ns, path), -EISDIR, "unlink", path);
		each_file(path, depth, remove_file);
		must(ns_rmdir(&ns, path), "rmdir", path);
	}
	must_be(entries_in(attr("dir")), 0, "what is left", attr("dir"));
}

/* --- look ------------------------------------------------------------------------ */

static void look(void)
{
	const char *path = attr("file"), *wanted = attr("content");
	size_t len = strlen(wanted);
	char beside[300];
	int fd = must(ns_open(&ns, path, O_RDONLY), "open", path);

	must_be(ns_read(&ns, fd, got, 1000), len + 1, "read", path);
	if (memcmp(got, wanted, len) || got[len] != '\n')
		fail("content", path, 0);
	must_be(ns_write(&ns, fd, "x", 1), -EBADF, "write", path);
	ns_close(&ns, fd);
	snprintf(beside, sizeof(beside), "%s-beside", path);
	must_be(ns_open(&ns, path, O_RDWR), -EROFS, "open to write", path);
	must_be(ns_open(&ns, beside, O_RDWR | O_CREAT), -EROFS, "create", beside);
	must_be(ns_mkdir(&ns, beside), -EROFS, "mkdir", beside);
	must_be(ns_symlink(&ns, "x", beside), -EROFS, "symlink", beside);
	must_be(ns_rename(&ns, path, beside), -EROFS, "rename", path);
	must_be(ns_unlink(&ns, path), -EROFS, "unlink", path);
	snprintf(beside, sizeof(beside), "%s/below", path);
	must_be(ns_open(&ns, beside, O_RDONLY), -ENOTDIR, "open", beside);
	snprintf(beside, sizeof(beside), "/../..%s", path);
	must(ns_open(&ns, beside, O_RDONLY), "open", beside);
}

/* --- survive ---------------------------------------------------------------------- */

/* A file is made, written, read and removed: 0, or how that failed. */
static int work(const char *dir)
{
	char path[300];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/work", dir);
	fd = ns_open(&ns, path, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	make_content(content, 1, 20000);
	for (unsigned int i = 0; i < 20 && err >= 0; i++) {
		err = ns_pwrite(&ns, fd, content, 20000, i * 1000);
		nap(5);
	}
	if (err >= 0)
		err = ns_pread(&ns, fd, got, 20000, 19000);
	ns_close(&ns, fd);
	if (err == 20000 && memcmp(content, got, 20000))
		return -EILSEQ;
	return err < 0 ? err : err == 20000 ? 0 : -ENODATA;
}

/* Who writes is told that its server died, who reads reads on. */
static void survive(void)
{
	unsigned int deaths = hid_number(config, "deaths", 1), told = 0, good = 0;
	int fd = must(ns_open(&ns, attr("file"), O_RDONLY), "open", attr("file"));
	size_t len = strlen(attr("content"));

	while (told < deaths || good < 10) {
		int err = work(attr("dir"));

		if (err && err != -EIO && err != -ESTALE && err != -ENOENT)
			fail("work", attr("dir"), err);
		if (err)
			log_line("told %u: %s", ++told, strerror(-err));
		must_be(ns_pread(&ns, fd, got, len, 0), len, "read on",
			attr("file"));
		if (memcmp(got, attr("content"), len))
			fail("content", attr("file"), 0);
		good = err ? 0 : good + 1;
		if (good == 1 && told)
			log_line("reading on %u", told);
	}
}

/* ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "stress", stress }, { "look", look }, { "survive", survive },
	{ "disk", test_disk }, { "terminal", test_terminal },
	{ "lied", test_lied },
};

static void make_name_space(void)
{
	const struct hid_node *vfs = hid_first(config, "vfs");
	struct hid_error err;
	struct fs *fs = vfs ? vfs_make(vfs, &ep, &err) : NULL;

	if (!vfs)
		env_fatal("config: expected vfs");
	if (!fs)
		config_fatal(&err);
	ns_init(&ns, fs);
}

int component_main(void)
{
	must(ep_init(&ep), "entrypoint", "");
	config = read_test_config();
	if (!strcmp(attr("test"), "liar"))
		be_a_liar();
	make_name_space();
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		if (strcmp(tests[i].name, attr("test")))
			continue;
		tests[i].fn();
		log_line("%s: PASS", attr("test"));
		return 0;
	}
	env_fatal("no test %s", attr("test"));
}
