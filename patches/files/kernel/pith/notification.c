// SPDX-License-Identifier: GPL-2.0-only
/* Notifications: counters that are delivered at the endpoint they are bound to. */
#include <linux/overflow.h>
#include <linux/slab.h>
#include "pith.h"

static void unbind(struct pith_notif *n)
{
	struct pith_endpoint *ep;

	raw_spin_lock_irq(&n->lock);
	ep = n->ep;
	n->ep = NULL;
	if (ep) {
		raw_spin_lock(&ep->lock);
		if (n->pending)
			list_del_init(&n->link);
		n->pending = false;
		raw_spin_unlock(&ep->lock);
	}
	raw_spin_unlock_irq(&n->lock);
	if (ep)
		pith_put(&ep->obj);
}

/* Swap what @n watches; true if the new endpoint is dead already. */
static bool swap_watched(struct pith_notif *n, struct pith_endpoint *ep,
			 struct pith_endpoint **old)
{
	bool dead = false;

	raw_spin_lock_irq(&n->lock);
	*old = n->watched;
	if (*old) {
		raw_spin_lock(&(*old)->lock);
		list_del_init(&n->watch_link);
		raw_spin_unlock(&(*old)->lock);
	}
	n->watched = ep;
	if (ep) {
		raw_spin_lock(&ep->lock);
		dead = ep->dead;
		if (!dead)
			list_add_tail(&n->watch_link, &ep->watchers);
		raw_spin_unlock(&ep->lock);
	}
	raw_spin_unlock_irq(&n->lock);
	return dead;
}

void pith_notif_watch(struct pith_notif *n, struct pith_endpoint *ep)
{
	struct pith_endpoint *old;

	if (ep)
		pith_get(&ep->obj);
	if (swap_watched(n, ep, &old))
		pith_notif_signal(n, 1);
	if (old)
		pith_put(&old->obj);
}

static void notif_free(struct pith_object *obj)
{
	struct pith_notif *n = container_of(obj, struct pith_notif, obj);

	unbind(n);
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
	unsigned long flags;

	add_count(n, count);
	raw_spin_lock_irqsave(&n->lock, flags);
	ep = n->ep;
	if (ep) {
		raw_spin_lock(&ep->lock);
		if (!ep->dead && !n->pending && !pith_ep_deliver_note(ep, n)) {
			n->pending = true;
			list_add_tail(&n->link, &ep->notes);
		}
		raw_spin_unlock(&ep->lock);
	}
	raw_spin_unlock_irqrestore(&n->lock, flags);
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

static void bind(struct pith_notif *n, struct pith_endpoint *ep, u64 badge)
{
	bool waits;

	unbind(n);
	raw_spin_lock_irq(&n->lock);
	if (n->ep) {	/* somebody else bound it meanwhile: that one stands */
		raw_spin_unlock_irq(&n->lock);
		pith_put(&ep->obj);
		return;
	}
	n->ep = ep;
	n->badge = badge;
	waits = atomic64_read(&n->count) != 0;
	raw_spin_unlock_irq(&n->lock);
	if (waits)
		pith_notif_signal(n, 0);
}

int pith_op_notif_bind(struct pith_cap *cap, void *arg)
{
	struct pith_notif *n = pith_cap_to(cap, struct pith_notif);
	struct pith_bind *b = arg;

	if (b->endpoint == -1) {
		unbind(n);
		return 0;
	}
	CLASS(pith_fd, ep)(b->endpoint, PITH_T_ENDPOINT, PITH_R_RECV);
	if (IS_ERR(ep.cap))
		return PTR_ERR(ep.cap);
	pith_get(ep.cap->obj);
	bind(n, pith_cap_to(ep.cap, struct pith_endpoint), b->badge);
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
