/* SPDX-License-Identifier: BSD-2-Clause */
/* TRACE: reading the system log, and the counters of threads. */
#include <errno.h>
#include <string.h>
#include "core.h"

/* Bytes of @label before its last " -> ": the subsystem that it is in. */
static size_t subsystem(const char *label)
{
	const char *at = label, *end = label;

	while ((at = strstr(at, " -> ")))
		end = at++;
	return end - label;
}

bool trace_sees(const char *trace, const char *label)
{
	size_t len = subsystem(trace);

	return !strncmp(trace, label, len) &&
	       (!label[len] || !strncmp(label + len, " -> ", 4));
}

static int trace_open(struct core_session *s, const char *args)
{
	(void)s;
	(void)args;
	return 0;
}

static int log_read(const struct core_session *s, struct ep_request *in)
{
	const struct trace_log_read *req = ep_req(in, struct trace_log_read);
	struct trace_log_reply rep = { 0 };
	char text[TRACE_TEXT_MAX];
	struct pith_log_read r = { .text = (uintptr_t)text, .len = sizeof(text) };
	int n, err;

	if (!req)
		return -EINVAL;
	if (!trace_sees(s->label, "init"))
		return -EACCES;
	r.seq = req->record;
	n = pith_control(core.hardware, PITH_OP_HW_LOG_READ, &r);
	if (n < 0)
		return n;
	rep.next = r.seq;
	rep.lost = r.lost;
	err = ep_reply_data(&core.ep, in, &rep, sizeof(rep));
	return err ? err : ep_reply_data(&core.ep, in, text, n);
}

/* False: it has ended. */
static bool describe(const struct core_thread *t, struct trace_subject *s)
{
	struct pith_thread_info i;

	if (pith_control(t->fd, PITH_OP_THREAD_INFO, &i) ||
	    i.state == PITH_THREAD_ENDED)
		return false;
	*s = (struct trace_subject){
		.id = t->id, .state = i.state, .cpu = i.cpu,
		.priority = i.priority, .priority_now = i.priority_now,
		.cpu_ns = i.cpu_ns, .calls = i.calls, .receives = i.receives,
		.faults = i.faults, .switches = i.switches,
	};
	strcpy(s->label, t->session->label);
	strcpy(s->name, t->name);
	return true;
}

static int subjects(const struct core_session *s, struct ep_request *in)
{
	const struct trace_subjects *req = ep_req(in, struct trace_subjects);
	static struct {
		struct trace_subjects_reply head;
		struct trace_subject list[TRACE_SUBJECTS_MAX];
	} rep;
	struct core_thread *t, *next;
	uint32_t n = 0;

	_Static_assert(sizeof(rep) <= PITH_MSG_BYTES, "fits into a reply");
	if (!req)
		return -EINVAL;
	list_for_each(t, next, &core_threads, struct core_thread, all)
		if (n < TRACE_SUBJECTS_MAX && t->id >= req->first &&
		    trace_sees(s->label, t->session->label))
			n += describe(t, &rep.list[n]);
	rep.head.count = n;
	return ep_reply_data(&core.ep, in, &rep,
			     sizeof(rep.head) + n * sizeof(rep.list[0]));
}

static int trace_call(void *ctx, struct ep_request *in)
{
	switch (in->method) {
	case TRACE_LOG_READ:
		return log_read(ctx, in);
	case TRACE_SUBJECTS:
		return subjects(ctx, in);
	}
	return -ENOSYS;
}

const struct core_service trace_service = {
	"TRACE", trace_open, trace_call, NULL
};
