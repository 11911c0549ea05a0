// SPDX-License-Identifier: GPL-2.0-only
/*
 * Priorities: who serves a call runs at least at the priority of its caller and
 * of those that queue for it, through any chain of calls.
 *
 * Each thread has what its callers donate, th->donated, and what it donates
 * itself while it waits, th->prio; both on the kernel's scale, 0 the most urgent
 * and MAX_RT_PRIO: nothing, because only real-time priorities are handed on.
 * They are worked out anew from who waits for whom whenever that has changed in
 * a way that matters: the fast path only compares. A thread whose figures may
 * be wrong is put on a list; whoever did that settles the list, one thread at a
 * time, so that no chain keeps interrupts off for long.
 *
 * An idle server keeps what it was last donated: it does not run, and the next
 * call is mostly from the same client. It is put right when it is woken.
 */
#include <linux/rtmutex.h>
#include <linux/sched/rt.h>
#include <linux/sched/task.h>
#include <uapi/linux/sched/types.h>
#include "pith.h"

/*
 * Before endpoints' and threads' locks: @donated, the list, which endpoint a
 * thread serves, which replies it saved, and that its task is there.
 */
static DEFINE_RAW_SPINLOCK(pi_lock);
static LIST_HEAD(unsettled);

int pith_effective_prio(struct task_struct *task, int prio)
{
	struct pith_thread *th = READ_ONCE(task->pith);

	return th ? min(prio, READ_ONCE(th->donated)) : prio;
}

/* Under pi_lock. */
static void mark(struct pith_thread *th)
{
	if (list_empty(&th->unsettled) && refcount_inc_not_zero(&th->obj.ref))
		list_add_tail(&th->unsettled, &unsettled);
}

static void mark_servers(struct pith_endpoint *ep)
{
	struct pith_thread *th;

	list_for_each_entry(th, &ep->members, member)
		mark(th);
}

static int from_caller(struct pith_thread *c, u64 seq)
{
	return c && READ_ONCE(c->seq) == seq &&
	       READ_ONCE(c->state) == PITH_WAIT_REPLY ?
		READ_ONCE(c->prio) : MAX_RT_PRIO;
}

static int from_all(struct pith_thread *th)
{
	int prio = from_caller(READ_ONCE(th->owed), READ_ONCE(th->owed_seq));
	struct pith_reply *r;

	list_for_each_entry(r, &th->saved, saved)
		prio = min(prio, from_caller(r->owed, r->seq));
	if (th->serves)
		prio = min(prio, READ_ONCE(th->serves->urgency));
	return prio;
}

/* Under ep->lock. */
void pith_queue(struct pith_endpoint *ep, struct pith_thread *c)
{
	c->at = ep;
	plist_node_init(&c->queued, c->prio);
	plist_add(&c->queued, &ep->callers);
	WRITE_ONCE(ep->urgency, plist_first(&ep->callers)->prio);
}

static void take_out(struct pith_endpoint *ep, struct pith_thread *c)
{
	plist_del(&c->queued, &ep->callers);
	WRITE_ONCE(ep->urgency, plist_head_empty(&ep->callers) ? MAX_RT_PRIO :
		   plist_first(&ep->callers)->prio);
}

void pith_unqueue(struct pith_endpoint *ep, struct pith_thread *c)
{
	c->at = NULL;
	list_del_init(&c->cap_link);
	take_out(ep, c);
}

/* What @th donates has changed: tell those it waits for. */
static void hand_on(struct pith_thread *th)
{
	struct pith_thread *server;
	struct pith_endpoint *ep;

	smp_mb();	/* before: @th->prio. Pairs with hand_over(). */
	ep = READ_ONCE(th->at);
	if (ep) {
		raw_spin_lock(&ep->lock);
		if (th->at == ep) {
			take_out(ep, th);
			pith_queue(ep, th);
		}
		raw_spin_unlock(&ep->lock);
		mark_servers(ep);
	}
	server = READ_ONCE(th->server);
	if (server)
		mark(server);
}

/* Put @th right. Its task, referenced, if it waits for a lock in the kernel:
 * the owner of that has to inherit too. */
static struct task_struct *settle(struct pith_thread *th)
{
	struct task_struct *task = th->task;
	int donated, prio;

	if (!task)
		return NULL;
	do {
		donated = from_all(th);
		WRITE_ONCE(th->donated, donated);
		smp_mb();	/* pairs with hand_over() and released() */
	} while (donated != from_all(th));

	raw_spin_lock(&task->pi_lock);
	rt_mutex_setprio(task, rt_mutex_get_top_task(task));
	prio = min3(task->normal_prio, donated, MAX_RT_PRIO);
	raw_spin_unlock(&task->pi_lock);

	if (prio != th->prio) {
		WRITE_ONCE(th->prio, prio);
		hand_on(th);
	}
	return READ_ONCE(task->pi_blocked_on) ? get_task_struct(task) : NULL;
}

/* Under pi_lock, which it gives back: between two threads and at the end. */
static void settle_all(void)
{
	struct task_struct *task;
	struct pith_thread *th;

	while ((th = list_first_entry_or_null(&unsettled, struct pith_thread,
					      unsettled))) {
		list_del_init(&th->unsettled);
		task = settle(th);
		raw_spin_unlock_irq(&pi_lock);
		if (task) {
			rt_mutex_adjust_pi(task);
			put_task_struct(task);
		}
		pith_thread_put(th);
		raw_spin_lock_irq(&pi_lock);
	}
	raw_spin_unlock_irq(&pi_lock);
}

void pith_settle(struct pith_thread *th)
{
	raw_spin_lock_irq(&pi_lock);
	mark(th);
	settle_all();
}

void pith_sched_init(struct pith_thread *th)
{
	th->donated = MAX_RT_PRIO;
	th->prio = MAX_RT_PRIO;
	INIT_LIST_HEAD(&th->member);
	INIT_LIST_HEAD(&th->saved);
	INIT_LIST_HEAD(&th->unsettled);
}

void pith_settle_servers(struct pith_endpoint *ep)
{
	raw_spin_lock_irq(&pi_lock);
	mark_servers(ep);
	settle_all();
}

/* An idle server may still have what it was donated last, see above. */
int pith_prio_now(struct pith_thread *th, struct task_struct *task)
{
	int prio = READ_ONCE(task->prio);

	raw_spin_lock_irq(&pi_lock);
	if (!list_empty(&th->link))
		prio = min(task->normal_prio, from_all(th));
	raw_spin_unlock_irq(&pi_lock);
	return prio;
}

/* --- who serves what --------------------------------------------------------------- */

void pith_serve(struct pith_thread *th, struct pith_endpoint *ep)
{
	raw_spin_lock_irq(&pi_lock);
	th->serves = ep;
	list_move(&th->member, &ep->members);
	mark(th);
	settle_all();
}

void pith_unserve(struct pith_endpoint *ep)
{
	struct pith_thread *th, *next;

	raw_spin_lock_irq(&pi_lock);
	list_for_each_entry_safe(th, next, &ep->members, member) {
		th->serves = NULL;
		list_del_init(&th->member);
	}
	raw_spin_unlock_irq(&pi_lock);
}

void pith_saved(struct pith_thread *th, struct pith_reply *r)
{
	raw_spin_lock_irq(&pi_lock);
	r->saver = th;
	list_add(&r->saved, &th->saved);
	raw_spin_unlock_irq(&pi_lock);
}

void pith_unsaved(struct pith_reply *r)
{
	raw_spin_lock_irq(&pi_lock);
	if (!list_empty(&r->saved))
		mark(r->saver);
	list_del_init(&r->saved);
	settle_all();
}

/* Who saved a reply is gone, the reply is not: its caller waits for nobody. */
static void orphan(struct pith_reply *r)
{
	struct pith_thread *c;

	list_del_init(&r->saved);
	raw_spin_lock(&r->lock);
	c = r->owed;
	if (c) {
		raw_spin_lock(&c->lock);
		if (c->seq == r->seq)
			c->server = NULL;
		raw_spin_unlock(&c->lock);
	}
	raw_spin_unlock(&r->lock);
}

/* The thread's task ends; nobody finds it from here on. */
void pith_leave(struct pith_thread *th)
{
	struct task_struct *task = th->task;
	struct pith_reply *r, *next;

	raw_spin_lock_irq(&pi_lock);
	list_for_each_entry_safe(r, next, &th->saved, saved)
		orphan(r);
	list_del_init(&th->member);
	th->serves = NULL;
	th->task = NULL;
	raw_spin_lock(&task->pi_lock);
	task->pith = NULL;
	rt_mutex_setprio(task, rt_mutex_get_top_task(task));
	raw_spin_unlock(&task->pi_lock);
	raw_spin_unlock_irq(&pi_lock);
}

/* --- THREAD_SCHED ------------------------------------------------------------------- */

static int set_affinity(struct task_struct *task, u64 mask)
{
	cpumask_var_t cpus;
	int cpu, err;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	for (cpu = 0; cpu < min(64, (int)nr_cpu_ids); cpu++)
		if (!mask || (mask & BIT_ULL(cpu)))
			cpumask_set_cpu(cpu, cpus);
	err = set_cpus_allowed_ptr(task, cpus);
	free_cpumask_var(cpus);
	return err;
}

int pith_op_thread_sched(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct task_struct *task __free(put_task) = pith_thread_task(th);
	struct sched_attr attr = { .size = sizeof(attr) };
	struct pith_sched *s = arg;
	int err;

	if (!task)
		return -EPIPE;
	/* else any thread could be the most important one */
	if (current->pith_mode != PITH_MODE_CORE)
		return -EPERM;
	if (s->priority >= MAX_RT_PRIO - 1 || s->nice < MIN_NICE ||
	    s->nice > MAX_NICE)
		return -EINVAL;
	err = set_affinity(task, s->affinity);
	if (err)
		return err;
	attr.sched_policy = s->priority ? SCHED_FIFO : SCHED_NORMAL;
	attr.sched_priority = s->priority;
	attr.sched_nice = s->nice;
	err = sched_setattr_nocheck(task, &attr);
	pith_settle(th);
	return err;
}
