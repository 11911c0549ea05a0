// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

#include "block_client.h"
#include "vfs_file.h"
#include "vfs_parts.h"

#define ROOM		(128u << 10)	/* bytes of one request */
#define OPEN_TIMEOUT	PITH_SEC(5)
#define CALL_TIMEOUT	PITH_SEC(10)
#define RETRY		PITH_SEC(2)

/* An open file is the number of the disk that it is of. */
struct block {
	struct file_fs file;
	struct entrypoint ep;	/* on which it waits for the disk */
	struct block_client client;
	const char *label, *args;
	bool writeable;		/* if the disk is, too */
	uint64_t not_before;	/* to open it again */
	uintptr_t disk;		/* counts those of different sizes */
	uint32_t size;		/* of a block; 0: never seen */
};

static struct block *block_of(struct fs *fs)
{
	return (struct block *)fs;	/* its first member's first member */
}

/* Is it the disk that was there before? */
static void recognise(struct block *b)
{
	const struct block_info *info = &b->client.info;
	uint64_t bytes = info->block_count * info->block_size;

	if (b->size && (b->size != info->block_size || b->file.size != bytes))
		b->disk++;
	b->size = info->block_size;
	b->file.size = bytes;
	b->file.mode = b->writeable && info->writeable ? 0060666 : 0060444;
}

/* A client that has failed is of no use any more: see block_client.h. */
static int connect(struct block *b)
{
	struct block_client_args a = {
		.label = b->label, .args = b->args, .data_mem = -1,
		.data_size = ROOM, .timeout = CALL_TIMEOUT,
	};
	int err;

	if (b->client.state == BLOCK_CLIENT_CONNECTED ||
	    b->client.state == BLOCK_CLIENT_LOST)
		return 0;
	if (pith_now() < b->not_before)
		return -EIO;
	block_client_close(&b->client);
	err = block_client_open(&b->client, &b->ep, &a,
				pith_now() + OPEN_TIMEOUT);
	if (!err) {
		recognise(b);
		return 0;
	}
	log_error("disk \"%s\": %s", b->label, strerror(-err));
	b->not_before = pith_now() + RETRY;
	return -EIO;
}

static int ready(struct block *b, void *file)
{
	int err = connect(b);

	return err ? err : (uintptr_t)file == b->disk ? 0 : -ESTALE;
}

static int block_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	if (!*path)
		connect(block_of(fs));	/* for its size, if that is possible */
	return file_stat(fs, path, st);
}

static int block_open(struct fs *fs, const char *path, uint32_t flags,
		      void **file)
{
	struct block *b = block_of(fs);
	int err = file_open(fs, path, flags, file);

	if (!err)
		err = connect(b);
	if (!err && flags && !(b->file.mode & 0222))
		err = -EROFS;
	*file = (void *)b->disk;
	return err;
}

/* One request of @count blocks from @first on, to or from the data area. */
static int transfer(struct block *b, uint32_t op, uint64_t first, uint32_t count)
{
	int err = block_client_transfer(&b->client, op, first, count, 0);

	return err && err != -EROFS ? -EIO : err;
}

/* The blocks around up to @len bytes at @offset, as many as fit. */
struct piece {
	uint64_t first;
	uint32_t count;
	size_t skip, len;	/* bytes of them that are meant */
};

static struct piece piece_at(const struct block *b, uint64_t offset, size_t len)
{
	uint64_t most = b->client.info.max_bytes < ROOM ?
			b->client.info.max_bytes : ROOM;
	struct piece p = { offset / b->size, 0, offset % b->size, 0 };
	size_t room = most / b->size * b->size;

	p.len = len < room - p.skip ? len : room - p.skip;
	p.count = (p.skip + p.len + b->size - 1) / b->size;
	return p;
}

static int64_t block_read(struct fs *fs, void *file, uint64_t offset, void *data,
			  size_t len)
{
	struct block *b = block_of(fs);
	int err = ready(b, file);
	size_t done = 0;

	if (err)
		return err;
	if (offset >= b->file.size)
		return 0;
	if (len > b->file.size - offset)
		len = b->file.size - offset;
	while (done < len) {
		struct piece p = piece_at(b, offset + done, len - done);

		err = transfer(b, BLOCK_READ, p.first, p.count);
		if (err)
			return err;
		memcpy((uint8_t *)data + done, b->client.data + p.skip, p.len);
		done += p.len;
	}
	return done;
}

static int write_piece(struct block *b, const struct piece *p, const void *data)
{
	int err = 0;

	if (p->len != (size_t)p->count * b->size)
		err = transfer(b, BLOCK_READ, p->first, p->count);
	if (err)
		return err;
	memcpy(b->client.data + p->skip, data, p->len);
	return transfer(b, BLOCK_WRITE, p->first, p->count);
}

static int64_t block_write(struct fs *fs, void *file, uint64_t offset,
			   const void *data, size_t len)
{
	struct block *b = block_of(fs);
	int err = ready(b, file);
	size_t done = 0;

	if (err)
		return err;
	if (offset >= b->file.size)
		return -ENOSPC;
	if (len > b->file.size - offset)
		len = b->file.size - offset;
	while (done < len) {
		struct piece p = piece_at(b, offset + done, len - done);

		err = write_piece(b, &p, (const uint8_t *)data + done);
		if (err)
			return done ? (int64_t)done : err;
		done += p.len;
	}
	return done;
}

/* A disk has the size that it has; opening one to write from the begin is fine. */
static int block_truncate(struct fs *fs, void *file, uint64_t size)
{
	(void)fs;
	(void)file;
	(void)size;
	return -EINVAL;
}

static int block_sync(struct fs *fs, void *file)
{
	struct block *b = block_of(fs);
	int err = ready(b, file);

	return err ? err : transfer(b, BLOCK_SYNC, 0, 0);
}

static const struct fs_ops ops = {
	.stat = block_stat, .open = block_open, .close = file_close,
	.fstat = file_fstat, .read = block_read, .write = block_write,
	.truncate = block_truncate, .sync = block_sync,
	.readdir = file_readdir, .info = file_info,
};

struct fs *vfs_block(const char *label, const char *args, bool writeable)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b || ep_init(&b->ep)) {
		free(b);
		return NULL;
	}
	b->file.fs.ops = &ops;
	b->file.fs.waits = true;
	b->file.mode = 0060444;
	b->label = label;
	b->args = args;
	b->writeable = writeable;
	b->disk = 1;
	return &b->file.fs;
}
