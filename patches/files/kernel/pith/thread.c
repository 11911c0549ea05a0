// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of a space, each a task with a thread group of its own. One is born
 * inside the space, with its memory and its descriptor table, paused, and can be
 * held still again whenever it is about to run user code.
 */
#include <linux/binfmts.h>
#include <linux/completion.h>
#include <linux/elf.h>
#include <linux/fdtable.h>
#include <linux/mmu_context.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include "pith.h"
#include "../sched/sched.h"

#define SETTLE_NS	20000		/* between looks at a thread that runs */

/* --- hold still ------------------------------------------------------------- */

struct task_struct *pith_thread_task(struct pith_thread *th)
{
	struct task_struct *task;

	raw_spin_lock_irq(&th->lock);
	task = th->in_space ? READ_ONCE(th->task) : NULL;	/* pith_leave() */
	if (task)
		get_task_struct(task);
	raw_spin_unlock_irq(&th->lock);
	return task;
}

/* Does it stand still until the caller lets it go on? */
static bool stands(struct pith_thread *th, struct task_struct *task)
{
	return task != current &&
	       (READ_ONCE(th->paused) || READ_ONCE(th->faulted));
}

/*
 * Wait until @task of @th is on no CPU. While it stands it cannot enter user mode,
 * so its registers can be read or written: by @act, unless that is NULL. If it
 * does not, or somebody lets it go on while this waits: -EBUSY, or without @act
 * nothing to wait for. Of a dead task, which may have lost its stack, where they
 * are: -EPIPE.
 */
static int when_still(struct pith_thread *th, struct task_struct *task,
		      void (*act)(struct task_struct *, struct pith_regs *),
		      struct pith_regs *r)
{
	ktime_t t = SETTLE_NS;

	for (;;) {
		scoped_guard(task_rq_lock, task) {
			if (READ_ONCE(task->__state) == TASK_DEAD)
				return -EPIPE;
			if (!stands(th, task))
				return act ? -EBUSY : 0;
			if (!task_on_cpu(scope.rq, task)) {
				if (act)
					act(task, r);
				return 0;
			}
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		set_current_state(TASK_KILLABLE);
		schedule_hrtimeout(&t, HRTIMER_MODE_REL);
	}
}

/* On the way to user mode. */
static void stay(struct callback_head *work)
{
	struct pith_thread *th = container_of(work, struct pith_thread, stay);

	/* before @paused is read: who sets that may leave it to us */
	smp_store_mb(th->stay_queued, false);
	if (!(current->flags & PF_EXITING))
		wait_var_event_killable(&th->paused, !READ_ONCE(th->paused));
	pith_thread_put(th);
}

int pith_op_thread_pause(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct task_struct *task __free(put_task) = pith_thread_task(th);

	if (!task)
		return -EPIPE;
	WRITE_ONCE(th->paused, true);
	if (!xchg(&th->stay_queued, true)) {
		init_task_work(&th->stay, stay);
		pith_get(&th->obj);
		if (task_work_add(task, &th->stay, TWA_RESUME)) {
			pith_thread_put(th);
			return -EPIPE;
		}
	}
	/* it was told, so it comes no further than to stay() */
	return task == current ? 0 : when_still(th, task, NULL, NULL);
}

int pith_op_thread_resume(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);

	if (!READ_ONCE(th->in_space))
		return -EPIPE;
	/* before wake_up_var() looks whether it waits */
	smp_store_mb(th->paused, false);
	wake_up_var(&th->paused);
	return 0;
}

/* --- registers -------------------------------------------------------------- */

static int access_regs(struct pith_cap *cap, struct pith_regs *r,
		       void (*act)(struct task_struct *, struct pith_regs *))
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct task_struct *task __free(put_task) = pith_thread_task(th);

	return task ? when_still(th, task, act, r) : -EPIPE;
}

int pith_op_thread_get_regs(struct pith_cap *cap, void *arg)
{
	return access_regs(cap, arg, pith_regs_get);
}

static bool regs_valid(const struct pith_regs *r)
{
	return r->ip < TASK_SIZE_MAX && r->sp < TASK_SIZE_MAX &&
	       r->tls < TASK_SIZE_MAX;
}

int pith_op_thread_set_regs(struct pith_cap *cap, void *arg)
{
	return regs_valid(arg) ? access_regs(cap, arg, pith_regs_set) :
				 -EINVAL;
}

/* --- birth ------------------------------------------------------------------- */

static void thread_gone(struct work_struct *work)
{
	struct pith_thread *th = container_of(to_rcu_work(work),
					      struct pith_thread, gone);

	if (th->fault_ep)
		fput(th->fault_ep);
	put_pid(th->pid);
	if (th->space)
		pith_put(&th->space->obj);
	kfree(th);
}

/* The last reference may go with interrupts off. */
static void thread_free(struct pith_object *obj)
{
	struct pith_thread *th = container_of(obj, struct pith_thread, obj);

	if (th->space && !th->pid) {	/* nobody ever saw it */
		thread_gone(&th->gone.work);
		return;
	}
	INIT_RCU_WORK(&th->gone, thread_gone);
	queue_rcu_work(system_wq, &th->gone);
}

static struct pith_thread *thread_new(struct pith_domain *payer,
				      struct task_struct *task)
{
	struct pith_thread *th = pith_object_new(payer, PITH_T_THREAD,
						 sizeof(*th), 0, thread_free);

	if (IS_ERR(th))
		return th;
	raw_spin_lock_init(&th->lock);
	INIT_LIST_HEAD(&th->link);
	INIT_LIST_HEAD(&th->cap_link);
	INIT_LIST_HEAD(&th->space_link);
	pith_sched_init(th);
	th->task = task;
	return th;
}

struct pith_thread *pith_thread_self(void)
{
	struct pith_thread *th = current->pith;

	if (th)
		return th;
	th = thread_new(pith_current_domain(), current);
	if (!IS_ERR(th)) {
		current->pith = th;
		pith_settle(th, NULL);	/* who changes our priority sees it */
	}
	return th;
}

/* A thread object of @p, without a task yet. */
struct pith_thread *pith_thread_of(struct pith_process *p)
{
	struct pith_thread *th = thread_new(p->domain, NULL);

	if (!IS_ERR(th)) {
		th->space = p;
		th->paused = true;
		pith_get(&p->obj);
	}
	return th;
}

struct birth {
	struct pith_thread *thread;
	int (*setup)(void *arg);	/* in the space, may be NULL */
	void *arg;
	struct completion done;
	int err;
};

/* Runs as the new thread, in the kernel; returning enters user mode. */
static int thread_main(void *arg)
{
	struct birth *b = arg;
	struct pith_thread *th = b->thread;
	int err;

	flush_signal_handlers(current, 1);
	current->signal->rlim[RLIMIT_NOFILE] =
		(struct rlimit) { PITH_TABLE, PITH_TABLE };
	set_task_comm(current, th->space->name);
	pith_regs_clear();
	pith_settle(th, NULL);
	err = b->setup ? b->setup(b->arg) : 0;
	b->err = err;
	if (!err)
		WRITE_ONCE(th->space->started, true);
	complete(&b->done);
	if (err)
		do_exit(SIGKILL);
	wait_var_event_killable(&th->paused, !READ_ONCE(th->paused));
	return 0;
}

/* In copy_process(), when nothing can fail any more. */
void pith_fork(struct task_struct *child, const struct kernel_clone_args *args)
{
	struct pith_thread *th = args->pith;

	child->pith = th;
	if (th) {
		pith_get(&th->obj);
		th->task = get_task_struct(child);
		th->pid = get_pid(task_pid(child));
		th->in_space = true;
		child->pith_process = th->space;
		child->pith_mode = PITH_MODE_COMPONENT;
		atomic_inc(&th->space->files->count);
		child->files = th->space->files;
	}
	if (child->pith_process) {
		pith_get(&child->pith_process->obj);
		atomic_inc(&child->pith_process->tasks);
		atomic_inc(&child->pith_process->live);
		child->pith_tid = pith_next_tid(child->pith_process);
	}
}

struct mm_struct *pith_fork_mm(const struct kernel_clone_args *args)
{
	return args->pith ? args->pith->space->mm : current->mm;
}

void pith_threads_forget(struct pith_process *p, bool all)
{
	struct pith_thread *th, *next;

	list_for_each_entry_safe(th, next, &p->threads, space_link) {
		if (!all && pid_has_task(th->pid, PIDTYPE_TGID))
			continue;
		list_del_init(&th->space_link);
		pith_put(&th->obj);
	}
}

static int clone_into(struct pith_process *p, struct birth *b)
{
	struct kernel_clone_args args = {
		.flags		= CLONE_VM | CLONE_FS | CLONE_UNTRACED,
		.exit_signal	= SIGCHLD,
		.no_files	= 1,
		.fn		= thread_main,
		.fn_arg		= b,
		.pith		= b->thread,
	};
	pid_t pid;

	if (p->killed || !p->files || !mmget_not_zero(p->mm))
		return -EPIPE;
	pith_threads_forget(p, false);
	/* only core reaps its children */
	if (current->pith_mode == PITH_MODE_COMPONENT)
		args.flags |= CLONE_PARENT;
	pid = kernel_clone(&args);
	mmput(p->mm);
	if (pid < 0)
		return pid;
	pith_get(&b->thread->obj);
	list_add_tail(&b->thread->space_link, &p->threads);
	return 0;
}

int pith_thread_create(struct pith_process *p, struct pith_thread *th,
		       int (*setup)(void *arg), void *arg)
{
	struct birth b = { .thread = th, .setup = setup, .arg = arg };
	int err;

	init_completion(&b.done);
	mutex_lock(&p->lock);
	err = clone_into(p, &b);
	mutex_unlock(&p->lock);
	if (err)
		return err;
	wait_for_completion(&b.done);
	return b.err;
}

/* --- end ---------------------------------------------------------------------- */

/* The task of a thread exits, and takes no orders any more. */
void pith_thread_end(struct pith_thread *th, struct task_struct *task)
{
	u64 ns = task_sched_runtime(task);

	raw_spin_lock_irq(&th->lock);
	th->in_space = false;
	th->cpu_ns = ns;
	th->switches = task->nvcsw + task->nivcsw;
	raw_spin_unlock_irq(&th->lock);
	put_task_struct(task);
}

/* --- on a thread capability ------------------------------------------------------ */

static u32 rt_priority(int prio)
{
	return rt_prio(prio) ? MAX_RT_PRIO - 1 - prio : 0;
}

static u32 state_of(struct pith_thread *th, struct task_struct *task)
{
	if (READ_ONCE(th->faulted))
		return PITH_THREAD_FAULTED;
	if (READ_ONCE(th->paused))
		return PITH_THREAD_PAUSED;
	/* who waits for a lock of the kernel is at work */
	return READ_ONCE(task->__state) & (TASK_INTERRUPTIBLE | TASK_NOLOAD) ?
	       PITH_THREAD_WAITING : PITH_THREAD_RUNNING;
}

int pith_op_thread_info(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct task_struct *task __free(put_task) = pith_thread_task(th);
	struct pith_thread_info *info = arg;

	*info = (struct pith_thread_info) {
		.state = PITH_THREAD_ENDED,
		.cpu_ns = READ_ONCE(th->cpu_ns),
		.calls = READ_ONCE(th->calls),
		.receives = READ_ONCE(th->receives),
		.faults = READ_ONCE(th->faults),
		.switches = READ_ONCE(th->switches),
	};

	if (task) {
		pith_settle(th, NULL);	/* an idle server still inherits */
		info->state = state_of(th, task);
		info->cpu = task_cpu(task);
		info->priority = READ_ONCE(task->rt_priority);
		info->priority_now = rt_priority(READ_ONCE(task->prio));
		info->cpu_ns = task_sched_runtime(task);
		info->switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
	}
	return 0;
}
