/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems of the VFS whose root is no directory, but one file or link. */
#ifndef VFS_FILE_H
#define VFS_FILE_H

#include "fs.h"

/* @data stays. All: NULL if there is no memory. */
struct fs *vfs_file_data(const void *data, size_t size);
struct fs *vfs_file_link(const char *target);
struct fs *vfs_file_null(void);
struct fs *vfs_file_zero(void);
struct fs *vfs_file_log(void);

/* --- for others like these --------------------------------------------------------- */

struct file_fs {
	struct fs fs;
	uint32_t mode;
	const void *data;	/* of a file, or target of a link */
	uint64_t size;
};

int file_stat(struct fs *fs, const char *path, struct fs_stat *st);
int file_open(struct fs *fs, const char *path, uint32_t flags, void **file);
void file_close(struct fs *fs, void *file);
int file_fstat(struct fs *fs, void *file, struct fs_stat *st);
int file_readdir(struct fs *fs, void *file, uint64_t position, fs_entry_fn fn,
		 void *ctx);
void file_info(struct fs *fs, struct fs_info *info);
/* There is no size to change: 0. */
int file_no_truncate(struct fs *fs, void *file, uint64_t size);

#define FILE_OPS .stat = file_stat, .open = file_open, .close = file_close, \
		 .fstat = file_fstat, .readdir = file_readdir, .info = file_info

#endif
