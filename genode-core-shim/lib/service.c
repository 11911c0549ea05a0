/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/service.h>

#define PARENT_TIMEOUT	PITH_SEC(10)

static struct {
	struct service *services;
	unsigned int n;
	int notif;
} announced;

static struct service *service_named(const char *name)
{
	for (unsigned int i = 0; i < announced.n; i++)
		if (!strcmp(announced.services[i].name, name))
			return &announced.services[i];
	return NULL;
}

/* --- sessions -------------------------------------------------------------- */

struct service_session {
	struct id_link id;
	void *session;
};

static int open_session(const struct parent_request *req, uint64_t id)
{
	struct service *s = service_named(req->service);
	struct service_session *new;
	int cap;

	if (!s)
		return -ENOENT;
	/* room for it before anything is opened */
	new = id_room(&s->sessions) ? NULL : calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	cap = s->open(s->ctx, req, &new->session);
	if (cap < 0) {
		free(new);
		return cap;
	}
	id_add(&s->sessions, &new->id, id);
	return cap;
}

static bool close_one(struct service *s, uint64_t id)
{
	struct id_link *l = id_find(&s->sessions, id);
	struct service_session *found;

	if (!l)
		return false;
	found = id_entry(l, struct service_session, id);
	id_del(&s->sessions, l);
	s->close(s->ctx, found->session);
	free(found);
	return true;
}

static void close_session(uint64_t id)
{
	for (unsigned int i = 0; i < announced.n; i++)
		if (close_one(&announced.services[i], id))
			return;
}

/* --- requests -------------------------------------------------------------- */

int service_deliver(uint64_t id, int cap)
{
	struct parent_deliver answer = {
		.id = id, .status = cap < 0 ? -cap : 0,
	};

	return rpc_give_cap(PITH_SLOT_PARENT, PARENT_DELIVER, &answer,
			    sizeof(answer), cap, pith_now() + PARENT_TIMEOUT);
}

static void create(const struct parent_request *req)
{
	int cap = open_session(req, req->id);
	int err = service_deliver(req->id, cap);

	pith_close(cap);
	if (err && cap >= 0)	/* the client has given up meanwhile */
		close_session(req->id);
}

int service_next_request(struct parent_request *req)
{
	int err = rpc_simple(PITH_SLOT_PARENT, PARENT_NEXT_REQUEST, NULL, 0,
			     req, sizeof(*req), pith_now() + PARENT_TIMEOUT);

	req->service[sizeof(req->service) - 1] = 0;
	req->label[sizeof(req->label) - 1] = 0;
	req->args[sizeof(req->args) - 1] = 0;
	return err;
}

static void handle(const struct parent_request *req)
{
	if (req->kind == PARENT_REQ_CREATE)
		create(req);
	else if (req->kind == PARENT_REQ_CLOSE)
		close_session(req->id);
}

/* One request at a time: calls, interrupts and timers get their turn between
 * two, however many a client makes. */
static void requests_wait(void *ctx, uint64_t count)
{
	struct parent_request req;

	(void)ctx;
	(void)count;
	if (!service_next_request(&req) && req.kind != PARENT_REQ_NONE) {
		handle(&req);
		pith_signal(announced.notif, 1);
	}
}

int service_announce_one(const char *name, int notification)
{
	struct parent_announce a = { .service = "" };

	strncpy(a.service, name, sizeof(a.service) - 1);
	return rpc_give_cap(PITH_SLOT_PARENT, PARENT_ANNOUNCE, &a, sizeof(a),
			    notification, pith_now() + PARENT_TIMEOUT);
}

int service_announce(struct entrypoint *ep, struct service *services,
		     unsigned int n)
{
	uint64_t badge;
	int notif = ep_new_notification(ep, requests_wait, NULL, &badge);
	int err = notif < 0 ? notif : 0;

	announced.services = services;
	announced.n = n;
	announced.notif = notif;
	for (unsigned int i = 0; i < n && !err; i++)
		err = service_announce_one(services[i].name, notif);
	return err;
}
