// SPDX-License-Identifier: BSD-2-Clause
/* Calls and signals of Pith: this process is core, its partner a component. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <pith/loader.h>
#include <pith/rpc.h>
#include "bench.h"

/* --- the partner ---------------------------------------------------------- */

/* Descriptor 0: the endpoint. Answers with as many bytes as it got. */
static int serve(void)
{
	struct pith_msg *m = rpc_header();
	uint32_t flags = PITH_WAIT;

	while (pith_reply_wait(0, flags, PITH_NO_DEADLINE) == PITH_GOT_CALL) {
		for (uint32_t i = 0; i < m->ncaps; i++)
			close(m->caps[i]);
		m->ncaps = 0;
		flags = PITH_REPLY | PITH_WAIT;
	}
	return 1;
}

/*
 * Descriptor 0: the endpoint, 1: a notification. Signals when it was notified,
 * and answers with the time of that.
 */
static int tell_wake_up(void)
{
	struct pith_msg *m = rpc_header();
	uint32_t flags = PITH_WAIT;
	uint64_t woke = 0, t;
	long got;

	while ((got = pith_reply_wait(0, flags, PITH_NO_DEADLINE)) > 0) {
		t = ticks();
		if (got == PITH_GOT_NOTIFICATION) {
			woke = t;
			pith_signal(1, 1);
			flags = PITH_WAIT;
		} else {
			m->label = woke;
			flags = PITH_REPLY | PITH_WAIT;
		}
	}
	return 1;
}

bool pith_component(const char *name, int *status)
{
	*status = 0;
	if (!strcmp(name, "nothing"))
		return true;
	if (!strcmp(name, "/init"))
		return false;
	*status = 2;
	if (rpc_thread_init())
		return true;
	if (!strcmp(name, "server"))
		*status = serve();
	else if (!strcmp(name, "waker"))
		*status = tell_wake_up();
	else if (!strcmp(name, "hoarder"))
		*status = hoard();
	return true;
}

/* --- starting it ---------------------------------------------------------- */

static int load_self(void)
{
	int fd = open("/init", O_RDONLY), mem, err;
	char *at, *start;
	ssize_t n;

	mem = pith_mem_create(-1, PROGRAM_MAX, 0);
	start = at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	while (at && (n = read(fd, at, start + PROGRAM_MAX - at)) > 0)
		at += n;
	if (at)
		pith_unmap(start, PROGRAM_MAX);
	close(fd);
	return at ? mem : err;
}

int pith_start(int domain, const char *name, int cpu, const int32_t *caps,
	       unsigned int ncaps, int exit_notif)
{
	static int self = -1;
	struct pith_sched sched = { .affinity = 1ull << cpu };
	struct loader l = {
		.name = name, .domain = domain, .exit_notif = exit_notif,
		.caps = caps, .ncaps = ncaps, .stack = 65536,
	};
	int err;

	if (self < 0)
		self = load_self();
	l.binary = self;
	err = loader_load(&l);
	if (err)
		return err;
	err = pith_control(l.thread, PITH_OP_THREAD_SCHED, &sched);
	if (err)
		loader_drop(&l);
	else
		err = loader_start(&l);
	return err ? err : l.space;
}

/* --- calls ---------------------------------------------------------------- */

int pith_call_samples(int ep, const struct shape *s, int cap)
{
	struct pith_msg *m = rpc_header();
	int err = 0;

	series_start();
	for (unsigned int i = 0; !err && i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		m->label = 1;
		m->len = s->bytes;
		m->ncaps = s->caps;
		for (unsigned int k = 0; k < s->caps; k++)
			m->caps[k] = cap;
		err = pith_call(ep, PITH_NO_DEADLINE);
		series_add(ticks() - start);
	}
	return err;
}

static void calls(int domain, int cpu)
{
	int32_t ep = pith_ep_create();
	int cap = pith_notif_create();
	int process = pith_start(domain, "server", cpu, &ep, 1, -1);

	for (unsigned int i = 0; process >= 0 && i < nshapes; i++) {
		if (pith_call_samples(ep, &shapes[i], cap))
			break;
		series_print("ipc.pith.rt_insns_%s_%s",
			     shape_name(&shapes[i]), cpu_name(cpu));
	}
	pith_control(process, PITH_OP_SPACE_KILL, NULL);
	pith_close(process);
	pith_close(cap);
	pith_close(ep);
}

/* --- signals -------------------------------------------------------------- */

bool pith_waker(int domain, int cpu, struct waker *w)
{
	int32_t caps[2];
	int process;

	caps[0] = w->ep = pith_ep_create();
	w->notif = pith_notif_create();
	w->back_ep = pith_ep_create();
	caps[1] = w->back = pith_notif_create();
	process = pith_start(domain, "waker", cpu, caps, 2, -1);
	pith_close(process);
	return process >= 0 && !pith_notif_bind(w->notif, w->ep, 1) &&
		!pith_notif_bind(w->back, w->back_ep, 1) &&
		!pith_ask_waker(w);	/* it is up: it was not woken yet */
}

uint64_t pith_ask_waker(struct waker *w)
{
	struct pith_msg *m = rpc_header();

	m->label = 0;
	m->len = 0;
	m->ncaps = 0;
	return pith_call(w->ep, PITH_NO_DEADLINE) ? 0 : m->label;
}

uint64_t pith_woken_at(struct waker *w)
{
	pith_reply_wait(w->back_ep, PITH_WAIT, PITH_NO_DEADLINE);
	return pith_ask_waker(w);
}

void pith_waker_end(struct waker *w)
{
	pith_close(w->ep);
	pith_close(w->notif);
	pith_close(w->back_ep);
	pith_close(w->back);
}

static void wake_up(int domain, int cpu)
{
	struct waker w;

	series_start();
	if (pith_waker(domain, cpu, &w))
		for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
			uint64_t start = ticks();

			pith_signal(w.notif, 1);
			series_add(pith_woken_at(&w) - start);
		}
	series_print("signal.pith.wake_insns_%s", cpu_name(cpu));
	pith_waker_end(&w);
}

/* Nobody waits for it. */
static void posts(void)
{
	int notif = pith_notif_create();

	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		pith_signal(notif, 1);
		series_add(ticks() - start);
	}
	series_print("signal.pith.post_insns");
	pith_close(notif);
}

void pith_ipc(int domain)
{
	for (int cpu = 0; cpu < cpus; cpu++) {
		calls(domain, cpu);
		wake_up(domain, cpu);
	}
	posts();
}
