/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark: one program that is the first process, every competitor, and
 * every component of its measurements.
 *
 * Before it becomes core it is an ordinary Linux process and measures what
 * Linux offers (linux_*.c), after that the same with Pith's means (pith_*.c).
 * What it prints is documented in docs/ipc.md.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <pith/sys.h>

/* Time in the processor's own units, read in one instruction. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
	uint32_t low, high;

	__asm__ volatile ("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
	uint64_t t;

	__asm__ volatile ("isb; mrs %0, cntvct_el0" : "=r"(t) :: "memory");
	return t;
#else
#error "no clock for this architecture"
#endif
}

/* --- series.c ------------------------------------------------------------- */

extern unsigned int rounds;		/* samples of a series */
extern int hardware;			/* capability, once this is core; or -1 */

#define WARM_UP	100			/* rounds before the first sample */

/* Samples; the first WARM_UP ones are dropped. */
void series_start(void);
void series_add(uint64_t sample);
/* Print `bench: KEY MEDIAN MINIMUM`; nothing if there is no sample. */
void series_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint64_t series_median(void);

/* A line of the kernel log. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sleep_ms(unsigned int ms);
/* Why something could not be measured. */
void missing(const char *what, int error);

/* --- both worlds ---------------------------------------------------------- */

extern int cpus;			/* 1, or 2 if there are as many */

static inline const char *cpu_name(int cpu)
{
	return cpu ? "two_cpus" : "same_cpu";
}

#define MAX_CAPS	4
#define MAX_BYTES	4096

/* Messages that are measured. */
struct shape {
	unsigned int bytes;
	unsigned int caps;
};
extern const struct shape shapes[];
extern const unsigned int nshapes;
/* `0B`, `64B`, `1cap` ... */
const char *shape_name(const struct shape *s);

/* Memory of two sizes. */
#define SMALL	4096u
#define LARGE	(2u << 20)

static inline void touch(volatile char *p, unsigned int size)
{
	for (unsigned int at = 0; at < size; at += 4096)
		p[at] = 1;
}

/* --- parts ---------------------------------------------------------------- */

/*
 * A way of Linux to send and wait for an answer. Both sides are processes.
 * open() runs before the fork, serve() in the child for ever, round() in the
 * parent; serve_start() and round_start(), which may be NULL, first in each.
 * All but serve() return 0 or a positive errno.
 */
struct channel {
	const char *name;
	unsigned int max_bytes;
	unsigned int max_caps;
	int (*open)(void);
	int (*serve_start)(void);
	void (*serve)(const struct shape *s);
	int (*round_start)(void);
	int (*round)(const struct shape *s);
	void (*close)(void);
};

extern const struct channel binder_channel;

/* Run @body in a child on @cpu; returns its pid. */
int linux_child(int cpu, void (*body)(void *), void *arg);
void linux_kill(int pid);
/* Memory shared with children. */
void *linux_shared(unsigned long size);

void linux_ipc(void);
void linux_memory(void);
void linux_process(void);

/* Time what @what does, which returns 0 or an errno. */
void measure(const char *key, int (*what)(void));
/* A thread of this process, from its creation to its end. */
int run_thread(void);

/* What argv[0] of a component says. False: this is the first process. */
bool pith_component(const char *name, int *status);
int hoard(void);

#define PROGRAM_MAX	(1u << 20)	/* this program's file is smaller */

/* Start this program as @name on @cpu with these descriptors: its space. */
int pith_start(int domain, const char *name, int cpu, const int32_t *caps,
	       unsigned int ncaps, int exit_notif);
/* Samples of calls, @cap sent as often as @s says: 0 or an error. */
int pith_call_samples(int ep, const struct shape *s, int cap);
/* A component that waits for @notif at @ep; it signals @back, at @back_ep. */
struct waker {
	int ep, notif, back_ep, back;
};
bool pith_waker(int domain, int cpu, struct waker *w);
void pith_waker_end(struct waker *w);
/* When it was woken last, 0 before that. */
uint64_t pith_ask_waker(struct waker *w);
/* The same, once it was woken. */
uint64_t pith_woken_at(struct waker *w);

void pith_ipc(int domain);
void pith_objects(int domain);
void pith_spaces(int domain);
void pith_device(int domain);
void curves(int domain);

#endif
