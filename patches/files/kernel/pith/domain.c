// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: accounts of RAM and capabilities. What a domain does not use can be
 * moved to another one, exactly. An object is charged to the domain of who made
 * it, or that was named to pay, until it is gone; a descriptor to the domain
 * whose table it is in. A destroyed domain gives its unused quota to its parent
 * at once, and the rest as what it paid for goes.
 */
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "pith.h"
#include "../sched/sched.h"

/* Quota goes up the tree to the first ancestor that lives. */
static void give_back(struct pith_domain *d, u64 ram, u64 caps)
{
	unsigned long flags;

	for (d = d->parent; d; d = d->parent) {
		raw_spin_lock_irqsave(&d->lock, flags);
		if (!d->dead || !d->parent) {
			d->ram_limit += ram;
			d->caps_limit += caps;
			raw_spin_unlock_irqrestore(&d->lock, flags);
			return;
		}
		raw_spin_unlock_irqrestore(&d->lock, flags);
	}
}

static void domain_free(struct pith_object *obj)
{
	struct pith_domain *d = container_of(obj, struct pith_domain, obj);

	give_back(d, d->ram_limit, d->caps_limit);
	if (d->parent)
		pith_put(&d->parent->obj);
	kfree_rcu(d, rcu);	/* pith_account() looks at it */
}

/* Under d->lock, for a dead domain: unused quota, taken out. */
static void take_unused(struct pith_domain *d, u64 *ram, u64 *caps)
{
	*ram = d->ram_limit - d->ram_used;
	*caps = d->caps_limit - d->caps_used;
	d->ram_limit = d->ram_used;
	d->caps_limit = d->caps_used;
}

struct pith_domain *pith_domain_new(struct pith_domain *parent)
{
	struct pith_domain *payer = parent ? pith_current_domain() : NULL;
	struct pith_domain *d = pith_object_new(payer, PITH_T_DOMAIN,
						sizeof(*d), 0, domain_free);

	if (IS_ERR(d))
		return d;
	raw_spin_lock_init(&d->lock);
	raw_spin_lock_init(&d->cpu_lock);
	init_swait_queue_head(&d->cpu_wait);
	INIT_LIST_HEAD(&d->processes);
	d->parent = parent;
	if (parent) {
		d->depth = parent->depth + 1;
		pith_get(&parent->obj);
	}
	return d;
}

struct pith_domain *pith_current_domain(void)
{
	return current->pith_process->domain;
}

int pith_charge(struct pith_domain *d, u64 ram, u64 caps)
{
	guard(raw_spinlock_irq)(&d->lock);
	if (d->dead || ram > d->ram_limit - d->ram_used ||
	    caps > d->caps_limit - d->caps_used)
		return -EDQUOT;
	d->ram_used += ram;
	d->caps_used += caps;
	return 0;
}

void pith_uncharge(struct pith_domain *d, u64 ram, u64 caps)
{
	u64 back_ram = 0, back_caps = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&d->lock, flags);
	d->ram_used -= ram;
	d->caps_used -= caps;
	if (d->dead)
		take_unused(d, &back_ram, &back_caps);
	raw_spin_unlock_irqrestore(&d->lock, flags);
	if (back_ram || back_caps)
		give_back(d, back_ram, back_caps);
}

bool pith_mm_charge(struct mm_struct *mm, size_t bytes)
{
	return !mm->pith || !pith_charge(mm->pith, bytes, 0);
}

void pith_mm_uncharge(struct mm_struct *mm, size_t bytes)
{
	if (mm->pith)
		pith_uncharge(mm->pith, bytes, 0);
}

int pith_op_domain_create(struct pith_cap *cap, void *arg)
{
	struct pith_domain *parent = pith_cap_to(cap, struct pith_domain);
	struct pith_domain *d;

	/* a domain of a component's own would outlive the session it came from */
	if (current->pith_mode != PITH_MODE_CORE)
		return -EPERM;
	if (parent->depth == PITH_DEPTH)
		return -EINVAL;
	d = pith_domain_new(parent);
	return IS_ERR(d) ? PTR_ERR(d) :
		pith_cap_install(&d->obj, PITH_R_CHARGE | PITH_R_ADMIN);
}

static int transfer(struct pith_domain *from, struct pith_domain *to,
		    u64 ram, u64 caps)
{
	if (from == to)
		return -EINVAL;
	guard(irq)();
	guard(double_raw_spinlock)(&from->lock, &to->lock);
	if (from->dead || to->dead ||
	    ram > from->ram_limit - from->ram_used ||
	    caps > from->caps_limit - from->caps_used)
		return -EDQUOT;
	from->ram_limit -= ram;
	from->caps_limit -= caps;
	to->ram_limit += ram;
	to->caps_limit += caps;
	return 0;
}

int pith_op_domain_transfer(struct pith_cap *cap, void *arg)
{
	struct pith_transfer *t = arg;

	CLASS(pith_fd, to)(t->to, PITH_T_DOMAIN, 0);
	if (IS_ERR(to.cap))
		return PTR_ERR(to.cap);
	return transfer(pith_cap_to(cap, struct pith_domain),
			pith_cap_to(to.cap, struct pith_domain),
			t->ram, t->caps);
}

int pith_op_domain_info(struct pith_cap *cap, void *arg)
{
	struct pith_domain *d = pith_cap_to(cap, struct pith_domain);
	struct pith_domain_info *info = arg;

	mutex_lock(&pith_process_lock);
	info->processes = list_count_nodes(&d->processes);
	mutex_unlock(&pith_process_lock);
	guard(raw_spinlock_irq)(&d->lock);
	info->ram_limit = d->ram_limit;
	info->ram_used = d->ram_used;
	info->caps_limit = d->caps_limit;
	info->caps_used = d->caps_used;
	return 0;
}

int pith_op_domain_destroy(struct pith_cap *cap, void *arg)
{
	struct pith_domain *d = pith_cap_to(cap, struct pith_domain);
	struct pith_process *p;
	u64 ram, caps;

	if (!d->parent)		/* nobody could ever have the root's quota */
		return -EPERM;
	scoped_guard(raw_spinlock_irq, &d->lock) {
		if (d->dead)
			return 0;
		WRITE_ONCE(d->dead, true);
		take_unused(d, &ram, &caps);
	}
	give_back(d, ram, caps);
	guard(mutex)(&pith_process_lock);
	list_for_each_entry(p, &d->processes, link)
		pith_space_die(p, SIGKILL);
	return 0;
}
