// SPDX-License-Identifier: BSD-2-Clause
/*
 * What Linux keeps for an address space and its threads: page tables, records of
 * mappings, stacks. Who makes them needed pays for them.
 */
#include <linux/sched.h>
#include <sys/syscall.h>
#include <time.h>
#include "attack.h"
#include "space.h"

#define RW	(PITH_R_READ | PITH_R_WRITE)
#define TABLE	KT_PAGE
/* So far apart that each page needs two tables of its own. */
#define STRIDE	(1ull << 30)
#define SPREAD	0x100000000000ull
/* How many pages one can be the first of: as many as there are mappings. */
#define MOST	1024

static bool no_quota(long err)
{
	return err == -EDQUOT || err == -ENOMEM;
}

static uint64_t ram_left(int domain)
{
	struct pith_domain_info i = kt_domain_info(domain);

	KT_TRUE(i.ram_used <= i.ram_limit);
	KT_TRUE(i.caps_used <= i.caps_limit);
	return i.ram_limit - i.ram_used;
}

/* Leave about @left of the attacker's own RAM; close what is returned. */
static int spend_all_but(uint64_t left)
{
	uint64_t room = ram_left(KT_SLOT_DOMAIN) - left;

	/* besides, 8 bytes per page and the object */
	return KT_FD(kt_mem_create(-1, (room - room / 256 - KT_PAGE) &
				   -(uint64_t)KT_PAGE, 0));
}

/* Until it is refused; how many there are then. */
static uint64_t map_spread(int mem)
{
	uint64_t n = 0;
	void *p;

	do {
		p = kt_map_at((void *)(SPREAD + n * STRIDE), mem, 0, KT_PAGE,
			      KT_R | KT_W, KT_MAP_FIXED);
		n++;
	} while (!kt_is_error(p) && n < MOST);
	KT_TRUE(no_quota((long)p));
	return n - 1;
}

ATTACK(quota_tables, "a page mapped at hundreds of places, each with tables of its own")
{
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int rest = spend_all_but(1 << 20);
	struct pith_domain_info before = kt_domain_info(KT_SLOT_DOMAIN);
	uint64_t n, total = 0, left = before.ram_limit - before.ram_used;

	for (int round = 0; round < 3; round++) {
		n = map_spread(mem);
		KT_TRUE(n >= 16 && n <= left / (2 * TABLE));
		KT_TRUE(ram_left(KT_SLOT_DOMAIN) < 4 * TABLE);
		/* those that there are can be used */
		for (uint64_t i = 0; i < n; i++)
			*(volatile uint64_t *)(SPREAD + i * STRIDE) += 1;
		total += n;
		KT_EQ(*(volatile uint64_t *)SPREAD, total);
		attack_victim_answers();
		KT_EQ(kt_unmap((void *)SPREAD, MOST * STRIDE), 0);
		attack_quota_back(&before);
	}
	kt_close(rest);
	kt_close(mem);
}

/* From outside the space pays, not who maps. */
ATTACK(quota_tables_of_a_space, "the same in a space, until its domain has nothing left")
{
	struct pith_domain_info own = kt_domain_info(KT_SLOT_DOMAIN), before;
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	uint64_t n = 0;
	struct ks s;
	long err;

	ks_open_in(&s, A_OWN, NULL, 0);
	own = kt_domain_info(KT_SLOT_DOMAIN);
	before = kt_domain_info(A_OWN);
	do
		err = ks_map(&s, mem, 0, SPREAD + n * STRIDE, KT_PAGE, RW);
	while (!err && ++n < MOST);
	KT_TRUE(no_quota(err));
	KT_TRUE(n >= 16);
	KT_TRUE(kt_domain_info(A_OWN).ram_used - before.ram_used >=
		n * 2 * TABLE);
	KT_TRUE(ram_left(A_OWN) < 4 * TABLE || n > MOST - 8);
	KT_EQ(kt_domain_info(KT_SLOT_DOMAIN).ram_used, own.ram_used);
	KT_EQ(ks_unmap(&s, SPREAD, MOST * STRIDE), 0);
	KT_EQ(kt_domain_info(A_OWN).ram_used, before.ram_used);
	kt_close(mem);
	ks_end(&s);
}

/* Each second page protected: two more records each time. */
static uint64_t split(uint8_t *p, uint64_t pages)
{
	long err = 0;
	uint64_t i;

	for (i = 1; i < pages && !err; i += 2)
		err = kt_protect(p + i * KT_PAGE, KT_PAGE, KT_R);
	KT_TRUE(no_quota(err));
	return i / 2 - 1;
}

#define PARTS	400

ATTACK(quota_mapping_split, "a mapping protected and unmapped in pieces without quota")
{
	struct pith_domain_info before = kt_domain_info(KT_SLOT_DOMAIN);
	int mem = KT_FD(kt_mem_create(-1, PARTS * KT_PAGE, 0));
	uint8_t *p = kt_map(mem, 0, PARTS * KT_PAGE, KT_R | KT_W);
	int rest = spend_all_but(128 << 10);
	uint64_t n;

	KT_NEED(!kt_is_error(p));
	n = split(p, PARTS);
	KT_TRUE(n >= 8 && n < PARTS / 2);
	ram_left(KT_SLOT_DOMAIN);
	/* the part that could not be split is as it was */
	for (uint64_t i = 2 * n + 2; i < PARTS; i++)
		p[i * KT_PAGE] = 1;
	KT_TRUE(no_quota(kt_unmap(p + (PARTS - 9) * KT_PAGE, KT_PAGE)));
	p[(PARTS - 9) * KT_PAGE] = 1;
	attack_victim_answers();
	KT_EQ(kt_unmap(p, PARTS * KT_PAGE), 0);
	kt_close(rest);
	kt_close(mem);
	attack_quota_back(&before);
}

#define A_THREAD	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD | CLONE_SYSVSEM)

static volatile uint64_t running, over;

/* A thread without a stack, which sleeps until @over: a number, or an error. */
static long thread(void)
{
	static const struct timespec while_[1] = { { 0, 1000000 } };
	register const void *time __asm__("r14") = while_;
	register volatile void *count __asm__("r13") = &running;
	register volatile void *stop __asm__("r12") = &over;
	register long zero __asm__("r10") = 0, tls __asm__("r8") = 0;
	long ret = SYS_clone;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
			 "lock incq (%%r13)\n"
			 "2:\tmov $230, %%eax\n\tmov $1, %%edi\n\t"
			 "xor %%esi, %%esi\n\tmov %%r14, %%rdx\n\t"
			 "xor %%r10d, %%r10d\n\tsyscall\n\t"
			 "cmpq $0, (%%r12)\n\tje 2b\n\t"
			 "lock decq (%%r13)\n\tmov $60, %%eax\n\t"
			 "xor %%edi, %%edi\n\tsyscall\n1:"
			 : "+a" (ret)
			 : "D" ((long)A_THREAD), "S" (16l), "d" (0l),
			   "r" (zero), "r" (tls), "r" (time), "r" (count),
			   "r" (stop)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The least that one takes of the kernel's memory: its stack. */
#define THREAD_LEAST	(16u << 10)
#define THREADS_MOST	250

ATTACK(quota_threads, "threads of one's own until there is no quota, again and again")
{
	int rest = spend_all_but(1 << 20);
	struct pith_domain_info before = kt_domain_info(KT_SLOT_DOMAIN), now;
	uint64_t n;
	long ret;

	for (int round = 0; round < 3; round++) {
		over = 0;
		for (n = 0; n < THREADS_MOST; n++) {
			ret = thread();
			if (ret < 0)
				break;
		}
		KT_EQ(ret, -EDQUOT);
		kt_await_word(&running, n);
		now = kt_domain_info(KT_SLOT_DOMAIN);
		KT_TRUE(n >= 4);
		KT_TRUE(now.ram_used - before.ram_used >= n * THREAD_LEAST);
		KT_TRUE(now.ram_used <= now.ram_limit);
		attack_victim_answers();
		over = 1;
		kt_await_word(&running, 0);
		attack_quota_back(&before);
	}
	kt_close(rest);
}
