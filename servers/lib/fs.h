/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file system as a set of functions: what fs_server.c offers as File_system
 * sessions and vfs.c puts together to name spaces.
 *
 * Paths are canonical: "" is the root, all others are "/name/name", without ".",
 * "..", empty names or a slash at the end; names are shorter than FS_NAME_MAX and
 * paths than FS_PATH_MAX. No function follows a symbolic link: who calls has
 * done that, with readlink(), so links cannot lead out of what the caller sees.
 *
 * Functions return 0 or more, or a negative errno of session/file_system.h, and
 * have then changed nothing. Those that may be NULL: what changes something
 * (EROFS), readlink (there are no links), sync (nothing to do), watch and unwatch
 * (nothing changes here that did not come through these functions).
 */
#ifndef FS_H
#define FS_H

#include <stdbool.h>
#include <stddef.h>
#include <session/file_system.h>

struct fs {
	const struct fs_ops *ops;
	/* What is open takes that many times its path and 64 bytes; or a watch. */
	unsigned int weight;
	/* Its functions may wait on an entrypoint of their own: who calls them
	 * saves the reply that it owes first (pith_reply_wait()). */
	bool waits;
	/* Set by who uses it, if at all: called when something changes by itself
	 * at @path, but never from inside a function of this file system. */
	void (*changed)(void *ctx, const char *path);
	void *changed_ctx;
};

struct fs_entry {
	const char *name;
	uint8_t type;		/* FS_TYPE_* */
	uint64_t inode;
	uint64_t next;		/* position of what follows, > 0 */
};
/* Returns true if it has no room for @e, which is then given again. */
typedef bool (*fs_entry_fn)(void *ctx, const struct fs_entry *e);

struct fs_ops {
	int (*stat)(struct fs *fs, const char *path, struct fs_stat *st);
	/* Any node but a link (ELOOP); @flags: FS_O_*, checked for sense. */
	int (*open)(struct fs *fs, const char *path, uint32_t flags,
		    void **file);
	void (*close)(struct fs *fs, void *file);
	int (*fstat)(struct fs *fs, void *file, struct fs_stat *st);
	/* @len > 0, @offset + @len fits in 63 bits; @data is shared with the
	 * client. How many bytes. */
	int64_t (*read)(struct fs *fs, void *file, uint64_t offset, void *data,
			size_t len);
	int64_t (*write)(struct fs *fs, void *file, uint64_t offset,
			 const void *data, size_t len);
	int (*truncate)(struct fs *fs, void *file, uint64_t size);
	int (*sync)(struct fs *fs, void *file);
	/* Entries from @position on, without "." and "..", until @fn has no room:
	 * 1, or 0 after the last. */
	int (*readdir)(struct fs *fs, void *file, uint64_t position,
		       fs_entry_fn fn, void *ctx);
	/* Target into @buf, without NUL: its length. EINVAL: no link. */
	int (*readlink)(struct fs *fs, const char *path, char *buf, size_t size);
	int (*mkdir)(struct fs *fs, const char *path);
	int (*symlink)(struct fs *fs, const char *path, const char *target);
	int (*unlink)(struct fs *fs, const char *path);
	int (*rename)(struct fs *fs, const char *from, const char *to);
	void (*info)(struct fs *fs, struct fs_info *info);
	/* Be told with fs->changed of what happens at @path, where there need be
	 * nothing now. Told more than that is no error. */
	int (*watch)(struct fs *fs, const char *path, void **watch);
	void (*unwatch)(struct fs *fs, void *watch);
};

static inline void fs_tell(struct fs *fs, const char *path)
{
	if (fs->changed)
		fs->changed(fs->changed_ctx, path);
}

#define FS_LINKS_MAX	40	/* followed in one path */

/* How a path is walked. */
enum fs_walk {
	FS_FOLLOW = 1,		/* the last name too, if it is a link */
	FS_MISSING = 2,		/* what is above it need not exist either */
};

/*
 * Make @path, as a client wrote it below directory @root (canonical), canonical,
 * following links above its last name; @how: FS_FOLLOW, FS_MISSING. ".." stays at
 * @root. What the result names need not exist.
 */
int fs_resolve(struct fs *fs, const char *root, const char *path,
	       unsigned int how, char out[FS_PATH_MAX]);

/* Is a change at @path one at @watched: there, in it, or above it? */
bool fs_concerns(const char *path, const char *watched);

#endif
