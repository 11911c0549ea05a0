/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <pith/rpc.h>

static _Thread_local struct pith_msg *buffer;

struct pith_msg *rpc_header(void)
{
	return buffer;
}

void *rpc_payload(void)
{
	return (char *)buffer + PITH_MSG_DATA;
}

int rpc_thread_init(void)
{
	int mem = pith_mem_create(-1, PITH_BUFFER_SIZE, 0), err;
	struct pith_buffer b = { .mem = mem };

	if (mem < 0)
		return mem;
	buffer = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (buffer)
		err = pith_control(-1, PITH_OP_BUFFER_SET, &b);
	pith_close(mem);
	return err;
}

static int fill(struct pith_msg *m, uint64_t method, struct rpc *r)
{
	char *data = rpc_payload();

	if (r->req_len > PITH_MSG_BYTES ||
	    r->tail_len > PITH_MSG_BYTES - r->req_len)
		return -EMSGSIZE;
	if (r->ncaps > PITH_MSG_CAPS)
		return -EINVAL;
	m->label = method;
	m->len = r->req_len + r->tail_len;
	m->ncaps = r->ncaps;
	if (r->req_len)
		memcpy(data, r->req, r->req_len);
	if (r->tail_len)
		memcpy(data + r->req_len, r->tail, r->tail_len);
	for (unsigned int i = 0; i < r->ncaps; i++)
		m->caps[i] = r->caps[i] < 0 ? PITH_CAP_NONE : r->caps[i];
	return 0;
}

static void take_caps(struct pith_msg *m, struct rpc *r, int ok)
{
	for (unsigned int i = 0; i < r->nrep_caps; i++)
		r->rep_caps[i] = -1;
	for (unsigned int i = 0; i < m->ncaps && i < PITH_MSG_CAPS; i++) {
		if (ok && i < r->nrep_caps)
			r->rep_caps[i] = m->caps[i];
		else
			pith_close(m->caps[i]);
	}
}

static int take_reply(struct pith_msg *m, struct rpc *r)
{
	const char *data = rpc_payload();
	size_t len = m->len, tail;

	if (len < r->rep_len || len - r->rep_len > r->rep_tail_size)
		return -EPROTO;
	tail = len - r->rep_len;
	if (r->rep_len)
		memcpy(r->rep, data, r->rep_len);
	if (tail)
		memcpy(r->rep_tail, data + r->rep_len, tail);
	r->rep_tail_len = tail;
	return 0;
}

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	struct pith_msg *m = buffer;
	int err;

	for (unsigned int i = 0; i < r->nrep_caps; i++)
		r->rep_caps[i] = -1;
	err = fill(m, method, r);
	if (!err)
		err = pith_call(cap, deadline);
	if (err)
		return err;
	if (m->label)
		err = m->label < 4096 ? -(int)m->label : -EPROTO;
	else
		err = take_reply(m, r);
	take_caps(m, r, !err);
	return err;
}

int rpc_simple(int cap, uint64_t method, const void *req, size_t req_len,
	       void *rep, size_t rep_len, uint64_t deadline)
{
	struct rpc r = {
		.req = req, .req_len = req_len, .rep = rep, .rep_len = rep_len,
	};

	return rpc_call(cap, method, &r, deadline);
}
