// SPDX-License-Identifier: BSD-2-Clause
/* The list of loads; those of messages, mappings, capabilities, memory, timers. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <pith/rpc.h>
#include "latency.h"

#define SMALL	4096u
#define LARGE	(2u << 20)

/* --- messages ------------------------------------------------------------------ */

static int echo(void)
{
	struct pith_msg *m = rpc_header();
	uint32_t flags = PITH_WAIT;

	while (pith_reply_wait(FD_EP, flags, PITH_NO_DEADLINE) == PITH_GOT_CALL) {
		for (uint32_t i = 0; i < m->ncaps; i++)
			pith_close(m->caps[i]);
		m->ncaps = 0;
		flags = PITH_REPLY | PITH_WAIT;
	}
	return 1;
}

/* Empty calls, and large ones with capabilities, with and without a deadline. */
static _Noreturn int caller(void)
{
	struct pith_msg *m = rpc_header();

	for (unsigned int i = 0;; i++) {
		m->label = 1;
		m->len = i % 4 ? 0 : PITH_MSG_BYTES;
		m->ncaps = i % 4 ? 0 : PITH_MSG_CAPS;
		for (unsigned int k = 0; k < m->ncaps; k++)
			m->caps[k] = FD_EP2;
		need(!pith_call(FD_EP, i & 1 ? PITH_NO_DEADLINE :
				pith_now() + PITH_SEC(100)), "call");
	}
}

/* --- mappings -------------------------------------------------------------------- */

static void map_once(uint32_t size)
{
	int mem = pith_mem_create(-1, size, 0);
	char *p = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, NULL);

	need(p, "map");
	for (uint32_t at = 0; at < size; at += SMALL)
		p[at] = 1;
	pith_unmap(p, size);
	pith_close(mem);
}

static _Noreturn int maps(void)
{
	for (unsigned int i = 0;; i++)
		map_once(i % 16 ? SMALL : LARGE);
}

/* --- capabilities ------------------------------------------------------------------ */

#define MANY	1000

static _Noreturn int caps(void)
{
	static int fd[MANY];
	struct pith_revoke badge = { .flags = PITH_REVOKE_BADGE };

	for (;;) {
		int ep = pith_ep_create();

		for (unsigned int i = 0; i < MANY; i++)
			fd[i] = pith_mint_badge(ep, i % 3);
		/* a third of them at once, one by one, with the endpoint */
		pith_control(ep, PITH_OP_REVOKE, &badge);
		for (unsigned int i = 0; i < MANY / 2; i++)
			pith_close(fd[i]);
		pith_close(ep);
		for (unsigned int i = MANY / 2; i < MANY; i++)
			pith_close(fd[i]);
	}
}

/* --- memory ------------------------------------------------------------------------ */

/* Takes all that its domain has, in pieces of all sizes, until there is none. */
static _Noreturn int hog(void)
{
	static int mem[MANY];

	for (unsigned int round = 0;; round++) {
		unsigned int n = 0;
		void *p = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			memset(p, 1, LARGE);
		while (n < MANY) {
			mem[n] = pith_mem_create(-1, SMALL << (n + round) % 10,
						 n % 8 ? 0 : PITH_MEM_CONTIG);
			if (mem[n] < 0)
				break;
			n++;
		}
		need(n > 4, "memory");
		for (unsigned int i = 0; i < n; i++)
			pith_close(mem[i]);
		if (p != MAP_FAILED)
			munmap(p, LARGE);
	}
}

/* --- timers ------------------------------------------------------------------------- */

/* All of them at the same moments. */
static void sleeper(void)
{
	const uint64_t step = 500000;
	struct timespec t = { 0 };

	for (;;) {
		uint64_t at = (pith_now() / step + 1) * step;

		t.tv_sec = at / 1000000000;
		t.tv_nsec = at % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
}

static _Noreturn int timers(void)
{
	threads(50, sleeper);
	forever();
}

/* --- the list ------------------------------------------------------------------------ */

void core_log(void)
{
	say("latency: a line that is as long as lines of the log are, more or less\n");
	nap(2000);
}

static void core_all(void)
{
	core_revoke();
	core_log();
}

const struct load loads[] = {
	{ .name = "idle" },
	{ .name = "ipc", .part = { { "echo", 1, 0 }, { "caller", 2, 0 } } },
	{ .name = "faults", .part = { { "faults", 1, 0 } } },
	{ .name = "map", .part = { { "maps", 1, 0 } } },
	{ .name = "revoke", .core = core_revoke },
	{ .name = "life", .part = { { "spaces", 1, 0 }, { "births", 1, 0 } } },
	{ .name = "caps", .part = { { "caps", 1, 0 } } },
	{ .name = "hog", .part = { { "hog", 2, 0 } } },
	{ .name = "timers", .part = { { "timers", 4, 0 } } },
	{ .name = "crowd", .part = { { "saver", 1, 0 }, { "members", 4, 0 },
				     { "waiters", 4, 0 }, { "urgent", 1, 40 } } },
	{ .name = "log", .core = core_log },
	{ .name = "all", .core = core_all },
};
const unsigned int nloads = sizeof(loads) / sizeof(loads[0]);

static const struct role message_roles[] = {
	{ "echo", echo }, { "caller", caller }, { "maps", maps },
	{ "caps", caps }, { "hog", hog }, { "timers", timers }, { 0 }
};

const struct role *find_role(const char *name)
{
	const struct role *all[] = { message_roles, crowd_roles, life_roles,
				     share_roles };

	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (const struct role *r = all[i]; r->name; r++)
			if (!strcmp(r->name, name))
				return r;
	return NULL;
}

/* --- threads -------------------------------------------------------------------------- */

static void (*body)(void);

static void *thread(void *arg)
{
	(void)arg;
	need(!rpc_thread_init(), "buffer");
	body();
	return NULL;
}

void threads(unsigned int n, void (*fn)(void))
{
	pthread_attr_t attr;
	pthread_t id;

	body = fn;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	while (n--)
		need(!pthread_create(&id, &attr, thread, NULL), "thread");
	pthread_attr_destroy(&attr);
}
