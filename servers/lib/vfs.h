/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system put together from others, as a config says. */
#ifndef VFS_H
#define VFS_H

#include <pith/entrypoint.h>
#include <pith/hid.h>

#include "fs.h"

/*
 * Make what the sub nodes of @node say:
 *
 *	+ dir NAME			with such nodes in it
 *	+ ram | size: 1M		files that can be written
 *	+ inline NAME | : text		a file of quoted lines, or of a node
 *	+ rom NAME | as: FILE		the content that a ROM has at the start
 *	+ null NAME			takes all, has nothing
 *	+ zero NAME			takes all, has zeros without end
 *	+ log NAME			what is written goes to the log
 *	+ symlink NAME | target: PATH
 *	+ tar ROM			what is in the archive
 *	+ fs | label: L | root: /dir	what is in a File_system session
 *	+ terminal NAME | label: L	characters
 *	+ block NAME | label: L		the bytes of a disk
 *
 * In one directory the first node that has a name counts; new files go to the
 * first that takes them. @ep is for signals of the servers behind. The result stays
 * as long as the component. NULL with where and why in *@err.
 */
struct fs *vfs_make(const struct hid_node *node, struct entrypoint *ep,
		    struct hid_error *err);

#endif
