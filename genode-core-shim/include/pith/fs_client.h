/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client of a File_system session that outlives its server.
 *
 * The session is opened when it is first needed. When the server dies it is opened
 * anew. What only reads is then done once more: files are opened again by their
 * path, and the caller sees a delay; a file that is not the same afterwards (inode,
 * size, time) gives ESTALE. What writes is not repeated: EPIPE says that nobody
 * knows whether it was done, and a file that was open for writing gives ESTALE
 * from then on.
 *
 * All functions return >= 0 or a negative errno; besides what the session's
 * methods give (session/file_system.h):
 *   ETIMEDOUT  no answer in time, or no server to connect to
 *   EINTR      the caller's interrupted() said so
 *   EPROTO     the server's answer makes no sense
 */
#ifndef PITH_FS_CLIENT_H
#define PITH_FS_CLIENT_H

#include <pith/env.h>
#include <session/file_system.h>

#define FS_BUFFER_SIZE	(128u << 10)	/* bytes of one read or write */

/* What a session costs its client. */
#define FS_CLIENT_RAM	32768u
#define FS_CLIENT_CAPS	16u

struct fs_client {
	struct session session;
	/* Of the session, "" unless they are set after fs_init(). */
	const char *label, *args;
	/* the packet stream, in memory of this session's */
	int mem;
	uint8_t *base;
	struct packet_side requests, completions;
	uint32_t tag;		/* of the last packet */
	uint32_t outstanding;	/* packets that were not waited for */
	uint64_t generation;	/* counts connections; 0: none so far */
	/* How long it waits for a session and for an answer, ns; may be set after
	 * fs_init(). */
	uint64_t connect_timeout, call_timeout;
	/* Asked between waits, may be NULL: not 0 gives up with EINTR. */
	int (*interrupted)(void *ctx);
	void *ctx;
};

/* What is open; fs_close() it. After a function failed to open it, closing it is
 * harmless. */
struct fs_file {
	struct fs_client *fs;
	char *path;
	uint64_t handle;
	uint64_t generation;	/* connection that @handle belongs to */
	uint32_t flags;		/* FS_O_* */
	struct fs_stat stat;	/* when it was opened */
};

void fs_init(struct fs_client *fs, int (*interrupted)(void *ctx), void *ctx);
/* Is there a session? If not, an error tells about connecting. */
int fs_connected(const struct fs_client *fs);

/* @path: as the session wants it, absolute. A symbolic link itself. */
int fs_stat(struct fs_client *fs, const char *path, struct fs_stat *st);
/* Target into @buf, NUL terminated: its length. */
int fs_readlink(struct fs_client *fs, const char *path, char *buf, size_t size);
int fs_info(struct fs_client *fs, struct fs_info *info);

/* Open any node, following symbolic links, and fill f->stat. */
int fs_open(struct fs_client *fs, struct fs_file *f, const char *path);
/* The same with FS_O_* flags, to write. */
int fs_open_flags(struct fs_client *fs, struct fs_file *f, const char *path,
		  uint32_t flags);
/* Close @f; also after the server died. A negative errno if it was open for writing
 * and nobody knows whether what was written is there. */
int fs_close(struct fs_file *f);

/*
 * Read up to @len bytes from @offset: how many, and where they are in *@data,
 * until the next read. Less than @len and FS_BUFFER_SIZE: the file ends there.
 * The server can change the bytes at any time.
 */
int fs_pread(struct fs_file *f, uint64_t offset, size_t len, const void **data);

/* Write up to FS_BUFFER_SIZE of @len bytes at @offset: how many. */
int fs_pwrite(struct fs_file *f, uint64_t offset, const void *data, size_t len);
/* Write all of them; -ENOSPC after a part is possible. */
int fs_write_all(struct fs_file *f, uint64_t offset, const void *data,
		 size_t len);
int fs_sync(struct fs_file *f);
/* How it is now; f->stat is how it was when it was opened. */
int fs_fstat(struct fs_file *f, struct fs_stat *st);
int fs_truncate(struct fs_file *f, uint64_t size);

int fs_mkdir(struct fs_client *fs, const char *path);
int fs_unlink(struct fs_client *fs, const char *path);
int fs_rename(struct fs_client *fs, const char *from, const char *to);
int fs_symlink(struct fs_client *fs, const char *path, const char *target);

/* Have @notification signalled when something changes at @path (method WATCH). It
 * is of this connection: after a death fs_client.generation is another. */
int fs_watch(struct fs_client *fs, const char *path, int notification,
	     uint64_t *handle);
void fs_unwatch(struct fs_client *fs, uint64_t handle);
/* Open the session if it is not: 0 or why that is impossible. */
int fs_connect(struct fs_client *fs);
/* Close the session; all files are gone. */
void fs_disconnect(struct fs_client *fs);

/* One reply full of directory entries. */
struct fs_dir {
	uint64_t position;	/* 0 at first; 0 afterwards: no more */
	size_t len, at;
	unsigned int count;
	uint8_t data[4096] __attribute__((aligned(8)));
};
/* Next part of directory @f. ECONNRESET: the server was replaced meanwhile;
 * begin again at position 0. */
int fs_readdir(struct fs_file *f, struct fs_dir *d);
/* Next entry of the part: 1, 0 at its end, or EPROTO. @name is NUL terminated,
 * not empty and without '/'. */
int fs_dirent_next(struct fs_dir *d, uint8_t *type, char name[FS_NAME_MAX]);
/* The same with all that is said of it. */
int fs_dirent_get(struct fs_dir *d, struct fs_dirent *e, char name[FS_NAME_MAX]);

#endif
