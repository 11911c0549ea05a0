// SPDX-License-Identifier: GPL-2.0-only
/*
 * What core and every space have in common: a domain that pays, tasks that come
 * and go, and an end that is told.
 */
#include <linux/fdtable.h>
#include <linux/mmu_context.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <uapi/linux/futex.h>
#include "pith.h"
#include "../sched/sched.h"

DEFINE_MUTEX(pith_process_lock);

static void process_free(struct pith_object *obj)
{
	struct pith_process *p = container_of(obj, struct pith_process, obj);

	if (p->exit_notif)
		pith_put(&p->exit_notif->obj);
	if (p->files)
		put_files_struct(p->files);
	if (p->mm)
		mmdrop(p->mm);
	pith_put(&p->domain->obj);
	kfree_rcu(p, rcu);	/* pith_account() looks at it */
}

struct pith_process *pith_process_new(struct pith_domain *d, size_t more)
{
	struct pith_process *p = pith_object_new(d, PITH_T_SPACE, sizeof(*p),
						 more, process_free);

	if (IS_ERR(p))
		return p;
	INIT_LIST_HEAD(&p->link);
	INIT_LIST_HEAD(&p->threads);
	mutex_init(&p->lock);
	atomic_set(&p->tasks, 1);
	atomic_set(&p->live, 1);
	pith_get(&d->obj);
	p->domain = d;
	return p;
}

/* --- hooks in fork and exit --------------------------------------------------------- */

/* What a thread takes: its stack, its task, and the files that may hang from it
 * alone, in a message, as its buffer and as its fault endpoint. */
#define THREAD_RAM	(THREAD_SIZE +					\
			 PAGE_ALIGN(sizeof(struct task_struct) +	\
				    sizeof(struct signal_struct) +	\
				    sizeof(struct sighand_struct)) +	\
			 (PITH_MSG_CAPS + 2) * PITH_CAP_RAM)

/* Numbers come again after so many that none of the first is left. */
pid_t pith_next_tid(struct pith_process *p)
{
	return 1 + (u32)(atomic_inc_return(&p->last_tid) - 1) % FUTEX_TID_MASK;
}

static void process_exit(struct pith_process *p, struct task_struct *task)
{
	int code = task->signal->group_exit_code ?: task->exit_code;

	if (p->mm) {
		mutex_lock(&p->lock);
		if (p->killed)
			code = p->code;
		pith_threads_forget(p, true);
		mutex_unlock(&p->lock);
	}
	mutex_lock(&pith_process_lock);
	p->status = code & 0x7f ? 128 + (code & 0x7f) : (code >> 8) & 0xff;
	smp_store_release(&p->exited, true);
	list_del_init(&p->link);
	mutex_unlock(&pith_process_lock);
	if (p->exit_notif && p->started)
		pith_notif_signal(p->exit_notif, 1);
}

/*
 * After the task has closed its files and given its memory back. The last task
 * to come here counts, not the last to start dying.
 */
void pith_exit(struct task_struct *task)
{
	struct pith_process *p = task->pith_process;

	if (!p)
		return;
	task_sched_runtime(task);	/* is accounted as far as it goes */
	/* another CPU may be accounting it, too */
	scoped_guard(task_rq_lock, task)
		task->pith_process = NULL;
	pith_uncharge(p->domain, THREAD_RAM, 0);
	if (atomic_dec_and_test(&p->tasks))
		process_exit(p, task);
	pith_put(&p->obj);
}

#define THREAD_MUST	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD)
#define THREAD_MAY	(THREAD_MUST | CLONE_SYSVSEM | CLONE_SETTLS | \
			 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
			 CLONE_DETACHED)

static struct pith_process *process_of(const struct kernel_clone_args *args)
{
	return args->pith ? args->pith->space : current->pith_process;
}

int pith_check_clone(const struct kernel_clone_args *args)
{
	struct pith_process *p = process_of(args);
	u64 flags = args->flags;

	if (!p)
		return 0;
	if (current->pith_mode == PITH_MODE_COMPONENT && !args->pith &&
	    ((flags & THREAD_MUST) != THREAD_MUST || (flags & ~THREAD_MAY)))
		return -EPERM;
	if (p->mm && atomic_read(&p->tasks) >= PITH_THREADS)
		return -EDQUOT;
	return pith_charge(p->domain, THREAD_RAM, 0);
}

void pith_clone_failed(const struct kernel_clone_args *args)
{
	struct pith_process *p = process_of(args);

	if (p)
		pith_uncharge(p->domain, THREAD_RAM, 0);
}

/* --- in a domain ------------------------------------------------------------ */

/*
 * A domain that was destroyed before this kills what starts in it; after this,
 * destroying it does.
 */
void pith_process_list(struct pith_process *p)
{
	guard(mutex)(&pith_process_lock);
	if (!p->exited)
		list_add_tail(&p->link, &p->domain->processes);
	if (READ_ONCE(p->domain->dead))
		pith_space_die(p, SIGKILL);
}
