// SPDX-License-Identifier: BSD-2-Clause
/* Ways into the kernel of x86 that are no system calls, and forms of one that is. */
#include <sys/syscall.h>
#include "../kt.h"
#include "arch.h"

const char *const kt_gates[] = {
	"gate_int80", "gate_sysenter", "gate_vsyscall", "gate_port", "gate_hlt",
	"gate_kernel_read", NULL
};

KT_ROLE(gate_int80)
{
	long ret = 20;	/* getpid */

	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory");
	kt_report->shared[0] = ret;
}

KT_ROLE(gate_sysenter)
{
	long ret = 20;

	__asm__ volatile("sysenter" : "+a"(ret) : : "memory");
	kt_report->shared[0] = ret;
}

KT_ROLE(gate_vsyscall)
{
	((long (*)(long *))0xffffffffff600400)(NULL);	/* time() */
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_port)
{
	__asm__ volatile("outb %%al, $0x80" : : "a"(0));
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_hlt)
{
	__asm__ volatile("hlt");
	kt_report->shared[0] = 1;
}

KT_ROLE(gate_kernel_read)
{
	kt_report->shared[0] = *(volatile uint64_t *)0xffffffff81000000;
}

KT_COMPONENT(capmode_arch_prctl)
{
	static const int bad[] = { 0x1001, 0x1004, 0x1011, 0x1012, 0x1021,
		0x1022, 0x1023, 0x1024, 0x1025, 0x2001, 0x2002, 0x2003, 0x4001,
		0x4002, 0x4003, 0x4004, 0x5001, 0x5002, 0x5003, 0x5004, 0x5005,
		0, -1 };
	unsigned long value[8] = { 0 };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		long ret = kt_syscall(SYS_arch_prctl, bad[i], (long)value, 0, 0,
				      0, 0);
		if (ret >= 0)
			KT_FAIL("arch_prctl %x: %ld", bad[i], ret);
	}
	KT_EQ(kt_syscall(SYS_arch_prctl, 0x1003, (long)value, 0, 0, 0, 0), 0);
	KT_EQ(value[0], (uintptr_t)pthread_self());
	/* a thread pointer in the kernel */
	KT_EQ(kt_syscall(SYS_arch_prctl, 0x1002, 0xffff888000000000, 0, 0, 0,
			 0), -EPERM);
}

/* --- what ends a program ------------------------------------------------------ */

const struct kt_end kt_ends[] = {
	{ "end_ill", 128 + 4 }, { "end_fpe", 128 + 8 },
	{ "end_gp", 128 + 11 }, { "end_trap", 128 + 5 }, { NULL, 0 }
};

KT_ROLE(end_ill)
{
	__asm__ volatile("ud2");
}

KT_ROLE(end_fpe)
{
	__asm__ volatile("xor %%ecx, %%ecx\n\t"
			 "mov $1, %%eax\n\t"
			 "cdq\n\t"
			 "idiv %%ecx" : : : "eax", "ecx", "edx");
}

KT_ROLE(end_gp)
{
	__asm__ volatile("cli");
}

KT_ROLE(end_trap)
{
	__asm__ volatile("int3");
}
