// SPDX-License-Identifier: BSD-2-Clause
/* Which partition table a disk has: see table.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "table.h"

static int overlaps(const struct partition *p, uint64_t first, uint64_t count)
{
	return p->count && first < p->first + p->count &&
	       p->first < first + count;
}

int table_add(struct table *t, const struct disk *disk, unsigned int number,
	      uint64_t first, uint64_t count)
{
	const char *why = NULL;

	if (number < 1 || number > PART_MAX)
		why = "its number is above 128";
	else if (!count || first > disk->blocks ||
		 count > disk->blocks - first)
		why = "it is not within the disk";
	for (unsigned int i = 1; !why && i <= PART_MAX; i++)
		if (overlaps(&t->parts[i], first, count))
			why = "it overlaps another one";
	if (why) {
		log_error("partition %u (block %llu, %llu blocks) left out: %s",
			  number, (unsigned long long)first,
			  (unsigned long long)count, why);
		return -EINVAL;
	}
	t->parts[number].first = first;
	t->parts[number].count = count;
	t->used++;
	return 0;
}

static int has_gpt(const uint8_t *sector)
{
	for (unsigned int i = 0; i < 4; i++)
		if (mbr_entry(sector, i).type == MBR_GPT)
			return 1;
	return 0;
}

static int scan(struct table *t, const struct disk *disk, uint8_t *sector,
		uint8_t *buf)
{
	int err = disk->read(disk->ctx, 0, 1, sector);

	if (err) {
		log_error("block 0 cannot be read");
		t->kind = TABLE_DAMAGED;
		return -EIO;
	}
	if (!mbr_valid(sector))
		return 0;
	if (has_gpt(sector))
		return gpt_read(t, disk, buf);
	mbr_read(t, disk, sector, buf);
	return 0;
}

int table_read(struct table *t, const struct disk *disk)
{
	uint8_t *sector = malloc(disk->block_size);
	uint8_t *buf = malloc(disk->block_size);
	int err = -ENOMEM;

	memset(t, 0, sizeof(*t));
	t->parts[0].count = disk->blocks;
	if (sector && buf)
		err = disk->blocks ? scan(t, disk, sector, buf) : 0;
	free(sector);
	free(buf);
	return err;
}
