// SPDX-License-Identifier: BSD-2-Clause
/* Reads volumes made by mke2fs and compares them with the tree they hold. */
/* test-sources: image.c ../../lib/test/fake_pith.c ../io.c ../volume.c ../file.c ../dir.c ../path.c */
/* test-libs: -lext2fs -lcom_err */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/test/fake_pith.h"
#include "image.h"

static struct image im;
static struct volume vol;
static const char *tree;
static unsigned int files, bad;
static uint8_t ours[2 << 20], theirs[2 << 20];

#define check(cond, ...) do {						\
	if (!(cond)) {							\
		bad++;							\
		printf("# " __VA_ARGS__);				\
		printf(" (line %d)\n", __LINE__);			\
	}								\
} while (0)

static void compare_content(const char *path, const char *host,
			    struct node *n, const struct stat *st)
{
	static const uint32_t steps[] = { 1 << 20, 4096, 1000, 131072 };
	FILE *f = fopen(host, "r");
	uint32_t step = steps[files % 4];
	uint64_t off = 0;
	int64_t got;

	check(f && fread(theirs, 1, sizeof(theirs), f) == (size_t)st->st_size,
	      "%s: cannot read", host);
	if (f)
		fclose(f);
	memset(ours, 0xaa, sizeof(ours));
	while ((got = node_read(&vol, n, off, ours + off, step)) > 0)
		off += got;
	check(got == 0 && off == (uint64_t)st->st_size &&
	      !memcmp(ours, theirs, off), "%s: content, %lld at %llu", path,
	      (long long)got, (unsigned long long)off);
	check(node_read(&vol, n, ~0ull, ours, 10) == 0, "%s: far behind", path);
	if (st->st_size > 10) {
		got = node_read(&vol, n, st->st_size - 5, ours, 100);
		check(got == 5 && !memcmp(ours, theirs + st->st_size - 5, 5),
		      "%s: last bytes", path);
	}
}

static void compare_link(const char *path, const char *host, struct node *n)
{
	char a[5000], b[5000];
	ssize_t len = readlink(host, b, sizeof(b));
	int ret = node_readlink(&vol, n, a, sizeof(a));

	check(ret == len && !memcmp(a, b, len), "%s: link %d %zd", path, ret,
	      len);
	check(node_readlink(&vol, n, a, len) == -ENAMETOOLONG,
	      "%s: link, small buffer", path);
}

static void compare_stat(const char *path, const struct node *n,
			 const struct stat *st)
{
	struct fs_stat s;

	node_stat(&vol, n, &s);
	check(s.mode == st->st_mode, "%s: mode %o %o", path, s.mode,
	      st->st_mode);
	check(s.uid == st->st_uid && s.gid == st->st_gid, "%s: owner", path);
	check(S_ISDIR(st->st_mode) || s.size == (uint64_t)st->st_size,
	      "%s: size", path);
	check(s.mtime == st->st_mtime ||
	      EXT2_INODE_SIZE(vol.fs->super) == 128, "%s: mtime %lld %lld",
	      path, (long long)s.mtime, (long long)st->st_mtime);
	check(S_ISDIR(st->st_mode) || s.links == st->st_nlink, "%s: links",
	      path);
}

struct listing {
	unsigned int count, left;
	uint64_t next;
	char names[1000][256];
	uint8_t types[1000];
};

static int list_entry(void *ctx, const struct dir_entry *e)
{
	struct listing *l = ctx;

	if (!l->left--)
		return 1;
	memcpy(l->names[l->count], e->name, e->name_len);
	l->names[l->count][e->name_len] = 0;
	l->types[l->count++] = e->type;
	l->next = e->next;
	return 0;
}

/* In pieces of @piece entries, as READDIR does. */
static int list(struct node *dir, struct listing *l, unsigned int piece)
{
	int ret;

	l->count = 0;
	l->next = 0;
	do {
		l->left = piece;
		ret = dir_walk(&vol, dir, l->next, list_entry, l);
	} while (ret == 1);
	return ret;
}

static int listed(const struct listing *l, const char *name, uint8_t type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->count; i++)
		if (!strcmp(l->names[i], name))
			n += l->types[i] == type;
	return n == 1;
}

static void compare(const char *path, const char *host);

static void compare_dir(const char *path, const char *host, struct node *n)
{
	static const uint8_t types[] = {
		[DT_REG] = FS_TYPE_FILE, [DT_DIR] = FS_TYPE_DIR,
		[DT_LNK] = FS_TYPE_LINK,
	};
	struct listing *l = malloc(sizeof(*l));
	DIR *d = opendir(host);
	struct dirent *e;
	unsigned int count = 0;
	int ret = list(n, l, 37);

	check(ret == 0, "%s: readdir %d", path, ret);
	while ((e = readdir(d))) {
		char sub[800], host_sub[800];

		count++;
		check(listed(l, e->d_name, types[e->d_type]), "%s: lacks %s",
		      path, e->d_name);
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		snprintf(host_sub, sizeof(host_sub), "%s/%s", host, e->d_name);
		compare(sub, host_sub);
	}
	if (!*path)
		count += listed(l, "lost+found", FS_TYPE_DIR);
	check(count == l->count, "%s: %u entries, not %u", path, l->count,
	      count);
	closedir(d);
	free(l);
}

static void compare(const char *path, const char *host)
{
	struct node n;
	struct stat st;
	int err = path_resolve(&vol, EXT2_ROOT_INO, *path ? path : "/", 0, &n);

	files++;
	check(!err, "%s: resolve %d", path, err);
	/* mke2fs 1.47.0 cuts this one short in the presence of inline data. */
	if (!strcmp(path, "/hole-end") &&
	    ext2fs_has_feature_inline_data(vol.fs->super))
		return;
	if (err || lstat(host, &st))
		return;
	if (*path)
		compare_stat(path, &n, &st);
	if (S_ISDIR(st.st_mode))
		compare_dir(path, host, &n);
	else if (S_ISLNK(st.st_mode))
		compare_link(path, host, &n);
	else
		compare_content(path, host, &n, &st);
}

static void resolves(const char *path, int follow, const char *to, int expect)
{
	struct node a, b;
	int err = path_resolve(&vol, EXT2_ROOT_INO, path, follow, &a);

	if (!expect)
		check(!err && !path_resolve(&vol, EXT2_ROOT_INO, to, 0, &b) &&
		      a.ino == b.ino, "%s: %d, not %s", path, err, to);
	else
		check(err == expect, "%s: %d, not %d", path, err, expect);
}

static void test_paths(void)
{
	char longest[FS_PATH_MAX + 10];

	resolves("/", 1, "/", 0);
	resolves("//a///b//", 1, "/a/b", 0);
	resolves("/./a/./b/.", 1, "/a/b", 0);
	resolves("/a/b/../b/c/../..", 1, "/a", 0);
	resolves("/../../..", 1, "/", 0);
	resolves("/../../a", 1, "/a", 0);
	resolves("/link", 1, "/file", 0);
	resolves("/link/", 1, "", -ENOTDIR);
	resolves("/absolute", 1, "/a/b/c/deep", 0);
	resolves("/long-link", 1, "", -ENOENT);
	resolves("/a/escape", 1, "", -ENOENT);
	resolves("/a/relative/deep", 0, "/a/b/c/deep", 0);
	resolves("/dirlink/b/c", 0, "/a/b/c", 0);
	resolves("/dirlink/", 0, "/a", 0);
	resolves("/slash", 1, "/a/b", 0);
	resolves("/slash/..", 1, "/a", 0);
	resolves("/loop1", 1, "", -ELOOP);
	resolves("/self", 1, "", -ELOOP);
	resolves("/self/x", 0, "", -ELOOP);
	resolves("/self", 0, "/self", 0);
	resolves("/chain5", 1, "/file", 0);
	resolves("/chain4", 1, "", -ELOOP);
	resolves("/dangling", 1, "", -ENOENT);
	resolves("/dangling", 0, "/dangling", 0);
	resolves("/file/x", 1, "", -ENOTDIR);
	resolves("/file/", 1, "", -ENOTDIR);
	resolves("/file/.", 1, "", -ENOTDIR);
	resolves("/nothing", 1, "", -ENOENT);
	resolves("/empty/nothing", 1, "", -ENOENT);
	resolves("a", 1, "", -EINVAL);
	resolves("", 1, "", -ENOENT);
	memset(longest, '/', sizeof(longest));
	longest[FS_PATH_MAX - 1] = 0;
	resolves(longest, 1, "/", 0);
	longest[FS_PATH_MAX - 1] = '/';
	longest[FS_PATH_MAX] = 0;
	resolves(longest, 1, "", -ENAMETOOLONG);
	memset(longest + 1, 'n', 256);
	longest[257] = 0;
	resolves(longest, 1, "", -ENAMETOOLONG);
}

/* A session whose root is /a. */
static void test_confined(void)
{
	struct node a, n;
	int err;

	path_resolve(&vol, EXT2_ROOT_INO, "/a", 1, &a);
	err = path_resolve(&vol, a.ino, "/..", 1, &n);
	check(!err && n.ino == a.ino, "root/.. is root");
	err = path_resolve(&vol, a.ino, "/b/c/../../../../file", 1, &n);
	check(err == -ENOENT, "/file is not reached: %d", err);
	err = path_resolve(&vol, a.ino, "/escape", 1, &n);
	check(err == -ENOENT, "nor by a link: %d", err);
	err = path_resolve(&vol, a.ino, "/b/c/deep", 1, &n);
	check(!err, "what is below is: %d", err);
}

static void test_positions(void)
{
	struct listing *l = malloc(sizeof(*l));
	struct node n;

	path_resolve(&vol, EXT2_ROOT_INO, "/small", 1, &n);
	for (uint64_t pos = 0; pos < 5000; pos++) {
		l->count = 0;
		l->left = 100;
		check(dir_walk(&vol, &n, pos, list_entry, l) == 0 &&
		      l->count <= 4, "position %llu",
		      (unsigned long long)pos);
	}
	l->count = 0;
	check(dir_walk(&vol, &n, ~0ull, list_entry, l) == 0 && !l->count,
	      "position 2^64 - 1");
	free(l);
}

static void test_image(const char *options, unsigned int kib, const char *type)
{
	struct fs_info info;
	int err;

	bad = 0;
	files = 0;
	if (image_make(&im, options, kib)) {
		ok(0, "mke2fs %s", options);
		return;
	}
	err = volume_open(&vol, &im.source);
	ok(!err, "mke2fs %s: open %d", options, err);
	if (err)
		return;
	compare("", tree);
	ok(!bad, "mke2fs %s: %u files as they should be", options, files);
	volume_info(&vol, &info);
	ok(!strcmp(info.type, type) && !strcmp(info.name, "Volume") &&
	   !strcmp(info.uuid, "01234567-89ab-cdef-0123-456789abcdef") &&
	   info.size <= im.size && info.size > im.size - 70000 &&
	   info.free < info.size && info.clean, "mke2fs %s: info %s",
	   options, info.type);
	bad = 0;
	test_paths();
	test_confined();
	test_positions();
	ok(!bad, "mke2fs %s: paths", options);
	im.fail = EIO;
	ext4_io_source(&im.source);
	struct node n;
	ok(path_resolve(&vol, EXT2_ROOT_INO, "/many/nothing", 1, &n) == -EIO,
	   "mke2fs %s: read error is EIO", options);
	volume_close(&vol);
	image_free(&im);
}

static void refused(const char *what, int expect)
{
	int err = volume_open(&vol, &im.source);

	ok(err == expect, "%s: %d", what, err);
	volume_close(&vol);
}

static struct ext2_super_block *super(void)
{
	return (struct ext2_super_block *)(im.bytes + 1024);
}

static void test_refused(void)
{
	uint64_t size;

	image_make(&im, "-t ext4 -O ^metadata_csum", 8192);
	refused("as it is", 0);
	super()->s_feature_incompat |= 0x80000000;
	refused("unknown feature", -EOPNOTSUPP);
	super()->s_feature_incompat &= ~0x80000000;
	super()->s_feature_incompat |= EXT3_FEATURE_INCOMPAT_RECOVER;
	ok(!volume_open(&vol, &im.source), "journal to be replayed: opens");
	struct fs_info info;
	volume_info(&vol, &info);
	ok(!info.clean, "and is not clean");
	volume_close(&vol);
	super()->s_magic ^= 1;
	refused("no magic", -ENODEV);
	super()->s_magic ^= 1;
	super()->s_blocks_count += 1;
	refused("one block larger than the source", -EUCLEAN);
	super()->s_blocks_count = ~0u;
	refused("2^32 blocks", -EUCLEAN);
	super()->s_blocks_count = im.size / 1024;
	super()->s_log_block_size = 50;
	refused("blocks of 2^60 bytes", -EUCLEAN);
	image_free(&im);

	image_make(&im, "-t ext4", 8192);
	super()->s_free_blocks_count ^= 1;
	refused("superblock checksum", -EUCLEAN);
	super()->s_free_blocks_count ^= 1;
	im.fail = EIO;
	refused("unreadable", -EIO);
	im.fail = 0;
	size = im.source.size;
	im.source.size = 2047;
	refused("source of 2047 bytes", -ENODEV);
	im.source.size = 0;
	refused("source of no bytes", -ENODEV);
	im.source.size = size / 2;
	refused("source cut in half", -EUCLEAN);
	image_free(&im);
}

int main(void)
{
	tree = tree_make();
	test_image("-t ext4 -b 4096", 16384, "ext4");
	test_image("-t ext4 -b 1024", 16384, "ext4");
	test_image("-t ext4 -b 4096 -O inline_data,^has_journal", 16384, "ext4");
	test_image("-t ext4 -b 1024 -I 256 -O inline_data,^has_journal", 16384,
		   "ext4");
	test_image("-t ext4 -b 2048 -O 64bit,bigalloc,^has_journal -C 16384",
		   65536, "ext4");
	test_image("-t ext4 -b 4096 -O ^metadata_csum,^64bit", 16384, "ext4");
	test_image("-t ext4 -b 65536", 262144, "ext4");
	test_image("-t ext3 -b 4096", 16384, "ext3");
	test_image("-t ext3 -b 1024 -I 128", 16384, "ext3");
	test_image("-t ext2 -b 1024", 16384, "ext2");
	test_image("-t ext2 -b 4096 -I 128", 16384, "ext2");
	test_refused();
	tree_remove();
	return tap_end();
}
