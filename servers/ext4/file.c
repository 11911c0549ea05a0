// SPDX-License-Identifier: BSD-2-Clause
/* Inodes and their content: see volume.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume.h"

/* Deeper extent trees than this are not needed for any file. */
#define EXTENT_DEPTH_MAX	5
/* Blocks looked up at once in a file without extents. */
#define BMAP_AHEAD		256
#define PREFETCH_BYTES		(256u * 1024)

#define FILE_BLOCKS_MAX		0xffffffffull	/* a file block number: 32 bit */

static struct ext2_inode *small(const struct node *node)
{
	return (struct ext2_inode *)&node->inode;
}

/* --- inode --------------------------------------------------------------------- */

static int type_known(uint16_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
	case LINUX_S_IFDIR:
	case LINUX_S_IFLNK:
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
	case LINUX_S_IFIFO:
	case LINUX_S_IFSOCK:
		return 1;
	}
	return 0;
}

static int ino_valid(const struct volume *v, uint32_t ino)
{
	struct ext2_super_block *s = v->fs->super;

	return ino == EXT2_ROOT_INO ||
	       (ino >= EXT2_FIRST_INODE(s) && ino <= s->s_inodes_count);
}

int node_load(struct volume *v, uint32_t ino, struct node *node)
{
	errcode_t err;

	memset(node, 0, sizeof(*node));
	if (!ino_valid(v, ino))
		return -EUCLEAN;
	node->ino = ino;
	err = ext2fs_read_inode_full(v->fs, ino, small(node),
				     sizeof(node->inode));
	if (err)
		return volume_error(err);
	node->size = EXT2_I_SIZE(&node->inode);
	if (node_is_dir(node) && !ext2fs_has_feature_largedir(v->fs->super))
		node->size = node->inode.i_size;
	if (!type_known(node->inode.i_mode) || !node->inode.i_links_count ||
	    node->size > INT64_MAX)
		return -EUCLEAN;
	return 0;
}

int node_is_dir(const struct node *node)
{
	return LINUX_S_ISDIR(node->inode.i_mode);
}

int node_is_link(const struct node *node)
{
	return LINUX_S_ISLNK(node->inode.i_mode);
}

int node_has_inline(const struct node *node)
{
	return !!(node->inode.i_flags & EXT4_INLINE_DATA_FL);
}

/* Seconds, with the two bits more that large inodes have. */
static int64_t seconds(const struct volume *v, const struct node *node,
		       uint32_t low, uint32_t extra, size_t extra_end)
{
	int64_t t = (int32_t)low;

	if (EXT2_INODE_SIZE(v->fs->super) > EXT2_GOOD_OLD_INODE_SIZE &&
	    EXT2_GOOD_OLD_INODE_SIZE + (size_t)node->inode.i_extra_isize >=
	    extra_end)
		t += (int64_t)(extra & 3) << 32;
	return t;
}

#define SECONDS(v, node, which) \
	seconds(v, node, (node)->inode.i_##which, \
		(node)->inode.i_##which##_extra, \
		offsetof(struct ext2_inode_large, i_##which##_extra) + 4)

void node_stat(struct volume *v, const struct node *node, struct fs_stat *st)
{
	const struct ext2_inode_large *i = &node->inode;

	memset(st, 0, sizeof(*st));
	st->inode = node->ino;
	st->size = node->size;
	st->blocks = ext2fs_get_stat_i_blocks(v->fs, small(node));
	st->mode = i->i_mode;
	st->links = i->i_links_count;
	st->uid = inode_uid(*i);
	st->gid = inode_gid(*i);
	st->mtime = SECONDS(v, node, mtime);
	st->ctime = SECONDS(v, node, ctime);
	st->atime = SECONDS(v, node, atime);
}

/* --- where its blocks are -------------------------------------------------------- */

static int run_valid(const struct volume *v, const struct run *r)
{
	uint64_t blocks = ext2fs_blocks_count(v->fs->super);

	return !r->block || (r->block >= v->fs->super->s_first_data_block &&
			     r->block < blocks && r->len <= blocks - r->block);
}

/* The extent that holds @lblk, or a hole of one block. */
static errcode_t extent_find(ext2_extent_handle_t h, uint64_t lblk,
			     struct run *run)
{
	struct ext2fs_extent e;
	errcode_t err;

	*run = (struct run) { lblk, 1, 0 };
	err = ext2fs_extent_goto(h, lblk);
	if (err == EXT2_ET_EXTENT_NOT_FOUND)
		return 0;
	if (!err)
		err = ext2fs_extent_get(h, EXT2_EXTENT_CURRENT, &e);
	if (err)
		return err;
	if (lblk < e.e_lblk || lblk - e.e_lblk >= e.e_len)
		return EXT2_ET_EXTENT_LEAF_BAD;
	run->len = e.e_len - (lblk - e.e_lblk);
	if (e.e_flags & EXT2_EXTENT_FLAGS_UNINIT)
		return 0;
	run->block = e.e_pblk + (lblk - e.e_lblk);
	/* Block 0 would read as a hole; no file has it. */
	return run->block ? 0 : EXT2_ET_EXTENT_LEAF_BAD;
}

static int map_extents(struct volume *v, struct node *node, uint64_t lblk,
		       struct run *run)
{
	struct ext3_extent_header eh;
	ext2_extent_handle_t h;
	errcode_t err;

	/* libext2fs allocates by the depth before it believes it. */
	memcpy(&eh, node->inode.i_block, sizeof(eh));
	if (ext2fs_le16_to_cpu(eh.eh_depth) > EXTENT_DEPTH_MAX)
		return -EUCLEAN;
	err = ext2fs_extent_open2(v->fs, node->ino, small(node), &h);
	if (err)
		return volume_error(err);
	err = extent_find(h, lblk, run);
	ext2fs_extent_free(h);
	return err ? volume_error(err) : 0;
}

/* Neighbouring blocks, or a hole, as far as they go. */
static int map_blocks(struct volume *v, struct node *node, uint64_t lblk,
		      struct run *run)
{
	*run = (struct run) { lblk, 0, 0 };
	while (run->len < BMAP_AHEAD && lblk + run->len <= FILE_BLOCKS_MAX) {
		blk64_t b = 0;
		errcode_t err;

		err = ext2fs_bmap2(v->fs, node->ino, small(node), NULL, 0,
				   lblk + run->len, NULL, &b);
		if (err && run->len)
			break;		/* good so far */
		if (err)
			return volume_error(err);
		if (!run->len)
			run->block = b;
		else if (b != (run->block ? run->block + run->len : 0))
			break;
		run->len++;
	}
	return run->len ? 0 : -EUCLEAN;
}

int node_map(struct volume *v, struct node *node, uint64_t lblk,
	     struct run *run)
{
	const struct run *r = &node->run;
	uint64_t skip = lblk - r->first;
	int err;

	if (lblk > FILE_BLOCKS_MAX)
		return -EUCLEAN;
	if (lblk < r->first || skip >= r->len) {
		if (node->inode.i_flags & EXT4_EXTENTS_FL)
			err = map_extents(v, node, lblk, &node->run);
		else
			err = map_blocks(v, node, lblk, &node->run);
		if (!err && !run_valid(v, &node->run))
			err = -EUCLEAN;
		if (err) {
			node->run.len = 0;
			return err;
		}
		skip = 0;
	}
	*run = (struct run) {
		lblk, r->len - skip, r->block ? r->block + skip : 0
	};
	return 0;
}

/* --- content ---------------------------------------------------------------------- */

int node_inline(struct volume *v, const struct node *node, uint8_t *buf)
{
	size_t size = 0;
	errcode_t err;

	/* An attribute's value has 64 KiB at most, so @buf is large enough. */
	err = ext2fs_inline_data_get(v->fs, node->ino, small(node), buf, &size);
	if (err)
		return volume_error(err);
	return size <= INLINE_MAX ? (int)size : -EUCLEAN;
}

static int64_t read_inline(struct volume *v, struct node *node, uint64_t off,
			   uint8_t *buf, uint32_t len)
{
	uint8_t *all = malloc(INLINE_MAX);
	int size;

	if (!all)
		return -ENOMEM;
	size = node_inline(v, node, all);
	if (size >= 0 && node->size > (uint64_t)size)
		size = -EUCLEAN;
	if (size >= 0)
		memcpy(buf, all + off, len);
	free(all);
	return size < 0 ? size : (int64_t)len;
}

/* If the file is read in order, have what follows in the same run fetched. */
static void read_ahead(struct volume *v, const struct run *run, uint64_t in)
{
	const struct source *s = v->source;
	uint64_t left = run->len * v->fs->blocksize - in;

	if (s->prefetch && run->block && left)
		s->prefetch(s->ctx, run->block * v->fs->blocksize + in,
			    left < PREFETCH_BYTES ? left : PREFETCH_BYTES);
}

static int read_runs(struct volume *v, struct node *node, uint64_t off,
		     uint8_t *buf, uint32_t len)
{
	const struct source *s = v->source;
	int in_order = off == node->read_end;
	uint32_t bs = v->fs->blocksize;

	while (len) {
		uint64_t in = off % bs, n;
		struct run run;
		int err = node_map(v, node, off / bs, &run);

		if (err)
			return err;
		n = run.len * bs - in;
		if (n > len)
			n = len;
		if (!run.block)
			memset(buf, 0, n);
		else
			err = s->read(s->ctx, run.block * bs + in, buf, n);
		if (err)
			return err;
		buf += n;
		off += n;
		len -= n;
		if (!len && in_order)
			read_ahead(v, &run, in + n);
	}
	node->read_end = off;
	return 0;
}

int64_t node_read(struct volume *v, struct node *node, uint64_t off,
		  uint8_t *buf, uint32_t len)
{
	int err;

	if (node_is_dir(node))
		return -EISDIR;
	if (!LINUX_S_ISREG(node->inode.i_mode) && !node_is_link(node))
		return -EINVAL;
	if (node->inode.i_flags & EXT4_ENCRYPT_FL)
		return -EOPNOTSUPP;
	if (off >= node->size)
		return 0;
	if (len > node->size - off)
		len = node->size - off;
	if (node_has_inline(node))
		return read_inline(v, node, off, buf, len);
	err = read_runs(v, node, off, buf, len);
	return err ? err : (int64_t)len;
}

int node_readlink(struct volume *v, struct node *node, char *buf, size_t size)
{
	int64_t len;

	if (!node_is_link(node))
		return -EINVAL;
	if (node->size >= size)
		return -ENAMETOOLONG;
	if (!node_has_inline(node) && ext2fs_is_fast_symlink(small(node)) &&
	    !(node->inode.i_flags & (EXT4_EXTENTS_FL | EXT4_ENCRYPT_FL))) {
		len = node->size;
		memcpy(buf, node->inode.i_block, len);
	} else {
		len = node_read(v, node, 0, (uint8_t *)buf, node->size);
	}
	if (len < 0)
		return len;
	buf[len] = 0;
	/* As Linux does, a NUL ends it; an empty one leads nowhere. */
	len = strlen(buf);
	return len ? (int)len : -EUCLEAN;
}
