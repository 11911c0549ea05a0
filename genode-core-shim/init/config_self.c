// SPDX-License-Identifier: BSD-2-Clause
/* What the config says about init itself, and heartbeat and resource nodes. */
#include <errno.h>
#include "config.h"

#define MS_MAX		86400000	/* a day */
#define CAPS_MAX	(1u << 20)
#define CPU_MAX		6400	/* percent of one */

static const char *const none[] = { NULL };

/* @node is "resource NAME | @tag: ..": into @ram, @caps or @cpu, NULL: none. */
static int fill_resource(const struct hid_node *node, const char *tag,
			 uint64_t *ram, uint64_t *caps, uint64_t *cpu,
			 struct hid_error *err)
{
	const char *const attrs[] = { "name", tag, NULL };
	const struct hid_attr *name = hid_attr(node, "name");

	if (config_check_node(node, attrs, none, err))
		return -EINVAL;
	if (!hid_attr(node, tag))
		return config_error(err, node->line, node->col, "expected %s, "
				    "found none", tag);
	if (name && hid_equal(name->value, "RAM"))
		return config_ram(node, tag, ram, err);
	if (name && hid_equal(name->value, "CAP"))
		return config_number(node, tag, 1, CAPS_MAX, caps, err);
	if (cpu && name && hid_equal(name->value, "CPU"))
		return config_number(node, tag, 1, CPU_MAX, cpu, err);
	return config_error(err, node->line, node->col, "expected resource RAM%s",
			    cpu ? ", CAP or CPU" : " or CAP");
}

int config_fill_resources(struct config_child *child, struct hid_error *err)
{
	const struct hid_node *n;
	int ret = 0;

	for (n = hid_first(child->node, "resource"); n && !ret;
	     n = hid_next(n, "resource"))
		ret = fill_resource(n, "quantum", &child->ram, &child->caps,
				    &child->cpu, err);
	return ret;
}

int config_fill_heartbeat(struct config_child *child, struct hid_error *err)
{
	static const char *const attrs[] = { "restart_after_skipped", NULL };
	const struct hid_node *n;

	if (config_single(child->node, "heartbeat", &n, err))
		return -EINVAL;
	child->heartbeat = n != NULL;
	if (!n)
		return 0;
	return config_check_node(n, attrs, none, err) ||
	       config_u32(n, "restart_after_skipped", 1, 1000000,
			  &child->skipped_max, err) ? -EINVAL : 0;
}

static int fill_rate(struct config *c, const struct hid_node *root,
		     struct hid_error *err)
{
	static const char *const attrs[] = { "rate_ms", NULL };
	const struct hid_node *n;

	if (config_single(root, "heartbeat", &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	c->heartbeat_ms = 1000;
	return config_check_node(n, attrs, none, err) ||
	       config_u32(n, "rate_ms", 10, MS_MAX, &c->heartbeat_ms, err) ?
		-EINVAL : 0;
}

static int fill_report(struct config_report *r, const struct hid_node *root,
		       struct hid_error *err)
{
	static const char *const attrs[] = {
		"ids", "requested", "provided", "session_args", "child_ram",
		"child_caps", "init_ram", "init_caps", "delay_ms", "buffer", NULL
	};
	bool *const flags[] = {
		&r->ids, &r->requested, &r->provided, &r->session_args,
		&r->child_ram, &r->child_caps, &r->init_ram, &r->init_caps,
	};
	const struct hid_node *n;
	unsigned int i;
	int ret;

	if (config_single(root, "report", &n, err))
		return -EINVAL;
	if (!n)
		return 0;
	*r = (struct config_report){
		.enabled = true, .delay_ms = 100, .buffer = 64 << 10
	};
	ret = config_check_node(n, attrs, none, err);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]) && !ret; i++)
		ret = config_bool(n, attrs[i], flags[i], err);
	return ret || config_u32(n, "delay_ms", 1, MS_MAX, &r->delay_ms, err) ||
	       config_ram(n, "buffer", &r->buffer, err) ? -EINVAL : 0;
}

int config_fill_self(struct config *c, const struct hid_node *root,
		     struct hid_error *err)
{
	const struct hid_node *n;
	int ret = fill_rate(c, root, err);

	if (!ret)
		ret = fill_report(&c->report, root, err);
	for (n = hid_first(root, "resource"); n && !ret;
	     n = hid_next(n, "resource"))
		ret = fill_resource(n, "preserve", &c->keep_ram, &c->keep_caps,
				    NULL, err);
	return ret;
}
