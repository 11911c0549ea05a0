/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Static ELF programs: what of an untrusted file belongs where in an address
 * space. Nothing is believed: a plan that was made can be carried out.
 */
#ifndef PITH_ELF_H
#define PITH_ELF_H

#include <stdbool.h>
#include <stdint.h>

#define ELF_PAGE	4096ull
#define ELF_SEGMENTS	8		/* that are loaded, at most */
#define ELF_HEADERS	64		/* program headers, at most */
/* Where a program may be: the rest of a space is for its stack and what it
 * maps. */
#define ELF_LOWEST	0x10000ull
#define ELF_END		(1ull << 38)
#define ELF_OWN_MAX	(1ull << 32)	/* bytes of own memory, at most */

/*
 * A segment shares the file's memory if it is never written and lies in it as in
 * the space. Else it gets memory of its own, zeroed, with @bytes copied into it.
 */
struct elf_segment {
	uint64_t address;	/* of the first page */
	uint64_t size;		/* whole pages */
	uint64_t offset;	/* in the file, or in the own memory; page aligned */
	uint32_t rights;	/* PITH_R_READ, and WRITE or EXEC */
	bool own;
	uint64_t from, to;	/* own: place in the file and in the own memory */
	uint64_t bytes;
};

struct elf_plan {
	uint64_t entry;
	uint64_t headers;	/* address of the program headers */
	uint64_t nheaders;
	uint64_t own_bytes;	/* of all segments; whole pages */
	unsigned int nsegments;
	struct elf_segment segments[ELF_SEGMENTS];	/* by address */
};

/*
 * Plan the @size bytes of @file. Each header is read once. 0, or -ENOEXEC:
 * no static program for this machine at a fixed address, or one whose headers
 * contradict themselves.
 */
int elf_plan(struct elf_plan *plan, const void *file, uint64_t size);

/* The same without a share in the file: all segments are copied, each byte read
 * once, so that it does not matter who else can write to the file. */
int elf_plan_copy(struct elf_plan *plan, const void *file, uint64_t size);

/* Copy what is to be copied into the own memory at @own, which is zeroed. */
void elf_fill(const struct elf_plan *plan, void *own, const void *file);

#endif
