// SPDX-License-Identifier: BSD-2-Clause
/* PCI functions: see pci.h. */
#include <errno.h>
#include <string.h>

#include <pith/env.h>

#include "pci.h"
#include "pci_regs.h"

#define CAPS_MAX	48	/* (256 - 64) / 4: more is a loop */
#define FLR_MS		100	/* [PCIe] 6.6.2 */
#define D3_MS		10	/* [PM] 5.6.1 */
#define PENDING_MS	100
#define READY_MS	1000	/* [PCIe] 6.6.1: time to answer again */

uint32_t pci_read(const struct pci_bus *bus, uint16_t bdf, uint32_t offset,
		  uint32_t width)
{
	return bus->config.read(bus->config.ctx, bdf, offset, width);
}

void pci_write(const struct pci_bus *bus, uint16_t bdf, uint32_t offset,
	       uint32_t width, uint32_t value)
{
	bus->config.write(bus->config.ctx, bdf, offset, width, value);
}

static void pci_change(const struct pci_bus *bus, uint16_t bdf,
		       uint32_t offset, uint16_t clear, uint16_t set)
{
	uint16_t v = pci_read(bus, bdf, offset, 2);

	pci_write(bus, bdf, offset, 2, (v & ~clear) | set);
}

/* --- scan ----------------------------------------------------------------- */

static void read_ids(const struct pci_bus *bus, struct pci_function *f)
{
	f->vendor = pci_read(bus, f->bdf, PCI_VENDOR, 2);
	f->device = pci_read(bus, f->bdf, PCI_DEVICE, 2);
	f->revision = pci_read(bus, f->bdf, PCI_REVISION, 1);
	f->prog_if = pci_read(bus, f->bdf, PCI_PROG_IF, 1);
	f->subclass = pci_read(bus, f->bdf, PCI_SUBCLASS, 1);
	f->class_code = pci_read(bus, f->bdf, PCI_CLASS, 1);
	f->header = pci_read(bus, f->bdf, PCI_HEADER_TYPE, 1) &
		    PCI_HEADER_MASK;
	f->bridge = f->header == PCI_HEADER_BRIDGE;
	if (f->bridge) {
		f->secondary = pci_read(bus, f->bdf, PCI_SECONDARY, 1);
		f->subordinate = pci_read(bus, f->bdf, PCI_SUBORDINATE, 1);
	}
}

/* 1: there is one; 0: there is none; or -ENOSPC. */
static int add_function(struct pci_bus *bus, uint16_t bdf)
{
	struct pci_function *f;

	if (pci_read(bus, bdf, PCI_VENDOR, 2) == 0xffff)
		return 0;
	if (bus->count == PCI_FUNCTIONS_MAX)
		return -ENOSPC;
	f = &bus->functions[bus->count++];
	memset(f, 0, sizeof(*f));
	f->bdf = bdf;
	read_ids(bus, f);
	return 1;
}

static int scan_device(struct pci_bus *bus, uint16_t bdf)
{
	int fn, ret = add_function(bus, bdf);

	if (ret <= 0)
		return ret;
	if (!(pci_read(bus, bdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI))
		return 0;
	for (fn = 1; fn < 8; fn++) {
		ret = add_function(bus, bdf | fn);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int pci_scan(struct pci_bus *bus, uint8_t number)
{
	int dev, ret;

	for (dev = 0; dev < 32; dev++) {
		ret = scan_device(bus, number << 8 | dev << 3);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* --- probe ---------------------------------------------------------------- */

uint8_t pci_find_cap(const struct pci_bus *bus, uint16_t bdf, uint8_t id)
{
	unsigned int n;
	uint8_t at;

	if (!(pci_read(bus, bdf, PCI_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	at = pci_read(bus, bdf, PCI_CAPS, 1) & ~3u;
	for (n = 0; at >= 0x40 && n < CAPS_MAX; n++) {
		if (pci_read(bus, bdf, at, 1) == id)
			return at;
		at = pci_read(bus, bdf, at + 1, 1) & ~3u;
	}
	return 0;
}

/* What stays of the all ones written into the register, the old value put back. */
static uint32_t size_register(const struct pci_bus *bus, uint16_t bdf,
			      uint32_t reg, uint32_t old)
{
	uint32_t mask;

	pci_write(bus, bdf, reg, 4, ~0u);
	mask = pci_read(bus, bdf, reg, 4);
	pci_write(bus, bdf, reg, 4, old);
	return mask;
}

/* [PCI] 6.2.5.1. Decoding is off. Returns the registers used: 1 or 2. */
static unsigned int size_bar(const struct pci_bus *bus, struct pci_function *f,
			     unsigned int i, unsigned int limit)
{
	uint32_t reg = PCI_BAR0 + 4 * i, low = pci_read(bus, f->bdf, reg, 4);
	uint64_t mask, address = low & PCI_BAR_MEM_MASK;
	int wide = (low & PCI_BAR_TYPE) == PCI_BAR_64;

	if (low & PCI_BAR_IO)
		return 1;
	if (wide && i + 1 >= limit) {
		log_error("pci %04x: BAR %u: 64 bits do not fit", f->bdf, i);
		return 1;
	}
	mask = size_register(bus, f->bdf, reg, low) & PCI_BAR_MEM_MASK;
	if (wide) {
		uint32_t high = pci_read(bus, f->bdf, reg + 4, 4);

		address |= (uint64_t)high << 32;
		mask |= (uint64_t)size_register(bus, f->bdf, reg + 4, high)
			<< 32;
	} else if (mask) {
		mask |= 0xffffffffull << 32;
	}
	f->bars[i].address = address;
	f->bars[i].size = mask & -mask;		/* its lowest bit */
	/* A mask has ones from that bit up; all else is a broken device. */
	if (mask != -f->bars[i].size)
		f->bars[i].size = 0;
	return wide ? 2 : 1;
}

/* Does a BAR of another function, or another of @f, lie in these bytes? */
static int range_shared(const struct pci_bus *bus, const struct pci_function *f,
			unsigned int own, uint64_t start, uint64_t size)
{
	unsigned int n, i;

	for (n = 0; n < bus->count; n++) {
		const struct pci_function *o = &bus->functions[n];
		unsigned int limit = o->bridge ? 2 : PLATFORM_BARS;

		for (i = 0; i < limit; i++) {
			uint32_t reg = PCI_BAR0 + 4 * i;
			uint32_t low = pci_read(bus, o->bdf, reg, 4);
			int wide = (low & PCI_BAR_TYPE) == PCI_BAR_64 &&
				   i + 1 < limit;
			uint64_t at = low & PCI_BAR_MEM_MASK;
			int self = o == f && i == own;

			if (low & PCI_BAR_IO)
				continue;
			if (wide)
				at |= (uint64_t)pci_read(bus, o->bdf, reg + 4,
							 4) << 32;
			i += wide;
			if (!self && at && at >= start && at - start < size)
				return 1;
		}
	}
	return 0;
}

/* Only BARs that whole pages can be given out of, to one driver, stay. */
static void check_bar(const struct pci_bus *bus, struct pci_function *f,
		      unsigned int i)
{
	struct pci_bar *b = &f->bars[i];
	const char *why = NULL;

	if (!b->size)
		return;
	if (b->size < PCI_PAGE)
		b->size = PCI_PAGE;
	if (!b->address)
		why = "not assigned by firmware";
	else if (b->address & (PCI_PAGE - 1))
		why = "not page aligned";
	else if (b->address > UINT64_MAX - b->size)
		why = "out of range";
	else if (range_shared(bus, f, i, b->address, b->size))
		why = "another BAR lies in its pages";
	if (!why)
		return;
	log_line("pci %04x: BAR %u left out: %s", f->bdf, i, why);
	b->size = 0;
}

static void probe_bars(const struct pci_bus *bus, struct pci_function *f)
{
	uint16_t command = pci_read(bus, f->bdf, PCI_COMMAND, 2);
	unsigned int i;

	pci_write(bus, f->bdf, PCI_COMMAND, 2,
		  command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEM));
	for (i = 0; i < PLATFORM_BARS;)
		i += size_bar(bus, f, i, PLATFORM_BARS);
	pci_write(bus, f->bdf, PCI_COMMAND, 2, command);
	for (i = 0; i < PLATFORM_BARS; i++)
		check_bar(bus, f, i);
}

static int in_bar(const struct pci_function *f, unsigned int bar,
		  uint64_t offset, uint64_t len)
{
	return bar < PLATFORM_BARS && offset <= f->bars[bar].size &&
	       len <= f->bars[bar].size - offset;
}

static void probe_msix(const struct pci_bus *bus, struct pci_function *f)
{
	uint8_t cap = pci_find_cap(bus, f->bdf, PCI_CAP_MSIX);
	struct pci_msix m = { .cap = cap };
	uint32_t table, pba;

	if (!cap)
		return;
	table = pci_read(bus, f->bdf, cap + PCI_MSIX_TABLE, 4);
	pba = pci_read(bus, f->bdf, cap + PCI_MSIX_PBA, 4);
	m.entries = 1 + (pci_read(bus, f->bdf, cap + PCI_MSIX_CONTROL, 2) &
			 PCI_MSIX_SIZE);
	m.table_bar = table & PCI_MSIX_BAR;
	m.table = table & ~PCI_MSIX_BAR;
	m.pba_bar = pba & PCI_MSIX_BAR;
	m.pba = pba & ~PCI_MSIX_BAR;
	if (!in_bar(f, m.table_bar, m.table,
		    (uint64_t)m.entries * PCI_MSIX_ENTRY) ||
	    !in_bar(f, m.pba_bar, m.pba, (m.entries + 63) / 64 * 8)) {
		log_error("pci %04x: MSI-X table outside of its BAR", f->bdf);
		return;
	}
	f->msix = m;
	f->vectors = m.entries < PCI_VECTORS_MAX ? m.entries : PCI_VECTORS_MAX;
}

void pci_probe(struct pci_bus *bus, struct pci_function *f)
{
	if (f->header != PCI_HEADER_DEVICE)
		return;
	/* An earlier instance of this program may have left it running. */
	pci_master(bus, f, 0);
	f->pm = pci_find_cap(bus, f->bdf, PCI_CAP_PM);
	f->msi = pci_find_cap(bus, f->bdf, PCI_CAP_MSI);
	f->express = pci_find_cap(bus, f->bdf, PCI_CAP_EXPRESS);
	probe_bars(bus, f);
	probe_msix(bus, f);
	if (!f->msix.cap && f->msi)
		f->vectors = 1;
}

uint64_t pci_bar_window(const struct pci_function *f, unsigned int bar)
{
	uint64_t end;

	if (bar >= PLATFORM_BARS)
		return 0;
	end = f->bars[bar].size;
	if (f->msix.cap && f->msix.table_bar == bar && f->msix.table < end)
		end = f->msix.table;
	if (f->msix.cap && f->msix.pba_bar == bar && f->msix.pba < end)
		end = f->msix.pba;
	return end & ~(uint64_t)(PCI_PAGE - 1);
}

/* --- control -------------------------------------------------------------- */

void pci_master(const struct pci_bus *bus, const struct pci_function *f, int on)
{
	pci_change(bus, f->bdf, PCI_COMMAND, PCI_COMMAND_MASTER,
		   on ? PCI_COMMAND_MASTER : 0);
}

void pci_open_path(const struct pci_bus *bus, const struct pci_function *f)
{
	unsigned int i;

	for (i = 0; i < bus->count; i++) {
		const struct pci_function *b = &bus->functions[i];
		uint8_t number = f->bdf >> 8;

		if (b->bridge && b->secondary && b->secondary <= number &&
		    number <= b->subordinate)
			pci_change(bus, b->bdf, PCI_COMMAND, 0,
				   PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	}
}

/* Registers that a reset clears and firmware had set: offset and width. */
struct saved {
	uint8_t offset, width;
	uint32_t value;
};

#define SAVED_MAX	(PLATFORM_BARS + 5)

static unsigned int save_config(const struct pci_bus *bus,
				const struct pci_function *f, struct saved *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < PLATFORM_BARS; i++)
		s[n++] = (struct saved){ PCI_BAR0 + 4 * i, 4, 0 };
	s[n++] = (struct saved){ PCI_CACHE_LINE, 1, 0 };
	s[n++] = (struct saved){ PCI_INTERRUPT_LINE, 1, 0 };
	if (f->express) {
		s[n++] = (struct saved){ f->express + PCI_EXP_DEVCTL, 2, 0 };
		s[n++] = (struct saved){ f->express + PCI_EXP_LNKCTL, 2, 0 };
		s[n++] = (struct saved){ f->express + PCI_EXP_DEVCTL2, 2, 0 };
	}
	for (i = 0; i < n; i++)
		s[i].value = pci_read(bus, f->bdf, s[i].offset, s[i].width);
	return n;
}

static void restore_config(const struct pci_bus *bus,
			   const struct pci_function *f, const struct saved *s,
			   unsigned int n)
{
	while (n--)
		pci_write(bus, f->bdf, s[n].offset, s[n].width, s[n].value);
}

/* [PCIe] 6.6.2; -EOPNOTSUPP if the function does not have it. */
static int reset_flr(const struct pci_bus *bus, const struct pci_function *f)
{
	uint32_t ms;

	if (!f->express || !(pci_read(bus, f->bdf, f->express + PCI_EXP_DEVCAP,
				      4) & PCI_EXP_DEVCAP_FLR))
		return -EOPNOTSUPP;
	/* Let what it has under way end, so that no late completion comes. */
	for (ms = 0; ms < PENDING_MS; ms += 10) {
		if (!(pci_read(bus, f->bdf, f->express + PCI_EXP_DEVSTA, 2) &
		      PCI_EXP_DEVSTA_PEND))
			break;
		bus->config.sleep_ms(bus->config.ctx, 10);
	}
	pci_change(bus, f->bdf, f->express + PCI_EXP_DEVCTL, 0,
		   PCI_EXP_DEVCTL_FLR);
	bus->config.sleep_ms(bus->config.ctx, FLR_MS);
	return 0;
}

/* [PM] 5.4.1: leaving D3hot without No_Soft_Reset is a reset. */
static int reset_pm(const struct pci_bus *bus, const struct pci_function *f)
{
	uint32_t reg = f->pm + PCI_PM_CONTROL;

	if (!f->pm ||
	    pci_read(bus, f->bdf, reg, 2) & PCI_PM_NO_SOFT_RESET)
		return -EOPNOTSUPP;
	pci_change(bus, f->bdf, reg, PCI_PM_STATE, PCI_PM_D3HOT);
	bus->config.sleep_ms(bus->config.ctx, D3_MS);
	pci_change(bus, f->bdf, reg, PCI_PM_STATE, 0);
	bus->config.sleep_ms(bus->config.ctx, D3_MS);
	return 0;
}

/* Firmware may have left it asleep; waking it may be a reset, too. */
static void wake(const struct pci_bus *bus, const struct pci_function *f)
{
	uint32_t reg = f->pm + PCI_PM_CONTROL;

	if (!f->pm || !(pci_read(bus, f->bdf, reg, 2) & PCI_PM_STATE))
		return;
	pci_change(bus, f->bdf, reg, PCI_PM_STATE, 0);
	bus->config.sleep_ms(bus->config.ctx, D3_MS);
}

static int answers(const struct pci_bus *bus, const struct pci_function *f)
{
	uint32_t ms;

	for (ms = 0; ms < READY_MS; ms += 50) {
		if (pci_read(bus, f->bdf, PCI_VENDOR, 2) == f->vendor)
			break;
		bus->config.sleep_ms(bus->config.ctx, 50);
	}
	return pci_read(bus, f->bdf, PCI_VENDOR, 2) == f->vendor &&
	       pci_read(bus, f->bdf, PCI_DEVICE, 2) == f->device;
}

int pci_reset(const struct pci_bus *bus, const struct pci_function *f)
{
	struct saved saved[SAVED_MAX];
	unsigned int n;
	int ret;

	pci_master(bus, f, 0);
	n = save_config(bus, f, saved);
	wake(bus, f);
	ret = reset_flr(bus, f);
	if (ret == -EOPNOTSUPP)
		ret = reset_pm(bus, f);
	if (!answers(bus, f))
		return -ENODEV;
	restore_config(bus, f, saved, n);
	if (f->msix.cap)
		pci_change(bus, f->bdf, f->msix.cap + PCI_MSIX_CONTROL,
			   PCI_MSIX_ENABLE, PCI_MSIX_MASK_ALL);
	if (f->msi)
		pci_change(bus, f->bdf, f->msi + PCI_MSI_CONTROL,
			   PCI_MSI_ENABLE, 0);
	pci_change(bus, f->bdf, PCI_COMMAND,
		   PCI_COMMAND_IO | PCI_COMMAND_MASTER,
		   PCI_COMMAND_MEM | PCI_COMMAND_INTX_OFF);
	return ret;
}
