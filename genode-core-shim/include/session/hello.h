/* SPDX-License-Identifier: BSD-2-Clause */
/* Hello: the smallest session interface, to learn from. */
#ifndef SESSION_HELLO_H
#define SESSION_HELLO_H

#include <stdint.h>

#define HELLO_NAME_MAX	32	/* bytes of a name */

enum hello_method {
	/* GREET: 1 .. HELLO_NAME_MAX bytes of a name -> a text. EINVAL: another
	 * length. */
	HELLO_GREET = 1,
	/* COUNT: -> struct hello_count: greetings in this session so far */
	HELLO_COUNT,
};

struct hello_count {
	uint64_t greetings;
};

#endif
