/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHELL_TAP_H
#define SHELL_TAP_H

#include <stdio.h>

static unsigned int tap_tests, tap_failures;

static inline void ok(int good, const char *what)
{
	tap_tests++;
	tap_failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tap_tests, what);
	fflush(stdout);
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failures || !tap_tests;
}

#endif
