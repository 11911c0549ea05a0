/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the platform driver takes from ACPI: static tables only, no AML
 * interpreter. Tables are bytes from outside: each length and checksum is
 * checked before a field is used, and a table is copied once, then read.
 *
 * [ACPI] Advanced Configuration and Power Interface Specification 6.4
 * [PCIFW] PCI Firmware Specification 3.2
 */
#ifndef PLATFORM_ACPI_H
#define PLATFORM_ACPI_H

#include <stddef.h>
#include <stdint.h>

#define ACPI_ECAM_MAX	4

/* How to read physical memory: 0 or a negative errno. */
struct acpi_mem {
	int (*read)(void *ctx, uint64_t phys, void *buf, size_t len);
	void *ctx;
};

/* [PCIFW] 4.1.2: config space of buses @first .. @last; @base is bus 0's. */
struct acpi_ecam {
	uint64_t base;
	uint8_t first, last;
};

/* [ACPI] 5.2.3.2 Generic Address Structure */
enum acpi_space { ACPI_MEMORY = 0, ACPI_IO = 1, ACPI_NONE = 0xff };
struct acpi_register {
	uint8_t space;		/* ACPI_NONE: there is no such register */
	uint64_t address;
};

struct acpi_info {
	unsigned int necam;
	struct acpi_ecam ecam[ACPI_ECAM_MAX];	/* segment group 0 only */

	struct acpi_register pm1a, pm1b;	/* PM1 control, 16 bits */
	struct acpi_register reset;		/* 8 bits */
	uint8_t reset_value;
	uint16_t smi_command;			/* port; 0: always in ACPI mode */
	uint8_t acpi_enable;			/* value for it */
	int8_t sleep_a, sleep_b;		/* SLP_TYP of \_S5, -1: unknown */
};

/*
 * Walk the tables from the RSDP at physical address @rsdp. 0, or -EINVAL if no
 * root table could be read; a missing or damaged other table only leaves its
 * part of *@info empty, with a line in the log.
 */
int acpi_walk(const struct acpi_mem *mem, uint64_t rsdp,
	      struct acpi_info *info);

/* [ACPI] 5.2.5.1: offset of a valid RSDP in @len bytes (on a 16 byte boundary),
 * or -1. */
long acpi_find_rsdp(const uint8_t *bytes, size_t len);

#endif
