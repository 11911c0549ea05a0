// SPDX-License-Identifier: BSD-2-Clause
/* Ways into the kernel of arm64, or beyond it, that are no system calls. */
#include "../kt.h"
#include "arch.h"

const char *const kt_gates[] = {
	"gate_hvc", "gate_smc", "gate_kernel_register", "gate_cache_by_set",
	"gate_translate", "gate_kernel_read", "gate_kernel_jump", NULL
};

KT_ROLE(gate_hvc)
{
	__asm__ volatile("hvc #0" : : : "x0", "x1", "x2", "x3", "memory");
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_smc)
{
	__asm__ volatile("smc #0" : : : "x0", "x1", "x2", "x3", "memory");
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_kernel_register)
{
	__asm__ volatile("msr ttbr0_el1, xzr");
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_cache_by_set)
{
	__asm__ volatile("dc isw, xzr");
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_translate)
{
	__asm__ volatile("at s1e1r, %0" : : "r"(KT_KERNEL_ADDRESS));
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_kernel_read)
{
	kt_report->shared[0] = *(volatile uint64_t *)KT_KERNEL_ADDRESS;
}

KT_ROLE(gate_kernel_jump)
{
	((void (*)(void))KT_KERNEL_ADDRESS)();
	kt_report->shared[0] = 1;
}

/* The number of a system call is in x8, whatever the instruction says. */
KT_COMPONENT(capmode_svc_numbers)
{
	register long x8 __asm__("x8") = 172;	/* getpid */
	register long x0 __asm__("x0") = 0;

	__asm__ volatile("svc #172" : "+r"(x0) : "r"(x8) : "memory");
	KT_EQ(x0, -ENOSYS);
	x0 = 0;
	__asm__ volatile("svc #0xffff" : "+r"(x0) : "r"(x8) : "memory");
	KT_EQ(x0, -ENOSYS);
}

/* --- what ends a program ------------------------------------------------------ */

const struct kt_end kt_ends[] = {
	{ "end_ill", 128 + 4 }, { "end_msr", 128 + 4 }, { "end_trap", 128 + 5 },
	{ "end_bus", 128 + 7 }, { NULL, 0 }
};

KT_ROLE(end_ill)
{
	__asm__ volatile("udf #0");
}

KT_ROLE(end_msr)
{
	__asm__ volatile("msr daifset, #2");
}

KT_ROLE(end_trap)
{
	__asm__ volatile("brk #1");
}

/* An instruction that is not where one can be. */
KT_ROLE(end_bus)
{
	((void (*)(void))((uintptr_t)kt_crash + 2))();
}
