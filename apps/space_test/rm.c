// SPDX-License-Identifier: BSD-2-Clause
/* Region maps: in our own space and in a child's. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "kid.h"

#define PAGE	4096ull
#define AT	RM_SPACE_FIRST		/* where nothing else is */
#define R	PITH_R_READ
#define RW	(PITH_R_READ | PITH_R_WRITE)
#define RX	(PITH_R_READ | PITH_R_EXEC)
#define SEGV	139			/* status of who had a fault refused */

#if defined(__x86_64__)
static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };	/* return 42 */
#elif defined(__aarch64__)
static const uint32_t code[] = { 0x52800540, 0xd65f03c0 };
#endif

/* Memory with @value at its start, and where we see it. */
struct memory {
	int mem;
	volatile uint64_t *at;
	uint64_t size;
};

static struct memory make(uint64_t pages, uint64_t value)
{
	struct memory m = { .size = pages * PAGE };
	int err = 0;

	m.mem = pith_mem_create(-1, m.size, 0);
	m.at = pith_map(m.mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!m.at)
		env_fatal("no memory: %s", strerror(-err));
	*m.at = value;
	return m;
}

static void drop(struct memory *m)
{
	pith_unmap((void *)m->at, m->size);
	pith_close(m->mem);
}

static int64_t attach(struct region_map *map, int mem, struct region_map *sub,
		      uint64_t at, uint32_t rights)
{
	struct rm_attach a = {
		.mem = mem, .sub = sub, .at = at, .rights = rights,
	};

	return rm_attach(map, &a);
}

/* --- in our own space ----------------------------------------------------- */

static void test_sub_rm(int space)
{
	struct region_map self, sub;
	struct memory a = make(2, 11), b = make(1, 22);
	int64_t one, two;

	rm_init_space(&self, space, NULL);
	rm_init(&sub, 8 * PAGE);
	attach(&sub, a.mem, NULL, PAGE, RW);
	one = attach(&self, -1, &sub, RM_ANYWHERE, RW);
	two = attach(&self, -1, &sub, RM_ANYWHERE, R);
	expect(one > 0 && two > 0 && one != two, "a map at two places");
	if (one < 0 || two < 0)
		return;
	expect(*(uint64_t *)(one + PAGE) == 11, "sub_rm: what is in it is seen");
	*(volatile uint64_t *)(one + 2 * PAGE) = 12;
	expect(*(volatile uint64_t *)(two + 2 * PAGE) == 12 &&
	       a.at[PAGE / 8] == 12, "sub_rm: it is the same memory");
	expect(attach(&sub, b.mem, NULL, 2 * PAGE, R) == -EEXIST,
	       "sub_rm: no overlap");
	expect(attach(&sub, b.mem, NULL, 8 * PAGE, R) == -EINVAL,
	       "sub_rm: not beyond the end");
	attach(&sub, b.mem, NULL, 4 * PAGE, R);
	expect(*(uint64_t *)(two + 4 * PAGE) == 22, "sub_rm: added while seen");
	rm_destroy(&sub);
	expect(!self.regions, "sub_rm: gone");
	rm_destroy(&self);
	drop(&a);
	drop(&b);
}

/* A thread that has faults of the others as messages. */
struct pager {
	int space;
	struct memory m;
	unsigned int faults;
	volatile bool ready;
};

static int page_in(void *ctx, struct region_map *map,
		   const struct pith_fault *f, uint64_t offset)
{
	struct pager *p = ctx;

	(void)f;
	p->faults++;
	return attach(map, p->m.mem, NULL, offset & ~(PAGE - 1), RW) < 0 ?
		-EFAULT : 0;
}

static void *pager_main(void *arg)
{
	static struct entrypoint own;
	struct region_map self, managed;
	struct pager *p = arg;

	if (rpc_thread_init() || ep_init(&own) ||
	    rm_init_space(&self, p->space, &own))
		return NULL;
	rm_init(&managed, 4 * PAGE);
	managed.fault = page_in;
	managed.ctx = p;
	attach(&self, -1, &managed, AT, RW);
	p->ready = true;
	while (p->ready)
		ep_dispatch(&own, pith_now() + PITH_MS(20));
	rm_destroy(&managed);
	rm_destroy(&self);
	return p;
}

static void test_own_fault(int space)
{
	struct pager p = { .space = space, .m = make(1, 33) };
	uint64_t end = pith_now() + PITH_SEC(5);
	volatile uint64_t *at = (uint64_t *)(AT + 2 * PAGE);
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, pager_main, &p)) {
		expect(false, "a thread");
		return;
	}
	while (!p.ready && pith_now() < end)
		;
	expect(p.ready && *at == 33 && p.faults == 1,
	       "own faults are handled by another thread");
	*at = 34;
	expect(*p.m.at == 34 && p.faults == 1, "once");
	p.ready = false;
	pthread_join(thread, &result);
	expect(result == &p, "the pager ends");
	drop(&p.m);
}

/* --- in a child's --------------------------------------------------------- */

/* Attach this at the page that is missing. */
struct missing {
	unsigned int faults;
	int mem;
	uint32_t rights, type;
	uint64_t offset;
	struct region_map *map;
};

static int bring(void *ctx, struct region_map *map, const struct pith_fault *f,
		 uint64_t offset)
{
	struct missing *m = ctx;
	uint64_t at = offset & ~(PAGE - 1);

	m->faults++;
	m->type = f->type;
	m->offset = offset;
	m->map = map;
	rm_detach(map, at);
	return attach(map, m->mem, NULL, at, m->rights) < 0 ? -EFAULT : 0;
}

static void manage(struct region_map *map, struct missing *m)
{
	map->fault = bring;
	map->ctx = m;
}

static void test_fault(void)
{
	struct memory m = make(1, 0);
	struct missing want = { .mem = m.mem, .rights = R };
	bool good = true;
	struct kid k;

	if (!kid_start(&k, NULL))
		return;
	manage(&k.map, &want);
	for (uint64_t i = 1; i <= 100; i++) {
		*m.at = i;
		good = good && kid_do(&k, KID_READ, AT + 3 * PAGE, 0) &&
		       k.result == i && want.faults == i &&
		       want.type == PITH_FAULT_READ &&
		       !rm_detach(&k.map, AT + 3 * PAGE);
	}
	expect(good, "rm_fault: resolved by attaching, again after each detach");
	want.faults = 0;
	expect(kid_do(&k, KID_READ, AT, 0) && want.faults == 1, "rm_fault: R");
	want.rights = RW;
	expect(kid_do(&k, KID_WRITE, AT + 8, 5) && m.at[1] == 5 &&
	       want.faults == 2 && want.type == PITH_FAULT_WRITE &&
	       want.offset == AT + 8, "rm_fault: a write to what is read-only");
	memcpy((void *)m.at, code, sizeof(code));
	want.rights = RX;
	expect(kid_do(&k, KID_EXECUTE, AT, 0) && k.result == 42 &&
	       want.faults == 3 && want.type == PITH_FAULT_EXEC,
	       "rm_fault_no_nox: data is not code, until it is attached so");
	k.map.fault = kid_refuse;
	k.map.ctx = &k;
	expect(!kid_do(&k, KID_WRITE, AT, 1) && k.exited && k.status == SEGV &&
	       k.faults == 1 && k.fault.type == PITH_FAULT_WRITE &&
	       k.fault.address == AT, "rm_fault: refused, told, ended");
	kid_end(&k);
	drop(&m);
}

static void test_nested(void)
{
	struct region_map outer, middle, inner;
	struct memory m = make(1, 77);
	struct missing want = { .mem = m.mem, .rights = RW };
	struct kid k;

	if (!kid_start(&k, NULL))
		return;
	rm_init(&outer, 64 * PAGE);
	rm_init(&middle, 16 * PAGE);
	rm_init(&inner, 16 * PAGE);
	attach(&middle, -1, &inner, 0, R);
	attach(&outer, -1, &middle, 32 * PAGE, RW);
	attach(&k.map, -1, &outer, AT, RW);
	manage(&inner, &want);
	expect(kid_do(&k, KID_READ, AT + 37 * PAGE, 0) && k.result == 77 &&
	       want.map == &inner && want.offset == 5 * PAGE &&
	       want.faults == 1, "rm_nested: the innermost map is asked");
	rm_detach(&outer, 32 * PAGE);
	attach(&outer, -1, &middle, 16 * PAGE, RW);
	expect(kid_do(&k, KID_READ, AT + 21 * PAGE, 0) && k.result == 77 &&
	       want.faults == 1, "rm_nested: moved with what is in it");
	expect(!kid_do(&k, KID_READ, AT + 37 * PAGE, 0) && k.exited,
	       "rm_nested: nothing stays behind");
	kid_end(&k);
	rm_destroy(&inner);
	rm_destroy(&middle);
	rm_destroy(&outer);
	drop(&m);
}

static void test_read_only(void)
{
	struct memory m = make(1, 1);
	struct rom rom;
	int sealed, err;
	struct kid k;

	if (rom_open(&rom, "space_test") || !kid_start(&k, NULL))
		return;
	expect(!pith_map(rom.mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err) &&
	       err == -EACCES, "read_only_rom: not by us");
	expect(attach(&k.map, rom.mem, NULL, AT, RW) == -EPERM,
	       "read_only_rom: not attached to be written");
	attach(&k.map, rom.mem, NULL, AT, R);
	expect(kid_do(&k, KID_READ, AT, 0) &&
	       k.result == *(const uint64_t *)rom.data, "read_only_rom: read");
	expect(kid_do(&k, KID_WIDEN, AT, 0) && k.result == EACCES,
	       "read_only_rom: the child cannot help itself");

	attach(&k.map, m.mem, NULL, AT + (1 << 30), RW);
	expect(kid_do(&k, KID_WRITE, AT + (1 << 30), 2) && *m.at == 2,
	       "sealed_ram: written before");
	sealed = pith_mint(m.mem, R);
	rm_detach(&k.map, AT + (1 << 30));
	expect(attach(&k.map, sealed, NULL, AT + (1 << 30), RW) == -EPERM &&
	       attach(&k.map, sealed, NULL, AT + (1 << 30), R) > 0 &&
	       kid_do(&k, KID_READ, AT + (1 << 30), 0) && k.result == 2,
	       "sealed_ram: read after");
	expect(!kid_do(&k, KID_WRITE, AT + (1 << 30), 3) && *m.at == 2 &&
	       k.exited && k.fault.type == PITH_FAULT_WRITE &&
	       k.fault.address == AT + (1 << 30), "sealed_ram: a write is a fault");
	pith_close(sealed);
	kid_end(&k);
	rom_close(&rom);
	drop(&m);
}

/* What a domain pays for and others see stays theirs; nobody else ends it. */
static void test_ownership(void)
{
	struct pith_revoke all = { .flags = 0 };
	uint64_t *at;
	int mem, err;
	struct kid k;

	if (!kid_start(&k, NULL))
		return;
	mem = pith_mem_create(k.domain, PAGE, 0);
	at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	expect(at && pith_control(mem, PITH_OP_REVOKE, &all) == -EPERM,
	       "ds_ownership: who has a capability cannot take it from others");
	pith_close(mem);
	if (at)
		*at = 8;
	kid_end(&k);
	expect(at && *at == 8, "ds_ownership: seen as long as it is mapped");
	if (at)
		pith_unmap(at, PAGE);
}

/* --- restart without a leak ----------------------------------------------- */

static bool same(const struct pith_domain_info *a,
		 const struct pith_domain_info *b)
{
	return a->ram_limit == b->ram_limit && a->ram_used == b->ram_used &&
	       a->caps_limit == b->caps_limit && a->caps_used == b->caps_used;
}

static void test_detection(void)
{
	struct pith_domain_info before = { 0 }, now = { 0 };
	uint64_t end;
	struct kid k;

	for (int i = 0; i < 20; i++) {
		if (!kid_start(&k, NULL))
			return;
		expect(!kid_do(&k, KID_READ, 8, 0) && k.exited &&
		       k.status == SEGV && k.faults == 1 &&
		       k.fault.address == 8, "fault_detection: told of");
		kid_end(&k);
		if (i)
			continue;
		/* what the kernel gives back a little later is in it too */
		ep_dispatch(&ep, pith_now() + PITH_MS(500));
		pith_domain_info(PITH_SLOT_DOMAIN, &before);
	}
	end = pith_now() + PITH_SEC(5);
	do {
		pith_domain_info(PITH_SLOT_DOMAIN, &now);
	} while (!same(&before, &now) && pith_now() < end);
	expect(same(&before, &now), "fault_detection: restarts leak nothing");
	log_line("used: %llu KiB, %llu caps; then %llu KiB, %llu caps",
		 (unsigned long long)before.ram_used >> 10,
		 (unsigned long long)before.caps_used,
		 (unsigned long long)now.ram_used >> 10,
		 (unsigned long long)now.caps_used);
}

void test_rm(void)
{
	int space = rm_own_space();

	expect(space >= 0, "our own space");
	test_sub_rm(space);
	test_own_fault(space);
	pith_close(space);
	test_fault();
	test_nested();
	test_read_only();
	test_ownership();
	test_detection();
}
