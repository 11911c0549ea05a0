/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client of a Block session: asynchronous requests over the shared ring, with
 * the server allowed to die and come back.
 *
 * The client keeps the ring and the data area, so a request that has not been
 * completed when the server dies is sent again to its successor; the owner sees
 * a delay only. The server is not trusted: whatever it writes into the ring is
 * copied and checked, and a server that breaks the protocol, or that lets a
 * request's deadline pass, or that comes back with another geometry, costs the
 * connection: the client is then *failed*, each request ends with -EIO and the
 * owner has to close and open again (with a new data area, because nobody knows
 * what a late transfer still writes into the old one).
 *
 * What the data area holds may be changed by the server at any time: copy it
 * before checking anything in it.
 */
#ifndef SERVERS_LIB_BLOCK_CLIENT_H
#define SERVERS_LIB_BLOCK_CLIENT_H

#include <pith/env.h>
#include <pith/entrypoint.h>
#include <session/block.h>
#include <session/parent.h>

#define BLOCK_CLIENT_TIMEOUT	PITH_SEC(30)	/* of a request, with resends */
#define BLOCK_CLIENT_OPEN	PITH_SEC(20)	/* of one attempt to connect */
#define BLOCK_CLIENT_RETRIES	16	/* deaths without a completion between */
#define BLOCK_CLIENT_RETRY_MS	50

/* What is donated with a session unless told otherwise: enough for a server
 * that opens a session of its own for each client. */
#define BLOCK_CLIENT_RAM	65536
#define BLOCK_CLIENT_CAPS	32

/*
 * End of a request. @status: 0; -EINVAL, -EIO or -EROFS as the server said;
 * -EIO also when the client failed. May submit further requests; must not close
 * the client.
 */
typedef void (*block_done_fn)(void *ctx, int status);

/* What to open; all is copied. */
struct block_client_args {
	const char *label;	/* of the session; NULL: "" */
	const char *args;	/* session args; NULL: "" */
	/* Memory to use as data area, not mapped here; it stays the caller's and
	 * must outlive the client. -1: allocate and map @data_size bytes. */
	int data_mem;
	uint64_t data_size;
	const struct session_quota *quota;	/* NULL: as below */
	uint64_t timeout;	/* of a request, ns; 0: BLOCK_CLIENT_TIMEOUT */
	/* Called after each batch of @done calls, or NULL. As for @done. */
	void (*batch)(void *ctx);
	void *batch_ctx;
};

enum block_client_state {
	BLOCK_CLIENT_CLOSED,		/* never opened, or closed */
	BLOCK_CLIENT_CONNECTED,
	BLOCK_CLIENT_LOST,		/* server died; connects when needed */
	BLOCK_CLIENT_FAILED,		/* for good: only close is left */
};

struct block_pending {
	struct block_request req;
	block_done_fn done;
	void *ctx;
	uint64_t deadline;
	struct block_pending *prev, *next;	/* in order of submission */
	uint32_t generation;
	uint32_t busy;
};

struct block_client {
	/* for the owner to read */
	enum block_client_state state;
	struct block_info info;		/* checked for sense; never changes */
	uint8_t *data;			/* mapped data area, if allocated here */
	uint64_t data_size;		/* bytes */
	uint32_t outstanding;		/* 0 .. BLOCK_RING_SIZE */
	uint32_t reconnects;		/* successful ones, for statistics */

	/* private */
	struct entrypoint *ep;
	char label[PARENT_LABEL_MAX];
	char args[PARENT_ARGS_MAX];
	struct session_quota quota;
	uint64_t timeout;
	void (*batch)(void *ctx);
	void *batch_ctx;
	int data_mem;
	int data_own;			/* allocated here */
	struct block_pending pending[BLOCK_RING_SIZE];
	struct block_pending fifo;	/* head of the list of busy ones */
	struct ep_timer timer;		/* first deadline, or next attempt */
	uint32_t retries;
	/* private: of one connection */
	struct session session;
	int ring_mem;
	struct block_ring *ring;
	uint32_t submitted, taken;	/* own indices */
	uint32_t published;		/* of @submitted, shown to the server */
	int submit_notif;		/* server's: requests were added */
	int done_notif, death_notif;	/* ours */
	uint64_t done_badge, death_badge;
};

/*
 * Open the session, check INFO, make the memory and connect. Events of the
 * connection are handled when @ep dispatches. *@c must be zeroed or closed.
 * Waits for the server, at most until @deadline. Errors: those of env_session(),
 * EPROTO (senseless INFO), ENOMEM, EDQUOT; everything is undone.
 */
int block_client_open(struct block_client *c, struct entrypoint *ep,
		      const struct block_client_args *a, uint64_t deadline);

/* Close session and memory. Outstanding requests are forgotten: @done is not
 * called for them. Harmless on a closed or zeroed client. */
void block_client_close(struct block_client *c);

/*
 * Put a request in the queue; it leaves with block_client_kick(). @block and
 * @count in blocks, @data_offset in bytes of the data area. The arguments are
 * not checked here: the server answers -EINVAL. @done is called exactly once,
 * from ep_dispatch(), never from here.
 * 0; -EAGAIN: BLOCK_RING_SIZE requests are outstanding; -EIO: failed or closed.
 */
int block_client_submit(struct block_client *c, uint32_t op, uint64_t block,
			uint32_t count, uint64_t data_offset,
			block_done_fn done, void *ctx);
void block_client_kick(struct block_client *c);

/*
 * One request, waiting for its end by dispatching the client's entrypoint: for
 * components that have nothing else to do meanwhile, on an entrypoint that
 * serves this client only. A call in progress on another entrypoint must have
 * been saved (ep_save_reply()), because waiting would drop it.
 */
int block_client_transfer(struct block_client *c, uint32_t op, uint64_t block,
			  uint32_t count, uint64_t data_offset);

/* Does INFO make sense? Pure. */
int block_info_valid(const struct block_info *info);

/*
 * Slots: equal parts of a data area, as bits of a word, set when free.
 * slot_get() returns 0 .. 63, or -1 if all are in use.
 */
static inline uint64_t slots_all(unsigned int n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static inline int slot_get(uint64_t *slots)
{
	int i;

	if (!*slots)
		return -1;
	i = __builtin_ctzll(*slots);
	*slots &= *slots - 1;
	return i;
}

static inline void slot_put(uint64_t *slots, int i)
{
	*slots |= 1ull << i;
}

#endif
