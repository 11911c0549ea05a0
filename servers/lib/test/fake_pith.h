/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small Pith inside one process, for unit tests: capabilities, memory,
 * notifications, entrypoints, timers with a clock of its own, and sessions.
 * Calls are delivered at once, notifications and timers when a test dispatches.
 */
#ifndef FAKE_PITH_H
#define FAKE_PITH_H

#include <pith/env.h>
#include <pith/entrypoint.h>
#include <pith/service.h>

/* How env_session() is answered: an fd (handed over), or a negative errno. */
extern int (*fake_session)(const char *service, const char *label,
			   const char *args);
/* Called by env_close() before the capability goes. */
extern void (*fake_session_closed)(int cap);
/* Called when a dispatch finds nothing to do; returns 1 if it caused events. */
extern int (*fake_idle)(void);

extern uint64_t fake_clock;		/* ns */
extern unsigned int fake_signals;	/* pith_signal() calls so far */
extern int fake_mem_budget;		/* allocations left, -1: no limit */
extern int fake_quiet;			/* 1: no log lines */
extern char fake_rom[4096];		/* content of every ROM, but if this is: */
extern const void *fake_rom_data;
extern size_t fake_rom_size;

/* Kill the server behind endpoint capability @cap: watchers are signalled. */
void fake_kill(int cap);
/* Memory behind a capability. */
void *fake_memory(int cap);
/* From now on it is a device's. */
void fake_make_device(int cap);
/* Dispatch on all entrypoints until nothing is left to do. */
void fake_run(struct entrypoint *ep);
/* Open descriptors; live mappings. */
unsigned int fake_open_fds(void);
extern unsigned int fake_mappings;

/* --- TAP -------------------------------------------------------------------- */
extern unsigned int tap_tests, tap_failures;
void tap_ok(int ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int tap_end(void);
#define ok(cond, ...)	tap_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

#endif
