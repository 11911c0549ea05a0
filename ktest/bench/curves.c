// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether an empty call costs more the more there is: capabilities in the
 * caller's table, endpoints, badges of the server's, clients that wait.
 */
#include <pthread.h>
#include <stdlib.h>
#include <pith/rpc.h>
#include "bench.h"

#define MOST		100000u
static const unsigned int steps[] = { 0, 10, 100, 1000, 10000, 30000, 60000,
				      MOST };
#define NSTEPS		(sizeof(steps) / sizeof(steps[0]))

/* So many endpoints or badges are in this process, which is core, and so many in
 * each of the others; the tables' limits are 131,072 and 4,096. */
#define HERE		60000u
#define ELSEWHERE	4000u

enum what { CAPS, ENDPOINTS, BADGES };

/* --- many objects --------------------------------------------------------- */

/* One more of them; a badge is of @ep. */
static int one(enum what what, int ep, unsigned int number)
{
	if (what == CAPS)
		return pith_mint(ep, PITH_R_CALL);
	return what == BADGES ? pith_mint_badge(ep, number) : pith_ep_create();
}

/*
 * Component: descriptor 0 the endpoint that is called, 1 the one with badges.
 * Makes what the label says.
 */
int hoard(void)
{
	struct pith_msg *m = rpc_header();
	unsigned int made;

	if (pith_reply_wait(0, PITH_WAIT, PITH_NO_DEADLINE) != PITH_GOT_CALL)
		return 1;
	for (made = 0; made < ELSEWHERE; made++)
		if (one(m->label, 1, made) < 0)
			break;
	m->label = made;
	pith_reply_wait(0, PITH_REPLY | PITH_WAIT, PITH_NO_DEADLINE);
	return 0;
}

static int domain;
static int server;			/* endpoint that is measured */

struct hoarder {
	int process, ep;
};

/* A process with ELSEWHERE of them: how many it made. */
static unsigned int elsewhere(enum what what, struct hoarder *h)
{
	struct pith_msg *m = rpc_header();
	int32_t caps[2];

	caps[0] = h->ep = pith_ep_create();
	caps[1] = server;
	h->process = pith_start(domain, "hoarder", 0, caps, 2, -1);
	m->label = what;
	m->len = 0;
	m->ncaps = 0;
	if (h->process < 0 || pith_call(h->ep, PITH_NO_DEADLINE))
		return 0;
	return m->label;
}

#define MAX_HOARDERS	16

static void objects(enum what what, const char *name)
{
	static int fds[MOST];
	struct hoarder hoarders[MAX_HOARDERS];
	unsigned int mine = what == CAPS ? MOST : HERE;
	unsigned int here = 0, others = 0, n = 0, made;

	sleep_ms(1000);		/* what was before is gone */
	for (unsigned int i = 0; i < NSTEPS; i++) {
		while (n < steps[i] && here < mine) {
			fds[here] = one(what, server, n);
			if (fds[here] < 0)
				break;
			here++;
			n++;
		}
		while (n < steps[i] && what != CAPS && others < MAX_HOARDERS) {
			made = elsewhere(what, &hoarders[others++]);
			n += made;
			if (!made)
				break;
		}
		if (n < steps[i]) {
			say("bench: limit %s %u", name, n);
			break;
		}
		if (!pith_call_samples(server, &shapes[0], -1))
			series_print("curve.%s.rt_insns_%u", name, steps[i]);
	}
	while (here)
		pith_close(fds[--here]);
	while (others--) {
		pith_control(hoarders[others].process, PITH_OP_SPACE_KILL, NULL);
		pith_close(hoarders[others].process);
		pith_close(hoarders[others].ep);
	}
}

/* --- many clients --------------------------------------------------------- */

#define CLIENT_MEMORY	4096u		/* stack, with what libc keeps there */

static int busy;			/* endpoint where they wait */
static int shared_buffer;

/* Empty messages: all may have the same buffer. */
static void *client(void *arg)
{
	struct pith_buffer b = { .mem = shared_buffer };

	if (!pith_control(-1, PITH_OP_BUFFER_SET, &b))
		while (!pith_call(busy, PITH_NO_DEADLINE))
			;
	return arg;
}

static bool add_client(char *stack)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, CLIENT_MEMORY);
	return !pthread_create(&id, &attr, client, NULL);
}

/* Let those that are new run until they wait. */
static void settle(void)
{
	sleep_ms(300);
}

/* Answer one, which calls again and is the last of the queue then. */
static bool serve_samples(void)
{
	long got = pith_reply_wait(busy, PITH_WAIT, PITH_NO_DEADLINE);

	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		if (got != PITH_GOT_CALL)
			return false;
		got = pith_reply_wait(busy, PITH_REPLY | PITH_WAIT,
				      PITH_NO_DEADLINE);
		series_add(ticks() - start);
	}
	pith_reply_wait(busy, PITH_REPLY, PITH_NO_DEADLINE);
	return true;
}

static void clients(void)
{
	unsigned int n = 0;
	int mem = pith_mem_create(-1, (uint64_t)MOST * CLIENT_MEMORY, 0);
	char *stacks = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE,
				NULL);

	busy = pith_ep_create();
	shared_buffer = pith_mem_create(-1, PITH_BUFFER_SIZE, 0);
	for (unsigned int i = 1; stacks && i < NSTEPS; i++) {
		while (n < steps[i] && add_client(stacks + n * CLIENT_MEMORY))
			n++;
		if (n < steps[i])
			break;
		settle();
		if (serve_samples())
			series_print("curve.clients.rt_insns_%u", n);
	}
	say("bench: limit clients %u", n);
}

void curves(int root)
{
	int32_t ep = pith_ep_create();
	int process = pith_start(root, "server", 0, &ep, 1, -1);

	if (process < 0)
		return;
	domain = root;
	server = ep;
	objects(CAPS, "caps");
	objects(ENDPOINTS, "endpoints");
	objects(BADGES, "badges");
	clients();
}
