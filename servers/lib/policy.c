// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "policy.h"

#define SELECTORS	(sizeof(selectors) / sizeof(*selectors))

static const char *const selectors[] = {
	"name", "label", "label_prefix", "label_suffix",
};

static bool among(struct hid_str tag, const char *tags)
{
	size_t len;

	for (; *tags; tags += len + !!tags[len]) {
		len = strcspn(tags, " ");
		if (len == tag.len && !memcmp(tags, tag.s, len))
			return true;
	}
	return false;
}

int config_attrs(const struct hid_node *node, const char *tags,
		 struct hid_error *err)
{
	const struct hid_attr *a;

	for (a = node->attrs; a; a = a->next)
		if (!among(a->tag, tags))
			return hid_refuse(err, a->line, a->col,
					    "expected one of: %s", tags);
	return 0;
}

int config_bool(const struct hid_node *node, const char *tag, bool fallback,
		bool *value, struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(node, tag);

	*value = fallback;
	if (a && hid_parse_bool(a->value, value))
		return hid_refuse(err, a->line, a->col, "expected yes or no");
	return 0;
}

int policy_check(const struct hid_node *node, struct hid_error *err)
{
	bool is_default = hid_is(node, "default-policy");
	unsigned int n = 0;

	if (!is_default && !hid_is(node, "policy"))
		return hid_refuse(err, node->line, node->col,
				    "expected policy or default-policy");
	for (unsigned int i = 0; i < SELECTORS; i++)
		n += !!hid_attr(node, selectors[i]);
	if (n != !is_default)
		return hid_refuse(err, node->line, node->col, is_default ?
				    "expected no label" : "expected a name or "
				    "one of label, label_prefix, label_suffix");
	return 0;
}

static bool matches(const struct hid_node *policy, const char *label)
{
	const struct hid_attr *a = hid_attr(policy, "label");

	if (a)
		return hid_equal(a->value, label);
	a = hid_attr(policy, "label_suffix");
	if (a)
		return label_ends(label, a->value.s, a->value.len);
	a = hid_attr(policy, "label_prefix");
	a = a ? a : hid_attr(policy, "name");
	return a && label_begins(label, a->value.s, a->value.len);
}

const struct hid_node *policy_find(const struct hid_node *config,
				   const char *label)
{
	const struct hid_node *p = hid_first(config, "policy");

	while (p && !matches(p, label))
		p = hid_next(p, "policy");
	return p ? p : hid_first(config, "default-policy");
}
