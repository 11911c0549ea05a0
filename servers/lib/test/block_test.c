// SPDX-License-Identifier: BSD-2-Clause
/* Unit tests of the Block client and the server side of its ring. */
/* test-sources: fake_pith.c fake_disk.c ../block_client.c ../block_server.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../block_client.h"
#include "fake_disk.h"

#define DATA	(256 * 1024)

static struct entrypoint ep;
static struct block_client c;
static int statuses[4096];
static unsigned int ended, order[4096];

static void done(void *ctx, int status)
{
	unsigned int i = (uintptr_t)ctx;

	statuses[i] = status;
	order[ended++] = i;
}

static int open_client(void)
{
	struct block_client_args a = { .data_mem = -1, .data_size = DATA };

	ended = 0;
	memset(statuses, 0x55, sizeof(statuses));
	return block_client_open(&c, &ep, &a, fake_clock + PITH_SEC(1));
}

static int submit(unsigned int i, uint32_t op, uint64_t block, uint32_t count,
		  uint64_t off)
{
	return block_client_submit(&c, op, block, count, off, done,
				   (void *)(uintptr_t)i);
}

static void setup(uint64_t blocks, uint32_t bs)
{
	ep_init(&ep);
	fake_disk_init(&ep, blocks, bs);
}

static void teardown(const char *what)
{
	block_client_close(&c);
	ok(fake_disk_session() == NULL, "%s: session closed", what);
	ok(fake_open_fds() == 0, "%s: no capability left", what);
	ok(fake_mappings == 0, "%s: no mapping left", what);
	fake_disk_free();
}

static void test_transfer(uint32_t bs)
{
	setup(1000, bs);
	ok(open_client() == 0, "%u: open", bs);
	ok(c.info.block_size == bs && c.data_size == DATA, "%u: info", bs);
	memset(c.data, 0xa5, 3 * bs);
	ok(block_client_transfer(&c, BLOCK_WRITE, 7, 3, 0) == 0, "%u: write", bs);
	ok(disk.bytes[7 * bs] == 0xa5 && disk.bytes[10 * bs - 1] == 0xa5 &&
	   !disk.bytes[7 * bs - 1] && !disk.bytes[10 * bs],
	   "%u: written there and only there", bs);
	ok(block_client_transfer(&c, BLOCK_READ, 9, 2, 8 * bs) == 0 &&
	   c.data[8 * bs] == 0xa5 && c.data[9 * bs] == 0, "%u: read", bs);
	ok(block_client_transfer(&c, BLOCK_SYNC, 0, 0, 0) == 0 &&
	   disk.syncs == 1, "%u: sync", bs);
	ok(block_client_transfer(&c, BLOCK_READ, 1000, 1, 0) == -EINVAL,
	   "%u: behind the end", bs);
	ok(block_client_transfer(&c, BLOCK_READ, ~0ull, 1, 0) == -EINVAL,
	   "%u: block number wraps", bs);
	ok(block_client_transfer(&c, BLOCK_READ, 0, 0, 0) == -EINVAL,
	   "%u: no blocks", bs);
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, 2) == -EINVAL,
	   "%u: misaligned data", bs);
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, DATA) == -EINVAL,
	   "%u: data behind the area", bs);
	disk.bad_block = 4;
	ok(block_client_transfer(&c, BLOCK_READ, 3, 3, 0) == -EIO,
	   "%u: medium error", bs);
	disk.info.writeable = 0;
	ok(block_client_transfer(&c, BLOCK_WRITE, 0, 1, 0) == -EROFS,
	   "%u: read-only", bs);
	teardown("transfer");
}

static void test_full_queue(void)
{
	unsigned int i, good = 1;

	setup(4096, 512);
	open_client();
	for (i = 0; i < BLOCK_RING_SIZE; i++)
		good &= submit(i, BLOCK_READ, i, 1, i * 512) == 0;
	ok(good && c.outstanding == BLOCK_RING_SIZE, "64 requests fit");
	ok(submit(99, BLOCK_READ, 0, 1, 0) == -EAGAIN, "the 65th does not");
	ok(ended == 0 && fake_signals == 0, "nothing leaves before the kick");
	block_client_kick(&c);
	block_client_kick(&c);
	ok(fake_signals == 1, "one signal for the batch");
	disk.reverse = 1;
	fake_run(&ep);
	ok(ended == 64 && order[0] == 63 && order[63] == 0,
	   "completions in any order");
	for (i = 0; i < 64; i++)
		good &= statuses[i] == 0;
	ok(good && c.outstanding == 0, "each ended once, well");
	teardown("queue");
}

/* Indices run through 2^32 with data compared. */
static void test_wrap(void)
{
	struct fake_disk_session *s;
	unsigned int round, i, good = 1;

	setup(4096, 512);
	for (i = 0; i < 4096; i++)
		memset(disk.bytes + i * 512, i * 7 + 1, 512);
	open_client();
	s = fake_disk_session();
	c.submitted = c.published = c.taken = -100u;
	s->ring.taken = s->ring.completed = -100u;
	c.ring->submitted = c.ring->completed = -100u;
	for (round = 0; round < 40; round++) {
		ended = 0;
		for (i = 0; i < 64; i++)
			good &= !submit(i, BLOCK_READ, round * 64 + i, 1, i * 512);
		block_client_kick(&c);
		fake_run(&ep);
		for (i = 0; i < 64; i++)
			good &= !statuses[i] && c.data[i * 512 + 511] ==
				(uint8_t)((round * 64 + i) * 7 + 1);
	}
	ok(good && c.submitted == 64 * 40 - 100, "2560 requests over the wrap");
	teardown("wrap");
}

static void test_death(void)
{
	unsigned int i, good = 1;

	setup(4096, 512);
	open_client();
	for (i = 0; i < 4096; i++)
		disk.bytes[i * 512] = i;
	for (i = 0; i < 64; i++)
		submit(i, BLOCK_READ, i, 1, i * 512);
	disk.die_after = 20;
	block_client_kick(&c);
	fake_run(&ep);
	ok(ended == 64, "all requests end although the server died");
	for (i = 0; i < 64; i++)
		good &= !statuses[i] && c.data[i * 512] == (uint8_t)i &&
			order[i] == i;
	ok(good, "with the right data, resent in order");
	ok(disk.opened == 2 && c.reconnects == 1, "one reconnection");
	ok(disk.served == 64, "only what was not completed was sent again");

	fake_disk_die();
	fake_run(&ep);
	ok(c.state == BLOCK_CLIENT_LOST && disk.opened == 2,
	   "idle: waits until there is something to do");
	ok(block_client_transfer(&c, BLOCK_READ, 5, 1, 0) == 0 &&
	   c.data[0] == 5 && disk.opened == 3, "then reconnects at once");
	ok(fake_clock < PITH_SEC(1), "without waiting for an old timer");
	teardown("death");
}

/* The server dies during each resend, some progress each time. */
static void test_many_deaths(void)
{
	unsigned int i, good = 1;

	setup(4096, 512);
	open_client();
	for (i = 0; i < 60; i++) {
		disk.die_after = 1;
		good &= !block_client_transfer(&c, BLOCK_READ, i, 1, 0);
	}
	ok(good && disk.opened >= 60, "60 deaths, each after a request");
	teardown("deaths");
}

static void die_on_call(const char *what, int (*hook)(const char *,
			const char *, const char *))
{
	uint64_t start;

	setup(4096, 512);
	open_client();
	submit(0, BLOCK_READ, 0, 1, 0);
	block_client_kick(&c);
	fake_disk_die();
	fake_session = hook;
	start = fake_clock;
	fake_run(&ep);
	while (!ended && fake_clock < start + PITH_SEC(100))
		ep_dispatch(&ep, fake_clock + PITH_SEC(1));
	ok(ended == 1 && statuses[0] == -EIO, "%s: request ends with EIO", what);
	ok(fake_clock - start <= PITH_SEC(31), "%s: in bounded time", what);
	ok(c.state == BLOCK_CLIENT_FAILED &&
	   submit(1, BLOCK_READ, 0, 1, 0) == -EIO, "%s: failed for good", what);
	teardown(what);
}

static int always_epipe(const char *s, const char *l, const char *a)
{
	(void)s; (void)l; (void)a;
	return -EPIPE;
}

static int always_enoent(const char *s, const char *l, const char *a)
{
	(void)s; (void)l; (void)a;
	return -ENOENT;
}

static void test_geometry(void)
{
	setup(4096, 512);
	open_client();
	submit(0, BLOCK_READ, 0, 1, 0);
	submit(1, BLOCK_READ, 0, 1, 0);
	block_client_kick(&c);
	fake_disk_die();
	disk.info.block_count = 4095;
	fake_run(&ep);
	ok(ended == 2 && statuses[0] == -EIO && statuses[1] == -EIO &&
	   c.state == BLOCK_CLIENT_FAILED, "another disk: all end with EIO");
	ok(disk.served == 0, "and nothing was sent to it");
	teardown("geometry");
}

static void test_timeout(void)
{
	uint64_t start;

	setup(4096, 512);
	open_client();
	disk.hold = 1;
	start = fake_clock;
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, 0) == -EIO,
	   "silent server: EIO");
	ok(fake_clock - start >= BLOCK_CLIENT_TIMEOUT &&
	   fake_clock - start < BLOCK_CLIENT_TIMEOUT + PITH_SEC(1),
	   "at the deadline");
	teardown("timeout");

	setup(4096, 512);
	open_client();
	fake_clock += PITH_SEC(29);
	block_client_transfer(&c, BLOCK_READ, 0, 1, 0);
	fake_clock += PITH_SEC(29);
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, 0) == 0,
	   "an old deadline does not hit a new request");
	submit(0, BLOCK_READ, 0, 1, 0);
	block_client_kick(&c);
	ok(ep_dispatch(&ep, fake_clock) == 1, "the server gets the request");
	fake_idle();
	fake_clock += PITH_SEC(100);
	c.timer.fire(c.timer.ctx);
	ok(ended == 1 && statuses[0] == 0,
	   "a completion that nobody fetched for long is no timeout");
	teardown("old deadline");
}

static void test_open_errors(void)
{
	struct block_info good, bad;
	int fds;

	setup(4096, 512);
	disk.refuse = EACCES;
	ok(open_client() == -EACCES, "open: error of the parent");
	disk.refuse = 0;
	good = disk.info;
	for (fds = 0; fds < 7; fds++) {
		bad = good;
		if (fds == 0)
			bad.block_size = 500;
		else if (fds == 1)
			bad.block_size = 0;
		else if (fds == 2)
			bad.block_count = 1ull << 60;
		else if (fds == 3)
			bad.max_bytes = 100;
		else if (fds == 4)
			bad.align = 3;
		else if (fds == 5)
			bad.align = 0;
		else
			bad.block_size = 1u << 31;
		disk.info = bad;
		ok(open_client() == -EPROTO, "open: senseless INFO %d", fds);
	}
	disk.info = good;
	for (fake_mem_budget = 0; fake_mem_budget < 2;) {
		int budget = fake_mem_budget;

		ok(open_client() == -EDQUOT, "open: no memory after %d", budget);
		fake_mem_budget = budget + 1;
	}
	fake_mem_budget = -1;
	ok(fake_open_fds() == 0 && fake_mappings == 0, "nothing left behind");
	teardown("open errors");
}

/* --- lying servers ---------------------------------------------------------- */

static void lie_index(struct block_ring *r, uint32_t value)
{
	r->completed = value;
}

static void expect_failed(const char *what)
{
	pith_signal(c.done_notif, 1);
	fake_run(&ep);
	ok(c.state == BLOCK_CLIENT_FAILED && ended == 3, "%s: failed", what);
	ok(statuses[0] == -EIO && statuses[1] == -EIO && statuses[2] == -EIO,
	   "%s: each request ends with EIO", what);
	teardown(what);
}

static void start_three(void)
{
	setup(4096, 512);
	open_client();
	disk.hold = 1;
	for (unsigned int i = 0; i < 3; i++)
		submit(i, BLOCK_READ, i, 1, i * 512);
	block_client_kick(&c);
	fake_run(&ep);
}

static void test_lies(void)
{
	static const uint32_t indices[] = { 4, 64, 65, 0x80000000, ~0u };
	struct block_ring *r;

	for (unsigned int i = 0; i < 5; i++) {
		start_three();
		lie_index(c.ring, indices[i]);
		expect_failed("index");
	}
	start_three();
	c.ring->completions[0].tag = 64;
	lie_index(c.ring, 1);
	expect_failed("tag out of range");
	start_three();
	c.ring->completions[0].tag = 5;
	lie_index(c.ring, 1);
	expect_failed("tag of no request");
	start_three();
	c.ring->completions[0].tag = 1ull << 32;
	lie_index(c.ring, 1);
	expect_failed("tag of another generation");
	start_three();
	c.ring->completions[0].status = 77;
	lie_index(c.ring, 1);
	expect_failed("unknown status");

	start_three();
	r = c.ring;
	r->completions[0].tag = r->completions[1].tag = 1;
	r->completions[0].status = r->completions[1].status = 0;
	lie_index(r, 2);
	pith_signal(c.done_notif, 1);
	fake_run(&ep);
	ok(c.state == BLOCK_CLIENT_FAILED && ended == 3 && statuses[1] == 0 &&
	   statuses[0] == -EIO, "same tag twice: the second is a lie");
	teardown("twice");
}

/* Random garbage in the whole ring, many times: nothing but failure. */
static void test_garbage(void)
{
	unsigned int good = 1;

	fake_quiet = 1;
	srand(7);
	for (unsigned int i = 0; i < 500; i++) {
		uint8_t *p;

		start_three();
		p = (uint8_t *)c.ring;
		for (unsigned int k = 0; k < sizeof(struct block_ring); k++)
			if (rand() % 4)
				p[k] = rand() % (i % 3 ? 4 : 256);
		pith_signal(c.done_notif, 1);
		fake_run(&ep);
		good &= ended <= 3 && c.outstanding == 3 - ended;
		block_client_close(&c);
		fake_disk_free();
	}
	fake_quiet = 0;
	ok(good, "500 rings of garbage");
}

/* --- lying clients ------------------------------------------------------------ */

static void test_hostile_client(void)
{
	static const uint32_t indices[] = { 65, 1000, 0x80000000, ~0u };
	struct fake_disk_session *s;
	struct block_request r;

	for (unsigned int i = 0; i < 4; i++) {
		setup(4096, 512);
		open_client();
		s = fake_disk_session();
		c.ring->submitted = indices[i];
		ok(block_server_next(&s->ring, &r) == -EPROTO,
		   "submitted index %#x refused", indices[i]);
		c.ring->submitted = 1;
		ok(block_server_next(&s->ring, &r) == 0, "and nothing after");
		teardown("hostile");
	}
	setup(4096, 512);
	open_client();
	s = fake_disk_session();
	c.ring->submitted = 64;
	for (unsigned int i = 0; i < 64; i++)
		block_server_next(&s->ring, &r);
	ok(s->ring.outstanding == 64, "64 in work");
	c.ring->submitted = 65;
	ok(block_server_next(&s->ring, &r) == -EPROTO,
	   "a 65th while 64 are in work is refused");
	s->ring.outstanding = 0;
	teardown("hostile full");
}

static void attach(const char *what, int ring, int data, int notif,
		   unsigned int n, int expect)
{
	struct block_server s;
	struct ep_request in = { .ncaps = n, .caps = { ring, data, notif } };

	block_server_init(&s);
	ok(block_server_attach(&s, &in) == expect, "attach: %s", what);
	if (expect)
		ok(!s.ring && s.data_mem == -1, "attach: %s: unchanged", what);
	block_server_detach(&s);
	for (int i = 0; i < 3; i++)	/* as the library does */
		if (in.caps[i] >= 0)
			pith_close(in.caps[i]);
}

static int mem(uint64_t size, uint32_t rights)
{
	int fd = pith_mem_create(-1, size, 0);
	int m = pith_mint(fd, rights);

	pith_close(fd);
	return m;
}

static int notif(uint32_t rights)
{
	uint64_t badge;
	int fd = ep_new_notification(&ep, NULL, NULL, &badge);
	int m = pith_mint(fd, rights);

	pith_close(fd);
	return m;
}

static void test_attach(void)
{
	const uint32_t rw = PITH_R_READ | PITH_R_WRITE;

	ep_init(&ep);
	attach("good", mem(4096, rw), mem(8192, rw), notif(PITH_R_SIGNAL), 3, 0);
	attach("two capabilities", mem(4096, rw), mem(8192, rw), -1, 2, -EINVAL);
	attach("hole", -1, mem(8192, rw), notif(PITH_R_SIGNAL), 3, -EINVAL);
	attach("read-only ring", mem(4096, PITH_R_READ), mem(8192, rw),
	       notif(PITH_R_SIGNAL), 3, -EINVAL);
	attach("read-only data", mem(4096, rw), mem(8192, PITH_R_READ),
	       notif(PITH_R_SIGNAL), 3, -EINVAL);
	attach("memory as notification", mem(4096, rw), mem(8192, rw),
	       mem(4096, rw), 3, -EINVAL);
	attach("notification as ring", notif(PITH_R_SIGNAL), mem(8192, rw),
	       notif(PITH_R_SIGNAL), 3, -EINVAL);
	attach("no right to signal", mem(4096, rw), mem(8192, rw),
	       notif(PITH_R_MANAGE), 3, -EINVAL);
	ok(fake_open_fds() == 0 && fake_mappings == 0, "attach: nothing left");
}

static void check(const char *what, struct block_request r,
		  enum block_status expect)
{
	struct block_info info = {
		.block_count = 100, .block_size = 4096, .writeable = 0,
		.max_bytes = 65536, .align = 512,
	};

	ok(block_request_check(&info, 131072, &r) == expect, "check: %s", what);
}

static void test_check(void)
{
#define REQ(...) (struct block_request) { __VA_ARGS__ }
	check("first block", REQ(0, BLOCK_READ, 1, 0, 0), BLOCK_OK);
	check("last block", REQ(0, BLOCK_READ, 1, 99, 0), BLOCK_OK);
	check("op 0", REQ(0, 0, 1, 0, 0), BLOCK_EINVAL);
	check("op 4", REQ(0, 4, 1, 0, 0), BLOCK_EINVAL);
	check("write", REQ(0, BLOCK_WRITE, 1, 0, 0), BLOCK_EROFS);
	check("none", REQ(0, BLOCK_READ, 0, 0, 0), BLOCK_EINVAL);
	check("one behind", REQ(0, BLOCK_READ, 1, 100, 0), BLOCK_EINVAL);
	check("over the end", REQ(0, BLOCK_READ, 2, 99, 0), BLOCK_EINVAL);
	check("wrap", REQ(0, BLOCK_READ, 2, ~0ull, 0), BLOCK_EINVAL);
	check("largest", REQ(0, BLOCK_READ, 16, 0, 65536), BLOCK_OK);
	check("too large", REQ(0, BLOCK_READ, 17, 0, 0), BLOCK_EINVAL);
	check("huge", REQ(0, BLOCK_READ, ~0u, 0, 0), BLOCK_EINVAL);
	check("data end", REQ(0, BLOCK_READ, 1, 0, 126976), BLOCK_OK);
	check("data over", REQ(0, BLOCK_READ, 1, 0, 127488), BLOCK_EINVAL);
	check("data wraps", REQ(0, BLOCK_READ, 1, 0, -512ull), BLOCK_EINVAL);
	check("misaligned", REQ(0, BLOCK_READ, 1, 0, 256), BLOCK_EINVAL);
	check("sync", REQ(0, BLOCK_SYNC, 9, ~0ull, 3), BLOCK_OK);
}

static void test_slots(void)
{
	uint64_t s = slots_all(3);
	int a = slot_get(&s), b = slot_get(&s), d = slot_get(&s);

	ok(a == 0 && b == 1 && d == 2 && slot_get(&s) == -1, "slots run out");
	slot_put(&s, b);
	ok(slot_get(&s) == 1, "a slot comes back");
	ok(slots_all(64) == ~0ull, "64 slots");
}

int main(void)
{
	test_transfer(512);
	test_transfer(4096);
	fake_signals = 0;
	test_full_queue();
	test_wrap();
	test_death();
	test_many_deaths();
	die_on_call("never comes back", always_epipe);
	die_on_call("gone", always_enoent);
	test_geometry();
	test_timeout();
	test_open_errors();
	test_lies();
	test_garbage();
	test_hostile_client();
	test_attach();
	test_check();
	test_slots();
	return tap_end();
}
