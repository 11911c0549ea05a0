/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File_system: a directory tree.
 *
 * Names are changed and looked up by calls, content goes through a packet
 * stream: memory of the client that both see, with a ring of requests, a ring of
 * completions and an area for data. The client puts packets into the first ring
 * and either calls RUN, which returns when they are done, or signals and is
 * signalled in turn. At most PACKET_SLOTS packets of a client may be under way; a
 * server that finds more, or an index that cannot be, ends the stream (EPROTO).
 *
 * Paths are absolute within the session's root; symbolic links are followed
 * within it, and nothing leads out of it. Where @path is the tail of a request a
 * NUL at its end is accepted, no other. Args: root=/dir, writeable=no.
 *
 * Errors of every method with a path: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG,
 * EINVAL (relative, NUL), EIO, EUCLEAN (damaged). Of every method with a handle:
 * EBADF; ESTALE if what it stood for went with a server behind this one. Of every
 * method that changes something: EROFS, ENOSPC, and EDQUOT where
 * a client's own share is used up. What fails has changed nothing; a WRITE that
 * runs out of space says how much it wrote.
 */
#ifndef SESSION_FILE_SYSTEM_H
#define SESSION_FILE_SYSTEM_H

#include <stdint.h>
#include <pith/packet_ring.h>

#define FS_PATH_MAX	1024	/* with the NUL */
#define FS_NAME_MAX	256	/* with the NUL */
#define FS_PACKET_MAX	(1u << 20)	/* bytes of one packet */
#define FS_DATA_MAX	(16u << 20)	/* bytes of a stream's data area */

enum fs_method {
	/* OPEN: struct fs_open, path (tail) -> struct fs_handle. Any type of
	 * node, but no directory with WRITE (EISDIR). EMFILE, EEXIST (EXCLUSIVE). */
	FS_OPEN = 1,
	/* CLOSE: struct fs_handle -> nothing. Who watches the file is told, if it
	 * was changed. */
	FS_CLOSE,
	/* STAT: path -> struct fs_stat; a symbolic link itself, not its target */
	FS_STAT,
	/* FSTAT: struct fs_handle -> struct fs_stat */
	FS_FSTAT,
	/* STREAM: caps 0 memory (READ|WRITE), zeroed: struct fs_rings, then up to
	 * FS_DATA_MAX bytes of data from FS_DATA_OFFSET on; 1 (optional)
	 * notification (SIGNAL), signalled after completions were added -> cap:
	 * notification (SIGNAL), to be signalled after packets were added. Once:
	 * EBUSY. The donation pays for mapping it: EDQUOT. */
	FS_STREAM,
	/* RUN: -> nothing, when all packets are completed. EINVAL: no stream. */
	FS_RUN,
	/* READDIR: struct fs_readdir -> struct fs_dirents, entries after it */
	FS_READDIR,
	/* READLINK: path -> target (tail, no NUL). EINVAL: not a link */
	FS_READLINK,
	/* INFO: -> struct fs_info */
	FS_INFO,
	/* MKDIR: path -> nothing. EEXIST. */
	FS_MKDIR,
	/* SYMLINK: struct fs_two, path and target (tail) -> nothing. EEXIST. */
	FS_SYMLINK,
	/* UNLINK: path -> nothing. A file, a link, an empty directory
	 * (ENOTEMPTY); what has it open goes on. EBUSY: the root. */
	FS_UNLINK,
	/* RENAME: struct fs_two, old and new path (tail) -> nothing. Replaces
	 * what can be unlinked and is of the same kind. EINVAL: into itself;
	 * EXDEV: to another file system; EISDIR, ENOTDIR, ENOTEMPTY, EBUSY. */
	FS_RENAME,
	/* TRUNCATE: struct fs_truncate -> nothing. What is new reads as zeros.
	 * EFBIG. */
	FS_TRUNCATE,
	/* WATCH: path (tail) + cap 0: notification (SIGNAL) -> struct fs_handle,
	 * for CLOSE. There need be nothing at @path. Signalled when something
	 * appears or goes there or in the directory there, and when a file is
	 * closed, truncated or synced after it was written. ENOSYS: nothing
	 * changes here, or it is not told. */
	FS_WATCH,
};

enum fs_open_flags {
	FS_O_WRITE = 1,		/* WRITE and TRUNCATE are allowed */
	FS_O_CREATE = 2,	/* an empty file if there is nothing; with WRITE */
	FS_O_EXCLUSIVE = 4,	/* with CREATE: EEXIST if there is something */
	FS_O_TRUNCATE = 8,	/* to no content; with WRITE */
};
struct fs_open {
	uint32_t flags;
	uint32_t zero;
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
	int64_t mtime, ctime, atime;	/* seconds since 1970, or since the start */
};

struct fs_two {
	uint32_t first_len;	/* bytes of the first text in the tail */
	uint32_t zero;
};
struct fs_truncate {
	uint64_t handle;
	uint64_t size;
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
	uint64_t next;		/* position of what follows this entry, > 0 */
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

/* --- the packet stream ------------------------------------------------------------ */

enum fs_op {
	/* READ: fewer bytes than asked only at the end of the file, or of a
	 * device that has no more now. EISDIR. EAGAIN: it has nothing now; a
	 * WATCH of its path is signalled when it has. */
	FS_READ = 1,
	/* WRITE: fewer only if there is no space for more, the file would be
	 * too large (EFBIG), or it is a device that takes what it likes. EBADF:
	 * not opened with WRITE. EAGAIN: as READ, if it takes nothing now. */
	FS_WRITE,
	/* SYNC: what was written is as durable as it gets; @len is 0. */
	FS_SYNC,
};

struct fs_packet {
	uint64_t handle;
	uint64_t offset;	/* in the file */
	uint32_t data;		/* offset of the bytes in the data area */
	uint32_t len;		/* READ, WRITE: 1 .. FS_PACKET_MAX */
	uint32_t op;
	uint32_t tag;		/* the client's, returned in the completion */
};
struct fs_completion {
	uint32_t tag;
	uint32_t status;	/* 0 or a positive errno; EINVAL: malformed */
	uint32_t count;		/* bytes read or written */
	uint32_t zero;
};

struct fs_rings {
	PACKET_RING(struct fs_packet) requests;
	PACKET_RING(struct fs_completion) completions;
};
#define FS_DATA_OFFSET	4096u
_Static_assert(sizeof(struct fs_rings) <= FS_DATA_OFFSET, "rings in one page");

#endif
