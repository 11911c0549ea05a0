/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving ROM sessions whose content changes. It is copied into memory that the
 * client brings when it asks for the newest: so the client sees one version until
 * it asks again, and pays for it as long as it keeps it, whatever became of the
 * session. The donation pays for the session's books.
 */
#ifndef ROM_SERVER_H
#define ROM_SERVER_H

#include <pith/service.h>

#define ROM_CLIENT_BOOKS	4096u	/* bytes of a session's donation */

struct rom_client;

/* A content, which may have any number of sessions. */
struct rom_source {
	const void *data;		/* the owner's; NULL: there is none */
	uint64_t size;
	uint64_t version;		/* of the data; 0: none yet */
	struct rom_client *clients;
};

/* The data has changed: @data must stay until the next call. */
void rom_source_set(struct rom_source *s, const void *data, uint64_t size);

/* For the callbacks of struct service. Open a session of @source as @req asks: its
 * capability, which is the caller's, or a negative errno. */
int rom_client_open(struct entrypoint *ep, struct rom_source *source,
		    const struct parent_request *req, void **session);
void rom_client_close(void *ctx, void *session);

#endif
