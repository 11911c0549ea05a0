/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a session request goes, and what its label and args become. Pure. */
#ifndef INIT_ROUTE_H
#define INIT_ROUTE_H

#include <pith/env.h>
#include <session/parent.h>
#include "config.h"

enum route_kind {
	ROUTE_NONE,		/* no rule, or no target of the rule applies */
	ROUTE_AMBIGUOUS,	/* any-child, and several provide the service */
	ROUTE_HIDDEN,		/* that would be init's own ROM "config" */
	ROUTE_LATER,		/* a child that no start node is of yet */
	ROUTE_PARENT,
	ROUTE_CHILD,
	ROUTE_LOCAL,		/* init itself: Init_control */
	ROUTE_CONFIG,		/* and the child's own ROM "config" */
};

struct route {
	enum route_kind kind;
	unsigned int child;		/* ROUTE_CHILD: the server */
	bool relabelled;		/* the config says which label */
	char label[PARENT_LABEL_MAX];	/* for the server: "client -> label" */
};

/*
 * Resolve @service for child @client, which asks with @label. 0, or -EINVAL if
 * the scoped label would be too long.
 */
int route_resolve(const struct config *c, unsigned int client,
		  const char *service, const char *label, struct route *route);

/* The same of our parent's client with @label, by the policies of @service. */
int route_upward(const struct config *c, const char *service, const char *label,
		 struct route *route);

/* Text from a child: NUL terminated within @size, printable ASCII without '|'. */
bool text_valid(const char *s, size_t size);
/* The same, not empty, and characters of names only. */
bool service_valid(const char *s, size_t size);

/*
 * Session args for a child's request: "managing_system" is left out unless the
 * config allows it, a CPU session's priority is scaled into the child's level.
 * 0, -EINVAL (too long) or -EACCES (managing_system in disguise).
 */
int args_for_child(const struct config *c, unsigned int client,
		   const char *service, const char *args,
		   char out[PARENT_ARGS_MAX]);

#endif
