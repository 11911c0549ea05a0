// SPDX-License-Identifier: BSD-2-Clause
/*
 * GUID partition table. Section numbers are of the UEFI Specification 2.10.
 *
 * The primary header is in block 1, the backup in the last block of the disk,
 * or where an intact primary header says. Either is used only if header and
 * entries pass their checksums and all of them lies within the disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "table.h"

/* Offsets in the header (5.3.2, table 5.5). */
enum {
	GPT_SIGNATURE	= 0,
	GPT_REVISION	= 8,
	GPT_HEADER_SIZE	= 12,
	GPT_HEADER_CRC	= 16,
	GPT_MY_LBA	= 24,
	GPT_ALTERNATE	= 32,
	GPT_FIRST	= 40,
	GPT_LAST	= 48,
	GPT_ENTRIES	= 72,
	GPT_COUNT	= 80,
	GPT_ENTRY_SIZE	= 84,
	GPT_ENTRIES_CRC	= 88,
	GPT_HEADER_MIN	= 92,
};

/* Offsets in an entry (5.3.3, table 5.6). */
enum {
	ENTRY_TYPE	= 0,	/* GUID, zero: unused */
	ENTRY_FIRST	= 32,
	ENTRY_LAST	= 40,	/* inclusive */
	ENTRY_MIN	= 128,
	ENTRY_MAX	= 4096,
};

/* The usual array has 16 KiB; more than this is not believed. */
#define ENTRIES_BYTES_MAX	(128u * 1024)

struct gpt_header {
	uint64_t alternate;
	uint64_t first, last;	/* usable blocks, inclusive */
	uint64_t entries;
	uint32_t count, entry_size;
	uint32_t entries_crc;
};

/* CRC-32 as in 5.3.2: reflected 0x04c11db7, inverted at both ends. */
static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static uint64_t entries_blocks(const struct gpt_header *h,
			       const struct disk *disk)
{
	uint64_t bytes = (uint64_t)h->count * h->entry_size;

	return (bytes + disk->block_size - 1) / disk->block_size;
}

/* Is the range of the entries sensible? NULL, or what is wrong. */
static const char *check_header(const struct gpt_header *h,
				const struct disk *disk)
{
	uint32_t size = h->entry_size;

	if (size < ENTRY_MIN || size > ENTRY_MAX || size & (size - 1))
		return "size of its entries";
	if (!h->count || h->count > ENTRIES_BYTES_MAX / size)
		return "number of its entries";
	if (h->first > h->last || h->last >= disk->blocks)
		return "range of usable blocks";
	if (h->entries < 2 || h->entries >= disk->blocks ||
	    entries_blocks(h, disk) > disk->blocks - h->entries)
		return "place of its entries";
	return NULL;
}

/* Decode the header in @buf, read from block @lba. NULL, or what is wrong. The
 * header's own checksum is tested before anything in it is believed. */
static const char *decode_header(struct gpt_header *h, uint8_t *buf,
				 uint64_t lba, const struct disk *disk)
{
	uint32_t size = get_le32(buf + GPT_HEADER_SIZE);
	uint32_t crc = get_le32(buf + GPT_HEADER_CRC);

	if (memcmp(buf + GPT_SIGNATURE, "EFI PART", 8))
		return "signature";
	if (size < GPT_HEADER_MIN || size > disk->block_size)
		return "header size";
	memset(buf + GPT_HEADER_CRC, 0, 4);
	if (crc32(buf, size) != crc)
		return "header checksum";
	if (get_le32(buf + GPT_REVISION) >> 16 != 1)
		return "revision";
	if (get_le64(buf + GPT_MY_LBA) != lba)
		return "own block number";
	h->alternate = get_le64(buf + GPT_ALTERNATE);
	h->first = get_le64(buf + GPT_FIRST);
	h->last = get_le64(buf + GPT_LAST);
	h->entries = get_le64(buf + GPT_ENTRIES);
	h->count = get_le32(buf + GPT_COUNT);
	h->entry_size = get_le32(buf + GPT_ENTRY_SIZE);
	h->entries_crc = get_le32(buf + GPT_ENTRIES_CRC);
	return check_header(h, disk);
}

static int is_unused(const uint8_t *entry)
{
	static const uint8_t zero[16];

	return !memcmp(entry + ENTRY_TYPE, zero, sizeof(zero));
}

static void add_entries(struct table *t, const struct disk *disk,
			const struct gpt_header *h, const uint8_t *entries)
{
	for (uint32_t i = 0; i < h->count; i++) {
		const uint8_t *e = entries + (size_t)i * h->entry_size;
		uint64_t first, last;

		if (is_unused(e))
			continue;
		first = get_le64(e + ENTRY_FIRST);
		last = get_le64(e + ENTRY_LAST);
		if (first < h->first || last > h->last || first > last) {
			log_error("partition %u left out: blocks %llu to %llu are not usable",
				  i + 1, (unsigned long long)first,
				  (unsigned long long)last);
			continue;
		}
		table_add(t, disk, i + 1, first, last - first + 1);
	}
}

/* NULL, or what is wrong; -ENOMEM goes to *@err. */
static const char *read_entries(struct table *t, const struct disk *disk,
				const struct gpt_header *h, int *err)
{
	uint32_t blocks = entries_blocks(h, disk);
	uint8_t *entries = malloc((size_t)blocks * disk->block_size);
	const char *wrong = NULL;

	if (!entries) {
		*err = -ENOMEM;
		return "memory for its entries";
	}
	if (disk->read(disk->ctx, h->entries, blocks, entries))
		wrong = "entries (cannot be read)";
	else if (crc32(entries, (size_t)h->count * h->entry_size) !=
		 h->entries_crc)
		wrong = "checksum of its entries";
	else
		add_entries(t, disk, h, entries);
	free(entries);
	return wrong;
}

/* Try the GPT whose header is in block @lba. 1: done, 0: of no use. */
static int try_gpt(struct table *t, const struct disk *disk, uint64_t lba,
		   const char *which, uint8_t *buf, struct gpt_header *h,
		   int *err)
{
	const char *wrong;

	memset(h, 0, sizeof(*h));
	if (lba >= disk->blocks)
		wrong = "place";
	else if (disk->read(disk->ctx, lba, 1, buf))
		wrong = "header (cannot be read)";
	else
		wrong = decode_header(h, buf, lba, disk);
	if (!wrong)
		wrong = read_entries(t, disk, h, err);
	if (wrong)
		log_error("%s GPT at block %llu is damaged: %s", which,
			  (unsigned long long)lba, wrong);
	return !wrong;
}

int gpt_read(struct table *t, const struct disk *disk, uint8_t *buf)
{
	struct gpt_header h;
	uint64_t last = disk->blocks - 1;
	uint64_t backup;
	int err = 0;

	t->kind = TABLE_GPT;
	if (try_gpt(t, disk, 1, "primary", buf, &h, &err))
		return 0;
	/* 0 unless the header itself was intact */
	backup = h.alternate > 1 && h.alternate < last ? h.alternate : last;
	if (backup > 1 &&
	    try_gpt(t, disk, backup, "backup", buf, &h, &err)) {
		t->backup = 1;
		log_error("USING THE BACKUP GPT: repair this disk");
		return 0;
	}
	t->kind = TABLE_DAMAGED;
	log_error("no usable GPT: partitions of this disk are not served");
	return err;
}
