/* SPDX-License-Identifier: BSD-2-Clause */
/* Test results as TAP, and what the tested code links with. */
#ifndef PLATFORM_TEST_TAP_H
#define PLATFORM_TEST_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <pith/env.h>

static unsigned int tap_tests, tap_failed;

static void check(int ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tap_tests, what);
	tap_failed += !ok;
}

static int tap_end(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failed != 0;
}

static void tap_log(const char *fmt, va_list args)
{
	if (!getenv("VERBOSE"))
		return;
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
}

void log_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_log(fmt, args);
	va_end(args);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_log(fmt, args);
	va_end(args);
}

#endif
