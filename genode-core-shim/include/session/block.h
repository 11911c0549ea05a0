/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block: a disk or a part of one.
 *
 * The client owns all memory. It makes a ring (one page) and a data area and
 * passes both when it opens the connection; the server maps the ring and gives
 * the data area to the device, or passes it on to the next server, so that a
 * block is never copied on its way. Because the client keeps both, it can show
 * the same requests to a restarted server: a request that is not completed is
 * simply sent again.
 *
 * Ring: two queues of BLOCK_RING_SIZE entries in one page, single producer and
 * single consumer each. Indices run freely and wrap at 2^32; slot = index %
 * BLOCK_RING_SIZE. A side keeps its own index privately, publishes a copy and
 * checks the other's: more than BLOCK_RING_SIZE ahead means that the peer is
 * broken, and the connection is given up. Entries are copied before they are
 * checked. The client has at most BLOCK_RING_SIZE requests outstanding, so that
 * there is always room for a completion.
 */
#ifndef SESSION_BLOCK_H
#define SESSION_BLOCK_H

#include <stdint.h>

#define BLOCK_RING_SIZE		64
#define BLOCK_RING_BYTES	4096

enum block_method {
	/* INFO: -> struct block_info */
	BLOCK_INFO = 1,
	/*
	 * CONNECT: caps 0 ring, 1 data (memory, READ|WRITE), 2 notification
	 * (SIGNAL), signalled after completions were added -> cap: notification
	 * (SIGNAL), to be signalled after requests were added. A second CONNECT
	 * replaces the first once its requests have ended. EINVAL, EBUSY.
	 */
	BLOCK_CONNECT,
};

struct block_info {
	uint64_t block_count;
	uint32_t block_size;	/* bytes, a power of two, 512 .. 65536 */
	uint32_t writeable;	/* 1: WRITE is allowed */
	uint64_t max_bytes;	/* of one request; a multiple of block_size */
	uint32_t align;		/* of data_offset, in bytes; a power of two <= 4096 */
	uint32_t zero;
};

enum block_op {
	BLOCK_READ = 1,
	BLOCK_WRITE,
	BLOCK_SYNC,		/* all completed writes are on stable storage */
};

enum block_status {
	BLOCK_OK = 0,
	BLOCK_EINVAL,		/* malformed: op, range, alignment, length */
	BLOCK_EIO,		/* the device reported an error */
	BLOCK_EROFS,		/* write to a read-only session */
};

struct block_request {
	uint64_t tag;		/* client's, returned in the completion */
	uint32_t op;
	uint32_t count;		/* blocks, >= 1 for READ and WRITE */
	uint64_t block;
	uint64_t data_offset;	/* bytes into the data area */
};

struct block_completion {
	uint64_t tag;
	uint32_t status;
	uint32_t zero;
};

struct block_ring {
	/* written by the client */
	_Alignas(64) uint32_t submitted;	/* index after the last request */
	/* written by the server */
	_Alignas(64) uint32_t completed;	/* index after the last completion */
	_Alignas(64) struct block_request requests[BLOCK_RING_SIZE];
	struct block_completion completions[BLOCK_RING_SIZE];
};
_Static_assert(sizeof(struct block_ring) <= BLOCK_RING_BYTES, "ring is a page");

#endif
