/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls through the thread's message buffer.
 *
 * Wire convention of all session interfaces: the label of a call is the method
 * number, its payload the method's request struct; the label of a reply is 0 or
 * a positive errno value, its payload the method's reply struct (on success).
 * A variable tail may follow a struct. Both sides check the length they got.
 */
#ifndef PITH_RPC_H
#define PITH_RPC_H

#include <pith/sys.h>

/* This thread's message buffer: header and PITH_MSG_BYTES of payload. */
struct pith_msg *rpc_header(void);
void *rpc_payload(void);

/* Give the calling thread a message buffer; the main thread has one. */
int rpc_thread_init(void);

/*
 * struct rpc - one call. Unused fields are 0.
 * @req, @req_len:	request struct, and
 * @tail, @tail_len:	bytes after it (copied; together <= PITH_MSG_BYTES)
 * @caps, @ncaps:	capabilities to pass copies of
 * @rep, @rep_len:	reply struct; a shorter reply is -EPROTO
 * @rep_tail, @rep_tail_size: room for bytes after it; @rep_tail_len: out, count.
 *			A longer tail is -EPROTO.
 * @rep_caps, @nrep_caps: out: received descriptors, owned by the caller, less
 *			than 0 for each that was not sent (PITH_CAP_LOST: it
 *			was, and the caller cannot pay for it). Others are
 *			closed.
 */
struct rpc {
	const void *req;
	size_t req_len;
	const void *tail;
	size_t tail_len;
	const int *caps;
	unsigned int ncaps;
	void *rep;
	size_t rep_len;
	void *rep_tail;
	size_t rep_tail_size;
	size_t rep_tail_len;
	int *rep_caps;
	unsigned int nrep_caps;
};

/* 0; or -errno, from the kernel (EPIPE, ETIMEDOUT, ...) or as the server said. */
int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline);

/* The common case: a request and a reply struct, neither with capabilities. */
int rpc_simple(int cap, uint64_t method, const void *req, size_t req_len,
	       void *rep, size_t rep_len, uint64_t deadline);

/* An answer that is a capability and, unless @rep is NULL, a struct: the
 * descriptor, owned by the caller, or -errno; -EDQUOT: it was sent, and the caller
 * cannot pay for it. */
int rpc_get_cap(int cap, uint64_t method, void *rep, size_t rep_len,
		uint64_t deadline);
/* A request that passes a copy of @passed (-1: nothing); the answer is empty. */
int rpc_give_cap(int cap, uint64_t method, const void *req, size_t req_len,
		 int passed, uint64_t deadline);

#endif
