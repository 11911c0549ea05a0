/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KT_CORE_H
#define KT_CORE_H

#include "kt.h"

/* Become core, run the tests that @argv selects (see README.md), switch off. */
_Noreturn void core_main(const struct kt_test *first,
			 const struct kt_test *end, int argc, char **argv);

/* The same without tests: read the panic report of the boot before, or panic. */
_Noreturn void panic_main(int argc, char **argv);

/* Become core; false if that failed. */
bool core_init(void);
/* test_boot.c, in the suite that has it: what is refused before that. */
void boot_try(void) __attribute__((weak));
void console_flush(void);

/* What kt_option() looks at. */
void core_arguments(int argc, char **argv);

/* checkers.c: before BOOTSTRAP, while Linux is still there; after the tests. */
void checkers_open(void);
void checkers_report(void);

/* nomem.c: the first before BOOTSTRAP; is it there, and does it work? */
void nomem_open(const char *debugfs);
bool nomem_on(void);
/* Of what core's first thread allocates from now on, the @n-th fails. */
void nomem_arm(uint32_t n);
/* Has it? From now on nothing fails. */
bool nomem_failed(void);

/* cover.c: the first before BOOTSTRAP, with debugfs mounted there. */
void cover_open(const char *debugfs);
bool cover_on(void);
/* What has run since it was last asked counts for nobody. */
void cover_base(void);
/* Counters that have run since, and never before; and how many in all. */
uint32_t cover_new(void);
uint32_t cover_seen(void);
/* Have those of the last cover_new() run since? */
bool cover_again(void);

#endif
