// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <session/terminal.h>

#include "term.h"

#define CONNECT_TIMEOUT	PITH_SEC(10)
#define CALL_TIMEOUT	PITH_SEC(5)
#define DRAIN_TIMEOUT	PITH_SEC(30)
#define STALL_TIMEOUT	PITH_SEC(30)	/* output without any progress */
#define ROOM_POLL	PITH_MS(500)	/* look again, signal or not */
#define INPUT_POLL	PITH_SEC(60)
#define CTRL_C		0x03

static void on_event(void *ctx, uint64_t count)
{
	struct term *t = ctx;

	(void)count;
	t->event = true;
}

static int connect(struct term *t)
{
	struct rpc r = { .caps = &t->signal, .ncaps = 1 };
	int err;

	err = env_session(&t->session, "Terminal", "", "", NULL,
			  pith_now() + CONNECT_TIMEOUT);
	if (err < 0)
		return err;
	err = rpc_call(t->session.cap, TERMINAL_SIGH, &r,
		       pith_now() + CALL_TIMEOUT);
	/* The same notification tells that the server died. */
	if (err >= 0)
		err = pith_ep_watch(t->session.cap, t->notif);
	if (err < 0)
		env_close(&t->session);
	return err;
}

static void reconnect(struct term *t)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < 3; i++) {
		env_close(&t->session);
		err = connect(t);
		if (err >= 0)
			return;
	}
	env_fatal("no terminal: %s", strerror(-err));
}

/* A call that survives the server. */
static int call(struct term *t, uint64_t method, struct rpc *r,
		uint64_t timeout)
{
	int err = rpc_call(t->session.cap, method, r, pith_now() + timeout);

	if (err == -EPIPE || err == -ETIMEDOUT) {
		reconnect(t);
		err = rpc_call(t->session.cap, method, r,
			       pith_now() + timeout);
	}
	return err;
}

void term_init(struct term *t, struct entrypoint *ep, bool crlf)
{
	uint64_t badge;

	*t = (struct term){ .ep = ep, .session = { .cap = -1 }, .crlf = crlf };
	t->notif = ep_new_notification(ep, on_event, t, &badge);
	t->signal = t->notif < 0 ? t->notif :
				   pith_mint(t->notif, PITH_R_SIGNAL);
	if (t->signal < 0)
		env_fatal("no notification: %s", strerror(-t->signal));
	reconnect(t);
}

/* --- input ----------------------------------------------------------------------- */

/* Take what was typed into the queue; what does not fit is lost. */
static void fetch(struct term *t)
{
	static unsigned char data[TERM_BUFFER];
	struct rpc r = { .rep_tail = data, .rep_tail_size = sizeof(data) };
	size_t n;

	t->event = false;
	if (call(t, TERMINAL_READ, &r, CALL_TIMEOUT) < 0)
		return;
	n = r.rep_tail_len;
	if (n > sizeof(t->in) - t->in_len)
		n = sizeof(t->in) - t->in_len;
	memcpy(t->in + t->in_len, data, n);
	t->in_len += n;
}

static void forget(struct term *t, size_t n)
{
	t->in_len -= n;
	memmove(t->in, t->in + n, t->in_len);
}

unsigned char term_getc(struct term *t)
{
	unsigned char byte;

	term_flush(t);
	while (!t->in_len) {
		fetch(t);
		if (!t->in_len)
			ep_dispatch(t->ep, pith_now() + INPUT_POLL);
	}
	byte = t->in[0];
	forget(t, 1);
	return byte;
}

static void look_for_ctrl_c(struct term *t)
{
	size_t i;

	fetch(t);
	for (i = t->in_len; i; i--) {
		if (t->in[i - 1] == CTRL_C) {
			forget(t, i);
			t->interrupted = true;
			t->out_len = 0;
			return;
		}
	}
}

bool term_interrupted(struct term *t)
{
	while (!t->event && ep_dispatch(t->ep, 0) > 0)
		;
	if (t->event)
		look_for_ctrl_c(t);
	return t->interrupted;
}

void term_resume(struct term *t)
{
	t->interrupted = false;
}

/* --- output ---------------------------------------------------------------------- */

/* Hand over what the server takes now. */
static size_t push(struct term *t, const char *data, size_t len)
{
	struct terminal_count count = { 0 };
	struct rpc r = { .tail = data, .tail_len = len,
			 .rep = &count, .rep_len = sizeof(count) };

	if (call(t, TERMINAL_WRITE, &r, CALL_TIMEOUT) < 0)
		return 0;
	return count.count < len ? count.count : len;
}

void term_flush(struct term *t)
{
	uint64_t stalled = pith_now() + STALL_TIMEOUT;
	size_t done = 0, n;

	while (done < t->out_len && !t->interrupted) {
		n = push(t, t->out + done, t->out_len - done);
		done += n;
		if (done == t->out_len)
			break;
		if (n)
			stalled = pith_now() + STALL_TIMEOUT;
		else if (pith_now() >= stalled)
			t->interrupted = true;
		ep_dispatch(t->ep, pith_now() + ROOM_POLL);
		if (t->event)
			look_for_ctrl_c(t);
	}
	t->out_len = 0;
}

static void put(struct term *t, char ch)
{
	if (t->out_len == sizeof(t->out))
		term_flush(t);
	if (!t->interrupted)
		t->out[t->out_len++] = ch;
}

void term_write(struct term *t, const void *data, size_t len)
{
	const char *p = data;
	size_t i;

	for (i = 0; i < len && !t->interrupted; i++) {
		if (p[i] == '\n' && t->crlf)
			put(t, '\r');
		put(t, p[i]);
	}
}

int term_drain(struct term *t)
{
	struct rpc r = { 0 };

	term_flush(t);
	return call(t, TERMINAL_DRAIN, &r, DRAIN_TIMEOUT);
}
