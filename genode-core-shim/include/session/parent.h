/* SPDX-License-Identifier: BSD-2-Clause */
/* Parent: what a component asks of the one that started it. */
#ifndef SESSION_PARENT_H
#define SESSION_PARENT_H

#include <stdint.h>

#define PARENT_SERVICE_MAX	32	/* with the NUL, as the two below */
#define PARENT_LABEL_MAX	160
#define PARENT_ARGS_MAX		160

enum parent_method {
	/*
	 * SESSION: struct parent_session -> struct parent_session_reply + cap.
	 * Moves @ram and @caps from the child's domain to the server's. Answered
	 * when the server has answered. ENOENT, EACCES, EDQUOT, EINVAL. A PD
	 * session can have cap 0, a domain (ADMIN) that becomes its account: the
	 * parent of its domain, and what PD_FUND takes from. Without one it is
	 * the caller's own domain. Arg cpu_quota=: of the child's CPU budget the
	 * server has that, in percent of one CPU, as long as the session is there.
	 */
	PARENT_SESSION = 1,
	/* CLOSE: struct parent_id -> nothing. ENOENT: no such session. */
	PARENT_CLOSE,
	/*
	 * ANNOUNCE: struct parent_announce + cap 0 (a notification, right
	 * SIGNAL, signalled whenever a request waits) -> nothing.
	 * EACCES: the config does not say that this child provides it.
	 */
	PARENT_ANNOUNCE,
	/* NEXT_REQUEST: nothing -> struct parent_request, oldest first; its
	 * @kind is PARENT_REQ_NONE if none waits. */
	PARENT_NEXT_REQUEST,
	/* DELIVER: struct parent_deliver (+ cap 0 if @status is 0) -> nothing.
	 * The answer to a CREATE. ENOENT: the client has given up. */
	PARENT_DELIVER,
	/* SIGH: struct parent_sigh + cap 0 (a notification, right SIGNAL) ->
	 * nothing. Replaces the one before. ENOSYS: this parent has no such. */
	PARENT_SIGH,
	/* RESOURCES: -> struct parent_resources */
	PARENT_RESOURCES,
	/* RESOURCE_REQUEST: struct parent_quota: what is lacking -> nothing. The
	 * signal RESOURCES tells when there is more. */
	PARENT_RESOURCE_REQUEST,
	/* YIELD_RESPONSE: -> nothing. What was wanted back is unused now, as far
	 * as that is possible: the parent takes it. */
	PARENT_YIELD_RESPONSE,
	/* HEARTBEAT_RESPONSE: -> nothing */
	PARENT_HEARTBEAT_RESPONSE,
	/* SPACE: -> cap: the child's own space, right MANAGE, to map and make
	 * threads in it and to say where its faults go */
	PARENT_SPACE,
};

enum parent_signal {
	PARENT_SIGNAL_RESOURCES,	/* RESOURCES has changed */
	PARENT_SIGNAL_HEARTBEAT,	/* is to be answered with a response */
	PARENT_SIGNALS
};

struct parent_sigh {
	uint32_t signal;	/* enum parent_signal */
	uint32_t zero;
};

struct parent_quota {
	uint64_t ram;		/* bytes */
	uint64_t caps;
	uint64_t cpu;		/* percent of one CPU */
};

struct parent_resources {
	struct parent_quota assigned;	/* in all, sessions included; cpu 0: all */
	struct parent_quota wanted;	/* of that, back: ballooning */
};

struct parent_session {
	char service[PARENT_SERVICE_MAX];
	char label[PARENT_LABEL_MAX];
	char args[PARENT_ARGS_MAX];
	uint64_t ram;		/* bytes, a multiple of 4096 */
	uint64_t caps;
};

struct parent_session_reply {
	uint64_t id;
};

struct parent_id {
	uint64_t id;
};

struct parent_announce {
	char service[PARENT_SERVICE_MAX];
};

enum parent_request_kind {
	PARENT_REQ_NONE,
	PARENT_REQ_CREATE,
	PARENT_REQ_CLOSE,	/* only @id is set; needs no answer */
};

struct parent_request {
	uint32_t kind;
	uint32_t zero;
	uint64_t id;
	char service[PARENT_SERVICE_MAX];
	char label[PARENT_LABEL_MAX];	/* scoped: "client -> label" */
	char args[PARENT_ARGS_MAX];
	uint64_t ram;			/* donated, already in the server's domain */
	uint64_t caps;
};

struct parent_deliver {
	uint64_t id;
	int32_t status;		/* 0 or a positive errno */
	uint32_t zero;
};

#endif
