/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer: a signal when time has passed. Of use where a timeout has to arrive as a
 * capability that can be passed on; within a component, ep_timer_set() does.
 */
#ifndef SESSION_TIMER_H
#define SESSION_TIMER_H

#include <stdint.h>

#define TIMER_US_MIN	1000		/* period of the shortest */
#define TIMER_US_MAX	(1ull << 50)

enum timer_method {
	/* SIGH: cap 0: notification (SIGNAL) -> nothing. Replaces the one before. */
	TIMER_SIGH = 1,
	/* TRIGGER_ONCE: struct timer_us -> nothing. Signals once, not before @us
	 * have passed; 0: at once. Ends what was triggered before. */
	TIMER_TRIGGER_ONCE,
	/* TRIGGER_PERIODIC: struct timer_us -> nothing. Signals each @us from now
	 * on, without drift; periods that were missed are counted in the signal.
	 * @us 0: no more. Ends what was triggered before. */
	TIMER_TRIGGER_PERIODIC,
	/* ELAPSED: -> struct timer_us: since the session was opened */
	TIMER_ELAPSED,
};

struct timer_us {
	uint64_t us;
};

#endif
