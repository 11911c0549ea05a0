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

#endif
