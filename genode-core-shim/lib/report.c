/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pith/report.h>
#include <pith/rpc.h>
#include <session/report.h>

#define TIMEOUT		PITH_SEC(5)

static int give_buffer(struct report *r)
{
	int ro = pith_mint(r->mem, PITH_R_READ), err;
	struct rpc call = { .caps = &ro, .ncaps = 1 };

	if (ro < 0)
		return ro;
	err = rpc_call(r->session.cap, REPORT_BUFFER, &call, pith_now() + TIMEOUT);
	pith_close(ro);
	return err;
}

int report_open(struct report *r, const char *label, uint64_t size)
{
	/* what the server keeps: the old and the new text, and its books */
	struct session_quota quota = { .ram = 2 * size + 16384, .caps = 12 };
	int err;

	*r = (struct report){ .session.cap = -1, .mem = -1 };
	r->mem = pith_mem_create(-1, size, 0);
	if (r->mem < 0)
		return r->mem;
	r->buf = pith_map(r->mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (r->buf) {
		r->size = size;
		err = env_session(&r->session, "Report", label, "", &quota,
				  pith_now() + TIMEOUT);
	}
	if (!err)
		err = give_buffer(r);
	if (err)
		report_close(r);
	return err;
}

int report_submit(struct report *r, uint64_t len)
{
	struct report_submit req = { .size = len };

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
