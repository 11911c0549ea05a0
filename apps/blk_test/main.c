// SPDX-License-Identifier: BSD-2-Clause
/*
 * Test of a Block session: patterns over the whole range, random requests, and
 * requests that must be refused. See README.md.
 *
 * What a block holds is a function of seed, pass and position, so that requests
 * may overlap and be sent again after the server died, and old data are told
 * from new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <pith/rpc.h>

#include "../../servers/lib/block_client.h"

#define SLACK		4096u	/* so that data can begin anywhere in a page */
#define OPEN_TIMEOUT	PITH_SEC(30)
#define STALL_TIMEOUT	PITH_SEC(60)	/* without the end of a request */

/* --- config --------------------------------------------------------------- */

static struct {
	char label[64], args[64];
	uint64_t passes, seconds, requests, size, depth, seed, range;
	bool write, bounds;
} cfg;

static void read_config(void)
{
	const struct hid_node *root = NULL;
	struct hid_error error;
	struct rom rom;
	void *arena;

	if (rom_open(&rom, "config") < 0)
		env_fatal("blk_test: FAIL no config");
	arena = malloc(HID_ARENA_SIZE(rom.size));
	if (!arena || hid_parse(rom.data, rom.size, arena,
				HID_ARENA_SIZE(rom.size), &root, &error))
		env_fatal("blk_test: FAIL config: %s",
			  arena ? error.text : "no memory");
	if (hid_string(root, "label", cfg.label, sizeof(cfg.label), "") < 0 ||
	    hid_string(root, "args", cfg.args, sizeof(cfg.args), "") < 0)
		env_fatal("blk_test: FAIL config: label or args too long");
	cfg.passes = hid_number(root, "passes", 1);
	cfg.seconds = hid_number(root, "seconds", 0);
	cfg.requests = hid_number(root, "requests", 2000);
	cfg.size = hid_number(root, "size", 64 << 10);
	cfg.depth = hid_number(root, "depth", 32);
	cfg.seed = hid_number(root, "seed", 1);
	cfg.range = hid_number(root, "range", 0);
	cfg.write = hid_bool(root, "write", true);
	cfg.bounds = hid_bool(root, "bounds", true);
	if (cfg.depth < 1 || cfg.depth > BLOCK_RING_SIZE ||
	    cfg.size > 16 << 20)
		env_fatal("blk_test: FAIL config: depth or size out of range");
	free(arena);
	rom_close(&rom);
}

/* --- state ---------------------------------------------------------------- */

enum kind { WRITE, READ, SUM };		/* SUM: read, contents unknown */

struct slot {
	uint64_t block, offset;		/* offset in the data area, bytes */
	uint32_t count;
	enum kind kind;
	bool busy;
};

static struct entrypoint ep;
static struct block_client client;
static struct slot slots[BLOCK_RING_SIZE];
static uint64_t blocks;			/* of the range under test */
static uint32_t max_count;		/* blocks of one request */
static uint64_t slot_bytes;
static uint64_t pass, requests, bytes, progress, sum;
static uint64_t rnd_state;
static int bound_status;		/* 1: not ended */

static _Noreturn void fail(const char *what, uint64_t block, int status)
{
	log_line("blk_test: FAIL %s (block %llu, error %d, after %llu requests)",
		 what, (unsigned long long)block, -status,
		 (unsigned long long)requests);
	exit(1);
}

/* xorshift64*; Marsaglia, "Xorshift RNGs" */
static uint64_t rnd(void)
{
	rnd_state ^= rnd_state >> 12;
	rnd_state ^= rnd_state << 25;
	rnd_state ^= rnd_state >> 27;
	return rnd_state * 0x2545f4914f6cdd1d;
}

/* What the 8 bytes at @position of the range hold in this pass. */
static uint64_t word_at(uint64_t position)
{
	uint64_t x = position + (cfg.seed << 40) + pass * 0x9e3779b97f4a7c15;

	x ^= x >> 31;
	x *= 0xd6e8feb86659fd93;
	return x ^ x >> 29;
}

static void fill(const struct slot *s)
{
	uint64_t at = s->block * client.info.block_size;
	uint32_t i, n = s->count * client.info.block_size;

	for (i = 0; i < n; i += 8) {
		uint64_t word = word_at(at + i);

		memcpy(client.data + s->offset + i, &word, 8);
	}
}

static void compare(const struct slot *s)
{
	uint64_t at = s->block * client.info.block_size;
	uint32_t i, n = s->count * client.info.block_size;

	for (i = 0; i < n; i += 8) {
		uint64_t word;

		memcpy(&word, client.data + s->offset + i, 8);
		if (word != word_at(at + i))
			fail("wrong data", s->block + i / client.info.block_size,
			     0);
	}
}

/* Independent of the order in which blocks come. */
static void add_up(const struct slot *s)
{
	uint64_t at = s->block * client.info.block_size;
	uint32_t i, n = s->count * client.info.block_size;

	for (i = 0; i < n; i += 8) {
		uint64_t word;

		memcpy(&word, client.data + s->offset + i, 8);
		sum += (word ^ (at + i)) * 0xd6e8feb86659fd93;
	}
}

/* --- requests ------------------------------------------------------------- */

static void request_done(void *ctx, int status)
{
	struct slot *s = ctx;

	if (status)
		fail(s->kind == WRITE ? "write" : "read", s->block, status);
	if (s->kind == READ)
		compare(s);
	if (s->kind == SUM)
		add_up(s);
	s->busy = false;
	progress++;
	requests++;
	bytes += (uint64_t)s->count * client.info.block_size;
}

static void start(struct slot *s, enum kind kind, uint64_t block,
		  uint32_t count)
{
	uint32_t align = client.info.align;
	int err;

	s->kind = kind;
	s->block = block;
	s->count = count;
	s->offset = (s - slots) * slot_bytes + rnd() % (SLACK / align) * align;
	s->busy = true;
	if (kind == WRITE)
		fill(s);
	else	/* what is not written by the device must not look right */
		memset(client.data + s->offset, 0xa5,
		       count * client.info.block_size);
	err = block_client_submit(&client,
				  kind == WRITE ? BLOCK_WRITE : BLOCK_READ,
				  block, count, s->offset, request_done, s);
	if (err)
		fail("submit", block, err);
}

static void wait_event(void)
{
	static uint64_t seen, since;

	if (seen != progress || !since) {
		seen = progress;
		since = pith_now();
	}
	block_client_kick(&client);
	ep_dispatch(&ep, pith_now() + PITH_SEC(1));
	if (pith_now() - since > STALL_TIMEOUT)
		fail("nothing moves", 0, -ETIMEDOUT);
}

static struct slot *free_slot(void)
{
	unsigned int i;

	for (;;) {
		for (i = 0; i < cfg.depth; i++)
			if (!slots[i].busy)
				return &slots[i];
		wait_event();
	}
}

static void drain(void)
{
	while (client.outstanding)
		wait_event();
}

static uint32_t random_count(uint64_t left)
{
	uint64_t count = rnd() % 4 ? 1 + rnd() % max_count : max_count;

	return count < left ? count : left;
}

/* --- phases --------------------------------------------------------------- */

static void sweep(enum kind kind)
{
	uint64_t block = 0;

	while (block < blocks) {
		uint32_t count = random_count(blocks - block);

		start(free_slot(), kind, block, count);
		block += count;
	}
	drain();
}

static void random_requests(void)
{
	uint64_t i, block;

	for (i = 0; i < cfg.requests; i++) {
		struct slot *s = free_slot();
		enum kind kind = !cfg.write ? SUM : rnd() % 2 ? WRITE : READ;

		block = rnd() % blocks;
		start(s, kind, block, random_count(blocks - block));
	}
	drain();
}

static void bound_done(void *ctx, int status)
{
	(void)ctx;
	bound_status = status;
	progress++;
	requests++;
}

static int try_request(uint32_t op, uint64_t block, uint32_t count,
		       uint64_t offset)
{
	int err;

	bound_status = 1;
	err = block_client_submit(&client, op, block, count, offset, bound_done,
				  NULL);
	if (err)
		fail("submit", block, err);
	while (bound_status == 1)
		wait_event();
	return bound_status;
}

static void must(const char *what, int status, int expected)
{
	if (status != expected)
		fail(what, 0, status);
}

static void sync_disk(void)
{
	must("sync", try_request(BLOCK_SYNC, 0, 0, 0), 0);
}

static void bounds(void)
{
	const struct block_info *i = &client.info;
	uint64_t n = i->block_count, end = client.data_size;
	uint32_t bs = i->block_size;

	must("count 0", try_request(BLOCK_READ, 0, 0, 0), -EINVAL);
	must("behind the end", try_request(BLOCK_READ, n, 1, 0), -EINVAL);
	must("across the end", try_request(BLOCK_READ, n - 1, 2, 0), -EINVAL);
	must("far away", try_request(BLOCK_READ, ~0ull, 1, 0), -EINVAL);
	must("wrap around", try_request(BLOCK_READ, ~0ull, 2, 0), -EINVAL);
	must("huge count", try_request(BLOCK_READ, 0, ~0u, 0), -EINVAL);
	must("above max_bytes",
	     try_request(BLOCK_READ, 0, i->max_bytes / bs + 1, 0), -EINVAL);
	must("data outside", try_request(BLOCK_READ, 0, 1, end), -EINVAL);
	must("data half outside",
	     try_request(BLOCK_READ, 0, 2, end - bs), -EINVAL);
	must("data offset wraps", try_request(BLOCK_READ, 0, 1,
	     ~0ull - i->align + 1), -EINVAL);
	if (i->align > 1)
		must("misaligned", try_request(BLOCK_READ, 0, 1, i->align / 2),
		     -EINVAL);
	must("unknown op", try_request(77, 0, 1, 0), -EINVAL);
	must("op 0", try_request(0, 0, 1, 0), -EINVAL);
	must("unknown method", rpc_simple(client.session.cap, 77, NULL, 0, NULL,
	     0, pith_now() + PITH_SEC(5)), -ENOSYS);
	if (!i->writeable)
		must("write to a read-only session",
		     try_request(BLOCK_WRITE, 0, 1, 0), -EROFS);
	must("last block", try_request(BLOCK_READ, n - 1, 1, 0), 0);
}

static void run_pass(void)
{
	uint64_t first;

	if (cfg.write) {
		sweep(WRITE);
		sync_disk();
		sweep(READ);
		random_requests();
		sweep(READ);
		return;
	}
	sum = 0;
	sweep(SUM);
	first = sum;
	sum = 0;
	sweep(SUM);
	if (sum != first)
		fail("two readings differ", 0, 0);
	random_requests();
}

static void open_client(void)
{
	struct session_quota quota;
	struct block_client_args a = {
		.label = cfg.label, .args = cfg.args, .data_mem = -1,
		.quota = &quota,
	};
	int err;

	slot_bytes = ((cfg.size + 4095) & ~4095ull) + SLACK;
	a.data_size = cfg.depth * slot_bytes;
	/* The server keeps 8 bytes for each page. */
	quota.ram = (16 << 10) + ((a.data_size / 512 + 4095) & ~4095ull);
	quota.caps = 12;
	err = block_client_open(&client, &ep, &a, pith_now() + OPEN_TIMEOUT);
	if (err)
		fail("open", 0, err);
	blocks = cfg.range ? cfg.range / client.info.block_size
			   : client.info.block_count;
	if (!blocks || blocks > client.info.block_count)
		fail("range", blocks, -EINVAL);
	max_count = (cfg.size < client.info.max_bytes ?
		     cfg.size : client.info.max_bytes) / client.info.block_size;
	if (!max_count || client.info.align > SLACK)
		fail("size below one block", 0, -EINVAL);
	if (cfg.write && !client.info.writeable)
		fail("session is read-only", 0, -EROFS);
}

int component_main(void)
{
	uint64_t end;

	read_config();
	rnd_state = cfg.seed * 0x9e3779b97f4a7c15 | 1;
	if (ep_init(&ep))
		env_fatal("blk_test: FAIL entrypoint");
	open_client();
	log_line("blk_test: %llu blocks of %u bytes, align %u, max %llu",
		 (unsigned long long)client.info.block_count,
		 client.info.block_size, client.info.align,
		 (unsigned long long)client.info.max_bytes);
	if (cfg.bounds)
		bounds();
	end = pith_now() + PITH_SEC(cfg.seconds);
	do {
		run_pass();
		pass++;
	} while (pass < cfg.passes || (cfg.seconds && pith_now() < end));
	log_line("blk_test: %u reconnects", client.reconnects);
	log_line("blk_test: PASS %llu requests %llu bytes",
		 (unsigned long long)requests, (unsigned long long)bytes);
	block_client_close(&client);
	return 0;
}
