// SPDX-License-Identifier: BSD-2-Clause
#include <sys/syscall.h>
#include "../kt.h"

long kt_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

long kt_clone_ends(unsigned long flags, void *stack, volatile uint32_t *number,
		   volatile uint32_t *alive, int *made)
{
	static const long exit_nr = SYS_exit;
	register long r10 __asm__("r10") = (long)alive;
	register long r8 __asm__("r8") = 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movl $1, (%[made])\n\t"
			 "mov %[exit], %%rax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(number),
			   "r"(r10), "r"(r8), [exit] "m"(exit_nr),
			   [made] "r"(made)
			 : "rcx", "r11", "memory");
	return ret;
}
