/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The config as a validated model. Pure: text in, model or a precise error out.
 * The model refers to the text, which must stay as long as the model does.
 */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include <pith/hid.h>
#include "restart.h"

#define CONFIG_NAME_MAX		32	/* of a child or binary, with the NUL */
#define CONFIG_CHILDREN		64
#define CONFIG_PROVIDES		8	/* services of one child */

enum selector {
	SELECT_ALL,
	SELECT_LABEL,		/* the label as the child gave it */
	SELECT_PREFIX,
	SELECT_SUFFIX,
	SELECT_LAST,		/* its last element, after the last " -> " */
	SELECT_UNSCOPED,	/* "child -> label" */
};

enum target_kind {
	TARGET_PARENT,
	TARGET_CHILD,
	TARGET_ANY_CHILD,
	TARGET_LOCAL,		/* init itself */
};

struct config_target {
	enum target_kind kind;
	unsigned int child;		/* TARGET_CHILD: index */
	bool relabel;			/* @label replaces the session's label */
	struct hid_str label;
};

/* Rules of a route, in order; the first that matches decides. */
struct config_rule {
	struct hid_str service;		/* empty: any */
	enum selector selector;
	struct hid_str value;
	const struct config_target *targets;	/* tried in order */
	unsigned int ntargets;
};

struct config_route {
	const struct config_rule *rules;
	unsigned int nrules;
};

struct config_child {
	char name[CONFIG_NAME_MAX];
	char binary[CONFIG_NAME_MAX];
	const struct hid_node *node;	/* the start node */
	const struct hid_node *config;	/* its inline config, or NULL */
	struct hid_str version;
	uint64_t ram;			/* bytes, a multiple of 4096 */
	uint64_t caps;
	unsigned int priority;		/* 0 .. 65535 for a CPU session */
	bool managing_system;
	bool exit_propagate;
	bool own_route;			/* else the default route applies */
	struct config_route route;
	struct hid_str provides[CONFIG_PROVIDES];
	unsigned int nprovides;
	struct restart_policy restart;
};

struct config {
	struct hid_str version;
	bool verbose;
	unsigned int prio_levels;
	const struct hid_node *parent_provides;	/* NULL: nothing */
	struct config_route default_route;
	struct config_child *children;
	unsigned int nchildren;
	/* private: what the pointers above point into */
	void *arena;
	struct config_rule *rules;
	struct config_target *targets;
	unsigned int nrules, ntargets;
};

/*
 * Make *@c from @text. Returns 0; or with *@err set and nothing to free: -EINVAL
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
 * Do the children's quotas fit into @ram bytes and @caps, which already lack
 * what init keeps? Else -EDQUOT with the first child that does not fit and the
 * figures in *@err.
 */
int config_check_quota(const struct config *c, uint64_t ram, uint64_t caps,
		       struct hid_error *err);

/* Set *@err to @n's place and a text; returns -EINVAL. */
int config_error(struct hid_error *err, uint32_t line, uint32_t col,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* --- config_route.c, used by config.c ------------------------------------ */

/* Count what the route below @node (may be NULL) needs. */
void config_count_route(struct config *c, const struct hid_node *node);
/* Fill @route from @node, a checked "route" or "default-route" node; @child is
 * the one it is for, or NULL. Children and their provides are known already. */
int config_fill_route(struct config *c, const struct hid_node *node,
		      const struct config_child *child,
		      struct config_route *route, struct hid_error *err);
/* Only these sub nodes and attributes (NULL-terminated lists) are in @node. */
int config_check_node(const struct hid_node *node, const char *const *attrs,
		      const char *const *nodes, struct hid_error *err);
/* The node's name, of a child or program, or of a service; or an error. */
int config_name(const struct hid_node *node, struct hid_str *name,
		struct hid_error *err);
int config_service(const struct hid_node *node, struct hid_str *name,
		   struct hid_error *err);

#endif
