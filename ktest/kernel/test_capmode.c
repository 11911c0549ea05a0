// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capability mode: every system call but the few that act on the caller itself
 * fails, those few have no dangerous form, and no other gate leads in.
 */
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include "arch.h"
#include "kt.h"

/* All that a component may call. A call more than these is a finding. */
static const int allowed[] = {
	PITH_NR_CALL, PITH_NR_REPLY_WAIT, PITH_NR_SIGNAL, PITH_NR_CONTROL,
	SYS_close, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_clone,
	SYS_set_tid_address, SYS_futex, SYS_exit, SYS_exit_group,
	SYS_clock_gettime, SYS_clock_nanosleep, SYS_sched_yield,
	SYS_getrandom,
#ifdef SYS_arch_prctl
	SYS_arch_prctl,
#endif
};
#define ALLOWED	(sizeof(allowed) / sizeof(*allowed))
_Static_assert(ALLOWED <= 24, "the budget of the architecture");

#define LAST_NR	1024

static bool is_allowed(int nr)
{
	for (unsigned int i = 0; i < ALLOWED; i++)
		if (allowed[i] == nr)
			return true;
	return false;
}

static void all_refused(const long a[6])
{
	for (long nr = 0; nr <= LAST_NR; nr++) {
		long ret;

		if (is_allowed(nr))
			continue;
		kt_report->shared[0] = nr;	/* in case it does not return */
		ret = kt_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (ret != -ENOSYS)
			KT_FAIL("system call %ld: %ld", nr, ret);
	}
}

static void same_table(void)
{
	for (int fd = 0; fd < 64; fd++) {
		bool used = fd == KT_SLOT_DOMAIN || fd == KT_SLOT_REPORT ||
			    fd == kt_buf.mem;

		KT_EQ(kt_type(fd) != 0, used);
	}
}

KT_COMPONENT(capmode_every_number)
{
	static char path[] = "/init";
	static const long args[][6] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ -1, -1, -1, -1, -1, -1 },
		{ 1, 1, 1, 1, 1, 1 },
		{ -100, (long)path, 0, 0, 0, 0 },	/* AT_FDCWD, path */
		{ (long)path, 0, 0, 0, 0, 0 },
		{ KT_SLOT_REPORT, (long)path, 5, 0, 0, 0 },
	};

	for (unsigned int i = 0; i < sizeof(args) / sizeof(*args); i++)
		all_refused(args[i]);
	same_table();
	KT_TRUE(!strcmp(path, "/init"));
}

/* Numbers beyond all tables, of the x32 set, with upper bits set. */
KT_COMPONENT(capmode_odd_numbers)
{
	static const long odd[] = {
		-1, -2, 1025, 4096, 0x3fffffff, 0x40000000, 0x40000001,
		0x40000027, 0x40000200, 0x40000208, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000 + SYS_getpid, 0x100000000 + SYS_read,
		-0x100000000 + SYS_getpid, 0x7fffffff00000000 + SYS_openat,
		0x4000000000000000, (long)0x8000000000000000,
	};

	for (unsigned int i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		long ret = kt_syscall(odd[i], 0, 0, 0, 0, 0, 0);

		if (ret != -ENOSYS)
			KT_FAIL("system call %lx: %ld", odd[i], ret);
	}
}

static void thread_tries(void *arg)
{
	static const long args[6];

	(void)arg;
	all_refused(args);
}

KT_COMPONENT(capmode_in_threads)
{
	struct kt_thread t = { 0 };

	kt_thread_start(&t, thread_tries, NULL);
	kt_thread_join(&t);
}

/* --- other gates ----------------------------------------------------------- */

/* In ARCH/gates.c. Each sets shared[0] should it get through. */
KT_CORE(capmode_other_gates)
{
	struct kt_child c;
	int status;

	for (unsigned int i = 0; kt_gates[i]; i++) {
		kt_report->shared[0] = 0;
		c = kt_start(kt_gates[i], NULL, 0);
		status = kt_finish(&c);
		if (status != 128 + 11 && status != 128 + 4)
			KT_FAIL("%s: status %d", kt_gates[i], status);
		KT_EQ(kt_report->shared[0], 0);
	}
}

/* --- forms of the calls that are allowed ----------------------------------- */

#define MAP_SHARED	1
#define MAP_PRIVATE	2
#define MAP_ANONYMOUS	0x20

static void *anonymous(void *at, uint64_t size, int prot, int flags)
{
	return kt_map_at(at, -1, 0, size, prot, flags | MAP_ANONYMOUS);
}

/* Of a memory object: shared, at an address or not, and nothing else. */
KT_COMPONENT(capmode_mmap_flags)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	long ret;

	/* bit 4: fixed, 5: anonymous, 20: fixed, not replacing */
	for (int bit = 1; bit < 32; bit++) {
		if (bit == 4 || bit == 5 || bit == 20)
			continue;
		ret = (long)kt_map_at(NULL, mem, 0, KT_PAGE, KT_R,
				      (int)(1u << bit));
		if (ret >= 0 || ret < -4095)
			KT_FAIL("mmap with flag %d: %lx", bit, ret);
	}
	for (int flags = 0; flags < 0x100; flags++) {
		if (flags & 1 || flags & MAP_ANONYMOUS)
			continue;
		ret = kt_syscall(SYS_mmap, 0, KT_PAGE, KT_R, flags, mem, 0);
		if (ret >= 0 || ret < -4095)
			KT_FAIL("mmap with flags %x: %lx", flags, ret);
	}
	KT_TRUE(kt_is_error(kt_map(KT_SLOT_DOMAIN, 0, KT_PAGE, KT_R)));
	KT_TRUE(kt_is_error(kt_map(-1, 0, KT_PAGE, KT_R)));
	KT_TRUE(kt_is_error(kt_map(4000, 0, KT_PAGE, KT_R)));
	kt_close(mem);
}

static void account(uint64_t ram, uint64_t caps)
{
	struct pith_domain_info i = { 0 };

	for (int n = 0; n < 1000; n++) {
		i = kt_domain_info(KT_SLOT_DOMAIN);
		if (i.ram_used == ram && i.caps_used == caps)
			return;
		kt_sleep(KT_MS(1));
	}
	KT_EQ(i.ram_used, ram);
	KT_EQ(i.caps_used, caps);
}

/* The account with all that mapping took so far. */
static struct pith_domain_info settled_account(void)
{
	void *p = kt_map(KT_SLOT_REPORT, 0, KT_PAGE, KT_R);

	kt_mem_ram(KT_PAGE);
	KT_EQ(kt_unmap(p, KT_PAGE), 0);
	return kt_domain_info(KT_SLOT_DOMAIN);
}

/* Memory without an object's name is an object all the same, and paid for. */
KT_COMPONENT(capmode_mmap_anonymous)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };
	struct pith_domain_info i, with;
	uint8_t *p;

	i = settled_account();
	for (int k = 0; k < 2; k++) {
		p = (void *)kt_syscall(SYS_mmap, 0, 3 * KT_PAGE, KT_R | KT_W,
				       MAP_ANONYMOUS | kinds[k], -1, 0);
		KT_NEED(!kt_is_error(p));
		with = kt_domain_info(KT_SLOT_DOMAIN);
		KT_TRUE(with.ram_used >= i.ram_used + kt_mem_ram(3 * KT_PAGE));
		KT_EQ(with.caps_used, i.caps_used);	/* no descriptor */
		for (int b = 0; b < 3 * KT_PAGE; b++)
			KT_NEED(p[b] == 0);
		memset(p, 1, 3 * KT_PAGE);
		KT_EQ(kt_protect(p, KT_PAGE, KT_R), 0);
		KT_EQ(kt_protect(p, KT_PAGE, KT_R | KT_X), -EACCES);
		KT_EQ(kt_protect(p + KT_PAGE, KT_PAGE, KT_X), -EACCES);
		/* a part of it is kept, and so is the whole object */
		KT_EQ(kt_unmap(p, KT_PAGE), 0);
		KT_EQ(p[KT_PAGE], 1);
		KT_EQ(kt_unmap(p + KT_PAGE, 2 * KT_PAGE), 0);
		account(i.ram_used, i.caps_used);
	}
	same_table();
}

KT_COMPONENT(capmode_mmap_anonymous_refused)
{
	struct pith_domain_info i = settled_account();
	uint64_t left = (i.ram_limit - i.ram_used) & -(uint64_t)KT_PAGE;
	void *p;

	KT_TRUE(kt_is_error(anonymous(NULL, left + KT_PAGE, KT_R | KT_W, 0)));
	KT_TRUE(kt_is_error(anonymous(NULL, 1ull << 40, KT_R | KT_W, 0)));
	KT_TRUE(kt_is_error(anonymous(NULL, ~0ull, KT_R | KT_W, 0)));
	KT_TRUE(kt_is_error(anonymous(NULL, 0, KT_R | KT_W, 0)));
	KT_TRUE(kt_is_error(anonymous(NULL, KT_PAGE, KT_R | KT_X, 0)));
	KT_TRUE(kt_is_error(anonymous(NULL, KT_PAGE, KT_X, 0)));
	for (int bit = 8; bit < 32; bit++) {
		if (bit == 20)
			continue;
		p = anonymous(NULL, KT_PAGE, KT_R, (int)(1u << bit));
		if (!kt_is_error(p)) {
			/* hints that change nothing are all right */
			KT_TRUE(kt_domain_info(KT_SLOT_DOMAIN).ram_used >=
				i.ram_used + kt_mem_ram(KT_PAGE));
			KT_EQ(kt_unmap(p, KT_PAGE), 0);
		}
	}
	account(i.ram_used, i.caps_used);
	while (kt_is_error(p = anonymous(NULL, left, KT_R | KT_W, 0)) &&
	       left > KT_PAGE) {
		account(i.ram_used, i.caps_used);
		left -= KT_PAGE;
	}
	KT_TRUE(!kt_is_error(p) && left > 1 << 20);
	KT_TRUE(kt_is_error(anonymous(NULL, KT_PAGE, KT_R | KT_W, 0)));
	KT_EQ(kt_unmap(p, left), 0);
	account(i.ram_used, i.caps_used);
}

/* The kernel's worst bugs start at address 0: nothing may be mapped there. */
KT_COMPONENT(capmode_mmap_addresses)
{
	static const uintptr_t at[] = { 0, 0x00fffffffffff000,
		0x0100000000000000, 0xffff800000000000, 0xffffffff81000000, 0xfffffffffffff000 };
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));

	for (unsigned int i = 0; i < sizeof(at) / sizeof(*at); i++) {
		void *p = kt_map_at((void *)at[i], mem, 0, KT_PAGE, KT_R,
				    KT_MAP_FIXED);

		if (!kt_is_error(p))
			KT_FAIL("mapped at %lx", at[i]);
		p = anonymous((void *)at[i], KT_PAGE, KT_R, KT_MAP_FIXED);
		if (!kt_is_error(p))
			KT_FAIL("anonymous memory at %lx", at[i]);
	}
	kt_close(mem);
}

#define THREAD_FLAGS	0x10f00	/* VM, FS, FILES, SIGHAND, THREAD */

/* The kernel must refuse; a child would end at once and be seen below. */
static void clone_refused(unsigned long flags)
{
	static uint8_t stack[4096] __attribute__((aligned(16)));
	static int made;
	long ret = kt_clone_ends(flags, stack + sizeof(stack), NULL, NULL,
				 &made);

	if (ret >= 0 || made)
		KT_FAIL("clone with flags %lx: %ld", flags, ret);
}

KT_COMPONENT(capmode_clone_flags)
{
	/* what makes more than a thread: each alone and with a thread's */
	static const unsigned long more[] = {
		0x1000,		/* PIDFD */
		0x2000,		/* PTRACE */
		0x4000,		/* VFORK */
		0x8000,		/* PARENT */
		0x20000,	/* NEWNS */
		0x800000,	/* UNTRACED */
		0x1000000,	/* CHILD_SETTID */
		0x2000000,	/* NEWCGROUP */
		0x4000000,	/* NEWUTS */
		0x8000000,	/* NEWIPC */
		0x10000000,	/* NEWUSER */
		0x20000000,	/* NEWPID */
		0x40000000,	/* NEWNET */
		0x80000000,	/* IO */
	};

	for (unsigned long sig = 0; sig < 0x100; sig++)
		clone_refused(sig);	/* a process that ends with a signal */
	clone_refused(0x100000000);	/* bits that only clone3() has */
	clone_refused(0x200000000);
	for (unsigned int bit = 8; bit <= 16; bit++)
		if (THREAD_FLAGS >> bit & 1)
			clone_refused(THREAD_FLAGS & ~(1ul << bit));
	for (unsigned int i = 0; i < sizeof(more) / sizeof(*more); i++) {
		clone_refused(more[i]);
		clone_refused(THREAD_FLAGS | more[i]);
	}
}

/* Flags of clone() as above, PARENT_SETTID, CHILD_CLEARTID and, which is ignored
 * for a thread, a signal at its end. */
#define NUMBERED_FLAGS	(THREAD_FLAGS | 0x100000 | 0x200000)

/* A thread that ends at once; the number the kernel gave it. */
static long numbered_thread(unsigned long flags)
{
	static uint8_t stack[4096] __attribute__((aligned(16)));
	static volatile uint32_t number, alive;
	int made;
	long ret;

	number = 0;
	alive = 1;
	ret = kt_clone_ends(flags, stack + sizeof(stack), &number, &alive,
			    &made);
	for (int i = 0; ret > 0 && alive && i < 20000; i++)
		kt_sleep(KT_MS(1));
	KT_EQ(alive, 0);
	KT_EQ(number, ret);
	return ret;
}

/*
 * A thread's number says nothing about others: a component that makes threads
 * while another one does sees its own, one after the other.
 */
KT_ROLE(numbers_its_threads)
{
	static uint32_t word;
	long first = kt_syscall(SYS_set_tid_address, (long)&word, 0, 0, 0, 0,
				0);

	KT_EQ(first, 1);
	kt_report->shared[0]++;
	for (int i = 1; i < 60; i++)
		KT_EQ(numbered_thread(NUMBERED_FLAGS | (i & 0xff)), first + i);
	KT_EQ(kt_syscall(SYS_set_tid_address, (long)&word, 0, 0, 0, 0, 0),
	      first);
}

KT_CORE(capmode_thread_numbers)
{
	struct kt_child a = kt_start("numbers_its_threads", NULL, 0);
	struct kt_child b = kt_start("numbers_its_threads", NULL, 0);

	KT_EQ(kt_finish(&a), 0);
	KT_EQ(kt_finish(&b), 0);
	KT_EQ(kt_report->shared[0], 2);
}

/* Clocks that belong to other processes tell of them. */
KT_COMPONENT(capmode_clocks)
{
	struct timespec ts;

	KT_EQ(kt_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0,
			 0, 0), 0);
	for (long pid = 1; pid < 40; pid++) {
		for (long kind = 0; kind < 8; kind++) {
			long clock = (~pid << 3) | kind;
			long ret = kt_syscall(SYS_clock_gettime, clock,
					      (long)&ts, 0, 0, 0, 0);

			if (ret >= 0)
				KT_FAIL("clock %lx of pid %ld can be read",
					clock, pid);
			ret = kt_syscall(SYS_clock_nanosleep, clock, 0,
					 (long)&ts, 0, 0, 0);
			if (ret >= 0)
				KT_FAIL("clock %lx of pid %ld can be slept on",
					clock, pid);
		}
	}
}

/* Three clocks are the machine's; all others belong to somebody, or are none. */
KT_COMPONENT(capmode_clock_ids)
{
	struct timespec ts, none = { 0, 0 };

	for (long clock = -70; clock < 70; clock++) {
		bool may = clock == CLOCK_REALTIME ||
			   clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;

		for (int flags = 0; flags < 2; flags++)
			KT_EQ(kt_syscall(SYS_clock_nanosleep, clock, flags,
					 (long)&none, 0, 0, 0),
			      may ? 0 : -EINVAL);
		KT_EQ(kt_syscall(SYS_clock_gettime, clock, (long)&ts, 0, 0, 0,
				 0), may ? 0 : -EINVAL);
	}
}

/* Waiting and waking, by every number and flag. */
KT_COMPONENT(capmode_futex_ops)
{
	static const uint32_t may = 1u << FUTEX_WAIT | 1u << FUTEX_WAKE |
		1u << FUTEX_REQUEUE | 1u << FUTEX_CMP_REQUEUE |
		1u << FUTEX_WAIT_BITSET | 1u << FUTEX_WAKE_BITSET;
	static const int flags[] = { 0, FUTEX_PRIVATE_FLAG,
		FUTEX_CLOCK_REALTIME, FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME,
		0x200, 0x40000000 };

	for (unsigned int f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
		for (int op = 0; op < 128; op++) {
			uint32_t word[2] = { 1, 1 };
			long ret;

			/* a value that is not there, so that none waits */
			if (op < 32 && may >> op & 1 && flags[f] < 0x200)
				continue;
			ret = kt_syscall(SYS_futex, (long)word, op | flags[f],
					 2, 0, (long)(word + 1), 1);
			if (ret != -ENOSYS && !(flags[f] >= 0x200 && ret < 0))
				KT_FAIL("futex op %x: %ld", op | flags[f], ret);
			KT_EQ(word[0], 1);
			KT_EQ(word[1], 1);
		}
	}
}

/* A word in memory that others map too is no place to meet them. */
KT_COMPONENT(capmode_futex_shared)
{
	uint32_t *word = (uint32_t *)&kt_report->shared[0];
	struct timespec past = { 0, 1 };

	KT_EQ(kt_syscall(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0),
	      -EFAULT);
	KT_EQ(kt_syscall(SYS_futex, (long)word, FUTEX_WAIT, 0, (long)&past, 0,
			 0), -EFAULT);
	KT_EQ(kt_syscall(SYS_futex, (long)word,
			 FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, (long)&past, 0,
			 0), -ETIMEDOUT);
}

/* A PI futex names its owner by thread number: it would boost anyone. */
KT_COMPONENT(capmode_futex_pi)
{
	static const int ops[] = { FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI,
		FUTEX_LOCK_PI2, FUTEX_CMP_REQUEUE_PI, FUTEX_WAIT_REQUEUE_PI };
	struct timespec past = { 1, 0 };

	for (unsigned int i = 0; i < 5; i++) {
		for (uint32_t tid = 1; tid < 20; tid++) {
			uint32_t word = tid;
			long ret = kt_syscall(SYS_futex, (long)&word,
					      ops[i] | FUTEX_PRIVATE_FLAG, 0,
					      (long)&past, 0, 0);

			if (ret >= 0 || ret == -ETIMEDOUT)
				KT_FAIL("futex op %d on thread %u: %ld",
					ops[i], tid, ret);
			if (word != tid)
				KT_FAIL("futex op %d found thread %u", ops[i],
					tid);
		}
	}
}

/* Numbers that nobody else got, into the caller's own memory only. */
KT_COMPONENT(capmode_random)
{
	uint64_t a = 0, b = 0;

	KT_EQ(kt_syscall(SYS_getrandom, (long)&a, sizeof(a), 0, 0, 0, 0),
	      sizeof(a));
	KT_EQ(kt_syscall(SYS_getrandom, (long)&b, sizeof(b), 0, 0, 0, 0),
	      sizeof(b));
	KT_TRUE(a && b && a != b);
	KT_EQ(kt_syscall(SYS_getrandom, (long)&kt_syscall, sizeof(a), 0, 0, 0,
			 0), -EFAULT);
	KT_EQ(kt_syscall(SYS_getrandom, KT_KERNEL_ADDRESS, sizeof(a), 0, 0, 0,
			 0), -EFAULT);
}

/* A descriptor of another process cannot be reached through the table. */
KT_COMPONENT(capmode_close_nothing)
{
	static const int bad[] = { -1, 500, 4095, 4096, 1 << 20, 0x7fffffff };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		KT_EQ(kt_close(bad[i]), -EBADF);
	same_table();
}
