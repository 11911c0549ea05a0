// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arbitrary disks: first byte: bit 0 block size 512 or 4096, bit 1 make the
 * checksums of the primary GPT right, bit 2 the backup's; the rest is the disk.
 */
/* test-sources: ../../lib/test/fake_pith.c ../table.c ../mbr.c */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/test/fake_pith.h"
#include "../gpt.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_blocks(void *ctx, uint64_t block, uint32_t count, void *buf)
{
	const struct disk *d = ctx;
	const uint8_t *bytes = *(uint8_t **)(d + 1);

	assert(count && block < d->blocks && count <= d->blocks - block);
	memcpy(buf, bytes + block * d->block_size,
	       (size_t)count * d->block_size);
	return 0;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> (8 * i);
}

static void sign(uint8_t *bytes, const struct disk *d, uint64_t lba)
{
	uint8_t *h = bytes + lba * d->block_size;
	uint64_t at = get_le64(h + GPT_ENTRIES);
	uint64_t len = (uint64_t)get_le32(h + GPT_COUNT) *
		       get_le32(h + GPT_ENTRY_SIZE);
	uint64_t all = d->blocks * d->block_size;

	put_le32(h + GPT_HEADER_SIZE, GPT_HEADER_MIN);
	if (at < d->blocks && len <= all - at * d->block_size)
		put_le32(h + GPT_ENTRIES_CRC,
			 crc32(bytes + at * d->block_size, len));
	put_le32(h + GPT_HEADER_CRC, 0);
	put_le32(h + GPT_HEADER_CRC, crc32(h, GPT_HEADER_MIN));
}

static void check(const struct table *t, const struct disk *d)
{
	unsigned int used = 0;

	for (unsigned int i = 1; i <= PART_MAX; i++) {
		const struct partition *p = &t->parts[i];

		used += p->count != 0;
		assert(!p->count || (p->first < d->blocks &&
				     p->count <= d->blocks - p->first));
		for (unsigned int j = 1; p->count && j < i; j++)
			assert(!t->parts[j].count ||
			       p->first >= t->parts[j].first +
					   t->parts[j].count ||
			       t->parts[j].first >= p->first + p->count);
	}
	assert(used == t->used);
	assert(t->kind == TABLE_MBR || t->kind == TABLE_GPT || !used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		struct disk d;
		uint8_t *bytes;
	} f = { .d.read = read_blocks };
	struct table t;

	if (!size || size > 1 << 20)
		return 0;
	fake_quiet = 1;
	f.d.block_size = data[0] & 1 ? 4096 : 512;
	f.d.blocks = (size - 1) / f.d.block_size;
	f.d.ctx = &f;
	f.bytes = malloc(size);
	memcpy(f.bytes, data + 1, size - 1);
	if (data[0] & 2 && f.d.blocks > 1)
		sign(f.bytes, &f.d, 1);
	if (data[0] & 4 && f.d.blocks > 1)
		sign(f.bytes, &f.d, f.d.blocks - 1);
	if (!table_read(&t, &f.d))
		check(&t, &f.d);
	free(f.bytes);
	return 0;
}
