// SPDX-License-Identifier: BSD-2-Clause
/*
 * The panic report, which takes more than one boot: instead of tests this
 * program prints the report of the boot before. It panics, by ending as the
 * first process, if that report starts with "panic please" or if it was told to
 * and there is none; else it waits for the machine to be reset. Counters of the
 * kernel, if it has any, go to the log before.
 * scripts/testlib/panic.py does the rest.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include "core.h"

#define REPORT_MAX	32768

static char report[REPORT_MAX + 1];

static long panic_read(char *text, uint32_t len)
{
	struct pith_text arg = { (uintptr_t)text, len, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_PANIC_READ, &arg);
}

static void show(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		kt_console("# was: %.300s", line);
}

_Noreturn void panic_main(int argc, char **argv)
{
	bool now = argc > 0 && !strcmp(argv[0], "now");
	long n;

	core_arguments(argc, argv);
	checkers_open();
	if (!core_init())
		kt_syscall(SYS_exit_group, 1, 0, 0, 0, 0, 0);
	kt_console("# no address: %ld", panic_read(NULL, REPORT_MAX));
	n = panic_read(report, REPORT_MAX);
	kt_console("# report: %ld bytes", n);
	if (n > 0) {
		now = !strncmp(report, "panic please", 12);
		show(report);
		kt_console("# again: %ld bytes", panic_read(report, REPORT_MAX));
	}
	if (!now)
		checkers_report();
	kt_console("# panics now: %d", now);
	console_flush();
	if (now)
		kt_syscall(SYS_exit_group, 1, 0, 0, 0, 0, 0);
	for (;;)
		kt_sleep(KT_MS(1000));
}
