// SPDX-License-Identifier: BSD-2-Clause
/*
 * Client of a Block session: see block_client.h.
 *
 * All that can wait for the server (connecting) happens in block_client_open()
 * or in the timer's handler, never in submit or in a completion, so that no
 * callback of the owner ever runs inside a call of the owner.
 */
#include <errno.h>
#include <string.h>

#include <pith/rpc.h>

#include "block_client.h"

/* Deadline of one call on an open session. */
#define CALL_TIMEOUT	PITH_SEC(5)

#define RW	(PITH_R_READ | PITH_R_WRITE)

int block_info_valid(const struct block_info *info)
{
	uint32_t bs = info->block_size;
	uint32_t align = info->align;

	return bs >= 512 && bs <= 65536 && !(bs & (bs - 1)) &&
	       align >= 1 && align <= 4096 && !(align & (align - 1)) &&
	       info->max_bytes >= bs && !(info->max_bytes & (bs - 1)) &&
	       info->block_count <= INT64_MAX / bs && info->writeable <= 1;
}

/* --- list of outstanding requests, oldest first ----------------------------- */

static void fifo_init(struct block_client *c)
{
	c->fifo.next = c->fifo.prev = &c->fifo;
}

static void fifo_add(struct block_client *c, struct block_pending *p)
{
	p->prev = c->fifo.prev;
	p->next = &c->fifo;
	p->prev->next = p;
	c->fifo.prev = p;
}

static void fifo_remove(struct block_pending *p)
{
	p->prev->next = p->next;
	p->next->prev = p->prev;
}

static struct block_pending *fifo_first(struct block_client *c)
{
	return c->fifo.next == &c->fifo ? NULL : c->fifo.next;
}

static struct block_pending *pending_free(struct block_client *c)
{
	for (unsigned int i = 0; i < BLOCK_RING_SIZE; i++)
		if (!c->pending[i].busy)
			return &c->pending[i];
	return NULL;
}

/* The tag names slot and generation: an old one finds nothing. */
static uint64_t pending_tag(struct block_client *c, struct block_pending *p)
{
	return (uint64_t)p->generation << 32 | (uint64_t)(p - c->pending);
}

static struct block_pending *pending_find(struct block_client *c, uint64_t tag)
{
	uint32_t i = tag;

	if (i >= BLOCK_RING_SIZE || !c->pending[i].busy ||
	    c->pending[i].generation != tag >> 32)
		return NULL;
	return &c->pending[i];
}

static void pending_end(struct block_client *c, struct block_pending *p,
			int status)
{
	fifo_remove(p);
	p->busy = 0;
	p->generation++;
	c->outstanding--;
	p->done(p->ctx, status);
}

/* --- one connection ----------------------------------------------------------- */

static void disconnect(struct block_client *c)
{
	if (c->death_badge)
		ep_remove(c->ep, c->death_badge);
	if (c->done_badge)
		ep_remove(c->ep, c->done_badge);
	c->death_badge = c->done_badge = 0;
	pith_close(c->death_notif);
	pith_close(c->done_notif);
	pith_close(c->submit_notif);
	if (c->ring)
		pith_unmap(c->ring, BLOCK_RING_BYTES);
	c->ring = NULL;
	pith_close(c->ring_mem);
	c->death_notif = c->done_notif = c->submit_notif = c->ring_mem = -1;
	env_close(&c->session);
	c->session.cap = -1;
}

static void arm(struct block_client *c, uint64_t at)
{
	ep_timer_set(c->ep, &c->timer, at);
}

static void disarm(struct block_client *c)
{
	ep_timer_cancel(c->ep, &c->timer);
	c->timer.at = PITH_NO_DEADLINE;
}

static void fail(struct block_client *c, const char *why)
{
	struct block_pending *p;

	log_error("block client \"%s\": %s; requests lost: %u", c->label, why,
		  c->outstanding);
	disconnect(c);
	disarm(c);
	c->state = BLOCK_CLIENT_FAILED;
	while ((p = fifo_first(c)))
		pending_end(c, p, -EIO);
	if (c->batch)
		c->batch(c->batch_ctx);
}

static int finish(struct block_client *c, const struct block_completion *comp)
{
	static const int errs[] = {
		[BLOCK_OK] = 0,
		[BLOCK_EINVAL] = -EINVAL,
		[BLOCK_EIO] = -EIO,
		[BLOCK_EROFS] = -EROFS,
	};
	struct block_pending *p = pending_find(c, comp->tag);

	if (!p || comp->status >= sizeof(errs) / sizeof(errs[0]))
		return -EPROTO;
	pending_end(c, p, errs[comp->status]);
	return 0;
}

static void completed(void *ctx, uint64_t count)
{
	struct block_client *c = ctx;
	struct block_completion comp;
	uint32_t end;

	(void)count;
	if (c->state != BLOCK_CLIENT_CONNECTED)
		return;
	end = __atomic_load_n(&c->ring->completed, __ATOMIC_ACQUIRE);
	if (end - c->taken > c->outstanding) {
		fail(c, "server's ring index is impossible");
		return;
	}
	while (c->taken != end) {
		memcpy(&comp, &c->ring->completions[c->taken % BLOCK_RING_SIZE],
		       sizeof(comp));
		/* The copy is what counts from here on. */
		__asm__ volatile("" ::: "memory");
		c->taken++;
		c->retries = 0;
		if (finish(c, &comp)) {
			fail(c, "server's completion is senseless");
			return;
		}
	}
	if (c->batch)
		c->batch(c->batch_ctx);
}

static void died(void *ctx, uint64_t count)
{
	struct block_client *c = ctx;

	(void)count;
	/* What it completed before it died counts. */
	completed(c, 1);
	if (c->state != BLOCK_CLIENT_CONNECTED)
		return;
	disconnect(c);
	c->state = BLOCK_CLIENT_LOST;
	disarm(c);
	if (fifo_first(c))
		arm(c, pith_now());
}

static int get_info(struct block_client *c)
{
	struct block_info info;
	int err;

	err = rpc_simple(c->session.cap, BLOCK_INFO, NULL, 0, &info,
			 sizeof(info), pith_now() + CALL_TIMEOUT);
	if (err)
		return err;
	if (!block_info_valid(&info))
		return -EPROTO;
	/* Another disk under the same name: requests must not go there. */
	if (c->info.block_size &&
	    (info.block_size != c->info.block_size ||
	     info.block_count != c->info.block_count))
		return -EPROTO;
	c->info = info;
	return 0;
}

/* A new ring each time: an old server may still write into the old one. */
static int make_ring(struct block_client *c)
{
	int err = 0;

	c->ring_mem = pith_mem_create(-1, BLOCK_RING_BYTES, 0);
	if (c->ring_mem < 0)
		return c->ring_mem;
	c->ring = pith_map(c->ring_mem, 0, BLOCK_RING_BYTES,
			   PITH_MAP_READ | PITH_MAP_WRITE, &err);
	c->submitted = c->published = c->taken = 0;
	return c->ring ? 0 : err;
}

static int make_notifications(struct block_client *c)
{
	c->done_notif = ep_new_notification(c->ep, completed, c,
					    &c->done_badge);
	if (c->done_notif < 0)
		return c->done_notif;
	c->death_notif = ep_new_notification(c->ep, died, c, &c->death_badge);
	if (c->death_notif < 0)
		return c->death_notif;
	return pith_ep_watch(c->session.cap, c->death_notif);
}

/* Hand copies over with no more rights than the server needs. */
static int call_connect(struct block_client *c)
{
	int caps[3] = {
		pith_mint(c->ring_mem, RW),
		pith_mint(c->data_mem, RW),
		pith_mint(c->done_notif, PITH_R_SIGNAL),
	};
	struct rpc r = {
		.caps = caps, .ncaps = 3,
		.rep_caps = &c->submit_notif, .nrep_caps = 1,
	};
	int err = 0;

	for (int i = 0; i < 3; i++)
		if (caps[i] < 0)
			err = caps[i];
	if (!err)
		err = rpc_call(c->session.cap, BLOCK_CONNECT, &r,
			       pith_now() + CALL_TIMEOUT);
	for (int i = 0; i < 3; i++)
		pith_close(caps[i]);
	if (!err && c->submit_notif < 0)
		err = -EPROTO;
	return err;
}

static int connect_to_server(struct block_client *c, uint64_t deadline)
{
	int err;

	err = env_session(&c->session, "Block", c->label, c->args,
			  &c->quota, deadline);
	if (err) {
		c->session.cap = -1;
		return err;
	}
	err = get_info(c);
	if (!err)
		err = make_ring(c);
	if (!err)
		err = make_notifications(c);
	if (!err)
		err = call_connect(c);
	if (err) {
		disconnect(c);
		return err;
	}
	c->state = BLOCK_CLIENT_CONNECTED;
	return 0;
}

/* --- requests --------------------------------------------------------------------- */

static void ring_put(struct block_client *c, struct block_pending *p)
{
	c->ring->requests[c->submitted % BLOCK_RING_SIZE] = p->req;
	c->submitted++;
}

static void publish(struct block_client *c)
{
	if (c->published == c->submitted)
		return;
	c->published = c->submitted;
	__atomic_store_n(&c->ring->submitted, c->submitted, __ATOMIC_RELEASE);
	pith_signal(c->submit_notif, 1);
}

static void reconnect(struct block_client *c, uint64_t now)
{
	uint64_t deadline = fifo_first(c)->deadline;
	int err;

	if (deadline > now + BLOCK_CLIENT_OPEN)
		deadline = now + BLOCK_CLIENT_OPEN;
	if (c->retries++ >= BLOCK_CLIENT_RETRIES) {
		fail(c, "server dies again and again");
		return;
	}
	err = connect_to_server(c, deadline);
	if (err == -EPIPE) {	/* it died again: let the parent restart it */
		arm(c, now + PITH_MS(BLOCK_CLIENT_RETRY_MS));
		return;
	}
	if (err) {
		fail(c, err == -EPROTO ? "server came back changed"
				       : "server did not come back");
		return;
	}
	c->reconnects++;
	for (struct block_pending *p = c->fifo.next; p != &c->fifo; p = p->next)
		ring_put(c, p);
	publish(c);
	arm(c, fifo_first(c)->deadline);
}

static void timer_fired(void *ctx)
{
	struct block_client *c = ctx;
	struct block_pending *first;
	uint64_t now = pith_now();

	c->timer.at = PITH_NO_DEADLINE;
	/* If nobody dispatched for long, the completion may be there already. */
	completed(c, 1);
	first = fifo_first(c);
	if (!first)
		return;
	if (now >= first->deadline)
		fail(c, "request timed out");
	else if (c->state == BLOCK_CLIENT_LOST)
		reconnect(c, now);
	else
		arm(c, first->deadline);
}

int block_client_submit(struct block_client *c, uint32_t op, uint64_t block,
			uint32_t count, uint64_t data_offset,
			block_done_fn done, void *ctx)
{
	struct block_pending *p;

	if (c->state != BLOCK_CLIENT_CONNECTED && c->state != BLOCK_CLIENT_LOST)
		return -EIO;
	p = pending_free(c);
	if (!p)
		return -EAGAIN;
	p->req = (struct block_request) {
		.tag = pending_tag(c, p),
		.op = op,
		.count = count,
		.block = block,
		.data_offset = data_offset,
	};
	p->done = done;
	p->ctx = ctx;
	p->deadline = pith_now() + c->timeout;
	p->busy = 1;
	fifo_add(c, p);
	c->outstanding++;
	if (c->state == BLOCK_CLIENT_CONNECTED)
		ring_put(c, p);
	return 0;
}

void block_client_kick(struct block_client *c)
{
	struct block_pending *first = fifo_first(c);

	if (!first)
		return;
	if (c->state == BLOCK_CLIENT_CONNECTED) {
		publish(c);
		if (c->timer.at == PITH_NO_DEADLINE)
			arm(c, first->deadline);
	} else if (c->timer.at == PITH_NO_DEADLINE) {
		arm(c, pith_now());
	}
}

/* --- open, close -------------------------------------------------------------------- */

static int copy_string(char *to, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	if (len >= size)
		return -EINVAL;
	if (len)
		memcpy(to, from, len);
	to[len] = 0;
	return 0;
}

static int make_data(struct block_client *c, const struct block_client_args *a)
{
	int64_t size;
	int err = 0;

	if (a->data_mem >= 0) {
		c->data_mem = a->data_mem;
		size = pith_mem_size(a->data_mem);
		c->data_size = size < 0 ? 0 : size;
		return size < 0 ? (int)size : 0;
	}
	c->data_mem = pith_mem_create(-1, a->data_size, 0);
	if (c->data_mem < 0)
		return c->data_mem;
	c->data_own = 1;
	c->data_size = a->data_size;
	c->data = pith_map(c->data_mem, 0, c->data_size,
			   PITH_MAP_READ | PITH_MAP_WRITE, &err);
	return c->data ? 0 : err;
}

static int client_init(struct block_client *c, struct entrypoint *ep,
		       const struct block_client_args *a)
{
	memset(c, 0, sizeof(*c));
	c->ep = ep;
	c->session.cap = c->ring_mem = c->data_mem = -1;
	c->submit_notif = c->done_notif = c->death_notif = -1;
	c->timeout = a->timeout ? a->timeout : BLOCK_CLIENT_TIMEOUT;
	c->batch = a->batch;
	c->batch_ctx = a->batch_ctx;
	c->timer.at = PITH_NO_DEADLINE;
	c->timer.fire = timer_fired;
	c->timer.ctx = c;
	fifo_init(c);
	c->quota.ram = BLOCK_CLIENT_RAM;
	c->quota.caps = BLOCK_CLIENT_CAPS;
	if (a->quota)
		c->quota = *a->quota;
	if (copy_string(c->label, sizeof(c->label), a->label) ||
	    copy_string(c->args, sizeof(c->args), a->args))
		return -EINVAL;
	return 0;
}

int block_client_open(struct block_client *c, struct entrypoint *ep,
		      const struct block_client_args *a, uint64_t deadline)
{
	int err = client_init(c, ep, a);

	if (err)
		return err;
	err = make_data(c, a);
	/* A server that dies just now is asked again, its successor rather. */
	for (int i = 0; !err && c->state == BLOCK_CLIENT_CLOSED; i++) {
		err = connect_to_server(c, deadline);
		if (err == -EPIPE && i < 3 && pith_now() < deadline)
			err = 0;
	}
	if (err) {
		c->state = BLOCK_CLIENT_FAILED;
		block_client_close(c);
	}
	return err;
}

void block_client_close(struct block_client *c)
{
	if (c->state == BLOCK_CLIENT_CLOSED)
		return;
	disconnect(c);
	disarm(c);
	if (c->data)
		pith_unmap(c->data, c->data_size);
	if (c->data_own)
		pith_close(c->data_mem);
	c->data = NULL;
	c->data_mem = -1;
	c->data_own = 0;
	c->outstanding = 0;
	fifo_init(c);
	memset(c->pending, 0, sizeof(c->pending));
	c->state = BLOCK_CLIENT_CLOSED;
}

/* --- waiting for one ------------------------------------------------------------------ */

static void transfer_done(void *ctx, int status)
{
	*(int *)ctx = status;
}

int block_client_transfer(struct block_client *c, uint32_t op, uint64_t block,
			  uint32_t count, uint64_t data_offset)
{
	int status = 1;
	int err;

	err = block_client_submit(c, op, block, count, data_offset,
				  transfer_done, &status);
	if (err)
		return err;
	block_client_kick(c);
	while (status > 0) {
		if (ep_dispatch(c->ep, PITH_NO_DEADLINE) < 0)
			fail(c, "cannot wait");
	}
	return status;
}
