/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU: starts processes and tells what they used. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <pith/env.h>
#include "core.h"

#define PAGE		4096ull
#define USUAL_STACK	(128u << 10)
/* Page tables, kernel stack and task: measured below 60 KiB, rounded up. */
#define PROCESS_COST	(64u << 10)
#define MAX_PRIORITY	65535u
#define MAX_SEGMENT	(1ull << 32)

#if defined(__x86_64__)
#define MACHINE	EM_X86_64
#else
#define MACHINE	EM_AARCH64
#endif

/* The headers are copied out: what is checked is what is used. */
static int header_ok(const Elf64_Ehdr *h, uint64_t size)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_machine == MACHINE &&
	       h->e_type == ET_EXEC && h->e_phentsize == sizeof(Elf64_Phdr) &&
	       h->e_phoff <= size &&
	       h->e_phnum <= (size - h->e_phoff) / sizeof(Elf64_Phdr);
}

/* Private memory that a segment takes: all of it if it is writable, else what
 * the loader adds behind its file content. */
static uint64_t segment_bytes(const Elf64_Phdr *p)
{
	uint64_t bytes = p->p_flags & PF_W ? p->p_vaddr % PAGE + p->p_memsz :
			 p->p_memsz > p->p_filesz ? p->p_memsz - p->p_filesz + PAGE :
			 0;

	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/* Bytes of private memory that the program's segments take. */
static int64_t segments_bytes(const char *elf, uint64_t size)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;
	uint64_t sum = 0;

	if (size < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, elf, sizeof(h));
	if (!header_ok(&h, size))
		return -ENOEXEC;
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		memcpy(&p, elf + h.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_INTERP ||
		    (p.p_type == PT_LOAD && p.p_memsz > MAX_SEGMENT))
			return -ENOEXEC;
		if (p.p_type == PT_LOAD)
			sum += segment_bytes(&p);
	}
	return sum;
}

static int64_t private_bytes(int binary)
{
	int64_t size = pith_mem_size(binary), bytes;
	int err;
	void *elf;

	if (size < 0)
		return size;
	elf = pith_map(binary, 0, 0, PITH_MAP_READ, &err);
	if (!elf)
		return err;
	bytes = segments_bytes(elf, size);
	pith_unmap(elf, size);
	return bytes;
}

int cpu_launch(struct cpu_launch *l)
{
	struct pith_spawn a = {
		.binary = l->binary, .exit_notif = l->exit_notif,
		.caps = (uintptr_t)l->caps, .ncaps = l->ncaps,
		.nice = l->nice,
	};
	int64_t bytes = private_bytes(l->binary);
	int process;

	if (bytes < 0)
		return bytes;
	a.stack = l->stack ? (l->stack + PAGE - 1) & ~(PAGE - 1) : USUAL_STACK;
	a.charge = bytes + a.stack + PROCESS_COST;
	strncpy(a.name, l->name, sizeof(a.name) - 1);
	l->charged = a.charge;
	process = pith_control(l->domain, PITH_OP_SPAWN, &a);
	return process;
}

/*
 * A capability of one of core's own sessions comes back as its badge: a LOG
 * session for the child, say. The child gets a new one, if the session lives.
 */
static int reclaim(struct ep_request *in, unsigned int i)
{
	if (in->caps[i] != PITH_CAP_OWN)
		return 0;
	if (!parent_session(in->cap_badges[i]))
		return -EBADF;
	in->caps[i] = pith_mint_badge(core.ep.ep, in->cap_badges[i]);
	return in->caps[i] < 0 ? in->caps[i] : 0;
}

static int start(struct core_session *s, struct ep_request *in)
{
	const struct cpu_start *req = ep_req(in, struct cpu_start);
	struct cpu_start_reply rep;
	struct cpu_launch l = {
		.domain = in->caps[0], .binary = in->caps[1],
		.exit_notif = in->caps[2] < 0 ? -1 : in->caps[2],
		.caps = in->caps + 3, .ncaps = PITH_SLOTS, .nice = s->cpu.nice,
	};
	int process;

	if (!req || !memchr(req->name, 0, sizeof(req->name)) || !req->name[0] ||
	    in->caps[0] < 0 || in->caps[1] < 0 || in->caps[2] < PITH_CAP_NONE)
		return -EINVAL;
	/* what nobody can change between the look at its headers and the start */
	if (!rom_is_module(in->caps[1]))
		return -EACCES;
	l.name = req->name;
	l.stack = req->stack;
	for (unsigned int i = 3; i < 3 + PITH_SLOTS; i++) {
		int err = reclaim(in, i);

		if (err)
			return err;
	}
	process = cpu_launch(&l);
	if (process < 0)
		return process;
	rep.charged = l.charged;
	ep_reply_cap(in, process, 1);
	return ep_reply_data(&core.ep, in, &rep, sizeof(rep));
}

static int info(struct ep_request *in)
{
	struct pith_proc_info i;
	int err = in->caps[0] < 0 ? -EINVAL :
		pith_control(in->caps[0], PITH_OP_PROC_INFO, &i);

	return err ? err : ep_reply_data(&core.ep, in, &i, sizeof(i));
}

static int cpu_open(struct core_session *s, const char *args)
{
	uint64_t priority = args_number(args, "priority", 0);

	if (priority > MAX_PRIORITY)
		return -EINVAL;
	s->cpu.nice = priority * 20 / (MAX_PRIORITY + 1);
	return 0;
}

static int cpu_call(void *ctx, struct ep_request *in)
{
	switch (in->method) {
	case CPU_START:
		return start(ctx, in);
	case CPU_INFO:
		return info(in);
	case CPU_KILL:
		return in->caps[0] < 0 ? -EINVAL :
			pith_control(in->caps[0], PITH_OP_PROC_KILL, NULL);
	}
	return -ENOSYS;
}

const struct core_service cpu_service = { "CPU", cpu_open, cpu_call, NULL };
