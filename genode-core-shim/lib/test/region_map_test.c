/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: ../rpc_cap.c */
/*
 * Region maps over spaces that are played. After each change what is mapped in
 * them is held against what the maps say, page by page.
 */
#include "../region_map.c"
#include <stdio.h>
#include <string.h>
#include "tap.h"

#define SPACES		3
#define PAGES		64	/* of a space that are looked at */
#define MEMS		8
#define MEM_PAGES	16
#define FDS		4096
#define MAPS		5

/* Descriptors 0 .. SPACES - 1 are spaces. */
static struct { int mem; uint64_t offset, size; uint32_t rights; } fds[FDS];
static unsigned int open_fds;
static struct page { int mem; uint64_t n; uint32_t rights; } spaces[SPACES][PAGES];
static bool revoked[MEMS];
static int fail_map = -1;	/* the SPACE_MAP after so many fails */
static int answers[32], nanswers, replies;
static bool space_dead;

static int new_fd(int mem, uint64_t offset, uint64_t size, uint32_t rights)
{
	for (int i = SPACES; i < FDS; i++) {
		if (fds[i].size)
			continue;
		fds[i].mem = mem;
		fds[i].offset = offset;
		fds[i].size = size;
		fds[i].rights = rights;
		open_fds++;
		return i;
	}
	return -EMFILE;
}

int pith_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size)
{
	if (rights & ~fds[mem].rights)
		return -EPERM;
	return new_fd(fds[mem].mem, fds[mem].offset + offset, size, rights);
}

int64_t pith_mem_size(int mem)
{
	return !fds[mem].size ? -EBADF : revoked[fds[mem].mem] ? -EPIPE :
	       (int64_t)fds[mem].size;
}

void pith_close(int fd)
{
	if (fd < 0)
		return;
	if (fd < SPACES || !fds[fd].size)
		printf("not ok - closes what is not open\n"), tap_failures++;
	fds[fd].size = 0;
	open_fds--;
}

static int space_map(struct page *space, const struct pith_map *m)
{
	uint64_t first = m->address / PAGE, n = m->size / PAGE;

	if (space_dead)
		return -EPIPE;
	if (fail_map >= 0 && !fail_map--)
		return -EDQUOT;
	if (!m->size || m->size % PAGE || m->address % PAGE ||
	    m->offset % PAGE || m->offset + m->size > fds[m->mem].size ||
	    !(m->rights & PITH_R_READ))
		return -EINVAL;
	if (m->rights & ~fds[m->mem].rights)
		return -EPERM;
	if (first + n > PAGES)
		return 0;
	for (uint64_t i = 0; i < n; i++)
		if (space[first + i].rights)
			return -EEXIST;
	for (uint64_t i = 0; i < n; i++)
		space[first + i] = (struct page){
			fds[m->mem].mem,
			(fds[m->mem].offset + m->offset) / PAGE + i, m->rights
		};
	return 0;
}

long pith_syscall4(long nr, long fd, long op, long arg, long d)
{
	struct pith_range *r = (void *)arg;

	if (nr != PITH_NR_CONTROL || d)
		return -ENOSYS;
	if (op == PITH_OP_SPACE_MAP)
		return space_map(spaces[fd], (void *)arg);
	if (op == PITH_OP_SPACE_UNMAP)
		for (uint64_t i = r->address / PAGE;
		     i < (r->address + r->size) / PAGE && i < PAGES; i++)
			spaces[fd][i].rights = 0;
	return 0;
}

/* --- the entrypoint ------------------------------------------------------- */

int ep_new_object(struct entrypoint *ep, ep_call_fn call, void *ctx,
		  uint64_t *badge)
{
	(void)ep;
	(void)call;
	(void)ctx;
	*badge = 1;
	return new_fd(0, 0, PAGE, 0);
}

void ep_remove(struct entrypoint *ep, uint64_t badge)
{
	(void)ep;
	(void)badge;
}

int ep_save_reply(struct entrypoint *ep, struct ep_request *in)
{
	(void)ep;
	(void)in;
	return 1000 + replies++;
}

int ep_answer(int reply, int status, const void *data, size_t len, int cap)
{
	(void)reply;
	(void)data;
	(void)len;
	(void)cap;
	answers[nanswers++] = status;
	return 0;
}

uint64_t pith_now(void)
{
	return 0;
}

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	(void)cap;
	(void)deadline;
	r->rep_caps[0] = 7;
	return method == PARENT_SPACE ? 0 : -ENOSYS;
}

/* --- what the maps say ---------------------------------------------------- */

/* Independently of what walks the maps above: by page, from the space inwards. */
static struct page expected(const struct region_map *map, uint64_t page,
			    uint32_t rights)
{
	uint64_t at = page * PAGE;

	for (const struct rm_region *r = map->regions; r; r = r->next) {
		if (at < r->at || at - r->at >= r->size)
			continue;
		rights &= r->rights;
		if (!(rights & PITH_R_READ))
			break;
		if (r->sub)
			return expected(r->sub, (at - r->at + r->offset) / PAGE,
					rights);
		return (struct page){
			fds[r->mem].mem,
			(fds[r->mem].offset + at - r->at) / PAGE, rights
		};
	}
	return (struct page){ 0 };
}

static bool holds(const struct region_map *map)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		struct page is = spaces[map->space][i];
		struct page should = expected(map, i, RIGHTS);

		if (is.rights != should.rights || (is.rights &&
		    (is.mem != should.mem || is.n != should.n)))
			return false;
	}
	return true;
}

static int new_mem(int n, uint32_t rights)
{
	return new_fd(n, 0, MEM_PAGES * PAGE, rights);
}

static int64_t put(struct region_map *map, int mem, struct region_map *sub,
		   uint64_t offset, uint64_t size, uint64_t at, uint32_t rights)
{
	struct rm_attach a = {
		.mem = mem, .sub = sub, .offset = offset * PAGE,
		.size = size * PAGE, .at = at == RM_ANYWHERE ? at : at * PAGE,
		.rights = rights,
	};

	return rm_attach(map, &a);
}

#define RW	(PITH_R_READ | PITH_R_WRITE)
#define R	PITH_R_READ

static bool is(int space, int page, int mem, uint64_t n, uint32_t rights)
{
	const struct page *p = &spaces[space][page];

	return p->mem == mem && p->n == n && p->rights == rights;
}

/* --- tests ---------------------------------------------------------------- */

static void test_sub(void)
{
	struct region_map space, sub;
	int mem = new_mem(1, RW);

	rm_init_space(&space, 0, NULL);
	check(rm_init(&sub, 0) == -EINVAL && rm_init(&sub, 100) == -EINVAL,
	      "a map has whole pages");
	rm_init(&sub, 8 * PAGE);
	check(put(&sub, mem, NULL, 2, 3, 1, RW) == PAGE, "into a map nobody sees");
	check(!spaces[0][11].rights, "nothing is mapped");
	check(put(&space, -1, &sub, 0, 0, 10, RW) == 10 * PAGE &&
	      is(0, 11, 1, 2, RW) && is(0, 13, 1, 4, RW) &&
	      !spaces[0][10].rights && !spaces[0][14].rights,
	      "once it is attached, all of it");
	check(put(&sub, mem, NULL, 0, 1, 5, R) == 5 * PAGE &&
	      is(0, 15, 1, 0, R), "what is added later is seen too");
	check(put(&space, -1, &sub, 2, 4, 30, R) == 30 * PAGE &&
	      is(0, 30, 1, 3, R) && is(0, 31, 1, 4, R) && is(0, 33, 1, 0, R) &&
	      !spaces[0][29].rights && !spaces[0][34].rights,
	      "a second time, a window, with less rights");
	check(put(&sub, mem, NULL, 0, 3, 3, R) == -EEXIST &&
	      put(&sub, mem, NULL, 0, 0, 0, R) == -EINVAL &&
	      put(&space, mem, NULL, 0, 1, 12, R) == -EEXIST,
	      "nothing over something else, nothing beyond the end");
	check(!rm_detach(&sub, PAGE) && !spaces[0][11].rights &&
	      !spaces[0][30].rights && is(0, 15, 1, 0, R),
	      "what is detached is gone everywhere");
	check(rm_detach(&sub, PAGE) == -ENOENT, "once");
	rm_destroy(&sub);
	check(!spaces[0][15].rights && !spaces[0][33].rights && !space.regions,
	      "a map that is destroyed as well");
	rm_destroy(&space);
	pith_close(mem);
	check(!open_fds, "no capability is left");
}

static void test_nested(void)
{
	struct region_map space, maps[RM_DEPTH];
	int mem = new_mem(2, RW | PITH_R_EXEC), i;

	rm_init_space(&space, 0, NULL);
	for (i = 0; i < RM_DEPTH; i++)
		rm_init(&maps[i], 32 * PAGE);
	for (i = 0; i + 1 < RM_DEPTH; i++)
		put(&maps[i], -1, &maps[i + 1], 0, 16, 1, RW);
	check(put(&space, -1, &maps[0], 0, 0, 0, RW) == -EINVAL &&
	      !space.regions, "too deep");
	rm_detach(&maps[RM_DEPTH - 2], PAGE);
	check(put(&space, -1, &maps[0], 0, 0, 0, RW) == 0, "deep enough");
	check(put(&maps[RM_DEPTH - 2], mem, NULL, 5, 1, 0, RW | PITH_R_EXEC) == 0 &&
	      is(0, RM_DEPTH - 2, 2, 5, RW), "rights are those of all maps");
	check(put(&maps[3], -1, &maps[0], 0, 1, 20, R) == -EINVAL &&
	      put(&maps[3], -1, &maps[3], 0, 1, 20, R) == -EINVAL &&
	      put(&maps[3], -1, &space, 0, 1, 20, R) == -EINVAL,
	      "not into itself, nor a space into anything");
	rm_detach(&maps[2], PAGE);
	check(!spaces[0][RM_DEPTH - 2].rights, "cut in the middle");
	put(&maps[2], -1, &maps[3], 0, 16, 1, RW);
	check(is(0, RM_DEPTH - 2, 2, 5, RW), "and joined again");
	for (i = RM_DEPTH; i--;)
		rm_destroy(&maps[i]);
	check(!spaces[0][RM_DEPTH - 2].rights && !space.regions, "all are gone");
	pith_close(mem);
	check(!open_fds, "no capability is left");
}

static void test_errors(void)
{
	struct region_map space, sub;
	struct rm_attach a = { .mem = new_mem(3, R), .at = PAGE, .rights = R };
	int mem = a.mem;

	rm_init_space(&space, 0, NULL);
	rm_init(&sub, 4 * PAGE);
	check(put(&space, mem, NULL, 0, 1, 1, RW) == -EPERM, "a right it lacks");
	check(put(&space, mem, NULL, 0, 1, 1, PITH_R_WRITE) == -EINVAL &&
	      put(&space, mem, NULL, 0, 1, 1, 0x200 | R) == -EINVAL &&
	      put(&space, mem, NULL, 0, MEM_PAGES + 1, 1, R) == -EINVAL &&
	      put(&space, mem, NULL, MEM_PAGES, 1, 1, R) == -EINVAL &&
	      put(&space, -1, NULL, 0, 1, 1, R) == -EINVAL,
	      "fields out of range");
	a.at = 5;
	check(rm_attach(&space, &a) == -EINVAL, "not aligned");
	a.at = PAGE;
	a.size = -PAGE;
	check(rm_attach(&space, &a) == -EINVAL, "a size that overflows");
	a.size = 0;
	a.offset = PAGE / 2;
	check(rm_attach(&space, &a) == -EINVAL, "not aligned in the memory");
	put(&sub, mem, NULL, 0, 1, 0, R);
	put(&sub, mem, NULL, 4, 1, 2, R);
	spaces[0][12] = (struct page){ 7, 7, R };	/* somebody else's */
	check(put(&space, -1, &sub, 0, 0, 10, R) == -EEXIST &&
	      !spaces[0][10].rights && is(0, 12, 7, 7, R) && !sub.users,
	      "half of it is there: nothing changes");
	spaces[0][12].rights = 0;
	fail_map = 1;
	check(put(&space, -1, &sub, 0, 0, 10, R) == -EDQUOT &&
	      !spaces[0][10].rights && fail_map < 0, "nor if quota lacks");
	space_dead = true;
	check(put(&space, mem, NULL, 0, 1, 20, R) == -EPIPE, "a dead space");
	space_dead = false;
	check(put(&sub, mem, NULL, 0, 4, RM_ANYWHERE, R) == -ENOSPC &&
	      put(&sub, mem, NULL, 0, 1, RM_ANYWHERE, R) == PAGE &&
	      put(&space, mem, NULL, 0, 2, RM_ANYWHERE, R) ==
	      (int64_t)RM_SPACE_FIRST &&
	      put(&space, mem, NULL, 0, 2, RM_ANYWHERE, R) ==
	      (int64_t)(RM_SPACE_FIRST + 2 * PAGE), "the first gap that fits");
	rm_destroy(&sub);
	rm_destroy(&space);
	check(put(&space, mem, NULL, 2, 3, 30, R) == 30 * PAGE &&
	      put(&space, mem, NULL, MEM_PAGES - 1, 0, 40, R) == 40 * PAGE &&
	      is(0, 30, 3, 2, R) && is(0, 32, 3, 4, R) &&
	      is(0, 40, 3, MEM_PAGES - 1, R) && open_fds == 1,
	      "no capability is kept where no fault asks for it");
	rm_destroy(&space);
	check(!spaces[0][30].rights && !spaces[0][40].rights, "all are gone");
	pith_close(mem);
	check(!open_fds && rm_own_space() == 7, "no capability is left");
}

/* --- faults --------------------------------------------------------------- */

static struct {
	int calls, result, mem;
	struct region_map *map;
	uint64_t offset;
	uint32_t type, attach;
} asked;

static int on_fault(void *ctx, struct region_map *map,
		    const struct pith_fault *f, uint64_t offset)
{
	asked.calls += ctx == &asked;
	asked.map = map;
	asked.offset = offset;
	asked.type = f->type;
	if (asked.attach)
		put(map, asked.mem, NULL, 0, 1, offset / PAGE, asked.attach);
	return asked.result;
}

static int fault(struct region_map *space, uint32_t type, uint64_t address)
{
	struct pith_fault f = { .type = type, .address = address };
	struct ep_request in = {
		.method = PITH_FAULT, .data = &f, .len = sizeof(f),
	};

	nanswers = 0;
	return fault_call(space, &in);
}

static void test_faults(void)
{
	struct region_map space, sub;
	struct entrypoint ep;
	struct ep_request other = { .method = 1 };
	int mem = new_mem(4, RW | PITH_R_EXEC);

	rm_init_space(&space, 0, &ep);
	rm_init(&sub, 8 * PAGE);
	put(&space, -1, &sub, 2, 4, 10, RW);
	check(fault_call(&space, &other) == -ENOSYS, "no fault");
	check(fault(&space, PITH_FAULT_READ, 5) == -EFAULT, "nobody is asked");
	space.fault = on_fault;
	space.ctx = &asked;
	asked.result = -EFAULT;
	check(fault(&space, PITH_FAULT_WRITE, 0x5008) == EP_DEFERRED &&
	      asked.calls == 1 && asked.offset == 0x5008 && asked.map == &space &&
	      asked.type == PITH_FAULT_WRITE && nanswers == 1 &&
	      answers[0] == -EFAULT, "the space's handler refuses");
	fault(&space, PITH_FAULT_READ, 11 * PAGE + 8);
	check(asked.calls == 2 && asked.offset == 11 * PAGE + 8,
	      "a map without handler leaves it to the one around");
	sub.fault = on_fault;
	sub.ctx = &asked;
	asked.result = 0;
	fault(&space, PITH_FAULT_READ, 11 * PAGE + 8);
	check(asked.calls == 3 && asked.map == &sub &&
	      asked.offset == 3 * PAGE + 8 && !nanswers, "it waits");
	put(&sub, mem, NULL, 0, 1, 4, RW);
	check(!nanswers, "for that page");
	put(&sub, mem, NULL, 0, 1, 3, R);
	check(nanswers == 1 && !answers[0] && !space.waiting, "until it is there");
	check(fault(&space, PITH_FAULT_READ, 11 * PAGE) == 0 && !nanswers,
	      "what is there already needs nobody");
	fault(&space, PITH_FAULT_WRITE, 11 * PAGE);
	check(asked.calls == 4 && !nanswers, "a right that lacks is a fault");
	rm_detach(&sub, 3 * PAGE);
	put(&sub, mem, NULL, 0, 1, 3, RW);
	check(nanswers == 1 && !answers[0], "until there is one with it");
	check(fault(&space, PITH_FAULT_EXEC, 11 * PAGE) == EP_DEFERRED &&
	      asked.calls == 5 && asked.type == PITH_FAULT_EXEC && !nanswers,
	      "execution needs its own");
	rm_detach(&sub, 3 * PAGE);
	put(&sub, mem, NULL, 0, 1, 3, R | PITH_R_EXEC);
	check(!nanswers, "which the map around does not have");
	asked.attach = R;
	asked.mem = mem;
	fault(&space, PITH_FAULT_READ, 13 * PAGE);
	check(nanswers == 1 && !answers[0] && space.waiting &&
	      !space.waiting->next, "the handler attaches itself");
	revoked[4] = true;
	asked.attach = 0;
	fault(&space, PITH_FAULT_READ, 13 * PAGE);
	check(asked.calls == 7 && !nanswers, "what was revoked is not there");
	revoked[4] = false;
	fault(&space, PITH_FAULT_EXCEPTION, 13 * PAGE);
	check(asked.calls == 8 && asked.map == &space, "exceptions: the space's");
	nanswers = 0;
	rm_destroy(&space);
	check(nanswers == 3 && answers[0] && answers[2], "the end: all are told");
	rm_destroy(&sub);
	pith_close(mem);
	check(!open_fds, "no capability is left");
}

/* --- any changes, any order ----------------------------------------------- */

static uint64_t seed = 1;

static unsigned int any(unsigned int n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

static void change(struct region_map *maps, const int *mems)
{
	struct region_map *map = &maps[any(MAPS)];
	struct rm_region *r;
	unsigned int n;

	if (any(3)) {
		bool sub = any(2);

		if (!any(8))
			fail_map = any(4);
		put(map, sub ? -1 : mems[any(MEMS)], sub ? &maps[any(MAPS)] : NULL,
		    any(8), any(9), any(40), R | any(2) * PITH_R_WRITE |
		    any(2) * PITH_R_EXEC);
		fail_map = -1;
		return;
	}
	n = any(4);
	for (r = map->regions; r && n; r = r->next)
		n--;
	if (r)
		rm_detach(map, r->at);
}

static void test_random(void)
{
	struct region_map maps[MAPS];
	struct entrypoint ep;	/* so that maps keep what is in them */
	int mems[MEMS], i, bad = 0;

	memset(spaces, 0, sizeof(spaces));
	for (i = 0; i < MEMS; i++)
		mems[i] = new_mem(i, R | (i & 1 ? PITH_R_WRITE : 0) |
				  (i & 2 ? PITH_R_EXEC : 0));
	for (i = 0; i < MAPS; i++) {
		if (i < 2)
			rm_init_space(&maps[i], i, &ep);
		else
			rm_init(&maps[i], (20 + i) * PAGE);
	}
	for (i = 0; i < 200000 && !bad; i++) {
		change(maps, mems);
		bad = !holds(&maps[0]) || !holds(&maps[1]);
		if (i % 500 == 499)
			rm_destroy(&maps[2 + any(MAPS - 2)]);
	}
	check(!bad, "200,000 changes, the spaces are as the maps say (%d)", i);
	for (i = 0; i < MAPS; i++)
		rm_destroy(&maps[i]);
	for (i = 0; i < MEMS; i++)
		pith_close(mems[i]);
	check(!open_fds, "no capability is left");
}

int main(void)
{
	test_sub();
	test_nested();
	test_errors();
	test_faults();
	test_random();
	return tap_end();
}
