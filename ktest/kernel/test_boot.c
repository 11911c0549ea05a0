// SPDX-License-Identifier: BSD-2-Clause
/*
 * Before there is a core: the first process, while it is one of Linux and alone,
 * can become it, and nobody else; all other operations are refused.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
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
		kt_sleep(KT_MS(1));
	return NULL;
}

static bool child_is_refused(void)
{
	return bootstrap() == -EPERM && kt_ep_create() == -EPERM &&
	       kt_call(0, 0) == -EINVAL &&
	       kt_reply_wait(0, PITH_WAIT, 0) == -EINVAL &&
	       kt_signal(0, 1) == -EBADF;
}

static int be_child(void *arg)
{
	(void)arg;
	boot.child = child_is_refused() ? 17 : 1;
	return 0;
}

void boot_try(void)
{
	static char stack[65536];
	pthread_t other;

	boot.other_op = kt_ep_create();
	if (pthread_create(&other, NULL, be_there, NULL))
		return;
	boot.with_threads = bootstrap();
	over = true;
	pthread_join(other, NULL);
	/* with our memory, while we wait; nobody has to reap it */
	signal(SIGCHLD, SIG_IGN);
	boot.tried = clone(be_child, stack + sizeof(stack),
			   CLONE_VM | CLONE_VFORK | SIGCHLD, NULL) > 0;
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
