// SPDX-License-Identifier: BSD-2-Clause
/* exec: becomes the program in ROM "binary". See README.md. */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <pith/env.h>
#include <pith/loader.h>
#include <pith/region_map.h>

/* The program's segments in memory of its own, which nobody else ever has. */
static int copy_program(const struct rom *rom, struct elf_plan *plan)
{
	int err = elf_plan_copy(plan, rom->data, rom->size), mem;
	char *at;

	if (err)
		return err;
	mem = pith_mem_create(-1, plan->own_bytes, 0);
	if (mem < 0)
		return mem;
	at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!at) {
		pith_close(mem);
		return err;
	}
	elf_fill(plan, at, rom->data);
	pith_unmap(at, plan->own_bytes);
	return mem;
}

/* -EEXIST: it is to be where we are. */
static int map_program(const struct elf_plan *plan, int mem)
{
	int space = rm_own_space(), err = space < 0 ? space : 0;

	for (unsigned int i = 0; i < plan->nsegments && !err; i++) {
		const struct elf_segment *s = plan->segments + i;
		struct pith_map m = {
			.mem = mem, .rights = s->rights, .address = s->address,
			.offset = s->offset, .size = s->size,
		};

		err = pith_control(space, PITH_OP_SPACE_MAP, &m);
	}
	pith_close(space);
	return err;
}

/* On the stack that there is; nothing of ours is needed any more. */
static _Noreturn void become(const struct elf_plan *plan)
{
	_Alignas(16) struct loader_frame frame;
	const char *name = (const char *)getauxval(AT_EXECFN);
	uint64_t random[2];

	if (getrandom(random, sizeof(random), GRND_INSECURE) != sizeof(random))
		env_fatal("no random numbers");
	loader_frame(&frame, (uintptr_t)&frame, plan, name ? name : "program",
		     getauxval(AT_SYSINFO_EHDR), random);
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\t"
			 "xor %%ebp, %%ebp\n\tjmp *%1"
			 : : "D"(&frame), "S"(plan->entry) : "memory");
#elif defined(__aarch64__)
	register uint64_t x8 __asm__("x8") = plan->entry;
	register void *x9 __asm__("x9") = &frame;

	__asm__ volatile("mov sp, x9\n\tmov x0, xzr\n\tmov x29, xzr\n\t"
			 "mov x30, xzr\n\tbr x8"
			 : : "r"(x8), "r"(x9) : "memory");
#endif
	__builtin_unreachable();
}

int component_main(void)
{
	struct elf_plan plan;
	struct rom rom;
	int err = rom_open(&rom, "binary"), mem;

	if (err)
		env_fatal("no binary: %s", strerror(-err));
	mem = copy_program(&rom, &plan);
	rom_close(&rom);
	err = mem < 0 ? mem : map_program(&plan, mem);
	if (err)
		env_fatal("binary: %s", strerror(-err));
	pith_close(mem);
	become(&plan);
}
