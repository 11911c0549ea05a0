/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA: the memory that the devices of one session may reach. There is no IOMMU
 * yet: bus addresses are physical ones and a mapping only keeps the memory from
 * being given to somebody else while a device may access it. An IOMMU changes
 * nothing outside of dma.c: a domain becomes a page table, mapping fills it,
 * unmapping empties it before the memory is let go.
 */
#ifndef PLATFORM_DMA_H
#define PLATFORM_DMA_H

#include <stdint.h>

#define DMA_IOMMU	0	/* 1: a domain confines its devices */

struct dma_domain {
	int pd;			/* PD session with the right to ask addresses */
};

struct dma_mapping {
	int mem;		/* held while mapped; -1: unused */
	uint32_t generation;	/* of this slot, grows with each use */
	uint32_t device;
	uint64_t pages;
};

/*
 * Map all of @mem, ordinary memory that the caller may read and write, into *@m,
 * which is unused; on success @mem belongs to it. EACCES: lacks a right; EINVAL:
 * no memory or device memory.
 */
int dma_domain_map(struct dma_domain *d, struct dma_mapping *m, int mem);
void dma_domain_unmap(struct dma_domain *d, struct dma_mapping *m);

/* Bus addresses of up to @max (<= PLATFORM_DMA_PAGES) pages from page @first.
 * Their number or a negative errno. */
int dma_domain_addresses(struct dma_domain *d, const struct dma_mapping *m,
			 uint64_t first, uint64_t *addresses, uint32_t max);

#endif
