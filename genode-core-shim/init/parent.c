// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Parent interface. A child is not trusted: each request is checked to the
 * end before anything changes, and names only what is the child's own.
 */
#include <errno.h>
#include <string.h>
#include <pith/label.h>
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

/* init's own config, which the parent knows by that name, is not for children. */
static bool is_own_config(const struct parent_session *req,
			  const struct route *r)
{
	return r->kind == ROUTE_PARENT && !r->relabelled &&
	       !strcmp(req->service, "ROM") &&
	       !strcmp(label_last(r->label), "config");
}

static bool is_inline_config(const struct child *c, const char *service,
			     const char *label)
{
	return c != &init.up && c->conf->config && !strcmp(service, "ROM") &&
	       !strcmp(label, "config");
}

/* Answer at once. If the client has given up meanwhile, the session goes. With
 * @close, nobody needs @cap here any more. */
static int hand_over(struct ep_request *in, struct init_session *s, int cap,
		     bool close)
{
	struct parent_session_reply reply = { .id = s->id };
	int call = ep_save_reply(&init.ep, in);

	if (call < 0 || ep_answer(call, 0, &reply, sizeof(reply), cap))
		session_drop(s);
	if (close)
		pith_close(cap);
	return call < 0 ? call : EP_DEFERRED;
}

static int at_parent(struct child *c, struct ep_request *in,
		     const struct route *r, const struct parent_session *req)
{
	struct session_quota quota = { .ram = req->ram, .caps = req->caps };
	bool pd = !strcmp(req->service, "PD");
	struct init_session *s;
	int err, cap;

	if (!pd && (req->ram < PARENT_RAM_MIN || req->caps < PARENT_CAPS_MIN))
		return -EDQUOT;
	s = session_new(c, SERVER_PARENT, r, req, false, &err);
	if (!s)
		return err;
	err = env_session_with(&s->up, req->service, r->label, req->args, &quota,
			       !pd ? -1 : in->caps[0] < 0 ? c->domain :
							   in->caps[0],
			       pith_now() + PARENT_TIMEOUT);
	if (err) {
		session_drop(s);
		return err;
	}
	cap = s->up.cap;
	if (!pd)
		s->up.cap = -1;
	return hand_over(in, s, cap, !pd);
}

static int at_child(struct child *c, struct ep_request *in,
		    const struct route *r, const struct parent_session *req)
{
	struct init_session *s;
	int err;

	if (child_is_down(init.children[r->child]))
		return -EPIPE;
	s = session_new(c, SERVER_CHILD, r, req, false, &err);
	if (!s)
		return err;
	s->reply = ep_save_reply(&init.ep, in);
	if (s->reply < 0) {
		err = s->reply;
		session_drop(s);
		return err;
	}
	session_enqueue(s);
	return EP_DEFERRED;
}

static int at_init(struct child *c, struct ep_request *in,
		   enum session_server kind, const struct route *r,
		   const struct parent_session *req)
{
	struct init_session *s;
	int err, cap;

	s = session_new(c, kind, r, req, false, &err);
	if (!s)
		return err;
	cap = kind == SERVER_CONFIG ? local_config_open(c) :
				      local_control_open(s);
	if (cap < 0) {
		session_drop(s);
		return cap;
	}
	return hand_over(in, s, cap, kind == SERVER_CONTROL);
}

static int no_route(struct child *c, const struct parent_session *req,
		    enum route_kind kind)
{
	child_complain(c, "no route to service %s (label \"%s\")%s", req->service,
		       req->label, kind == ROUTE_AMBIGUOUS ?
		       ": several children provide it" : "");
	return -ENOENT;
}

static const char *server_name(const struct route *r)
{
	return r->kind == ROUTE_CHILD ? init.config.children[r->child].name :
	       r->kind == ROUTE_PARENT ? "parent" : "init";
}

static int session(struct child *c, struct ep_request *in)
{
	const struct parent_session *asked = ep_req(in, struct parent_session);
	struct parent_session req;
	struct route r;
	int err = asked ? check_session(c, asked) : -EINVAL;

	if (err)
		return err;
	req = *asked;
	err = route_resolve(&init.config, c->index, req.service, req.label, &r);
	if (err)
		return err;
	if (is_inline_config(c, req.service, req.label)) {
		memcpy(r.label, req.label, sizeof(r.label));
		return at_init(c, in, SERVER_CONFIG, &r, &req);
	}
	if (is_own_config(&req, &r))
		return -ENOENT;
	err = args_for_child(&init.config, c->index, req.service, asked->args,
			     req.args);
	if (err) {
		child_complain(c, "args for %s are refused: %s", req.service,
			       asked->args);
		return err;
	}
	if (init.config.verbose && r.kind > ROUTE_AMBIGUOUS)
		log_line("child \"%s\": %s \"%s\" goes to %s", c->conf->name,
			 req.service, r.label, server_name(&r));
	switch (r.kind) {
	case ROUTE_PARENT:
		return at_parent(c, in, &r, &req);
	case ROUTE_CHILD:
		return at_child(c, in, &r, &req);
	case ROUTE_LOCAL:
		return at_init(c, in, SERVER_CONTROL, &r, &req);
	default:
		return no_route(c, &req, r.kind);
	}
}

/* --- routes that change ------------------------------------ */

bool session_fits(const struct init_session *s)
{
	const struct child *c = s->client;
	struct route r;

	if (is_inline_config(c, s->service, s->asked))
		return s->kind == SERVER_CONFIG;
	if (c == &init.up)
		route_upward(&init.config, s->service, s->asked, &r);
	else if (route_resolve(&init.config, c->index, s->service, s->asked, &r))
		return false;
	if (strcmp(r.label, s->label))
		return false;
	return s->kind == SERVER_PARENT ? r.kind == ROUTE_PARENT :
	       s->kind == SERVER_CONTROL ? r.kind == ROUTE_LOCAL :
	       r.kind == ROUTE_CHILD && init.children[r.child] == s->server;
}

bool child_log_fits(const struct child *client)
{
	struct route r;

	if (route_resolve(&init.config, client->index, "LOG", "", &r))
		return true;
	return r.kind == ROUTE_CHILD ? !client->log.id :
	       (r.kind == ROUTE_PARENT) == (client->log.id != 0);
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
	case PARENT_RESOURCES:
	case PARENT_RESOURCE_REQUEST:
	case PARENT_YIELD_RESPONSE:
	case PARENT_HEARTBEAT_RESPONSE:
		return balance_call(c, in);
	}
	child_complain(c, "calls method %llu, which does not exist",
		       (unsigned long long)in->method);
	return -EINVAL;
}
