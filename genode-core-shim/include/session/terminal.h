/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminal: characters in and out. */
#ifndef SESSION_TERMINAL_H
#define SESSION_TERMINAL_H

#include <stdint.h>

enum terminal_method {
	/* WRITE: 1 .. 4096 bytes (tail) -> struct terminal_count: how many were
	 * taken. 0: the output buffer is full; the notification tells when not. */
	TERMINAL_WRITE = 1,
	/* READ: -> bytes (tail), up to 4096; none: nothing was typed. Raw: no
	 * echo, no line editing. */
	TERMINAL_READ,
	/* SIGH: cap 0: notification (SIGNAL), signalled when there is input or
	 * room for output again -> nothing. Replaces the one given before and
	 * fires at once if there is input. */
	TERMINAL_SIGH,
	/* DRAIN: -> nothing, answered when all that was taken has left the
	 * device. A later DRAIN ends an earlier one with ECANCELED. */
	TERMINAL_DRAIN,
};

struct terminal_count {
	uint32_t count;
	uint32_t zero;
};

#endif
