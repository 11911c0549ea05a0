/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving Report sessions. The buffer is the client's memory, mapped as long as the
 * session lasts and only ever copied from; the donation pays for the copies.
 */
#ifndef REPORT_SERVER_H
#define REPORT_SERVER_H

#include <pith/service.h>

struct report_client;

/*
 * A report of @len bytes came, a copy made with malloc(), which is the callee's from
 * now on, whatever it returns: 0 or a negative errno for the client. It may keep one
 * for each session.
 */
typedef int (*report_fn)(void *ctx, char *text, uint64_t len);

/* A session as @req asks: its capability, which is the caller's, or a negative
 * errno. */
int report_client_open(struct entrypoint *ep, report_fn fn, void *ctx,
		       const struct parent_request *req,
		       struct report_client **client);
void report_client_close(struct report_client *client);

#endif
