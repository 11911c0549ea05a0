// SPDX-License-Identifier: BSD-2-Clause
/*
 * libext2fs's I/O manager on a struct source, with a small cache.
 *
 * Metadata is read in lines, kept in private memory and replaced least recently
 * used first. The volume is never written, so a line is never stale.
 */
#include <errno.h>
#include <string.h>

#include "volume.h"

#define LINE_SIZE	16384u
#define LINES		32

struct line {
	uint64_t index;		/* of the line on the source */
	uint64_t used;		/* when; 0: empty */
	uint8_t data[LINE_SIZE];
};

static struct line lines[LINES];
static uint64_t now;
static const struct source *source;
static struct struct_io_channel channel;

void ext4_io_source(const struct source *s)
{
	source = s;
	for (unsigned int i = 0; i < LINES; i++)
		lines[i].used = 0;
}

static int line_get(uint64_t index, struct line **line)
{
	struct line *l, *oldest = lines;
	uint64_t start = index * LINE_SIZE;
	uint64_t left = source->size - start;
	int err;

	for (l = lines; l < lines + LINES; l++) {
		if (l->used && l->index == index)
			goto found;
		if (l->used < oldest->used)
			oldest = l;
	}
	l = oldest;
	l->used = 0;
	err = source->read(source->ctx, start, l->data,
			   left < LINE_SIZE ? left : LINE_SIZE);
	if (err)
		return err;
	l->index = index;
found:
	l->used = ++now;
	*line = l;
	return 0;
}

static int cached_read(uint64_t off, uint8_t *buf, uint64_t len)
{
	while (len) {
		uint32_t in = off % LINE_SIZE;
		uint64_t n = len < LINE_SIZE - in ? len : LINE_SIZE - in;
		struct line *l;
		int err = line_get(off / LINE_SIZE, &l);

		if (err)
			return err;
		memcpy(buf, l->data + in, n);
		buf += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* @count blocks, or -@count bytes. Errors below 256 are errno values. */
static errcode_t read_blk64(io_channel io, unsigned long long block, int count,
			    void *data)
{
	uint64_t bs = io->block_size;
	uint64_t len = count < 0 ? (uint64_t)-(int64_t)count : count * bs;

	if (block > source->size / bs || len > source->size - block * bs)
		return EXT2_ET_SHORT_READ;
	return -cached_read(block * bs, data, len);
}

static errcode_t read_blk(io_channel io, unsigned long block, int count,
			  void *data)
{
	return read_blk64(io, block, count, data);
}

static errcode_t write_blk64(io_channel io, unsigned long long block, int count,
			     const void *data)
{
	(void)io;
	(void)block;
	(void)count;
	(void)data;
	return EROFS;
}

static errcode_t write_blk(io_channel io, unsigned long block, int count,
			   const void *data)
{
	return write_blk64(io, block, count, data);
}

static errcode_t set_blksize(io_channel io, int blksize)
{
	io->block_size = blksize;
	return 0;
}

static errcode_t io_open(const char *name, int flags, io_channel *io)
{
	(void)name;
	if (!source)
		return ENODEV;
	if (flags & IO_FLAG_RW)
		return EROFS;
	memset(&channel, 0, sizeof(channel));
	channel.magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel.manager = &ext4_io_manager;
	channel.name = (char *)"source";
	channel.block_size = 1024;
	channel.refcount = 1;
	*io = &channel;
	return 0;
}

static errcode_t io_nothing(io_channel io)
{
	(void)io;
	return 0;
}

struct struct_io_manager ext4_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "source",
	.open = io_open,
	.close = io_nothing,
	.set_blksize = set_blksize,
	.read_blk = read_blk,
	.read_blk64 = read_blk64,
	.write_blk = write_blk,
	.write_blk64 = write_blk64,
	.flush = io_nothing,
};
