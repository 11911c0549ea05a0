// SPDX-License-Identifier: GPL-2.0-only
/* How endpoints and badges begin and end, and who is told. */
#include <linux/slab.h>
#include "pith.h"

/* The next notification that watches @ep, referenced. */
static struct pith_notif *next_watch(struct pith_endpoint *ep)
{
	struct pith_notif *n;

	guard(raw_spinlock_irq)(&ep->lock);
	do {
		n = list_first_entry_or_null(&ep->watchers, struct pith_notif,
					     watch_link);
		if (n)
			list_del_init(&n->watch_link);
	} while (n && !refcount_inc_not_zero(&n->obj.ref));
	return n;
}

/* Under ep->lock: tell queued caller @c that there is nobody. */
static void refuse(struct pith_endpoint *ep, struct pith_thread *c)
{
	pith_unqueue(ep, c);
	raw_spin_lock(&c->lock);
	c->result = -EPIPE;
	smp_store_release(&c->state, PITH_DONE);
	pith_wake(c->task);
	raw_spin_unlock(&c->lock);
}

static void dismiss(struct pith_thread *s)
{
	struct task_struct *task = s->task;

	list_del_init(&s->link);
	smp_store_release(&s->got, -EPIPE);
	pith_wake(task);
}

/* One of those in the lists of @ep, which is dead. False: they are empty. */
static bool send_away(struct pith_endpoint *ep)
{
	guard(raw_spinlock_irq)(&ep->lock);
	if (!plist_head_empty(&ep->callers))
		refuse(ep, plist_first_entry(&ep->callers, struct pith_thread,
					     queued));
	else if (!list_empty(&ep->servers))
		dismiss(list_first_entry(&ep->servers, struct pith_thread,
					 link));
	else if (!list_empty(&ep->notes))
		list_del_init(ep->notes.next);
	else
		return false;
	return true;
}

/*
 * Nobody may receive here any more: tell all who wait, and who watch. One at a
 * time, so that interrupts are never off for long; a dead endpoint gets no more.
 */
static void ep_die(struct pith_endpoint *ep)
{
	struct pith_notif *n;

	raw_spin_lock_irq(&ep->lock);
	ep->dead = true;
	raw_spin_unlock_irq(&ep->lock);
	while (send_away(ep))
		;
	pith_settle(NULL, ep);
	while ((n = next_watch(ep))) {
		pith_notif_signal(n, 1);
		pith_put(&n->obj);
	}
}

int pith_op_ep_watch(struct pith_cap *cap, void *arg)
{
	struct pith_fd_arg *a = arg;

	CLASS(pith_fd, n)(a->fd, PITH_T_NOTIFICATION, PITH_R_MANAGE);
	if (IS_ERR(n.cap))
		return PTR_ERR(n.cap);
	pith_notif_watch(pith_cap_to(n.cap, struct pith_notif),
			 pith_cap_to(cap, struct pith_endpoint));
	return 0;
}

static void ep_revoke(struct pith_object *obj)
{
	WRITE_ONCE(obj->dead, true);
	ep_die(container_of(obj, struct pith_endpoint, obj));
}

/* --- badges --------------------------------------------------------------------------- */

static bool cap_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pith_cap, node)->badge <
	       rb_entry(b, struct pith_cap, node)->badge;
}

static int badge_cmp(const void *badge, const struct rb_node *node)
{
	u64 other = rb_entry(node, struct pith_cap, node)->badge;

	return *(u64 *)badge < other ? -1 : *(u64 *)badge > other;
}

void pith_ep_minted(struct pith_cap *cap)
{
	struct pith_endpoint *ep = pith_cap_to(cap, struct pith_endpoint);

	raw_spin_lock_irq(&ep->lock);
	rb_add(&cap->node, &ep->minted, cap_less);
	raw_spin_unlock_irq(&ep->lock);
}

static void forget_badge(struct pith_endpoint *ep, struct pith_cap *cap)
{
	if (!RB_EMPTY_NODE(&cap->node))
		rb_erase(&cap->node, &ep->minted);
	RB_CLEAR_NODE(&cap->node);
}

/* One capability with @badge, or one caller that waits through it. */
static bool revoke_one(struct pith_endpoint *ep, u64 badge)
{
	struct pith_cap *cap;
	struct rb_node *node;

	guard(raw_spinlock_irq)(&ep->lock);
	node = rb_find(&badge, &ep->minted, badge_cmp);
	if (!node)
		return false;
	cap = rb_entry(node, struct pith_cap, node);
	WRITE_ONCE(cap->dead, true);
	if (list_empty(&cap->callers))
		forget_badge(ep, cap);
	else
		refuse(ep, list_first_entry(&cap->callers, struct pith_thread,
					    cap_link));
	return true;
}

void pith_ep_revoke_badge(struct pith_endpoint *ep, u64 badge)
{
	while (revoke_one(ep, badge))
		cond_resched();
	pith_settle(NULL, ep);
}

static void ep_cap_gone(struct pith_cap *cap)
{
	struct pith_endpoint *ep = pith_cap_to(cap, struct pith_endpoint);

	raw_spin_lock_irq(&ep->lock);
	forget_badge(ep, cap);
	raw_spin_unlock_irq(&ep->lock);
	if ((cap->rights & PITH_R_RECV) && atomic_dec_and_test(&ep->receivers))
		ep_die(ep);
}

static void ep_free(struct pith_object *obj)
{
	struct pith_endpoint *ep = container_of(obj, struct pith_endpoint, obj);

	pith_unserve(ep);
	kfree_rcu(ep, rcu);
}

int pith_op_ep_create(struct pith_cap *cap, void *arg)
{
	struct pith_endpoint *ep = pith_object_new(pith_current_domain(),
						   PITH_T_ENDPOINT,
						   sizeof(*ep), 0, ep_free);

	if (IS_ERR(ep))
		return PTR_ERR(ep);
	ep->obj.cap_gone = ep_cap_gone;
	ep->obj.revoke = ep_revoke;
	ep->minted = RB_ROOT;
	raw_spin_lock_init(&ep->lock);
	atomic_set(&ep->receivers, 1);
	plist_head_init(&ep->callers);
	ep->urgency = MAX_RT_PRIO;
	INIT_LIST_HEAD(&ep->members);
	INIT_LIST_HEAD(&ep->unsettled);
	INIT_LIST_HEAD(&ep->servers);
	INIT_LIST_HEAD(&ep->notes);
	INIT_LIST_HEAD(&ep->watchers);
	return pith_cap_install(&ep->obj, PITH_R_CALL | PITH_R_RECV);
}
