// SPDX-License-Identifier: BSD-2-Clause
/* Threads of the component's own, that libc makes: as many as quota allows. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "lib_test.h"

#define THREADS	300u		/* more than a space may have */
#define STACK	(16u << 10)

static pthread_t threads[THREADS];
static _Thread_local uint64_t own = 7;
static volatile bool go;
static uint64_t sum;

static bool aligned(const void *p)
{
	return (uintptr_t)p % 16 == 0;
}

static void *worker(void *arg)
{
	_Alignas(16) volatile char stack[64] = { 1 };
	uint64_t n = (uintptr_t)arg;
	bool good = own == 7 && aligned((const void *)stack) && stack[0] == 1;

	own = n;
	while (!go)
		;
	if (good && own == n)
		__atomic_fetch_add(&sum, n, __ATOMIC_RELAXED);
	return (void *)(n + 1);
}

static void *leaver(void *arg)
{
	return arg;
}

/* Who runs uses CPU: those that wait for the others spin, so few at a time. */
static unsigned int fill(pthread_attr_t *attr, void *(*fn)(void *), int *err)
{
	unsigned int n = 0;

	while (n < THREADS &&
	       !(*err = pthread_create(&threads[n], attr, fn,
				       (void *)(uintptr_t)(n + 1))))
		n++;
	return n;
}

static uint64_t drain(unsigned int n)
{
	uint64_t results = 0;
	void *result;

	for (unsigned int i = 0; i < n; i++) {
		pthread_join(threads[i], &result);
		results += (uintptr_t)result;
	}
	return results;
}

static void test_own(pthread_attr_t *attr)
{
	uint64_t n = 8, results;

	for (unsigned int i = 0; i < n; i++)
		if (pthread_create(&threads[i], attr, worker,
				   (void *)(uintptr_t)(i + 1)))
			n = i;
	expect(n == 8, "threads");
	go = true;
	results = drain((unsigned int)n);
	expect(sum == n * (n + 1) / 2, "each has its stack, its argument and "
	       "its thread-local data");
	expect(results == sum + n && own == 7, "and is joined");
}

/* What libc keeps of the first round it uses again. */
static void test_many(pthread_attr_t *attr)
{
	struct pith_domain_info before = { 0 };
	unsigned int first = 0, n;
	int err;

	for (unsigned int round = 0; round < 4; round++) {
		n = fill(attr, leaver, &err);
		expect(drain(n) == n * (n + 1ull) / 2, "each runs");
		/* one that has ended may free its place before the last is made */
		expect(n > 8, "there are many");
		expect(n == THREADS || err == EAGAIN, "threads end with the quota");
		if (round == 1)
			before = usage();
		first = round ? first : n;
	}
	expect(usage_same(&before), "all of it comes back");
	log_line("threads at a time: %u and more", first);
}

static void test_one_after_the_other(pthread_attr_t *attr)
{
	unsigned int n = 0;
	void *result;

	while (n < 1000 && !pthread_create(&threads[0], attr, leaver, &sum)) {
		pthread_join(threads[0], &result);
		n += result == &sum;
	}
	expect(n == 1000, "a thousand, one after the other");
}

void test_thread(void)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	test_own(&attr);
	test_many(&attr);
	test_one_after_the_other(&attr);
}
