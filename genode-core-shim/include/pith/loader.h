/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a program in memory to a space in which it can run. What it only reads is
 * the program's own memory, shared; its data and stack are one memory object
 * that its domain pays for.
 */
#ifndef PITH_LOADER_H
#define PITH_LOADER_H

#include <pith/elf.h>
#include <pith/sys.h>

#define LOADER_STACK	(128u << 10)	/* bytes, if nothing else is said */
#define LOADER_STACK_MAX	(8u << 20)
#define LOADER_NAME_MAX		32u	/* with the NUL */

struct loader {
	/* in */
	const char *name;	/* argv[0]; 1 .. 31 bytes */
	int domain;		/* pays; right ADMIN */
	int binary;		/* memory, rights READ|EXEC; nobody may revoke
				 * it while it is loaded, or ever change it */
	bool copy;		/* all of @binary, which then needs no EXEC, and
				 * may be changed by whoever can */
	int exit_notif;		/* right SIGNAL, or -1 */
	const int *caps;	/* the program's descriptors 0 .. ncaps - 1 */
	unsigned int ncaps;
	uint64_t stack;		/* bytes, 0: LOADER_STACK */

	/* out */
	int space, thread;	/* capabilities, right MANAGE */
	struct pith_regs regs;	/* that @thread begins with */
};

/*
 * Make the space and its first thread, which is paused. 0, -ENOEXEC (no
 * static program) or another negative errno; then nothing is left of it.
 */
int loader_load(struct loader *l);

/* Start what was loaded. Only @space stays open; nothing if that fails. */
int loader_start(struct loader *l);

/* End what was loaded and not started. */
void loader_drop(struct loader *l);

/* loader_load() and loader_start(). */
int loader_run(struct loader *l);

/* What a program finds at its stack pointer, 16 bytes aligned. */
struct loader_frame {
	uint64_t argc;
	uint64_t argv[2];
	uint64_t envp[1];
	uint64_t auxv[12][2];
	uint64_t random[2];
	char name[LOADER_NAME_MAX];
};
_Static_assert(sizeof(struct loader_frame) % 16 == 0, "the stack is aligned");

/* Make one that will be at @here in the program's space; @vdso 0: none. */
void loader_frame(struct loader_frame *f, uint64_t here,
		  const struct elf_plan *plan, const char *name, uint64_t vdso,
		  const uint64_t random[2]);

#endif
