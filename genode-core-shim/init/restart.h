/* SPDX-License-Identifier: BSD-2-Clause */
/* When a child that failed is started again. Pure arithmetic on times in ms. */
#ifndef INIT_RESTART_H
#define INIT_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#define RESTART_MAX		32	/* of "max" */
#define RESTART_BACKOFF_MAX	5000	/* ms */

struct restart_policy {
	bool enabled;
	uint32_t max;		/* restarts in the window; 1 .. RESTART_MAX */
	uint32_t within_ms;
	uint32_t backoff_ms;	/* before the first; doubles with each in it */
};

/* The pauses of @policy's restarts together, in ms. In a shorter window there are
 * never too many. */
uint64_t restart_pauses(const struct restart_policy *policy);

/* The latest failures, oldest first. */
struct restart_history {
	uint64_t at_ms[RESTART_MAX];
	unsigned int count;
};

/*
 * A failure at @now_ms (not before the one noted last): ms to wait before the
 * restart, or -1 if there were too many and the child stays down.
 */
int64_t restart_after(const struct restart_policy *policy,
		      struct restart_history *history, uint64_t now_ms);

#endif
