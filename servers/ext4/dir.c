// SPDX-License-Identifier: BSD-2-Clause
/*
 * Directories. Hash trees are not used: their inner nodes look like empty
 * entries to a linear walk, which finds every name.
 *
 * A position is the byte offset of an entry. It comes from a client, so the walk
 * starts at the begin of the block (or region) it is in, and goes on from the
 * first entry that is not before it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume.h"

#define ENTRY_HEADER	8u	/* bytes before the name */
/* Inline: the inode of the parent, then entries in two regions: the rest of
 * i_block, and an attribute's value. */
#define INLINE_DOTDOT	4u
#define INLINE_FIRST	60u

static uint8_t entry_type(const struct volume *v,
			  const struct ext2_dir_entry *d)
{
	static const uint8_t types[EXT2_FT_MAX] = {
		[EXT2_FT_UNKNOWN] = FS_TYPE_UNKNOWN,
		[EXT2_FT_REG_FILE] = FS_TYPE_FILE,
		[EXT2_FT_DIR] = FS_TYPE_DIR,
		[EXT2_FT_CHRDEV] = FS_TYPE_CHAR,
		[EXT2_FT_BLKDEV] = FS_TYPE_BLOCK,
		[EXT2_FT_FIFO] = FS_TYPE_FIFO,
		[EXT2_FT_SOCK] = FS_TYPE_SOCKET,
		[EXT2_FT_SYMLINK] = FS_TYPE_LINK,
	};
	/* Bits above the type belong to the checksum's tail and casefolding. */
	int type = ext2fs_dirent_file_type(d) & 7;

	if (!ext2fs_has_feature_filetype(v->fs->super))
		return FS_TYPE_UNKNOWN;
	return types[type];
}

static int name_valid(const char *name, unsigned int len)
{
	return len && !memchr(name, '/', len) && !memchr(name, 0, len);
}

/*
 * Walk the entries in @size bytes at @buf, whose first one has position @base.
 * Each must lie in them, with its name; they must fill them.
 */
static int walk_entries(struct volume *v, const uint8_t *buf, uint32_t size,
			uint64_t base, uint64_t pos, dir_fn fn, void *ctx)
{
	uint32_t off = 0, rec_len = 0;

	for (; off < size; off += rec_len) {
		const void *at = buf + off;
		struct ext2_dir_entry *d = (struct ext2_dir_entry *)at;
		struct dir_entry e;
		int ret;

		if (size - off < ENTRY_HEADER ||
		    ext2fs_get_rec_len(v->fs, d, &rec_len) ||
		    rec_len < ENTRY_HEADER || rec_len & 3 ||
		    rec_len > size - off)
			return -EUCLEAN;
		e.ino = ext2fs_le32_to_cpu(d->inode);
		e.name_len = ext2fs_dirent_name_len(d);
		if (e.name_len > rec_len - ENTRY_HEADER)
			return -EUCLEAN;
		if (!e.ino || base + off < pos)
			continue;
		e.name = d->name;
		if (!name_valid(e.name, e.name_len) ||
		    e.ino > v->fs->super->s_inodes_count)
			return -EUCLEAN;
		e.type = entry_type(v, d);
		e.next = base + off + rec_len;
		ret = fn(ctx, &e);
		if (ret)
			return ret;
	}
	return 0;
}

static int walk_block(struct volume *v, struct node *dir, uint64_t lblk,
		      uint8_t *buf, uint64_t pos, dir_fn fn, void *ctx)
{
	uint32_t bs = v->fs->blocksize;
	struct run run;
	errcode_t err;
	int ret;

	ret = node_map(v, dir, lblk, &run);
	if (ret)
		return ret;
	if (++v->work > DIR_BLOCKS_MAX)
		return -EUCLEAN;
	if (!run.block)		/* directories have no holes */
		return -EUCLEAN;
	/* Checks the block's checksum. */
	err = ext2fs_read_dir_block4(v->fs, run.block, buf, 0, dir->ino);
	if (err)
		return volume_error(err);
	return walk_entries(v, buf, bs, lblk * bs, pos, fn, ctx);
}

static int walk_blocks(struct volume *v, struct node *dir, uint64_t pos,
		       dir_fn fn, void *ctx)
{
	uint32_t bs = v->fs->blocksize;
	uint64_t blocks = dir->size / bs;
	uint8_t *buf;
	int ret = 0;

	if (dir->size % bs)
		return -EUCLEAN;
	buf = malloc(bs);
	if (!buf)
		return -ENOMEM;
	for (uint64_t lblk = pos / bs; !ret && lblk < blocks; lblk++)
		ret = walk_block(v, dir, lblk, buf, pos, fn, ctx);
	free(buf);
	return ret;
}

/* "." and ".." are not stored; they take positions 0 and 2. */
static int walk_dots(const struct node *dir, const uint8_t *buf, uint64_t pos,
		     dir_fn fn, void *ctx)
{
	struct dir_entry e = {
		.ino = dir->ino, .type = FS_TYPE_DIR,
		.name = ".", .name_len = 1, .next = 2,
	};
	uint32_t parent;
	int ret = pos ? 0 : fn(ctx, &e);

	if (ret || pos > 2)
		return ret;
	memcpy(&parent, buf, sizeof(parent));
	e.ino = ext2fs_le32_to_cpu(parent);
	e.name = "..";
	e.name_len = 2;
	e.next = INLINE_DOTDOT;
	return fn(ctx, &e);
}

static int walk_inline(struct volume *v, struct node *dir, uint64_t pos,
		       dir_fn fn, void *ctx)
{
	uint8_t *buf = malloc(INLINE_MAX);
	int ret, size;

	if (!buf)
		return -ENOMEM;
	ret = size = node_inline(v, dir, buf);
	if (size < 0)
		goto out;
	ret = walk_dots(dir, buf, pos, fn, ctx);
	if (!ret)
		ret = walk_entries(v, buf + INLINE_DOTDOT,
				   INLINE_FIRST - INLINE_DOTDOT, INLINE_DOTDOT,
				   pos, fn, ctx);
	if (!ret)
		ret = walk_entries(v, buf + INLINE_FIRST, size - INLINE_FIRST,
				   INLINE_FIRST, pos, fn, ctx);
out:
	free(buf);
	return ret;
}

static int walk(struct volume *v, struct node *dir, uint64_t pos, dir_fn fn,
		void *ctx)
{
	if (!node_is_dir(dir))
		return -ENOTDIR;
	if (dir->inode.i_flags & EXT4_ENCRYPT_FL)
		return -EOPNOTSUPP;
	if (node_has_inline(dir))
		return walk_inline(v, dir, pos, fn, ctx);
	return walk_blocks(v, dir, pos, fn, ctx);
}

int dir_walk(struct volume *v, struct node *dir, uint64_t pos, dir_fn fn,
	     void *ctx)
{
	v->work = 0;
	return walk(v, dir, pos, fn, ctx);
}

struct lookup {
	const char *name;
	size_t len;
	uint32_t ino;
};

static int lookup_entry(void *ctx, const struct dir_entry *e)
{
	struct lookup *l = ctx;

	if (e->name_len != l->len || memcmp(e->name, l->name, l->len))
		return 0;
	l->ino = e->ino;
	return 1;
}

int dir_lookup(struct volume *v, struct node *dir, const char *name,
	       size_t len, uint32_t *ino)
{
	struct lookup l = { name, len, 0 };
	int ret;

	if (len > EXT2_NAME_LEN)
		return -ENAMETOOLONG;
	ret = walk(v, dir, 0, lookup_entry, &l);
	if (ret < 0)
		return ret;
	*ino = l.ino;
	return ret ? 0 : -ENOENT;
}
