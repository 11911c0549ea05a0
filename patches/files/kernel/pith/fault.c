// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults as messages: what would be a fatal signal of a thread is a call to its
 * fault endpoint instead, made by the thread itself, which then goes on or not
 * as the reply says. A reply that the thread owes to somebody stays owed.
 */
#include <linux/fdtable.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "pith.h"

/* Referenced, as a slot may change while the call waits. NULL: none. */
static struct file *fault_ep(struct pith_process *p, struct pith_thread *th)
{
	struct file *file;

	mutex_lock(&p->lock);
	file = th->fault_ep ?: p->fault_ep;
	if (file)
		get_file(file);
	mutex_unlock(&p->lock);
	return file;
}

static bool has_fault_ep(struct task_struct *task)
{
	struct pith_process *p = task->pith_process;
	struct pith_thread *th = task->pith;

	return p && p->mm && (READ_ONCE(p->fault_ep) ||
			      (th && READ_ONCE(th->fault_ep)));
}

/* A fault that is a message is not worth a line in the log. */
bool pith_expects_fault(struct task_struct *task)
{
	return has_fault_ep(task);
}

static bool resolved(struct file *file, struct pith_thread *th)
{
	struct pith_fault f = { .thread = th->obj.serial };
	int err;

	pith_fault_decode(&f);
	WRITE_ONCE(th->faults, th->faults + 1);
	smp_store_release(&th->faulted, true);
	err = pith_fault_call(pith_cap_of(file), th, &f);
	WRITE_ONCE(th->faulted, false);
	return !err;
}

/*
 * The calling thread has met an exception in user mode, which was about to
 * become a signal. True: it was dealt with.
 */
bool pith_fault(void)
{
	struct pith_thread *th;
	struct file *file;
	bool ok;

	if (!has_fault_ep(current) || (current->flags & PF_EXITING))
		return false;
	th = pith_thread_self();
	if (!th)
		return false;
	file = fault_ep(current->pith_process, th);
	if (!file)
		return false;
	ok = resolved(file, th);
	fput(file);
	return ok;
}

/* Put the endpoint that @arg names into a slot of @p or a thread of it. */
int pith_set_fault_ep(struct pith_process *p, struct file **slot,
		      void __user *arg)
{
	struct pith_fd_arg a;
	struct file *file = NULL;
	struct pith_cap *cap;
	struct fd f;
	int err = 0;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.zero)
		return -EINVAL;
	if (a.fd != -1) {
		cap = pith_fd_cap(a.fd, PITH_T_ENDPOINT, PITH_R_CALL, &f);
		if (IS_ERR(cap))
			return PTR_ERR(cap);
		file = get_file(fd_file(f));
		fdput(f);
	}
	mutex_lock(&p->lock);
	if (p->files)
		swap(*slot, file);
	else
		err = -EPIPE;
	mutex_unlock(&p->lock);
	if (file)
		fput(file);
	return err;
}
