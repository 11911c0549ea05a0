// SPDX-License-Identifier: GPL-2.0-only
/* Notifications: counters that are delivered at the endpoint they are bound to. */
#include <linux/overflow.h>
#include <linux/slab.h>
#include "pith.h"

/*
 * Under n->lock: what is in @slot, which may be nothing, becomes @ep, and @link is
 * in no list of that any more. Returns what the caller lets go of, without locks.
 */
static struct pith_endpoint *replace(struct pith_endpoint **slot,
				     struct pith_endpoint *ep,
				     struct list_head *link)
{
	struct pith_endpoint *old = *slot;

	if (old) {
		raw_spin_lock(&old->lock);
		list_del_init(link);
		raw_spin_unlock(&old->lock);
	}
	if (ep)
		pith_get(&ep->obj);
	*slot = ep;
	return old;
}

static void bind(struct pith_notif *n, struct pith_endpoint *ep, u64 badge)
{
	struct pith_endpoint *old;

	raw_spin_lock_irq(&n->lock);
	old = replace(&n->ep, ep, &n->link);
	n->badge = badge;
	raw_spin_unlock_irq(&n->lock);
	if (old)
		pith_put(&old->obj);
}

void pith_notif_watch(struct pith_notif *n, struct pith_endpoint *ep)
{
	struct pith_endpoint *old;
	bool dead = false;

	raw_spin_lock_irq(&n->lock);
	old = replace(&n->watched, ep, &n->watch_link);
	if (ep) {
		raw_spin_lock(&ep->lock);
		dead = ep->dead;
		if (!dead)
			list_add_tail(&n->watch_link, &ep->watchers);
		raw_spin_unlock(&ep->lock);
	}
	raw_spin_unlock_irq(&n->lock);
	if (dead)
		pith_notif_signal(n, 1);
	if (old)
		pith_put(&old->obj);
}

static void notif_free(struct pith_object *obj)
{
	struct pith_notif *n = container_of(obj, struct pith_notif, obj);

	bind(n, NULL, 0);
	pith_notif_watch(n, NULL);
	kfree(n);
}

/* The counter stops at its highest value: nobody can take signals of others
 * back by letting it wrap. */
static void add_count(struct pith_notif *n, u64 count)
{
	s64 old = atomic64_read(&n->count);
	u64 new;

	do {
		if (check_add_overflow((u64)old, count, &new))
			new = U64_MAX;
	} while (!atomic64_try_cmpxchg(&n->count, &old, new));
}

/*
 * Any context. The receiver is made runnable but not switched to: a sender that
 * signals many times wakes it once.
 */
void pith_notif_signal(struct pith_notif *n, u64 count)
{
	struct pith_endpoint *ep;

	add_count(n, count);
	guard(raw_spinlock_irqsave)(&n->lock);
	ep = n->ep;
	if (!ep)
		return;
	guard(raw_spinlock)(&ep->lock);
	if (!ep->dead && list_empty(&n->link) && !pith_ep_deliver_note(ep, n))
		list_add_tail(&n->link, &ep->notes);
}

int pith_op_notif_create(struct pith_cap *cap, void *arg)
{
	struct pith_notif *n = pith_object_new(pith_current_domain(),
					       PITH_T_NOTIFICATION, sizeof(*n),
					       0, notif_free);

	if (IS_ERR(n))
		return PTR_ERR(n);
	raw_spin_lock_init(&n->lock);
	INIT_LIST_HEAD(&n->link);
	INIT_LIST_HEAD(&n->watch_link);
	return pith_cap_install(&n->obj, PITH_R_SIGNAL | PITH_R_MANAGE);
}

int pith_op_notif_bind(struct pith_cap *cap, void *arg)
{
	struct pith_notif *n = pith_cap_to(cap, struct pith_notif);
	struct pith_bind *b = arg;

	if (b->endpoint == -1) {
		bind(n, NULL, 0);
		return 0;
	}
	CLASS(pith_fd, ep)(b->endpoint, PITH_T_ENDPOINT, PITH_R_RECV);
	if (IS_ERR(ep.cap))
		return PTR_ERR(ep.cap);
	bind(n, pith_cap_to(ep.cap, struct pith_endpoint), b->badge);
	if (atomic64_read(&n->count))	/* from before */
		pith_notif_signal(n, 0);
	return 0;
}

struct pith_notif *pith_fd_notif(int fd, u32 rights)
{
	CLASS(pith_fd, f)(fd, PITH_T_NOTIFICATION, rights);

	if (IS_ERR(f.cap))
		return ERR_CAST(f.cap);
	pith_get(f.cap->obj);
	return pith_cap_to(f.cap, struct pith_notif);
}
