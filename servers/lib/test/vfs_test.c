// SPDX-License-Identifier: BSD-2-Clause
/* Name spaces put together by configs, seen through sessions. */
/* test-sources: fake_pith.c fs_world.c ../vfs.c ../vfs_file.c ../vfs_tar.c ../vfs_fs.c ../vfs_terminal.c ../vfs_block.c ../tar.c ../block_client.c ../fs_server.c ../fs_path.c ../fs_stream.c ../policy.c ../ram_fs.c ../ram_pages.c ../hid_text.c ../../../genode-core-shim/lib/fs_client.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c ../../../genode-core-shim/lib/hid_print.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pith.h"
#include "fs_world.h"
#include "../vfs.h"

#define RAM	(FS_SERVER_BOOKS + 65536u)
#define NEW	(FS_O_WRITE | FS_O_CREATE)

static const char text[] =
	"config\n"
	"+ vfs\n"
	"  + dir dev\n"
	"    + null null\n"
	"    + zero zero\n"
	"    + log log\n"
	"  + dir etc\n"
	"    + inline motd | : welcome\n"
	"    + ram | size: 100000\n"
	"    + inline hidden |\n"
	"  + rom license | as: LICENSE\n"
	"  + symlink motd | target: etc/motd\n"
	"  + dir ro | + inline file | : fixed\n"
	"  + dir deep\n"
	"    + null first\n"
	"    + dir er\n"
	"      + null second\n"
	"      + dir est\n"
	"        + zero third\n"
	"        + ram | size: 1M\n"
	"  + dir tmp | + ram | size: 1M\n"
	"+ policy | label: all | writeable: yes\n"
	"+ policy | label: tmp | writeable: yes | root: /tmp\n"
	"-\n";

static struct entrypoint ep;
static struct fs_server server;
static struct raw r;

static const struct hid_node *parse(const char *s)
{
	static char arena[32768];
	const struct hid_node *root = NULL;
	struct hid_error err;

	if (hid_parse(s, strlen(s), arena, sizeof(arena), &root, &err))
		printf("# %u:%u: %s\n", err.line, err.col, err.text);
	return root;
}

/* Does @path hold @wanted? */
static bool holds(const char *path, const char *wanted)
{
	int64_t h = raw_file(&r, path, 0);
	bool same = h >= 0 && raw_reads(&r, h, wanted);

	if (h >= 0)
		raw_shut(&r, h);
	return same;
}

static int store(const char *path, const char *what)
{
	int64_t h = raw_file(&r, path, NEW | FS_O_TRUNCATE);

	if (h < 0)
		return h;
	if (raw_write(&r, h, 0, what) != (int64_t)strlen(what))
		return -EIO;
	return raw_shut(&r, h);
}

static void test_read(void)
{
	struct fs_stat a, b;

	ok(!strcmp(raw_list(&r, "/"), "dev etc LICENSE motd ro deep tmp ") &&
	   !strcmp(raw_list(&r, "/dev"), "null zero log ") &&
	   !strcmp(raw_list(&r, "/tmp"), "") && !strcmp(raw_list(&r, "/ro/file"),
	   "?"), "lists: %s", raw_list(&r, "/"));
	ok(holds("/etc/motd", "welcome\n") && holds("/motd", "welcome\n") &&
	   holds("/LICENSE", "from a ROM") && holds("/dev/../ro//file", "fixed\n"),
	   "inline, symlink, rom");
	ok(raw_file(&r, "/none", 0) == -ENOENT &&
	   raw_file(&r, "/ro/none", 0) == -ENOENT &&
	   raw_file(&r, "/ro/file/x", 0) == -ENOTDIR &&
	   raw_file(&r, "/roo", 0) == -ENOENT, "what is not there");
	ok(!raw_stat(&r, "/ro/file", &a) && !raw_stat(&r, "/LICENSE", &b) &&
	   a.inode != b.inode && !raw_stat(&r, "/dev", &b) &&
	   (b.mode & 0170000) == 0040000, "stat");
}

static void test_devices(void)
{
	int64_t h = raw_file(&r, "/dev/null", FS_O_WRITE | FS_O_TRUNCATE);

	ok(raw_write(&r, h, 0, "gone") == 4 && raw_io(&r, FS_READ, h, 0, 9) == 0,
	   "null");
	raw_shut(&r, h);
	h = raw_file(&r, "/dev/zero", 0);
	memset(r.data, 1, 100);
	ok(raw_io(&r, FS_READ, h, 12345, 99) == 99 && !r.data[0] && !r.data[98] &&
	   r.data[99] == 1, "zero");
	raw_shut(&r, h);
	h = raw_file(&r, "/dev/log", FS_O_WRITE);
	ok(raw_write(&r, h, 0, "a line\nmore") == 7 &&
	   raw_write(&r, h, 0, "more") == 4, "log: a line at a time");
	memset(r.data, 'x', 1000);
	ok(raw_io(&r, FS_WRITE, h, 0, 1000) == 200, "a long one is broken");
	raw_shut(&r, h);
}

static void test_write(void)
{
	ok(store("/ro/file", "x") == -EROFS && store("/ro/new", "x") == -EROFS &&
	   store("/LICENSE", "x") == -EROFS && store("/new", "x") == -EROFS &&
	   raw_path(&r, FS_MKDIR, "/dir") == -EROFS &&
	   raw_two(&r, FS_SYMLINK, "/l", "x") == -EROFS,
	   "nothing is written where nothing can be");
	ok(store("/no/new", "x") == -ENOENT &&
	   raw_path(&r, FS_MKDIR, "/no/dir") == -ENOENT, "no such directory");
	ok(raw_path(&r, FS_MKDIR, "/tmp") == -EEXIST &&
	   raw_file(&r, "/ro/file", NEW | FS_O_EXCLUSIVE) == -EEXIST &&
	   raw_file(&r, "/tmp", FS_O_WRITE) == -EISDIR &&
	   raw_file(&r, "/dev/null", NEW | FS_O_EXCLUSIVE) == -EEXIST, "exists");
	ok(!store("/tmp/a", "one") && holds("/tmp/a", "one") &&
	   !raw_path(&r, FS_MKDIR, "/tmp/d") &&
	   !raw_two(&r, FS_RENAME, "/tmp/a", "/tmp/d/b") &&
	   holds("/tmp/d/b", "one") && !strcmp(raw_list(&r, "/tmp/d"), "b "),
	   "in the RAM file system");
	ok(raw_two(&r, FS_RENAME, "/tmp/d/b", "/etc/b") == -EXDEV &&
	   raw_two(&r, FS_RENAME, "/tmp", "/etc/t") == -EBUSY &&
	   raw_two(&r, FS_RENAME, "/ro/file", "/ro/f") == -EBUSY &&
	   raw_path(&r, FS_UNLINK, "/tmp") == -EBUSY &&
	   raw_path(&r, FS_UNLINK, "/ro/file") == -EBUSY,
	   "what the config says stays where it is");
	ok(!raw_two(&r, FS_SYMLINK, "/tmp/l", "/ro/file") &&
	   holds("/tmp/l", "fixed\n"), "a link from one part to another");
}

/* A directory that several fill. */
static void test_union(void)
{
	ok(!strcmp(raw_list(&r, "/etc"), "motd hidden "), "before");
	ok(!store("/etc/own", "mine") && holds("/etc/own", "mine"), "new files go to the RAM file system");
	ok(store("/etc/motd", "x") == -EROFS && holds("/etc/motd", "welcome\n") &&
	   store("/etc/hidden", "x") == -EROFS,
	   "the first that has a name counts");
	ok(!strcmp(raw_list(&r, "/etc"), "motd own hidden "), "each name once: %s",
	   raw_list(&r, "/etc"));
}

static void test_confined(void)
{
	struct raw t;
	struct fs_stat st;

	ok(!raw_open(&t, &server, "tmp", "", RAM, 20) &&
	   !raw_stat(&t, "/d/b", &st) && raw_stat(&t, "/l", &st) == 0 &&
	   raw_file(&t, "/l", 0) == -ENOENT &&
	   raw_file(&t, "/../ro/file", 0) == -ENOENT,
	   "another name space: a part of it, and no way out");
	raw_close(&t);
}

/* A directory that takes several replies, however deep it is. */
static void test_many(const char *dir)
{
	char path[64], name[64];
	const char *all, *at;
	unsigned int once = 0;

	for (unsigned int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "%s/file number %u;", dir, i);
		raw_shut(&r, raw_file(&r, path, NEW));
	}
	all = raw_list(&r, dir);
	for (unsigned int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "file number %u;", i);
		at = strstr(all, name);
		once += at && !strstr(at + 1, name);
	}
	ok(once == 400, "400 entries in %s, each once: %u", dir, once);
}

/* Two files never have the same number, and a file has one. */
static void test_inodes(void)
{
	static const char *const paths[] = {
		"/", "/dev", "/dev/null", "/deep", "/deep/first", "/deep/er",
		"/deep/er/second", "/deep/er/est", "/deep/er/est/third", "/tmp",
		"/tmp/d", "/etc",
	};
	struct fs_stat st[12], again;
	unsigned int same = 0, steady = 0;

	for (unsigned int i = 0; i < 12; i++) {
		int64_t h = raw_file(&r, paths[i], 0);

		raw_stat(&r, paths[i], &st[i]);
		steady += !raw_call(&r, FS_FSTAT, &h, sizeof(h), &again,
				    sizeof(again)) && again.inode == st[i].inode;
		raw_shut(&r, h);
		for (unsigned int j = 0; j < i; j++)
			same += st[i].inode == st[j].inode;
	}
	ok(!same && steady == 12, "inode numbers: %u the same, %u steady", same,
	   steady);
}

/* Each level keeps something of what is open: the client pays for all. */
static void test_cost(void)
{
	const uint64_t one = (sizeof("/dev/null") + 64) * (1 + server.fs->weight);
	struct raw poor;

	raw_open(&poor, &server, "all", "", FS_SERVER_BOOKS + 2 * one, 20);
	ok(server.fs->weight == 4 && raw_file(&poor, "/dev/null", 0) >= 0 &&
	   raw_file(&poor, "/dev/null", 0) >= 0 &&
	   raw_file(&poor, "/dev/null", 0) == -EDQUOT, "paid for two handles");
	raw_close(&poor);
}

static void test_refused(void)
{
	static const char *const wrong[] = {
		"vfs\n+ dir\n-\n", "vfs\n+ dir a/b\n-\n", "vfs\n+ inline\n-\n",
		"vfs\n+ ram\n-\n", "vfs\n+ ram | size: much\n-\n",
		"vfs\n+ symlink a\n-\n", "vfs\n+ floppy a\n-\n",
		"vfs\n+ null ..\n-\n", "vfs\n+ null a | + ram | size: 1M\n-\n",
		"vfs\n+ tar a.tar\n-\n", "vfs\n+ fs | writeable: often\n-\n",
		"vfs\n+ fs | root: tmp\n-\n", "vfs\n+ terminal\n-\n",
		"vfs\n+ fs | root: /a, writeable=yes\n-\n",
		"vfs\n+ block d | partition: first\n-\n", "vfs\n+ block\n-\n",
	};
	static struct fs *kept[16];
	struct hid_error err;

	for (unsigned int i = 0; i < 16; i++) {
		kept[i] = vfs_make(parse(wrong[i]), &ep, &err);
		ok(!kept[i] && err.line == 2, "refused: %s", err.text);
	}
}

int main(void)
{
	const struct hid_node *config;
	struct hid_error err;
	struct fs *fs;

	ep_init(&ep);
	strcpy(fake_rom, "from a ROM");
	config = parse(text);
	fs = vfs_make(hid_first(config, "vfs"), &ep, &err);
	if (fs)
		fs_server_init(&server, &ep, fs, config);
	ok(fs && !raw_open(&r, &server, "all", "", RAM, 20) &&
	   !raw_stream(&r, 65536, -1), "a name space");
	test_read();
	test_devices();
	test_write();
	test_union();
	test_confined();
	test_many("/tmp");
	test_many("/deep/er/est");
	test_inodes();
	test_cost();
	raw_close(&r);
	ok(!server.sessions && fake_mappings == 0 && fake_open_fds() == 0,
	   "nothing is left open");
	test_refused();
	return tap_end();
}
