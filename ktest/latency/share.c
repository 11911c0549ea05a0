// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is left for a component without a priority, while a subsystem whose domain
 * may use half of the CPU does the worst it can: pieces of work in a time, a page
 * of memory made and freed in each, in thousandths of what it does alone.
 */
#include <string.h>
#include <pith/rpc.h>
#include "latency.h"

#define PERIOD_NS	10000000u
#define RAM		(8ull << 20)
#define CAPS		100
#define SPINS		2000

/* Memory that it shares with core. */
struct neighbour {
	volatile uint64_t pieces;
	volatile bool failed;
};

static _Noreturn int neighbour(void)
{
	struct neighbour *n = pith_map(FD_EP, 0, 0,
				       PITH_MAP_READ | PITH_MAP_WRITE, NULL);

	need(n, "neighbour");
	for (;;) {
		int mem = pith_mem_create(-1, 4096, 0);

		n->failed |= mem < 0;
		pith_close(mem);
		for (volatile unsigned int i = 0; i < SPINS; i++)
			;
		n->pieces++;
	}
}

const struct role share_roles[] = { { "neighbour", neighbour }, { 0 } };

static struct neighbour *shared;

static void start_neighbour(void)
{
	int caps[FD_ARGS], domain = pith_domain_create(root);

	caps[FD_DOMAIN] = domain;
	caps[FD_EP] = pith_mem_create(-1, 4096, 0);
	caps[FD_EP2] = -1;
	shared = pith_map(caps[FD_EP], 0, 0, PITH_MAP_READ | PITH_MAP_WRITE,
			  NULL);
	need(shared && !pith_domain_transfer(root, domain, RAM, CAPS),
	     "neighbour");
	start_program(domain, "neighbour", 0, caps, FD_ARGS);
}

static uint64_t pieces_in(uint64_t us)
{
	uint64_t before = shared->pieces, start = pith_now(), ns;

	nap(us);
	ns = pith_now() - start;
	return (shared->pieces - before) * us * 1000 / ns;
}

/* Half of the CPU for @domain and all below it. */
static void half(int domain)
{
	struct pith_cpu_budget b = {
		.budget = PERIOD_NS / 2, .period = PERIOD_NS,
	};

	need(!pith_control(domain, PITH_OP_DOMAIN_CPU, &b), "budget");
}

void measure_shares(uint64_t us)
{
	int domain = pith_domain_create(root);
	uint64_t alone;

	need(domain >= 0, "domain");
	half(domain);
	start_neighbour();
	nap(us);
	alone = pieces_in(us);
	for (unsigned int i = 0; i < nloads; i++) {
		if (!loads[i].part[0].role)
			continue;
		start_parts(&loads[i], domain);
		nap(us);
		say("share: %s %u\n", loads[i].name,
		    (unsigned int)(pieces_in(us) * 1000 / alone));
		end_parts();
		nap(us);
		need(!shared->failed, "what the neighbour has paid for");
	}
}
