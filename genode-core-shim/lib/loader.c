/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <pith/elf.h>
#include <pith/loader.h>

/* The stack is in the highest 128 MiB, where the kernel maps nothing by itself,
 * so that there is a gap below it. */
#if defined(__x86_64__)
#define STACK_TOP	0x7ffffffff000ull
#elif defined(__aarch64__)
#define STACK_TOP	0x7ffffff000ull		/* in spaces of 39 bits too */
#endif
#define STACK_SPREAD	0x4000u		/* pages; a power of two */
#define STACK_TRIES	4u		/* the vDSO may be in the way */

struct load {
	struct loader *l;
	struct elf_plan plan;
	const char *file;	/* the program, mapped */
	uint64_t file_size;
	int own;		/* data, then stack */
	char *own_at;		/* mapped here */
	uint64_t stack, own_size;
	uint64_t vdso;
	uint64_t stack_at;	/* in the space */
	struct {
		uint64_t program[2];
		uint64_t stack;
	} random;
};

/* As good as the kernel has it, without waiting for better. */
static int get_random(struct load *d)
{
	return getrandom(&d->random, sizeof(d->random), GRND_INSECURE) ==
		sizeof(d->random) ? 0 : -EIO;
}

static int read_program(struct load *d)
{
	int64_t size = pith_mem_size(d->l->binary);
	int err;

	if (size < 0)
		return size;
	d->file_size = size;
	d->file = pith_map(d->l->binary, 0, 0, PITH_MAP_READ, &err);
	if (!d->file)
		return err;
	return (d->l->copy ? elf_plan_copy : elf_plan)(&d->plan, d->file, size);
}

static int make_own(struct load *d)
{
	int err;

	d->own_size = d->plan.own_bytes + d->stack;
	d->own = pith_mem_create(d->l->domain, d->own_size, 0);
	if (d->own < 0)
		return d->own;
	d->own_at = pith_map(d->own, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	return d->own_at ? 0 : err;
}

/* --- space -------------------------------------------------------------------- */

static int make_space(struct load *d)
{
	struct loader *l = d->l;
	struct pith_space_create c = {
		.exit_notif = l->exit_notif, .ncaps = l->ncaps,
		.caps = (uintptr_t)l->caps,
	};

	strcpy(c.name, l->name);
	l->space = pith_control(l->domain, PITH_OP_SPACE_CREATE, &c);
	if (l->space < 0)
		return l->space;
	l->thread = c.thread;
	d->vdso = c.vdso;
	return 0;
}

/* The program cannot widen @rights by itself. */
static int map_in_space(const struct load *d, int mem, uint64_t address,
			uint64_t offset, uint64_t size, uint32_t rights)
{
	struct pith_map m = {
		.mem = mem, .rights = rights, .address = address,
		.offset = offset, .size = size,
	};

	return pith_control(d->l->space, PITH_OP_SPACE_MAP, &m);
}

static int map_segments(const struct load *d)
{
	int err = 0;

	for (unsigned int i = 0; i < d->plan.nsegments && !err; i++) {
		const struct elf_segment *s = d->plan.segments + i;

		err = map_in_space(d, s->own ? d->own : d->l->binary,
				   s->address, s->offset, s->size, s->rights);
	}
	return err;
}

static int map_stack(struct load *d)
{
	int err = -EEXIST;

	for (unsigned int i = 0; i < STACK_TRIES && err == -EEXIST; i++) {
		d->stack_at = STACK_TOP - d->stack -
			      d->random.stack % STACK_SPREAD * ELF_PAGE;
		d->random.stack /= STACK_SPREAD;
		err = map_in_space(d, d->own, d->stack_at, d->plan.own_bytes,
				   d->stack, PITH_R_READ | PITH_R_WRITE);
	}
	return err;
}

/* --- stack -------------------------------------------------------------------- */

void loader_frame(struct loader_frame *f, uint64_t here,
		  const struct elf_plan *plan, const char *name, uint64_t vdso,
		  const uint64_t random[2])
{
	const uint64_t auxv[][2] = {
		{ AT_PHDR, plan->headers },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, plan->nheaders },
		{ AT_ENTRY, plan->entry },
		{ AT_PAGESZ, ELF_PAGE },
		{ AT_RANDOM, here + offsetof(struct loader_frame, random) },
		{ AT_EXECFN, here + offsetof(struct loader_frame, name) },
		/* the processor is the one that this program runs on */
		{ AT_HWCAP, getauxval(AT_HWCAP) },
		{ AT_HWCAP2, getauxval(AT_HWCAP2) },
		{ AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ) },
		{ vdso ? AT_SYSINFO_EHDR : AT_IGNORE, vdso },
		{ AT_NULL, 0 },
	};

	_Static_assert(sizeof(auxv) == sizeof(f->auxv), "one for one");
	*f = (struct loader_frame) { .argc = 1 };
	f->argv[0] = here + offsetof(struct loader_frame, name);
	memcpy(f->auxv, auxv, sizeof(auxv));
	memcpy(f->random, random, sizeof(f->random));
	strncpy(f->name, name, sizeof(f->name) - 1);
}

static void fill_stack(struct load *d)
{
	uint64_t at = d->stack - sizeof(struct loader_frame);

	loader_frame((void *)(d->own_at + d->plan.own_bytes + at),
		     d->stack_at + at, &d->plan, d->l->name, d->vdso,
		     d->random.program);
	d->l->regs.ip = d->plan.entry;
	d->l->regs.sp = d->stack_at + at;
}

/* --- all of it ------------------------------------------------------------------ */

static int load(struct load *d)
{
	int err = get_random(d);

	if (!err)
		err = read_program(d);
	if (!err)
		err = make_own(d);
	if (!err)
		err = make_space(d);
	if (!err)
		err = map_segments(d);
	if (!err)
		err = map_stack(d);
	if (err)
		return err;
	elf_fill(&d->plan, d->own_at, d->file);
	fill_stack(d);
	return 0;
}

void loader_drop(struct loader *l)
{
	if (l->space >= 0)
		pith_control(l->space, PITH_OP_SPACE_KILL, NULL);
	pith_close(l->thread);
	pith_close(l->space);
	l->thread = l->space = -1;
}

int loader_load(struct loader *l)
{
	struct load d = { .l = l, .own = -1, .stack = LOADER_STACK };
	size_t name = strnlen(l->name, LOADER_NAME_MAX);
	int err;

	l->space = l->thread = -1;
	l->regs = (struct pith_regs) { .ip = 0 };
	if (!name || name == LOADER_NAME_MAX || l->stack > LOADER_STACK_MAX)
		return -EINVAL;
	if (l->stack)
		d.stack = (l->stack + ELF_PAGE - 1) & ~(ELF_PAGE - 1);
	err = load(&d);
	if (d.own_at)
		pith_unmap(d.own_at, d.own_size);
	pith_close(d.own);
	if (d.file)
		pith_unmap((void *)d.file, d.file_size);
	if (err)
		loader_drop(l);
	return err;
}

int loader_start(struct loader *l)
{
	int err = pith_control(l->thread, PITH_OP_THREAD_SET_REGS, &l->regs);

	if (!err)
		err = pith_control(l->thread, PITH_OP_THREAD_RESUME, NULL);
	if (err) {
		loader_drop(l);
		return err;
	}
	pith_close(l->thread);
	l->thread = -1;
	return 0;
}

int loader_run(struct loader *l)
{
	int err = loader_load(l);

	return err ? err : loader_start(l);
}
