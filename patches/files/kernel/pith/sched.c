// SPDX-License-Identifier: GPL-2.0-only
/*
 * Priorities: who serves a call runs at least at the priority of its caller and
 * of those that queue for it, through any chain of calls.
 *
 * Each thread has what its callers donate, th->donated, and what it donates
 * itself while it waits, th->prio; both on the kernel's scale, 0 the most urgent
 * and MAX_RT_PRIO: nothing, because only real-time priorities are handed on.
 * They are worked out anew from who waits for whom whenever that has changed in
 * a way that matters: the fast path only compares. Whose figures may be wrong is
 * put on a list of who made them so, who settles the list one thread at a time:
 * neither a long chain nor a crowd of servers keeps interrupts off for long.
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
 * Before endpoints' and threads' locks: @donated, what is to be settled, which
 * endpoint a thread serves, whose replies it saved, and that its task is there.
 */
static DEFINE_RAW_SPINLOCK(pi_lock);

/* What one thread has to put right, on its stack; its lists under pi_lock. */
struct settling {
	struct list_head threads;
	struct list_head eps;		/* all that serve these */
};

int pith_effective_prio(struct task_struct *task, int prio)
{
	struct pith_thread *th = READ_ONCE(task->pith);

	return th ? min(prio, READ_ONCE(th->donated)) : prio;
}

/* Under pi_lock, as what follows. */
static void mark(struct settling *s, struct pith_thread *th)
{
	/* away from who has it in his list: he may not get the CPU before us */
	if (!list_empty(&th->unsettled) ||
	    refcount_inc_not_zero(&th->obj.ref))
		list_move_tail(&th->unsettled, &s->threads);
}

/* An endpoint that goes is taken off in pith_unserve(). */
static void mark_servers(struct settling *s, struct pith_endpoint *ep)
{
	ep->round++;
	list_move_tail(&ep->unsettled, &s->eps);
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

	if (!plist_head_empty(&th->saved))
		prio = min(prio, plist_first(&th->saved)->prio);
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

static void save(struct pith_thread *c, struct pith_thread *server)
{
	c->saver = server;
	plist_node_init(&c->queued, c->prio);
	plist_add(&c->queued, &server->saved);
}

static void unsave(struct pith_thread *c)
{
	plist_del(&c->queued, &c->saver->saved);
	c->saver = NULL;
}

/* What @th donates has changed: tell those it waits for. */
static void hand_on(struct settling *s, struct pith_thread *th)
{
	struct pith_thread *server = th->saver;
	struct pith_endpoint *ep;

	if (server) {
		unsave(th);
		save(th, server);
	}
	smp_mb();	/* before: @th->prio. Pairs with hand_over(). */
	ep = READ_ONCE(th->at);
	if (ep) {
		raw_spin_lock(&ep->lock);
		if (th->at == ep) {
			take_out(ep, th);
			pith_queue(ep, th);
			mark_servers(s, ep);
		}
		raw_spin_unlock(&ep->lock);
	}
	server = READ_ONCE(th->server);
	if (server)
		mark(s, server);
}

/* Put @th right. Its task, referenced, if it waits for a lock in the kernel:
 * the owner of that has to inherit too. */
static struct task_struct *settle(struct settling *s, struct pith_thread *th)
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
		hand_on(s, th);
	}
	return READ_ONCE(task->pi_blocked_on) ? get_task_struct(task) : NULL;
}

/* The next to be put right, referenced; NULL: look again. */
static struct pith_thread *next(struct settling *s)
{
	struct pith_endpoint *ep;
	struct pith_thread *th;

	th = list_first_entry_or_null(&s->threads, struct pith_thread,
				      unsettled);
	if (th) {
		list_del_init(&th->unsettled);
		return th;
	}
	/* who had its turn in this round is behind those who had not */
	ep = list_first_entry(&s->eps, struct pith_endpoint, unsettled);
	th = list_first_entry_or_null(&ep->members, struct pith_thread, member);
	if (!th || th->round == ep->round) {
		list_del_init(&ep->unsettled);
		return NULL;
	}
	th->round = ep->round;
	list_move_tail(&th->member, &ep->members);
	pith_get(&th->obj);
	return th;
}

/* Under pi_lock, which it gives back: between two threads and at the end. */
static void settle_all(struct settling *s)
{
	struct task_struct *task;
	struct pith_thread *th;

	while (!list_empty(&s->threads) || !list_empty(&s->eps)) {
		th = next(s);
		task = th ? settle(s, th) : NULL;
		raw_spin_unlock_irq(&pi_lock);
		if (task) {
			rt_mutex_adjust_pi(task);
			put_task_struct(task);
		}
		if (th)
			pith_thread_put(th);
		raw_spin_lock_irq(&pi_lock);
	}
	raw_spin_unlock_irq(&pi_lock);
}

/* Under pi_lock, which it gives back. */
static void settle_these(struct pith_thread *th, struct pith_endpoint *ep)
{
	struct settling s = { LIST_HEAD_INIT(s.threads), LIST_HEAD_INIT(s.eps) };

	if (th)
		mark(&s, th);
	if (ep)
		mark_servers(&s, ep);
	settle_all(&s);
}

void pith_settle(struct pith_thread *th, struct pith_endpoint *ep)
{
	raw_spin_lock_irq(&pi_lock);
	settle_these(th, ep);
}

void pith_sched_init(struct pith_thread *th)
{
	th->donated = MAX_RT_PRIO;
	th->prio = MAX_RT_PRIO;
	INIT_LIST_HEAD(&th->member);
	plist_head_init(&th->saved);
	INIT_LIST_HEAD(&th->unsettled);
}

/* --- who serves what --------------------------------------------------------------- */

void pith_serve(struct pith_thread *th, struct pith_endpoint *ep)
{
	raw_spin_lock_irq(&pi_lock);
	th->serves = ep;
	th->round = ep->round;
	list_move_tail(&th->member, &ep->members);
	settle_these(th, NULL);
}

void pith_unserve(struct pith_endpoint *ep)
{
	struct pith_thread *th;

	do {
		guard(raw_spinlock_irq)(&pi_lock);
		list_del_init(&ep->unsettled);
		th = list_first_entry_or_null(&ep->members, struct pith_thread,
					      member);
		if (th) {
			th->serves = NULL;
			list_del_init(&th->member);
		}
	} while (th);
}

void pith_saved(struct pith_thread *th, struct pith_thread *c, u64 seq)
{
	guard(raw_spinlock_irq)(&pi_lock);
	guard(raw_spinlock)(&c->lock);
	if (c->seq == seq && c->state == PITH_WAIT_REPLY)
		save(c, th);
}

void pith_unsaved(struct pith_thread *c, u64 seq)
{
	struct pith_thread *server = NULL;

	raw_spin_lock_irq(&pi_lock);
	if (c->saver && c->seq == seq) {
		server = c->saver;
		unsave(c);
	}
	settle_these(server, NULL);
}

/* Under pi_lock: one whose reply @th saved waits for nobody now. */
static bool orphan(struct pith_thread *th)
{
	struct pith_thread *c;

	if (plist_head_empty(&th->saved))
		return false;
	c = plist_first_entry(&th->saved, struct pith_thread, queued);
	unsave(c);
	guard(raw_spinlock)(&c->lock);
	c->server = NULL;
	return true;
}

/* The thread's task ends; nobody finds it from here on. */
void pith_leave(struct pith_thread *th)
{
	struct task_struct *task = th->task;

	raw_spin_lock_irq(&pi_lock);
	while (orphan(th)) {
		raw_spin_unlock_irq(&pi_lock);
		raw_spin_lock_irq(&pi_lock);
	}
	list_del_init(&th->member);
	th->serves = NULL;
	WRITE_ONCE(th->task, NULL);	/* pith_thread_task() */
	raw_spin_lock(&task->pi_lock);
	task->pith = NULL;
	rt_mutex_setprio(task, rt_mutex_get_top_task(task));
	raw_spin_unlock(&task->pi_lock);
	raw_spin_unlock_irq(&pi_lock);
}

/* --- THREAD_SCHED ------------------------------------------------------------------- */

int pith_op_thread_sched(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = pith_cap_to(cap, struct pith_thread);
	struct task_struct *task __free(put_task) = pith_thread_task(th);
	struct sched_attr attr = { .size = sizeof(attr) };
	struct pith_sched *s = arg;
	cpumask_t cpus;
	int err;

	if (!task)
		return -EPIPE;
	/* else any thread could be the most important one */
	if (current->pith_mode != PITH_MODE_CORE)
		return -EPERM;
	if (s->priority >= MAX_RT_PRIO - 1 || s->nice < MIN_NICE ||
	    s->nice > MAX_NICE)
		return -EINVAL;
	bitmap_from_u64(cpumask_bits(&cpus), s->affinity);
	err = set_cpus_allowed_ptr(task, s->affinity ? &cpus :
						       cpu_possible_mask);
	if (err)
		return err;
	attr.sched_policy = s->priority ? SCHED_FIFO : SCHED_NORMAL;
	attr.sched_priority = s->priority;
	attr.sched_nice = s->nice;
	err = sched_setattr_nocheck(task, &attr);
	pith_settle(th, NULL);
	return err;
}
