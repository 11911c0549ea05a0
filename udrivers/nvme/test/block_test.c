// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../nvme_block.c ../nvme.c ../../../servers/lib/block_server.c ../../../servers/lib/policy.c ../../../servers/lib/block_client.c ../../../servers/lib/test/fake_pith.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c */
/*
 * Block sessions on the fake controller, with real clients: policy, turns,
 * refusals, clients that die with commands under way, clients that lie.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>

#include "../../../servers/lib/block_client.h"
#include "../../../servers/lib/test/fake_pith.h"
#include "../../lib/mmio.h"
#include "../../lib/platform_client.h"
#include "../nvme_block.h"
#include "fake_nvme.h"

#define MAPPINGS	64
#define SESSIONS	32

static struct fake fake;
static struct nvme_driver driver;
static struct parent_request request;
static jmp_buf fatal;
static struct { void *session; int cap; } open_sessions[SESSIONS];
static struct { uint64_t bus, pages; } mappings[MAPPINGS];
static unsigned int mapped;
static int refuse_dma;

/* --- what the driver links with ------------------------------------------- */

int poll_until(int (*done)(void *ctx), void *ctx, uint64_t deadline)
{
	for (;;) {
		int ret = done(ctx);

		if (ret)
			return ret < 0 ? ret : 0;
		if (fake_clock >= deadline)
			return -ETIMEDOUT;
		fake_clock += 1000000;
		fake_step(&fake);
	}
}

void env_fatal(const char *fmt, ...)
{
	(void)fmt;
	longjmp(fatal, 1);
}

uint64_t args_number(const char *args, const char *tag, uint64_t fallback)
{
	char text[32];

	if (args_get(args, tag, text, sizeof(text)) <= 0)
		return fallback;
	return strtoull(text, NULL, 0);
}

int platform_dma_map(const struct session *s, uint32_t device, int mem,
		     uint64_t *addresses, uint64_t pages, uint64_t *handle)
{
	unsigned int i = 0;

	(void)s;
	(void)device;
	if (refuse_dma)
		return -EDQUOT;
	while (mappings[i].pages)
		i++;
	fake_map(&fake, fake_memory(mem), pages, addresses);
	mappings[i].bus = addresses[0];
	mappings[i].pages = pages;
	mapped++;
	*handle = i;
	return 0;
}

/* Memory that is let go may not be touched by the controller any more. */
int platform_dma_unmap(const struct session *s, uint64_t handle)
{
	uint64_t at = (mappings[handle].bus - FAKE_BUS) / NVME_PAGE;
	uint8_t *first = fake.host[at];
	unsigned int i;

	(void)s;
	for (i = 0; i < FAKE_PAGES; i++)
		if (fake.host[i] >= first && fake.host[i] <
		    first + mappings[handle].pages * NVME_PAGE)
			fake.host[i] = NULL;
	mappings[handle].pages = 0;
	mapped--;
	return 0;
}

static uint32_t read_reg(void *ctx, uint32_t reg)
{
	(void)ctx;
	return fake_read(&fake, reg);
}

static void write_reg(void *ctx, uint32_t reg, uint32_t value)
{
	(void)ctx;
	fake_write(&fake, reg, value);
}

static void tick(void *ctx)
{
	struct nvme_driver *d = ctx;

	d->tick.at = PITH_NO_DEADLINE;
	nvme_tick(&d->nvme);
	nvme_block_pump(d);
}

/* --- sessions and events -------------------------------------------------- */

static int open_session(const char *service, const char *label,
			const char *args)
{
	unsigned int i = 0;
	int cap;

	(void)service;
	(void)label;
	snprintf(request.args, sizeof(request.args), "%s", args);
	while (open_sessions[i].session)
		i++;
	cap = nvme_block_open(&driver, &request, &open_sessions[i].session);
	open_sessions[i].cap = cap;
	return cap;
}

static void closed(int cap)
{
	unsigned int i;

	for (i = 0; i < SESSIONS; i++) {
		if (!open_sessions[i].session || open_sessions[i].cap != cap)
			continue;
		nvme_block_close(&driver, open_sessions[i].session);
		open_sessions[i].session = NULL;
		return;
	}
}

/* The controller works, then its interrupt comes. */
static int controller_idle(void)
{
	unsigned int before = driver.nvme.outstanding;

	if (!before || fake.hold)
		return 0;
	fake_step(&fake);
	nvme_poll(&driver.nvme);
	nvme_block_pump(&driver);
	return driver.nvme.outstanding != before;
}

static char arena[65536];

static void start(const char *text)
{
	struct hid_error error;
	struct nvme *c = &driver.nvme;

	fake_init(&fake);
	fake_disk(&fake, 1, 4096, 9);
	fake_disk(&fake, 2, 512, 12);
	memset(&driver, 0, sizeof(driver));
	ep_init(&driver.ep);
	driver.tick = (struct ep_timer){
		.at = PITH_NO_DEADLINE, .fire = tick, .ctx = &driver,
	};
	c->ops = (struct nvme_ops){ read_reg, write_reg, nvme_block_done,
				    &driver };
	c->bar_size = 0x2000;
	c->timeout = PITH_SEC(10);
	c->mem = fake_alloc(&fake, NVME_MEM_PAGES, c->mem_bus);
	if (text && hid_parse(text, strlen(text), arena, sizeof(arena),
			      &driver.config, &error))
		printf("# config: %s\n", error.text);
	if (nvme_start(c) || nvme_identify(c))
		printf("# the controller does not start\n");
	request = (struct parent_request){ .ram = 65536, .caps = 16 };
	strcpy(request.label, "part_block");
	fake_session = open_session;
	fake_session_closed = closed;
	fake_idle = controller_idle;
	refuse_dma = 0;
}

static void stop(void)
{
	fake_free(&fake);
}

static const char writeable[] =
	"config\n+ policy part_block | writeable: yes\n-\n";

static int try_open(const char *args)
{
	int cap = open_session("Block", "", args);

	if (cap >= 0) {
		closed(cap);
		pith_close(cap);
		return 0;
	}
	return cap;
}

static void client_open(struct block_client *c, const char *args)
{
	struct block_client_args a = {
		.args = args, .data_mem = -1, .data_size = 256 << 10,
	};
	int err;

	memset(c, 0, sizeof(*c));
	err = block_client_open(c, &driver.ep, &a, fake_clock + PITH_SEC(9));
	if (err)
		printf("# open: %d\n", err);
}

static int done_status[4096];
static unsigned int done_count;

static void on_done(void *ctx, int status)
{
	*(int *)ctx = status;
	done_count++;
}

static int one(struct block_client *c, uint32_t op, uint64_t block,
	       uint32_t count, uint64_t offset)
{
	done_status[0] = 1;
	block_client_submit(c, op, block, count, offset, on_done, done_status);
	block_client_kick(c);
	fake_run(&driver.ep);
	return done_status[0];
}

/* --- tests ---------------------------------------------------------------- */

static void test_policy(void)
{
	struct block_client c;

	start(NULL);
	ok(try_open("") == 0 && try_open("namespace=2") == 0, "no config");
	ok(try_open("namespace=3") == -ENOENT, "no such namespace");
	client_open(&c, "namespace=2");
	ok(c.info.block_size == 4096 && c.info.block_count == 512 &&
	   !c.info.writeable && c.info.align == 4, "info, read-only");
	ok(one(&c, BLOCK_WRITE, 0, 1, 0) == -EROFS, "writing is refused");
	block_client_close(&c);
	request.ram = 4095;
	ok(try_open("") == -EDQUOT, "too little memory donated");
	request.ram = 4096;
	request.caps = 7;
	ok(try_open("") == -EDQUOT, "too few capabilities donated");
	stop();

	start("config\n+ policy a | namespace: 2\n"
	      "+ policy b | writeable: yes\n-\n");
	ok(try_open("") == -EACCES, "no policy for this label");
	strcpy(request.label, "a -> x");
	client_open(&c, "namespace=1");
	ok(c.info.block_count == 512 && !c.info.writeable,
	   "the policy's namespace, whatever the client asks for");
	block_client_close(&c);
	strcpy(request.label, "b");
	client_open(&c, "namespace=2");
	ok(c.info.block_count == 512 && c.info.writeable,
	   "the client's choice, writeable");
	block_client_close(&c);
	stop();

	start("config\n+ default-policy | writeable: yes\n-\n");
	fake.ns[0].protected = 1;
	nvme_identify(&driver.nvme);
	client_open(&c, "");
	ok(!c.info.writeable, "a protected namespace is read-only");
	block_client_close(&c);
	ok(!mapped, "nothing stays mapped");
	stop();
}

static void test_requests(void)
{
	struct block_client c;
	unsigned int i, bad = 0;

	start(writeable);
	client_open(&c, "");
	for (i = 0; i < 3000; i++) {
		uint32_t count = 1 + i % 100, block = i * 37 % (4096 - 100);
		uint32_t offset = i % 50 * 2052;

		memset(c.data + offset, i, count * 512);
		bad += one(&c, BLOCK_WRITE, block, count, offset) != 0;
		memset(c.data + 131072, 0, count * 512);
		bad += one(&c, BLOCK_READ, block, count, 131072) != 0;
		bad += memcmp(c.data + 131072, fake.ns[0].disk + block * 512,
			      count * 512) != 0;
		bad += c.data[131072] != (uint8_t)i;
	}
	ok(!bad, "6000 requests, data compared");
	ok(one(&c, BLOCK_SYNC, 0, 0, 0) == 0 && fake.flushes == 1,
	   "sync reaches the controller");
	i = fake.commands;
	ok(one(&c, BLOCK_READ, 4096, 1, 0) == -EINVAL &&
	   one(&c, BLOCK_READ, 4095, 2, 0) == -EINVAL &&
	   one(&c, BLOCK_READ, ~0ull, 2, 0) == -EINVAL &&
	   one(&c, BLOCK_READ, 0, 0, 0) == -EINVAL &&
	   one(&c, BLOCK_READ, 0, ~0u, 0) == -EINVAL &&
	   one(&c, BLOCK_READ, 0, 1, c.data_size) == -EINVAL &&
	   one(&c, BLOCK_READ, 0, 1, 2) == -EINVAL &&
	   one(&c, 9, 0, 1, 0) == -EINVAL,
	   "malformed requests");
	ok(fake.commands == i, "none of them reaches the controller");
	ok(!fake.violation, "the specification is obeyed");
	block_client_close(&c);
	ok(!mapped, "nothing stays mapped");
	stop();
}

/* A client that always has 64 requests waiting, and one with a few. */
static void test_turns(void)
{
	struct block_client greedy, modest;
	unsigned int i, served;

	start(writeable);
	client_open(&greedy, "");
	client_open(&modest, "");
	fake.hold = 1;
	for (i = 0; i < BLOCK_RING_SIZE; i++)
		block_client_submit(&greedy, BLOCK_READ, i, 1, 0, on_done,
				    &done_status[1]);
	block_client_kick(&greedy);
	fake_run(&driver.ep);
	ok(driver.nvme.outstanding == NVME_QUEUE - 1, "the queue is full");
	for (i = 0; i < 8; i++) {
		done_status[100 + i] = 1;
		block_client_submit(&modest, BLOCK_READ, i, 1, 0, on_done,
				    &done_status[100 + i]);
	}
	block_client_kick(&modest);
	fake_run(&driver.ep);
	fake.hold = 0;
	fake.slow = 1;
	done_count = 0;
	for (i = 0; i < 9999 && done_status[107] == 1; i++) {
		if (greedy.outstanding < BLOCK_RING_SIZE)
			block_client_submit(&greedy, BLOCK_READ, 0, 1, 0,
					    on_done, &done_status[1]);
		block_client_kick(&greedy);
		fake_idle = NULL;
		fake_run(&driver.ep);
		fake_idle = controller_idle;
		controller_idle();
	}
	served = done_count;
	ok(done_status[107] == 0 && served < 63 + 3 * 8,
	   "a greedy client does not hold up a modest one (%u served)", served);
	fake.slow = 0;
	fake_run(&driver.ep);
	block_client_close(&greedy);
	block_client_close(&modest);
	ok(!driver.nvme.outstanding && !mapped, "all ends");
	stop();
}

static void test_death(void)
{
	struct block_client c, other;
	unsigned int i;

	start(writeable);
	client_open(&c, "");
	client_open(&other, "");
	fake.hold = 1;
	for (i = 0; i < 10; i++)
		block_client_submit(&c, BLOCK_READ, i, 8, i * 4096, on_done,
				    &done_status[1]);
	block_client_kick(&c);
	fake_run(&driver.ep);
	block_client_close(&c);
	ok(mapped == 2 && driver.nvme.outstanding == 10,
	   "a client died: its memory stays while the device may write it");
	fake.hold = 0;
	fake_run(&driver.ep);
	ok(mapped == 1 && !driver.nvme.outstanding && !fake.violation,
	   "then it is let go");
	ok(one(&other, BLOCK_READ, 0, 1, 0) == 0, "others go on");

	fake.hold = 1;
	client_open(&c, "");
	block_client_submit(&c, BLOCK_READ, 0, 8, 0, on_done, &done_status[1]);
	block_client_kick(&c);
	fake_run(&driver.ep);
	block_client_close(&c);
	fake.q[1].head = fake.q[1].tail;	/* the device forgets it */
	fake.hold = 0;
	for (i = 0; i < 100 && driver.nvme.outstanding; i++)
		ep_dispatch(&driver.ep, fake_clock + PITH_SEC(1));
	ok(mapped == 1 && driver.nvme.resets == 1,
	   "if the device never answers, reset comes first");
	block_client_close(&other);
	ok(!mapped, "nothing stays mapped");
	stop();
}

struct raw {
	struct session s;
	int ring_mem, data, notif, kick;
	struct block_ring *ring;
};

static int raw_connect(struct raw *r, int data)
{
	int caps[3] = { r->ring_mem, data, r->notif };
	struct rpc rpc = {
		.caps = caps, .ncaps = 3, .rep_caps = &r->kick, .nrep_caps = 1,
	};

	return rpc_call(r->s.cap, BLOCK_CONNECT, &rpc, fake_clock + 1000);
}

static void raw_open(struct raw *r, uint64_t data_size)
{
	uint64_t badge;
	int err;

	err = env_session(&r->s, "Block", "", "", NULL, fake_clock + 1000);
	r->ring_mem = pith_mem_create(-1, BLOCK_RING_BYTES, 0);
	r->data = pith_mem_create(-1, data_size, 0);
	r->ring = pith_map(r->ring_mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE,
			   &err);
	r->notif = ep_new_notification(&driver.ep, NULL, NULL, &badge);
	ep_remove(&driver.ep, badge);
	r->kick = -1;
}

static void raw_close(struct raw *r)
{
	pith_unmap(r->ring, BLOCK_RING_BYTES);
	env_close(&r->s);
	pith_close(r->ring_mem);
	pith_close(r->data);
	pith_close(r->notif);
	pith_close(r->kick);
}

static void test_hostile(void)
{
	struct block_client other;
	struct raw r;
	int ro, big, kick;

	start(writeable);
	client_open(&other, "");
	raw_open(&r, 65536);
	ro = pith_mint(r.data, PITH_R_READ);
	ok(raw_connect(&r, ro) == -EINVAL, "data that cannot be written");
	ok(raw_connect(&r, r.notif) == -EINVAL, "data that are no memory");
	ok(raw_connect(&r, -1) == -EINVAL, "no data");
	refuse_dma = 1;
	ok(raw_connect(&r, r.data) == -EDQUOT && mapped == 1,
	   "the platform driver refuses");
	refuse_dma = 0;
	ok(raw_connect(&r, r.data) == 0 && mapped == 2, "a good connection");
	big = pith_mem_create(-1, 64 << 20, 0);
	kick = r.kick;
	ok(raw_connect(&r, big) == -EDQUOT && mapped == 2,
	   "more data than the donation pays for");
	r.kick = kick;
	fake.hold = 1;
	r.ring->requests[0] = (struct block_request){ 7, BLOCK_READ, 1, 0, 0 };
	r.ring->submitted = 1;
	pith_signal(r.kick, 1);
	fake_run(&driver.ep);
	ok(driver.nvme.outstanding == 1 && raw_connect(&r, r.data) == -EBUSY,
	   "no second connection while a request is under way");
	r.kick = kick;
	fake.hold = 0;
	fake_run(&driver.ep);
	ok(r.ring->completed == 1 && r.ring->completions[0].tag == 7 &&
	   r.ring->completions[0].status == BLOCK_OK,
	   "the old connection works on");
	ok(raw_connect(&r, r.data) == 0 && mapped == 2,
	   "the second replaces the first");
	pith_close(kick);
	r.ring->submitted = 500;
	pith_signal(r.kick, 1);
	fake_run(&driver.ep);
	r.ring->submitted = 1;
	pith_signal(r.kick, 1);
	fake_run(&driver.ep);
	ok(r.ring->completions[0].tag == 7 && !driver.nvme.outstanding,
	   "a ring with an impossible index is served no more");
	ok(one(&other, BLOCK_READ, 0, 1, 0) == 0, "others go on");
	pith_close(ro);
	pith_close(big);
	raw_close(&r);
	block_client_close(&other);
	ok(!mapped && !fake.violation, "nothing stays mapped");
	stop();
}

static void test_many(void)
{
	int caps[NVME_SESSIONS];
	unsigned int i, fds = fake_open_fds();
	int good = 1;

	start(writeable);
	for (i = 0; i < NVME_SESSIONS; i++) {
		caps[i] = open_session("Block", "", "");
		good &= caps[i] >= 0;
	}
	ok(good && try_open("") == -EBUSY, "sessions are bounded");
	for (i = 0; i < NVME_SESSIONS; i++) {
		closed(caps[i]);
		pith_close(caps[i]);
	}
	ok(try_open("") == 0, "a closed one makes room");
	ok(fake_open_fds() == fds, "no capability is lost");
	stop();
}

static void test_dead(void)
{
	struct block_client c;
	volatile int died = 0;

	start(writeable);
	client_open(&c, "");
	fake.lie = FAKE_GONE;
	done_status[1] = 1;
	block_client_submit(&c, BLOCK_READ, 0, 1, 0, on_done, &done_status[1]);
	fake.hold = 1;
	if (!setjmp(fatal)) {
		block_client_kick(&c);
		for (;;)
			ep_dispatch(&driver.ep, fake_clock + PITH_SEC(1));
	}
	died = 1;
	ok(died && done_status[1] == 1,
	   "a dead controller ends the driver, requests stay for the next");
	stop();
}

int main(void)
{
	unsigned int fds, i;

	fake_quiet = 1;
	test_policy();
	fds = fake_open_fds();
	test_requests();
	test_turns();
	test_death();
	test_hostile();
	test_many();
	ok(fake_open_fds() == fds, "no capability is lost at all");
	for (i = 0; i < SESSIONS; i++)
		if (open_sessions[i].session)
			ok(0, "session %u left open", i);
	test_dead();
	return tap_end();
}
