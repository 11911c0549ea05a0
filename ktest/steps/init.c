/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of scripts/series-boots, on Linux's own system calls: memory,
 * and a second process with memory of its own. Its end is a panic, which the kernel
 * says in any case; on PREEMPT_RT a restart may come before its own message. If all
 * was as it should be the status is GOOD.
 */
#include <asm/unistd.h>

#define PROT_READ_WRITE		3
#define MAP_PRIVATE_ANONYMOUS	0x22
#define CLONE_CHILD		17	/* no flags, SIGCHLD at its end */
#define GOOD			42
#define SIZE			(1l << 20)
#define PAGE			4096

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e,
		      r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
}

static void check(int good)
{
	if (!good)
		call(__NR_exit_group, 1, 0, 0, 0, 0, 0);
}

static void fill(volatile char *memory, char with)
{
	for (long at = 0; at < SIZE; at += PAGE)
		memory[at] = with;
}

void _start(void)
{
	volatile char *memory = (char *)call(__NR_mmap, 0, SIZE, PROT_READ_WRITE,
					     MAP_PRIVATE_ANONYMOUS, -1, 0);
	int status = -1;
	long child;

	check((unsigned long)memory < -4096ul);
	fill(memory, 'a');
	child = call(__NR_clone, CLONE_CHILD, 0, 0, 0, 0, 0);
	check(child >= 0);
	if (child == 0) {
		fill(memory, 'b');
		call(__NR_exit_group, memory[SIZE - PAGE], 0, 0, 0, 0, 0);
	}
	check(call(__NR_wait4, child, (long)&status, 0, 0, 0, 0) == child);
	check(status == 'b' << 8);
	check(memory[0] == 'a' && memory[SIZE - PAGE] == 'a');
	call(__NR_exit_group, GOOD, 0, 0, 0, 0, 0);
}
