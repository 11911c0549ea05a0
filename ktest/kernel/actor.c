// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>
#include "actor.h"

long set_sched(int thread, uint32_t priority, uint64_t affinity)
{
	struct pith_sched arg = { priority, 0, affinity };

	return kt_control(thread, PITH_OP_THREAD_SCHED, &arg);
}

static uint32_t priority_now(struct actor *a)
{
	return ks_thread_info(a->s.thread).priority_now;
}

bool await_priority(struct actor *a, uint32_t priority)
{
	uint64_t end = KT_SOON;

	while (priority_now(a) != priority && kt_now() < end)
		kt_sleep(KT_MS(2));
	return KT_EQ(priority_now(a), priority);
}

void await_waiting(struct actor *a)
{
	uint64_t end = KT_SOON;

	while (ks_thread_info(a->s.thread).state != PITH_THREAD_WAITING &&
	       kt_now() < end)
		kt_sleep(KT_MS(2));
	KT_EQ(ks_thread_info(a->s.thread).state, PITH_THREAD_WAITING);
}

void actor_prepare(struct actor *a, uint32_t priority, const int *eps,
		   unsigned int neps)
{
	int caps[4];

	memset(a, 0, sizeof(*a));
	a->mem = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));
	for (unsigned int i = 0; i < neps; i++)
		caps[i] = eps[i];
	caps[neps] = a->mem;
	ks_open(&a->s, caps, neps + 1);
	a->s.word[W_BUFFER] = neps;	/* struct pith_buffer: its descriptor */
	a->s.word[W_DEADLINE] = PITH_NO_DEADLINE;
	a->s.word[W_REPEAT] = 1;
	a->s.word[W_NSECONDS] = KT_MS(1);
	KT_EQ(set_sched(a->s.thread, priority, 0), 0);
}

void actor_start(struct actor *a, const uint8_t *code, uint32_t priority,
		 const int *eps, unsigned int neps)
{
	actor_prepare(a, priority, eps, neps);
	ks_run(&a->s, code, KS_DATA);
}

void actor_end(struct actor *a)
{
	/* what it took comes back once nobody waits for it or owes it a reply,
	 * and its thread has the CPU to end: looked at after the test */
	ks_end(&a->s);
	kt_domain_end(a->s.domain);
	kt_close(a->mem);
}

unsigned int cpus(void)
{
	struct pith_hw_info info = { 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_INFO, &info), 0);
	return info.cpus;
}

void expect_stopped(struct actor *a)
{
	uint64_t seen = a->s.word[W_COUNT];

	kt_sleep(KT_MS(100));
	KT_EQ(a->s.word[W_COUNT], seen);
}

void await_steps(struct actor *a)
{
	uint64_t seen = a->s.word[W_COUNT], end = KT_SOON;

	while (a->s.word[W_COUNT] == seen && kt_now() < end)
		kt_sleep(KT_MS(2));
	KT_TRUE(a->s.word[W_COUNT] != seen);
}
