/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Being a server: announce a service to the parent and get its sessions.
 *
 * The parent never waits for a server. It notes a request, signals, and the
 * server fetches and answers it when it can; a server that does not answer
 * blocks only the client that asked.
 */
#ifndef PITH_SERVICE_H
#define PITH_SERVICE_H

#include <pith/entrypoint.h>
#include <pith/id_table.h>
#include <session/parent.h>

/*
 * Callbacks. open() returns the session's capability (an fd that the library
 * sends and then closes) and sets *@session, which close() gets back; or a
 * negative errno, which the client gets. @req->label is the full session label,
 * outermost component first: "shell -> disk".
 */
struct service {
	const char *name;
	int (*open)(void *ctx, const struct parent_request *req, void **session);
	void (*close)(void *ctx, void *session);
	void *ctx;
	/* private: open ones, by the parent's id for them */
	struct id_table sessions;
};

/* Announce @n services (the array must stay). Requests are then handled from
 * the entrypoint. 0 or a negative errno. */
int service_announce(struct entrypoint *ep, struct service *services,
		     unsigned int n);

/* --- its parts, for who answers requests later than at once ----------------- */

/* @notification is signalled when requests wait. 0 or a negative errno. */
int service_announce_one(const char *name, int notification);
/* The oldest request, with all texts ended; its @kind may be PARENT_REQ_NONE. */
int service_next_request(struct parent_request *req);
/* The answer to a CREATE: a copy of @cap, or -errno. -ENOENT: the client is gone. */
int service_deliver(uint64_t id, int cap);

#endif
