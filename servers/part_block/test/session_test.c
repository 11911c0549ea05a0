// SPDX-License-Identifier: BSD-2-Clause
/* Sessions on partitions: a client, part_block, and a fake disk below. */
/* test-sources: ../../lib/test/fake_pith.c ../../lib/test/fake_disk.c ../../lib/block_client.c ../../lib/block_server.c ../session.c ../policy.c ../../lib/policy.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/block_client.h"
#include "../../lib/test/fake_disk.h"
#include "../policy.h"
#include "../session.h"

#define BS	512
#define BLOCKS	4096

/* One entrypoint for all three, as if they shared a thread. */
static struct entrypoint ep;
static struct part_server server;
static struct table table;
static char arena[65536];
static int (*disk_session)(const char *, const char *, const char *);
static void (*disk_session_closed)(int);

static unsigned int poor;	/* capabilities that clients do not donate */

/* What the fake parent knows of open part_block sessions. */
static struct opened {
	void *session;
	uint64_t object;
} opened[64];

static uint64_t object_of(int cap)
{
	struct pith_identify id = { 0 };

	pith_identify(cap, &id);
	return id.object;
}

/* Clients of the test ask with a label "client...", part_block with its own. */
static int route(const char *service, const char *label, const char *args)
{
	struct parent_request req = {
		.kind = PARENT_REQ_CREATE, .ram = 65536, .caps = 32 - poor,
	};
	void *session;
	int cap;

	if (strncmp(label, "client", 6) || strstr(args, "disk"))
		return disk_session(service, label, args);
	snprintf(req.label, sizeof(req.label), "%s", label);
	snprintf(req.args, sizeof(req.args), "%s", args);
	cap = part_session_open(&server, &req, &session);
	if (cap < 0)
		return cap;
	for (unsigned int i = 0; i < 64; i++) {
		if (opened[i].session)
			continue;
		opened[i] = (struct opened) { session, object_of(cap) };
		break;
	}
	return cap;
}

static void closed(int cap)
{
	for (unsigned int i = 0; i < 64; i++) {
		void *s = opened[i].session;

		if (!s || opened[i].object != object_of(cap))
			continue;
		opened[i].session = NULL;
		part_session_close(&server, s);
		return;
	}
	disk_session_closed(cap);
}

static void setup(void)
{
	static const char text[] =
		"config\n"
		"+ policy client-rw | partition: 2 | writeable: yes\n"
		"+ default-policy | partition: any\n-\n";
	struct hid_error err;

	ep_init(&ep);
	fake_disk_init(&ep, BLOCKS, BS);
	disk_session = fake_session;
	disk_session_closed = fake_session_closed;
	fake_session = route;
	fake_session_closed = closed;
	hid_parse(text, strlen(text), arena, sizeof(arena), &server.config,
		  &err);
	server.ep = &ep;
	server.table = &table;
	server.disk = disk.info;
	server.disk_args = "disk";
	table.kind = TABLE_GPT;
	table.parts[1] = (struct partition) { 100, 50 };
	table.parts[2] = (struct partition) { 150, BLOCKS - 150 };
	for (unsigned int i = 0; i < BLOCKS * BS; i++)
		disk.bytes[i] = i / BS * 3 + i % BS;
}

static uint8_t content(uint64_t disk_block)
{
	return disk_block * 3;
}

static void teardown(const char *what)
{
	ok(server.sessions == 0 && !fake_disk_session(), "%s: all closed", what);
	ok(fake_open_fds() == 0 && fake_mappings == 0, "%s: nothing left", what);
	fake_disk_free();
}

static int open_client(struct block_client *c, const char *label,
		       const char *args)
{
	struct block_client_args a = {
		.label = label, .args = args, .data_mem = -1,
		.data_size = 65536,
	};

	return block_client_open(c, &ep, &a, fake_clock + PITH_SEC(1));
}

static void test_read_write(void)
{
	struct block_client c = { 0 };

	setup();
	ok(open_client(&c, "client-ro", "partition=1") == 0, "open");
	ok(c.info.block_count == 50 && c.info.block_size == BS &&
	   !c.info.writeable, "info is the partition's, read-only");
	ok(block_client_transfer(&c, BLOCK_READ, 0, 3, 1024) == 0 &&
	   c.data[1024] == content(100) && c.data[1024 + 2 * BS] == content(102),
	   "first block is the partition's");
	ok(block_client_transfer(&c, BLOCK_READ, 49, 1, 0) == 0 &&
	   c.data[0] == content(149), "last block");
	ok(block_client_transfer(&c, BLOCK_READ, 49, 2, 0) == -EINVAL,
	   "over the end");
	ok(block_client_transfer(&c, BLOCK_READ, 50, 1, 0) == -EINVAL,
	   "behind the end");
	ok(block_client_transfer(&c, BLOCK_READ, -100ull, 1, 0) == -EINVAL,
	   "before the begin");
	ok(block_client_transfer(&c, BLOCK_WRITE, 0, 1, 0) == -EROFS,
	   "write refused");
	ok(block_client_transfer(&c, BLOCK_SYNC, 0, 0, 0) == 0 &&
	   disk.syncs == 1, "sync reaches the disk");
	disk.bad_block = 120;
	ok(block_client_transfer(&c, BLOCK_READ, 20, 1, 0) == -EIO,
	   "error of the medium comes through");
	block_client_close(&c);

	ok(open_client(&c, "client-rw", "") == 0 && c.info.writeable,
	   "writeable by policy");
	memset(c.data, 0xee, BS);
	ok(block_client_transfer(&c, BLOCK_WRITE, 0, 1, 0) == 0 &&
	   disk.bytes[150 * BS] == 0xee && disk.bytes[149 * BS] == content(149) &&
	   disk.bytes[151 * BS] == content(151), "write to the right block");
	block_client_close(&c);
	server.disk.writeable = 0;
	ok(open_client(&c, "client-rw", "") == 0 && !c.info.writeable,
	   "never writeable on a read-only disk");
	block_client_close(&c);
	teardown("read and write");
}

static void test_refused(void)
{
	struct block_client c = { 0 }, many[PART_SESSIONS];
	int n;

	setup();
	ok(open_client(&c, "client", "partition=3") == -ENOENT, "no partition");
	ok(open_client(&c, "client", "partition=0") == -EACCES, "whole disk");
	disk.refuse = EACCES;
	ok(open_client(&c, "client", "partition=1") == -EACCES,
	   "driver refuses: its error");
	disk.refuse = 0;
	disk.info.block_count--;
	ok(open_client(&c, "client", "partition=1") == -EIO, "disk changed");
	disk.info.block_count++;
	poor = 9;
	ok(open_client(&c, "client", "partition=1") == -EDQUOT,
	   "too little donated");
	poor = 0;
	memset(many, 0, sizeof(many));
	for (n = 0; n < PART_SESSIONS; n++)
		if (open_client(&many[n], "client", "partition=1"))
			break;
	ok(n == PART_SESSIONS, "%d sessions", n);
	ok(open_client(&c, "client", "partition=1") == -EDQUOT, "one more");
	while (n--)
		block_client_close(&many[n]);
	teardown("refused");
}

static void test_driver_dies(void)
{
	struct block_client a = { 0 }, b = { 0 };
	int bad = 0;

	setup();
	open_client(&a, "client-a", "partition=1");
	open_client(&b, "client-b", "partition=2");
	for (unsigned int i = 0; i < 40; i++) {
		disk.die_after = 1 + i % 3;
		bad |= block_client_transfer(&a, BLOCK_READ, i, 2, 0);
		bad |= a.data[0] != content(100 + i);
		bad |= block_client_transfer(&b, BLOCK_READ, i, 2, 512);
		bad |= b.data[512] != content(150 + i);
	}
	ok(!bad && disk.opened > 20, "driver dies %u times: clients see nothing",
	   disk.opened);
	ok(a.reconnects == 0 && b.reconnects == 0, "not even a reconnection");
	block_client_close(&a);
	block_client_close(&b);
	teardown("driver dies");
}

static void test_driver_gone(void)
{
	struct block_client c = { 0 };

	setup();
	open_client(&c, "client", "partition=1");
	fake_disk_die();
	disk.refuse = ENOENT;
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, 0) == -EIO,
	   "driver gone: EIO");
	disk.refuse = 0;
	ok(block_client_transfer(&c, BLOCK_READ, 0, 1, 0) == -EIO,
	   "this connection stays failed");
	block_client_close(&c);
	ok(open_client(&c, "client", "partition=1") == 0 &&
	   block_client_transfer(&c, BLOCK_READ, 0, 1, 0) == 0,
	   "a new one works");
	block_client_close(&c);
	teardown("driver gone");
}

static void nothing(void *ctx, int status)
{
	(void)ctx;
	(void)status;
}

static void test_hostile(void)
{
	struct block_client evil = { 0 }, good = { 0 };
	unsigned int served;

	setup();
	open_client(&evil, "client-evil", "partition=1");
	open_client(&good, "client-good", "partition=2");
	fake_quiet = 1;
	srand(3);
	for (unsigned int i = 0; i < 300; i++) {
		uint8_t *ring = (uint8_t *)evil.ring;

		for (unsigned int k = 0; k < sizeof(struct block_ring); k++)
			ring[k] = rand() % 3 ? ring[k] : rand();
		evil.ring->submitted = i % 2 ? (uint32_t)rand() % 64 : i / 2 % 64;
		pith_signal(evil.submit_notif, 1);
		/* Must not disturb: the disk checks ranges and asserts. */
		for (int k = 0; k < 8; k++)
			ep_dispatch(&ep, fake_clock + 10);
		if (block_client_transfer(&good, BLOCK_READ, i, 1, 0) ||
		    good.data[0] != content(150 + i))
			break;
		if (evil.state != BLOCK_CLIENT_CONNECTED || i % 20 == 19) {
			block_client_close(&evil);
			open_client(&evil, "client-evil", "partition=1");
		}
	}
	fake_quiet = 0;
	ok(good.state == BLOCK_CLIENT_CONNECTED,
	   "300 rings of garbage do not disturb the other client");
	block_client_close(&evil);

	open_client(&evil, "client-evil", "partition=1");
	served = disk.served;
	evil.ring->submitted = 65;
	pith_signal(evil.submit_notif, 1);
	fake_run(&ep);
	evil.ring->submitted = 1;
	pith_signal(evil.submit_notif, 1);
	fake_run(&ep);
	ok(disk.served == served, "a dropped client gets nothing more served");
	block_client_close(&evil);

	/* Closes with requests on their way. */
	open_client(&evil, "client-evil", "partition=1");
	disk.hold = 1;
	for (unsigned int i = 0; i < 64; i++)
		block_client_submit(&evil, BLOCK_READ, i % 50, 1, 0, nothing,
				    NULL);
	block_client_kick(&evil);
	fake_run(&ep);
	block_client_close(&evil);
	disk.hold = 0;
	ok(block_client_transfer(&good, BLOCK_READ, 5, 1, 0) == 0,
	   "closing with 64 requests on their way");
	block_client_close(&good);
	teardown("hostile");
}

int main(void)
{
	test_read_write();
	test_refused();
	test_driver_dies();
	test_driver_gone();
	test_hostile();
	return tap_end();
}
