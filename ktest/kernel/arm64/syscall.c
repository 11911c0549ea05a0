// SPDX-License-Identifier: BSD-2-Clause
#include <sys/syscall.h>
#include "../kt.h"

long kt_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

long kt_clone_ends(unsigned long flags, void *stack, volatile uint32_t *number,
		   volatile uint32_t *alive, int *made)
{
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = flags;
	register void *x1 __asm__("x1") = stack;
	register volatile uint32_t *x2 __asm__("x2") = number;
	register long x3 __asm__("x3") = 0;
	register volatile uint32_t *x4 __asm__("x4") = alive;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov w9, #1\n\t"
			 "str w9, [%[made]]\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(x0), "+r"(x8)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			   [exit] "i"(SYS_exit), [made] "r"(made)
			 : "x9", "memory");
	return x0;
}
