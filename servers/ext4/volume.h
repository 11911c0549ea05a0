/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mounted ext2, ext3 or ext4 volume, read-only, on any source of bytes.
 *
 * libext2fs reads superblock, group descriptors, inodes, extent trees and
 * indirect blocks and checks their checksums; what it does not check, or what
 * would let a damaged image run us in circles, is checked here. Everything on
 * the volume is untrusted: the answer is content or an error, in bounded time.
 *
 * All functions return 0 (or a count) or a negative errno:
 *   EUCLEAN	the image is damaged	EIO		it cannot be read
 *   EOPNOTSUPP	an unknown or encrypted feature	ENOMEM
 * and what is said with each.
 */
#ifndef EXT4_VOLUME_H
#define EXT4_VOLUME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>	/* ext2fs.h needs it first */
#include <ext2fs/ext2fs.h>
#include <session/file_system.h>

#define LINKS_MAX	40	/* symbolic links followed in one path */
#define DEPTH_MAX	512	/* directories in each other, in one path */
/* Directory blocks looked at in one operation: 2^16 hold millions of names. */
#define DIR_BLOCKS_MAX	65536

/* Where the bytes come from. */
struct source {
	uint64_t size;
	/* Copy @len bytes from byte @off, which the caller has checked. */
	int (*read)(void *ctx, uint64_t off, void *buf, uint32_t len);
	/* These bytes will probably be wanted next; NULL: not interested. */
	void (*prefetch)(void *ctx, uint64_t off, uint32_t len);
	void *ctx;
};

struct volume {
	const struct source *source;
	ext2_filsys fs;			/* NULL: not open */
	uint32_t work;			/* directory blocks looked at so far */
};

/* A piece of a file: @len blocks from file block @first are at @block. */
struct run {
	uint64_t first, len;
	uint64_t block;			/* 0: a hole, or never written */
};

/* A file, directory, ...: what is known of its inode. */
struct node {
	uint32_t ino;
	uint64_t size;			/* bytes; checked: <= INT64_MAX */
	struct ext2_inode_large inode;
	struct run run;			/* looked up last; len 0: none */
	uint64_t read_end;		/* where the last read ended */
};

/* --- volume.c ------------------------------------------------------------------ */

/* Mount what is on @source, which must stay. ENODEV: no ext2/3/4 superblock. */
int volume_open(struct volume *v, const struct source *source);
void volume_close(struct volume *v);
void volume_info(const struct volume *v, struct fs_info *info);
/* Errno for an error of libext2fs. */
int volume_error(errcode_t err);
/* Words for a negative errno, EUCLEAN included, which musl has none for. */
const char *volume_text(int err);

/* --- file.c --------------------------------------------------------------------- */

/* Read inode @ino and check it. */
int node_load(struct volume *v, uint32_t ino, struct node *node);
void node_stat(struct volume *v, const struct node *node, struct fs_stat *st);
int node_is_dir(const struct node *node);
int node_is_link(const struct node *node);

/* Where file block @lblk is: the run from @lblk on. */
int node_map(struct volume *v, struct node *node, uint64_t lblk,
	     struct run *run);

/* Content of an inode with inline data, INLINE_MAX bytes at most. Returns the
 * number of bytes in @buf. */
#define INLINE_MAX	(60 + 65536)
int node_inline(struct volume *v, const struct node *node, uint8_t *buf);
int node_has_inline(const struct node *node);

/* Read up to @len bytes from @off on; returns how many, less than @len only at
 * the end of the file. EISDIR, EINVAL (neither a file nor a link). */
int64_t node_read(struct volume *v, struct node *node, uint64_t off,
		  uint8_t *buf, uint32_t len);

/* Target of a symbolic link, NUL terminated; returns its length. EINVAL: not a
 * link, ENAMETOOLONG. @size <= 65536. */
int node_readlink(struct volume *v, struct node *node, char *buf, size_t size);

/* --- dir.c ------------------------------------------------------------------------ */

struct dir_entry {
	uint32_t ino;
	uint8_t type;			/* FS_TYPE_* */
	uint8_t name_len;		/* 1 .. 255 */
	const char *name;		/* no NUL, no '/' in it; not terminated */
	uint64_t next;			/* position of the entry after this one */
};

/* Called for each entry; nonzero ends the walk, which returns it. */
typedef int (*dir_fn)(void *ctx, const struct dir_entry *e);

/* Walk @dir from position @pos (0: begin; any number is safe). 0 at its end. */
int dir_walk(struct volume *v, struct node *dir, uint64_t pos, dir_fn fn,
	     void *ctx);
/* Inode of @name. ENOENT, ENOTDIR, ENAMETOOLONG. */
int dir_lookup(struct volume *v, struct node *dir, const char *name,
	       size_t len, uint32_t *ino);

/* --- path.c ------------------------------------------------------------------------- */

/*
 * Find @path, absolute within directory @root: neither ".." nor a symbolic link
 * leads out of it, because ".." is never read from the volume. @follow: follow a
 * symbolic link at the end. ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL (not
 * absolute).
 */
int path_resolve(struct volume *v, uint32_t root, const char *path, int follow,
		 struct node *node);

/* --- io.c ------------------------------------------------------------------------------ */

/* libext2fs's way to the source. One volume at a time may be in use. */
extern struct struct_io_manager ext4_io_manager;
void ext4_io_source(const struct source *source);

#endif
