// SPDX-License-Identifier: BSD-2-Clause
/* The RAM file system: content against a model, names, a full one. */
/* test-sources: fake_pith.c ../ram_fs.c ../ram_pages.c ../fs_content.c ../hid_text.c ../policy.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c ../../../genode-core-shim/lib/hid_print.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pith.h"
#include "../fs_content.h"
#include "../ram_fs.h"

#define NEW	(FS_O_WRITE | FS_O_CREATE)

static struct fs *fs;
static uint64_t seed = 1;

static uint64_t rnd(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

/* They stay for ever, which is no leak. */
static void new_fs(uint64_t limit)
{
	static struct fs *all[64];
	static unsigned int n;

	fs = all[n++] = ram_fs_new(limit);
}

static void *file(const char *path, uint32_t flags)
{
	void *f;

	return fs->ops->open(fs, path, flags, &f) ? NULL : f;
}

static uint64_t space(void)
{
	struct fs_info info = { .clean = 0 };

	fs->ops->info(fs, &info);
	return info.free;
}

static uint64_t size_of(void *f)
{
	struct fs_stat st;

	fs->ops->fstat(fs, f, &st);
	return st.size;
}

/* --- content -------------------------------------------------------------------- */

#define MODEL	(3u << 20)	/* more than one level of the tree */

static uint8_t model[MODEL], buf[MODEL];
static uint64_t model_size;

static void random_write(void *f)
{
	uint64_t off = rnd(MODEL), len = 1 + rnd(rnd(2) ? 100 : 20000);

	if (len > MODEL - off)
		len = MODEL - off;
	for (uint64_t i = 0; i < len; i++)
		buf[i] = 1 + rnd(255);
	if (fs->ops->write(fs, f, off, buf, len) != (int64_t)len)
		abort();
	memcpy(model + off, buf, len);
	if (off + len > model_size)
		model_size = off + len;
}

static void random_cut(void *f)
{
	uint64_t size = rnd(MODEL);

	fs->ops->truncate(fs, f, size);
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

static int reads_model(void *f)
{
	uint64_t off = rnd(MODEL), len = 1 + rnd(MODEL - off), want = 0;
	int64_t got = fs->ops->read(fs, f, off, buf, len);

	if (off < model_size)
		want = len < model_size - off ? len : model_size - off;
	return got == (int64_t)want && !memcmp(buf, model + off, want) &&
	       size_of(f) == model_size;
}

static void test_content(void)
{
	uint64_t before;
	unsigned int bad = 0;
	void *f;

	new_fs(8 << 20);
	f = file("/f", NEW);
	before = space();
	for (unsigned int i = 0; i < 3000; i++) {
		if (rnd(8))
			random_write(f);
		else
			random_cut(f);
		bad += !reads_model(f);
	}
	ok(!bad, "3000 random writes and cuts: as the model");
	fs->ops->truncate(fs, f, 0);
	ok(space() == before, "cut to nothing: all pages are back");
	ok(fs->ops->write(fs, f, (1ull << 39) - 3, "12345", 5) == 3 &&
	   fs->ops->write(fs, f, 1ull << 39, "1", 1) == -EFBIG &&
	   fs->ops->truncate(fs, f, (1ull << 39) + 1) == -EFBIG &&
	   size_of(f) == 1ull << 39, "the end of the longest file");
	ok(before - space() == 4 * 4096, "a hole takes no space");
	ok(fs->ops->read(fs, f, 1ull << 38, buf, 100) == 100 && !buf[0] &&
	   fs->ops->read(fs, f, (1ull << 39) - 4, buf, 100) == 4 &&
	   !memcmp(buf, "\000123", 4), "and reads as zeros");
	fs->ops->truncate(fs, f, 5000);
	fs->ops->truncate(fs, f, 1 << 20);
	ok(space() == before, "cut and made longer");
	fs->ops->close(fs, f);
}

/* --- a full one ------------------------------------------------------------------- */

static void test_full(void)
{
	uint64_t empty, before;
	char path[32];
	unsigned int n = 0;
	int64_t got = 0, all = 0;
	void *f, *g;

	new_fs(256 << 10);
	empty = space();
	f = file("/keep", NEW);
	fs->ops->write(fs, f, 0, "kept", 4);
	g = file("/big", NEW);
	memset(buf, 7, sizeof(buf));
	while ((got = fs->ops->write(fs, g, all, buf, 10000)) > 0)
		all += got;
	ok(got == -ENOSPC && all > 200000 && size_of(g) == (uint64_t)all,
	   "full after %lld bytes, counted exactly", (long long)all);
	ok(fs->ops->write(fs, f, 0, "KEPT", 4) == 4 &&
	   fs->ops->read(fs, f, 0, buf, 10) == 4 && !memcmp(buf, "KEPT", 4),
	   "what is there can be read and overwritten");
	do {
		snprintf(path, sizeof(path), "/%u", n);
	} while (fs->ops->mkdir(fs, path) == 0 && ++n);
	ok(fs->ops->mkdir(fs, "/one-more") == -ENOSPC &&
	   fs->ops->symlink(fs, "/link", "x") == -ENOSPC &&
	   !file("/file", NEW), "no space for names");
	ok(fs->ops->rename(fs, "/keep", "/renamed") == 0, "a new name for an old");
	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		fs->ops->unlink(fs, path);
	}
	before = space();
	fs->ops->unlink(fs, "/big");
	ok(space() == before && size_of(g) == (uint64_t)all, "unlinked, but open");
	fs->ops->close(fs, g);
	ok(space() > before + 200000, "closed: its space is back");
	fs->ops->unlink(fs, "/renamed");
	fs->ops->close(fs, f);
	ok(space() == empty, "all of it is back");
}

/* --- names -------------------------------------------------------------------------- */

static void test_rename(void)
{
	struct fs_stat a, b;
	void *f;

	new_fs(1 << 20);
	fs->ops->mkdir(fs, "/d");
	fs->ops->mkdir(fs, "/d/e");
	fs->ops->mkdir(fs, "/empty");
	fs->ops->close(fs, file("/f", NEW));
	fs->ops->close(fs, file("/g", NEW));
	fs->ops->symlink(fs, "/l", "d");
	ok(fs->ops->rename(fs, "/d", "/d/e/x") == -EINVAL &&
	   fs->ops->rename(fs, "/d", "/d/x") == -EINVAL, "into itself");
	ok(fs->ops->rename(fs, "/f", "/d") == -EISDIR &&
	   fs->ops->rename(fs, "/empty", "/f") == -ENOTDIR &&
	   fs->ops->rename(fs, "/empty", "/d") == -ENOTEMPTY, "other kinds");
	ok(fs->ops->rename(fs, "/no", "/x") == -ENOENT &&
	   fs->ops->rename(fs, "/f", "/no/x") == -ENOENT &&
	   fs->ops->rename(fs, "/f", "/g/x") == -ENOTDIR &&
	   fs->ops->rename(fs, "/f", "/l/x") == -ELOOP, "no such directory");
	ok(fs->ops->rename(fs, "/f", "/f") == 0 && !fs->ops->stat(fs, "/f", &a),
	   "to itself");
	f = file("/g", FS_O_WRITE);
	fs->ops->write(fs, f, 0, "old", 3);
	ok(fs->ops->rename(fs, "/f", "/g") == 0 &&
	   fs->ops->stat(fs, "/f", &b) == -ENOENT &&
	   !fs->ops->stat(fs, "/g", &b) && a.inode == b.inode &&
	   fs->ops->read(fs, f, 0, buf, 9) == 3, "replaces; the old one stays open");
	fs->ops->close(fs, f);
	ok(fs->ops->rename(fs, "/d", "/empty") == 0 &&
	   !fs->ops->stat(fs, "/empty/e", &a), "replaces an empty directory");
	ok(fs->ops->unlink(fs, "/empty") == -ENOTEMPTY &&
	   fs->ops->unlink(fs, "") == -EBUSY && fs->ops->mkdir(fs, "") == -EEXIST &&
	   fs->ops->unlink(fs, "/l/x") == -ELOOP, "unlink");
	ok(fs->ops->readlink(fs, "/l", (char *)buf, 99) == 1 && buf[0] == 'd' &&
	   fs->ops->readlink(fs, "/g", (char *)buf, 99) == -EINVAL &&
	   fs->ops->open(fs, "/l", 0, (void **)buf) == -ELOOP, "links");
}

struct seen {
	unsigned int n, room, last;
	int bad;
	uint64_t next;
};

static bool see(void *ctx, const struct fs_entry *e)
{
	struct seen *s = ctx;

	if (!s->room)
		return true;
	s->room--;
	s->n++;
	s->bad += s->n > 1 && (unsigned int)atoi(e->name) <= s->last;
	s->last = atoi(e->name);
	s->next = e->next;
	return false;
}

/* Every file that stays is seen once, whatever comes and goes meanwhile. */
static void test_readdir(void)
{
	struct seen s = { .next = 0 };
	char path[32];
	void *dir;
	int more;

	new_fs(8 << 20);
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		fs->ops->close(fs, file(path, NEW));
	}
	dir = file("", 0);
	for (unsigned int i = 0;; i++) {
		s.room = 100;
		more = fs->ops->readdir(fs, dir, s.next, see, &s);
		if (more <= 0)
			break;
		snprintf(path, sizeof(path), "/%u", s.last);
		fs->ops->unlink(fs, path);
		snprintf(path, sizeof(path), "/%u", s.last + 1);
		fs->ops->unlink(fs, path);
		snprintf(path, sizeof(path), "/%u", 5000 + i);
		fs->ops->close(fs, file(path, NEW));
	}
	ok(!more && !s.bad && s.n == 5000, "%u entries, 2 of each 100 unlinked, "
	   "1 added", s.n);
	ok(fs->ops->readdir(fs, dir, ~0ull, see, &s) == 0, "behind the end");
	fs->ops->close(fs, dir);
}

static void test_no_memory(void)
{
	new_fs(~0ull);
	ok(space() > 1ull << 62, "no limit of its own");
}

/* --- content of a config ------------------------------------------------------------- */

static int fill(const char *text, struct hid_error *err)
{
	static char arena[65536];
	const struct hid_node *root;

	new_fs(1 << 20);
	if (hid_parse(text, strlen(text), arena, sizeof(arena), &root, err))
		return 1;
	return fs_content_make(fs, root, err);
}

static int holds(const char *path, const char *text)
{
	void *f = file(path, 0);
	int64_t n = f ? fs->ops->read(fs, f, 0, buf, 1000) : -1;

	if (f)
		fs->ops->close(fs, f);
	return n == (int64_t)strlen(text) && !memcmp(buf, text, n);
}

static void test_preset(void)
{
	static const char *const wrong[] = {
		"config\n+ dir\n-\n", "config\n+ dir a/b\n-\n",
		"config\n+ inline ..\n-\n", "config\n+ file x\n-\n",
		"config\n+ symlink x\n-\n", "config\n+ dir a | + dir b | + bad\n-\n",
	};
	struct hid_error err;

	strcpy(fake_rom, "from a ROM");
	ok(!fill("config\n+ dir etc\n  + inline motd\n    : one\n    : two\n"
		 "  + inline conf | + config | a: 1\n  + dir deep | + rom r | as: x\n"
		 "+ rom r\n+ inline empty\n+ symlink l | target: etc/motd\n-\n", &err) &&
	   holds("/etc/motd", "one\ntwo\n") && holds("/etc/conf", "config | a: 1\n-\n")
	   && holds("/etc/deep/x", "from a ROM") && holds("/r", "from a ROM") &&
	   holds("/empty", "") &&
	   fs->ops->readlink(fs, "/l", (char *)buf, 99) == 8, "all of it is there");
	ok(fill("config\n+ dir a\n+ dir b\n+ inline a\n-\n", &err) == -EEXIST &&
	   err.line == 4 && strstr(err.text, "/a"), "twice: %s", err.text);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(fill(wrong[i], &err) < 0 && err.line == 2, "refused: %s",
		   err.text);
}

int main(void)
{
	test_content();
	test_full();
	test_rename();
	test_readdir();
	test_no_memory();
	test_preset();
	return tap_end();
}
