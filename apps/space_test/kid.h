/* SPDX-License-Identifier: BSD-2-Clause */
/* space_test: a child in a space of its own that does what it is told. */
#ifndef SPACE_TEST_KID_H
#define SPACE_TEST_KID_H

#include <stdbool.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/region_map.h>

#define KID_SLOT	3	/* its endpoint to us; others have none there */

enum kid_op {
	KID_READ = 1,		/* u64 at @address */
	KID_WRITE,		/* @value there */
	KID_EXECUTE,		/* call it: what it returns */
	KID_WIDEN,		/* mprotect() it to be written: 0 or errno */
	KID_EXIT,		/* with @value */
	KID_BUSY,		/* for ever */
	KID_COUNTER,		/* address of a counting thread's function */
	KID_LEAVER,		/* of that of one that ends at once */
};

struct kid_order {
	uint32_t op;
	uint32_t zero;
	uint64_t address, value;
};

struct kid {
	struct session pd;
	int domain, space;
	struct region_map map;
	int exit_notif, call_fd;
	uint64_t exit_badge, call_badge;
	bool exited;
	uint32_t status;
	int idle;		/* its call for an order, saved, or -1 */
	bool done;		/* the last order, with @result */
	uint64_t result;
	/* the last fault, and how to go on */
	unsigned int faults;
	struct pith_fault fault;
	uint64_t offset;
};

extern struct entrypoint ep;
extern int failures;

void expect(bool ok, const char *what);

/* Dispatch until *@flag, or 10 s: *@flag. */
bool wait_for(const bool *flag);

/* Start one, with @quota or the usual: false, and an error told. Its faults are
 * noted, and refused unless the map's handler says something else. */
bool kid_start(struct kid *k, const struct session_quota *quota);
/* Do @op: true if it was done. */
bool kid_do(struct kid *k, enum kid_op op, uint64_t address, uint64_t value);
/* Tell it and do not wait. */
void kid_tell(struct kid *k, enum kid_op op, uint64_t address, uint64_t value);
/* End it, and leave nothing of it. */
void kid_end(struct kid *k);
/* A fault handler that refuses after noting it; @ctx is the kid. */
int kid_refuse(void *ctx, struct region_map *map, const struct pith_fault *f,
	       uint64_t offset);

/* In the child. */
_Noreturn void kid_main(void);

void test_rm(void);
void test_cpu(void);
void test_budget(void);
void bench(void);

#endif
