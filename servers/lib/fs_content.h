/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a config says are there from the beginning. */
#ifndef FS_CONTENT_H
#define FS_CONTENT_H

#include <pith/hid.h>

#include "fs.h"

/*
 * Make in @fs what the sub nodes of @node say:
 *
 *	+ dir NAME			with such nodes in it
 *	+ inline NAME | : text		a file of quoted lines, or of a node
 *	+ rom NAME | as: FILE		a file with the content that a ROM has now
 *	+ symlink NAME | target: PATH
 *
 * 0 or a negative errno with where and why in *@err.
 */
int fs_content_make(struct fs *fs, const struct hid_node *node,
		    struct hid_error *err);

#endif
