/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How late does the most urgent thread wake up, whatever the others do?
 *
 * One program: it is core, the thread that is measured ("top"), and each of the
 * components that load the machine meanwhile. What it prints is documented in
 * docs/scheduling.md.
 */
#ifndef LATENCY_H
#define LATENCY_H

#include <stdbool.h>
#include <stdint.h>
#include <pith/sys.h>

#define TOP_PRIORITY	98
#define RW		(PITH_R_READ | PITH_R_WRITE)

/* --- what the program starts others with ------------------------------------ */

/* Descriptors of a component of a load. */
enum {
	FD_DOMAIN,		/* its own, right ADMIN */
	FD_EP, FD_EP2,		/* what core made for the load */
	FD_ARGS
};

/* A load: its components, each with endpoints of the load. */
struct part {
	const char *role;
	unsigned int copies;
	unsigned int priority;
};

struct load {
	const char *name;
	struct part part[4];
	void (*core)(void);	/* what core does, again and again; or NULL */
};

extern const struct load loads[];
extern const unsigned int nloads;

extern int root, hardware;

/* --- what a component does --------------------------------------------------- */

struct role {
	const char *name;
	int (*run)(void);
};

extern const struct role crowd_roles[], life_roles[], share_roles[];

/* Any of the above, or NULL. */
const struct role *find_role(const char *name);

/* End, as what is needed is not there. */
void need(bool good, const char *what);

/* Make @n threads, each with a message buffer, that do @fn for ever. */
void threads(unsigned int n, void (*fn)(void));

void nap(uint64_t us);
_Noreturn void forever(void);

/* --- what core does ------------------------------------------------------------ */

/* Start this program as @name: its space. */
int start_program(int domain, const char *name, unsigned int priority,
		  const int *caps, unsigned int ncaps);
/* The components of a load, each in a domain of its own below @parent. */
void start_parts(const struct load *l, int parent);
void end_parts(void);
/* Print what loads leave to others, @us for each figure. */
void measure_shares(uint64_t us);
/* One step of core's own part of a load. */
void core_revoke(void);
void core_log(void);

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
