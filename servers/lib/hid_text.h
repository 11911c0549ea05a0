/* SPDX-License-Identifier: BSD-2-Clause */
/* Content that stands in a config. */
#ifndef HID_TEXT_H
#define HID_TEXT_H

#include <pith/hid.h>

#define HID_TEXT_OF_MAX	(256u << 10)	/* bytes */

/*
 * The content of @node: its quoted lines, or else the first node in it, as HID, or
 * else nothing. The caller's to free; @len: of it. NULL: no memory, or too much.
 */
char *hid_text_of(const struct hid_node *node, size_t *len);

#endif
