// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Parent interface. A child is not trusted: each request is checked to the
 * end before anything changes, and names only what is the child's own.
 */
#include <errno.h>
#include <string.h>
#include "init.h"

#define ERRNO_MAX	4095

/* Less does not pay core for a session, but for PD. */
#define PARENT_RAM_MIN	4096
#define PARENT_CAPS_MIN	3

/* --- SESSION ------------------------------------ */

static int check_session(struct child *c, const struct parent_session *req)
{
	if (!service_valid(req->service, sizeof(req->service)) ||
	    !text_valid(req->label, sizeof(req->label)) ||
	    !text_valid(req->args, sizeof(req->args))) {
		child_complain(c, "session request with a malformed service, "
			       "label or args");
		return -EINVAL;
	}
	return quota_valid((struct quota){ req->ram, req->caps }) ? 0 : -EINVAL;
}

/* Answer at once. If the client has given up meanwhile, the session goes. Nobody
 * needs @cap here any more, unless the session keeps it. */
static int hand_over(struct ep_request *in, struct init_session *s, int cap)
{
	struct parent_session_reply reply = { .id = s->id.id };
	bool keeps = s->kind == ROUTE_CONFIG || s->up.cap >= 0;
	int call = ep_save_reply(&init.ep, in);

	if (call < 0 || ep_answer(call, 0, &reply, sizeof(reply), cap))
		session_drop(s);
	if (!keeps)
		pith_close(cap);
	return call < 0 ? call : EP_DEFERRED;
}

/* The capability of @s, or -errno. */
static int open_at_parent(struct init_session *s, const struct ep_request *in)
{
	struct session_quota quota = { .ram = s->quota.ram, .caps = s->quota.caps };
	bool pd = !strcmp(s->req.service, "PD");
	int account = !pd ? -1 : in->caps[0] < 0 ? s->client->domain : in->caps[0];
	int err = env_session_with(&s->up, s->req.service, s->req.label, s->req.args, &quota,
				   account, pith_now() + PARENT_TIMEOUT);
	int cap = s->up.cap;

	if (!pd)
		s->up.cap = -1;
	return err ? err : cap;
}

/* A session as @r says, or the wait for it; or why there is none. */
static int open_session(struct child *c, struct ep_request *in,
			const struct route *r, const struct parent_request *req)
{
	struct init_session *s;
	int cap;

	if (r->kind == ROUTE_PARENT && strcmp(req->service, "PD") &&
	    (req->ram < PARENT_RAM_MIN || req->caps < PARENT_CAPS_MIN))
		return -EDQUOT;
	s = session_new(c, r, req, false, &cap);
	if (!s)
		return cap;
	if (r->kind == ROUTE_CHILD || r->kind == ROUTE_LATER) {
		cap = s->reply = ep_save_reply(&init.ep, in);
		if (cap >= 0) {
			session_enqueue(s);
			return EP_DEFERRED;
		}
	} else {
		cap = r->kind == ROUTE_PARENT ? open_at_parent(s, in) :
		      r->kind == ROUTE_CONFIG ? local_config_open(c) :
						local_control_open(s);
		if (cap >= 0)
			return hand_over(in, s, cap);
	}
	session_drop(s);
	return cap;
}

static int no_route(struct child *c, const struct parent_request *req,
		    enum route_kind kind)
{
	if (kind != ROUTE_HIDDEN)
		child_complain(c, "no route to service %s (label \"%s\")%s",
			       req->service, req->label,
			       kind == ROUTE_AMBIGUOUS ?
			       ": several children provide it" : "");
	return -ENOENT;
}

static const char *server_name(const struct route *r)
{
	return r->kind == ROUTE_CHILD ? init.config.children[r->child].name :
	       r->kind == ROUTE_PARENT ? "parent" :
	       r->kind == ROUTE_LATER ? "a child that is to come" : "init";
}

static int session(struct child *c, struct ep_request *in)
{
	const struct parent_session *asked = ep_req(in, struct parent_session);
	struct parent_request req;
	struct route r;
	int err = asked ? check_session(c, asked) : -EINVAL;

	if (err)
		return err;
	req = (struct parent_request){ .ram = asked->ram, .caps = asked->caps };
	memcpy(req.service, asked->service, sizeof(req.service));
	memcpy(req.label, asked->label, sizeof(req.label));
	err = route_resolve(&init.config, c->index, req.service, req.label, &r);
	if (err)
		return err;
	err = args_for_child(&init.config, c->index, req.service, asked->args,
			     req.args);
	if (err) {
		child_complain(c, "args for %s are refused: %s", req.service,
			       asked->args);
		return err;
	}
	if (r.kind <= ROUTE_HIDDEN)
		return no_route(c, &req, r.kind);
	if (init.config.verbose)
		log_line("child \"%s\": %s \"%s\" goes to %s", c->conf->name,
			 req.service, r.label, server_name(&r));
	return open_session(c, in, &r, &req);
}

/* --- routes that change ------------------------------------ */

bool session_follows(struct init_session *s)
{
	const struct child *c = s->client;
	struct route r;
	int err = c == &init.up ?
		route_upward(&init.config, s->req.service, s->asked, &r) :
		route_resolve(&init.config, c->index, s->req.service, s->asked, &r);

	if (err || strcmp(r.label, s->req.label))
		return false;
	if (s->kind == ROUTE_LATER && r.kind == ROUTE_CHILD) {
		session_arrived(s, init.children[r.child]);
		return true;
	}
	return r.kind == s->kind &&
	       (r.kind != ROUTE_CHILD || init.children[r.child] == s->server);
}

bool child_log_fits(const struct child *client)
{
	struct route r;

	if (route_resolve(&init.config, client->index, "LOG", "", &r))
		return true;
	return (r.kind == ROUTE_PARENT) == (client->log.id != 0);
}

static int close_session(struct child *c, struct ep_request *in)
{
	const struct parent_id *req = ep_req(in, struct parent_id);
	struct init_session *s;

	if (!req)
		return -EINVAL;
	s = session_of_client(c, req->id);
	if (!s) {
		child_complain(c, "closes session %llu, which it does not have",
			       (unsigned long long)req->id);
		return -ENOENT;
	}
	return session_close(s, in);
}

/* --- the server's side ------------------------------------ */

int take_signal(struct ep_request *in, int *fd)
{
	struct pith_identify id;

	if (!in->ncaps || in->caps[0] < 0 || pith_identify(in->caps[0], &id) ||
	    id.type != PITH_T_NOTIFICATION || !(id.rights & PITH_R_SIGNAL))
		return -EINVAL;
	pith_close(*fd);
	*fd = ep_take_cap(in, 0);
	return 0;
}

static int announce(struct child *c, struct ep_request *in)
{
	const struct parent_announce *req = ep_req(in, struct parent_announce);
	int i;

	if (!req || !service_valid(req->service, sizeof(req->service)))
		return -EINVAL;
	i = config_provides(c->conf, hid_text(req->service));
	if (i < 0) {
		child_complain(c, "announces %s, which it may not provide",
			       req->service);
		return -EACCES;
	}
	if (take_signal(in, &c->announced[i]))
		return -EINVAL;
	pith_signal(c->announced[i], 1);	/* requests may wait */
	return 0;
}

static int next_request(struct child *c, struct ep_request *in)
{
	struct parent_request req;

	session_next_request(c, &req);
	return ep_reply_data(&init.ep, in, &req, sizeof(req));
}

static int deliver(struct child *c, struct ep_request *in)
{
	const struct parent_deliver *req = ep_req(in, struct parent_deliver);
	struct init_session *s;

	if (!req || req->status < 0 || req->status > ERRNO_MAX ||
	    (!req->status && (!in->ncaps || in->caps[0] < 0)))
		return -EINVAL;
	s = session_pending_at(c, req->id);
	if (!s) {
		child_complain(c, "delivers session %llu, which it was not asked "
			       "for", (unsigned long long)req->id);
		return -ENOENT;
	}
	return session_deliver(s, req->status, req->status ? -1 :
			       ep_take_cap(in, 0));
}

static int sigh(struct child *c, struct ep_request *in)
{
	const struct parent_sigh *req = ep_req(in, struct parent_sigh);

	if (!req || req->signal >= PARENT_SIGNALS || req->zero)
		return -EINVAL;
	return take_signal(in, &c->sigh[req->signal]);
}

int parent_call(void *ctx, struct ep_request *in)
{
	struct child *c = ctx;

	if (c->removed)
		return -EPIPE;
	switch (in->method) {
	case PARENT_SESSION:
		return session(c, in);
	case PARENT_CLOSE:
		return close_session(c, in);
	case PARENT_ANNOUNCE:
		return announce(c, in);
	case PARENT_NEXT_REQUEST:
		return next_request(c, in);
	case PARENT_DELIVER:
		return deliver(c, in);
	case PARENT_SPACE:
		return ep_reply_cap(in, c->space, 0);
	case PARENT_SIGH:
		return sigh(c, in);
	case PARENT_RESOURCES:
		return balance_resources(c, in);
	case PARENT_RESOURCE_REQUEST:
		return balance_request(c, in);
	case PARENT_YIELD_RESPONSE:
		balance_down(c);
		children_pay_debts();
		return 0;
	case PARENT_HEARTBEAT_RESPONSE:
		c->beat = false;
		c->skipped = 0;
		return 0;
	}
	child_complain(c, "calls method %llu, which does not exist",
		       (unsigned long long)in->method);
	return -EINVAL;
}
