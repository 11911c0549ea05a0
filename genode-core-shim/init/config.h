/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The config as a validated model. Pure: text in, model or a precise error out.
 * The model refers to its own copy of the text.
 */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include <pith/hid_fill.h>
#include "quota.h"
#include "restart.h"

#define CONFIG_NAME_MAX		32	/* of a child or binary, with the NUL */
#define CONFIG_CHILDREN		4096
#define CONFIG_NO_CHILD		CONFIG_CHILDREN	/* no start node has that name */
#define CONFIG_PROVIDES		8	/* services of one child */
#define CONFIG_CPU_MAX		6400	/* percent of one CPU */

enum target_kind {
	TARGET_PARENT,
	TARGET_CHILD,
	TARGET_ANY_CHILD,
	TARGET_LOCAL,		/* init itself */
};

struct config_target {
	enum target_kind kind;
	const struct hid_node *node;
	struct hid_str name;		/* TARGET_CHILD: as the config says */
	unsigned int child;		/* and its index, or CONFIG_NO_CHILD */
	/* What is in their place in the session's label, "identity -> resource";
	 * @s is NULL where it stays. @label is all of it. */
	struct hid_str label, identity, resource, prepend_resource;
};

/* Rules of a route, in order; the first that matches decides. */
struct config_rule {
	struct hid_str service;		/* empty: any */
	/* What the label must be; @s is NULL where the rule does not say: as the
	 * child gave it, how that begins, ends, what is after its last " -> ",
	 * and "child -> label". */
	struct hid_str label, label_prefix, label_suffix, label_last;
	struct hid_str unscoped_label;
	const struct config_target *targets;	/* tried in order */
	unsigned int ntargets;
};

struct config_route {
	const struct hid_node *node;	/* NULL: there is none */
	const struct config_rule *rules;
	unsigned int nrules;
};

/* The state report for the Report service: which parts, and how often. */
struct config_report {
	const struct hid_node *node;	/* NULL: none */
	bool ids, requested, provided, session_args;
	bool child_ram, child_caps, init_ram, init_caps;
	uint32_t delay_ms;		/* between two at least */
	uint64_t buffer;		/* bytes, for the session */
};

struct config_child {
	char name[CONFIG_NAME_MAX];
	char binary[CONFIG_NAME_MAX];
	struct hid_str id, program;	/* the same two, as given */
	const struct hid_node *node;	/* the start node; what it has, or NULL: */
	const struct hid_node *config;	/* its inline config */
	const struct hid_node *heartbeat;	/* is sent, and counted */
	struct hid_str version;
	struct quota quota;		/* RAM in whole pages */
	uint32_t priority;		/* 0 .. 65535 for a CPU session */
	uint64_t affinity;		/* mask of CPUs, 0: all */
	uint64_t cpu;			/* percent of one at most, 0: no limit */
	bool managing_system;
	bool exit_propagate;
	uint32_t skipped_max;		/* then restarted; 0: never */
	struct config_route route;	/* without a node: the default route */
	struct hid_str provides[CONFIG_PROVIDES];
	unsigned int nprovides;
	struct restart_policy restart;
};

struct config {
	struct hid_str version;
	bool verbose;
	uint32_t prio_levels;
	uint32_t space_width, space_height;	/* affinity space: CPUs in rows */
	const struct hid_node *parent_provides;	/* NULL: nothing */
	struct config_route default_route;
	uint32_t heartbeat_ms;			/* 0: none */
	struct config_report report;
	uint64_t keep_ram, keep_caps;		/* for init; 0: the usual */
	struct hid_str services[CONFIG_PROVIDES]; /* for the parent's clients */
	unsigned int nservices;
	struct config_route policies;		/* of these */
	struct config_child *children;
	unsigned int nchildren;
	struct config_child usual;		/* what a start node need not say */
	const struct hid_node *root;
	/* private: children by their names' hashes, index + 1, 0: none */
	uint32_t *names;
	uint32_t names_mask;
	/* what the pointers above point into: all rules, all targets */
	void *arena;
	struct config_rule *rules;
	struct config_target *targets;
	unsigned int nrules, ntargets;
};

/*
 * Make *@c from a copy of @text. Returns 0; or with *@err set and nothing to free: -EINVAL
 * (the text is wrong) or -ENOMEM.
 */
int config_parse(struct config *c, const char *text, size_t len,
		 struct hid_error *err);
void config_free(struct config *c);

/* Index of the child of that name, or -1. */
int config_child_index(const struct config *c, struct hid_str name);
/* Index in the child's provides, or -1. */
int config_provides(const struct config_child *child, struct hid_str service);
bool config_parent_provides(const struct config *c, struct hid_str service);

/*
 * Do the children's quotas fit into @all, which already lacks what init keeps? Else
 * -EDQUOT with the first child that does not fit and the figures in *@err.
 */
int config_check_quota(const struct config *c, struct quota all,
		       struct hid_error *err);

/* Does the child have to start anew to become what @b says instead of @a? */
bool config_child_differs(const struct config_child *a,
			  const struct config_child *b);

/* --- used among config*.c ------------------------------------ */

/* What a node's name says, of a child or program, or of a service. */
#define CONFIG_TEXT(tag, type, kind, member, max, what, marks) \
	{ tag, kind, offsetof(type, member), 0, max, what, marks }
#define CONFIG_NAME(type, member) \
	CONFIG_TEXT("name", type, HID_NAME, member, CONFIG_NAME_MAX - 1, "name", \
		    "_.-")
#define CONFIG_SERVICE(type, member) \
	CONFIG_TEXT("name", type, HID_NAME, member, CONFIG_NAME_MAX - 1, \
		    "service name", "_")

/* The top node itself, and what it says about init: report, heartbeat, CPUs, what
 * init keeps. */
int config_fill_top(struct config *c, struct hid_error *err);
/* On top of attributes: resource nodes of a start node. */
int config_fill_resources(struct config_child *child, struct hid_error *err);

/* Count what the route below @node (may be NULL) needs. */
void config_count_route(struct config *c, const struct hid_node *node);
/* Fill @route from its node, if there is one; @child is the one it is for, or NULL.
 * Children and their provides are known already. */
int config_fill_route(struct config *c, const struct config_child *child,
		      struct config_route *route, struct hid_error *err);
/* The services for the parent's clients, each a checked node below @root. */
int config_fill_services(struct config *c, struct hid_error *err);
/* "service" nodes that are only a name, and what may be in those for the parent. */
extern const struct hid_sub config_names[], config_policies[];

#endif
