// SPDX-License-Identifier: BSD-2-Clause
/*
 * Priority inheritance with as much to go through as components can arrange: an
 * endpoint that many threads serve, and a server that has saved many replies.
 */
#include <pith/rpc.h>
#include "latency.h"

#define THREADS	60

/* Serves FD_EP, as it once waited there, and never comes back. */
static void member(void)
{
	pith_reply_wait(FD_EP, PITH_WAIT, 0);
	forever();
}

static _Noreturn int members(void)
{
	threads(THREADS, member);
	forever();
}

/* Its call is never answered. */
static void waiter(void)
{
	struct pith_msg *m = rpc_header();

	m->label = 1;
	m->len = 0;
	m->ncaps = 0;
	pith_call(FD_EP2, PITH_NO_DEADLINE);
	forever();
}

static _Noreturn int waiters(void)
{
	threads(THREADS, waiter);
	forever();
}

/* Answers calls with label 2, and keeps all others. */
static int saver(void)
{
	struct pith_msg *m = rpc_header();
	uint32_t flags = PITH_WAIT;

	while (pith_reply_wait(FD_EP2, flags, PITH_NO_DEADLINE) ==
	       PITH_GOT_CALL) {
		flags = PITH_REPLY | PITH_WAIT;
		if (m->label != 2) {
			pith_ep_save_reply(FD_EP2);
			flags = PITH_WAIT;
		}
		m->len = 0;
		m->ncaps = 0;
	}
	return 1;
}

/* Has a priority, which all of the above inherit in turn. */
static _Noreturn int urgent(void)
{
	struct pith_msg *m = rpc_header();

	for (unsigned int i = 0;; i++) {
		m->label = 2;
		m->len = 0;
		m->ncaps = 0;
		if (i & 1)
			pith_call(FD_EP, pith_now() + 20000);
		else
			pith_call(FD_EP2, PITH_NO_DEADLINE);
		nap(50);
	}
}

const struct role crowd_roles[] = {
	{ "members", members }, { "waiters", waiters }, { "saver", saver },
	{ "urgent", urgent }, { 0 }
};
