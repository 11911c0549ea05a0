/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Server side of a Block connection's ring. The client is not trusted: indices
 * and entries are copied once and checked; a client that breaks the protocol is
 * dropped, at no cost to the others.
 *
 * Use: CONNECT -> block_server_attach(); on the notification: while
 * block_server_next() gives a request, block_request_check() it and either
 * start it or complete it with the status; later block_server_complete() and,
 * after a batch, block_server_signal().
 */
#ifndef SERVERS_LIB_BLOCK_SERVER_H
#define SERVERS_LIB_BLOCK_SERVER_H

#include <pith/entrypoint.h>
#include <session/block.h>

struct block_server {
	/* for the owner to read */
	int data_mem;		/* client's data area, -1: not connected */
	uint64_t data_size;	/* bytes */
	uint32_t outstanding;	/* taken, not completed: <= BLOCK_RING_SIZE */

	/* private */
	struct block_ring *ring;	/* NULL: not connected */
	int ring_mem;
	int client_notif;
	uint32_t taken, completed;	/* own indices */
	int broken;
};

/* To be called once, before all others. */
void block_server_init(struct block_server *s);

/*
 * Handle the capabilities of a CONNECT call: ring, data area, notification.
 * Takes them from *@in and maps the ring. A connection that is there already is
 * replaced. EBUSY: it still has requests outstanding; EINVAL: a capability is
 * missing, of another kind or lacks a right, or the ring is too small. On an
 * error the old connection is as it was.
 */
int block_server_attach(struct block_server *s, struct ep_request *in);

/* Unmap and close everything. Requests still outstanding are forgotten: only
 * call this when nothing uses the data area any more. */
void block_server_detach(struct block_server *s);

/*
 * Copy the next request. 1: *@req is it; 0: none, or not connected; -EPROTO: the
 * client's index is impossible; nothing more will come from this connection.
 */
int block_server_next(struct block_server *s, struct block_request *req);

/* Post the completion of a request that block_server_next() gave. */
void block_server_complete(struct block_server *s, uint64_t tag,
			   enum block_status status);

/* Tell the client that completions were added. */
void block_server_signal(struct block_server *s);

/*
 * Is @req one that a device described by @info can serve with a data area of
 * @data_size bytes? BLOCK_OK: op is known, and for READ and WRITE count >= 1,
 * the blocks lie on the device, length <= max_bytes, data_offset is aligned and
 * the data lie in the area. Of a SYNC, only the op counts. Pure.
 */
enum block_status block_request_check(const struct block_info *info,
				      uint64_t data_size,
				      const struct block_request *req);

#endif
