// SPDX-License-Identifier: BSD-2-Clause
/* Memory objects: size, content, ranges, rights of capability and mapping. */
#include <string.h>
#include "arch.h"
#include "kt.h"

#define RWX	(PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC)

KT_COMPONENT(mem_create_args)
{
	static const uint64_t sizes[] = { 0, 1, 4095, 4097, (64ull << 30) + 1,
		(64ull << 30) + KT_PAGE, 1ull << 63, ~0ull, -4096ull };
	struct pith_mem_create c = { KT_PAGE, 0, -1 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		KT_EQ(kt_mem_create(-1, sizes[i], 0), -EINVAL);
	for (int bit = 2; bit < 32; bit++)
		KT_EQ(kt_mem_create(-1, KT_PAGE, 1u << bit), -EINVAL);
	KT_EQ(kt_mem_create(-1, KT_PAGE, PITH_MEM_DMA32), -EINVAL);
	KT_EQ(kt_mem_create(-1, (4 << 20) + KT_PAGE, PITH_MEM_CONTIG),
	      -EINVAL);
	KT_EQ(kt_mem_create(-2, KT_PAGE, 0), -EBADF);
	KT_EQ(kt_mem_create(4000, KT_PAGE, 0), -EBADF);
	KT_EQ(kt_mem_create(KT_SLOT_REPORT, KT_PAGE, 0), -EBADF);
	KT_EQ(kt_control(-1, PITH_OP_MEM_CREATE, NULL), -EFAULT);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_MEM_CREATE, &c), -EBADF);
	/* more than the domain has, up to the largest size */
	KT_EQ(kt_mem_create(-1, KT_CHILD_RAM + KT_PAGE, 0), -EDQUOT);
	KT_EQ(kt_mem_create(-1, 64ull << 30, 0), -EDQUOT);
}

KT_COMPONENT(mem_zeroed)
{
	uint64_t size = 2 << 20;
	uint64_t *p;
	int mem;

	for (int round = 0; round < 2; round++) {
		mem = KT_FD(kt_mem_create(-1, size, 0));
		KT_EQ(kt_mem_size(mem), size);
		p = kt_map(mem, 0, size, KT_R | KT_W);
		KT_NEED(!kt_is_error(p));
		for (uint64_t i = 0; i < size / 8; i++)
			KT_NEED(p[i] == 0);
		memset(p, 0x5a, size);
		KT_EQ(kt_unmap(p, size), 0);
		kt_close(mem);
	}
}

KT_COMPONENT(mem_info)
{
	struct pith_mem_info info;
	int mem = KT_FD(kt_mem_create(-1, 3 * KT_PAGE, 0));
	int none = KT_FD(kt_mint(mem, 0));

	KT_EQ(kt_control(mem, PITH_OP_MEM_INFO, &info), 0);
	KT_EQ(info.size, 3 * KT_PAGE);
	KT_EQ(info.rights, RWX);
	KT_EQ(info.io, 0);
	KT_EQ(kt_control(none, PITH_OP_MEM_INFO, &info), 0);
	KT_EQ(info.rights, 0);
	KT_EQ(kt_control(mem, PITH_OP_MEM_INFO, NULL), -EFAULT);
	KT_EQ(kt_control(mem, PITH_OP_MEM_INFO, (void *)-4096ul), -EFAULT);
	kt_close(none);
	kt_close(mem);
}

/* --- rights ---------------------------------------------------------------- */

static int prot_of(uint32_t rights)
{
	return (rights & PITH_R_READ ? KT_R : 0) |
	       (rights & PITH_R_WRITE ? KT_W : 0) |
	       (rights & PITH_R_EXEC ? KT_X : 0);
}

/* All protections that a mapping made with @prot may get later. */
static void all_protects(void *p, int allowed)
{
	for (int prot = 0; prot < 8; prot++) {
		long err = kt_protect(p, KT_PAGE, prot);

		if ((prot & ~allowed) && err != -EACCES)
			KT_FAIL("rights %d: mprotect to %d gave %ld", allowed,
				prot, err);
		if (!(prot & ~allowed) && err)
			KT_FAIL("rights %d: mprotect to %d failed: %ld",
				allowed, prot, err);
	}
}

static void all_maps(int mem, int allowed)
{
	for (int prot = 0; prot < 8; prot++) {
		void *p = kt_map(mem, 0, KT_PAGE, prot);
		bool may = (allowed & KT_R) && !(prot & ~allowed);

		if (kt_is_error(p) == may)
			KT_FAIL("rights %d: mmap with %d gave %ld", allowed,
				prot, (long)p);
		if (kt_is_error(p)) {
			if (!may)
				KT_EQ((long)p, -EACCES);
			continue;
		}
		all_protects(p, allowed);
		KT_EQ(kt_unmap(p, KT_PAGE), 0);
	}
}

KT_COMPONENT(mem_rights_of_mappings)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0)), fd;

	for (uint32_t bits = 0; bits < 8; bits++) {
		uint32_t rights = bits * PITH_R_READ;

		fd = KT_FD(kt_mint(mem, rights));
		KT_EQ(kt_rights(fd), rights);
		all_maps(fd, prot_of(rights));
		kt_close(fd);
	}
	kt_close(mem);
}

/* The hardware agrees: what must not be done ends the component. */
static uint8_t *map_arg(int prot)
{
	uint8_t *p = kt_map(KT_SLOT_ARG, 0, KT_PAGE, prot);

	KT_NEED(!kt_is_error(p));
	return p;
}

KT_ROLE(write_to_read_only)
{
	void *p = map_arg(KT_R);

	KT_EQ(*(volatile uint32_t *)p, KT_RETURN);
	kt_report->shared[0] = 1;
	*(volatile uint8_t *)p = 1;
}

KT_ROLE(execute_data)
{
	uint8_t *p = map_arg(KT_R);

	kt_report->shared[0] = 1;
	((void (*)(void))p)();
}

KT_ROLE(execute_code)
{
	uint8_t *p = map_arg(KT_R | KT_X);

	((void (*)(void))p)();
	kt_report->shared[0] = 1;
}

KT_ROLE(read_beyond)
{
	uint8_t *p = map_arg(KT_R);

	kt_unmap(p, KT_PAGE);
	kt_report->shared[0] = 1;
	*(volatile uint8_t *)p;
}

static void mem_role(const char *role, int mem, int status)
{
	struct kt_child c = kt_start(role, &mem, 1);

	KT_EQ(kt_finish(&c), status);
	KT_EQ(kt_report->shared[0], 1);
	kt_report->shared[0] = 0;
}

KT_CORE(mem_rights_are_enforced)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int read = KT_FD(kt_mint(mem, PITH_R_READ));
	uint8_t *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	uint32_t code = KT_RETURN;

	KT_NEED(!kt_is_error(p));
	memcpy(p, &code, sizeof(code));
	mem_role("write_to_read_only", mem, 128 + 11);
	mem_role("write_to_read_only", read, 128 + 11);
	mem_role("execute_data", mem, 128 + 11);
	mem_role("execute_data", read, 128 + 11);
	mem_role("execute_code", mem, 0);
	mem_role("read_beyond", mem, 128 + 11);
	KT_EQ(memcmp(p, &code, sizeof(code)), 0);
	kt_unmap(p, KT_PAGE);
	kt_close(read);
	kt_close(mem);
}

/* --- ranges ---------------------------------------------------------------- */

KT_COMPONENT(mem_range)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	int range = KT_FD(kt_mint_range(mem, RWX, 2 * KT_PAGE, 4 * KT_PAGE));
	int inner = KT_FD(kt_mint_range(range, PITH_R_READ, KT_PAGE, 0));
	uint8_t *p = kt_map(mem, 0, 8 * KT_PAGE, KT_R | KT_W), *q;

	KT_NEED(!kt_is_error(p));
	for (int i = 0; i < 8; i++)
		p[i * KT_PAGE] = 10 + i;
	KT_EQ(kt_mem_size(range), 4 * KT_PAGE);
	KT_EQ(kt_mem_size(inner), 3 * KT_PAGE);
	KT_EQ(kt_object(inner), kt_object(mem));
	q = kt_map(range, 0, 4 * KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(q));
	for (int i = 0; i < 4; i++)
		KT_EQ(q[i * KT_PAGE], 12 + i);
	q[0] = 99;
	KT_EQ(p[2 * KT_PAGE], 99);
	KT_EQ(kt_unmap(q, 4 * KT_PAGE), 0);
	q = kt_map(inner, 2 * KT_PAGE, KT_PAGE, KT_R);
	KT_NEED(!kt_is_error(q));
	KT_EQ(*q, 15);
	kt_unmap(q, KT_PAGE);
	/* rights and size cannot be had back from the smaller one */
	KT_EQ(kt_mint_range(inner, RWX, 0, 0), -EPERM);
	KT_EQ(kt_mint_range(inner, PITH_R_READ, 0, 4 * KT_PAGE), -EINVAL);
	KT_EQ(kt_mint_range(inner, PITH_R_READ, -(uint64_t)KT_PAGE, KT_PAGE),
	      -EINVAL);
	kt_close(inner);
	kt_close(range);
	kt_close(mem);
}

KT_COMPONENT(mem_range_args)
{
	static const struct { uint64_t offset, size; } bad[] = {
		{ 1, 0 }, { 0, 1 }, { 4095, 4096 }, { 4096, 4097 },
		{ 4 * KT_PAGE, 0 }, { 4 * KT_PAGE, KT_PAGE },
		{ 0, 5 * KT_PAGE }, { KT_PAGE, 4 * KT_PAGE },
		{ KT_PAGE, -(uint64_t)KT_PAGE },
		{ -(uint64_t)KT_PAGE, 2 * KT_PAGE },
		{ -(uint64_t)KT_PAGE, 0 }, { 0, 1ull << 63 },
		{ 1ull << 63, KT_PAGE }, { 1ull << 63, 1ull << 63 },
	};
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		KT_EQ(kt_mint_range(mem, RWX, bad[i].offset, bad[i].size),
		      -EINVAL);
	kt_close(mem);
}

/* Nothing outside the capability's range can be mapped, or touched. */
KT_COMPONENT(mem_map_outside)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	int range = KT_FD(kt_mint_range(mem, RWX, 2 * KT_PAGE, 4 * KT_PAGE));

	KT_EQ((long)kt_map(range, 0, 5 * KT_PAGE, KT_R), -EINVAL);
	KT_EQ((long)kt_map(range, 4 * KT_PAGE, KT_PAGE, KT_R), -EINVAL);
	KT_EQ((long)kt_map(range, 3 * KT_PAGE, 2 * KT_PAGE, KT_R), -EINVAL);
	KT_TRUE(kt_is_error(kt_map(range, -(uint64_t)KT_PAGE, KT_PAGE, KT_R)));
	KT_TRUE(kt_is_error(kt_map(range, -(uint64_t)KT_PAGE, 2 * KT_PAGE,
				   KT_R)));
	KT_TRUE(kt_is_error(kt_map(range, 1ull << 44, KT_PAGE, KT_R)));
	KT_EQ((long)kt_map(range, 0, 0, KT_R), -EINVAL);
	KT_EQ((long)kt_map(range, 1, KT_PAGE, KT_R), -EINVAL);
	kt_close(range);
	kt_close(mem);
}

/* --- life ------------------------------------------------------------------ */

static uint64_t ram_used(void)
{
	return kt_domain_info(KT_SLOT_DOMAIN).ram_used;
}

static bool ram_becomes(uint64_t bytes)
{
	uint64_t end = KT_SOON;

	while (ram_used() != bytes && kt_now() < end)
		kt_sleep(KT_MS(1));
	return KT_EQ(ram_used(), bytes);
}

KT_COMPONENT(mem_lives_while_used)
{
	void *settle = kt_map(KT_SLOT_REPORT, 0, KT_PAGE, KT_R);
	long err = kt_unmap(settle, KT_PAGE);
	uint64_t cost = kt_mem_ram(16 * KT_PAGE);
	uint64_t before = ram_used();
	int mem = KT_FD(kt_mem_create(-1, 16 * KT_PAGE, 0)), copy;
	uint8_t *p;

	KT_EQ(err, 0);
	KT_EQ(ram_used(), before + cost + KT_CAP_RAM);
	copy = KT_FD(kt_mint_range(mem, PITH_R_READ, 0, KT_PAGE));
	kt_close(mem);
	KT_EQ(ram_used(), before + cost + KT_CAP_RAM);
	p = kt_map(copy, 0, KT_PAGE, KT_R);
	KT_NEED(!kt_is_error(p));
	kt_close(copy);
	KT_TRUE(ram_used() >= before + cost);
	KT_EQ(*p, 0);
	kt_unmap(p, KT_PAGE);
	ram_becomes(before);
}

/* A capability of a mapping cannot be had back once it is closed. */
KT_COMPONENT(mem_unmap_part)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	uint8_t *p = kt_map(mem, 0, 8 * KT_PAGE, KT_R | KT_W);

	KT_NEED(!kt_is_error(p));
	p[5 * KT_PAGE] = 7;
	KT_EQ(kt_unmap(p + 2 * KT_PAGE, 2 * KT_PAGE), 0);
	KT_EQ(p[5 * KT_PAGE], 7);
	KT_EQ(kt_protect(p, 8 * KT_PAGE, KT_R), -ENOMEM);
	KT_TRUE(kt_map_at(p + 2 * KT_PAGE, mem, 5 * KT_PAGE, KT_PAGE, KT_R,
			  KT_MAP_FIXED) == p + 2 * KT_PAGE);
	KT_EQ(p[2 * KT_PAGE], 7);
	kt_unmap(p, 8 * KT_PAGE);
	kt_close(mem);
}

KT_ROLE(mem_peer)
{
	volatile uint64_t *p = kt_map(KT_SLOT_ARG, 0, KT_PAGE, KT_R | KT_W);

	KT_NEED(!kt_is_error((void *)p));
	kt_await_word(p, 1);
	p[1] = 2;
}

KT_CORE(mem_shared_by_processes)
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	volatile uint64_t *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	struct kt_child c;

	KT_NEED(!kt_is_error((void *)p));
	c = kt_start("mem_peer", &mem, 1);
	p[0] = 1;
	kt_await_word(p + 1, 2);
	KT_EQ(kt_finish(&c), 0);
	kt_unmap((void *)p, KT_PAGE);
	kt_close(mem);
}

/* --- physical -------------------------------------------------------------- */

#define MAX_PAGES	512

static uint64_t phys[MAX_PAGES];

static long mem_phys(int mem, uint64_t first, uint32_t count)
{
	struct pith_mem_phys a = { mem, count, first, (uintptr_t)phys };

	return kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &a);
}

static void contiguous(uint64_t pages, uint32_t flags, uint64_t below)
{
	int mem = KT_FD(kt_mem_create(-1, pages * KT_PAGE, flags));

	KT_EQ(kt_mem_size(mem), pages * KT_PAGE);
	KT_EQ(mem_phys(mem, 0, pages < MAX_PAGES ? pages : MAX_PAGES), 0);
	for (uint64_t i = 0; i < pages && i < MAX_PAGES; i++) {
		KT_EQ(phys[i], phys[0] + i * KT_PAGE);
		KT_TRUE(phys[i] < below);
	}
	kt_close(mem);
}

KT_CORE(mem_contiguous)
{
	static const uint64_t pages[] = { 1, 2, 3, 5, 16, 100, 511, 1024 };

	for (int i = 0; i < 8; i++) {
		contiguous(pages[i], PITH_MEM_CONTIG, ~0ull);
		contiguous(pages[i], PITH_MEM_CONTIG | PITH_MEM_DMA32,
			   1ull << 32);
	}
}

KT_CORE(mem_phys_args)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int range = KT_FD(kt_mint_range(mem, PITH_R_READ, 2 * KT_PAGE, 0));
	int ep = KT_FD(kt_ep_create());
	uint64_t third;

	KT_EQ(mem_phys(mem, 0, 4), 0);
	third = phys[2];
	for (int i = 0; i < 4; i++) {
		KT_EQ(phys[i] % KT_PAGE, 0);
		for (int k = 0; k < i; k++)
			KT_TRUE(phys[i] != phys[k]);
	}
	KT_EQ(mem_phys(range, 0, 1), 0);
	KT_EQ(phys[0], third);
	KT_EQ(mem_phys(mem, 0, 0), -EINVAL);
	KT_EQ(mem_phys(mem, 0, 5), -EINVAL);
	KT_EQ(mem_phys(mem, 0, 513), -EINVAL);
	KT_EQ(mem_phys(mem, 4, 1), -EINVAL);
	KT_EQ(mem_phys(mem, ~0ull, 1), -EINVAL);
	KT_EQ(mem_phys(mem, -3ull, 4), -EINVAL);
	KT_EQ(mem_phys(range, 2, 1), -EINVAL);
	KT_EQ(mem_phys(ep, 0, 1), -EBADF);
	KT_EQ(mem_phys(-1, 0, 1), -EBADF);
	kt_close(ep);
	kt_close(range);
	kt_close(mem);
}
