// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pith/env.h>
#include <session/terminal.h>

#include "terminal.h"

/* Room is announced once this much is free, so that a client which writes a lot
 * is not woken for each FIFO load. */
#define ROOM_LOW_WATER	(UART_TX_SIZE / 2)

static int do_write(struct terminal *t, struct ep_request *in)
{
	struct terminal_count reply = { 0 };

	if (!in->len)
		return -EINVAL;
	reply.count = uart_write(t->uart, in->data, in->len);
	t->wants_room = reply.count < in->len;
	t->kick(t->ctx);
	return ep_reply_data(t->ep, in, &reply, sizeof(reply));
}

static int do_read(struct terminal *t, struct ep_request *in)
{
	uint8_t data[UART_RX_SIZE];
	size_t n = uart_read(t->uart, data, sizeof(data));

	return ep_reply_data(t->ep, in, data, n);
}

static int do_sigh(struct terminal *t, struct ep_request *in)
{
	int fd = ep_take_cap(in, 0);

	if (fd < 0)
		return fd;
	pith_close(t->sigh);
	t->sigh = fd;
	if (ring_used(&t->uart->rx))
		pith_signal(fd, 1);
	return 0;
}

static void end_drain(struct terminal *t, int status)
{
	int reply = t->drain;

	t->drain = -1;
	if (reply >= 0)
		ep_answer(reply, status, NULL, 0, -1);
}

static int do_drain(struct terminal *t, struct ep_request *in)
{
	int reply;

	end_drain(t, -ECANCELED);
	if (uart_drained(t->uart))
		return 0;
	reply = ep_save_reply(t->ep, in);
	if (reply < 0)
		return reply;
	t->drain = reply;
	t->kick(t->ctx);
	return EP_DEFERRED;
}

static int terminal_call(void *ctx, struct ep_request *in)
{
	struct terminal *t = ctx;

	switch (in->method) {
	case TERMINAL_WRITE:	return do_write(t, in);
	case TERMINAL_READ:	return do_read(t, in);
	case TERMINAL_SIGH:	return do_sigh(t, in);
	case TERMINAL_DRAIN:	return do_drain(t, in);
	default:		return -ENOSYS;
	}
}

static int terminal_open(void *ctx, const struct parent_request *req,
			 void **session)
{
	struct terminal *t = ctx;
	int cap;

	if (t->badge) {
		log_error("%s: refused, the terminal is in use", req->label);
		return -EBUSY;
	}
	cap = ep_new_object(t->ep, terminal_call, t, &t->badge);
	if (cap < 0) {
		t->badge = 0;
		return cap;
	}
	/* What was typed for nobody, or for the one before, is not for this
	 * one to read. */
	ring_clear(&t->uart->rx);
	*session = t;
	return cap;
}

/* Also when the client died. Its output was taken and still goes out. */
static void terminal_close(void *ctx, void *session)
{
	struct terminal *t = ctx;

	(void)session;
	ep_remove(t->ep, t->badge);
	t->badge = 0;
	end_drain(t, -ECANCELED);
	pith_close(t->sigh);
	t->sigh = -1;
	t->wants_room = 0;
	ring_clear(&t->uart->rx);
}

void terminal_events(struct terminal *t, unsigned int events)
{
	int signal = !!(events & UART_EV_RX);

	if (t->wants_room && ring_room(&t->uart->tx) >= ROOM_LOW_WATER) {
		t->wants_room = 0;
		signal = 1;
	}
	if (signal && t->sigh >= 0)
		pith_signal(t->sigh, 1);
	if (t->drain >= 0 && events & UART_EV_GONE)
		end_drain(t, -EIO);
	else if (t->drain >= 0 && uart_drained(t->uart))
		end_drain(t, 0);
}

int terminal_init(struct terminal *t, struct entrypoint *ep, struct uart *uart,
		  void (*kick)(void *ctx), void *ctx)
{
	*t = (struct terminal){
		.ep = ep,
		.uart = uart,
		.kick = kick,
		.ctx = ctx,
		.sigh = -1,
		.drain = -1,
		.service = {
			.name = "Terminal",
			.open = terminal_open,
			.close = terminal_close,
			.ctx = t,
		},
	};
	return service_announce(ep, &t->service, 1);
}
