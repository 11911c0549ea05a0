// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a session, see enum session_state. Nobody is waited for: a server
 * fetches what there is to do, a client's call is saved until there is an answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <pith/service.h>
#include <session/core.h>
#include "init.h"

#define TO(state)	(1u << SESSION_##state)

static const struct phase {
	const char *name;
	enum session_place place;
	unsigned int to;
} phases[SESSION_STATES] = {
	[SESSION_QUEUED] = { "queued", PLACE_QUEUE, TO(PENDING) | TO(OVER) },
	[SESSION_PENDING] = { "pending", PLACE_FETCHED, TO(OPEN) | TO(SETTLING) |
			      TO(ABANDONED) | TO(QUEUED) },
	[SESSION_ABANDONED] = { "abandoned", PLACE_FETCHED,
				TO(SETTLING) | TO(OVER) },
	[SESSION_OPEN] = { "open", PLACE_HELD, TO(CLOSING) | TO(LOST) | TO(OVER) },
	[SESSION_CLOSING] = { "closing", PLACE_QUEUE, TO(FETCHED) | TO(OVER) },
	[SESSION_FETCHED] = { "closing", PLACE_FETCHED, TO(SETTLING) | TO(OVER) },
	[SESSION_SETTLING] = { "settling", PLACE_SETTLING, TO(OVER) },
	[SESSION_LOST] = { "lost", PLACE_HELD, TO(OVER) },
	[SESSION_OVER] = { .name = "over" },
};

#define for_each_at(s, n, c, place) \
	list_for_each(s, n, &(c)->served[place], struct init_session, of_server)

void sessions_init(struct child *c)
{
	unsigned int i;

	list_init(&c->sessions);
	for (i = 0; i < SESSION_PLACES; i++)
		list_init(&c->served[i]);
}

const char *session_state_name(enum session_state state)
{
	return phases[state].name;
}

static void set_state(struct init_session *s, enum session_state to)
{
	const struct phase *now = &phases[s->state], *then = &phases[to];

	if (!(now->to & 1u << to))
		env_fatal("session %s -> %s is not possible", now->name,
			  then->name);
	if (s->server && now->place != then->place) {
		list_del(&s->of_server);
		list_add_before(&s->of_server, &s->server->served[then->place]);
	}
	s->state = to;
	if (s->cpu)
		balance_cpu_changed();
}

/* --- quota ------------------------------------ */

/* Does the donation go back to a client that lives, or to init (whose parent
 * takes it from there, if it is the client)? */
static bool client_is_paid(const struct init_session *s)
{
	return s->client && s->client->state == CHILD_RUNNING && !s->log;
}

static int payee(const struct init_session *s)
{
	return client_is_paid(s) ? s->client->domain : PITH_SLOT_DOMAIN;
}

/* From init to the client. What init lacks just now it owes. */
static void give_back(struct init_session *s, struct quota q)
{
	if (!client_is_paid(s) || !quota_pay(s->client->pd.cap, q))
		return;
	quota_add(s->client->owed, q, &s->client->owed);
	init.owes = true;
}

/* From the request until the session is over or its server has died. */
uint64_t sessions_cpu_given(const struct child *c)
{
	struct init_session *s, *next;
	uint64_t sum = 0;

	for_each_of_client(s, next, c)
		sum += s->state < SESSION_SETTLING ? s->cpu : 0;
	return sum;
}

uint64_t sessions_cpu_got(const struct child *c)
{
	struct init_session *s, *next;
	uint64_t sum = 0;

	for (unsigned int place = 0; place < SESSION_PLACES; place++)
		for_each_at(s, next, c, place)
			sum += s->state > SESSION_QUEUED &&
			       s->state < SESSION_SETTLING ? s->cpu : 0;
	return sum;
}

int parent_cap(int session, uint64_t method, void *rep, size_t rep_len)
{
	return rpc_get_cap(session, method, rep, rep_len,
			   pith_now() + PARENT_TIMEOUT);
}

/*
 * The donation of a PD session is its domain's quota, and the client may have
 * moved that elsewhere: only what is unused there goes back. The rest comes to
 * init when the domain is destroyed; how much is not known before.
 */
static void give_back_pd(struct init_session *s)
{
	int domain = parent_cap(s->up.cap, PD_DOMAIN, NULL, 0);

	s->quota = (struct quota){ 0, 0 };
	if (domain < 0)
		return;
	quota_move(domain, payee(s), quota_unused(domain));
	pith_close(domain);
}

/* --- the server's queue ------------------------------------ */

/* What tells @server of requests for @service, -1: it has not announced it. */
static int announced(const struct child *server, const char *service)
{
	int i = config_provides(server->conf, hid_text(service));

	return i < 0 ? -1 : server->announced[i];
}

void session_enqueue(struct init_session *s)
{
	int notification = s->server ? announced(s->server, s->req.service) : -1;

	if (notification >= 0)
		pith_signal(notification, 1);
}

/* --- making and ending ------------------------------------ */

/* What a record costs init is the client's to pay while there is one, whoever
 * still needs it; our parent's clients are many, and pay it. */
static const struct quota book = { QUOTA_SESSION_RAM, QUOTA_SESSION_CAPS };

/* All, so that one is found however many its client has. */
static struct id_table all;

static struct init_session *with_id(uint64_t id)
{
	struct id_link *l = id_find(&all, id);

	return l ? id_entry(l, struct init_session, id) : NULL;
}

struct init_session *session_new(struct child *client, const struct route *r,
				 const struct parent_request *req, bool log,
				 int *err)
{
	struct quota take = { req->ram, req->caps };
	struct child *server = r->kind == ROUTE_CHILD ?
			       init.children[r->child] : NULL;
	uint64_t cpu = args_number(req->args, "cpu_quota", 0);
	struct init_session *s;

	*err = -EPIPE;
	if (server && child_is_down(server))
		return NULL;
	*err = -EDQUOT;
	if (cpu > CONFIG_CPU_MAX ||
	    (cpu && client->conf && client->conf->cpu &&
	     cpu_share(client) <= cpu) ||
	    (client == &init.up && client->nsessions >= SESSIONS_OF_PARENT))
		return NULL;
	quota_add(take, book, &take);
	s = id_room(&all) ? NULL : calloc(1, sizeof(*s));
	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	if (!log && client != &init.up &&
	    quota_move(client->domain, PITH_SLOT_DOMAIN, take)) {
		free(s);
		return NULL;
	}
	s->state = server || r->kind == ROUTE_LATER ? SESSION_QUEUED :
						      SESSION_OPEN;
	s->kind = r->kind;
	id_add(&all, &s->id, ++init.last_id);
	s->client = client;
	s->server = server;
	s->quota = (struct quota){ req->ram, req->caps };
	s->cpu = cpu;
	s->reply = s->up.cap = -1;
	s->log = log;
	s->req = *req;
	s->req.kind = PARENT_REQ_CREATE;
	s->req.id = s->id.id;
	memcpy(s->asked, req->label, sizeof(s->asked));
	memcpy(s->req.label, r->label, sizeof(s->req.label));
	list_add_before(&s->of_client, &client->sessions);
	client->nsessions++;
	list_init(&s->of_server);
	if (server)
		list_add_before(&s->of_server, &server->served[PLACE_QUEUE]);
	if (cpu)
		balance_cpu_changed();
	return s;
}

/* Answer the client's saved call, or a CREATE of our parent, if there is one. */
static int answer(struct init_session *s, int status, const void *data,
		  size_t len, int cap)
{
	int reply = s->reply;

	if (s->client == &init.up && s->state <= SESSION_PENDING)
		return service_deliver(s->up_id, status ? status : cap) ?
			-ENOENT : 0;

	s->reply = -1;
	return reply < 0 ? 0 : ep_answer(reply, status, data, len, cap);
}

/* The record goes; the donation is where it belongs. */
static void session_over(struct init_session *s)
{
	struct child *client = s->client;

	set_state(s, SESSION_OVER);
	give_back(s, book);
	list_del(&s->of_server);
	list_del(&s->of_client);
	pith_close(s->reply);
	id_del(&all, &s->id);
	free(s);
	if (!client)
		return;
	client->nsessions--;
	child_sessions_changed(client);
}

void session_drop(struct init_session *s)
{
	if (s->up.cap >= 0 && !strcmp(s->req.service, "PD"))
		give_back_pd(s);
	if (s->kind == ROUTE_PARENT)
		env_close(&s->up);
	if (s->kind == ROUTE_LOCAL)
		local_control_close(s);
	give_back(s, s->quota);
	session_over(s);
}

/* Refuse a session that its server has not fetched. */
static void refuse(struct init_session *s, int status)
{
	struct child *client = s->client;
	bool log = s->log;

	answer(s, status, NULL, 0, -1);
	session_drop(s);
	if (log && client)
		child_log_ready(client, status);
}

void session_arrived(struct init_session *s, struct child *server)
{
	s->kind = ROUTE_CHILD;
	s->server = server;
	list_add_before(&s->of_server, &server->served[PLACE_QUEUE]);
	if (server->state == CHILD_EXITED)
		refuse(s, -EPIPE);
	else
		session_enqueue(s);
}

void session_log_timeout(struct child *c)
{
	struct init_session *s, *next;

	for_each_of_client(s, next, c) {
		if (!s->log)
			continue;
		if (s->state == SESSION_QUEUED) {
			refuse(s, -ETIMEDOUT);
			return;
		}
		set_state(s, SESSION_ABANDONED);
		child_log_ready(c, -ETIMEDOUT);
		return;
	}
}

/*
 * The server has let go of the session: take the donation back. What the server
 * still uses of it comes when it can; for a dead client that is init's to wait
 * for.
 */
static void settle(struct init_session *s)
{
	struct child *server = s->server;

	if (s->state != SESSION_SETTLING)
		set_state(s, SESSION_SETTLING);
	quota_move_some(server->domain, payee(s), &s->quota);
	if (!client_is_paid(s)) {
		quota_add(server->debt, s->quota, &server->debt);
		s->quota = (struct quota){ 0, 0 };
	}
	if (!s->quota.ram && !s->quota.caps)
		session_over(s);
}

/* --- the server's side ------------------------------------ */

struct init_session *session_of_client(const struct child *c, uint64_t id)
{
	struct init_session *s = with_id(id);

	return s && s->client == c && !s->log &&
	       (s->state == SESSION_OPEN || s->state == SESSION_LOST) ? s : NULL;
}

struct init_session *session_pending_at(const struct child *server, uint64_t id)
{
	struct init_session *s = with_id(id);

	return s && s->server == server &&
	       (s->state == SESSION_PENDING || s->state == SESSION_ABANDONED) ?
		s : NULL;
}

/* The CLOSE that the server fetched last is done, now that it asks again. */
static void finish_fetched(struct child *server)
{
	struct init_session *s, *next;

	for_each_at(s, next, server, PLACE_FETCHED) {
		if (s->state != SESSION_FETCHED)
			continue;
		set_state(s, SESSION_SETTLING);
		answer(s, 0, NULL, 0, -1);
	}
	for_each_at(s, next, server, PLACE_SETTLING)
		settle(s);
	quota_move_some(server->domain, PITH_SLOT_DOMAIN, &server->debt);
	children_pay_debts();
}

/* What the server may have: a CLOSE, or a CREATE of an announced service. */
static struct init_session *first_request(const struct child *server)
{
	struct init_session *s, *next;

	for_each_at(s, next, server, PLACE_QUEUE)
		if (s->state == SESSION_CLOSING ||
		    announced(server, s->req.service) >= 0)
			return s;
	return NULL;
}

void session_next_request(struct child *server, struct parent_request *req)
{
	struct init_session *s;

	*req = (struct parent_request){ .kind = PARENT_REQ_NONE };
	finish_fetched(server);
	while ((s = first_request(server))) {
		if (s->state == SESSION_CLOSING) {
			req->kind = PARENT_REQ_CLOSE;
			req->id = s->id.id;
			set_state(s, SESSION_FETCHED);
			return;
		}
		if (!quota_fund(server->pd.cap, s->quota)) {
			*req = s->req;
			set_state(s, SESSION_PENDING);
			return;
		}
		refuse(s, -EDQUOT);
	}
}

/* The LOG of a child that starts is kept here and passed on when it does. */
static int deliver_log(struct init_session *s, int status, int cap)
{
	struct child *client = s->client;

	if (status)
		settle(s);
	else
		set_state(s, SESSION_OPEN);
	child_log_ready(client, status ? -status : cap);
	return 0;
}

int session_deliver(struct init_session *s, int status, int cap)
{
	struct parent_session_reply reply = { .id = s->id.id };
	bool gone;

	if (s->state == SESSION_ABANDONED) {
		pith_close(cap);
		set_state(s, SESSION_SETTLING);
		return -ENOENT;
	}
	if (s->log)
		return deliver_log(s, status, cap);
	gone = answer(s, -status, &reply, status ? 0 : sizeof(reply), cap) &&
	       !status;
	pith_close(cap);
	if (status)
		settle(s);
	else	/* gone: the server closes it, then asks for the next request */
		set_state(s, gone ? SESSION_SETTLING : SESSION_OPEN);
	return gone ? -ENOENT : 0;
}

/* --- the client's side ------------------------------------ */

static void set_close_timer(uint64_t at)
{
	if (at < init.close_timer.at)
		ep_timer_set(&init.ep, &init.close_timer, at);
}

/*
 * Answer the CLOSE calls that take @server too long; it does them later. One
 * that does not even fetch them hangs: it is ended, or its records would only
 * become more.
 */
static bool close_deadline(struct init_session *s, uint64_t now)
{
	bool hangs = s->state == SESSION_CLOSING && s->fetch_until <= now;

	if (s->state != SESSION_CLOSING && s->state != SESSION_FETCHED)
		return false;
	if (s->reply >= 0 && s->reply_until <= now)
		answer(s, 0, NULL, 0, -1);
	if (s->reply >= 0)
		set_close_timer(s->reply_until);
	if (s->state == SESSION_FETCHED)
		return false;
	if (hangs)
		s->fetch_until = now + FETCH_TIMEOUT;
	set_close_timer(s->fetch_until);
	return hangs;
}

static void close_deadlines(struct child *server, uint64_t now)
{
	struct init_session *s, *next;
	bool hangs = false;

	for_each_at(s, next, server, PLACE_QUEUE)
		hangs |= close_deadline(s, now);
	for_each_at(s, next, server, PLACE_FETCHED)
		hangs |= close_deadline(s, now);
	if (!hangs)
		return;
	log_error("child \"%s\" does not close sessions and is killed",
		  server->conf->name);
	child_kill(server);
}

void sessions_close_timeout(void *ctx)
{
	uint64_t now = pith_now();
	struct child *c;

	(void)ctx;
	for (c = init.all; c; c = c->next)
		close_deadlines(c, now);
}

static void begin_close(struct init_session *s)
{
	set_state(s, SESSION_CLOSING);
	s->fetch_until = pith_now() + FETCH_TIMEOUT;
	set_close_timer(s->fetch_until);
	session_enqueue(s);
}

static int close_at_server(struct init_session *s, struct ep_request *in)
{
	begin_close(s);
	s->reply = ep_save_reply(&init.ep, in);
	if (s->reply < 0)	/* the server does it, the client need not wait */
		return 0;
	s->reply_until = pith_now() + CLOSE_TIMEOUT;
	set_close_timer(s->reply_until);
	return EP_DEFERRED;
}

int session_close(struct init_session *s, struct ep_request *in)
{
	if (s->kind == ROUTE_CHILD && s->state == SESSION_OPEN)
		return close_at_server(s, in);
	session_drop(s);
	return 0;
}

/* --- deaths ------------------------------------ */

static void client_died(struct init_session *s)
{
	pith_close(s->reply);
	s->reply = -1;
	if (s->kind != ROUTE_CHILD) {
		session_drop(s);
		return;
	}
	switch (s->state) {
	case SESSION_QUEUED:
	case SESSION_LOST:
		session_over(s);
		break;
	case SESSION_PENDING:
		set_state(s, SESSION_ABANDONED);
		break;
	case SESSION_OPEN:
		begin_close(s);
		break;
	case SESSION_SETTLING:
		settle(s);
		break;
	default:	/* the server is at it */
		break;
	}
}

void sessions_client_died(struct child *c)
{
	struct init_session *s, *next;

	for_each_of_client(s, next, c)
		client_died(s);
}

void session_withdraw(struct init_session *s)
{
	if (s->state == SESSION_QUEUED)
		refuse(s, -EACCES);
	else
		client_died(s);
}

void sessions_server_gone(struct child *server)
{
	struct init_session *s, *next;

	sessions_server_down(server);
	for_each_at(s, next, server, PLACE_HELD) {	/* lost */
		list_del(&s->of_server);
		s->server = NULL;
	}
}

void sessions_orphan(struct child *c)
{
	struct init_session *s, *next;

	for_each_of_client(s, next, c) {
		list_del(&s->of_client);
		s->client = NULL;
	}
	c->nsessions = 0;
}

/* The donation has come to init with all that the dead server had. */
static void server_died(struct init_session *s)
{
	switch (s->state) {
	case SESSION_QUEUED:
	case SESSION_LOST:	/* to an earlier incarnation */
		break;
	case SESSION_PENDING:
		set_state(s, SESSION_QUEUED);
		break;
	case SESSION_OPEN:
		set_state(s, SESSION_LOST);
		give_back(s, s->quota);
		s->quota = (struct quota){ 0, 0 };
		break;
	default:
		answer(s, 0, NULL, 0, -1);
		give_back(s, s->quota);
		session_over(s);
		break;
	}
}

void sessions_server_died(struct child *c)
{
	struct init_session *s, *next;
	struct list *first = c->served[PLACE_QUEUE].next;
	unsigned int place;

	/* what it has not answered is asked again before what it has not seen */
	for_each_at(s, next, c, PLACE_FETCHED) {
		bool pending = s->state == SESSION_PENDING;

		server_died(s);
		if (!pending)
			continue;
		list_del(&s->of_server);
		list_add_before(&s->of_server, first);
	}
	for (place = 0; place < SESSION_PLACES; place++)
		for_each_at(s, next, c, place)
			server_died(s);
	c->debt = (struct quota){ 0, 0 };
}

void sessions_server_down(struct child *c)
{
	while (!list_empty(&c->served[PLACE_QUEUE]))
		refuse(list_entry(c->served[PLACE_QUEUE].next,
				  struct init_session, of_server), -EPIPE);
}
