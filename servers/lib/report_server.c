// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/sys.h>
#include <session/report.h>
#include "report_server.h"

struct report_client {
	struct entrypoint *ep;
	report_fn fn;
	void *ctx;
	uint64_t badge, ram;
	const void *buf;	/* the client writes to it at any time */
	uint64_t size;
};

static int take_buffer(struct report_client *c, struct ep_request *in)
{
	int64_t size = in->ncaps ? pith_mem_lent(in->caps[0]) : -EINVAL;
	int err;

	if (size <= 0)
		return -EINVAL;
	if (c->buf)
		return -EBUSY;
	if ((uint64_t)size > (c->ram - REPORT_BOOKS) / 2)
		return -EDQUOT;
	c->buf = pith_map(in->caps[0], 0, size, PITH_MAP_READ, &err);
	c->size = size;
	return c->buf ? 0 : err;
}

static int submit(struct report_client *c, struct ep_request *in)
{
	const struct report_size *req = ep_req(in, struct report_size);
	char *text;

	if (!req || !c->buf || req->size > c->size)
		return -EINVAL;
	text = malloc(req->size + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, c->buf, req->size);
	return c->fn(c->ctx, text, req->size);
}

static int call(void *ctx, struct ep_request *in)
{
	switch (in->method) {
	case REPORT_BUFFER:
		return take_buffer(ctx, in);
	case REPORT_SUBMIT:
		return submit(ctx, in);
	}
	return -ENOSYS;
}

int report_client_open(struct entrypoint *ep, report_fn fn, void *ctx,
		       const struct parent_request *req,
		       struct report_client **client)
{
	struct report_client *c;
	int cap;

	if (req->ram < REPORT_BOOKS)
		return -EDQUOT;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct report_client) {
		.ep = ep, .fn = fn, .ctx = ctx, .ram = req->ram,
	};
	cap = ep_new_object(ep, call, c, &c->badge);
	if (cap < 0)
		free(c);
	else
		*client = c;
	return cap;
}

void report_client_close(struct report_client *c)
{
	ep_remove(c->ep, c->badge);
	if (c->buf)
		pith_unmap((void *)c->buf, c->size);
	free(c);
}
