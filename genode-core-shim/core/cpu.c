/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU: what only core may give threads, which their holders control otherwise.
 * Core keeps a capability to each thread that got something, for TRACE.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include "core.h"

#define NICE_LEVELS	20

struct core_thread *core_threads;
static struct core_thread **threads_end = &core_threads;
static uint64_t last_id;

/* --- threads that core knows ---------------------------------------------- */

static struct core_thread *known(uint64_t object)
{
	struct core_thread *t;

	for (t = core_threads; t && t->object != object; t = t->next)
		;
	return t;
}

static void forget(struct core_thread **p)
{
	struct core_thread *t = *p;

	*p = t->next;
	if (!*p)
		threads_end = p;
	pith_close(t->fd);
	free(t);
}

static bool ended(const struct core_thread *t)
{
	struct pith_thread_info info;

	return pith_control(t->fd, PITH_OP_THREAD_INFO, &info) ||
	       info.state == PITH_THREAD_ENDED;
}

/* Those of @s that ended, or all; how many are left. */
static uint64_t forget_threads(const struct core_session *s, bool all)
{
	struct core_thread **p = &core_threads;
	uint64_t left = 0;

	while (*p) {
		if ((*p)->session == s && (all || ended(*p))) {
			forget(p);
			continue;
		}
		left += (*p)->session == s;
		p = &(*p)->next;
	}
	return left;
}

static bool paid_for(const struct core_session *s, uint64_t threads)
{
	return (s->ram - CORE_SESSION_RAM) / CPU_THREAD_RAM > threads &&
	       (s->caps - CORE_SESSION_CAPS) / CPU_THREAD_CAPS > threads;
}

/* Takes @fd over unless it fails. */
static int remember(const struct core_session *s, int fd, uint64_t object,
		    const char *name)
{
	struct core_thread *t = malloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct core_thread){
		.session = s, .id = ++last_id, .object = object, .fd = fd,
	};
	strcpy(t->name, name);
	*threads_end = t;
	threads_end = &t->next;
	return 0;
}

int cpu_adopt(const char *label, int thread)
{
	struct core_session *s;
	struct pith_identify id;
	int err = pith_identify(thread, &id);

	if (err)
		return err;
	s = session_new(&cpu_service, label, "", -1, &err);
	return s ? remember(s, thread, id.object, "") : err;
}

/* --- sessions ------------------------------------------------------------- */

static int cpu_open(struct core_session *s, const char *args)
{
	s->cpu.priority = args_number(args, "priority", 0);
	s->cpu.affinity = args_number(args, "affinity", 0);
	return s->cpu.priority > CPU_PRIORITY_MAX ? -EINVAL : 0;
}

static void cpu_close(struct core_session *s)
{
	forget_threads(s, true);
}

/* Within what the session has, or -EINVAL. */
static int bounded(const struct core_session *s, const struct cpu_sched *req,
		   struct pith_sched *out)
{
	uint64_t priority;

	if (req->zero || req->priority > CPU_PRIORITY_MAX ||
	    !memchr(req->name, 0, sizeof(req->name)))
		return -EINVAL;
	priority = s->cpu.priority + req->priority;
	if (priority > CPU_PRIORITY_MAX)
		priority = CPU_PRIORITY_MAX;
	*out = (struct pith_sched){
		.nice = priority * NICE_LEVELS / (CPU_PRIORITY_MAX + 1),
		.affinity = s->cpu.affinity,
	};
	if (req->affinity)
		out->affinity = s->cpu.affinity ?
			s->cpu.affinity & req->affinity : req->affinity;
	return s->cpu.affinity && !out->affinity ? -EINVAL : 0;
}

static int schedule(struct core_session *s, struct ep_request *in)
{
	const struct cpu_sched *req = ep_req(in, struct cpu_sched);
	struct core_thread *t;
	struct pith_sched sched;
	struct pith_identify id;
	int err;

	if (!req || in->caps[0] < 0 || bounded(s, req, &sched) ||
	    pith_identify(in->caps[0], &id) || id.type != PITH_T_THREAD)
		return -EINVAL;
	t = known(id.object);
	if (t && t->session != s)
		return -EBUSY;
	if (!t && !paid_for(s, forget_threads(s, false)))
		return -EDQUOT;
	err = pith_control(in->caps[0], PITH_OP_THREAD_SCHED, &sched);
	if (err || t)
		return err;
	err = remember(s, in->caps[0], id.object, req->name);
	if (!err)
		ep_take_cap(in, 0);
	return err;
}

static int cpu_call(void *ctx, struct ep_request *in)
{
	return in->method == CPU_SCHED ? schedule(ctx, in) : -ENOSYS;
}

const struct core_service cpu_service = {
	"CPU", cpu_open, cpu_call, cpu_close
};
