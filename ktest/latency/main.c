// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage (kernel command line, after `--`): [samples=N] [share=US] [LOAD...]
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>
#include <pith/loader.h>
#include <pith/rpc.h>
#include "latency.h"

#define MAX_SAMPLES	20000
#define MAX_LOADS	32
#define RAM		(32ull << 20)
#define CAPS		3000
#define NAP_US		20000		/* until a load is on its way */
/* Until the processor's clock is trusted, timers have the resolution of the tick. */
#define TIMERS_US	3000000

/*
 * The port of QEMU's pvpanic device stops the machine if 1 is written to it, so
 * that scripts/latency can switch its trace on and off. It is written each time,
 * 1 or 0, so that the trace finds what was measured without. At which sample of
 * which load, scripts/latency writes into this program's file.
 */
#define TRACE_PORT	0x505
struct trace {
	char mark[16];
	volatile uint32_t at[MAX_LOADS];
};
static const struct trace trace __attribute__((used, section(".rodata.trace"))) = {
	"LATENCY-TRACE-AT", { 0 }
};

int root, hardware = -1;

/* --- the thread that is measured --------------------------------------------- */

/* Memory that it shares with core. */
struct probe {
	uint32_t count, trace_at;
	int32_t sample[MAX_SAMPLES];	/* ns late */
};
#define PROBE_SIZE	((sizeof(struct probe) + 4095) & ~4095ul)

enum { TOP_EP, TOP_PROBE, TOP_PORT };

static void tell_qemu(bool stop)
{
	pith_port_out(TOP_PORT, 0, 1, stop);
}

static void measure(struct probe *p)
{
	uint64_t t, random = 88172645463325252ull;

	for (uint32_t i = 0; i < p->count; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		tell_qemu(i + 1 == p->trace_at);
		t = pith_now() + 60000 + random % 200000;
		pith_reply_wait(TOP_EP, PITH_WAIT, t);
		p->sample[i] = pith_now() - t;
		tell_qemu(i + 1 == p->trace_at);
	}
}

static int top(void)
{
	struct pith_msg *m = rpc_header();
	struct probe *p = pith_map(TOP_PROBE, 0, 0,
				   PITH_MAP_READ | PITH_MAP_WRITE, NULL);
	uint32_t flags = PITH_WAIT;
	int reply;

	need(p, "probe");
	memset(p, 0, PROBE_SIZE);
	while (pith_reply_wait(TOP_EP, flags, PITH_NO_DEADLINE) ==
	       PITH_GOT_CALL) {
		/* answered when it is done; meanwhile it waits at the endpoint */
		reply = pith_ep_save_reply(TOP_EP);
		measure(p);
		m->label = 0;
		m->len = 0;
		m->ncaps = 0;
		pith_reply_wait(reply, PITH_REPLY, 0);
		pith_close(reply);
	}
	return 1;
}

/* --- core ---------------------------------------------------------------------- */

static int program, top_ep;
static struct probe *probe;
static volatile bool done;

void say(const char *fmt, ...)
{
	char line[200];
	struct pith_text t = { .text = (uintptr_t)line };
	va_list ap;

	va_start(ap, fmt);
	t.len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	pith_control(hardware, PITH_OP_HW_CONSOLE, &t);
	pith_control(hardware, PITH_OP_HW_CONSOLE, &(struct pith_text) { 0 });
}

void need(bool good, const char *what)
{
	if (good)
		return;
	if (hardware >= 0) {
		say("latency: cannot: %s\n", what);
		reboot(RB_AUTOBOOT);
	}
	_exit(1);
}

void nap(uint64_t us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

void forever(void)
{
	for (;;)
		nap(1000000000);
}

static void load_self(void)
{
	int fd = open("/init", O_RDONLY);
	const uint64_t size = 1 << 20;
	char *start, *at;
	ssize_t n;

	program = pith_mem_create(-1, size, 0);
	at = start = pith_map(program, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, NULL);
	need(at && fd >= 0, "program");
	while ((n = read(fd, at, start + size - at)) > 0)
		at += n;
	close(fd);
	pith_unmap(start, size);
}

int start_program(int domain, const char *name, unsigned int priority,
		  const int *caps, unsigned int ncaps)
{
	struct pith_sched sched = { .priority = priority };
	struct loader l = {
		.name = name, .domain = domain, .binary = program,
		.exit_notif = -1, .caps = caps, .ncaps = ncaps, .stack = 65536,
	};

	need(!loader_load(&l), name);
	need(!pith_control(l.thread, PITH_OP_THREAD_SCHED, &sched) &&
	     !loader_start(&l), "start");
	return l.space;
}

static void start_top(void)
{
	struct pith_io_port port = { .base = TRACE_PORT, .size = 1 };
	int caps[3];

	top_ep = caps[TOP_EP] = pith_ep_create();
	caps[TOP_PROBE] = pith_mem_create(-1, PROBE_SIZE, 0);
	caps[TOP_PORT] = pith_control(hardware, PITH_OP_HW_IO_PORT, &port);
	probe = pith_map(caps[TOP_PROBE], 0, 0, PITH_MAP_READ | PITH_MAP_WRITE,
			 NULL);
	need(probe && caps[TOP_PORT] >= 0, "top");
	start_program(root, "top", TOP_PRIORITY, caps, 3);
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *load)
{
	uint32_t n = probe->count, worst = 0;
	int32_t *s = probe->sample;

	for (uint32_t i = 0; i < n; i++)
		if (s[i] > s[worst])
			worst = i;
	worst++;
	qsort(s, n, sizeof(*s), compare);
	say("latency: %s %u %d %d %d %d %d at %u\n", load, n, s[0], s[n / 2],
	    s[n - 1 - n / 100], s[n - 1 - n / 1000], s[n - 1], worst);
}

/* --- a load ---------------------------------------------------------------------- */

#define MAX_PARTS	32

static struct {
	int domain, space;
} running[MAX_PARTS];
static unsigned int nrunning;

static void start_part(const struct part *p, int parent, int ep, int ep2)
{
	int caps[FD_ARGS], domain = pith_domain_create(parent);

	need(domain >= 0 && nrunning < MAX_PARTS &&
	     !pith_domain_transfer(root, domain, RAM, CAPS), "domain");
	caps[FD_DOMAIN] = domain;
	caps[FD_EP] = ep;
	caps[FD_EP2] = ep2;
	running[nrunning].space = start_program(domain, p->role, p->priority,
						caps, FD_ARGS);
	running[nrunning++].domain = domain;
}

void start_parts(const struct load *l, int parent)
{
	int ep = pith_ep_create(), ep2 = pith_ep_create();

	for (const struct part *p = l->part; p->role; p++)
		for (unsigned int i = 0; i < p->copies; i++)
			start_part(p, parent, ep, ep2);
	pith_close(ep);
	pith_close(ep2);
}

void end_parts(void)
{
	while (nrunning) {
		nrunning--;
		pith_domain_destroy(running[nrunning].domain);
		pith_close(running[nrunning].space);
		pith_close(running[nrunning].domain);
	}
}

static void *ask_top(void *arg)
{
	struct rpc r = { 0 };

	(void)arg;
	if (rpc_thread_init() || rpc_call(top_ep, 1, &r, PITH_NO_DEADLINE))
		say("latency: top does not answer\n");
	done = true;
	return NULL;
}

static void run_load(const struct load *l, uint32_t samples)
{
	pthread_t asks;

	if (!strcmp(l->name, "all"))
		for (const struct load *each = loads; each != l; each++)
			start_parts(each, root);
	start_parts(l, root);
	nap(NAP_US);
	probe->count = samples;
	probe->trace_at = trace.at[l - loads];
	done = false;
	need(!pthread_create(&asks, NULL, ask_top, NULL), "thread");
	while (!done) {
		if (l->core)
			l->core();
		else
			nap(1000);
	}
	pthread_join(asks, NULL);
	end_parts();
	nap(NAP_US);
	print(l->name);
}

/* If it was named, or none was; the kernel hands on options it does not know. */
static bool asked(int argc, char **argv, const char *name)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
		for (unsigned int k = 0; k < nloads; k++)
			any |= !strcmp(argv[i], loads[k].name);
	}
	return !any;
}

/* The number of option @name, which ends with `=`. */
static uint32_t number(int argc, char **argv, const char *name, uint32_t n,
		       uint32_t most)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, strlen(name)))
			n = atoi(argv[i] + strlen(name));
	return n < 1 ? 1 : n > most ? most : n;
}

int main(int argc, char **argv)
{
	const struct role *role;
	struct pith_bootstrap b;
	uint32_t samples;

	if (!strcmp(argv[0], "top"))
		return rpc_thread_init() ? 1 : top();
	role = find_role(argv[0]);
	if (role)
		return rpc_thread_init() ? 1 : role->run();
	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b) || rpc_thread_init())
		return 1;
	root = b.domain;
	hardware = b.hardware;
	load_self();
	nap(TIMERS_US);
	start_top();
	samples = number(argc, argv, "samples=", 1000, MAX_SAMPLES);
	for (unsigned int i = 0; i < nloads; i++)
		if (asked(argc, argv, loads[i].name))
			run_load(&loads[i], samples);
	measure_shares(number(argc, argv, "share=", 500000, 10000000));
	say("latency: done\n");
	reboot(RB_AUTOBOOT);
	return 0;
}
