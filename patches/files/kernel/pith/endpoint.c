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
#include "pith.h"
#include "../sched/sched.h"

#define SLEEPING	(TASK_KILLABLE | TASK_NOLOAD)

/* --- threads ------------------------------------------------------------------ */

void pith_wake(struct task_struct *task)
{
	try_to_wake_up(task, TASK_NORMAL, WF_SYNC | WF_CURRENT_CPU);
}

void pith_drop_files(struct pith_transfer_state *t)
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
	int err = 0;

	out->label = READ_ONCE(m->label);
	out->len = READ_ONCE(m->len);
	out->ncaps = 0;
	if (out->len > PITH_MSG_BYTES || ncaps > PITH_MSG_CAPS)
		return -EINVAL;
	for (i = 0; i < ncaps && !err; i++) {
		int fd = READ_ONCE(m->caps[i]);
		struct file *file = NULL;

		if (fd != PITH_CAP_NONE) {
			file = pith_fd_file(fd);
			err = !file ? -EBADF :
				pith_cap_dead(pith_cap_of(file)) ? -EPIPE : 0;
		}
		out->files[i] = file;
		out->ncaps = i + 1;
	}
	if (err)
		pith_drop_files(out);
	return err;
}

/* Both threads stand still: one waits, the other is the caller of this. */
static void move(struct pith_thread *from, struct pith_thread *to)
{
	struct pith_transfer_state *in = &to->in, *out = &from->out;
	u32 i;

	in->label = out->label;
	in->len = out->len;
	in->ncaps = out->ncaps;
	for (i = 0; i < out->ncaps; i++)
		in->files[i] = out->files[i];
	out->ncaps = 0;
	if (in->len)
		memcpy(to->data, from->data, min(in->len, to->room));
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
			fd = pith_fd_install(file);
			if (fd < 0)
				fd = PITH_CAP_LOST;
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

/*
 * What is to wake the current thread is set up from here to the switch, with
 * interrupts off. Whoever is found to be woken may go away at any time; its
 * task and its pith_thread last as long as interrupts stay off, as RCU frees
 * them, and this point is noted for RCU instead of the switch itself.
 */
static void sleep_begin(void)
{
	local_irq_disable();
	rcu_note_context_switch(false);
}

static void sleep_once(struct task_struct *partner)
{
	if (partner) {
		pith_switch_to(partner, SLEEPING);
	} else {
		local_irq_enable();
		schedule();
	}
}

static noinline int sleep_timed(struct task_struct *partner, u64 deadline)
{
	struct hrtimer_sleeper t;

	if (!deadline) {	/* polls */
		if (partner)
			pith_wake(partner);
		local_irq_enable();
		preempt_check_resched();
		return -ETIMEDOUT;
	}
	hrtimer_init_sleeper_on_stack(&t, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	hrtimer_set_expires(&t.timer, min_t(u64, deadline, KTIME_MAX));
	hrtimer_sleeper_start_expires(&t, HRTIMER_MODE_ABS);
	sleep_once(partner);
	hrtimer_cancel(&t.timer);
	destroy_hrtimer_on_stack(&t.timer);
	return t.task ? 0 : -ETIMEDOUT;
}

static __always_inline bool arrived(struct pith_thread *th, bool call)
{
	return call ? smp_load_acquire(&th->state) == PITH_DONE :
		      smp_load_acquire(&th->got);
}

/*
 * After sleep_begin(), with the state set before anybody could know that this
 * thread waits: hand the CPU to @partner, if there is one, and sleep until a
 * reply (@call) or a message has come, the deadline has passed or the thread is
 * being killed. The last two are what is returned.
 */
static __always_inline int sleep_until(struct pith_thread *th, bool call,
				       struct task_struct *partner, u64 deadline)
{
	int err = 0;

	for (;;) {
		if (deadline == PITH_NO_DEADLINE)
			sleep_once(partner);
		else
			err = sleep_timed(partner, deadline);
		partner = NULL;
		if (arrived(th, call))
			break;
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			break;
		sleep_begin();
		set_current_state(SLEEPING);
		if (arrived(th, call)) {
			local_irq_enable();
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/* --- replies ------------------------------------------------------------------- */

/*
 * End the call (c, seq): with @from's message, or if that is NULL with error
 * @err. Interrupts are off. The task to be woken, NULL if the caller was gone
 * before. Drops the reference to @c.
 */
static struct task_struct *finish(struct pith_thread *c, u64 seq,
				  struct pith_thread *from, int err)
{
	struct task_struct *task = NULL;

	raw_spin_lock(&c->lock);
	if (c->seq == seq && c->state == PITH_WAIT_REPLY) {
		if (from)
			move(from, c);
		c->result = from ? 0 : err;
		c->server = NULL;
		task = c->task;
		smp_store_release(&c->state, PITH_DONE);
	}
	raw_spin_unlock(&c->lock);
	pith_thread_put(c);
	return task;
}

/* The same, and wake it. False if there was nobody to wake. */
static bool finish_wake(struct pith_thread *c, u64 seq,
			struct pith_thread *from, int err)
{
	struct task_struct *task;

	local_irq_disable();
	task = finish(c, seq, from, err);
	if (task)
		pith_wake(task);
	local_irq_enable();
	preempt_check_resched();
	return task;
}

/* This thread has let go of a caller that may have donated to it. */
static void released(struct pith_thread *th)
{
	smp_mb();	/* pairs with settle() */
	if (READ_ONCE(th->donated) != MAX_RT_PRIO)
		pith_settle(th, NULL);
}

void pith_drop_owed(struct pith_thread *th)
{
	struct pith_thread *c = th->owed;

	th->owed = NULL;
	if (c)
		finish_wake(c, th->owed_seq, NULL, -EPIPE);
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
	told = finish_wake(c, th->owed_seq, th, 0);
	released(th);
	pith_drop_files(&th->out);
	return told ? 0 : PITH_CALLER_GONE;
}

/*
 * End the call that @r is for, as finish_wake() does. Who saved the reply keeps
 * what the caller donates until that is awake. -EPIPE: it was ended before.
 */
static int reply_finish(struct pith_reply *r, struct pith_thread *from)
{
	struct pith_thread *c = xchg(&r->owed, NULL);
	bool told;

	if (!c)
		return -EPIPE;
	pith_get(&c->obj);
	told = finish_wake(c, r->seq, from, -EPIPE);
	pith_unsaved(c, r->seq);
	pith_thread_put(c);
	return told ? 0 : PITH_CALLER_GONE;
}

static void reply_free(struct pith_object *obj)
{
	struct pith_reply *r = container_of(obj, struct pith_reply, obj);

	reply_finish(r, NULL);
	kfree(r);
}

static int reply_saved(struct pith_thread *th, struct pith_cap *cap)
{
	int ret = take_out(th);

	if (ret)
		return ret;
	ret = reply_finish(pith_cap_to(cap, struct pith_reply), th);
	pith_drop_files(&th->out);
	return ret;
}

int pith_op_ep_save_reply(struct pith_cap *cap, void *arg)
{
	struct pith_thread *th = current->pith, *c;
	struct pith_reply *r;
	int fd;

	if (!th || !th->owed)
		return -EINVAL;
	c = th->owed;
	r = pith_object_new(pith_current_domain(), PITH_T_REPLY, sizeof(*r), 0,
			    reply_free);
	if (IS_ERR(r))
		return PTR_ERR(r);
	pith_get(&r->obj);
	fd = pith_cap_install(&r->obj, 0);
	if (fd >= 0) {
		pith_saved(th, c, th->owed_seq);
		r->seq = th->owed_seq;
		/* first: who has the new descriptor may let go of @c at once */
		WRITE_ONCE(th->owed, NULL);
		smp_store_release(&r->owed, c);
	}
	pith_put(&r->obj);
	return fd;
}

/* --- call ------------------------------------------------------------------------ */

/*
 * Under ep->lock: caller @c becomes what server @s has received. Once that is
 * visible the server may run and end. What is left of an earlier call of @c has
 * another seq, so its lock is not needed. False if the server's priority has to
 * be settled.
 */
static bool hand_over(struct pith_thread *c, struct pith_thread *s)
{
	bool settled;

	c->state = PITH_WAIT_REPLY;
	c->server = s;
	s->owed_seq = c->seq;
	s->owed = c;
	pith_get(&c->obj);
	smp_mb__after_atomic();	/* pairs with settle() */
	settled = READ_ONCE(s->donated) == READ_ONCE(c->prio);
	s->in_badge = c->badge;
	s->in_count = 0;
	move(c, s);
	smp_store_release(&s->got, PITH_GOT_CALL);
	return settled;
}

/*
 * After sleep_begin(): send or queue. *@server: whom to wake, if anybody.
 * *@settle: whose priority is not right, referenced, if anybody's.
 */
static int call_begin(struct pith_endpoint *ep, struct pith_cap *cap,
		      struct pith_thread *th, struct task_struct **server,
		      struct pith_thread **settle)
{
	struct pith_thread *s;

	raw_spin_lock(&ep->lock);
	if (ep->dead || cap->dead) {
		raw_spin_unlock(&ep->lock);
		return -EPIPE;
	}
	set_current_state(SLEEPING);
	th->seq++;
	s = list_first_entry_or_null(&ep->servers, struct pith_thread, link);
	if (s) {
		list_del_init(&s->link);
		*server = s->task;
		if (unlikely(!hand_over(th, s)) &&
		    refcount_inc_not_zero(&s->obj.ref))
			*settle = s;
	} else {
		th->state = PITH_QUEUED;
		pith_queue(ep, th);
		list_add_tail(&th->cap_link, &cap->callers);
	}
	raw_spin_unlock(&ep->lock);
	return 0;
}

/* Give up with @err, unless the reply has just come. */
static int call_abort(struct pith_endpoint *ep, struct pith_thread *th, int err)
{
	struct pith_thread *server = NULL;
	bool queued = false;

	raw_spin_lock_irq(&ep->lock);
	raw_spin_lock(&th->lock);
	if (th->state == PITH_DONE) {
		err = th->result;
	} else {
		queued = th->state == PITH_QUEUED;
		if (queued)
			pith_unqueue(ep, th);
		server = th->server;
		if (server)
			pith_get(&server->obj);
		th->server = NULL;
		th->state = PITH_IDLE;
		th->seq++;
	}
	raw_spin_unlock(&th->lock);
	raw_spin_unlock_irq(&ep->lock);
	if (queued && th->prio < MAX_RT_PRIO)
		pith_settle(NULL, ep);
	if (server) {
		released(server);
		pith_thread_put(server);
	}
	return err;
}

static int call(struct pith_endpoint *ep, struct pith_cap *cap,
		struct pith_thread *th, u64 deadline)
{
	struct pith_thread *settle = NULL;
	struct task_struct *server = NULL;
	int err;

	sleep_begin();
	err = call_begin(ep, cap, th, &server, &settle);
	if (err) {
		local_irq_enable();
		return err;
	}
	if (unlikely(settle || (!server && th->prio < MAX_RT_PRIO))) {
		/* woken first: it must not lose the CPU before it has ours */
		if (server)
			pith_wake(server);
		server = NULL;
		local_irq_enable();
		if (settle) {
			pith_settle(settle, NULL);
			pith_thread_put(settle);
		} else {
			pith_settle(NULL, ep);
		}
		sleep_begin();
	}
	err = sleep_until(th, true, server, deadline);
	err = err ? call_abort(ep, th, err) : th->result;
	if (unlikely(th->saver))	/* nobody took it out on our way here */
		pith_unsaved(th, th->seq);
	return err;
}

int pith_fault_call(struct pith_cap *cap, struct pith_thread *th,
		    struct pith_fault *f)
{
	void *data = th->data;
	u32 room = th->room;
	int err;

	/* the message is the kernel's own; of the reply only its label counts */
	th->data = f;
	th->room = 0;
	th->badge = cap->badge;
	th->out.label = PITH_FAULT;
	th->out.len = sizeof(*f);
	th->out.ncaps = 0;
	err = call(pith_cap_to(cap, struct pith_endpoint), cap, th,
		   PITH_NO_DEADLINE);
	th->state = PITH_IDLE;
	th->data = data;
	th->room = room;
	if (err)
		return err;
	pith_drop_files(&th->in);
	return th->in.label ? -EPERM : 0;
}

long pith_do_call(int fd, u64 deadline)
{
	struct pith_thread *th = current->pith;
	int err;

	if (!th || !th->buffer)
		return -EINVAL;
	CLASS(pith_fd, f)(fd, PITH_T_ENDPOINT, PITH_R_CALL);
	if (IS_ERR(f.cap))
		return PTR_ERR(f.cap);
	err = take_out(th);
	if (err)
		return err;
	th->badge = f.cap->badge;
	th->calls++;
	err = call(pith_cap_to(f.cap, struct pith_endpoint), f.cap, th, deadline);
	pith_drop_files(&th->out);	/* what did not reach a server */
	if (!err)
		land(th, NULL);
	th->state = PITH_IDLE;
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

	if (plist_head_empty(&ep->callers))
		return false;
	c = plist_first_entry(&ep->callers, struct pith_thread, queued);
	pith_unqueue(ep, c);
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
	guard(raw_spinlock_irq)(&ep->lock);
	if (th->got)
		return 0;
	list_del_init(&th->link);
	return err;
}

/* After a receive: what @th is donated is what it was, or is settled. */
static void check_donated(struct pith_endpoint *ep, struct pith_thread *th,
			  bool from_queue)
{
	int prio = th->owed ? READ_ONCE(th->owed->prio) : MAX_RT_PRIO;

	if (from_queue && prio < MAX_RT_PRIO)
		pith_settle(NULL, ep);	/* the others too */
	else if (unlikely(READ_ONCE(th->donated) != prio))
		pith_settle(th, NULL);
}

/*
 * After sleep_begin(): take what is there or wait for it. @client: to be woken,
 * if anybody. It gets the CPU if this thread has to wait.
 */
static int receive(struct pith_endpoint *ep, struct pith_thread *th,
		   struct task_struct *client, u64 deadline)
{
	bool pending;
	int err = 0;

	th->got = 0;
	raw_spin_lock(&ep->lock);
	pending = ep->dead || receive_pending(ep, th);
	if (pending) {
		if (ep->dead)
			th->got = -EPIPE;
		raw_spin_unlock(&ep->lock);
		if (client)
			pith_wake(client);
		local_irq_enable();
		preempt_check_resched();
	} else {
		set_current_state(SLEEPING);
		list_add(&th->link, &ep->servers);
		raw_spin_unlock(&ep->lock);
		err = sleep_until(th, false, client, deadline);
	}
	if (err)
		err = receive_abort(ep, th, err);
	check_donated(ep, th, pending);
	if (err)
		return err;
	if (th->got < 0)
		return th->got;
	th->receives++;
	land(th, ep);
	th->header->badge = th->in_badge;
	th->header->count = th->in_count;
	return th->got;
}

static int reply_wait(struct pith_endpoint *ep, struct pith_thread *th,
		      u32 flags, u64 deadline)
{
	struct pith_thread *c = th->owed;
	bool reply = flags & PITH_REPLY;
	struct task_struct *client = NULL;
	int err;

	if (reply) {
		err = c ? take_out(th) : -EINVAL;
		if (err)
			return err;
	}
	if (unlikely(th->serves != ep))
		pith_serve(th, ep);
	th->owed = NULL;
	sleep_begin();
	if (c)
		client = finish(c, th->owed_seq, reply ? th : NULL, -EPIPE);
	if (unlikely(th->out.ncaps)) {	/* there is no client to take them */
		local_irq_enable();
		pith_drop_files(&th->out);
		sleep_begin();
	}
	return receive(ep, th, client, deadline);
}

static int reply_and_wait(struct pith_cap *cap, struct pith_thread *th,
			  u32 flags, u64 deadline)
{
	if (cap->obj->type == PITH_T_REPLY)
		return flags == PITH_REPLY ? reply_saved(th, cap) : -EINVAL;
	if (cap->obj->type != PITH_T_ENDPOINT)
		return -EBADF;
	if (!(cap->rights & PITH_R_RECV))
		return -EPERM;
	if (!(flags & PITH_WAIT))
		return reply_owed(th);
	return reply_wait(pith_cap_to(cap, struct pith_endpoint), th, flags,
			  deadline);
}

long pith_do_reply_wait(int fd, u32 flags, u64 deadline)
{
	struct pith_thread *th = current->pith;
	struct pith_fd f;
	int ret;

	if (!th || !th->buffer || !flags || (flags & ~(PITH_REPLY | PITH_WAIT)))
		return -EINVAL;
	/* what was received before a revocation is still answered */
	f = pith_fd_any(fd);
	if (IS_ERR(f.cap))
		ret = PTR_ERR(f.cap);
	else
		ret = reply_and_wait(f.cap, th, flags, deadline);
	fdput(f.fd);
	return ret;
}
