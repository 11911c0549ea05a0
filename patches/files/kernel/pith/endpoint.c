// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints: synchronous calls between threads.
 *
 * A caller copies its message straight into the buffer of a waiting server and
 * hands the CPU over. Both buffers are pinned kernel-addressable pages, so the
 * path takes no fault. Capabilities travel as file references and become
 * descriptors in the receiver's own context.
 *
 * A call in flight is named by (thread, seq). Whoever owes the reply holds that
 * pair; a caller that gives up changes its seq, so a late reply finds nobody.
 */
#include <linux/hrtimer.h>
#include <linux/mmu_context.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include "pith.h"
#include "../sched/sched.h"

#define SLEEPING	(TASK_KILLABLE | TASK_NOLOAD)

/* A saved reply: a capability to answer one call. */
struct pith_reply {
	struct pith_object obj;
	raw_spinlock_t lock;
	struct pith_thread *owed;
	u64 seq;
};

/* --- threads ------------------------------------------------------------------ */

static void thread_put(struct pith_thread *th)
{
	if (refcount_dec_and_test(&th->ref))
		kfree(th);
}

static void wake(struct task_struct *task)
{
	try_to_wake_up(task, TASK_NORMAL, WF_SYNC | WF_CURRENT_CPU);
}

static void drop_files(struct pith_transfer_state *t)
{
	u32 i;

	for (i = 0; i < t->ncaps; i++)
		if (t->files[i])
			fput(t->files[i]);
	t->ncaps = 0;
}

/* Snapshot of the thread's message. On an error nothing is held. */
static int take_out(struct pith_thread *th)
{
	struct pith_msg *m = th->header;
	struct pith_transfer_state *out = &th->out;
	u32 i, ncaps = READ_ONCE(m->ncaps);
	int err;

	out->label = READ_ONCE(m->label);
	out->len = READ_ONCE(m->len);
	out->ncaps = 0;
	if (out->len > PITH_MSG_BYTES || ncaps > PITH_MSG_CAPS)
		return -EINVAL;
	for (i = 0; i < ncaps; i++) {
		int fd = READ_ONCE(m->caps[i]);
		struct file *file = NULL;

		if (fd != PITH_CAP_NONE) {
			file = fget(fd);
			err = !file || !pith_cap_of(file) ? -EBADF :
				pith_cap_dead(pith_cap_of(file)) ? -EPIPE : 0;
			if (err) {
				if (file)
					fput(file);
				drop_files(out);
				return err;
			}
		}
		out->files[i] = file;
		out->ncaps = i + 1;
	}
	return 0;
}

/* Both threads stand still: one waits, the other is the caller of this. */
static void move(struct pith_thread *from, struct pith_thread *to)
{
	to->in = from->out;
	from->out.ncaps = 0;
	memcpy(to->data, from->data, to->in.len);
}

/* One received capability, in the receiver's context. Takes over @file. */
static void land_cap(struct pith_msg *m, u32 i, struct file *file,
		     struct pith_endpoint *ep)
{
	struct pith_cap *cap;
	int fd = PITH_CAP_NONE;
	u64 badge = 0;

	if (file) {
		cap = pith_cap_of(file);
		if (pith_cap_dead(cap)) {
			fd = PITH_CAP_LOST;
			fput(file);
		} else if (ep && cap->obj == &ep->obj) {
			fd = PITH_CAP_OWN;
			badge = cap->badge;
			fput(file);
		} else {
			fd = get_unused_fd_flags(O_CLOEXEC);
			if (fd >= 0) {
				fd_install(fd, file);
			} else {
				fd = PITH_CAP_LOST;
				fput(file);
			}
		}
	}
	m->caps[i] = fd;
	m->cap_badges[i] = badge;
}

/* Show what arrived to the receiver. @ep: where, NULL for a reply. */
static void land(struct pith_thread *th, struct pith_endpoint *ep)
{
	struct pith_msg *m = th->header;
	u32 i;

	m->label = th->in.label;
	m->len = th->in.len;
	m->ncaps = th->in.ncaps;
	for (i = 0; i < th->in.ncaps; i++)
		land_cap(m, i, th->in.files[i], ep);
	th->in.ncaps = 0;
}

/* Sleep once; the caller loops. */
static int sleep_until(u64 deadline)
{
	ktime_t t = min_t(u64, deadline, KTIME_MAX);

	if (fatal_signal_pending(current))
		return -EINTR;
	if (deadline == PITH_NO_DEADLINE) {
		schedule();
		return 0;
	}
	return schedule_hrtimeout_range(&t, 0, HRTIMER_MODE_ABS) ? 0 : -ETIMEDOUT;
}

/* --- replies ------------------------------------------------------------------- */

/*
 * End the call (c, seq): with @from's message, or with error @err if @from is
 * NULL. Drops the reference to @c. The wake-up is under the lock because the
 * caller may be gone right after it. False if the caller was gone before.
 */
static bool finish(struct pith_thread *c, u64 seq, struct pith_thread *from,
		   int err)
{
	bool waits;

	raw_spin_lock_irq(&c->lock);
	waits = c->seq == seq && c->state == PITH_WAIT_REPLY;
	if (waits) {
		if (from)
			move(from, c);
		c->result = err;
		smp_store_release(&c->state, PITH_DONE);
		wake(c->task);
	}
	raw_spin_unlock_irq(&c->lock);
	thread_put(c);
	return waits;
}

static void drop_owed(struct pith_thread *th)
{
	struct pith_thread *c = th->owed;

	th->owed = NULL;
	if (c)
		finish(c, th->owed_seq, NULL, -EPIPE);
}

static int reply_owed(struct pith_thread *th)
{
	struct pith_thread *c = th->owed;
	bool told;
	int err;

	if (!c)
		return -EINVAL;
	err = take_out(th);
	if (err)
		return err;
	th->owed = NULL;
	told = finish(c, th->owed_seq, th, 0);
	drop_files(&th->out);
	return told ? 0 : PITH_CALLER_GONE;
}

static struct pith_thread *reply_take(struct pith_reply *r, u64 *seq)
{
	struct pith_thread *c;

	raw_spin_lock_irq(&r->lock);
	c = r->owed;
	r->owed = NULL;
	*seq = r->seq;
	raw_spin_unlock_irq(&r->lock);
	return c;
}

static void reply_free(struct pith_object *obj)
{
	struct pith_reply *r = container_of(obj, struct pith_reply, obj);
	u64 seq;
	struct pith_thread *c = reply_take(r, &seq);

	if (c)
		finish(c, seq, NULL, -EPIPE);
	kfree(r);
}

static int reply_saved(struct pith_thread *th, struct pith_cap *cap)
{
	struct pith_reply *r = container_of(cap->obj, struct pith_reply, obj);
	struct pith_thread *c;
	u64 seq;
	int ret = take_out(th);

	if (ret)
		return ret;
	c = reply_take(r, &seq);
	if (!c)
		ret = -EPIPE;
	else if (!finish(c, seq, th, 0))
		ret = PITH_CALLER_GONE;
	drop_files(&th->out);
	return ret;
}

int pith_op_ep_save_reply(struct pith_cap *cap)
{
	struct pith_thread *th = current->pith;
	struct pith_reply *r;
	int fd;

	if (!(cap->rights & PITH_R_RECV))
		return -EPERM;
	if (!th || !th->owed)
		return -EINVAL;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	pith_object_init(&r->obj, PITH_T_REPLY, reply_free);
	raw_spin_lock_init(&r->lock);
	pith_get(&r->obj);
	fd = pith_cap_install(&r->obj, 0);
	if (fd >= 0) {
		raw_spin_lock_irq(&r->lock);
		r->owed = th->owed;
		r->seq = th->owed_seq;
		raw_spin_unlock_irq(&r->lock);
		th->owed = NULL;
	}
	pith_put(&r->obj);
	return fd;
}

/* --- call ------------------------------------------------------------------------ */

/*
 * Under ep->lock: queued caller @c becomes what server @s has received. Once
 * that is visible the server may run, end and free @s.
 */
static void hand_over(struct pith_thread *c, struct pith_thread *s)
{
	raw_spin_lock(&c->lock);
	c->state = PITH_WAIT_REPLY;
	raw_spin_unlock(&c->lock);
	refcount_inc(&c->ref);
	s->owed = c;
	s->owed_seq = c->seq;
	s->in_badge = c->badge;
	s->in_count = 0;
	move(c, s);
	smp_store_release(&s->got, PITH_GOT_CALL);
}

/* Under ep->lock: take @c out of the queue. */
static void unqueue(struct pith_thread *c)
{
	list_del_init(&c->link);
	list_del_init(&c->cap_link);
}

static int call_begin(struct pith_endpoint *ep, struct pith_cap *cap,
		      struct pith_thread *th)
{
	struct task_struct *server;
	struct pith_thread *s;
	int err = 0;

	raw_spin_lock_irq(&ep->lock);
	if (ep->dead || cap->dead) {
		err = -EPIPE;
		goto out;
	}
	th->seq++;
	th->state = PITH_QUEUED;
	s = list_first_entry_or_null(&ep->servers, struct pith_thread, link);
	if (s) {
		list_del_init(&s->link);
		server = s->task;
		hand_over(th, s);
		wake(server);
	} else {
		list_add_tail(&th->link, &ep->callers);
		list_add_tail(&th->cap_link, &cap->callers);
	}
out:
	raw_spin_unlock_irq(&ep->lock);
	return err;
}

/* Give up with @err, unless the reply has just come. */
static int call_abort(struct pith_endpoint *ep, struct pith_thread *th, int err)
{
	raw_spin_lock_irq(&ep->lock);
	raw_spin_lock(&th->lock);
	if (th->state == PITH_DONE) {
		err = th->result;
	} else {
		if (th->state == PITH_QUEUED)
			unqueue(th);
		th->state = PITH_IDLE;
		th->seq++;
	}
	raw_spin_unlock(&th->lock);
	raw_spin_unlock_irq(&ep->lock);
	return err;
}

static int call_wait(struct pith_endpoint *ep, struct pith_thread *th,
		     u64 deadline)
{
	int err = 0;

	for (;;) {
		set_current_state(SLEEPING);
		if (READ_ONCE(th->state) == PITH_DONE || err)
			break;
		err = sleep_until(deadline);
	}
	__set_current_state(TASK_RUNNING);
	if (err || smp_load_acquire(&th->state) != PITH_DONE)
		return call_abort(ep, th, err);
	/* whoever ended the call has let go of this thread once it lets us in */
	raw_spin_lock_irq(&th->lock);
	err = th->result;
	raw_spin_unlock_irq(&th->lock);
	return err;
}

long pith_do_call(int fd, u64 deadline)
{
	struct pith_thread *th = current->pith;
	struct pith_endpoint *ep;
	struct pith_cap *cap;
	struct fd f;
	int err;

	if (!th)
		return -EINVAL;
	cap = pith_fd_cap(fd, PITH_T_ENDPOINT, PITH_R_CALL, &f);
	if (IS_ERR(cap))
		return PTR_ERR(cap);
	ep = container_of(cap->obj, struct pith_endpoint, obj);
	err = take_out(th);
	if (err)
		goto out;
	th->badge = cap->badge;
	err = call_begin(ep, cap, th);
	if (!err)
		err = call_wait(ep, th, deadline);
	drop_files(&th->out);	/* what did not reach a server */
	if (!err)
		land(th, NULL);
	th->state = PITH_IDLE;
out:
	fdput(f);
	return err;
}

/* --- receive ------------------------------------------------------------------------ */

static void take_note(struct pith_thread *th, struct pith_notif *n, u64 count)
{
	th->in_badge = n->badge;
	th->in_count = count;
	th->in = (struct pith_transfer_state) {};
	smp_store_release(&th->got, PITH_GOT_NOTIFICATION);
}

bool pith_ep_deliver_note(struct pith_endpoint *ep, struct pith_notif *n)
{
	struct task_struct *server;
	struct pith_thread *s;
	u64 count;

	s = list_first_entry_or_null(&ep->servers, struct pith_thread, link);
	if (!s)
		return false;
	count = atomic64_xchg(&n->count, 0);
	if (count) {
		list_del_init(&s->link);
		server = s->task;
		take_note(s, n, count);
		try_to_wake_up(server, TASK_NORMAL, 0);
	}
	return true;
}

/* Under ep->lock: true if a pending notification was taken. */
static bool receive_note(struct pith_endpoint *ep, struct pith_thread *th)
{
	struct pith_notif *n;
	u64 count;

	while (!list_empty(&ep->notes)) {
		n = list_first_entry(&ep->notes, struct pith_notif, link);
		list_del_init(&n->link);
		n->pending = false;
		count = atomic64_xchg(&n->count, 0);
		if (count) {
			take_note(th, n, count);
			return true;
		}
	}
	return false;
}

/* Under ep->lock: true if a caller was taken. */
static bool receive_call(struct pith_endpoint *ep, struct pith_thread *th)
{
	struct pith_thread *c;

	c = list_first_entry_or_null(&ep->callers, struct pith_thread, link);
	if (!c)
		return false;
	unqueue(c);
	hand_over(c, th);
	return true;
}

/* Calls and notifications take turns, so that neither starves the other. */
static bool receive_pending(struct pith_endpoint *ep, struct pith_thread *th)
{
	bool got;

	if (ep->callers_next)
		got = receive_call(ep, th) || receive_note(ep, th);
	else
		got = receive_note(ep, th) || receive_call(ep, th);
	if (got)
		ep->callers_next = th->got == PITH_GOT_NOTIFICATION;
	return got;
}

static int receive_abort(struct pith_endpoint *ep, struct pith_thread *th,
			 int err)
{
	raw_spin_lock_irq(&ep->lock);
	if (th->got)
		err = 0;
	else
		list_del_init(&th->link);
	raw_spin_unlock_irq(&ep->lock);
	return err;
}

static int receive(struct pith_endpoint *ep, struct pith_thread *th,
		   u64 deadline)
{
	int err = 0;

	th->got = 0;
	raw_spin_lock_irq(&ep->lock);
	if (ep->dead)
		th->got = -EPIPE;
	else if (!receive_pending(ep, th))
		list_add(&th->link, &ep->servers);
	raw_spin_unlock_irq(&ep->lock);

	for (;;) {
		set_current_state(SLEEPING);
		if (READ_ONCE(th->got) || err)
			break;
		err = sleep_until(deadline);
	}
	__set_current_state(TASK_RUNNING);
	if (!smp_load_acquire(&th->got)) {
		err = receive_abort(ep, th, err);
		if (err)
			return err;
	}
	if (th->got < 0)
		return th->got;
	land(th, ep);
	th->header->badge = th->in_badge;
	th->header->count = th->in_count;
	return th->got;
}

static int reply_and_wait(struct pith_cap *cap, struct pith_thread *th,
			  u32 flags, u64 deadline)
{
	struct pith_endpoint *ep;
	int err = 0;

	if (cap->obj->type == PITH_T_REPLY)
		return flags == PITH_REPLY ? reply_saved(th, cap) : -EINVAL;
	if (cap->obj->type != PITH_T_ENDPOINT)
		return -EBADF;
	if (!(cap->rights & PITH_R_RECV))
		return -EPERM;
	ep = container_of(cap->obj, struct pith_endpoint, obj);
	if (flags & PITH_REPLY)
		err = reply_owed(th);
	if (err < 0 || !(flags & PITH_WAIT))
		return err;
	drop_owed(th);
	return receive(ep, th, deadline);
}

long pith_do_reply_wait(int fd, u32 flags, u64 deadline)
{
	struct pith_thread *th = current->pith;
	struct pith_cap *cap;
	struct fd f;
	int ret;

	if (!th || !flags || (flags & ~(PITH_REPLY | PITH_WAIT)))
		return -EINVAL;
	/* what was received before a revocation is still answered */
	cap = pith_fd_any(fd, &f);
	if (IS_ERR(cap))
		return PTR_ERR(cap);
	ret = reply_and_wait(cap, th, flags, deadline);
	fdput(f);
	return ret;
}

/* --- endpoint life ------------------------------------------------------------------- */

/* The next notification that watches @ep, referenced. */
static struct pith_notif *next_watch(struct pith_endpoint *ep)
{
	struct pith_notif *n;

	raw_spin_lock_irq(&ep->lock);
	do {
		n = list_first_entry_or_null(&ep->watchers, struct pith_notif,
					     watch_link);
		if (n)
			list_del_init(&n->watch_link);
	} while (n && !refcount_inc_not_zero(&n->obj.ref));
	raw_spin_unlock_irq(&ep->lock);
	return n;
}

/* Under ep->lock: tell queued caller @c that there is nobody. */
static void refuse(struct pith_thread *c)
{
	unqueue(c);
	raw_spin_lock(&c->lock);
	c->result = -EPIPE;
	smp_store_release(&c->state, PITH_DONE);
	wake(c->task);
	raw_spin_unlock(&c->lock);
}

/* The next caller in the queue, refused: true if there was one. */
static bool refuse_caller(struct pith_endpoint *ep)
{
	struct pith_thread *c;

	raw_spin_lock_irq(&ep->lock);
	c = list_first_entry_or_null(&ep->callers, struct pith_thread, link);
	if (c)
		refuse(c);
	raw_spin_unlock_irq(&ep->lock);
	return c;
}

static bool dismiss_server(struct pith_endpoint *ep)
{
	struct pith_thread *s;
	struct task_struct *task;

	raw_spin_lock_irq(&ep->lock);
	s = list_first_entry_or_null(&ep->servers, struct pith_thread, link);
	if (s) {
		list_del_init(&s->link);
		task = s->task;
		smp_store_release(&s->got, -EPIPE);
		wake(task);
	}
	raw_spin_unlock_irq(&ep->lock);
	return s;
}

static bool drop_note(struct pith_endpoint *ep)
{
	struct pith_notif *n;

	raw_spin_lock_irq(&ep->lock);
	n = list_first_entry_or_null(&ep->notes, struct pith_notif, link);
	if (n) {
		list_del_init(&n->link);
		n->pending = false;
	}
	raw_spin_unlock_irq(&ep->lock);
	return n;
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
	while (refuse_caller(ep))
		;
	while (dismiss_server(ep))
		;
	while (drop_note(ep))
		;
	while ((n = next_watch(ep))) {
		pith_notif_signal(n, 1);
		pith_put(&n->obj);
	}
}

int pith_op_ep_watch(struct pith_cap *cap, void __user *arg)
{
	struct pith_notif *n = pith_arg_notif(arg, PITH_R_MANAGE);

	if (IS_ERR(n))
		return PTR_ERR(n);
	pith_notif_watch(n, container_of(cap->obj, struct pith_endpoint, obj));
	pith_put(&n->obj);
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
	struct pith_endpoint *ep = container_of(cap->obj, struct pith_endpoint,
						obj);

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
	struct pith_cap *cap = NULL;
	struct rb_node *node;

	raw_spin_lock_irq(&ep->lock);
	node = rb_find(&badge, &ep->minted, badge_cmp);
	if (node) {
		cap = rb_entry(node, struct pith_cap, node);
		WRITE_ONCE(cap->dead, true);
		if (list_empty(&cap->callers))
			forget_badge(ep, cap);
		else
			refuse(list_first_entry(&cap->callers,
						struct pith_thread, cap_link));
	}
	raw_spin_unlock_irq(&ep->lock);
	return cap;
}

void pith_ep_revoke_badge(struct pith_endpoint *ep, u64 badge)
{
	while (revoke_one(ep, badge))
		cond_resched();
}

static void ep_cap_gone(struct pith_cap *cap)
{
	struct pith_endpoint *ep = container_of(cap->obj, struct pith_endpoint,
						obj);

	raw_spin_lock_irq(&ep->lock);
	forget_badge(ep, cap);
	raw_spin_unlock_irq(&ep->lock);
	if ((cap->rights & PITH_R_RECV) && atomic_dec_and_test(&ep->receivers))
		ep_die(ep);
}

static void ep_free(struct pith_object *obj)
{
	kfree(container_of(obj, struct pith_endpoint, obj));
}

int pith_op_ep_create(void)
{
	struct pith_endpoint *ep = kzalloc(sizeof(*ep), GFP_KERNEL);

	if (!ep)
		return -ENOMEM;
	pith_object_init(&ep->obj, PITH_T_ENDPOINT, ep_free);
	ep->obj.cap_gone = ep_cap_gone;
	ep->obj.revoke = ep_revoke;
	ep->minted = RB_ROOT;
	raw_spin_lock_init(&ep->lock);
	atomic_set(&ep->receivers, 1);
	INIT_LIST_HEAD(&ep->callers);
	INIT_LIST_HEAD(&ep->servers);
	INIT_LIST_HEAD(&ep->notes);
	INIT_LIST_HEAD(&ep->watchers);
	return pith_cap_install(&ep->obj, PITH_R_CALL | PITH_R_RECV);
}

/* --- buffers -------------------------------------------------------------------------- */

static struct pith_thread *thread_new(void)
{
	struct pith_thread *th = kzalloc(sizeof(*th), GFP_KERNEL);

	if (th) {
		refcount_set(&th->ref, 1);
		raw_spin_lock_init(&th->lock);
		INIT_LIST_HEAD(&th->link);
		INIT_LIST_HEAD(&th->cap_link);
		th->task = current;
	}
	return th;
}

#define BUFFER_PAGES	(PITH_BUFFER_SIZE >> PAGE_SHIFT)

static void drop_buffer(struct pith_thread *th)
{
	if (!th->buffer)
		return;
	pith_mem_unpin(container_of(pith_cap_of(th->buffer)->obj,
				    struct pith_mem, obj),
		       th->buffer_page, BUFFER_PAGES);
	fput(th->buffer);
}

static int set_buffer(struct file *file, struct pith_cap *cap, u64 offset)
{
	struct pith_mem *mem = container_of(cap->obj, struct pith_mem, obj);
	u64 page = (cap->offset + offset) >> PAGE_SHIFT;
	struct pith_thread *th = current->pith;
	int err;

	if (!mem->pages || !PAGE_ALIGNED(offset) || offset > cap->size ||
	    cap->size - offset < PITH_BUFFER_SIZE)
		return -EINVAL;
	err = pith_mem_pin(mem, page, BUFFER_PAGES);
	if (err)
		return err;
	if (!th)
		th = thread_new();
	if (!th) {
		pith_mem_unpin(mem, page, BUFFER_PAGES);
		return -ENOMEM;
	}
	current->pith = th;
	drop_buffer(th);
	th->buffer = get_file(file);
	th->buffer_page = page;
	th->header = page_address(mem->pages[page]);
	th->data = page_address(mem->pages[page + 1]);
	return 0;
}

int pith_op_buffer_set(void __user *arg)
{
	struct pith_buffer b;
	struct pith_cap *cap;
	struct fd f;
	int err;

	if (copy_from_user(&b, arg, sizeof(b)))
		return -EFAULT;
	if (b.zero)
		return -EINVAL;
	cap = pith_fd_cap(b.mem, PITH_T_MEMORY, PITH_R_READ | PITH_R_WRITE, &f);
	if (IS_ERR(cap))
		return PTR_ERR(cap);
	err = set_buffer(fd_file(f), cap, b.offset);
	fdput(f);
	return err;
}

void pith_thread_exit(struct task_struct *task)
{
	struct pith_thread *th = task->pith;

	if (!th)
		return;
	task->pith = NULL;
	drop_owed(th);
	drop_files(&th->in);
	drop_buffer(th);
	thread_put(th);
}
