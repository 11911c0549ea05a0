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

/* What one does, with its endpoints at descriptor 0 and 1: */

/* Call 0 W_REPEAT times, or until that fails. */
extern const uint8_t ks_client[];
/* Receive at 0, call 1 until W_DEADLINE, answer, and so on. */
extern const uint8_t ks_relay[];
/* Receive at 0, look at W_GO each ms until it is set, answer, and so on. */
extern const uint8_t ks_slow[];
/* Receive at 0 and answer at once. */
extern const uint8_t ks_echo[];
/* Save W_REPEAT calls at 0, then answer those whose reply W_GO names. */
extern const uint8_t ks_saver[];
/*
 * Receive at 0. If W_REPEAT is set, save the reply of a call, at W_SAVED and so
 * on; else answer it with the next receive. Woken by a notification, count it in
 * W_RESULT, answer what W_GO names, and receive again when that is negative.
 */
extern const uint8_t ks_woken[];
/* Count, and nothing else. */
extern const uint8_t ks_spin[];
/* Write to KS_AT, where nothing is mapped, and end. */
extern const uint8_t ks_touch[];

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
