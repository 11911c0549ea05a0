// SPDX-License-Identifier: BSD-2-Clause
/* Who may have which partition: see policy.h. */
#include <errno.h>
#include <string.h>

#include <pith/env.h>

#include "../lib/policy.h"
#include "policy.h"

/* --- checking the config ---------------------------------------------------- */

static int check_partition(const struct hid_attr *a, struct hid_error *err)
{
	uint64_t n;

	if (hid_equal(a->value, "any"))
		return 0;
	if (hid_parse_number(a->value, &n) || n > PART_MAX)
		return hid_refuse(err, a->line, a->col,
			     "expected partition number 0 .. 128 or any");
	return 0;
}

static int check_policy(const struct hid_node *p, struct hid_error *err)
{
	const struct hid_attr *partition = hid_attr(p, "partition");
	bool writeable;
	int ret = policy_check(p, err);

	if (!ret)
		ret = config_attrs(p, POLICY_SELECTORS " partition writeable",
				   err);
	if (!ret)
		ret = config_bool(p, "writeable", false, &writeable, err);
	if (!ret && !partition)
		ret = hid_refuse(err, p->line, p->col,
				   "expected attribute partition");
	return ret ? ret : check_partition(partition, err);
}

static int check_top(const struct hid_node *config, struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(config, "namespace");
	uint64_t n;

	if (config_attrs(config, "namespace", err))
		return -EINVAL;
	if (a && (hid_parse_number(a->value, &n) || !n || n > UINT32_MAX))
		return hid_refuse(err, a->line, a->col,
				    "expected a namespace number");
	return 0;
}

int part_policy_check(const struct hid_node *config, struct hid_error *err)
{
	int defaults = 0;

	if (!hid_is(config, "config"))
		return hid_refuse(err, config->line, config->col,
			     "expected config");
	if (check_top(config, err))
		return -EINVAL;
	for (const struct hid_node *p = hid_first(config, NULL); p;
	     p = hid_next(p, NULL)) {
		defaults += hid_is(p, "default-policy");
		if ((!hid_is(p, "policy") && !hid_is(p, "default-policy")) ||
		    defaults > 1)
			return hid_refuse(err, p->line, p->col,
				     "expected policy or one default-policy");
		if (check_policy(p, err))
			return -EINVAL;
	}
	return 0;
}

/* --- deciding ------------------------------------------------------------------- */

/* The number the client asks for: 1, none: 0, or -EINVAL. */
static int asked_number(const char *args, uint64_t *number)
{
	char text[16];
	int len = args_get(args, "partition", text, sizeof(text));
	struct hid_str s = { text, len < 0 ? 0 : len };

	*number = 0;
	if (len >= 0)
		return hid_parse_number(s, number) ? -EINVAL : 1;
	/* Present but too long to be a number? */
	return strstr(args, "partition=") ? -EINVAL : 0;
}

static int check_number(const struct table *t, uint64_t number, bool any)
{
	if (!number)
		return any && t->kind != TABLE_NONE ? -EACCES : 0;
	if (t->kind == TABLE_DAMAGED)
		return -EIO;
	if (number > PART_MAX || !t->parts[number].count)
		return -ENOENT;
	return 0;
}

int part_policy_decide(const struct hid_node *config, const struct table *t,
		  const char *label, const char *args, struct grant *grant)
{
	const struct hid_node *p = policy_find(config, label);
	struct hid_str value;
	uint64_t number, fixed;
	bool any;
	int asked, err;

	if (!p)
		return -EACCES;
	asked = asked_number(args, &number);
	if (asked < 0)
		return asked;
	value = hid_attr(p, "partition")->value;
	any = hid_equal(value, "any");
	if (!any) {
		if (hid_parse_number(value, &fixed) ||
		    (asked && number != fixed))
			return -EACCES;
		number = fixed;
	}
	err = check_number(t, number, any);
	if (err)
		return err;
	grant->number = number;
	grant->writeable = hid_bool(p, "writeable", false);
	return 0;
}
