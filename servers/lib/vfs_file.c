// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

#include "vfs_file.h"

#define LINE	200u		/* bytes of one line in the log */

static struct file_fs *file_of(struct fs *fs)
{
	return (struct file_fs *)fs;	/* its first member */
}

int file_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	struct file_fs *f = file_of(fs);

	if (*path)
		return (f->mode & 0170000) == 0120000 ? -ELOOP : -ENOTDIR;
	*st = (struct fs_stat) {
		.inode = 1, .mode = f->mode, .size = f->size, .links = 1,
	};
	return 0;
}

int file_open(struct fs *fs, const char *path, uint32_t flags, void **file)
{
	struct fs_stat st;
	int err = file_stat(fs, path, &st);

	if (err)
		return err;
	if ((st.mode & 0170000) == 0120000)
		return -ELOOP;
	*file = fs;
	return flags & FS_O_EXCLUSIVE ? -EEXIST : 0;
}

void file_close(struct fs *fs, void *file)
{
	(void)fs;
	(void)file;
}

int file_fstat(struct fs *fs, void *file, struct fs_stat *st)
{
	(void)file;
	return file_stat(fs, "", st);
}

int file_readdir(struct fs *fs, void *file, uint64_t position, fs_entry_fn fn,
		 void *ctx)
{
	(void)fs;
	(void)file;
	(void)position;
	(void)fn;
	(void)ctx;
	return -ENOTDIR;
}

void file_info(struct fs *fs, struct fs_info *info)
{
	(void)fs;
	(void)info;
}

static int64_t data_read(struct fs *fs, void *file, uint64_t offset, void *data,
			 size_t len)
{
	struct file_fs *f = file_of(fs);

	(void)file;
	if (offset >= f->size)
		return 0;
	if (len > f->size - offset)
		len = f->size - offset;
	memcpy(data, (const char *)f->data + offset, len);
	return len;
}

static int link_read(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct file_fs *f = file_of(fs);

	if (*path)
		return -ELOOP;
	if (f->size > size)
		return -ENAMETOOLONG;
	memcpy(buf, f->data, f->size);
	return f->size;
}

static int64_t null_read(struct fs *fs, void *file, uint64_t offset, void *data,
			 size_t len)
{
	(void)fs;
	(void)file;
	(void)offset;
	(void)data;
	(void)len;
	return 0;
}

static int64_t zero_read(struct fs *fs, void *file, uint64_t offset, void *data,
			 size_t len)
{
	(void)fs;
	(void)file;
	(void)offset;
	memset(data, 0, len);
	return len;
}

static int64_t null_write(struct fs *fs, void *file, uint64_t offset,
			  const void *data, size_t len)
{
	(void)fs;
	(void)file;
	(void)offset;
	(void)data;
	return len;
}

/* One line of the log for each line; long ones are broken. The bytes are copied
 * once, as a client can still change them. */
static int64_t log_write(struct fs *fs, void *file, uint64_t offset,
			 const void *data, size_t len)
{
	char line[LINE];
	const char *end;
	size_t n = len < LINE ? len : LINE;

	(void)fs;
	(void)file;
	(void)offset;
	memcpy(line, data, n);
	end = memchr(line, '\n', n);
	log_line("%.*s", (int)(end ? (size_t)(end - line) : n), line);
	return end ? end - line + 1 : (int64_t)n;
}

int file_no_truncate(struct fs *fs, void *file, uint64_t size)
{
	(void)fs;
	(void)file;
	(void)size;
	return 0;
}

static const struct fs_ops data_ops = { FILE_OPS, .read = data_read };
static const struct fs_ops link_ops = {
	FILE_OPS, .read = null_read, .readlink = link_read,
};
static const struct fs_ops null_ops = {
	FILE_OPS, .read = null_read, .write = null_write, .truncate = file_no_truncate,
};
static const struct fs_ops zero_ops = {
	FILE_OPS, .read = zero_read, .write = null_write, .truncate = file_no_truncate,
};
static const struct fs_ops log_ops = {
	FILE_OPS, .read = null_read, .write = log_write, .truncate = file_no_truncate,
};

static struct fs *make(const struct fs_ops *ops, uint32_t mode,
		       const void *data, size_t size)
{
	struct file_fs *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct file_fs) {
		.fs.ops = ops, .mode = mode, .data = data, .size = size,
	};
	return &f->fs;
}

struct fs *vfs_file_data(const void *data, size_t size)
{
	return make(&data_ops, 0100444, data, size);
}

struct fs *vfs_file_link(const char *target)
{
	return make(&link_ops, 0120777, target, strlen(target));
}

struct fs *vfs_file_null(void)
{
	return make(&null_ops, 0020666, NULL, 0);
}

struct fs *vfs_file_zero(void)
{
	return make(&zero_ops, 0020666, NULL, 0);
}

struct fs *vfs_file_log(void)
{
	return make(&log_ops, 0020222, NULL, 0);
}
