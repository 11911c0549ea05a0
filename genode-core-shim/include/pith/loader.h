/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a program in memory to a space in which it can run. What it only reads is
 * the program's own memory, shared; its data and stack are one memory object
 * that its domain pays for.
 */
#ifndef PITH_LOADER_H
#define PITH_LOADER_H

#include <pith/sys.h>

#define LOADER_STACK	(128u << 10)	/* bytes, if nothing else is said */
#define LOADER_STACK_MAX	(8u << 20)

struct loader {
	/* in */
	const char *name;	/* argv[0]; 1 .. 31 bytes */
	int domain;		/* pays; right ADMIN */
	int binary;		/* memory, rights READ|EXEC; nobody may revoke
				 * or change it while it is loaded */
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

#endif
