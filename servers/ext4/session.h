/* SPDX-License-Identifier: BSD-2-Clause */
/* File_system sessions on one volume. */
#ifndef EXT4_SESSION_H
#define EXT4_SESSION_H

#include <pith/entrypoint.h>
#include <pith/service.h>

#include "volume.h"

#define FS_HANDLES	64	/* open at a time, of one session */
#define FS_SESSIONS	32

/* What a client has to donate besides what its stream costs. */
#define FS_SESSION_RAM	16384
#define FS_SESSION_CAPS	6

struct fs_server {
	struct entrypoint *ep;
	struct volume *volume;
	/* Make sure that the volume is mounted: 0 or why not. */
	int (*mount)(struct fs_server *server);
	unsigned int sessions;
	uint64_t quiet_until;	/* for the log */
};

/* Callbacks of struct service; @ctx is the struct fs_server. */
int fs_session_open(void *ctx, const struct parent_request *req,
		    void **session);
void fs_session_close(void *ctx, void *session);

#endif
