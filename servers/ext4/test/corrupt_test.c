// SPDX-License-Identifier: BSD-2-Clause
/*
 * Damaged volumes: bytes of the superblock, group descriptors, inode table,
 * directories and anything else are changed by fixed seeds. All that a client
 * can ask is then asked: the answer is content or an error, soon.
 * With an argument: that many mutations of each image instead of the usual.
 */
/* test-sources: image.c ../../lib/test/fake_pith.c ../io.c ../volume.c ../file.c ../dir.c ../path.c */
/* test-libs: -lext2fs -lcom_err */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/test/fake_pith.h"
#include "image.h"

#define NODES_MAX	900	/* looked at in one volume */
#define SECONDS_MAX	20	/* for one volume; most need a millisecond */

static struct image im;
static struct volume vol;
static unsigned int nodes, errors, unknown_errors, opened;
static uint64_t table;		/* byte offset of the inode table */
static uint32_t bs;		/* block size */
static uint32_t rnd;
static uint8_t buf[65536];

static uint32_t next(void)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	rnd ^= rnd << 5;
	return rnd;
}

static void result(int64_t ret)
{
	if (ret >= 0)
		return;
	errors++;
	switch (ret) {
	case -EUCLEAN:
	case -EOPNOTSUPP:
	case -ENODEV:
	case -EIO:
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EINVAL:
	case -EISDIR:
		return;
	}
	printf("# error %lld\n", (long long)ret);
	unknown_errors++;
}

static void visit(uint32_t ino, unsigned int depth);

struct children {
	uint32_t ino[64];
	unsigned int count;
};

static int child(void *ctx, const struct dir_entry *e)
{
	struct children *c = ctx;

	if (!e->name_len || memchr(e->name, '/', e->name_len))
		abort();
	if (e->name[0] != '.' && c->count < 64)
		c->ino[c->count++] = e->ino;
	return 0;
}

static void visit_dir(struct node *n, unsigned int depth)
{
	struct children c = { .count = 0 };

	result(dir_walk(&vol, n, 0, child, &c));
	result(dir_walk(&vol, n, next() % 70000, child, &c));
	for (unsigned int i = 0; i < c.count && depth < 5; i++)
		visit(c.ino[i], depth + 1);
}

static void visit(uint32_t ino, unsigned int depth)
{
	struct fs_stat st;
	struct node n;
	int err;

	if (nodes++ > NODES_MAX)
		return;
	err = node_load(&vol, ino, &n);
	result(err);
	if (err)
		return;
	node_stat(&vol, &n, &st);
	if (node_is_dir(&n)) {
		visit_dir(&n, depth);
		return;
	}
	result(node_readlink(&vol, &n, (char *)buf, 4096));
	result(node_read(&vol, &n, 0, buf, sizeof(buf)));
	result(node_read(&vol, &n, n.size / 2 + next() % 9000, buf, 20000));
	result(node_read(&vol, &n, n.size - 100, buf, 1000));
	result(node_read(&vol, &n, (uint64_t)next() << 13, buf, 10));
}

static void explore(void)
{
	static const char *const paths[] = {
		"/", "/a/b/c/deep", "/many/file number 00699 with a long name",
		"/link", "/dirlink/b/c", "/chain20", "/a/escape", "/long-link",
	};
	struct fs_info info;
	struct node n;
	int err;

	nodes = 0;
	err = volume_open(&vol, &im.source);
	result(err);
	if (err)
		return;
	opened++;
	volume_info(&vol, &info);
	for (unsigned int i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		result(path_resolve(&vol, EXT2_ROOT_INO, paths[i], 1, &n));
	visit(EXT2_ROOT_INO, 0);
	volume_close(&vol);
}

/* Where the next change goes. */
static uint64_t place(void)
{
	switch (next() % 6) {
	case 0:
		return 1024 + next() % 0x170;		/* superblock */
	case 1:
		return (bs == 1024 ? 2048 : bs) + next() % 128;	/* groups */
	case 2:
	case 3:		/* the first inodes, those of the tree */
		return table + next() % (40 * 256);
	case 4:		/* all of the table and what follows it */
		return table + next() % (1 << 20);
	default:
		return next() % im.size;
	}
}

static uint8_t value(uint8_t old)
{
	switch (next() % 4) {
	case 0:
		return old ^ 1 << next() % 8;
	case 1:
		return 0xff;
	case 2:
		return 0;
	default:
		return next();
	}
}

static void mutate(unsigned int seed)
{
	struct { uint64_t at; uint8_t old; } undo[16];
	unsigned int n, i;

	rnd = seed * 2654435761u + 1;
	next();
	n = 1 + next() % 16;
	for (i = 0; i < n; i++) {
		undo[i].at = place() % im.size;
		undo[i].old = im.bytes[undo[i].at];
		im.bytes[undo[i].at] = value(undo[i].old);
	}
	alarm(SECONDS_MAX);
	explore();
	alarm(0);
	while (i--)
		im.bytes[undo[i].at] = undo[i].old;
}

static void test_image(const char *options, unsigned int count)
{
	struct timespec a, b;
	int err;

	if (image_make(&im, options, 8192)) {
		ok(0, "mke2fs %s", options);
		return;
	}
	opened = errors = unknown_errors = 0;
	err = volume_open(&vol, &im.source);
	bs = err ? 1024 : vol.fs->blocksize;
	if (!err)
		table = ext2fs_inode_table_loc(vol.fs, 0) * bs;
	volume_close(&vol);
	explore();
	ok(!err && opened == 1, "mke2fs %s", options);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned int i = 0; i < count; i++)
		mutate(i);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ok(errors > count / 4, "%u mutations, %u opened, %u errors, %lld s",
	   count, opened, errors, (long long)(b.tv_sec - a.tv_sec));
	ok(!unknown_errors, "each error is one that clients know");
	image_free(&im);
}

/* Changes that are known to be dangerous, one by one. */
static void set_inode(unsigned int ino, unsigned int offset, const void *bytes,
		      unsigned int len)
{
	memcpy(im.bytes + table + (ino - 1) * 128 + offset, bytes, len);
}

static int64_t read_by_path(const char *path)
{
	struct node n;
	int64_t ret;

	ret = volume_open(&vol, &im.source);
	if (!ret)
		ret = path_resolve(&vol, EXT2_ROOT_INO, path, 1, &n);
	if (!ret)
		ret = node_read(&vol, &n, 0, buf, 5000);
	volume_close(&vol);
	return ret;
}

static uint32_t ino_of(const char *path)
{
	struct node n = { 0 };

	volume_open(&vol, &im.source);
	path_resolve(&vol, EXT2_ROOT_INO, path, 1, &n);
	table = ext2fs_inode_table_loc(vol.fs, 0) * vol.fs->blocksize;
	volume_close(&vol);
	return n.ino;
}

static void test_known(void)
{
	static const char *const options =
		"-t ext4 -b 1024 -I 128 -O ^metadata_csum,^has_journal";
	uint16_t depth = 65535;
	uint32_t huge[15], ino;

	memset(huge, 0xff, sizeof(huge));
	image_make(&im, options, 8192);
	ino = ino_of("/file");
	ok(read_by_path("/file") == 5000, "file is read");
	set_inode(ino, 40 + 6, &depth, 2);
	ok(read_by_path("/file") == -EUCLEAN, "extent tree 65535 deep");
	image_free(&im);

	image_make(&im, options, 8192);
	set_inode(ino, 40, huge, 60);
	ok(read_by_path("/file") == -EUCLEAN, "garbage for an extent header");
	image_free(&im);

	image_make(&im, options, 8192);
	set_inode(ino, 40 + 12 + 8, huge, 4);
	ok(read_by_path("/file") == -EUCLEAN, "extent behind the volume");
	image_free(&im);

	image_make(&im, options, 8192);
	set_inode(ino_of("/a/b"), 0, huge, 2);
	ok(read_by_path("/a/b/c/deep") == -EUCLEAN, "unknown type");
	image_free(&im);

	image_make(&im, options, 8192);
	set_inode(ino_of("/a"), 4, huge, 4);
	ok(read_by_path("/a/nothing") == -EUCLEAN, "directory of 4 GiB");
	image_free(&im);

	image_make(&im, options, 8192);
	memset(im.bytes + table, 0xff, 128 * 64);
	ok(read_by_path("/file") == -EUCLEAN, "inode table full of garbage");
	image_free(&im);

	image_make(&im, "-t ext4 -b 1024", 8192);
	ino_of("/");
	memset(im.bytes + table, 0xff, 256 * 64);
	ok(read_by_path("/file") == -EUCLEAN, "the same with checksums");
	image_free(&im);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? atoi(argv[1]) : 300;

	fake_quiet = 1;
	tree_make();
	test_known();
	test_image("-t ext4 -b 1024 -O ^metadata_csum,^has_journal", count);
	test_image("-t ext4 -b 4096 -O ^metadata_csum,^has_journal,inline_data",
		   count);
	test_image("-t ext4 -b 1024 -O ^has_journal", count / 2);
	test_image("-t ext4 -b 1024 -O ^metadata_csum,^has_journal,inline_data,ea_inode",
		   count);
	test_image("-t ext2 -b 1024", count);
	test_image("-t ext2 -b 4096 -I 128", count);
	tree_remove();
	return tap_end();
}
