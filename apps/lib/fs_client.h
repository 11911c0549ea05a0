/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client of a File_system session that outlives its server.
 *
 * The session is opened when it is first needed. When the server dies, the
 * session is opened anew, files are opened again by their path, and the
 * operation, which only reads, is done once more: the caller sees a delay. A
 * file that is not the same afterwards (inode, size, time) gives ESTALE.
 *
 * All functions return >= 0 or a negative errno; besides what the session's
 * methods give (session/file_system.h):
 *   ETIMEDOUT  no answer in time, or no server to connect to
 *   EINTR      the caller's interrupted() said so
 *   EPROTO     the server's answer makes no sense
 */
#ifndef APPS_FS_CLIENT_H
#define APPS_FS_CLIENT_H

#include <pith/env.h>
#include <session/file_system.h>

#define FS_BUFFER_SIZE	(128u << 10)	/* at most this much in one read */

struct fs_client {
	struct session session;
	int mem, shared;	/* buffer; the same without EXEC for the server */
	void *buffer;
	uint64_t generation;	/* counts connections; 0: none so far */
	/* Asked between waits, may be NULL: not 0 gives up with EINTR. */
	int (*interrupted)(void *ctx);
	void *ctx;
};

struct fs_file {
	struct fs_client *fs;
	char path[FS_PATH_MAX];
	uint64_t handle;
	uint64_t generation;	/* connection that @handle belongs to */
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
/* Close @f; also after the server died. */
void fs_close(struct fs_file *f);

/*
 * Read up to @len bytes from @offset: how many, and where they are in *@data,
 * until the next read. Less than @len and FS_BUFFER_SIZE: the file ends there.
 * The server can change the bytes at any time.
 */
int fs_pread(struct fs_file *f, uint64_t offset, size_t len, const void **data);

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

#endif
