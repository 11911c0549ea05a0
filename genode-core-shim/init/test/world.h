/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world around init, played on the host: the kernel's accounts and
 * capabilities, core's services, time, and children that do what a test says.
 * What leaks here, leaks there: every capability and byte is counted.
 */
#ifndef INIT_TEST_WORLD_H
#define INIT_TEST_WORLD_H

#include <pith/entrypoint.h>
#include <pith/env.h>
#include <session/parent.h>
#include "../quota.h"

#define WORLD_RAM	(64ull << 20)	/* init's domain at the start */
#define WORLD_CAPS	2000ull

/* Boot init with @config: it has started its children when this returns. */
void world_boot(const char *config);
/* init's ROM "config" has changed to @config, and init has seen it. */
void world_config(const char *config);
/* Let @ms pass: exits and timers happen. */
void world_run(uint64_t ms);
/* End the process @name with @status (as PITH_OP_SPACE_INFO tells it). */
void world_exit(const char *name, uint32_t status);
/* Does a process of that name run? How often was one started? */
bool world_runs(const char *name);
unsigned int world_starts(const char *name);
/* Status with which init ended itself, -1: it runs. */
int world_ended(void);

/* Figures to compare before and after. */
struct quota world_limit(void);		/* of init's domain */
struct quota world_init_unused(void);
struct quota world_unused(const char *name);	/* of a child's domain */
struct quota world_assigned(const char *name);	/* its limit */
uint64_t world_cpu(const char *name);	/* its CPU budget, ns in 100 ms */
uint64_t world_cpu_sets(const char *name);	/* how often it was set */
uint64_t world_init_caps(void);		/* capabilities that init pays */
unsigned int world_fds(void);		/* open in init */
/* From now on init has no more than @left descriptors free; 0: as at first. */
void world_few_fds(unsigned int left);
/* Bytes of the child's domain in use, on top of its process. */
void world_use(const char *name, int64_t ram);
void world_init_use(int64_t ram);	/* likewise of init's */

/* The next env_session() of init for @service fails with @err, or, if that is
 * "SCHED", its next CPU_SCHED; NULL: none. */
void world_fail(const char *service, int err);
/* During the next env_session() @ram comes back to init from elsewhere. */
void world_return(uint64_t ram);
/* Did a line with @part reach init's log since the last call? Clears it. */
bool world_logged(const char *part);

/* --- a child's calls ------------------------------------ */

struct answer {
	bool done;		/* false: the call still waits */
	int status;		/* 0 or -errno */
	size_t len;
	char data[PITH_MSG_BYTES];
	int cap;		/* object number of the capability, 0: none */
};

/* Call the parent as @name; the answer may come later: world_answer(). Returns a
 * number for it. @cap: object to pass, 0: none. */
int world_call(const char *name, uint64_t method, const void *req, size_t len,
	       int cap);
const struct answer *world_answer(int call);
/* The caller gives up waiting; the next call's does so before the answer. */
void world_give_up(int call);
void world_impatient(void);
/* Who has PD session @pd (object) moves quota from its domain to that of @to. */
void world_move(int pd, const char *to, struct quota q);
/* A new object owned by the test: a notification or an endpoint. */
int world_notification(void);
int world_endpoint(void);
uint64_t world_signals(int notification);
/* Call through capability @object that @call's answer brought, as @name. */
int world_invoke(const char *name, int object, uint64_t method,
		 const void *req, size_t len);
/* The same with a capability to pass and no data. */
int world_invoke_cap(const char *name, int object, uint64_t method, int cap);
/* Content of memory object @object. */
const char *world_memory(int object);
/* Last args and label that a service of core was asked with. */
const char *world_last_args(const char *service);
const char *world_last_label(const char *service);

#endif
