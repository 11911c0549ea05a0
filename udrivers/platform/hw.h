/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the platform driver holds of the machine: sessions at core, each for one
 * range of device memory, one range of ports or one interrupt vector.
 */
#ifndef PLATFORM_HW_H
#define PLATFORM_HW_H

#include <pith/env.h>

#include "acpi.h"

/* Device memory. Exclusive: -EBUSY while anybody else holds a part of it. */
struct hw_mem {
	struct session session;
	int cap;		/* memory, -1: not open */
	uint64_t size;
};
enum hw_cache { HW_UNCACHED, HW_CACHED };

/* @base and @size are page aligned. */
int hw_mem_open(struct hw_mem *m, uint64_t base, uint64_t size,
		enum hw_cache cache);
void hw_mem_close(struct hw_mem *m);

/* An interrupt vector that a device raises by writing @data to @address. */
struct hw_msi {
	struct session session;
	int cap;		/* irq, -1: not open */
	uint64_t address;
	uint32_t data;
};
int hw_msi_open(struct hw_msi *irq);
void hw_msi_close(struct hw_msi *irq);

/* Write one register (@width 1 or 2 bytes; memory: 1, ports: both), or read a
 * port. */
int hw_write(const struct acpi_register *r, uint32_t width, uint32_t value);
int64_t hw_read_port(uint16_t port, uint32_t width);

/* struct acpi_mem's read(): copy from physical memory. */
int hw_read_phys(void *ctx, uint64_t phys, void *buf, size_t len);
/* Address of the RSDP as @pd knows it, else by looking for it; 0: none. */
uint64_t hw_find_rsdp(int pd);

/* Config space of the buses that are mapped, one by one. */
struct hw_ecam {
	const struct acpi_info *acpi;
	struct hw_ecam_bus {
		struct hw_mem mem;
		void *map;
	} *buses[256];
};

/* -ENOENT: no config space for this bus. */
int hw_ecam_open(struct hw_ecam *e, uint8_t bus);
void hw_ecam_close(struct hw_ecam *e, uint8_t bus);

/* struct pci_config's callbacks; @ctx: struct hw_ecam. */
uint32_t hw_config_read(void *ctx, uint16_t bdf, uint32_t offset,
			uint32_t width);
void hw_config_write(void *ctx, uint16_t bdf, uint32_t offset, uint32_t width,
		     uint32_t value);
void hw_sleep_ms(void *ctx, uint32_t ms);

#endif
