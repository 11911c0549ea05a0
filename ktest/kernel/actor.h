/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients, servers and what is between, each a space of its own with one thread
 * that core can look at, for the tests of scheduling.
 */
#ifndef KT_ACTOR_H
#define KT_ACTOR_H

#include "space.h"

/* Words of the data page. */
enum { W_BUFFER, W_DEADLINE = 2, W_RESULT, W_COUNT, W_REPEAT, W_GO,
       W_SECONDS, W_NSECONDS, W_SAVED = 16 };

struct actor {
	struct ks s;
	int mem;		/* its message buffer */
};

/* What one does, with its endpoints at descriptor 0 and 1, is in code.h. */

/* Ready to go with @eps at 0 and so on; all words can still be set. */
void actor_prepare(struct actor *a, uint32_t priority, const int *eps,
		   unsigned int neps);
void actor_start(struct actor *a, const uint8_t *code, uint32_t priority,
		 const int *eps, unsigned int neps);
void actor_end(struct actor *a);
long set_sched(int thread, uint32_t priority, uint64_t affinity);
bool await_priority(struct actor *a, uint32_t priority);
/* It waits for something, not for the CPU. */
void await_waiting(struct actor *a);
void await_steps(struct actor *a);
/* It makes no step, whatever time passes. */
void expect_stopped(struct actor *a);
unsigned int cpus(void);

#endif
