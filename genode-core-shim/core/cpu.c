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
#define LOOK_FIRST	8

struct list core_threads = { &core_threads, &core_threads };
static struct id_table by_object;
static uint64_t last_id;

/* --- threads that core knows ---------------------------------------------- */

static struct core_thread *known(uint64_t object)
{
	struct id_link *l = id_find(&by_object, object);

	return l ? id_entry(l, struct core_thread, object) : NULL;
}

static void forget(struct core_thread *t)
{
	id_del(&by_object, &t->object);
	list_del(&t->all);
	list_del(&t->of_session);
	t->session->cpu.nthreads--;
	pith_close(t->fd);
	free(t);
}

static bool ended(const struct core_thread *t)
{
	struct pith_thread_info info;

	return pith_control(t->fd, PITH_OP_THREAD_INFO, &info) ||
	       info.state == PITH_THREAD_ENDED;
}

/* Those of @s that ended, or all. */
static void forget_threads(struct core_session *s, bool all)
{
	struct core_thread *t, *next;

	list_for_each(t, next, &s->cpu.threads, struct core_thread, of_session)
		if (all || ended(t))
			forget(t);
}

static bool paid_for(const struct core_session *s)
{
	return (s->ram - CORE_SESSION_RAM) / CPU_THREAD_RAM > s->cpu.nthreads &&
	       (s->caps - CORE_SESSION_CAPS) / CPU_THREAD_CAPS > s->cpu.nthreads;
}

/* May @s have one more? Which have ended is looked at when they are twice as many
 * as they were then, so that each new one is cheap. */
static bool has_room(struct core_session *s)
{
	if (paid_for(s) && s->cpu.nthreads < s->cpu.look)
		return true;
	forget_threads(s, false);
	s->cpu.look = 2 * s->cpu.nthreads + LOOK_FIRST;
	return paid_for(s);
}

/* Takes @fd over unless it fails. */
static int remember(struct core_session *s, int fd, uint64_t object,
		    const char *name)
{
	struct core_thread *t = id_room(&by_object) ? NULL : malloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct core_thread){
		.session = s, .id = ++last_id, .fd = fd,
	};
	strcpy(t->name, name);
	id_add(&by_object, &t->object, object);
	list_add_before(&t->all, &core_threads);
	list_add_before(&t->of_session, &s->cpu.threads);
	s->cpu.nthreads++;
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
	list_init(&s->cpu.threads);
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
	if (!t && !has_room(s))
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
