/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File_system: a directory tree, read-only in this version.
 * Paths are absolute within the session's root; symbolic links are followed
 * within it. Args: root=/dir.
 */
#ifndef SESSION_FILE_SYSTEM_H
#define SESSION_FILE_SYSTEM_H

#include <stdint.h>

#define FS_PATH_MAX	1024	/* with the NUL */
#define FS_NAME_MAX	256
#define FS_READ_MAX	(1u << 20)

enum fs_method {
	/* OPEN: path (tail) -> struct fs_handle. Any type of node. ENOENT,
	 * ENOTDIR, ELOOP, ENAMETOOLONG, EIO, EUCLEAN (damaged), EMFILE. */
	FS_OPEN = 1,
	/* CLOSE: struct fs_handle -> nothing */
	FS_CLOSE,
	/* STAT: path -> struct fs_stat; a symbolic link itself, not its target */
	FS_STAT,
	/* FSTAT: struct fs_handle -> struct fs_stat */
	FS_FSTAT,
	/* BUFFER: cap 0: memory (READ|WRITE), where READ puts file content */
	FS_BUFFER,
	/* READ: struct fs_read -> struct fs_count. Fewer bytes than asked only
	 * at the end of the file. EISDIR, EINVAL (no buffer, range). */
	FS_READ,
	/* READDIR: struct fs_readdir -> struct fs_dirents, entries after it */
	FS_READDIR,
	/* READLINK: path -> target (tail, no NUL). EINVAL: not a link */
	FS_READLINK,
	/* INFO: -> struct fs_info */
	FS_INFO,
};

struct fs_handle {
	uint64_t handle;
};

struct fs_stat {
	uint64_t inode;
	uint64_t size;		/* bytes */
	uint64_t blocks;	/* of 512 bytes allocated */
	uint32_t mode;		/* as in POSIX st_mode */
	uint32_t links;
	uint32_t uid, gid;
	int64_t mtime, ctime, atime;	/* seconds since 1970 */
};

struct fs_read {
	uint64_t handle;
	uint64_t offset;	/* in the file */
	uint64_t buffer_offset;	/* in the buffer */
	uint32_t len;		/* 1 .. FS_READ_MAX */
	uint32_t zero;
};
struct fs_count {
	uint64_t count;
};

struct fs_readdir {
	uint64_t handle;
	uint64_t position;	/* 0 first, then fs_dirents.next */
};
struct fs_dirents {
	uint64_t next;		/* 0: no more */
	uint32_t count;
	uint32_t zero;
};
/* Each entry: this, then @name_len bytes, padded with zeros to 8 bytes. */
struct fs_dirent {
	uint64_t inode;
	uint8_t type;		/* FS_TYPE_* */
	uint8_t name_len;
	uint8_t zero[6];
};
enum fs_type {
	FS_TYPE_UNKNOWN, FS_TYPE_FILE, FS_TYPE_DIR, FS_TYPE_CHAR,
	FS_TYPE_BLOCK, FS_TYPE_FIFO, FS_TYPE_SOCKET, FS_TYPE_LINK,
};

struct fs_info {
	char type[16];		/* "ext4" */
	char name[32];		/* volume label */
	char uuid[40];		/* text */
	uint64_t size, free;	/* bytes */
	uint32_t clean;		/* 0: not cleanly unmounted: journal not replayed */
	uint32_t zero;
};

#endif
