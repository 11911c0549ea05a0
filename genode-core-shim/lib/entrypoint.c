/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <pith/entrypoint.h>

/* A badge is generation << 16 | slot + 1, never 0. */
static uint64_t badge_of(struct entrypoint *ep, struct ep_slot *s)
{
	return s->generation << 16 | (s - ep->slots + 1);
}

static struct ep_slot *slot_of(struct entrypoint *ep, uint64_t badge)
{
	uint64_t i = (badge & 0xffff) - 1;
	struct ep_slot *s = i < ep->nslots ? &ep->slots[i] : NULL;

	return s && s->used && badge_of(ep, s) == badge ? s : NULL;
}

int ep_init(struct entrypoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	ep->ep = pith_ep_create();
	return ep->ep < 0 ? ep->ep : 0;
}

static int grow(struct entrypoint *ep)
{
	unsigned int n = ep->nslots ? 2 * ep->nslots : 32;
	struct ep_slot *more;

	n = n < EP_SLOTS_MAX ? n : EP_SLOTS_MAX;
	if (n == ep->nslots)
		return -EMFILE;
	more = realloc(ep->slots, n * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + ep->nslots, 0, (n - ep->nslots) * sizeof(*more));
	for (unsigned int i = n; i > ep->nslots; i--) {	/* the first one first */
		more[i - 1].next_free = ep->first_free;
		ep->first_free = i;
	}
	ep->slots = more;
	ep->nslots = n;
	return 0;
}

int64_t ep_add(struct entrypoint *ep, ep_call_fn call, ep_notify_fn notify,
	       void *ctx)
{
	int err = ep->first_free ? 0 : grow(ep);
	struct ep_slot *s;

	if (err)
		return err;
	s = &ep->slots[ep->first_free - 1];
	ep->first_free = s->next_free;
	*s = (struct ep_slot) {
		.call = call, .notify = notify, .ctx = ctx,
		.generation = s->generation + 1, .used = 1,
	};
	return badge_of(ep, s);
}

void ep_remove(struct entrypoint *ep, uint64_t badge)
{
	struct ep_slot *s = slot_of(ep, badge);

	if (!s)
		return;
	s->used = 0;
	s->next_free = ep->first_free;
	ep->first_free = s - ep->slots + 1;
}

void *ep_context(struct entrypoint *ep, uint64_t badge, ep_call_fn call)
{
	struct ep_slot *s = slot_of(ep, badge);

	return s && s->call == call ? s->ctx : NULL;
}

int ep_new_object(struct entrypoint *ep, ep_call_fn call, void *ctx,
		  uint64_t *badge)
{
	int64_t b = ep_add(ep, call, NULL, ctx);
	int fd;

	if (b < 0)
		return b;
	fd = pith_mint_badge(ep->ep, b);
	if (fd < 0)
		ep_remove(ep, b);
	*badge = b;
	return fd;
}

int ep_new_notification(struct entrypoint *ep, ep_notify_fn notify, void *ctx,
			uint64_t *badge)
{
	int64_t b = ep_add(ep, NULL, notify, ctx);
	int fd, err;

	if (b < 0)
		return b;
	fd = pith_notif_create();
	if (fd < 0) {
		ep_remove(ep, b);
		return fd;
	}
	err = pith_notif_bind(fd, ep->ep, b);
	if (err) {
		pith_close(fd);
		ep_remove(ep, b);
		return err;
	}
	*badge = b;
	return fd;
}

/* --- timers ------------------------------------------------------------------- */

void ep_timer_cancel(struct entrypoint *ep, struct ep_timer *t)
{
	struct ep_timer **p;

	for (p = &ep->timers; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->at = PITH_NO_DEADLINE;
}

void ep_timer_set(struct entrypoint *ep, struct ep_timer *t, uint64_t at)
{
	struct ep_timer **p;

	ep_timer_cancel(ep, t);
	t->at = at;
	for (p = &ep->timers; *p && (*p)->at <= at; p = &(*p)->next)
		;
	t->next = *p;
	*p = t;
}

/* The first timer that is due, or NULL; with @idle, patient ones, too. */
static struct ep_timer *timer_due(const struct entrypoint *ep, bool idle)
{
	uint64_t now = ep->timers ? pith_now() : 0;
	struct ep_timer *t;

	for (t = ep->timers; t && t->at <= now; t = t->next)
		if (idle || now - t->at >= t->patience)
			return t;
	return NULL;
}

static int fire_timer(struct entrypoint *ep, struct ep_timer *t)
{
	if (!t)
		return 0;
	ep_timer_cancel(ep, t);
	t->fire(t->ctx);
	return 1;
}

/* --- dispatch -------------------------------------------------------------------- */

/* The server's own copy of the request: the buffer is needed for calls that the
 * handler makes. */
static void take_request(struct entrypoint *ep, struct pith_msg *m,
			 struct ep_request *in)
{
	*in = (struct ep_request) {
		.method = m->label, .badge = m->badge, .len = m->len,
		.data = ep->request, .ncaps = m->ncaps,
	};
	memcpy(ep->request, rpc_payload(), in->len);
	for (unsigned int i = 0; i < PITH_MSG_CAPS; i++) {
		in->caps[i] = i < in->ncaps ? m->caps[i] : PITH_CAP_NONE;
		in->cap_badges[i] = i < in->ncaps ? m->cap_badges[i] : 0;
	}
}

static void close_caps(struct ep_request *in)
{
	for (unsigned int i = 0; i < in->ncaps; i++)
		pith_close(in->caps[i]);
}

/* PITH_REPLY: the buffer holds the reply, for the next system call; or 0: it was
 * sent, as capabilities were to be closed after that. */
static uint32_t make_reply(struct entrypoint *ep, struct ep_request *in,
			   int status)
{
	struct pith_msg *m = rpc_header();

	m->label = status < 0 ? -status : 0;
	m->len = status < 0 ? 0 : in->rep_len;
	m->ncaps = status < 0 ? 0 : in->rep_ncaps;
	memcpy(rpc_payload(), ep->reply, m->len);
	memcpy(m->caps, in->rep_caps, sizeof(in->rep_caps));
	if (!in->rep_close)
		return PITH_REPLY;
	pith_reply_wait(ep->ep, PITH_REPLY, 0);
	for (unsigned int i = 0; i < in->rep_ncaps; i++)
		if (in->rep_close & 1u << i)
			pith_close(in->rep_caps[i]);
	return 0;
}

static uint32_t handle_call(struct entrypoint *ep)
{
	struct pith_msg *m = rpc_header();
	struct ep_slot *s = slot_of(ep, m->badge);
	struct ep_request in, *outer = ep->serving;
	int status = -EBADF;	/* the session is closed */

	take_request(ep, m, &in);
	ep->serving = &in;
	if (s && s->call)
		status = s->call(s->ctx, &in);
	ep->serving = outer;
	close_caps(&in);
	return status == EP_DEFERRED ? 0 : make_reply(ep, &in, status);
}

/* In a handler that dispatches: what it has of its own call stays. */
static __attribute__((noinline))
uint32_t handle_nested(struct entrypoint *ep, const struct ep_request *outer)
{
	uint8_t request[PITH_MSG_BYTES], reply[PITH_MSG_BYTES];
	uint32_t unsent;

	memcpy(request, ep->request, outer->len);
	memcpy(reply, ep->reply, outer->rep_len);
	unsent = handle_call(ep);
	memcpy(ep->request, request, outer->len);
	memcpy(ep->reply, reply, outer->rep_len);
	return unsent;
}

static uint32_t dispatch_call(struct entrypoint *ep)
{
	return ep->serving ? handle_nested(ep, ep->serving) : handle_call(ep);
}

static void dispatch_notification(struct entrypoint *ep)
{
	struct pith_msg *m = rpc_header();
	struct ep_slot *s = slot_of(ep, m->badge);

	if (s && s->notify)
		s->notify(s->ctx, m->count);
}

static void flush(struct entrypoint *ep, uint32_t *unsent)
{
	if (*unsent)
		pith_reply_wait(ep->ep, PITH_REPLY, 0);
	*unsent = 0;
}

/* One event. A reply that is @unsent goes out with the wait, or before a handler
 * may need the buffer. */
static int step(struct entrypoint *ep, uint64_t deadline, uint32_t *unsent)
{
	uint64_t until = deadline;
	int got;

	if (timer_due(ep, false)) {
		flush(ep, unsent);
		return fire_timer(ep, timer_due(ep, false));
	}
	if (ep->timers && ep->timers->at < until)
		until = ep->timers->at;
	got = pith_reply_wait(ep->ep, PITH_WAIT | *unsent, until);
	*unsent = 0;
	if (got == -ETIMEDOUT)
		return until == deadline ? 0 :
					   fire_timer(ep, timer_due(ep, true));
	if (got == PITH_GOT_CALL)
		*unsent = dispatch_call(ep);
	else if (got == PITH_GOT_NOTIFICATION)
		dispatch_notification(ep);
	return got < 0 ? got : 1;
}

int ep_dispatch(struct entrypoint *ep, uint64_t deadline)
{
	uint32_t unsent = 0;
	int ret = step(ep, deadline, &unsent);

	flush(ep, &unsent);
	return ret;
}

void ep_run(struct entrypoint *ep)
{
	uint32_t unsent = 0;

	for (;;)
		step(ep, PITH_NO_DEADLINE, &unsent);
}

/* --- inside a handler ---------------------------------------------------------------- */

int ep_reply_data(struct entrypoint *ep, struct ep_request *in,
		  const void *data, size_t len)
{
	if (len > PITH_MSG_BYTES - in->rep_len)
		return -EMSGSIZE;
	memcpy(ep->reply + in->rep_len, data, len);
	in->rep_len += len;
	return 0;
}

int ep_reply_cap(struct ep_request *in, int fd, int close)
{
	if (in->rep_ncaps >= PITH_MSG_CAPS)
		return -EMSGSIZE;
	if (close)
		in->rep_close |= 1u << in->rep_ncaps;
	in->rep_caps[in->rep_ncaps++] = fd;
	return 0;
}

int ep_take_cap(struct ep_request *in, unsigned int i)
{
	int fd = i < in->ncaps ? in->caps[i] : -1;

	if (fd < 0)
		return -EBADF;
	in->caps[i] = PITH_CAP_NONE;
	return fd;
}

int ep_save_reply(struct entrypoint *ep, struct ep_request *in)
{
	(void)in;
	return pith_ep_save_reply(ep->ep);
}

int ep_answer(int reply, int status, const void *data, size_t len, int cap)
{
	struct pith_msg *m = rpc_header();
	int err;

	if (len > PITH_MSG_BYTES)
		return -EMSGSIZE;
	m->label = -status;
	m->len = len;
	m->ncaps = cap >= 0;
	m->caps[0] = cap;
	if (len)
		memcpy(rpc_payload(), data, len);
	err = pith_reply_wait(reply, PITH_REPLY, 0);
	pith_close(reply);
	return err;
}
