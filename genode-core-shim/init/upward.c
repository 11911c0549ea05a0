// SPDX-License-Identifier: BSD-2-Clause
/*
 * Services of children for the parent's clients: init is a server to its parent,
 * and the parent a client to init, init.up. Donations come to init's domain and
 * go back there; the parent takes them from it.
 */
#include <errno.h>
#include <string.h>
#include <pith/service.h>
#include "init.h"

static int notification = -1;
static char announced[CONFIG_PROVIDES][PARENT_SERVICE_MAX];

static void create(const struct parent_request *p)
{
	struct init_session *s;
	struct route r;
	int err = route_upward(&init.config, p->service, p->label, &r);

	if (!err && r.kind != ROUTE_LATER && r.kind != ROUTE_CHILD)
		err = -EACCES;
	s = err ? NULL : session_new(&init.up, &r, p, false, &err);
	if (!s) {
		service_deliver(p->id, err);
		return;
	}
	s->up_id = p->id;
	session_enqueue(s);
}

static void close_session(uint64_t id)
{
	struct init_session *s, *next;

	for_each_of_client(s, next, &init.up)
		if (s->up_id == id)
			session_withdraw(s);
}

/* One request at a time, as of every server. */
static void requests_wait(void *ctx, uint64_t count)
{
	struct parent_request p;

	(void)ctx;
	(void)count;
	if (service_next_request(&p))
		return;
	if (p.kind == PARENT_REQ_CREATE)
		create(&p);
	else if (p.kind == PARENT_REQ_CLOSE)
		close_session(p.id);
	if (p.kind != PARENT_REQ_NONE)
		pith_signal(notification, 1);
}

static void announce(struct hid_str service)
{
	char name[PARENT_SERVICE_MAX];
	unsigned int i;
	uint64_t badge;
	int err;

	hid_copy(service, name, sizeof(name));
	for (i = 0; i < CONFIG_PROVIDES && announced[i][0]; i++)
		if (!strcmp(announced[i], name))
			return;
	if (notification < 0)
		notification = ep_new_notification(&init.ep, requests_wait, NULL,
						   &badge);
	err = notification < 0 ? notification :
				 service_announce_one(name, notification);
	if (err)
		log_error("the parent takes no service %s: %s", name,
			  strerror(-err));
	else if (i < CONFIG_PROVIDES)
		memcpy(announced[i], name, sizeof(name));
}

void upward_update(void)
{
	struct init_session *s, *next;
	unsigned int i;

	for_each_of_client(s, next, &init.up) {
		if ((s->state == SESSION_OPEN || s->state == SESSION_QUEUED) &&
		    !session_follows(s))
			session_withdraw(s);
	}
	for (i = 0; i < init.config.nservices; i++)
		announce(init.config.services[i]);
}
