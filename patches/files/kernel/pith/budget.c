// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU time of domains: so much in each period, on all CPUs together, for all of
 * its threads and those of the domains made from it. Who runs pays: a server pays
 * for what it does for its clients. Time is taken as it is
 * used; a thread of a domain that has none left is stopped when it is about to
 * return to user mode, until a period begins that has. What was used beyond the
 * budget until then, by system calls that had to be finished or on other CPUs
 * up to their next tick, is taken from the periods that follow.
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include "pith.h"

#define MIN_BUDGET	100000ULL
#define MAX_BUDGET	(64ULL * NSEC_PER_SEC)
#define MIN_PERIOD	1000000ULL
#define MAX_PERIOD	(1ULL * NSEC_PER_SEC)
#define LOOK		MAX_PERIOD	/* whether the budget is another one */

DEFINE_STATIC_KEY_FALSE(pith_budgets);

/* Under cpu_lock: begin the period that it is time for. */
static void refill(struct pith_domain *d, u64 now)
{
	u64 periods, enough = 1;

	if ((s64)(now - d->cpu_end) < 0)
		return;
	periods = div64_u64(now - d->cpu_end, d->cpu_period) + 1;
	d->cpu_end += periods * d->cpu_period;
	if (d->cpu_left < 0)
		enough = div64_u64(-d->cpu_left, d->cpu_budget) + 2;
	d->cpu_left = periods < enough ? d->cpu_left + periods * d->cpu_budget :
					 d->cpu_budget;
}

/* @task, which is current or about to be, goes no further than to the kernel's
 * exit if there is no time left; who was asleep then has to be told too. */
void __pith_switch_in(struct task_struct *task)
{
	struct pith_process *p = READ_ONCE(task->pith_process);
	struct pith_domain *d;

	for (d = p ? p->domain : NULL; d; d = d->parent)
		if (READ_ONCE(d->cpu_budget) && READ_ONCE(d->cpu_left) <= 0)
			set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
}

void pith_account(struct task_struct *task, u64 ns)
{
	struct pith_process *p = task->pith_process;
	struct pith_domain *d;

	if (!p)
		return;
	atomic64_add(ns, &p->cpu_ns);
	if (!static_branch_unlikely(&pith_budgets))
		return;
	for (d = p->domain; d; d = d->parent) {
		if (!READ_ONCE(d->cpu_budget))
			continue;
		raw_spin_lock(&d->cpu_lock);
		if (d->cpu_budget) {
			refill(d, local_clock());
			d->cpu_left -= ns;
		}
		raw_spin_unlock(&d->cpu_lock);
	}
	__pith_switch_in(task);
}

/*
 * How long @d has to wait, 0: not at all. Periods that only pay what is owed are
 * waited for as one, or to the next LOOK: to wake up in each would cost every thread
 * something, and many threads more than the budget.
 */
static u64 wait_for(struct pith_domain *d)
{
	u64 now = local_clock();

	guard(raw_spinlock_irq)(&d->cpu_lock);
	if (!d->cpu_budget)
		return 0;
	refill(d, now);
	if (d->cpu_left > 0)
		return 0;
	return min(LOOK, d->cpu_end - now +
		   div64_u64(-d->cpu_left, d->cpu_budget) * d->cpu_period);
}

void __pith_resume_user(void)
{
	struct pith_process *p = current->pith_process;
	struct pith_domain *d = p ? p->domain : NULL;
	DECLARE_SWAITQUEUE(wait);
	ktime_t time;

	while (d && !fatal_signal_pending(current)) {
		/* first, so that a budget which is set now is seen, or wakes us */
		prepare_to_swait_exclusive(&d->cpu_wait, &wait,
					   TASK_KILLABLE | TASK_NOLOAD);
		time = wait_for(d);
		if (time)
			schedule_hrtimeout_range(&time, 0, HRTIMER_MODE_REL);
		finish_swait(&d->cpu_wait, &wait);
		d = time ? p->domain : d->parent;
	}
}

/* Whether there is time left now. */
static bool set_budget(struct pith_domain *d, const struct pith_cpu_budget *b)
{
	s64 used = 0;

	guard(raw_spinlock_irq)(&d->cpu_lock);
	if (d->cpu_budget) {	/* what it used of this period, it used */
		refill(d, local_clock());
		used = d->cpu_budget - d->cpu_left;
	}
	if (d->cpu_period != b->period)
		d->cpu_end = local_clock() + b->period;
	d->cpu_budget = b->budget;
	d->cpu_period = b->period;
	d->cpu_left = b->budget - used;
	return !b->budget || d->cpu_left > 0;
}

int pith_op_domain_cpu(struct pith_cap *cap, void *arg)
{
	struct pith_domain *d = pith_cap_to(cap, struct pith_domain);
	struct pith_cpu_budget *b = arg;

	if (b->budget && (b->budget < MIN_BUDGET || b->budget > MAX_BUDGET ||
			  b->period < MIN_PERIOD || b->period > MAX_PERIOD))
		return -EINVAL;
	if (b->budget)
		static_branch_enable(&pith_budgets);
	if (set_budget(d, b))
		swake_up_all(&d->cpu_wait);
	return 0;
}
