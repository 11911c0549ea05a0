/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function in the hands of one session: its registers, its interrupts, and
 * whether it may do DMA.
 */
#ifndef PLATFORM_ASSIGNED_H
#define PLATFORM_ASSIGNED_H

#include "platform.h"

struct assigned {
	const void *owner;	/* session */
	struct hw_mem bars[PLATFORM_BARS];
	struct hw_msi irqs[PCI_VECTORS_MAX];
	void *msix;		/* mapped pages of the MSI-X table, or NULL */
	uint64_t msix_size;	/* bytes mapped */
	uint32_t msix_skip;	/* of the table in them */
};

/* Reset function @index and give it to @owner. EBUSY, ENODEV, ENOMEM. */
int assigned_acquire(struct platform *p, uint32_t index, const void *owner);

/* Stop DMA and interrupts of the function and reset it: it is quiet. What it was
 * using stays, so that the caller can unmap memory before assigned_free(). */
void assigned_stop(struct platform *p, uint32_t index);
void assigned_free(struct platform *p, uint32_t index);

/* Memory capability of the driver's part of BAR @bar, to be closed by the
 * caller; ENOENT: there is none. */
int assigned_bar(struct platform *p, uint32_t index, uint32_t bar,
		 uint64_t *size);

/* Irq capability of @vector, which stays property of the function. ENOENT. */
int assigned_irq(struct platform *p, uint32_t index, uint32_t vector);

#endif
