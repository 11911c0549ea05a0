/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Block session as a struct source: any range of bytes, large reads in
 * several requests at a time, read-ahead. Waits for the disk by dispatching an
 * entrypoint of its own, so a call in progress must have been saved.
 */
#ifndef EXT4_DISK_H
#define EXT4_DISK_H

#include "../lib/block_client.h"
#include "volume.h"

#define DISK_SLOTS	8
#define DISK_SLOT_BYTES	(128u * 1024)
#define DISK_AHEAD	4	/* requests of one read on their way at a time */

enum slot_state {
	SLOT_EMPTY,
	SLOT_READING,
	SLOT_READY,		/* holds the bytes */
	SLOT_FAILED,		/* @err says why */
};

/* A part of the data area, and which bytes of the disk it holds. */
struct slot {
	enum slot_state state;
	int err;
	uint64_t off;
	uint32_t len;
	uint64_t used;		/* when, to find the oldest */
};

struct disk {
	struct source source;	/* for the volume; valid once open */

	/* private */
	struct entrypoint ep;
	struct block_client client;
	struct slot slots[DISK_SLOTS];
	uint64_t now;
	uint64_t retry_at;	/* not before then, after a failure */
	struct block_info info;
	char args[32];
};

/* Once, before all others. */
int disk_init(struct disk *d);
/* Open partition @number. Errors: those of block_client_open(). */
int disk_open(struct disk *d, unsigned int number, uint64_t deadline);
void disk_close(struct disk *d);

#endif
