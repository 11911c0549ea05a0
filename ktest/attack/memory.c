// SPDX-License-Identifier: BSD-2-Clause
/* Memory: beyond its rights, its ends, and what mappings cost. */
#include <string.h>
#include <sys/syscall.h>
#include "attack.h"

#define FIXED		KT_MAP_FIXED
#define SHARED		1
#define PRIVATE		2

static void refused(void *p, const char *what)
{
	if (!kt_is_error(p))
		KT_FAIL("%s", what);
}

ATTACK(memory_write_rom, "write and execute memory that is held read-only")
{
	uint8_t *p = kt_map(A_ROM, 0, KT_PAGE, KT_R);

	refused(kt_map(A_ROM, 0, KT_PAGE, KT_R | KT_W), "written");
	refused(kt_map(A_ROM, 0, KT_PAGE, KT_W), "written only");
	refused(kt_map(A_ROM, 0, KT_PAGE, KT_R | KT_X), "executed");
	refused((void *)kt_syscall(SYS_mmap, 0, KT_PAGE, KT_R | KT_W, PRIVATE,
				   A_ROM, 0), "copied");
	KT_NEED(!kt_is_error(p));
	for (int prot = 0; prot < 16; prot++)
		if (prot & (KT_W | KT_X))
			KT_TRUE(kt_protect(p, KT_PAGE, prot) < 0);
	KT_EQ(kt_protect(p, KT_PAGE, 0x1000000 | KT_W), -EINVAL);
	kt_unmap(p, KT_PAGE);
}

ATTACK_DIES(memory_write_rom_for_sure, "a store to a read-only mapping")
{
	volatile uint8_t *p = kt_map(A_ROM, 0, KT_PAGE, KT_R);

	*p = 1;
	KT_FAIL("stored");
}

ATTACK(memory_beyond, "map before, behind and around a range")
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int mid = KT_FD(kt_mint_range(mem, PITH_R_READ, KT_PAGE, KT_PAGE));
	static const uint64_t edges[] = { KT_PAGE, 2 * KT_PAGE, 1ull << 31,
		1ull << 32, 1ull << 44, 1ull << 52, 1ull << 62, 1ull << 63,
		~0xfffull };

	for (unsigned int i = 0; i < COUNT(edges); i++) {
		refused(kt_map(mid, edges[i], KT_PAGE, KT_R), "offset");
		if (edges[i] > KT_PAGE)
			refused(kt_map(mid, 0, edges[i], KT_R), "size");
		KT_TRUE(kt_mint_range(mid, PITH_R_READ, edges[i], KT_PAGE) < 0);
		if (edges[i] > KT_PAGE)
			KT_TRUE(kt_mint_range(mid, PITH_R_READ, 0, edges[i]) <
				0);
	}
	KT_TRUE(kt_mint_range(mid, PITH_R_READ, 0, KT_PAGE + 1) < 0);
	kt_close(mid);
	kt_close(mem);
}

static volatile uint64_t over;
static uint8_t *arena;
#define ARENA	(16 * KT_PAGE)

static void remap(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;
	int mem = *(int *)arg;

	while (!over) {
		uint64_t r = attack_random(&random);
		void *at = arena + r % 16 * KT_PAGE;
		uint64_t size = ((r >> 8) % 4 + 1) * KT_PAGE;

		if ((uint8_t *)at + size > arena + ARENA)
			continue;
		switch (r >> 16 & 3) {
		case 0:
			kt_map_at(at, mem, 0, size, KT_R | KT_W, FIXED);
			break;
		case 1:
			kt_map_at(at, A_ROM, 0, KT_PAGE, KT_R, FIXED);
			break;
		case 2:
			kt_protect(at, size, r >> 20 & 3);
			break;
		case 3:
			kt_unmap(at, size);
		}
	}
}

/* The kernel writes results there meanwhile: an error, or not, never worse. */
static void kernel_writes(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;

	(void)arg;
	while (!over) {
		uint8_t *at = arena + attack_random(&random) % ARENA;

		kt_control(A_VICTIM, PITH_OP_IDENTIFY, at);
		kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_INFO, at);
		kt_control(A_ROM, PITH_OP_MEM_INFO, at);
		kt_control(A_PEER, PITH_OP_EP_WATCH, at);
	}
}

ATTACK(memory_remap_race, "map, protect, unmap under the kernel's writes")
{
	struct kt_thread t[4] = { 0 };
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int hold = KT_FD(kt_mem_create(-1, ARENA, 0));

	arena = kt_map(hold, 0, ARENA, KT_R);
	KT_NEED(!kt_is_error(arena));
	over = 0;
	for (int i = 0; i < 2; i++) {
		kt_thread_start(&t[i], remap, &mem);
		kt_thread_start(&t[2 + i], kernel_writes, NULL);
	}
	kt_sleep(KT_MS(500));
	over = 1;
	for (int i = 0; i < 4; i++)
		kt_thread_join(&t[i]);
	kt_unmap(arena, ARENA);
	kt_close(hold);
	kt_close(mem);
}

ATTACK(memory_many_mappings, "one page mapped thousands of times, far apart")
{
	uint64_t at = 0x100000000ull;
	int n = 0;

	for (; n < 3000; n++, at += 0x8000000000ull / 16) {
		volatile uint8_t *p = kt_map_at((void *)at, A_ROM, 0, KT_PAGE,
						KT_R, FIXED);

		if (kt_is_error((void *)p))
			break;
		(void)*p;
	}
	KT_TRUE(n < 3000);
	attack_victim_answers();
	while (n--) {
		at -= 0x8000000000ull / 16;
		KT_EQ(kt_unmap((void *)at, KT_PAGE), 0);
	}
}

ATTACK(memory_unmap_edges, "unmap what wraps, the kernel, half a page")
{
	KT_TRUE(kt_unmap((void *)~0xfffull, KT_PAGE) < 0);
	KT_TRUE(kt_unmap((void *)1, KT_PAGE) < 0);
	KT_TRUE(kt_unmap(NULL, ~0ull) < 0);
	KT_TRUE(kt_unmap((void *)0x1000, 1ull << 63) < 0);
	KT_TRUE(kt_unmap((void *)0xffffffff81000000, KT_PAGE) < 0);
}

ATTACK_DIES(memory_unmap_self, "unmap the whole address space")
{
	kt_unmap(NULL, 0x7ffffffff000);
	KT_FAIL("alive");
}

/* A mapping keeps the object; the charge stays with it. */
ATTACK(memory_kept_by_mapping, "close memory and keep it mapped, over the quota")
{
	struct pith_domain_info i = kt_domain_info(KT_SLOT_DOMAIN);
	uint64_t left = (i.ram_limit - i.ram_used) & ~0xfffull;
	uint64_t half = left / 2 & ~0xfffull;
	int mem = KT_FD(kt_mem_create(-1, half, 0));
	uint8_t *p = kt_map(mem, 0, half, KT_R | KT_W);

	KT_NEED(!kt_is_error(p));
	kt_close(mem);
	memset(p, 1, half);
	KT_EQ(kt_mem_create(-1, left - half + KT_PAGE, 0), -EDQUOT);
	kt_unmap(p, half / 2 & ~0xfffull);	/* a part: all is still kept */
	KT_EQ(kt_mem_create(-1, left - half + KT_PAGE, 0), -EDQUOT);
	kt_unmap(p, half);
	mem = KT_FD(kt_mem_create(-1, half, 0));
	kt_close(mem);
}
