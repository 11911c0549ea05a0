/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU: what only core may give threads, which their holders control otherwise. */
#include <errno.h>
#include <pith/env.h>
#include "core.h"

#define MAX_PRIORITY	65535u

static int cpu_open(struct core_session *s, const char *args)
{
	uint64_t priority = args_number(args, "priority", 0);

	if (priority > MAX_PRIORITY)
		return -EINVAL;
	s->cpu.nice = priority * 20 / (MAX_PRIORITY + 1);
	s->cpu.affinity = args_number(args, "affinity", 0);
	return 0;
}

static int schedule(struct core_session *s, struct ep_request *in)
{
	const struct cpu_sched *req = ep_req(in, struct cpu_sched);
	struct pith_sched sched = {
		.nice = s->cpu.nice, .affinity = s->cpu.affinity,
	};

	if (!req || in->caps[0] < 0)
		return -EINVAL;
	if (req->affinity)
		sched.affinity = sched.affinity ?
			sched.affinity & req->affinity : req->affinity;
	if (!sched.affinity && s->cpu.affinity)
		return -EINVAL;
	return pith_control(in->caps[0], PITH_OP_THREAD_SCHED, &sched);
}

static int cpu_call(void *ctx, struct ep_request *in)
{
	return in->method == CPU_SCHED ? schedule(ctx, in) : -ENOSYS;
}

const struct core_service cpu_service = { "CPU", cpu_open, cpu_call, NULL };
