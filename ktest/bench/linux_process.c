// SPDX-License-Identifier: BSD-2-Clause
/* Threads, processes and timers of Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

void measure(const char *key, int (*what)(void))
{
	int err = 0;

	series_start();
	for (unsigned int i = 0; !err && i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		err = what();
		series_add(ticks() - start);
	}
	if (err)
		missing(key, err);
	else
		series_print("%s", key);
}

static int null_call(void)
{
	getppid();
	return 0;
}

static void *nothing(void *arg)
{
	return arg;
}

/* The stack is there already, as in a pool. */
int run_thread(void)
{
	static char stack[16384] __attribute__((aligned(4096)));
	pthread_attr_t attr;
	pthread_t id;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, sizeof(stack));
	err = pthread_create(&id, &attr, nothing, NULL);
	return err ? err : pthread_join(id, NULL);
}

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return status ? EIO : 0;
}

static int fork_only(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return wait_for(pid);
}

/* A program of its own: this one, which as `nothing` ends at once. */
static int spawn(void)
{
	static char *argv[] = { "nothing", NULL };
	pid_t pid;
	int err = posix_spawn(&pid, "/init", NULL, NULL, argv, argv + 1);

	return err ? err : wait_for(pid);
}

/* From the time that was asked for to the instruction that runs then. */
static void timer(void)
{
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t at = pith_now() + 100000;
		struct timespec t = { at / 1000000000, at % 1000000000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		series_add(pith_now() - at);
	}
	series_print("timer.nanosleep.wake_insns");
}

void linux_process(void)
{
	measure("syscall.getppid.insns", null_call);
	measure("thread.pthread.create_insns", run_thread);
	measure("process.fork.create_insns", fork_only);
	measure("process.spawn.create_insns", spawn);
	timer();
}
