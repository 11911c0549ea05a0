/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions: finding them, reading what they are, resetting them. Works on
 * config space through two callbacks, so that a test can play the hardware.
 * What a function says of itself is checked: capability lists may loop, BARs
 * may overlap, an MSI-X table may lie outside its BAR.
 */
#ifndef PLATFORM_PCI_H
#define PLATFORM_PCI_H

#include <stdint.h>
#include <session/platform.h>

#define PCI_FUNCTIONS_MAX	256
#define PCI_VECTORS_MAX		32	/* that one function can use */
#define PCI_PAGE		4096u

/* @bdf: bus << 8 | device << 3 | function; @width 1, 2 or 4; @offset aligned
 * to it, < 256. A read that nobody answers gives all ones. */
struct pci_config {
	uint32_t (*read)(void *ctx, uint16_t bdf, uint32_t offset,
			 uint32_t width);
	void (*write)(void *ctx, uint16_t bdf, uint32_t offset, uint32_t width,
		      uint32_t value);
	void (*sleep_ms)(void *ctx, uint32_t ms);
	void *ctx;
};

struct pci_bar {
	uint64_t address;	/* bus address */
	uint64_t size;		/* bytes, 0: none, port I/O or not usable */
};

struct pci_msix {
	uint8_t cap;		/* offset of the capability, 0: none */
	uint8_t table_bar, pba_bar;
	uint16_t entries;
	uint32_t table, pba;	/* byte offsets in the BARs */
};

struct pci_function {
	uint16_t bdf;
	uint16_t vendor, device;
	uint8_t class_code, subclass, prog_if, revision;
	uint8_t bridge;		/* 1: the two fields below are set */
	uint8_t secondary, subordinate;
	uint8_t header;		/* type */
	/* set by pci_probe() */
	uint8_t pm, msi, express;	/* capability offsets, 0: none */
	struct pci_msix msix;
	uint16_t vectors;		/* 0 .. PCI_VECTORS_MAX */
	struct pci_bar bars[PLATFORM_BARS];
};

struct pci_bus {
	struct pci_config config;
	struct pci_function functions[PCI_FUNCTIONS_MAX];
	unsigned int count;
};

uint32_t pci_read(const struct pci_bus *bus, uint16_t bdf, uint32_t offset,
		  uint32_t width);
void pci_write(const struct pci_bus *bus, uint16_t bdf, uint32_t offset,
	       uint32_t width, uint32_t value);

/* Add the functions of one bus. Only reads. -ENOSPC: the array is full. */
int pci_scan(struct pci_bus *bus, uint8_t number);

/* Stop DMA of @f, find its capabilities and size its BARs. */
void pci_probe(struct pci_bus *bus, struct pci_function *f);

/* Offset of the first capability @id, 0: none. Ends however the list looks. */
uint8_t pci_find_cap(const struct pci_bus *bus, uint16_t bdf, uint8_t id);

/* DMA by @f, on or off. */
void pci_master(const struct pci_bus *bus, const struct pci_function *f,
		int on);

/*
 * Stop DMA and put @f into its initial state by a function level reset, else by
 * a turn through D3hot; settings that firmware made (BARs, payload sizes) are
 * restored; afterwards memory decoding is on, port decoding and INTx off.
 * 0; -ENODEV: it does not answer any more; -EOPNOTSUPP: it has neither reset,
 * everything else was done.
 */
int pci_reset(const struct pci_bus *bus, const struct pci_function *f);

/* Let memory accesses and DMA pass the bridges between the root and @f. */
void pci_open_path(const struct pci_bus *bus, const struct pci_function *f);

/*
 * Bytes from the start of BAR @bar that its driver may map: whole pages in front
 * of the ones that hold the MSI-X table or the pending bits. 0: none.
 */
uint64_t pci_bar_window(const struct pci_function *f, unsigned int bar);

#endif
