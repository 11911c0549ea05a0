// SPDX-License-Identifier: BSD-2-Clause
/*
 * What core, init and the component library cost. For scripts/bench, which runs
 * this where one instruction takes one nanosecond.
 */
#include <errno.h>
#include <stdbool.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "kid.h"

#define ROUNDS	101

static const struct session_quota donation = { .ram = 16384, .caps = 8 };

struct subject {
	const char *key;
	int (*once)(void);
	unsigned int rounds;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const struct subject *s)
{
	uint64_t took[ROUNDS];
	int err = s->once();	/* the first time is another matter */

	for (unsigned int i = 0; i < s->rounds && !err; i++) {
		took[i] = pith_now();
		err = s->once();
		took[i] = pith_now() - took[i];
	}
	if (err)
		env_fatal("%s: %s", s->key, strerror(-err));
	qsort(took, s->rounds, sizeof(took[0]), by_value);
	log_line("bench: %s %llu %llu", s->key,
		 (unsigned long long)took[s->rounds / 2],
		 (unsigned long long)took[0]);
}

/* --- calls ---------------------------------------------------------------- */

static int bare_ep, stub_cap, pd_cap;

static void *bare_server(void *arg)
{
	int got = rpc_thread_init();

	if (!got)
		got = pith_reply_wait(bare_ep, PITH_WAIT, PITH_NO_DEADLINE);
	while (got == PITH_GOT_CALL) {
		rpc_header()->label = rpc_header()->len = 0;
		rpc_header()->ncaps = 0;
		got = pith_reply_wait(bare_ep, PITH_REPLY | PITH_WAIT,
				      PITH_NO_DEADLINE);
	}
	return arg;
}

static int nothing(void *ctx, struct ep_request *in)
{
	(void)ctx;
	(void)in;
	return 0;
}

static struct entrypoint stub_ep;

static void *stub_server(void *arg)
{
	if (!rpc_thread_init())
		ep_run(&stub_ep);
	return arg;
}

static int bare_call(void)
{
	struct pith_msg *m = rpc_header();

	m->label = 1;
	m->len = m->ncaps = 0;
	return pith_call(bare_ep, pith_now() + PITH_SEC(5));
}

static int stub_call(void)
{
	return rpc_simple(stub_cap, 1, NULL, 0, NULL, 0,
			  pith_now() + PITH_SEC(5));
}

/* A method that core does not have. */
static int core_call(void)
{
	int err = rpc_simple(pd_cap, 999, NULL, 0, NULL, 0,
			     pith_now() + PITH_SEC(5));

	return err == -ENOSYS ? 0 : -EPROTO;
}

static void start_servers(void)
{
	uint64_t badge;
	pthread_t thread;

	bare_ep = pith_ep_create();
	if (bare_ep < 0 || ep_init(&stub_ep))
		env_fatal("no endpoints");
	stub_cap = ep_new_object(&stub_ep, nothing, NULL, &badge);
	if (stub_cap < 0 ||
	    pthread_create(&thread, NULL, bare_server, NULL) ||
	    pthread_create(&thread, NULL, stub_server, NULL))
		env_fatal("no servers");
}

/* --- the rest ------------------------------------------------------------- */

static struct region_map self;
static int page;

static int session(void)
{
	struct session s;
	int err = env_session(&s, "LOG", "bench", "", &donation,
			      pith_now() + PITH_SEC(5));

	env_close(&s);
	return err;
}

static int ram(void)
{
	int mem = pith_mem_create(-1, 4096, 0);

	pith_close(mem);
	return mem < 0 ? mem : 0;
}

static int attach_and(bool touch)
{
	struct rm_attach a = {
		.mem = page, .size = 4096, .at = RM_ANYWHERE,
		.rights = PITH_R_READ | PITH_R_WRITE,
	};
	int64_t at = rm_attach(&self, &a);

	if (at < 0)
		return at;
	if (touch)
		*(volatile char *)at = 1;
	return rm_detach(&self, at);
}

static int region(void)
{
	return attach_and(true);
}

static int region_untouched(void)
{
	return attach_and(false);
}

/* Beside something else: the page tables are there, as they mostly are. */
static int beside_and(bool touch)
{
	static int64_t other = -1;
	struct rm_attach a = {
		.mem = page, .at = RM_ANYWHERE, .rights = PITH_R_READ,
	};

	if (other < 0)
		other = rm_attach(&self, &a);
	return other < 0 ? (int)other : attach_and(touch);
}

static int beside(void)
{
	return beside_and(false);
}

static int beside_touched(void)
{
	return beside_and(true);
}

static int object(void)
{
	uint64_t badge;
	int fd = ep_new_object(&ep, nothing, NULL, &badge);

	if (fd < 0)
		return fd;
	ep_remove(&ep, badge);
	pith_close(fd);
	return 0;
}

/* From the request for its PD to the first call that it makes. */
static int component(void)
{
	static struct kid k;
	static bool runs;

	if (runs)
		kid_end(&k);
	runs = kid_start(&k, NULL);
	return runs ? 0 : -ECANCELED;
}

void bench(void)
{
	static const struct subject subjects[] = {
		{ "rpc.bare.rt_insns", bare_call, ROUNDS },
		{ "rpc.stub.rt_insns", stub_call, ROUNDS },
		{ "rpc.core.rt_insns", core_call, ROUNDS },
		{ "session.pith.open_close_insns", session, ROUNDS },
		{ "ram.pith.alloc_free_insns", ram, ROUNDS },
		{ "region.pith.attach_detach_insns", region, ROUNDS },
		{ "region.pith.untouched_insns", region_untouched, ROUNDS },
		{ "region.pith.beside_insns", beside, ROUNDS },
		{ "region.pith.beside_touched_insns", beside_touched, ROUNDS },
		{ "object.pith.manage_insns", object, ROUNDS },
		{ "component.pith.restart_insns", component, 21 },
	};
	int space = rm_own_space();
	struct session pd;

	page = pith_mem_create(-1, 4096, 0);
	if (space < 0 || page < 0 || rm_init_space(&self, space, NULL) ||
	    env_session(&pd, "PD", "bench", "", &donation,
			pith_now() + PITH_SEC(5)))
		env_fatal("no space");
	pd_cap = pd.cap;
	start_servers();
	for (unsigned int i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		measure(&subjects[i]);
	log_line("bench: done");
}
