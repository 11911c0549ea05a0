// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../nvme.c */
/* The driver's logic against a controller in memory, honest and otherwise. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <pith/env.h>

#include "../../lib/mmio.h"
#include "fake_nvme.h"

#define DATA_PAGES	600

static unsigned int tests, failed;
static uint64_t clock_ns = 1;
static struct fake fake;
static struct nvme nvme;
static uint8_t *data;
static uint64_t data_bus[DATA_PAGES];
static int results[4096];		/* by tag; 1: not ended */
static unsigned int ended, twice;

/* --- what the driver links with ------------------------------------------- */

uint64_t pith_now(void)
{
	return clock_ns += 10;
}

int poll_until(int (*done)(void *ctx), void *ctx, uint64_t deadline)
{
	for (;;) {
		int ret = done(ctx);

		if (ret)
			return ret < 0 ? ret : 0;
		if (clock_ns >= deadline)
			return -ETIMEDOUT;
		clock_ns += 1000000;
		fake_step(&fake);
	}
}

void log_line(const char *fmt, ...)
{
	(void)fmt;
}

void log_error(const char *fmt, ...)
{
	va_list args;

	if (!getenv("VERBOSE"))
		return;
	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
}

static void on_done(void *ctx, void *owner, uint64_t tag, int status)
{
	(void)ctx;
	(void)owner;
	twice += results[tag] != 1;
	results[tag] = status;
	ended++;
}

static uint32_t on_read(void *ctx, uint32_t reg)
{
	(void)ctx;
	return fake_read(&fake, reg);
}

static void on_write(void *ctx, uint32_t reg, uint32_t value)
{
	(void)ctx;
	fake_write(&fake, reg, value);
}

/* --- helpers -------------------------------------------------------------- */

static void check(int ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests, what);
	failed += !ok;
}

static void begin(void)
{
	unsigned int i;

	fake_init(&fake);
	fake_disk(&fake, 1, 8192, 9);
	memset(&nvme, 0, sizeof(nvme));
	nvme.ops = (struct nvme_ops){ on_read, on_write, on_done, NULL };
	nvme.bar_size = 0x2000;
	nvme.timeout = PITH_SEC(10);
	nvme.mem = fake_alloc(&fake, NVME_MEM_PAGES, nvme.mem_bus);
	memset(nvme.mem, 0xa5, NVME_MEM_PAGES * NVME_PAGE);
	data = fake_alloc(&fake, DATA_PAGES, data_bus);
	for (i = 0; i < 4096; i++)
		results[i] = 1;
	ended = twice = 0;
}

static void end(void)
{
	fake_free(&fake);
}

static int up(void)
{
	int err = nvme_start(&nvme);

	return err ? err : nvme_identify(&nvme);
}

static int submit(uint8_t op, uint32_t nsid, uint64_t lba, uint32_t blocks,
		  uint64_t offset, uint64_t tag)
{
	struct nvme_io io = { op, nsid, lba, blocks, 0, data_bus, offset };

	if (blocks)
		io.bytes = blocks << fake.ns[nsid - 1].shift;
	return nvme_submit(&nvme, &io, NULL, tag);
}

/* One command to its end: its status, 1 if it did not end. */
static int transfer(uint8_t op, uint32_t nsid, uint64_t lba, uint32_t blocks,
		    uint64_t offset)
{
	int err;

	results[0] = 1;
	err = submit(op, nsid, lba, blocks, offset, 0);
	if (err)
		return err;
	nvme_kick(&nvme);
	nvme_poll(&nvme);
	return results[0];
}

static uint32_t rnd_state = 1;

static uint32_t rnd(void)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return rnd_state >> 8;
}

static void fill(uint8_t *p, size_t len)
{
	while (len--)
		*p++ = rnd();
}

/* Write, spoil memory, read back at another place, compare. */
static int round_trip(uint32_t nsid, uint64_t lba, uint32_t blocks,
		      uint64_t offset)
{
	size_t len = (size_t)blocks << fake.ns[nsid - 1].shift;
	uint8_t *copy = malloc(len);
	int ok;

	fill(data + offset, len);
	memcpy(copy, data + offset, len);
	ok = transfer(NVME_CMD_WRITE, nsid, lba, blocks, offset) == 0;
	memset(data, 0xee, DATA_PAGES * NVME_PAGE);
	ok = ok && transfer(NVME_CMD_READ, nsid, lba, blocks, 4) == 0 &&
	     !memcmp(data + 4, copy, len) && data[3] == 0xee &&
	     data[4 + len] == 0xee;
	free(copy);
	return ok;
}

/* --- tests: honest controllers -------------------------------------------- */

static void test_start(void)
{
	begin();
	fake.cc = NVME_CC_EN | NVME_CC_IOSQES | NVME_CC_IOCQES;
	fake.csts = NVME_CSTS_RDY;
	check(up() == 0 && fake.resets == 1,
	      "a controller left running is reset and started");
	check(!strcmp(nvme.model, "Fake NVMe") && !strcmp(nvme.serial, "S1?") &&
	      nvme.write_cache, "identify is understood, bad text made harmless");
	check(nvme.namespaces == 1 && nvme.ns[0].id == 1 &&
	      nvme.ns[0].blocks == 8192 && nvme.ns[0].block_size == 512 &&
	      nvme.max_bytes == NVME_MAX_BYTES, "the namespace is found");
	check(transfer(NVME_CMD_FLUSH, 1, 0, 0, 0) == 0 && fake.flushes == 1,
	      "flush reaches the controller");
	check(!fake.violation, "the specification is obeyed");
	end();
}

static void test_sizes(void)
{
	static const uint32_t blocks[] = { 1, 2, 7, 8, 9, 16, 17, 24, 255, 1024,
					   2047, 2048 };
	static const uint32_t offsets[] = { 0, 4, 512, 3584, 4092, 4096, 5000 };
	int ok = 1;
	unsigned int i, j;

	begin();
	up();
	for (i = 0; i < sizeof(blocks) / 4; i++)
		for (j = 0; j < sizeof(offsets) / 4; j++)
			ok &= round_trip(1, rnd() % (8192 - blocks[i]),
					 blocks[i], offsets[j]);
	check(ok, "sizes from 1 block to 1 MiB at any dword offset");
	check(fake.max_list == NVME_LIST_ENTRIES,
	      "the longest list has 256 entries and stays in its page");
	check(submit(NVME_CMD_READ, 1, 0, 2049, 0, 1) == -EINVAL,
	      "more than the limit is refused");
	check(submit(NVME_CMD_READ, 1, 0, 1, 2, 1) == -EINVAL,
	      "an offset that is no dword is refused");
	check(transfer(NVME_CMD_READ, 1, 8192, 1, 0) == -EIO,
	      "the controller's range error is reported");
	check(!fake.violation && !twice, "the specification is obeyed");
	end();
}

static void test_prps(void)
{
	static uint64_t pages[8] = { 0x9000, 0x3000, 0x7000, 0x1000 };
	struct nvme_io io = { .pages = pages, .bytes = 4096 };
	struct nvme_sqe sqe = { 0 };
	uint64_t list[8] = { 0 };

	check(nvme_build_prps(&io, &sqe, list, 0x5000) == 0 &&
	      sqe.prp1 == 0x9000 && sqe.prp2 == 0, "one page: PRP1 only");
	io.offset = 0x800;
	check(nvme_build_prps(&io, &sqe, list, 0x5000) == 0 &&
	      sqe.prp1 == 0x9800 && sqe.prp2 == 0x3000,
	      "two pages: PRP1 with offset and PRP2");
	io.bytes = 0x1801;
	check(nvme_build_prps(&io, &sqe, list, 0x5000) == 2 &&
	      sqe.prp2 == 0x5000 && list[0] == 0x3000 && list[1] == 0x7000,
	      "three pages: a list");
	io.offset = 0x1000;
	io.bytes = 0x2000;
	check(nvme_build_prps(&io, &sqe, list, 0x5000) == 0 &&
	      sqe.prp1 == 0x3000 && sqe.prp2 == 0x7000,
	      "the offset selects the first page");
}

static void test_small_mdts(void)
{
	begin();
	fake.mdts = 1;
	up();
	check(nvme.max_bytes == 8192, "MDTS bounds the size of a command");
	check(round_trip(1, 100, 16, 4), "a command of that size works");
	check(submit(NVME_CMD_READ, 1, 0, 17, 0, 1) == -EINVAL,
	      "a larger one is refused");
	end();
	begin();
	fake.mdts = 255;
	up();
	check(nvme.max_bytes == NVME_MAX_BYTES, "an absurd MDTS does no harm");
	end();
}

static void test_namespaces(void)
{
	begin();
	fake_disk(&fake, 2, 512, 12);
	fake_disk(&fake, 3, 512, 9);
	fake.ns[2].metadata = 8;
	up();
	check(nvme.namespaces == 2 && nvme.ns[1].block_size == 4096,
	      "4096-byte blocks are known, a namespace with metadata refused");
	check(round_trip(2, 500, 12, 512), "4096-byte blocks");
	check(round_trip(2, 0, 1, 4), "a 4096-byte block across two pages");
	memset(data, 1, 512);
	transfer(NVME_CMD_WRITE, 1, 0, 1, 0);
	memset(data, 2, 4096);
	transfer(NVME_CMD_WRITE, 2, 0, 1, 0);
	transfer(NVME_CMD_READ, 1, 0, 1, 0);
	check(data[0] == 1 && data[511] == 1 && data[512] == 2,
	      "namespaces do not mix");
	end();
	begin();
	fake.vs = 0x00010000;
	fake_disk(&fake, 3, 64, 9);
	fake.ns[2].protected = 1;
	check(up() == 0 && nvme.namespaces == 2 && nvme.ns[1].id == 3 &&
	      nvme.ns[1].read_only,
	      "version 1.0: namespaces are tried one by one");
	end();
}

/* Many commands in small queues, completing in bursts. */
static void flood(uint32_t mqes, const char *what)
{
	uint8_t *model = calloc(8192, 512);
	unsigned int i, refused = 0;
	int ok = 1;

	begin();
	fake.cap = (fake.cap & ~0xffffull) | mqes;
	up();
	fake.hold = 1;
	for (i = 0; i < 4000; i++) {
		uint64_t lba = i * 2 % 8192, offset = i % 64 * 1024;

		while (!nvme_ready(&nvme)) {
			refused += submit(NVME_CMD_READ, 1, 0, 1, 0, 0) ==
				   -EAGAIN;
			fake.hold = 0;
			nvme_kick(&nvme);
			nvme_poll(&nvme);
			fake.hold = 1;
		}
		fill(data + offset, 1024);
		memcpy(model + lba * 512, data + offset, 1024);
		ok &= submit(NVME_CMD_WRITE, 1, lba, 2, offset, i) == 0;
		nvme_kick(&nvme);
	}
	fake.hold = 0;
	nvme_kick(&nvme);
	nvme_poll(&nvme);
	for (i = 0; i < 4000; i++)
		ok &= results[i] == 0;
	ok &= !memcmp(model, fake.ns[0].disk, 8000 * 512);
	check(ok && refused && ended == 4000 && !twice && !fake.violation &&
	      !nvme.outstanding && !nvme.resets, what);
	free(model);
	end();
}

static void test_registers(void)
{
	begin();
	fake.cap |= 3ull << 32;		/* doorbells 32 bytes apart */
	check(up() == 0 && round_trip(1, 0, 9, 0) && !fake.violation,
	      "doorbell stride");
	end();
	begin();
	fake.cap |= 15ull << 32;
	check(up() == -EPROTO, "doorbells outside of the registers");
	end();
	begin();
	fake.cap |= 1ull << 48;
	check(up() == -EOPNOTSUPP, "pages larger than 4 KiB are refused");
	end();
	begin();
	fake.cap &= ~NVME_CAP_CSS_NVM;
	check(up() == -EOPNOTSUPP, "no NVM command set is refused");
	end();
	begin();
	fake.cap = (fake.cap & ~NVME_CAP_CSS_NVM) | NVME_CAP_CSS_IOCS;
	check(up() == 0 && (fake.cc >> 4 & 7) == 6, "all command sets");
	end();
	begin();
	fake.cap &= ~0xffffull;
	check(up() == -EPROTO, "a queue of one entry is refused");
	end();
	begin();
	fake.stuck_not_ready = 1;
	check(up() == -ETIMEDOUT, "never ready: a deadline ends the wait");
	end();
	begin();
	fake.lie = FAKE_GONE;
	check(up() == -ENODEV, "no device: an error");
	end();
}

static void test_identify_lies(void)
{
	begin();
	fake.ns[0].shift = 40;
	check(up() == 0 && !nvme.namespaces, "absurd block size is refused");
	end();
	begin();
	fake.ns[0].blocks = ~0ull;
	check(up() == 0 && !nvme.namespaces, "absurd capacity is refused");
	end();
	begin();
	fake.format_index = 5;
	check(up() == 0 && !nvme.namespaces, "missing format is refused");
	end();
	begin();
	fake.nn = 0;
	check(up() == 0 && !nvme.namespaces,
	      "identifiers beyond NN are refused");
	end();
}

/* --- tests: lying controllers --------------------------------------------- */

static void lie(enum fake_lie kind, unsigned int times)
{
	begin();
	up();
	fake.lie = kind;
	fake.lie_times = times;
}

/* Let time pass until everything has ended or the driver gives up. */
static void settle(void)
{
	unsigned int i;

	for (i = 0; i < 200 && nvme.outstanding && !nvme.dead; i++) {
		clock_ns += NVME_TICK_NS;
		nvme_tick(&nvme);
	}
}

/* A lie about one of five commands: reset, then all five end well. */
static void lie_once(enum fake_lie kind, const char *what)
{
	unsigned int i, good = 0;

	lie(kind, 1);
	for (i = 0; i < 5; i++) {
		memset(data + i * 512, i + 1, 512);
		submit(NVME_CMD_WRITE, 1, i, 1, i * 512, i);
	}
	nvme_kick(&nvme);
	nvme_poll(&nvme);
	settle();
	for (i = 0; i < 5; i++)
		good += results[i] == 0 &&
			fake.ns[0].disk[i * 512 + 9] == i + 1;
	check(good == 5 && ended == 5 && !twice && nvme.resets == 1 &&
	      !nvme.dead && !fake.violation, what);
	end();
}

static void test_lies(void)
{
	lie_once(FAKE_BAD_CID, "unknown command id: reset and repeat");
	lie_once(FAKE_TWICE, "completed twice: reset, reported once");
	lie_once(FAKE_BAD_SQHD, "impossible queue head: reset and repeat");
	lie_once(FAKE_BAD_SQID, "wrong queue: reset and repeat");
	lie_once(FAKE_FATAL, "fatal status: reset and repeat");

	lie(FAKE_STATUS, 1);
	check(transfer(NVME_CMD_READ, 1, 0, 1, 0) == -EIO && !nvme.resets,
	      "an error status is an error of that command only");
	check(transfer(NVME_CMD_READ, 1, 0, 1, 0) == 0, "the next one works");
	end();
	lie(FAKE_PROTECTED, 1);
	check(transfer(NVME_CMD_WRITE, 1, 0, 1, 0) == -EROFS,
	      "write protection is told apart");
	end();
	lie(FAKE_BAD_CID, ~0u);
	transfer(NVME_CMD_READ, 1, 0, 1, 0);
	settle();
	check(results[0] == -EIO && nvme.resets == 2,
	      "lies again after the reset: the command fails");
	transfer(NVME_CMD_READ, 1, 0, 1, 0);
	settle();
	check(nvme.dead && nvme.resets == 4,
	      "a controller that only lies is given up");
	check(submit(NVME_CMD_READ, 1, 0, 1, 0, 0) == -EAGAIN,
	      "a controller given up takes no commands");
	end();
}

static void test_silence(void)
{
	lie(FAKE_ABORTABLE, 1);
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	submit(NVME_CMD_READ, 1, 0, 1, 512, 1);
	nvme_kick(&nvme);
	nvme_poll(&nvme);
	check(results[0] == 1 && results[1] == 0, "others go on");
	settle();
	check(results[0] == -EIO && fake.aborts == 1 && !nvme.resets,
	      "a silent command is aborted when its time is up");
	end();
	lie(FAKE_STALE_PHASE, 1);
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	nvme_kick(&nvme);
	settle();
	check(results[0] == -EIO && fake.aborts == 1 && nvme.resets == 1 &&
	      ended == 1, "a stale completion is none: abort, reset, error");
	end();
	lie(FAKE_NEVER, ~0u);
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	nvme_kick(&nvme);
	settle();
	check(results[0] == -EIO && ended == 1 && nvme.resets == 1,
	      "abort is not answered either: reset, error");
	fake.lie_times = 0;
	fake.lie = FAKE_HONEST;
	check(transfer(NVME_CMD_READ, 1, 0, 1, 0) == 0, "then it works again");
	end();
	lie(FAKE_NEVER, ~0u);
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	nvme_kick(&nvme);
	fake.stuck_not_ready = 1;
	settle();
	check(nvme.dead && ended == 0,
	      "reset fails: given up, the command left to the next instance");
	end();
	lie(FAKE_HONEST, 0);
	fake.hold = 1;
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	nvme_kick(&nvme);
	fake.lie = FAKE_GONE;
	settle();
	check(nvme.dead, "a device that was pulled out is noticed");
	end();
	lie(FAKE_HONEST, 0);
	submit(NVME_CMD_READ, 1, 0, 1, 0, 0);
	nvme_kick(&nvme);
	clock_ns += NVME_TICK_NS;
	nvme_tick(&nvme);
	check(results[0] == 0 && !nvme.resets, "a lost interrupt costs a tick");
	end();
}

/* Anything at all in the completion queue: ends and touches nothing else. */
static void test_garbage(void)
{
	unsigned int i, j;
	int ok = 1;

	for (i = 0; i < 300; i++) {
		begin();
		up();
		fake.hold = 1;
		for (j = 0; j < 20; j++)
			submit(NVME_CMD_READ, 1, j, 8, j * 4096, j);
		nvme_kick(&nvme);
		fill(nvme.mem + NVME_MEM_IO_CQ * NVME_PAGE, NVME_PAGE);
		if (i & 1)	/* often enough a command that exists */
			for (j = 0; j < 64; j++)
				nvme.mem[NVME_MEM_IO_CQ * NVME_PAGE + j * 16 +
					 13] = 0;
		fake.hold = 0;
		nvme_poll(&nvme);
		settle();
		ok &= !twice && ended <= 20 && (ended == 20 || nvme.dead);
		end();
	}
	check(ok, "300 completion queues full of noise");
}

int main(void)
{
	test_start();
	test_sizes();
	test_prps();
	test_small_mdts();
	test_namespaces();
	flood(63, "4000 commands, 64 entries: the queues wrap");
	flood(4095, "a controller with larger queues");
	flood(1, "a controller with queues of 2 entries");
	flood(6, "queues of 7 entries");
	test_registers();
	test_identify_lies();
	test_lies();
	test_silence();
	test_garbage();
	printf("1..%u\n", tests);
	return failed != 0;
}
