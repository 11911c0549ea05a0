// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults as messages: what would be a fatal signal of a thread is a call to its
 * fault endpoint instead, made by the thread itself, which then goes on or not
 * as the reply says. A reply that the thread owes to somebody stays owed.
 */
#include <linux/fdtable.h>
#include <linux/sched/signal.h>
#include "pith.h"

/* Referenced, as a slot may change while the call waits. NULL: none. */
static struct file *fault_ep(struct pith_process *p, struct pith_thread *th)
{
	struct file *file;

	guard(mutex)(&p->lock);
	file = th->fault_ep ?: p->fault_ep;
	return file ? get_file(file) : NULL;
}

/* Of those in one domain: who makes spaces that fault could fill the log. */
#define FAULT_LINES	4

/* Is a fault of @task going to be a message? */
static bool expects_fault(struct task_struct *task)
{
	struct pith_process *p = task->pith_process;
	struct pith_thread *th = task->pith;

	return p && p->mm && (READ_ONCE(p->fault_ep) ||
			      (th && READ_ONCE(th->fault_ep)));
}

/* Then it is not worth a line in the log, and no domain has many. */
bool pith_fault_unsaid(struct task_struct *task)
{
	struct pith_process *p = task->pith_process;

	return p && (expects_fault(task) ||
		     !atomic_add_unless(&p->domain->fault_lines, 1,
					FAULT_LINES));
}

/*
 * The calling thread has met an exception in user mode, which was about to
 * become a signal. True: it was dealt with.
 */
bool pith_fault(void)
{
	struct file *file __free(fput) = NULL;
	struct pith_fault f = {};
	struct pith_thread *th;
	int err;

	if (!expects_fault(current) || (current->flags & PF_EXITING))
		return false;
	th = pith_thread_self();
	if (IS_ERR(th))
		return false;
	file = fault_ep(current->pith_process, th);
	if (!file)
		return false;
	f.thread = th->obj.serial;
	pith_fault_decode(&f);
	WRITE_ONCE(th->faults, th->faults + 1);
	smp_store_release(&th->faulted, true);
	err = pith_fault_call(pith_cap_of(file), th, &f);
	WRITE_ONCE(th->faulted, false);
	return !err;
}

/* Put the endpoint @fd into a slot of @p or a thread of it. */
static int set_fault_ep(struct pith_process *p, struct file **slot, int fd)
{
	struct file *file __free(fput) = NULL;

	if (fd != -1) {
		CLASS(pith_fd, f)(fd, PITH_T_ENDPOINT, PITH_R_CALL);
		if (IS_ERR(f.cap))
			return PTR_ERR(f.cap);
		file = get_file(fd_file(f.fd));
	}
	guard(mutex)(&p->lock);
	if (!p->files)
		return -EPIPE;
	swap(*slot, file);
	return 0;
}

int pith_op_space_fault_ep(struct pith_cap *cap, void *arg)
{
	struct pith_process *p = pith_cap_to(cap, struct pith_process);
	struct pith_fd_arg *a = arg;

	return set_fault_ep(p, &p->fault_ep, a->fd);
}

int pith_op_thread_fault_ep(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct pith_fd_arg *a = arg;

	return set_fault_ep(th->space, &th->fault_ep, a->fd);
}
