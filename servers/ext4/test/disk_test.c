// SPDX-License-Identifier: BSD-2-Clause
/* The disk as a source of bytes, with a server that dies, fails and comes back. */
/* test-sources: ../../lib/test/fake_pith.c ../../lib/test/fake_disk.c ../../lib/block_client.c ../../lib/block_server.c ../disk.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/test/fake_disk.h"
#include "../disk.h"

#define BYTES	(3u << 20)

static struct disk d;
static uint8_t buf[2 << 20];

static void setup(uint32_t bs, uint32_t max_bytes)
{
	disk_init(&d);
	fake_disk_init(&d.ep, BYTES / bs, bs);
	disk.info.max_bytes = max_bytes;
	srand(11);
	for (unsigned int i = 0; i < BYTES; i++)
		disk.bytes[i] = rand();
	ok(disk_open(&d, 1, fake_clock + PITH_SEC(1)) == 0, "open, %u", bs);
	ok(d.source.size == BYTES, "size");
}

static void teardown(void)
{
	disk_close(&d);
	ok(fake_open_fds() == 0 && fake_mappings == 0, "nothing left");
	fake_disk_free();
}

static int right(uint64_t off, uint32_t len)
{
	memset(buf, 0x5a, len);
	return d.source.read(d.source.ctx, off, buf, len) == 0 &&
	       !memcmp(buf, disk.bytes + off, len);
}

static void test_ranges(uint32_t bs, uint32_t max_bytes)
{
	unsigned int bad = 0;

	setup(bs, max_bytes);
	ok(right(0, 1) && right(1, 1) && right(bs - 1, 2), "single bytes");
	ok(right(0, sizeof(buf)), "2 MiB");
	ok(right(BYTES - 1, 1) && right(BYTES - 70000, 70000), "at the end");
	for (unsigned int i = 0; i < 500; i++) {
		uint32_t len = 1 + rand() % (i % 10 ? 20000 : 1500000);

		bad += !right(rand() % (BYTES - len + 1), len);
		if (i % 3)
			continue;
		len = 1 + rand() % 300000;
		d.source.prefetch(d.source.ctx, rand() % (BYTES - len), len);
	}
	ok(!bad, "500 random ranges, some fetched ahead");
	teardown();
}

static void test_sequential(void)
{
	unsigned int bad = 0, before;

	setup(512, 131072);
	before = disk.served;
	for (uint64_t off = 0; off < BYTES; off += 4096) {
		bad += !right(off, 4096);
		if (off % 131072 == 0 && off + 4096 + 262144 <= BYTES)
			d.source.prefetch(d.source.ctx, off + 4096, 262144);
	}
	ok(!bad && disk.served - before < BYTES / 131072 + 32,
	   "3 MiB in pages: %u requests", disk.served - before);
	teardown();
}

static void test_death(void)
{
	unsigned int bad = 0;

	setup(4096, 65536);
	for (unsigned int i = 0; i < 100; i++) {
		uint32_t len = 1 + rand() % 800000;

		disk.die_after = 1 + i % 7;
		bad += !right(rand() % (BYTES - len), len);
	}
	ok(!bad && disk.opened > 50, "disk dies %u times", disk.opened);
	teardown();
}

static void test_errors(void)
{
	setup(512, 131072);
	disk.bad_block = 1000;
	ok(d.source.read(d.source.ctx, 0, buf, 1 << 20) == -EIO,
	   "medium error");
	ok(right(0, 512000) && right(512512, 400000), "around it all is well");
	d.source.prefetch(d.source.ctx, 512000, 1000);
	fake_run(&d.ep);
	disk.bad_block = ~0ull;
	ok(right(512000, 512), "a failed prefetch is tried again");

	disk.hold = 1;
	ok(d.source.read(d.source.ctx, 2 << 20, buf, 1000) == -EIO,
	   "silent disk: EIO");
	disk.hold = 0;
	ok(right(2 << 20, 1000), "then a new connection is made");

	fake_disk_die();
	disk.refuse = ENOENT;
	ok(d.source.read(d.source.ctx, 1 << 20, buf, 1000) == -EIO, "gone: EIO");
	ok(d.source.read(d.source.ctx, 1 << 20, buf, 1000) == -EIO, "still");
	disk.refuse = 0;
	ok(d.source.read(d.source.ctx, 1 << 20, buf, 1000) == -EIO,
	   "not tried again at once");
	fake_clock += PITH_SEC(2);
	ok(right(1 << 20, 1000), "but a little later");

	fake_disk_die();
	disk.info.block_count--;
	ok(d.source.read(d.source.ctx, 3 << 19, buf, 1000) == -EIO &&
	   d.source.read(d.source.ctx, 3 << 19, buf, 1000) == -EIO,
	   "another disk is not read");
	teardown();
}

int main(void)
{
	test_ranges(512, 131072);
	test_ranges(4096, 131072);
	test_ranges(512, 4096);
	test_ranges(65536, 1 << 20);
	test_sequential();
	test_death();
	test_errors();
	return tap_end();
}
