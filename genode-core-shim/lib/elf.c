/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <linux/pith.h>
#include <pith/elf.h>

#if defined(__x86_64__)
#define MACHINE	EM_X86_64
#elif defined(__aarch64__)
#define MACHINE	EM_AARCH64
#endif

static uint64_t page_down(uint64_t n)
{
	return n & ~(ELF_PAGE - 1);
}

static uint64_t page_up(uint64_t n)
{
	return page_down(n + ELF_PAGE - 1);
}

static bool range_ok(uint64_t at, uint64_t bytes, uint64_t size)
{
	return at <= size && bytes <= size - at;
}

static bool file_header_ok(const Elf64_Ehdr *h, uint64_t size)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == MACHINE &&
	       h->e_type == ET_EXEC && h->e_phentsize == sizeof(Elf64_Phdr) &&
	       h->e_phnum && h->e_phnum <= ELF_HEADERS &&
	       range_ok(h->e_phoff, h->e_phnum * sizeof(Elf64_Phdr), size);
}

/* What would be writable and executable, or neither, is no sane program. */
static uint32_t rights_of(const Elf64_Phdr *p)
{
	switch (p->p_flags & (PF_R | PF_W | PF_X)) {
	case PF_R:
		return PITH_R_READ;
	case PF_W:
	case PF_R | PF_W:
		return PITH_R_READ | PITH_R_WRITE;
	case PF_X:
	case PF_R | PF_X:
		return PITH_R_READ | PITH_R_EXEC;
	}
	return 0;
}

/* The lowest address that the next segment may have. */
static uint64_t free_from(const struct elf_plan *plan)
{
	const struct elf_segment *last = plan->segments + plan->nsegments - 1;

	return plan->nsegments ? last->address + last->size : ELF_LOWEST;
}

static bool segment_ok(const struct elf_plan *plan, const Elf64_Phdr *p,
		       uint64_t size)
{
	return plan->nsegments < ELF_SEGMENTS && p->p_filesz <= p->p_memsz &&
	       range_ok(p->p_offset, p->p_filesz, size) &&
	       range_ok(p->p_vaddr, p->p_memsz, ELF_END) &&
	       page_down(p->p_vaddr) >= free_from(plan) && rights_of(p);
}

static int add_segment(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t size)
{
	uint64_t start = page_down(p->p_vaddr), skew = p->p_vaddr - start;
	struct elf_segment *s = plan->segments + plan->nsegments;

	if (!p->p_memsz && !p->p_filesz)
		return 0;
	if (!segment_ok(plan, p, size))
		return -ENOEXEC;
	*s = (struct elf_segment) {
		.address = start, .size = page_up(skew + p->p_memsz),
		.offset = page_down(p->p_offset), .rights = rights_of(p),
		.own = (p->p_flags & PF_W) || p->p_memsz > p->p_filesz ||
		       p->p_offset % ELF_PAGE != skew,
	};
	plan->nsegments++;
	if (!s->own)
		return 0;
	s->offset = plan->own_bytes;
	s->from = p->p_offset;
	s->to = s->offset + skew;
	s->bytes = p->p_filesz;
	plan->own_bytes += s->size;
	return plan->own_bytes <= ELF_OWN_MAX ? 0 : -ENOEXEC;
}

/* The program finds its thread-local data through its program headers. */
static void find_headers(struct elf_plan *plan, const Elf64_Ehdr *h,
			 const Elf64_Phdr *p)
{
	uint64_t bytes = h->e_phnum * sizeof(*p);

	if (h->e_phoff >= p->p_offset &&
	    range_ok(h->e_phoff - p->p_offset, bytes, p->p_filesz))
		plan->headers = p->p_vaddr + (h->e_phoff - p->p_offset);
}

static bool entry_ok(const struct elf_plan *plan)
{
	for (unsigned int i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = plan->segments + i;

		if ((s->rights & PITH_R_EXEC) && plan->entry >= s->address &&
		    plan->entry - s->address < s->size)
			return true;
	}
	return false;
}

int elf_plan(struct elf_plan *plan, const void *file, uint64_t size)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	*plan = (struct elf_plan) { .nsegments = 0 };
	if (size < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, file, sizeof(h));
	if (!file_header_ok(&h, size))
		return -ENOEXEC;
	plan->entry = h.e_entry;
	plan->nheaders = h.e_phnum;
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		memcpy(&p, (const char *)file + h.e_phoff + i * sizeof(p),
		       sizeof(p));
		if (p.p_type == PT_INTERP)
			return -ENOEXEC;
		if (p.p_type != PT_LOAD)
			continue;
		if (add_segment(plan, &p, size))
			return -ENOEXEC;
		find_headers(plan, &h, &p);
	}
	return plan->headers && entry_ok(plan) ? 0 : -ENOEXEC;
}

int elf_plan_copy(struct elf_plan *plan, const void *file, uint64_t size)
{
	int err = elf_plan(plan, file, size);

	plan->own_bytes = 0;
	for (unsigned int i = 0; i < plan->nsegments && !err; i++) {
		struct elf_segment *s = plan->segments + i;
		uint64_t skew = s->own ? s->to - s->offset : 0;

		if (!s->own) {
			s->from = s->offset;
			s->bytes = size - s->from;
			s->bytes = s->size < s->bytes ? s->size : s->bytes;
		}
		s->own = true;
		s->offset = plan->own_bytes;
		s->to = s->offset + skew;
		plan->own_bytes += s->size;
		err = plan->own_bytes <= ELF_OWN_MAX ? 0 : -ENOEXEC;
	}
	return err;
}

void elf_fill(const struct elf_plan *plan, void *own, const void *file)
{
	for (unsigned int i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = plan->segments + i;

		if (s->own)
			memcpy((char *)own + s->to, (const char *)file + s->from,
			       s->bytes);
	}
}
