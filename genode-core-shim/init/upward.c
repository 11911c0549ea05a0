// SPDX-License-Identifier: BSD-2-Clause
/*
 * Services of children for the parent's clients: init is a server to its parent,
 * and the parent a client to init, init.up. Donations come to init's domain and
 * go back there; the parent takes them from it.
 */
#include <errno.h>
#include <string.h>
#include <pith/rpc.h>
#include "init.h"

static int notification = -1;
static char announced[CONFIG_PROVIDES][PARENT_SERVICE_MAX];

static int tell(uint64_t method, const void *req, size_t len, int cap)
{
	return rpc_give_cap(PITH_SLOT_PARENT, method, req, len, cap,
			    pith_now() + PARENT_TIMEOUT);
}

int upward_deliver(uint64_t id, int status, int cap)
{
	struct parent_deliver d = { .id = id, .status = -status };

	return tell(PARENT_DELIVER, &d, sizeof(d), status ? -1 : cap) ? -ENOENT :
									0;
}

static void create(const struct parent_request *p)
{
	struct parent_session req = { .ram = p->ram, .caps = p->caps };
	struct init_session *s;
	struct route r;
	int err;

	memcpy(req.service, p->service, sizeof(req.service));
	memcpy(req.label, p->label, sizeof(req.label));
	memcpy(req.args, p->args, sizeof(req.args));
	err = route_upward(&init.config, req.service, req.label, &r);
	if (!err)
		err = r.kind != ROUTE_CHILD ? -EACCES :
		      child_is_down(init.children[r.child]) ? -EPIPE : 0;
	s = err ? NULL : session_new(&init.up, SERVER_CHILD, &r, &req, false,
				     &err);
	if (!s) {
		upward_deliver(p->id, err, -1);
		return;
	}
	s->up_id = p->id;
	session_enqueue(s);
}

static void close_session(uint64_t id)
{
	struct init_session *s, *next;

	list_for_each(s, next, &init.up.sessions, struct init_session, of_client)
		if (s->up_id == id)
			session_withdraw(s);
}

/* One request at a time, as of every server. */
static void requests_wait(void *ctx, uint64_t count)
{
	struct parent_request p;

	(void)ctx;
	(void)count;
	if (rpc_simple(PITH_SLOT_PARENT, PARENT_NEXT_REQUEST, NULL, 0, &p,
		       sizeof(p), pith_now() + PARENT_TIMEOUT))
		return;
	p.service[sizeof(p.service) - 1] = '\0';
	p.label[sizeof(p.label) - 1] = '\0';
	p.args[sizeof(p.args) - 1] = '\0';
	if (p.kind == PARENT_REQ_CREATE)
		create(&p);
	else if (p.kind == PARENT_REQ_CLOSE)
		close_session(p.id);
	if (p.kind != PARENT_REQ_NONE)
		pith_signal(notification, 1);
}

static void announce(struct hid_str service)
{
	struct parent_announce a = { .service = "" };
	unsigned int i;
	uint64_t badge;
	int err;

	hid_copy(service, a.service, sizeof(a.service));
	for (i = 0; i < CONFIG_PROVIDES && announced[i][0]; i++)
		if (!strcmp(announced[i], a.service))
			return;
	if (notification < 0)
		notification = ep_new_notification(&init.ep, requests_wait, NULL,
						   &badge);
	err = notification < 0 ? notification :
	      tell(PARENT_ANNOUNCE, &a, sizeof(a), notification);
	if (err)
		log_error("the parent takes no service %s: %s", a.service,
			  strerror(-err));
	else if (i < CONFIG_PROVIDES)
		memcpy(announced[i], a.service, sizeof(a.service));
}

void upward_update(void)
{
	struct init_session *s, *next;
	unsigned int i;

	list_for_each(s, next, &init.up.sessions, struct init_session,
		      of_client) {
		if ((s->state == SESSION_OPEN || s->state == SESSION_QUEUED) &&
		    !session_fits(s))
			session_withdraw(s);
	}
	for (i = 0; i < init.config.nservices; i++)
		announce(init.config.services[i]);
}
