/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Block sessions of part_block. Each client has a Block session of its own
 * at the driver, over its own data area: content never passes through here, only
 * requests, whose block numbers are checked and moved.
 */
#ifndef PART_BLOCK_SESSION_H
#define PART_BLOCK_SESSION_H

#include <pith/entrypoint.h>
#include <pith/hid.h>
#include <pith/service.h>
#include <session/block.h>

#include "table.h"

#define PART_SESSIONS	32	/* at most, at a time */

/* What a client has to donate: what its session costs here, the session at the
 * driver included. */
#define PART_SESSION_RAM	49152
#define PART_SESSION_CAPS	24
#define PART_DISK_RAM		16384	/* of that, donated to the driver */
#define PART_DISK_CAPS		8

struct part_server {
	struct entrypoint *ep;
	const struct hid_node *config;
	const struct table *table;
	struct block_info disk;		/* as it was when the table was read */
	const char *disk_args;		/* session args for the driver */
	unsigned int sessions;
};

/* Callbacks of struct service; @ctx is the struct part_server. */
int part_session_open(void *ctx, const struct parent_request *req,
		      void **session);
void part_session_close(void *ctx, void *session);

#endif
