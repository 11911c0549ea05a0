// SPDX-License-Identifier: BSD-2-Clause
/* Functions in use: see assigned.h. */
#include <errno.h>
#include <stdlib.h>

#include "../lib/mmio.h"
#include "assigned.h"
#include "pci_regs.h"

static const struct pci_function *function(struct platform *p, uint32_t index)
{
	return &p->bus.functions[index];
}

int assigned_acquire(struct platform *p, uint32_t index, const void *owner)
{
	const struct pci_function *f = function(p, index);
	struct assigned *a;
	unsigned int i;
	int err;

	if (p->assigned[index])
		return -EBUSY;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->owner = owner;
	for (i = 0; i < PLATFORM_BARS; i++)
		a->bars[i].cap = -1;
	for (i = 0; i < PCI_VECTORS_MAX; i++)
		a->irqs[i].cap = -1;
	err = pci_reset(&p->bus, f);
	if (err == -EOPNOTSUPP) {
		log_line("pci %04x: has no function reset", f->bdf);
	} else if (err) {
		log_error("pci %04x: does not come out of reset", f->bdf);
		free(a);
		return err;
	}
	pci_open_path(&p->bus, f);
	p->assigned[index] = a;
	return 0;
}

void assigned_stop(struct platform *p, uint32_t index)
{
	const struct pci_function *f = function(p, index);

	pci_master(&p->bus, f, 0);
	if (pci_reset(&p->bus, f) == -ENODEV)
		log_error("pci %04x: does not come out of reset", f->bdf);
}

void assigned_free(struct platform *p, uint32_t index)
{
	struct assigned *a = p->assigned[index];
	unsigned int i;

	p->assigned[index] = NULL;
	for (i = 0; i < PCI_VECTORS_MAX; i++)
		if (a->irqs[i].cap >= 0)
			hw_msi_close(&a->irqs[i]);
	if (a->msix)
		pith_unmap(a->msix, a->msix_size);
	for (i = 0; i < PLATFORM_BARS; i++)
		if (a->bars[i].cap >= 0)
			hw_mem_close(&a->bars[i]);
	free(a);
}

/* --- registers ------------------------------------------------------------ */

/* Core gives each range to one session only, and takes it from everybody when
 * that is closed. */
static int open_bar(struct platform *p, uint32_t index, uint32_t bar)
{
	const struct pci_bar *b = &function(p, index)->bars[bar];
	struct hw_mem *m = &p->assigned[index]->bars[bar];

	if (m->cap >= 0)
		return 0;
	return hw_mem_open(m, b->address, b->size, HW_UNCACHED);
}

int assigned_bar(struct platform *p, uint32_t index, uint32_t bar,
		 uint64_t *size)
{
	int err;

	*size = pci_bar_window(function(p, index), bar);
	if (!*size)
		return -ENOENT;
	err = open_bar(p, index, bar);
	if (err)
		return err;
	return pith_mint_range(p->assigned[index]->bars[bar].cap,
			       PITH_R_READ | PITH_R_WRITE, 0, *size);
}

/* --- interrupts ----------------------------------------------------------- */

/* [PCI] 6.8.2: map the table and mask all entries. */
static int open_msix(struct platform *p, uint32_t index)
{
	const struct pci_msix *x = &function(p, index)->msix;
	struct assigned *a = p->assigned[index];
	uint32_t i, start = x->table & ~(PCI_PAGE - 1);
	int err;

	if (a->msix)
		return 0;
	err = open_bar(p, index, x->table_bar);
	if (err)
		return err;
	a->msix_skip = x->table - start;
	a->msix_size = (a->msix_skip + x->entries * PCI_MSIX_ENTRY +
			PCI_PAGE - 1) & ~(uint64_t)(PCI_PAGE - 1);
	a->msix = pith_map(a->bars[x->table_bar].cap, start, a->msix_size,
			   PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!a->msix)
		return err;
	for (i = 0; i < x->entries; i++)
		mmio_write32(a->msix, a->msix_skip + i * PCI_MSIX_ENTRY +
			     PCI_MSIX_ENTRY_CTRL, PCI_MSIX_ENTRY_MASK);
	return 0;
}

static void enable_msix(struct platform *p, uint32_t index, uint32_t vector)
{
	const struct pci_function *f = function(p, index);
	struct assigned *a = p->assigned[index];
	const struct hw_msi *irq = &a->irqs[vector];
	uint32_t at = a->msix_skip + vector * PCI_MSIX_ENTRY;

	mmio_write32(a->msix, at + PCI_MSIX_ENTRY_ADDR, irq->address);
	mmio_write32(a->msix, at + PCI_MSIX_ENTRY_ADDR + 4,
		     irq->address >> 32);
	mmio_write32(a->msix, at + PCI_MSIX_ENTRY_DATA, irq->data);
	mmio_write32(a->msix, at + PCI_MSIX_ENTRY_CTRL, 0);
	pci_write(&p->bus, f->bdf, f->msix.cap + PCI_MSIX_CONTROL, 2,
		  PCI_MSIX_ENABLE);
}

/* [PCI] 6.8.1: one vector; its data register follows the address. */
static int enable_msi(struct platform *p, uint32_t index)
{
	const struct pci_function *f = function(p, index);
	const struct hw_msi *irq = &p->assigned[index]->irqs[0];
	uint32_t cap = f->msi, data = cap + PCI_MSI_ADDRESS + 4;
	uint16_t control = pci_read(&p->bus, f->bdf, cap + PCI_MSI_CONTROL, 2);

	if (irq->address >> 32 && !(control & PCI_MSI_64))
		return -EOPNOTSUPP;
	pci_write(&p->bus, f->bdf, cap + PCI_MSI_ADDRESS, 4, irq->address);
	if (control & PCI_MSI_64) {
		pci_write(&p->bus, f->bdf, data, 4, irq->address >> 32);
		data += 4;
	}
	pci_write(&p->bus, f->bdf, data, 2, irq->data);
	if (control & PCI_MSI_MASKABLE)
		pci_write(&p->bus, f->bdf, data + 4, 4, 0);
	control &= ~PCI_MSI_COUNT;
	pci_write(&p->bus, f->bdf, cap + PCI_MSI_CONTROL, 2,
		  control | PCI_MSI_ENABLE);
	return 0;
}

int assigned_irq(struct platform *p, uint32_t index, uint32_t vector)
{
	const struct pci_function *f = function(p, index);
	struct hw_msi *irq;
	int err = 0;

	if (vector >= f->vectors)
		return -ENOENT;
	irq = &p->assigned[index]->irqs[vector];
	if (irq->cap >= 0)
		return irq->cap;
	if (f->msix.cap)
		err = open_msix(p, index);
	if (!err)
		err = hw_msi_open(irq);
	if (err)
		return err;
	if (f->msix.cap)
		enable_msix(p, index, vector);
	else
		err = enable_msi(p, index);
	if (err)
		hw_msi_close(irq);
	return err ? err : irq->cap;
}
