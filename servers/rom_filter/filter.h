/* SPDX-License-Identifier: BSD-2-Clause */
/* A text made by rules from other texts. See README.md. */
#ifndef FILTER_H
#define FILTER_H

#include <pith/hid.h>

/* The tree of ROM @name as it is now, NULL: it has no content, or no HID. */
typedef const struct hid_node *(*filter_rom_fn)(void *ctx, struct hid_str name);

/* Check a config: 0, or -EINVAL with where and why in *@err. */
int filter_check(const struct hid_node *config, struct hid_error *err);

/* Make the output into @buf: its length, -EMSGSIZE, or -EINVAL (an attribute after
 * a node). */
int filter_make(const struct hid_node *config, filter_rom_fn rom, void *ctx,
		char *buf, size_t size);

/* The name of the ROM that input node @n reads. */
struct hid_str filter_rom_of(const struct hid_node *n);

#endif
