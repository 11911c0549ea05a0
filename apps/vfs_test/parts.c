// SPDX-License-Identifier: BSD-2-Clause
/* Tests of parts of the name space that are devices. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <pith/env.h>
#include <pith/entrypoint.h>

#include "../fs_test/check.h"
#include "vfs_test.h"

#define PIECE	300000u

/* --- disk ------------------------------------------------------------------------- */

static uint8_t content[PIECE], got[PIECE];

static void write_read(int fd, uint64_t at, size_t len, unsigned int number)
{
	char where[32];

	snprintf(where, sizeof(where), "%llu bytes at %llu",
		 (unsigned long long)len, (unsigned long long)at);
	make_content(content, number, len);
	must_be(ns_pwrite(&ns, fd, content, len, at), len, "write", where);
	memset(got, 0, len);
	must_be(ns_pread(&ns, fd, got, len, at), len, "read", where);
	if (memcmp(content, got, len))
		fail("content", where, 0);
}

/* What lies beside bytes that are written stays as it is. */
static void check_edges(int fd, uint64_t at, size_t len)
{
	uint8_t mark = 0xa5, seen[2];

	must_be(ns_pwrite(&ns, fd, &mark, 1, at - 1), 1, "write", "before");
	must_be(ns_pwrite(&ns, fd, &mark, 1, at + len), 1, "write", "behind");
	write_read(fd, at, len, len);
	must_be(ns_pread(&ns, fd, seen, 1, at - 1), 1, "read", "before");
	must_be(ns_pread(&ns, fd, seen + 1, 1, at + len), 1, "read", "behind");
	if (seen[0] != mark || seen[1] != mark)
		fail("the bytes beside", "", len);
}

static void check_end(int fd, uint64_t size)
{
	must_be(ns_pwrite(&ns, fd, content, 1, size), -ENOSPC, "write", "the end");
	must_be(ns_pwrite(&ns, fd, content, 1, 1ll << 60), -ENOSPC, "write",
		"far behind the end");
	must_be(ns_pwrite(&ns, fd, content, 1000, size - 100), 100, "write",
		"over the end");
	must_be(ns_pread(&ns, fd, got, 1000, size - 100), 100, "read",
		"over the end");
	must_be(ns_pread(&ns, fd, got, 1, size), 0, "read", "the end");
	must_be(ns_pread(&ns, fd, got, 1, 1ll << 60), 0, "read",
		"far behind the end");
	must_be(ns_ftruncate(&ns, fd, 0), -EINVAL, "truncate", "");
}

void test_disk(void)
{
	bool read_only = hid_bool(config, "read_only", false);
	const char *dev = attr("dev");
	int fd = must(ns_open(&ns, dev, read_only ? O_RDONLY : O_RDWR), "open",
		      dev);
	off_t size = must(ns_lseek(&ns, fd, 0, SEEK_END), "seek", dev);

	log_line("disk of %llu bytes", (unsigned long long)size);
	if (read_only) {
		must_be(ns_open(&ns, dev, O_RDWR), -EROFS, "open to write", dev);
		must_be(ns_pread(&ns, fd, got, PIECE, 1), PIECE, "read", dev);
		return;
	}
	for (size_t len = 1; len < PIECE; len = len * 3 + 1)
		check_edges(fd, 1000 + 7 * len, len);
	write_read(fd, 0, PIECE, 1);
	write_read(fd, 4096, 4096, 2);
	check_end(fd, size);
	must(ns_fsync(&ns, fd), "sync", dev);
	must(ns_close(&ns, fd), "close", dev);
}

/* --- terminal ----------------------------------------------------------------------- */

static int tty;
static char line[128];
static size_t len;
static bool quit;

static void say(const char *text)
{
	size_t left = strlen(text);
	ssize_t n;

	while (left) {
		n = ns_write(&ns, tty, text, left);
		if (n == -EAGAIN)
			ep_dispatch(&ep, pith_now() + PITH_MS(100));
		else if (n == -EIO)
			return;		/* its server died: it is told */
		else
			left -= must(n, "write", "tty");
		text += n > 0 ? n : 0;
	}
}

static void got_line(void)
{
	char text[160];

	line[len] = 0;
	len = 0;
	log_line("typed: %s", line);
	snprintf(text, sizeof(text), "you typed \"%s\"\r\n", line);
	say(text);
	quit = !strcmp(line, "quit");
}

static void typed(void *ctx)
{
	char c;
	ssize_t n;

	(void)ctx;
	while ((n = ns_read(&ns, tty, &c, 1)) == 1) {
		if (c == '\r' || c == '\n')
			got_line();
		else if (len < sizeof(line) - 1)
			line[len++] = c;
	}
	if (n != -EAGAIN && n != -EIO)
		fail("read", "tty", n);
}

void test_terminal(void)
{
	tty = must(ns_open(&ns, attr("dev"), O_RDWR), "open", attr("dev"));
	must_be(ns_pread(&ns, tty, line, 1, 0), -EAGAIN, "read", "nothing");
	must(ns_watch(&ns, attr("dev"), typed, NULL), "watch", attr("dev"));
	say("ready\r\n");
	log_line("ready");
	while (!quit)
		must(ep_dispatch(&ep, PITH_NO_DEADLINE), "dispatch", "");
	must(ns_fsync(&ns, tty), "sync", "tty");
}

/* --- lies --------------------------------------------------------------------------- */

/* Everything that can be asked of @dir: it must end, and nothing else matters. */
static void ask(const char *dir)
{
	struct ns_dirent e[8];
	struct fs_stat st;
	char path[300], buf[FS_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.280s/file", dir);
	log_line("%s: stat %d", dir, ns_stat(&ns, path, &st));
	fd = ns_open(&ns, path, O_RDWR);
	log_line("%s: open %d, read %zd, write %zd", dir, fd,
		 ns_pread(&ns, fd, got, 100, 0),
		 ns_pwrite(&ns, fd, got, 100, 0));
	ns_close(&ns, fd);
	fd = ns_open(&ns, dir, O_RDONLY);
	for (unsigned int i = 0; i < 3; i++)
		log_line("%s: list %d", dir, ns_readdir(&ns, fd, e, 8));
	ns_close(&ns, fd);
	ns_readlink(&ns, path, buf, sizeof(buf));
	ns_mkdir(&ns, path);
	ns_rename(&ns, path, "/ram/x");
	ns_unlink(&ns, path);
}

void test_lied(void)
{
	struct ns_dirent all[32];
	char path[300];
	int fd = must(ns_open(&ns, "/", O_RDONLY), "open", "/");
	int n = must(ns_readdir(&ns, fd, all, 32), "list", "/");

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/%s", all[i].name);
		if (strcmp(path, "/ram"))
			ask(path);
		fd = must(ns_open(&ns, "/ram/file", O_RDWR | O_CREAT | O_TRUNC),
			  "open", "/ram/file");
		write_read(fd, 0, 10000, i);
		must(ns_close(&ns, fd), "close", "/ram/file");
	}
}
