/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init at run time: children, the sessions between them, and who does what.
 *
 *	config.c, config_route.c	text -> validated model (pure)
 *	route.c, restart.c, quota.c	decisions (pure, but for quota moves)
 *	apply.c		a new config: who is new, gone, to be changed
 *	child.c		life of a child: start, exit, restart
 *	balance.c	quota of running children, heartbeats
 *	session.c	life of a session: request, hand-over, close
 *	parent.c	the Parent interface: checks, then the above
 *	upward.c	services of children for the parent's clients
 *	local.c		what init serves itself: ROM "config", Init_control
 *	report.c	the state report
 */
#ifndef INIT_H
#define INIT_H

#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/id_table.h>
#include <pith/list.h>
#include "config.h"
#include "quota.h"
#include "route.h"

#define SESSIONS_OF_PARENT	512	/* of our parent's clients */
#define COMPLAINTS_PER_CHILD	16	/* lines in the log, per start */
#define PARENT_TIMEOUT		PITH_SEC(5)	/* for what our parent serves */
#define CLOSE_TIMEOUT		PITH_SEC(1)	/* a server's for a CLOSE */
#define FETCH_TIMEOUT	PITH_SEC(30)	/* its to fetch it, or it is killed */

/* --- sessions ------------------------------------ */

/*
 * A session at a child. Its donation is in init's domain while QUEUED, in the
 * server's from PENDING until it is settled.
 *
 *	QUEUED    -> PENDING: the server fetched CREATE
 *	          -> over: the client or the server is gone for good
 *	PENDING   -> OPEN: delivered
 *	          -> SETTLING: the server refused
 *	          -> ABANDONED: the client died, or starts without this LOG
 *	          -> QUEUED: the server died
 *	ABANDONED -> SETTLING: the server answered; over: it died
 *	OPEN      -> CLOSING: the client closed or died, or may not have it
 *	          -> LOST: the server died, the donation is back
 *	CLOSING   -> FETCHED: the server fetched CLOSE; over: it died
 *	FETCHED   -> SETTLING: the server asked for the next request; over: it died
 *	SETTLING  -> over: the donation is back; retried at the server's requests
 *	LOST      -> over: the client closed or died
 *
 * A session at the parent or at init itself is OPEN from beginning to end.
 */
enum session_state {
	SESSION_QUEUED,
	SESSION_PENDING,
	SESSION_ABANDONED,
	SESSION_OPEN,
	SESSION_CLOSING,
	SESSION_FETCHED,
	SESSION_SETTLING,
	SESSION_LOST,
	SESSION_OVER,
	SESSION_STATES
};

struct child;
struct control;

struct init_session {
	enum session_state state;
	enum route_kind kind;		/* of its server */
	struct id_link id;
	uint64_t up_id;			/* client is init.up: parent's name for it */
	struct child *client;		/* NULL: dead and gone on */
	struct child *server;		/* ROUTE_CHILD; NULL: gone for good, or,
					 * ROUTE_LATER, not there yet */
	struct quota quota;		/* donated to the server */
	uint64_t cpu;			/* the same, percent of a CPU */
	int reply;			/* saved call of the client, -1: none */
	uint64_t reply_until;		/* CLOSE: answered then at the latest */
	uint64_t fetch_until;		/* CLOSING: fetched then at the latest */
	bool log;			/* the LOG that a child starts with */
	struct session up;		/* ROUTE_PARENT */
	struct control *control;	/* ROUTE_LOCAL */
	struct parent_request req;	/* as its server gets it */
	char asked[PARENT_LABEL_MAX];	/* the label as the client gave it */
	struct list of_client, of_server;
};

#define for_each_of_client(s, n, c) \
	list_for_each(s, n, &(c)->sessions, struct init_session, of_client)

/* The lists of a server, each in the order of coming into it. */
enum session_place {
	PLACE_QUEUE,		/* QUEUED and CLOSING: to be fetched */
	PLACE_FETCHED,		/* PENDING, ABANDONED and FETCHED */
	PLACE_HELD,		/* OPEN and LOST */
	PLACE_SETTLING,
	SESSION_PLACES
};

const char *session_state_name(enum session_state state);

/* --- children ------------------------------------ */

/*
 *	DOWN      -> STARTING
 *	STARTING  -> RUNNING; ENDING: a step failed
 *	RUNNING   -> ENDING: the program has ended
 *	ENDING    -> EXITED, BACKOFF or FAILED, once its sessions are closed
 *	BACKOFF   -> STARTING
 *	EXITED, FAILED -> BACKOFF: a new config
 */
enum child_state {
	CHILD_DOWN,		/* not started yet */
	CHILD_STARTING,		/* waits for its LOG, if a child serves it */
	CHILD_RUNNING,
	CHILD_ENDING,
	CHILD_BACKOFF,
	CHILD_EXITED,		/* with 0, or not to be restarted */
	CHILD_FAILED,		/* could not be started, or failed too often */
	CHILD_STATES
};

struct child {
	const struct config_child *conf;
	struct config_child last_conf;	/* what a removed one still needs of it */
	unsigned int index;
	enum child_state state;
	uint64_t id;			/* of the latest start */
	bool in_line;			/* starts in its turn */
	bool removed;			/* by a new config: is freed at its end */
	bool again;			/* a new config: starts at its end */
	bool differs;			/* a new config: from what it runs as */
	struct child *next;		/* of all */
	unsigned int restarts;
	struct restart_history history;
	struct ep_timer timer;		/* end of STARTING, ENDING or BACKOFF */

	/* one incarnation */
	struct session pd, cpu, log;	/* the latter two by id only, once it runs */
	struct quota cost;		/* of these three; out of its quota */
	struct quota granted;		/* of what its config assigns, cost included */
	struct quota requested;		/* what it said it lacks */
	uint64_t requested_cpu;
	uint64_t cpu_set;		/* percent of a CPU that its domain may */
	int sigh[PARENT_SIGNALS];	/* notifications, -1: none */
	bool beat;			/* the last heartbeat is not answered yet */
	unsigned int skipped;
	int domain, space;
	uint64_t parent_badge;
	int exit_notif;
	uint64_t exit_badge;
	int log_cap;			/* LOG served by a child */
	int announced[CONFIG_PROVIDES];	/* notification, -1: not announced */
	int config_cap;			/* ROM "config", -1: not made yet */
	uint64_t config_badge;
	int config_sigh;		/* notification, -1: none */
	int start_error;		/* 0 or -errno: why it did not start */
	bool waits;			/* for quota, and has said so */
	bool has_exited;
	uint32_t exit_code;		/* 128 + signal if one killed it */
	uint64_t cpu_ns;		/* of the last incarnation, once over */
	unsigned int complaints;

	/* sessions */
	struct list sessions;		/* as the client */
	unsigned int nsessions;
	struct list served[SESSION_PLACES];	/* as the server */
	struct quota debt;		/* of dead clients, not yet given back */
	struct quota owed;		/* by init, which could not spare it */
};

struct init {
	struct entrypoint ep;
	struct config config;
	struct child **children;	/* as in config */
	struct child *all;		/* these and removed ones that still end */
	struct child up;		/* the parent, as client of our services */
	struct quota budget;		/* what we have got for all, less our own */
	bool owes;			/* children have owed, or less than assigned */
	uint64_t last_id;
	struct ep_timer close_timer;	/* the first deadline of a CLOSE */
};

extern struct init init;

/* --- apply.c ------------------------------------ */

/* Make @new (taken over) the config. -ENOMEM: nothing has changed, @new is the
 * caller's still. */
int config_apply(struct config *new);

/* --- child.c ------------------------------------ */

struct child *child_new(const struct config_child *conf);
void child_free(struct child *c);
/* One that is DOWN or in BACKOFF: now, or in its turn. */
void child_start(struct child *c);
/* Let it end, and start as its config says now, whatever its policy. */
void child_restart(struct child *c);
/* Let it end and then be gone, at once if it does not run. */
void child_remove(struct child *c);
/* End @c's program, or its start; the restart policy decides what follows.
 * -ESRCH: it does neither run nor start. */
int child_kill(struct child *c);
/* A child died, or gave a session back: does that let @c go on? */
void child_sessions_changed(struct child *c);
/* Quota has come back: pay what init owes its children of that. */
void children_pay_debts(void);
/* The LOG of a child that is STARTING is there (@cap, taken over), or -errno. */
void child_log_ready(struct child *c, int cap);
/* Will it never run again? */
bool child_is_down(const struct child *c);
const char *child_state_name(enum child_state state);
/* A line about @c's doings, the first times. */
void child_complain(struct child *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Execution time of its latest program. */
uint64_t child_cpu_ns(struct child *c);

/* --- balance.c ------------------------------------ */

/* What init has for children now, and what is left of it for a config. */
void balance_init(void);
struct quota balance_available(const struct config *c);
/* The CPU time that the config and sessions say, from now on; of all children,
 * soon, as something has changed. */
void balance_cpu(struct child *c);
void balance_cpu_changed(void);
/* What @c may use now, in percent of a CPU; 0: no limit. */
uint64_t cpu_share(const struct child *c);
/* Take back what is above @c's assigned quota, as far as it is unused, and ask
 * @c for the rest; give what is missing, as far as it is there: is that not all? */
void balance_down(struct child *c);
bool balance_up(struct child *c);
/* Heartbeats from now on, if the config wants any. */
void heartbeat_start(void);
/* The methods of the Parent interface about quota. */
int balance_resources(struct child *c, struct ep_request *in);
int balance_request(struct child *c, struct ep_request *in);
void child_signal(const struct child *c, enum parent_signal signal);

/* --- upward.c ------------------------------------ */

/* Announce the config's services, close sessions that it does not allow. */
void upward_update(void);

/* --- parent.c ------------------------------------ */

/* Does @s still go where the config says? One that waits for a child that has come
 * goes there now. @client's LOG at the parent? */
bool session_follows(struct init_session *s);
bool child_log_fits(const struct child *client);
/* Capability 0 of the request in the place of *@fd; -EINVAL: it is no notification
 * that can be signalled. */
int take_signal(struct ep_request *in, int *fd);

/* The Parent interface of child @ctx. */
int parent_call(void *ctx, struct ep_request *in);

/* --- session.c ------------------------------------ */

/* No sessions yet. */
void sessions_init(struct child *c);
/* CPU time that @c as a client has given with sessions, and has got as a server. */
uint64_t sessions_cpu_given(const struct child *c);
uint64_t sessions_cpu_got(const struct child *c);
/* A new record of @req on the client's list, donation taken from its domain, or NULL with
 * *@err (EPIPE: the server stays down). @r: where to. For the LOG of a child that starts, init pays. */
struct init_session *session_new(struct child *client, const struct route *r,
				 const struct parent_request *req, bool log,
				 int *err);
/* The config no longer has the service of OPEN session @s for its client. */
void session_withdraw(struct init_session *s);
/* All that clients still have of @server, which is never coming back. */
void sessions_server_gone(struct child *server);
/* Undo session_new(): free the record, the donation goes back to the client. */
void session_drop(struct init_session *s);
/* A call without data to a service of our parent that answers with a capability:
 * that, owned by the caller, or -errno. */
int parent_cap(int session, uint64_t method, void *rep, size_t rep_len);
/* Tell its server of @s, if it listens already. */
void session_enqueue(struct init_session *s);
/* The child that @s has waited for, ROUTE_LATER, is there now. */
void session_arrived(struct init_session *s, struct child *server);
struct init_session *session_of_client(const struct child *c, uint64_t id);
struct init_session *session_pending_at(const struct child *server, uint64_t id);

/* The oldest request for @server, which may have none. */
void session_next_request(struct child *server, struct parent_request *req);
/* The server's answer: @cap (not taken over) if @status is 0. -ENOENT: the
 * client has given up. */
int session_deliver(struct init_session *s, int status, int cap);
/* The client closes @s. EP_DEFERRED if the answer waits for the server. */
int session_close(struct init_session *s, struct ep_request *in);
/* No longer wait for the LOG that @c, which is STARTING, has asked for. */
void session_log_timeout(struct child *c);

/* All sessions of a dead client, of a dead server, of one that stays down. */
void sessions_client_died(struct child *c);
void sessions_server_died(struct child *c);
void sessions_server_down(struct child *c);
/* No longer wait for the servers of a dead client's sessions. */
void sessions_orphan(struct child *c);
void sessions_close_timeout(void *ctx);

/* --- local.c ------------------------------------ */

/* Capability of the session, for the client's reply, or -errno. */
int local_config_open(struct child *c);
void local_config_free(struct child *c);
/* The config has changed: tell the child. */
void local_config_changed(struct child *c);
int local_control_open(struct init_session *s);
void local_control_close(struct init_session *s);

/* --- report.c ------------------------------------ */

/* The state report in memory from malloc(): its length, or -ENOMEM. */
int report_state(char **text);
/* To the Report service, if the config wants that: soon, or at once. */
void report_changed(void);
void report_now(void);

#endif
