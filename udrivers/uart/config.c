// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <pith/hid.h>

#include "config.h"

#define CONFIG_MAX	1024	/* bytes of text; three short attributes */

struct setting {
	const char *tag;
	uint64_t min, max;
	uint32_t *value;
};

static int set(const struct setting *settings, unsigned int n,
	       const struct hid_attr *attr, char *error, size_t size)
{
	uint64_t value;
	unsigned int i;

	for (i = 0; i < n && !hid_equal(attr->tag, settings[i].tag); i++)
		;
	if (i == n) {
		snprintf(error, size, "config:%u:%u: expected base, irq or baud, found %.*s",
			 attr->line, attr->col, (int)attr->tag.len, attr->tag.s);
		return -EINVAL;
	}
	if (hid_parse_number(attr->value, &value) < 0 ||
	    value < settings[i].min || value > settings[i].max) {
		snprintf(error, size, "config:%u:%u: %s: expected a number from %llu to %llu, found %.*s",
			 attr->line, attr->col, settings[i].tag,
			 (unsigned long long)settings[i].min,
			 (unsigned long long)settings[i].max,
			 (int)attr->value.len, attr->value.s);
		return -EINVAL;
	}
	*settings[i].value = value;
	return 0;
}

int uart_config_parse(struct uart_config *c, const char *text, size_t len,
		      char *error, size_t error_size)
{
	static uint64_t arena[HID_ARENA_SIZE(CONFIG_MAX) / sizeof(uint64_t)];
	struct uart_config new = *c;
	const struct setting settings[] = {
		{ "base", 1, 0xfff8, &new.base },
		{ "irq", 0, 1023, &new.irq },
		{ "baud", 1, 115200, &new.baud },
	};
	const struct hid_node *root;
	const struct hid_attr *attr;
	struct hid_error e;

	if (len > CONFIG_MAX) {
		snprintf(error, error_size, "config: longer than %u bytes",
			 CONFIG_MAX);
		return -EINVAL;
	}
	if (hid_parse(text, len, arena, sizeof(arena), &root, &e) < 0) {
		snprintf(error, error_size, "config:%u:%u: %s", e.line, e.col,
			 e.text);
		return -EINVAL;
	}
	if (root->first) {
		snprintf(error, error_size, "config:%u:%u: expected attributes only, found a node",
			 root->first->line, root->first->col);
		return -EINVAL;
	}
	for (attr = root->attrs; attr; attr = attr->next)
		if (set(settings, sizeof(settings) / sizeof(*settings), attr,
			error, error_size) < 0)
			return -EINVAL;
	*c = new;
	return 0;
}
