// SPDX-License-Identifier: BSD-2-Clause
/* Partition tables as the usual tools write them, and damaged ones. */
/* test-sources: ../../lib/test/fake_pith.c ../table.c ../mbr.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/test/fake_pith.h"
#include "../gpt.c"	/* its crc32() repairs what the tests change */

static uint8_t *image;
static size_t image_size;
static uint64_t bad_block = ~0ull;

static int read_blocks(void *ctx, uint64_t block, uint32_t count, void *buf)
{
	const struct disk *d = ctx;

	if (block > d->blocks || count > d->blocks - block) {
		ok(0, "read of blocks %llu + %u outside the disk",
		   (unsigned long long)block, count);
		return -EIO;
	}
	if (bad_block - block < count)
		return -EIO;
	memcpy(buf, image + block * d->block_size,
	       (size_t)count * d->block_size);
	return 0;
}

static struct table scan(uint32_t bs)
{
	struct disk d = { .blocks = image_size / bs, .block_size = bs,
			  .read = read_blocks };
	struct table t;
	int err;

	d.ctx = &d;
	err = table_read(&t, &d);
	if (err)
		log_line("table_read: %d", err);
	return t;
}

static void run_tool(const char *tool)
{
	char path[] = "/tmp/part_block.XXXXXX";
	char cmd[2048];
	int fd = mkstemp(path);
	int len;

	if (fd < 0 || ftruncate(fd, image_size))
		exit(2);
	len = snprintf(cmd, sizeof(cmd),
		       "PATH=$PATH:/usr/sbin:/sbin; f=%s; %s >/dev/null 2>&1",
		       path, tool);
	ok(len < (int)sizeof(cmd) && system(cmd) == 0, "%s", tool);
	if (pread(fd, image, image_size, 0) != (ssize_t)image_size)
		exit(2);
	close(fd);
	unlink(path);
}

/* Make an image of @mib MiB and let shell command @tool loose on it. The tools
 * sleep a second each time: keep what they made last. */
static void make(unsigned int mib, const char *tool)
{
	static uint8_t *kept;
	static const char *kept_tool;

	free(image);
	image_size = (size_t)mib << 20;
	image = calloc(1, image_size);
	if (!kept_tool || strcmp(kept_tool, tool)) {
		run_tool(tool);
		kept = realloc(kept, image_size);
		memcpy(kept, image, image_size);
		kept_tool = tool;
	}
	memcpy(image, kept, image_size);
}

#define SGDISK3 "sgdisk -a 8 -n 1:2048:4095 -n 2:4096:+1M -n 7:8192:0 $f"

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> (8 * i);
}

static void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, v);
	put_le32(p + 4, v >> 32);
}

/* Bring the checksums of the GPT whose header is in block @lba up to date. */
static void sign(uint64_t lba, uint32_t bs, int entries)
{
	uint8_t *h = image + lba * bs;

	if (entries)
		put_le32(h + GPT_ENTRIES_CRC,
			 crc32(image + get_le64(h + GPT_ENTRIES) * bs,
			       (size_t)get_le32(h + GPT_COUNT) *
			       get_le32(h + GPT_ENTRY_SIZE)));
	put_le32(h + GPT_HEADER_CRC, 0);
	put_le32(h + GPT_HEADER_CRC, crc32(h, get_le32(h + GPT_HEADER_SIZE)));
}

static int is(const struct table *t, unsigned int n, uint64_t first,
	      uint64_t count)
{
	return t->parts[n].first == first && t->parts[n].count == count;
}

static void expect3(const struct table *t, const char *what)
{
	ok(t->kind == TABLE_GPT && t->used == 3 && is(t, 1, 2048, 2048) &&
	   is(t, 2, 4096, 2048) && is(t, 7, 8192, 16384 - 33 - 8192),
	   "%s: the three partitions", what);
	ok(is(t, 0, 0, 16384), "%s: partition 0 is the disk", what);
}

static uint8_t *entry(unsigned int number)
{
	return image + 2 * 512 + (number - 1) * 128;
}

static void test_gpt(void)
{
	struct table t;
	uint64_t last = 16383;

	make(8, SGDISK3);
	t = scan(512);
	expect3(&t, "sgdisk");
	ok(!t.backup, "from the primary");

	image[512 + GPT_HEADER_CRC] ^= 1;
	t = scan(512);
	expect3(&t, "damaged primary header");
	ok(t.backup, "from the backup");
	image[last * 512 + 50] ^= 0x80;
	t = scan(512);
	ok(t.kind == TABLE_DAMAGED && !t.used, "both headers damaged: nothing");
	image[512 + GPT_HEADER_CRC] ^= 1;
	t = scan(512);
	expect3(&t, "only the backup damaged");

	make(8, SGDISK3);
	entry(100)[60] = 1;
	t = scan(512);
	expect3(&t, "damaged primary entries");
	ok(t.backup, "from the backup");
	image[(last - 32) * 512] ^= 1;
	t = scan(512);
	ok(t.kind == TABLE_DAMAGED && !t.used, "both entries damaged: nothing");

	make(8, SGDISK3);
	bad_block = 1;
	t = scan(512);
	expect3(&t, "unreadable primary header");
	bad_block = 20;
	t = scan(512);
	expect3(&t, "unreadable primary entries");
	bad_block = 0;
	t = scan(512);
	ok(t.kind == TABLE_DAMAGED, "unreadable block 0: nothing");
	bad_block = ~0ull;

	memset(image, 0, 512);
	t = scan(512);
	ok(t.kind == TABLE_NONE, "GPT without its protective MBR is none");
}

static void test_gpt_4096(void)
{
	uint32_t bs = 4096;
	struct table t;
	uint8_t *h;

	/* Built by hand from the specification: 2048 blocks, one partition. */
	make(8, "true");
	image[510] = 0x55;
	image[511] = 0xaa;
	image[MBR_ENTRIES + 4] = MBR_GPT;
	h = image + bs;
	memcpy(h, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
	put_le64(h + GPT_MY_LBA, 1);
	put_le64(h + GPT_ALTERNATE, 2047);
	put_le64(h + GPT_FIRST, 6);
	put_le64(h + GPT_LAST, 2042);
	put_le64(h + GPT_ENTRIES, 2);
	put_le32(h + GPT_COUNT, 128);
	put_le32(h + GPT_ENTRY_SIZE, 128);
	image[2 * bs] = 1;
	put_le64(image + 2 * bs + ENTRY_FIRST, 256);
	put_le64(image + 2 * bs + ENTRY_LAST, 2042);
	sign(1, bs, 1);
	t = scan(bs);
	ok(t.kind == TABLE_GPT && t.used == 1 && is(&t, 1, 256, 1787),
	   "4096-byte blocks");
}

/* Change the primary with valid checksums and spoil the backup. */
static void reset(void)
{
	make(8, SGDISK3);
	memset(image + 16383 * 512, 0xff, 512);
}

static void bad_header(const char *what, unsigned int offset, uint64_t value,
		       int bytes)
{
	struct table t;

	reset();
	if (bytes == 8)
		put_le64(image + 512 + offset, value);
	else
		put_le32(image + 512 + offset, value);
	sign(1, 512, 0);
	t = scan(512);
	ok(t.kind == TABLE_DAMAGED && !t.used, "header with %s", what);
}

static void test_gpt_header(void)
{
	bad_header("no entries", GPT_COUNT, 0, 4);
	bad_header("2^32 - 1 entries", GPT_COUNT, ~0u, 4);
	bad_header("1025 entries", GPT_COUNT, 1025, 4);
	bad_header("entry size 0", GPT_ENTRY_SIZE, 0, 4);
	bad_header("entry size 64", GPT_ENTRY_SIZE, 64, 4);
	bad_header("entry size 130", GPT_ENTRY_SIZE, 130, 4);
	bad_header("entry size 2^31", GPT_ENTRY_SIZE, 1u << 31, 4);
	bad_header("entries in block 0", GPT_ENTRIES, 0, 8);
	bad_header("entries behind the disk", GPT_ENTRIES, 16384, 8);
	bad_header("entries over the end", GPT_ENTRIES, 16383, 8);
	bad_header("entries at 2^64 - 1", GPT_ENTRIES, ~0ull, 8);
	bad_header("last usable behind the disk", GPT_LAST, 16384, 8);
	bad_header("last usable 2^64 - 1", GPT_LAST, ~0ull, 8);
	bad_header("first usable above last", GPT_FIRST, 16360, 8);
	bad_header("another block number", GPT_MY_LBA, 2, 8);
	bad_header("revision 2", GPT_REVISION, 0x20000, 4);
	bad_header("size 91", GPT_HEADER_SIZE, 91, 4);
	reset();
	put_le32(image + 512 + GPT_HEADER_SIZE, 0x10000);
	ok(scan(512).kind == TABLE_DAMAGED, "header with size 65536");
}

static void bad_entry(const char *what, unsigned int number, uint64_t first,
		      uint64_t last, unsigned int left)
{
	struct table t;

	reset();
	put_le64(entry(number) + ENTRY_FIRST, first);
	put_le64(entry(number) + ENTRY_LAST, last);
	sign(1, 512, 1);
	t = scan(512);
	ok(t.kind == TABLE_GPT && t.used == left && !t.parts[number].count,
	   "%s: left out, others stay", what);
}

static void test_gpt_entries(void)
{
	struct table t;
	uint8_t *h;

	bad_entry("end before begin", 2, 5000, 4999, 2);
	bad_entry("before the usable blocks", 1, 33, 4000, 2);
	bad_entry("behind the usable blocks", 2, 5000, 16383, 2);
	bad_entry("end 2^64 - 1", 2, 5000, ~0ull, 2);
	bad_entry("begin 2^64 - 1", 2, ~0ull, ~0ull, 2);
	bad_entry("length wraps to 0", 2, 0, ~0ull, 2);
	bad_entry("overlap at the begin", 2, 4095, 4100, 2);
	bad_entry("same as another", 2, 2048, 4095, 2);
	bad_entry("overlap at the end", 7, 6143, 9000, 2);
	bad_entry("around another", 7, 2000, 9000, 2);

	/* Entries of 256 bytes: spread the first two and the seventh. */
	reset();
	h = image + 512;
	for (int i = 63; i >= 0; i--) {
		memmove(image + 1024 + i * 256, image + 1024 + i * 128, 128);
		if (i)
			memset(image + 1024 + i * 256 - 128, 0, 128);
	}
	put_le32(h + GPT_ENTRY_SIZE, 256);
	put_le32(h + GPT_COUNT, 64);
	sign(1, 512, 1);
	t = scan(512);
	expect3(&t, "entries of 256 bytes");

	/* Number 129 and up do not exist for us. */
	reset();
	put_le32(image + 512 + GPT_COUNT, 136);
	put_le64(image + 512 + GPT_FIRST, 40);
	memcpy(entry(129), entry(1), 128);
	put_le64(entry(129) + ENTRY_FIRST, 7000);
	put_le64(entry(129) + ENTRY_LAST, 7010);
	sign(1, 512, 1);
	t = scan(512);
	ok(t.kind == TABLE_GPT && t.used == 3, "number 129 is left out");
}

static void test_hybrid(void)
{
	struct table t;

	make(8, SGDISK3 "; sgdisk -h 2 $f");
	ok(image[MBR_ENTRIES + 4] != 0 && image[MBR_ENTRIES + 16 + 4] != 0,
	   "hybrid MBR has several entries");
	t = scan(512);
	expect3(&t, "hybrid");
}

static void test_grown(void)
{
	struct table t;

	/* The image grew: the backup is no longer at its end. */
	make(8, SGDISK3);
	image = realloc(image, image_size + (1 << 20));
	memset(image + image_size, 0, 1 << 20);
	image_size += 1 << 20;
	t = scan(512);
	ok(t.kind == TABLE_GPT && t.used == 3, "grown disk: primary is used");
	entry(100)[60] = 1;
	t = scan(512);
	ok(t.backup && t.used == 3, "grown disk: backup where the header says");
}

#define SFDISK	"printf 'label: dos\\nstart=2048,size=2048,type=83\\n" \
	"start=4096,size=10240,type=5\\nstart=14336,size=1024,type=82\\n" \
	"size=1024,type=83\\nsize=1024,type=83\\ntype=83\\n' | sfdisk $f"

static void test_mbr(void)
{
	struct table t;

	make(8, SFDISK);
	t = scan(512);
	ok(t.kind == TABLE_MBR && t.used == 5, "sfdisk: MBR with 5 partitions");
	ok(is(&t, 1, 2048, 2048) && is(&t, 3, 14336, 1024), "primary ones");
	ok(!t.parts[2].count, "the extended one is not served");
	ok(is(&t, 5, 6144, 1024) && is(&t, 6, 10240, 1024) &&
	   is(&t, 7, 13312, 1024), "logical ones");
}

/* Sector of the @n-th extended boot record, by following the chain. */
static uint8_t *ebr(unsigned int n)
{
	uint64_t at = 4096;

	while (n--)
		at = 4096 + mbr_entry(image + at * 512, 1).first;
	return image + at * 512;
}

static void test_mbr_damaged(void)
{
	struct table t;
	uint8_t *e;

	make(8, SFDISK);
	put_le32(ebr(2) + MBR_ENTRIES + 8, 0x7fffffff);
	t = scan(512);
	ok(t.used == 4 && !t.parts[7].count, "logical one outside: left out");

	make(8, SFDISK);
	put_le32(ebr(1) + MBR_ENTRIES + 12, ~0u);
	t = scan(512);
	ok(t.used == 4 && !t.parts[6].count && t.parts[7].count,
	   "logical one too long: left out, the next stays");

	make(8, SFDISK);
	e = ebr(2) + MBR_ENTRIES + 16;
	e[4] = 5;
	put_le32(e + 8, 0);
	put_le32(e + 12, 100);
	t = scan(512);
	ok(t.used == 5, "chain that loops to its begin ends");

	make(8, SFDISK);
	put_le32(ebr(0) + MBR_ENTRIES + 16 + 8, 0xfffffff0);
	t = scan(512);
	ok(t.used == 3 && t.parts[5].count, "chain that leaves ends");

	make(8, SFDISK);
	ebr(1)[510] = 0;
	t = scan(512);
	ok(t.used == 3, "chain with a damaged record ends");

	make(8, SFDISK);
	put_le32(image + MBR_ENTRIES + 8, 3000);
	put_le32(image + MBR_ENTRIES + 12, 3000);
	t = scan(512);
	ok(t.parts[1].count == 3000 && !t.parts[5].count && t.used == 2,
	   "extended one overlapping the first is left out");

	make(8, SFDISK);
	put_le32(image + MBR_ENTRIES + 12, 0xffffffff);
	t = scan(512);
	ok(!t.parts[1].count && t.used == 4, "primary one too long: left out");
}

static void test_mbr_4096(void)
{
	uint8_t *e;
	struct table t;

	make(8, "true");
	image[510] = 0x55;
	image[511] = 0xaa;
	e = image + MBR_ENTRIES;
	e[4] = 0x83;
	put_le32(e + 8, 256);
	put_le32(e + 12, 1792);
	t = scan(4096);
	ok(t.kind == TABLE_MBR && t.used == 1 && is(&t, 1, 256, 1792),
	   "MBR in 4096-byte blocks");
	put_le32(e + 12, 1793);
	t = scan(4096);
	ok(t.used == 0, "and its range counts in them");
}

static void test_none(void)
{
	struct table t;

	make(8, "true");
	t = scan(512);
	ok(t.kind == TABLE_NONE && is(&t, 0, 0, 16384), "empty disk: partition 0");
	make(8, "mke2fs -q -t ext4 $f");
	t = scan(512);
	ok(t.kind == TABLE_NONE, "raw ext4: no table");
	image[510] = 0x55;
	image[511] = 0xaa;
	t = scan(512);
	ok(t.kind == TABLE_NONE, "signature with four empty entries: no table");
	memset(image + MBR_ENTRIES, 0x90, 64);
	t = scan(512);
	ok(t.kind == TABLE_NONE, "signature with code for entries: no table");
	image_size = 512;
	memset(image, 0, 512);
	image[510] = 0x55;
	image[511] = 0xaa;
	image[MBR_ENTRIES + 4] = MBR_GPT;
	t = scan(512);
	ok(t.kind == TABLE_DAMAGED, "disk of one block that claims a GPT");
	image_size = 0;
	t = scan(512);
	ok(t.kind == TABLE_NONE && !t.parts[0].count, "disk without blocks");
}

int main(void)
{
	test_gpt();
	test_gpt_4096();
	test_gpt_header();
	test_gpt_entries();
	test_hybrid();
	test_grown();
	test_mbr();
	test_mbr_damaged();
	test_mbr_4096();
	test_none();
	free(image);
	return tap_end();
}
