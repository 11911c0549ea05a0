/* SPDX-License-Identifier: BSD-2-Clause */
/* A Block server on an array of bytes, for unit tests: one disk, several
 * sessions, with faults on demand. */
#ifndef FAKE_DISK_H
#define FAKE_DISK_H

#include "../block_server.h"
#include "fake_pith.h"

#define FAKE_SESSIONS	48

struct fake_disk;

struct fake_disk_session {
	struct fake_disk *disk;
	int used;
	int cap;		/* the server's copy: to kill it */
	uint64_t badge, notif_badge;
	int notif;
	struct block_server ring;
	struct block_request queue[BLOCK_RING_SIZE];
	unsigned int queued;
};

struct fake_disk {
	uint8_t *bytes;
	struct block_info info;
	struct entrypoint *ep;
	struct fake_disk_session sessions[FAKE_SESSIONS];
	int hold;		/* 1: take requests, complete none */
	int reverse;		/* 1: complete the newest first */
	unsigned int die_after;	/* completions until the server dies; 0: never */
	int refuse;		/* errno for the next session requests */
	uint64_t bad_block;	/* EIO when touched; ~0: none */
	unsigned int opened, served, syncs;
	uint32_t last_tag_op[64];
};

extern struct fake_disk disk;

/* Set up @disk and the hooks of fake_pith; content is all zero. */
void fake_disk_init(struct entrypoint *ep, uint64_t blocks, uint32_t bs);
/* The session opened last that is still open. */
struct fake_disk_session *fake_disk_session(void);
/* All sessions of the server die, as when its process ends. */
void fake_disk_die(void);
void fake_disk_free(void);

#endif
