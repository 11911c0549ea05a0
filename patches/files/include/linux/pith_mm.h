/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who pays for an address space: all that <linux/mm.h>, and so most of the kernel,
 * sees of Pith.
 */
#ifndef _LINUX_PITH_MM_H
#define _LINUX_PITH_MM_H

#include <linux/types.h>

struct mm_struct;

/* What a descriptor costs: file, name and capability, and its slot. */
#define PITH_CAP_RAM	512
/* What a mapping costs: its record, its lock, its share of the tree of them, and
 * the file, whose descriptor may be closed. */
#define PITH_MAPPING_RAM (2 * PITH_CAP_RAM)

#ifdef CONFIG_PITH
/* False if @mm's domain cannot pay for it. */
bool pith_mm_charge(struct mm_struct *mm, size_t bytes);
void pith_mm_uncharge(struct mm_struct *mm, size_t bytes);
#else
static inline bool pith_mm_charge(struct mm_struct *mm, size_t bytes)
{
	return true;
}
static inline void pith_mm_uncharge(struct mm_struct *mm, size_t bytes) { }
#endif

#endif
