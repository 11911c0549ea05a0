// SPDX-License-Identifier: BSD-2-Clause
/* Memory, capabilities, threads, processes and deadlines of Pith. */
#include <errno.h>
#include <pith/rpc.h>
#include "bench.h"

static int root;

/* The least that a system call of Pith can do: nothing. */
static int null_call(void)
{
	return pith_signal(-1, 1) == -EBADF ? 0 : EIO;
}

static int memory(void)
{
	int mem = pith_mem_create(-1, SMALL, 0);

	pith_close(mem);
	return mem < 0 ? -mem : 0;
}

static int endpoint(void)
{
	int ep = pith_ep_create();

	pith_close(ep);
	return ep < 0 ? -ep : 0;
}

static int badge(void)
{
	static int ep = -1;
	int cap;

	if (ep < 0)
		ep = pith_ep_create();
	cap = pith_mint_badge(ep, 1);
	pith_close(cap);
	return cap < 0 ? -cap : 0;
}

static void map_cost(unsigned int size, const char *name)
{
	int mem = pith_mem_create(-1, size, 0);

	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();
		char *p = pith_map(mem, 0, size, PITH_MAP_READ | PITH_MAP_WRITE,
				   NULL);

		if (!p)
			break;
		touch(p, size);
		pith_unmap(p, size);
		series_add(ticks() - start);
	}
	series_print("map.pith.insns_%s", name);
	pith_close(mem);
}

/* From loading it to the notification of its end. */
static int process(void)
{
	static int ep = -1, notif;
	int p;

	if (ep < 0) {
		ep = pith_ep_create();
		notif = pith_notif_create();
		pith_notif_bind(notif, ep, 1);
	}
	p = pith_start(root, "nothing", 0, NULL, 0, notif);
	if (p < 0)
		return -p;
	if (pith_reply_wait(ep, PITH_WAIT, PITH_NO_DEADLINE) < 0)
		return EIO;
	pith_close(p);
	return 0;
}

static void timer(void)
{
	int ep = pith_ep_create();

	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t at = pith_now() + 100000;

		pith_reply_wait(ep, PITH_WAIT, at);
		series_add(pith_now() - at);
	}
	series_print("timer.pith.wake_insns");
	pith_close(ep);
}

void pith_objects(int domain)
{
	root = domain;
	measure("syscall.pith_signal.insns", null_call);
	measure("memory.pith.create_insns_4K", memory);
	measure("endpoint.pith.create_insns", endpoint);
	measure("badge.pith.mint_insns", badge);
	map_cost(SMALL, "4K");
	map_cost(LARGE, "2M");
	measure("thread.pith.create_insns", run_thread);
	measure("process.pith.create_insns", process);
	timer();
}
