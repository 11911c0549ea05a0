/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partition tables: GPT and MBR, read through a callback. Every byte of them is
 * untrusted; what is wrong is logged and left out.
 */
#ifndef PART_BLOCK_TABLE_H
#define PART_BLOCK_TABLE_H

#include <stdint.h>

#define PART_MAX	128	/* highest partition number */

struct disk {
	uint64_t blocks;
	uint32_t block_size;	/* bytes, a power of two, 512 .. 65536 */
	/* Copy @count (>= 1) blocks to @buf; the caller has checked the range.
	 * 0 or a negative errno. */
	int (*read)(void *ctx, uint64_t block, uint32_t count, void *buf);
	void *ctx;
};

struct partition {
	uint64_t first;		/* block of the disk */
	uint64_t count;		/* blocks; 0: there is no such partition */
};

enum table_kind {
	TABLE_NONE,		/* no table: the disk is one volume */
	TABLE_MBR,
	TABLE_GPT,
	TABLE_DAMAGED,		/* there was one, but it cannot be used */
};

struct table {
	enum table_kind kind;
	uint32_t used;		/* partitions found */
	int backup;		/* 1: GPT read from its backup */
	struct partition parts[PART_MAX + 1];	/* by number; 0: whole disk */
};

/*
 * Find out what is on @disk. 0; -ENOMEM; -EIO: block 0 cannot be read. A damaged
 * table is no error: see @kind. parts[0] is always the whole disk.
 */
int table_read(struct table *t, const struct disk *disk);

/* --- between table.c, gpt.c and mbr.c ---------------------------------------- */

/* The parts of an MBR that matter (UEFI 2.10, section 5.2.1). */
#define MBR_ENTRIES	446	/* offset of the first of four entries */
#define MBR_ENTRY_SIZE	16
#define MBR_SIGNATURE	510	/* offset of 0x55, 0xaa */
#define MBR_GPT		0xee	/* type: GPT protective */

struct mbr_entry {
	uint8_t status, type;
	uint32_t first, count;
};

/* Decode entry @i of an MBR or EBR sector. */
struct mbr_entry mbr_entry(const uint8_t *sector, unsigned int i);

/* Does @sector hold a partition table at all? */
int mbr_valid(const uint8_t *sector);

/* Fill @t; @sector is the first 512 bytes, @buf has room for a block. */
void mbr_read(struct table *t, const struct disk *disk, const uint8_t *sector,
	      uint8_t *buf);

/* Fill @t from the primary or else the backup GPT; TABLE_DAMAGED if neither
 * can be used. @buf has room for a block. 0 or -ENOMEM. */
int gpt_read(struct table *t, const struct disk *disk, uint8_t *buf);

/* Enter a partition. 0; -EINVAL: empty, outside the disk, or overlapping one
 * that is there (logged, nothing entered). */
int table_add(struct table *t, const struct disk *disk, unsigned int number,
	      uint64_t first, uint64_t count);

static inline uint16_t get_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

#endif
