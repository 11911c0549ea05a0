/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies: which sub node of a config is about the client with a label.
 *
 *	+ policy | label: a -> b	all of the label
 *	+ policy | label_prefix: a	up to the end of one of its elements
 *	+ policy a			the same
 *	+ policy | label_suffix: b	from the begin of one on
 *	+ default-policy		whatever the label is
 *
 * The first one that matches counts, default-policy only if none does.
 */
#ifndef POLICY_H
#define POLICY_H

#include <pith/hid.h>
#include <pith/hid_fill.h>
#include <pith/label.h>

/* The attributes that say whom a policy is about, for config_attrs(). */
#define POLICY_SELECTORS	"name label label_prefix label_suffix"

/* Is @node a policy with exactly one selector, or a default-policy with none?
 * 0 or -EINVAL with the reason in *@err. */
int policy_check(const struct hid_node *node, struct hid_error *err);

/* The policy in @config for @label, or NULL. */
const struct hid_node *policy_find(const struct hid_node *config,
				   const char *label);

/* Has @node attributes other than those in @tags (space-separated, "name" for the
 * name)? -EINVAL with the reason in *@err. */
int config_attrs(const struct hid_node *node, const char *tags,
		 struct hid_error *err);
/* Attribute @tag as a bool, @fallback if absent. -EINVAL if it is malformed. */
int config_bool(const struct hid_node *node, const char *tag, bool fallback,
		bool *value, struct hid_error *err);

#endif
