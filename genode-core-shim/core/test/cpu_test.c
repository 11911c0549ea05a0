/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: ../../lib/args.c ../../lib/id_table.c */
/* CPU and TRACE sessions of core, on threads that this file plays. */
#include "../cpu.c"
#include "../trace.c"
#include "../../lib/test/tap.h"

#define THREADS	64

struct core core;

/* Thread i is descriptor i, of object 1000 + i, while it is open. */
static struct played {
	bool open, ended;
	struct pith_sched sched;
	unsigned int scheds;
} played[THREADS];

static uint8_t reply[PITH_MSG_BYTES];
static size_t reply_len;

int pith_identify(int fd, struct pith_identify *id)
{
	if (fd < 0 || fd >= THREADS || !played[fd].open)
		return -EBADF;
	*id = (struct pith_identify){
		.type = fd ? PITH_T_THREAD : PITH_T_ENDPOINT,
		.object = 1000 + fd % 32,
	};
	return 0;
}

static int control(int fd, uint32_t op, void *arg)
{
	struct played *p = &played[fd];

	if (op == PITH_OP_THREAD_SCHED) {
		p->sched = *(struct pith_sched *)arg;
		p->scheds++;
		return p->ended ? -EPIPE : 0;
	}
	*(struct pith_thread_info *)arg = (struct pith_thread_info){
		.state = p->ended ? PITH_THREAD_ENDED : PITH_THREAD_WAITING,
		.cpu_ns = 5 * fd,
	};
	return 0;
}

long pith_syscall4(long nr, long a, long b, long c, long d)
{
	return nr == PITH_NR_CONTROL && !d ? control(a, b, (void *)c) : -ENOSYS;
}

void pith_close(int fd)
{
	if (fd >= 0)
		played[fd].open = false;
}

int ep_take_cap(struct ep_request *in, unsigned int i)
{
	int fd = in->caps[i];

	in->caps[i] = PITH_CAP_NONE;
	return fd;
}

int ep_reply_data(struct entrypoint *ep, struct ep_request *in,
		  const void *data, size_t len)
{
	(void)ep;
	(void)in;
	memcpy(reply + reply_len, data, len);
	reply_len += len;
	return 0;
}

struct core_session *session_new(const struct core_service *service,
				 const char *label, const char *args,
				 int account, int *err)
{
	static struct core_session sessions[8];
	static unsigned int n;
	struct core_session *s = &sessions[n++ % 8];

	(void)account;
	*s = (struct core_session){ .service = service, .fd = -1 };
	strcpy(s->label, label);
	*err = service->open(s, args);
	return *err ? NULL : s;
}

static struct core_session *opened(const char *label, const char *args)
{
	int err;
	struct core_session *s = session_new(&cpu_service, label, args, -1, &err);

	if (s) {
		s->ram = CORE_SESSION_RAM + 4 * CPU_THREAD_RAM;
		s->caps = CORE_SESSION_CAPS + 4 * CPU_THREAD_CAPS;
	}
	return s;
}

/* CPU_SCHED of @fd as core's entrypoint would give it to the session. */
static int sched(struct core_session *s, int fd, struct cpu_sched req)
{
	struct ep_request in = {
		.method = CPU_SCHED, .data = &req, .len = sizeof(req),
		.ncaps = 1, .caps = { fd },
	};
	int err;

	played[fd].open = true;
	err = s->service->call(s, &in);
	pith_close(in.caps[0]);
	return err;
}

static const struct cpu_sched plain;

static void end(struct core_session *s)
{
	s->service->close(s);
}

static void test_priority(void)
{
	struct core_session *s = opened("init -> a", "priority=32768");
	struct cpu_sched req = { .priority = 16384 };

	check(!sched(s, 1, plain) && played[1].sched.nice == 10,
	      "a thread gets the session's priority");
	check(!sched(s, 1, req) && played[1].sched.nice == 15 &&
	      played[1].scheds == 2, "or one below it, at any time");
	req.priority = CPU_PRIORITY_MAX;
	check(!sched(s, 1, req) && played[1].sched.nice == 19,
	      "down to the lowest of all");
	check(!played[1].sched.priority, "never real time");
	req.priority = CPU_PRIORITY_MAX + 1;
	check(sched(s, 1, req) == -EINVAL && played[1].scheds == 3,
	      "more is refused");
	check(!opened("init -> a", "priority=65536"), "for a session as well");
	end(s);
}

static void test_affinity(void)
{
	struct core_session *s = opened("init -> a", "affinity=6");
	struct cpu_sched req = { .affinity = 12 };

	check(!sched(s, 1, plain) && played[1].sched.affinity == 6,
	      "all CPUs of the session");
	check(!sched(s, 1, req) && played[1].sched.affinity == 4,
	      "those that are also the session's");
	req.affinity = 8;
	check(sched(s, 1, req) == -EINVAL && played[1].sched.affinity == 4,
	      "or none");
	end(s);
	s = opened("init -> a", "");
	check(!sched(s, 1, req) && played[1].sched.affinity == 8,
	      "a session without a mask has all");
	end(s);
}

static void test_refused(void)
{
	struct core_session *s = opened("init -> a", "");
	struct cpu_sched req = { .zero = 1 };

	check(sched(s, 1, req) == -EINVAL, "a reserved field");
	memset(req.name, 'x', sizeof(req.name));
	req.zero = 0;
	check(sched(s, 1, req) == -EINVAL, "a name without end");
	check(sched(s, 0, plain) == -EINVAL, "no thread");
	check(list_empty(&core_threads) && !played[1].open, "and nothing is kept");
	played[2].ended = true;
	check(sched(s, 2, plain) == -EPIPE && list_empty(&core_threads), "one that ended");
	played[2].ended = false;
	end(s);
}

static void test_threads(void)
{
	struct core_session *a = opened("init -> a", "");
	struct core_session *b = opened("init -> b", "");
	int i, err = 0;

	for (i = 1; i <= 4; i++)
		err |= sched(a, i, plain);
	check(!err && sched(a, 5, plain) == -EDQUOT && !played[5].open,
	      "as many threads as the donation pays for");
	check(!sched(a, 36, plain) && !played[36].open && played[4].open,
	      "one that is known costs nothing more");
	check(sched(b, 36, plain) == -EBUSY, "and is no other session's");
	played[2].ended = true;
	check(!sched(a, 5, plain) && !played[2].open && played[5].open,
	      "one that ended makes room");
	played[2].ended = false;
	check(!sched(b, 6, plain), "another session");
	a->service->close(a);
	check(!played[1].open && !played[5].open && played[6].open,
	      "a closed session forgets its threads and no others");
	check(!sched(b, 1, plain), "which are free then");
	b->service->close(b);
	check(list_empty(&core_threads), "nothing is left");
}

static int trace(const char *label, uint64_t first)
{
	struct trace_subjects req = { .first = first };
	struct ep_request in = {
		.method = TRACE_SUBJECTS, .data = &req, .len = sizeof(req),
	};
	struct core_session s = { .service = &trace_service };

	strcpy(s.label, label);
	reply_len = 0;
	return trace_service.call(&s, &in);
}

static uint32_t count(void)
{
	return ((struct trace_subjects_reply *)reply)->count;
}

static const struct trace_subject *subject(unsigned int i)
{
	return (struct trace_subject *)
		(reply + sizeof(struct trace_subjects_reply)) + i;
}

static void test_trace(void)
{
	struct core_session *a = opened("init -> a", "");
	struct core_session *deep = opened("init -> a -> b", "");
	struct cpu_sched req = { .name = "worker" };

	played[10].open = true;
	check(!cpu_adopt("init", 10), "core's own child");
	sched(a, 1, plain);
	sched(a, 2, req);
	sched(deep, 3, plain);
	check(!trace("init -> shell", 0) && count() == 4, "the top sees all");
	check(!strcmp(subject(0)->label, "init") &&
	      !strcmp(subject(2)->label, "init -> a") &&
	      !strcmp(subject(2)->name, "worker") && subject(2)->cpu_ns == 10 &&
	      subject(2)->state == PITH_THREAD_WAITING, "label, name, figures");
	trace("init -> shell", subject(1)->id + 1);
	check(count() == 2, "from an id on");
	check(!trace("init -> a -> c", 0) && count() == 3 &&
	      !strcmp(subject(0)->label, "init -> a"),
	      "a subsystem sees itself only");
	check(!trace("init -> a -> b -> c", 0) && count() == 1, "at any depth");
	check(!trace("init -> other -> b", 0) && !count(), "and no other's");
	played[2].ended = true;
	check(!trace("init -> shell", 0) && count() == 3, "not what has ended");
	played[2].ended = false;
	check(trace_sees("init -> shell", "init -> shell -> x") &&
	      !trace_sees("init -> a -> x", "init -> ab") &&
	      !trace_sees("init -> ab -> x", "init -> a"),
	      "names with the same beginning are different ones");
	end(a);
	end(deep);
	forget_threads(list_entry(core_threads.next, struct core_thread,
				  all)->session, true);
}

static void test_many(void)
{
	struct core_session *s = opened("init -> a", "");
	unsigned int seen = 0;
	uint64_t first = 0;
	int i;

	s->ram = s->caps = 1 << 20;
	for (i = 1; i < 32; i++)
		sched(s, i, plain);
	do {
		trace("init -> t", first);
		for (i = 0; i < (int)count(); i++, seen++)
			first = subject(i)->id + 1;
	} while (count());
	check(seen == 31 && first > 31, "in parts");
	end(s);
}

static void test_log(void)
{
	struct trace_log_read req = { 0 };
	struct ep_request in = {
		.method = TRACE_LOG_READ, .data = &req, .len = sizeof(req),
	};
	struct core_session s = { .label = "init -> sub -> x" };

	check(trace_service.call(&s, &in) == -EACCES,
	      "a subsystem does not read the log of all");
	in.method = 99;
	check(trace_service.call(&s, &in) == -ENOSYS, "no such method");
}

int main(void)
{
	test_priority();
	test_affinity();
	test_refused();
	test_threads();
	test_trace();
	test_many();
	test_log();
	return tap_end();
}
