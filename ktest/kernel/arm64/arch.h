/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor, and QEMU's virt with a GICv3 (hw/arm/virt.c). */
#ifndef KT_ARCH_H
#define KT_ARCH_H

/* --- processor ----------------------------------------------------------------- */

/* The register with the argument of a piece of code. */
#define KS_ARGUMENT(r)	((r)->x[0])

/* The instruction that ends a function. */
#define KT_RETURN	0xd65f03c0

/* Exceptions: class (ARM DDI 0487, ESR_EL1.EC), length of what is skipped, signal. */
#define KT_UNDEFINED		0x00
#define KT_UNDEFINED_SIZE	4
#define KT_BREAKPOINT		0x3c
#define KT_BREAKPOINT_SIZE	4
#define KT_PRIVILEGED		0x18
#define KT_PRIVILEGED_SIZE	4
#define KT_PRIVILEGED_SIGNAL	4

/* The first page that a process cannot have, with 48 and with 52 bits. */
#define KT_TOP			(1ull << 48)
#define KT_TOP_WIDE		(1ull << 52)
/* No process' own. */
#define KT_KERNEL_ADDRESS	0xffff800080000000

/* --- machine -------------------------------------------------------------------- */

#define KT_HAS_PORTS	0
#define KT_HAS_MSI	0
#define KT_HAS_RSDP	0
#define KT_SAYS_DEATHS	0

#define GIC_DIST	0x08000000ull
#define GIC_ITS		0x08080000ull
#define GIC_REDIST	0x080a0000ull
#define PL011		0x09000000ull	/* the kernel's log */

#define KT_RAM		{ 0x40000000, 0x40200000, 0x41000000, 0x44000000, \
			  0x47ffe000 }
/* The kernel's devices, and ranges around them: address and size. */
#define KT_OWN		{ { GIC_DIST, 0x1000 }, { GIC_DIST + 0xf000, 0x1000 }, \
			  { GIC_ITS, 0x1000 }, { GIC_REDIST, 0x1000 }, \
			  { GIC_REDIST + 0x3f000, 0x1000 }, { PL011, 0x1000 }, \
			  { PL011 - 0x1000, 0x3000 }, { 0, 1ull << 32 }, \
			  { 0x3ffff000, 0x2000 }, { 0x08000000, 0x1000000 } }
#define KT_UNUSED	0x20000000ull	/* a PCI hole at any size of RAM */
#define KT_ROM		0x04000000ull

#define KT_GSI		34	/* of source.h's device: SPI 2 */
#define KT_GSI_LOW	0
#define KT_NO_GSI	1020
#define KT_TIMER_GSI	27	/* of each CPU's own */
#define KT_TIMER_ERROR	(-EINVAL)

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
