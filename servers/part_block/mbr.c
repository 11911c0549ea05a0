// SPDX-License-Identifier: BSD-2-Clause
/*
 * MBR partition table with a chain of extended boot records (EBR).
 *
 * Numbers: 1 to 4 the primary ones, from 5 on the logical ones in the order of
 * the chain. Block numbers count in blocks of the device, whatever their size.
 */
#include <errno.h>
#include <string.h>

#include <pith/env.h>

#include "table.h"

struct mbr_entry mbr_entry(const uint8_t *sector, unsigned int i)
{
	const uint8_t *p = sector + MBR_ENTRIES + i * MBR_ENTRY_SIZE;

	return (struct mbr_entry) {
		.status = p[0],
		.type = p[4],
		.first = get_le32(p + 8),
		.count = get_le32(p + 12),
	};
}

static int has_signature(const uint8_t *sector)
{
	return sector[MBR_SIGNATURE] == 0x55 && sector[MBR_SIGNATURE + 1] == 0xaa;
}

/*
 * The boot sector of a FAT volume has the same signature, with code where the
 * entries would be: each entry's status tells. Four empty entries are no table.
 */
int mbr_valid(const uint8_t *sector)
{
	int used = 0;

	if (!has_signature(sector))
		return 0;
	for (unsigned int i = 0; i < 4; i++) {
		struct mbr_entry e = mbr_entry(sector, i);

		if (e.status & 0x7f)
			return 0;
		used |= e.type;
	}
	return used;
}

static int is_extended(const struct mbr_entry *e)
{
	return e->type == 0x05 || e->type == 0x0f || e->type == 0x85;
}

static int is_empty(const struct mbr_entry *e)
{
	return !e->type || !e->count;
}

/* A logical partition lies within the extended one that holds the chain. */
static void add_logical(struct table *t, const struct disk *disk,
			const struct partition *ext, unsigned int number,
			uint64_t ebr, const struct mbr_entry *e)
{
	uint64_t first = ebr + e->first;

	if (first - ext->first > ext->count ||
	    e->count > ext->count - (first - ext->first)) {
		log_error("partition %u left out: not within the extended one",
			  number);
		return;
	}
	table_add(t, disk, number, first, e->count);
}

static int is_member(const uint64_t *list, unsigned int n, uint64_t x)
{
	while (n--)
		if (list[n] == x)
			return 1;
	return 0;
}

static void read_chain(struct table *t, const struct disk *disk,
		       const struct partition *ext, uint8_t *buf)
{
	uint64_t seen[PART_MAX + 1], ebr = ext->first;

	for (unsigned int number = 5; number <= PART_MAX; number++) {
		struct mbr_entry e, next;

		seen[number] = ebr;
		if (disk->read(disk->ctx, ebr, 1, buf) || !has_signature(buf)) {
			log_error("extended boot record at block %llu is damaged",
				  (unsigned long long)ebr);
			return;
		}
		e = mbr_entry(buf, 0);
		next = mbr_entry(buf, 1);
		if (!is_empty(&e))
			add_logical(t, disk, ext, number, ebr, &e);
		if (is_empty(&next) || !is_extended(&next))
			return;
		ebr = ext->first + next.first;
		if (next.first >= ext->count ||
		    is_member(seen + 5, number - 4, ebr)) {
			log_error("chain of extended boot records leads astray");
			return;
		}
	}
	log_error("partitions above number %d left out", PART_MAX);
}

void mbr_read(struct table *t, const struct disk *disk, const uint8_t *sector,
	      uint8_t *buf)
{
	struct partition ext = { 0, 0 };

	t->kind = TABLE_MBR;
	for (unsigned int i = 0; i < 4; i++) {
		struct mbr_entry e = mbr_entry(sector, i);

		if (is_empty(&e) || table_add(t, disk, i + 1, e.first, e.count))
			continue;
		if (!is_extended(&e))
			continue;
		if (ext.count)
			log_error("second extended partition %u left out", i + 1);
		else
			ext = t->parts[i + 1];
		/* A container only; what it holds has numbers of its own. */
		t->parts[i + 1].count = 0;
		t->used--;
	}
	if (ext.count)
		read_chain(t, disk, &ext, buf);
}
