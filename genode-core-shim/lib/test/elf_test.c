// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../elf.c */
/* The planner of programs: good ones, and each field of a good one made bad. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "elf_check.h"

static unsigned int tests, failures;

static void check(bool ok, const char *name)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, name);
	failures += !ok;
}

#if defined(__x86_64__)
#define MACHINE	EM_X86_64
#else
#define MACHINE	EM_AARCH64
#endif

/* --- a program as the linker makes it ------------------------------------ */

enum { HEADERS, TEXT, DATA, THREAD_DATA, STACK, NPHDRS };

struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p[NPHDRS + 8];
	uint8_t rest[0x3000 - sizeof(Elf64_Ehdr) - (NPHDRS + 8) * 56];
};
_Static_assert(sizeof(struct image) == 0x3000, "three pages");

static Elf64_Phdr load(uint32_t flags, uint64_t offset, uint64_t address,
		       uint64_t in_file, uint64_t in_memory)
{
	return (Elf64_Phdr) {
		.p_type = PT_LOAD, .p_flags = flags, .p_offset = offset,
		.p_vaddr = address, .p_paddr = address, .p_filesz = in_file,
		.p_memsz = in_memory, .p_align = 0x1000,
	};
}

static struct image good(void)
{
	struct image i = { .e = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_EXEC, .e_machine = MACHINE, .e_version = 1,
		.e_entry = 0x401234, .e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr), .e_phnum = NPHDRS,
		.e_phentsize = sizeof(Elf64_Phdr),
	} };

	i.p[HEADERS] = load(PF_R, 0, 0x400000, 0x300, 0x300);
	i.p[TEXT] = load(PF_R | PF_X, 0x1000, 0x401000, 0x800, 0x800);
	i.p[DATA] = load(PF_R | PF_W, 0x2010, 0x403010, 0x100, 0x2000);
	i.p[THREAD_DATA] = i.p[DATA];
	i.p[THREAD_DATA].p_type = PT_TLS;
	i.p[STACK].p_type = PT_GNU_STACK;
	return i;
}

/* In memory of exactly @size, so that overruns are seen. */
static int plan_sized(struct elf_plan *plan, const struct image *i, size_t size)
{
	void *file = malloc(size ? size : 1);
	int err;

	memcpy(file, i, size);
	err = elf_plan(plan, file, size);
	free(file);
	return err;
}

static void accepted(const struct image *i, struct elf_plan *plan,
		     const char *name)
{
	const char *broken;
	int err = plan_sized(plan, i, sizeof(*i));

	broken = err ? "it is refused" : elf_broken(plan, sizeof(*i));
	if (broken)
		printf("# %s: %s\n", name, broken);
	check(!broken, name);
}

static void test_good(void)
{
	const struct elf_segment *s;
	struct image i = good();
	struct elf_plan p;

	accepted(&i, &p, "a usual program");
	s = p.segments;
	check(p.nsegments == 3 && p.entry == 0x401234 &&
	      p.headers == 0x400040 && p.nheaders == NPHDRS, "its figures");
	check(!s[0].own && s[0].rights == PITH_R_READ && !s[0].offset &&
	      s[0].size == 0x1000, "headers are shared");
	check(!s[1].own && s[1].offset == 0x1000 && s[1].address == 0x401000 &&
	      s[1].rights == (PITH_R_READ | PITH_R_EXEC), "code is shared");
	check(s[2].own && s[2].address == 0x403000 && s[2].size == 0x3000 &&
	      s[2].from == 0x2010 && s[2].to == 0x10 && s[2].bytes == 0x100 &&
	      p.own_bytes == 0x3000, "data is copied behind its skew");
}

/* As the plan, but that nothing is shared. */
static void test_copy_of_all(void)
{
	struct image i = good();
	const struct elf_segment *s;
	struct elf_plan p;
	uint8_t *own;

	memset((uint8_t *)&i + 0x1000, 0xc0, 0x123);
	check(!elf_plan_copy(&p, &i, sizeof(i)) && !elf_broken(&p, sizeof(i)),
	      "a copy of all");
	s = p.segments;
	check(s[0].own && s[1].own && s[2].own &&
	      p.own_bytes == s[0].size + s[1].size + s[2].size &&
	      s[1].rights == (PITH_R_READ | PITH_R_EXEC) &&
	      s[1].address == 0x401000 && s[1].to == 0x1000 &&
	      s[2].to == s[2].offset + 0x10, "has each segment once");
	own = calloc(1, p.own_bytes);
	elf_fill(&p, own, &i);
	check(!memcmp(own, &i, 64) && own[0x1000] == 0xc0 &&
	      own[0x1122] == 0xc0, "and what was in the file");
	free(own);
	i.e.e_machine++;
	check(elf_plan_copy(&p, &i, sizeof(i)) == -ENOEXEC, "or is refused");
}

static void test_copies(void)
{
	struct image i = good();
	struct elf_plan p;

	i.p[TEXT].p_offset = 0x1008;
	accepted(&i, &p, "code that lies otherwise in the file");
	check(p.segments[1].own && p.segments[1].to == 0 &&
	      p.segments[1].from == 0x1008, "is copied");
	i = good();
	i.p[HEADERS].p_memsz++;
	accepted(&i, &p, "constants followed by zeros");
	check(p.segments[0].own && p.segments[2].offset == 0x1000, "are copied");
	i = good();
	i.p[DATA].p_filesz = 0;
	accepted(&i, &p, "data of zeros only");
	check(p.segments[2].own && !p.segments[2].bytes, "copies nothing");
	i = good();
	i.p[DATA].p_memsz = i.p[DATA].p_filesz = 0;
	accepted(&i, &p, "no data at all");
	check(p.nsegments == 2 && !p.own_bytes, "needs no own memory");
	i = good();
	i.p[DATA].p_memsz = ELF_OWN_MAX - 0x10;
	accepted(&i, &p, "as much data as may be");
}

/* --- each of these is refused ---------------------------------------------- */

#define BAD(name, change) do {						\
	struct image i = good();					\
	struct elf_plan plan;						\
	change;								\
	check(plan_sized(&plan, &i, sizeof(i)) == -ENOEXEC, name);	\
} while (0)

static void test_bad_file_header(void)
{
	BAD("no magic", i.e.e_ident[0] = 0);
	BAD("32 bits", i.e.e_ident[EI_CLASS] = ELFCLASS32);
	BAD("big endian", i.e.e_ident[EI_DATA] = ELFDATA2MSB);
	BAD("another machine", i.e.e_machine = EM_RISCV);
	BAD("an object file", i.e.e_type = ET_REL);
	BAD("a shared library", i.e.e_type = ET_DYN);
	BAD("small headers", i.e.e_phentsize = 32);
	BAD("large headers", i.e.e_phentsize = 64);
	BAD("no headers", i.e.e_phnum = 0);
	BAD("many headers", i.e.e_phnum = ELF_HEADERS + 1);
	BAD("most headers", i.e.e_phnum = 0xffff);
	BAD("headers at the end", i.e.e_phoff = sizeof(i));
	BAD("headers half outside", i.e.e_phoff = sizeof(i) - 100);
	BAD("headers far outside", i.e.e_phoff = 1ull << 62);
	BAD("headers that wrap around", i.e.e_phoff = -8ull);
	BAD("headers in no segment", i.p[HEADERS].p_filesz = 0x100);
	BAD("entry in data", i.e.e_entry = 0x403010);
	BAD("entry behind code", i.e.e_entry = 0x402000);
	BAD("entry nowhere", i.e.e_entry = 0);
}

static void test_bad_segments(void)
{
	BAD("an interpreter", i.p[STACK].p_type = PT_INTERP);
	BAD("nothing to load", i.e.e_phnum = 0;
	    memset(i.p, 0, sizeof(i.p)));
	BAD("offset behind the end", i.p[TEXT].p_offset = sizeof(i) + 0x1000);
	BAD("content over the end", i.p[TEXT].p_filesz =
	    i.p[TEXT].p_memsz = sizeof(i) - 0x1000 + 1);
	BAD("content that wraps around", i.p[DATA].p_filesz = -0x2010ull;
	    i.p[DATA].p_memsz = -0x2010ull);
	BAD("offset that wraps around", i.p[DATA].p_offset = -0x10ull);
	BAD("more in the file than in memory", i.p[DATA].p_memsz = 0x80);
	BAD("content and no memory", i.p[DATA].p_memsz = 0);
	BAD("code that is written", i.p[TEXT].p_flags |= PF_W);
	BAD("no rights", i.p[HEADERS].p_flags = 0);
	BAD("unknown rights only", i.p[HEADERS].p_flags = 0x100);
	BAD("at address 0", i.p[HEADERS].p_vaddr = 0);
	BAD("below the lowest", i.p[HEADERS].p_vaddr = ELF_LOWEST - 0x1000);
	BAD("beyond the end", i.p[DATA].p_vaddr = ELF_END - 0x1ff0);
	BAD("kernel address", i.p[DATA].p_vaddr = 0xffffffff80000010);
	BAD("memory that wraps around", i.p[DATA].p_memsz = -0x403010ull);
	BAD("memory to the last byte", i.p[DATA].p_memsz = ~0ull);
	BAD("out of order", i.p[TEXT].p_vaddr = 0x300000;
	    i.e.e_entry = 0x300000);
	BAD("same page twice", i.p[DATA].p_vaddr = 0x401810);
	BAD("overlap by a page", i.p[TEXT].p_memsz = 0x2001);
	BAD("the same again", i.p[DATA] = i.p[TEXT]);
	BAD("more own memory than may be",
	    i.p[DATA].p_memsz = ELF_OWN_MAX + 1);
	BAD("too many", i.e.e_phnum = NPHDRS + 8;
	    for (unsigned int n = 0; n < ELF_SEGMENTS; n++)
		    i.p[NPHDRS + n] = load(PF_R, 0, 0x500000 + 0x1000 * n,
					   0x100, 0x100));
}

static void test_truncated(void)
{
	struct elf_plan plan;
	struct image i = good();
	unsigned int taken = 0;

	for (size_t size = 0; size < 0x2110; size++)
		taken += !plan_sized(&plan, &i, size);
	check(!taken, "cut off anywhere");
	check(!plan_sized(&plan, &i, 0x2110), "cut off behind its data");
}

/* Every byte of the headers, set to a few values: refused or sound. */
static void test_every_byte(void)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	size_t end = sizeof(Elf64_Ehdr) + NPHDRS * sizeof(Elf64_Phdr);
	unsigned int broken = 0;

	for (size_t at = 0; at < end * sizeof(values); at++) {
		struct image i = good();
		struct elf_plan plan;

		((uint8_t *)&i)[at / sizeof(values)] =
			values[at % sizeof(values)];
		if (!plan_sized(&plan, &i, sizeof(i)))
			broken += elf_broken(&plan, sizeof(i)) != NULL;
	}
	check(!broken, "every byte of the headers");
}

int main(void)
{
	test_good();
	test_copies();
	test_copy_of_all();
	test_bad_file_header();
	test_bad_segments();
	test_truncated();
	test_every_byte();
	printf("1..%u\n", tests);
	return failures != 0;
}
