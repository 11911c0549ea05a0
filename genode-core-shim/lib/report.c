/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pith/report.h>
#include <pith/rpc.h>
#include <session/report.h>

#define TIMEOUT		PITH_SEC(5)

static int get_buffer(struct report *r, uint64_t size)
{
	struct report_size req = { .size = size };
	struct rpc call = {
		.req = &req, .req_len = sizeof(req),
		.rep_caps = &r->mem, .nrep_caps = 1,
	};
	int err = rpc_call(r->session.cap, REPORT_BUFFER, &call,
			   pith_now() + TIMEOUT);

	if (err)
		return err;
	r->size = size;
	r->buf = pith_map(r->mem, 0, size, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	return r->buf ? 0 : err;
}

int report_open(struct report *r, const char *label, uint64_t size)
{
	/* what the server keeps: buffer, old and new text, and its books */
	struct session_quota quota = { .ram = 3 * size + 8192, .caps = 12 };
	int err;

	*r = (struct report){ .session.cap = -1, .mem = -1 };
	err = env_session(&r->session, "Report", label, "", &quota,
			  pith_now() + TIMEOUT);
	if (!err)
		err = get_buffer(r, size);
	if (err)
		report_close(r);
	return err;
}

int report_submit(struct report *r, uint64_t len)
{
	struct report_size req = { .size = len };

	return rpc_simple(r->session.cap, REPORT_SUBMIT, &req, sizeof(req), NULL,
			  0, pith_now() + TIMEOUT);
}

void report_close(struct report *r)
{
	env_close(&r->session);
	if (r->buf)
		pith_unmap(r->buf, r->size);
	pith_close(r->mem);
	*r = (struct report){ .session.cap = -1, .mem = -1 };
}
