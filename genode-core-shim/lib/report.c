/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pith/report.h>
#include <pith/rpc.h>
#include <session/report.h>

#define TIMEOUT		PITH_SEC(5)

/* Memory of one's own, which the server may only read. */
static int give_buffer(struct report *r, uint64_t size)
{
	int shared, err;
	struct rpc call = { .caps = &shared, .ncaps = 1 };

	r->mem = pith_mem_create(-1, size, 0);
	if (r->mem < 0)
		return r->mem;
	r->size = size;
	r->buf = pith_map(r->mem, 0, size, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!r->buf)
		return err;
	shared = pith_mint(r->mem, PITH_R_READ);
	if (shared < 0)
		return shared;
	err = rpc_call(r->session.cap, REPORT_BUFFER, &call,
		       pith_now() + TIMEOUT);
	pith_close(shared);
	return err;
}

int report_open(struct report *r, const char *label, uint64_t size)
{
	struct session_quota quota = {
		.ram = 2 * size + REPORT_BOOKS, .caps = 8,
	};
	int err;

	*r = (struct report){ .session.cap = -1, .mem = -1 };
	err = env_session(&r->session, "Report", label, "", &quota,
			  pith_now() + TIMEOUT);
	if (!err)
		err = give_buffer(r, size);
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
