// SPDX-License-Identifier: BSD-2-Clause
/*
 * Before there is a core: the first process, while it is one of Linux and alone,
 * can become it, and nobody else; all other operations are refused.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core.h"

/* What was answered then, before anything could be checked. */
static struct {
	bool tried;
	long other_op, with_threads;
	int child;		/* exit status */
} boot;

static volatile bool over;

static long bootstrap(void)
{
	struct pith_bootstrap b;

	return kt_control(-1, PITH_OP_BOOTSTRAP, &b);
}

static void *be_there(void *arg)
{
	(void)arg;
	while (!over)
		usleep(1000);
	return NULL;
}

static bool child_is_refused(void)
{
	return bootstrap() == -EPERM && kt_ep_create() == -EPERM &&
	       kt_call(0, 0) == -EINVAL &&
	       kt_reply_wait(0, PITH_WAIT, 0) == -EINVAL &&
	       kt_signal(0, 1) == -EBADF;
}

/* A thread that was joined counts until the kernel is done with it. */
static void await_alone(void)
{
	for (int i = 0; i < 5000 && unshare(CLONE_THREAD); i++)
		usleep(1000);
}

void boot_try(void)
{
	pthread_t other;
	int status;

	boot.other_op = kt_ep_create();
	if (pthread_create(&other, NULL, be_there, NULL))
		return;
	boot.with_threads = bootstrap();
	over = true;
	pthread_join(other, NULL);
	await_alone();
	if (!fork())
		_exit(child_is_refused() ? 17 : 1);
	wait(&status);
	boot.child = WEXITSTATUS(status);
	boot.tried = true;
}

KT_CORE(boot_refusals)
{
	KT_TRUE(boot.tried);
	KT_EQ(boot.other_op, -EPERM);
	KT_EQ(boot.with_threads, -EPERM);
	KT_EQ(boot.child, 17);
	KT_EQ(bootstrap(), -EPERM);		/* core, once more */
	KT_EQ(kt_control(0, PITH_OP_BOOTSTRAP, NULL), -EBADF);
}

/* A component, of whatever it holds. */
KT_COMPONENT(boot_not_by_component)
{
	KT_EQ(bootstrap(), -EPERM);
}
