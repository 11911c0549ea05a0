/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor, and QEMU's q35 (hw/i386/pc_q35.c, and the PC architecture). */
#ifndef KT_ARCH_H
#define KT_ARCH_H

/* --- processor ----------------------------------------------------------------- */

/* The register with the argument of a piece of code. */
#define KS_ARGUMENT(r)	((r)->di)
/* Ends a piece of code: exit_group(%edi). */
#define KS_EXIT_DI	"\nmov $231, %eax\n\tsyscall\n\tud2\n"

/* The instruction that ends a function. */
#define KT_RETURN	0xc3

/* Exceptions: number, length of what is skipped, signal. */
#define KT_UNDEFINED		6
#define KT_UNDEFINED_SIZE	2
#define KT_BREAKPOINT		3
#define KT_BREAKPOINT_SIZE	0	/* comes after it */
#define KT_PRIVILEGED		13
#define KT_PRIVILEGED_SIZE	1
#define KT_PRIVILEGED_SIGNAL	11

/* The first page that a process cannot have, with 4 and with 5 levels of tables. */
#define KT_TOP			((1ull << 47) - 0x1000)
#define KT_TOP_WIDE		((1ull << 56) - 0x1000)
/* No process' own. */
#define KT_KERNEL_ADDRESS	0xffff888000000000

/* --- machine -------------------------------------------------------------------- */

#define KT_HAS_PORTS	1
#define KT_HAS_MSI	1
#define KT_HAS_RSDP	1
/* Each death of a space is a line of the log. */
#define KT_SAYS_DEATHS	1

#define LAPIC		0xfee00000ull
#define IOAPIC		0xfec00000ull

#define KT_RAM		{ 0x1000, 0x100000, 0x1000000, 0x2000000, \
			  0x4000000, 0x7ffe000 }
/* The kernel's devices, and ranges around them: address and size. */
#define KT_OWN		{ { LAPIC, 0x1000 }, { LAPIC + 0x1000, 0x1000 }, \
			  { LAPIC + 0xff000, 0x1000 }, { IOAPIC, 0x1000 }, \
			  { 0, 2 << 20 }, { 0, 1ull << 32 }, \
			  { IOAPIC - 0x1000, 0x3000 }, \
			  { LAPIC - 0x1000, 0x2000 }, \
			  { 0xf0000000, 0x10000000 } }
#define KT_UNUSED	0xc0000000ull	/* a PCI hole at any size of RAM */
#define KT_ROM		0xf0000ull

#define KT_GSI		4	/* of source.h's device */
#define KT_GSI_LOW	1
#define KT_NO_GSI	1000
#define KT_TIMER_GSI	2	/* the PIT, as the MADT of q35 says */
#define KT_TIMER_ERROR	(-EBUSY)

/* Bytes of objects, to the byte: see test_quota.c. */
#define KT_RAM_NOTIFICATION	704
#define KT_RAM_ENDPOINT		768
#define KT_RAM_PAGE		5456
#define KT_RAM_100_PAGES	411976
#define KT_RAM_8_PAGES		34184
#define KT_RAM_REPLY		608
#define KT_RAM_DOMAIN		768
#define KT_RAM_IO_MEM		1352
#define KT_RAM_IRQ		1184

#endif
