/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_system: what a system of many components costs. See README.md. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>
#include <pith/report.h>

#define SAMPLES		101	/* at most, of one figure */

/* Time that the first instruction of a member can tell as well. */
static inline uint64_t stamp(void)
{
	uint64_t t;

#if defined(__x86_64__)
	uint32_t low, high;

	__asm__ volatile ("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	t = (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
	__asm__ volatile ("isb; mrs %0, cntvct_el0" : "=r"(t) :: "memory");
#endif
	return t;
}

extern struct entrypoint ep;
extern const struct hid_node *config;

/* What is measured is all there is: an error ends the component. */
void need(int err, const char *what);
/* Median and minimum of @n samples, which are sorted, for scripts/bench. @at: how
 * many there were of something, or -1. */
void say(const char *key, int at, uint64_t *samples, unsigned int n);
void say_one(const char *key, int at, uint64_t value);
/* The next number of attribute @tag, a list; *@pos is 0 at first. False: no more. */
bool next_size(const char *tag, unsigned int *pos, unsigned int *value);
/* Go on dispatching for so long. */
void idle(uint64_t ns);

/* growth.c: a system that is a config away. */
struct members {
	unsigned int n;		/* of them, the same ones as long as they stay */
	unsigned int version;	/* another one: all are started again */
	bool report;		/* state, to the ROM "state" */
	/* one program more, or NULL; with these quotas and of that version */
	const char *least;
	uint64_t ram, caps;
	unsigned int least_version;
};
void growth_init(void);
/* Have that: when the request for it began. */
uint64_t members_set(const struct members *m);
void growth(void);

/* cost.c: what one component takes. */
void cost(void);

/* sessions.c: the more are open. */
void sessions(void);

#endif
