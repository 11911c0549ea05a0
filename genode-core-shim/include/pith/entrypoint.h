/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entrypoint: the one place where a component waits for calls, for
 * notifications (signals, interrupts, deaths, exits) and for time to pass.
 *
 * Who may call is told by the badge: each session and each notification takes
 * a slot of the entrypoint, and its badge is slot number and generation, so a
 * call through the capability of a closed session finds nothing.
 */
#ifndef PITH_ENTRYPOINT_H
#define PITH_ENTRYPOINT_H

#include <pith/rpc.h>

#define EP_SLOTS_MAX	65534	/* objects and notifications of one entrypoint */

/* Returned by a call handler that has saved the reply (ep_save_reply()). */
#define EP_DEFERRED	1

/*
 * Handler of a call. The request is in *@in; the reply is made with
 * ep_reply_data() and ep_reply_cap(). Returns 0 or a negative errno, which the
 * client gets. Received capabilities that were not taken with ep_take_cap() are
 * closed afterwards, so that no client can fill the descriptor table.
 *
 * A handler that waits for something does so with ep_dispatch(), after
 * ep_save_reply(), and answers with ep_answer(): other calls, signals and timers
 * are handled meanwhile, inside of it. Request and reply stay as they are.
 */
struct ep_request {
	uint64_t method;
	uint64_t badge;
	size_t len;		/* of data */
	const void *data;	/* the server's own copy: stable, 8-byte aligned */
	unsigned int ncaps;
	int caps[PITH_MSG_CAPS];	/* fd, or PITH_CAP_* */
	uint64_t cap_badges[PITH_MSG_CAPS];
	/* private: the reply under construction */
	size_t rep_len;
	unsigned int rep_ncaps;
	int rep_caps[PITH_MSG_CAPS];
	unsigned int rep_close;	/* bit i: close rep_caps[i] once sent */
};

typedef int (*ep_call_fn)(void *ctx, struct ep_request *in);
typedef void (*ep_notify_fn)(void *ctx, uint64_t count);

struct ep_slot {
	ep_call_fn call;
	ep_notify_fn notify;
	void *ctx;
	uint64_t generation;	/* < 2^47, as a badge is 63 bits */
	uint32_t used;
	uint32_t next_free;	/* of one that is not used, as below */
};

struct ep_timer {
	uint64_t at;		/* deadline; PITH_NO_DEADLINE: not armed */
	void (*fire)(void *ctx);
	void *ctx;
	uint64_t patience;	/* ns that calls and notifications go before it */
	struct ep_timer *next;	/* private */
};

struct entrypoint {
	int ep;
	struct ep_slot *slots;
	unsigned int nslots;
	unsigned int first_free;	/* index + 1; 0: none is free */
	struct ep_timer *timers;
	struct ep_request *serving;	/* NULL: none */
	uint8_t request[PITH_MSG_BYTES] __attribute__((aligned(8)));
	uint8_t reply[PITH_MSG_BYTES] __attribute__((aligned(8)));
};

int ep_init(struct entrypoint *ep);

/* Take a slot: returns its badge (> 0), -EMFILE or -ENOMEM. One of the two
 * functions may be NULL. */
int64_t ep_add(struct entrypoint *ep, ep_call_fn call, ep_notify_fn notify,
	       void *ctx);
void ep_remove(struct entrypoint *ep, uint64_t badge);
/* Context of a live slot with handler @call, else NULL: whose capability is it? */
void *ep_context(struct entrypoint *ep, uint64_t badge, ep_call_fn call);

/* Slot and capability at once; both return the fd or a negative errno and put
 * the badge into *@badge. */
int ep_new_object(struct entrypoint *ep, ep_call_fn call, void *ctx,
		  uint64_t *badge);
int ep_new_notification(struct entrypoint *ep, ep_notify_fn notify, void *ctx,
			uint64_t *badge);

/* Arm (again) a timer that the caller owns; ep_timer_cancel() before freeing. */
void ep_timer_set(struct entrypoint *ep, struct ep_timer *t, uint64_t at);
void ep_timer_cancel(struct entrypoint *ep, struct ep_timer *t);

/* Dispatch one event, or time out at @deadline: 1 dispatched, 0 timed out,
 * or a negative errno. */
int ep_dispatch(struct entrypoint *ep, uint64_t deadline);
/* Dispatch for ever. */
_Noreturn void ep_run(struct entrypoint *ep);

/* --- inside a call handler -------------------------------------------------- */

/* The request struct, or NULL if fewer bytes came. */
#define ep_req(in, type) \
	((in)->len >= sizeof(type) ? (const type *)(in)->data : NULL)

/* Append @len bytes to the reply; -EMSGSIZE if it would not fit. */
int ep_reply_data(struct entrypoint *ep, struct ep_request *in,
		  const void *data, size_t len);
/* Pass a copy of @fd in the reply; with @close it is closed once sent. */
int ep_reply_cap(struct ep_request *in, int fd, int close);
/* Take ownership of received capability @i: its fd or -EBADF. */
int ep_take_cap(struct ep_request *in, unsigned int i);

/* Answer later: returns a reply fd; the handler then returns EP_DEFERRED. */
int ep_save_reply(struct entrypoint *ep, struct ep_request *in);
/* Answer a saved call and close @reply. @status 0 or -errno; cap -1: none.
 * Returns 0, PITH_CALLER_GONE if the caller waits no more, or a negative errno. */
int ep_answer(int reply, int status, const void *data, size_t len, int cap);

#endif
