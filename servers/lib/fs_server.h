/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File_system sessions on a struct fs. What a client makes the server keep is
 * paid by its donation: FS_SERVER_BOOKS for the session, a stream, and the paths
 * of what it has open. What it stores is the file system's business.
 */
#ifndef FS_SERVER_H
#define FS_SERVER_H

#include <pith/entrypoint.h>
#include <pith/hid.h>
#include <pith/service.h>

#include "fs.h"

#define FS_SERVER_BOOKS		12288u	/* bytes of a session's donation */
#define FS_SERVER_CAPS		6u	/* of it; one more for each WATCH */
#define FS_SERVER_HANDLES	64u	/* open at a time, of one session */

struct fs_server {
	struct entrypoint *ep;
	struct fs *fs;
	const struct hid_node *config;	/* with policies */
	struct fs_session *sessions;
};

/* Check the policies in @config: 0, or -EINVAL with where and why in *@err. */
int fs_server_check(const struct hid_node *config, struct hid_error *err);

/* @config: with policies, checked. All of them stay. */
void fs_server_init(struct fs_server *server, struct entrypoint *ep,
		    struct fs *fs, const struct hid_node *config);

/* Tell who watches that the file at @path has changed, or that something appeared
 * or went there: all that concerns the fs and did not come from a session. What
 * the file system says itself (fs.changed) comes here as well. */
void fs_server_changed(struct fs_server *server, const char *path);

/* Callbacks of struct service; @ctx is the struct fs_server. Its sessions are
 * what the first policy that matches the label says; without one: EACCES. */
int fs_server_open(void *ctx, const struct parent_request *req, void **session);
void fs_server_close(void *ctx, void *session);

#endif
