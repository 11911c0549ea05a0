// SPDX-License-Identifier: BSD-2-Clause
/* Random arguments to every system call, random registers at the gates. */
#include <sys/syscall.h>
#include "attack.h"

#define CALLS	4000
#define LAST_NR	520

static uint8_t arena[8 * KT_PAGE] __attribute__((aligned(4096)));

static uint64_t some_value(uint64_t *random)
{
	static const uint64_t edges[] = { 0, 1, 7, 8, 4095, 4096, 4097, 8192,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ull << 47,
		(1ull << 47) - 4096, 1ull << 63, ~0ull, ~0xfffull,
		0xffff888000000000, 0xffffffff81000000 };
	uint64_t r = attack_random(random);

	switch (r % 5) {
	case 0:
		return edges[(r >> 8) % COUNT(edges)];
	case 1:
		return (uintptr_t)arena + (r >> 8) % sizeof(arena);
	case 2:
		return (r >> 8) % 16;		/* a descriptor, a flag */
	case 3:
		return 1ull << (r >> 8) % 64;
	}
	return attack_random(random);
}

/* What would end or stop the test itself, and not the kernel. */
static bool left_out(uint64_t nr, const uint64_t *a)
{
	return nr == SYS_exit || nr == SYS_exit_group ||
	       /* sleeps */
	       nr == SYS_clock_nanosleep ||
	       (nr == SYS_futex && !(a[1] & 1)) ||
	       /* its own code, stack and report */
	       ((nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mmap) &&
		(a[0] < (uintptr_t)arena ||
		 a[0] >= (uintptr_t)arena + sizeof(arena) ||
		 a[1] > sizeof(arena) - (a[0] - (uintptr_t)arena)));
}

ATTACK_DIES(random_syscalls, "every system call with random arguments")
{
	uint64_t random = kt_report->shared[A_WORD_RUN] * 7919 +
			  kt_report->shared[A_WORD_SEED];

	for (int i = 0; i < CALLS; i++) {
		uint64_t nr = attack_random(&random) % LAST_NR, a[6];

		if (attack_random(&random) % 2)
			nr = PITH_NR_CALL + nr % 4;
		for (int k = 0; k < 6; k++)
			a[k] = some_value(&random);
		if (nr == PITH_NR_CALL)
			a[1] = 0;
		if (nr == PITH_NR_REPLY_WAIT)
			a[2] = 0;
		if (left_out(nr, a))
			continue;
		kt_report->shared[A_WORD_AT] = nr;
		kt_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

/* Flags that no program has at a system call. */
static void call_with_flags(uint64_t flags)
{
	long ret = SYS_sched_yield;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "orq %[flags], (%%rsp)\n\t"
			 "popfq\n\t"
			 "syscall\n\t"
			 "pushfq\n\t"
			 "andq %[clear], (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "+a"(ret)
			 : [flags] "r"(flags), [clear] "r"(~flags)
			 : "rcx", "r11", "memory", "cc");
	KT_EQ(ret, 0);
}

ATTACK(entry_flags, "system calls with direction, alignment, nesting flags set")
{
	call_with_flags(1 << 10);	/* DF */
	call_with_flags(1 << 18);	/* AC */
	call_with_flags(1 << 14);	/* NT */
	call_with_flags(1 << 21);	/* ID */
	call_with_flags(1 << 16);	/* RF */
	attack_victim_answers();
}

ATTACK_DIES(entry_single_step, "a system call while single-stepping")
{
	call_with_flags(1 << 8);	/* TF */
}

ATTACK_DIES(entry_bad_stack, "a fault with a stack pointer that is no address")
{
	static const uint64_t stacks[] = { 0, 8, 1ull << 63,
		0xffff800000000000 };
	uint64_t sp = stacks[kt_report->shared[A_WORD_RUN] % COUNT(stacks)];
	long nr = SYS_sched_yield;

	__asm__ volatile("mov %[sp], %%rsp\n\t"
			 "syscall\n\t"
			 "push %%rax\n\t"
			 "ud2"
			 : "+a"(nr) : [sp] "r"(sp) : "rcx", "r11", "memory");
}

/*
 * Not iret and lret: QEMU 7.2 without KVM reads their stack with the rights of
 * the kernel, and SMAP makes that a fault of the kernel's. No processor does.
 */
ATTACK_DIES(entry_segments, "segment registers, far jumps, other instruction sets")
{
	static const struct {
		uint32_t offset;
		uint16_t selector;
	} code32 = { 0x1000, 0x23 }, kernel = { 0x1000, 0x10 };

	switch (kt_report->shared[A_WORD_RUN]) {
	case 0:
		__asm__ volatile("mov %0, %%ds" : : "r"(0x10));
		break;
	case 1:
		__asm__ volatile("mov %0, %%ss" : : "r"(0));
		break;
	case 2:
		__asm__ volatile("ljmp *%0" : : "m"(code32));
		break;
	case 3:
		__asm__ volatile("ljmp *%0" : : "m"(kernel));
		break;
	}
	__asm__ volatile("int $0x81");
}

ATTACK_DIES(entry_fs_base, "thread pointers nobody has, then calls and faults")
{
	static const uint64_t bases[] = { 0, 1ull << 46, (1ull << 47) - 1,
		4096 };
	uint64_t base = bases[kt_report->shared[A_WORD_RUN] % COUNT(bases)];

	kt_syscall(SYS_arch_prctl, 0x1002, base, 0, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	__asm__ volatile("mov %%fs:0, %%rax" : : : "rax");
}

ATTACK(clone_flags, "clone with every flag combination but a thread's")
{
	static uint8_t stack[4096] __attribute__((aligned(16)));
	static int made;
	uint64_t random = kt_report->shared[A_WORD_SEED];

	for (int i = 0; i < 5000; i++) {
		uint64_t flags = attack_random(&random);
		register long r10 __asm__("r10") = some_value(&random);
		register long r8 __asm__("r8") = some_value(&random);
		long ret;

		/* one that is all of a thread would be one */
		flags &= ~(0x100ull << attack_random(&random) % 2 * 8);
		__asm__ volatile("syscall\n\t"
				 "test %%rax, %%rax\n\t"
				 "jnz 1f\n\t"
				 "movl $1, %[made]\n\t"
				 "mov $60, %%eax\n\t"
				 "syscall\n"
				 "1:"
				 : "=a"(ret), [made] "+m"(made)
				 : "a"(SYS_clone), "D"(flags),
				   "S"(stack + sizeof(stack)), "d"(arena),
				   "r"(r10), "r"(r8)
				 : "rcx", "r11", "memory");
		if (ret >= 0 || made)
			KT_FAIL("clone with flags %lx: %ld", flags, ret);
	}
}
