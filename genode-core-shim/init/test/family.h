/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of init as a whole: short forms of what its children do. Each group
 * boots init anew in a process of its own, whose end also looks for lost memory.
 */
#ifndef INIT_TEST_FAMILY_H
#define INIT_TEST_FAMILY_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "world.h"
#include "../../lib/test/tap.h"

#define CONFIG_TOP \
	"config | prio_levels: 4\n" \
	"+ parent-provides\n" \
	"  + service ROM\n" \
	"  + service LOG\n" \
	"  + service PD\n" \
	"  + service CPU\n" \
	"  + service IO_MEM\n" \
	"+ default | caps: 100 | ram: 1M\n" \
	"+ default-route\n" \
	"  + any-service\n" \
	"    + parent\n" \
	"    + any-child\n"

/* As often as there are 150 ms without a third failure. */
#define RESTART "  + restart | max: 2 | within_ms: 150 | backoff_ms: 50\n"

static const char usual[] = CONFIG_TOP
	"+ start server | priority: -1\n"
	"  + provides\n"
	"    + service Block\n"
	"    + service Nic\n"
	RESTART
	"+ start client | managing_system: yes\n"
	"  + config | mode: fast\n"
	"    + sub a\n"
	RESTART
	"+ start other\n"
	"+ start control\n"
	"  + route\n"
	"    + service Init_control | + local\n"
	"    + any-service          | + any-child\n"
	"-\n";

/* --- short forms ------------------------------------ */

static inline int ask_with(const char *child, const char *service,
			   const char *label, const char *args, uint64_t ram,
			   uint64_t caps)
{
	struct parent_session req = { .ram = ram, .caps = caps };

	strncpy(req.service, service, sizeof(req.service));
	strncpy(req.label, label, sizeof(req.label));
	strncpy(req.args, args, sizeof(req.args));
	return world_call(child, PARENT_SESSION, &req, sizeof(req), 0);
}

static inline int ask(const char *child, const char *service, const char *label,
	       uint64_t ram, uint64_t caps)
{
	return ask_with(child, service, label, "", ram, caps);
}

static inline int status(int call)
{
	const struct answer *a = world_answer(call);

	return a->done ? a->status : 1;		/* 1: it still waits */
}

static inline uint64_t id_of(int call)
{
	const struct answer *a = world_answer(call);
	struct parent_session_reply rep = { .id = 0 };

	if (a->done && !a->status && a->len == sizeof(rep))
		memcpy(&rep, a->data, sizeof(rep));
	return rep.id;
}

static inline int end_session(const char *child, uint64_t id)
{
	struct parent_id req = { .id = id };

	return world_call(child, PARENT_CLOSE, &req, sizeof(req), 0);
}

static inline int announce(const char *child, const char *service)
{
	struct parent_announce req = { .service = "" };
	int n = world_notification();

	strncpy(req.service, service, sizeof(req.service));
	return status(world_call(child, PARENT_ANNOUNCE, &req, sizeof(req), n)) ?
	       -1 : n;
}

static inline struct parent_request next(const char *child)
{
	struct parent_request req = { .kind = 99 };
	int call = world_call(child, PARENT_NEXT_REQUEST, NULL, 0, 0);

	if (!status(call))
		memcpy(&req, world_answer(call)->data, sizeof(req));
	return req;
}

static inline int deliver(const char *child, uint64_t id, int how, int cap)
{
	struct parent_deliver req = { .id = id, .status = how };

	return status(world_call(child, PARENT_DELIVER, &req, sizeof(req), cap));
}

/* An open Block session of @client at "server", which is announced. */
static inline uint64_t open_block(const char *client, uint64_t ram, uint64_t caps)
{
	int call = ask(client, "Block", "x", ram, caps);
	struct parent_request r = next("server");

	if (r.kind != PARENT_REQ_CREATE ||
	    deliver("server", r.id, 0, world_endpoint()))
		return 0;
	return id_of(call);
}

static inline bool same(struct quota a, struct quota b)
{
	return a.ram == b.ram && a.caps == b.caps;
}

static inline bool differ(struct quota more, struct quota less, uint64_t ram,
		   uint64_t caps)
{
	return more.ram == less.ram + ram && more.caps == less.caps + caps;
}

/* --- each in a process of its own ------------------------------------ */

static struct {
	unsigned int tests, failures;
} *shared;

static inline void run(void (*group)(void), const char *name)
{
	int how;

	fflush(stdout);
	if (!fork()) {
		tap_tests = shared->tests;
		group();
		shared->tests = tap_tests;
		shared->failures += tap_failures;
		exit(0);
	}
	wait(&how);
	tap_tests = shared->tests;
	check(WIFEXITED(how) && !WEXITSTATUS(how), "%s ends and loses no memory",
	      name);
	shared->tests = tap_tests;
}

#define RUN(group) run(group, #group)

static inline void begin(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
}

static inline int end(void)
{
	tap_failures += shared->failures;
	return tap_end();
}

#endif
