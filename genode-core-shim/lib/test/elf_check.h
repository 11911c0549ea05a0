/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for every plan that elf_plan() makes. */
#ifndef ELF_CHECK_H
#define ELF_CHECK_H

#include <linux/pith.h>
#include <pith/elf.h>

static inline bool within(uint64_t at, uint64_t bytes, uint64_t low, uint64_t end)
{
	return at >= low && at <= end && bytes <= end - at;
}

static inline bool segment_holds(const struct elf_segment *s,
				 const struct elf_plan *p, uint64_t size)
{
	uint64_t pages = (size + ELF_PAGE - 1) & ~(ELF_PAGE - 1);

	if (!s->size || (s->address | s->size | s->offset) % ELF_PAGE ||
	    !within(s->address, s->size, ELF_LOWEST, ELF_END) ||
	    !(s->rights & PITH_R_READ) ||
	    (s->rights & ~(PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC)) ||
	    ((s->rights & PITH_R_WRITE) && (s->rights & PITH_R_EXEC)))
		return false;
	if (!s->own)
		return !(s->rights & PITH_R_WRITE) && !s->bytes &&
		       within(s->offset, s->size, 0, pages);
	return within(s->offset, s->size, 0, p->own_bytes) &&
	       within(s->from, s->bytes, 0, size) &&
	       within(s->to, s->bytes, s->offset, s->offset + s->size);
}

/* The name of what does not hold, or NULL. */
static inline const char *elf_broken(const struct elf_plan *p, uint64_t size)
{
	uint64_t own = 0, end = ELF_LOWEST;
	bool entry = false, headers = false;

	if (p->nsegments > ELF_SEGMENTS)
		return "number of segments";
	for (unsigned int i = 0; i < p->nsegments; i++) {
		const struct elf_segment *s = p->segments + i;

		if (!segment_holds(s, p, size))
			return "a segment";
		if (s->address < end)
			return "order of segments";
		end = s->address + s->size;
		if (s->own && s->offset != own)
			return "own memory used twice";
		own += s->own ? s->size : 0;
		entry |= (s->rights & PITH_R_EXEC) &&
			 within(p->entry, 1, s->address, end);
		headers |= within(p->headers, p->nheaders * 56, s->address, end);
	}
	if (own != p->own_bytes || own > ELF_OWN_MAX)
		return "size of the own memory";
	return !entry ? "entry" : !headers ? "program headers" : NULL;
}

#endif
