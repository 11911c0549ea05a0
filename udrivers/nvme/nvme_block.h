/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service "Block" of the NVMe driver: the sessions, and their turns at the one
 * I/O queue.
 */
#ifndef NVME_BLOCK_H
#define NVME_BLOCK_H

#include <pith/hid.h>
#include <pith/service.h>

#include "../../servers/lib/block_server.h"
#include "nvme_var.h"

#define NVME_SESSIONS	16

struct nvme_client;

struct nvme_driver {
	struct entrypoint ep;
	struct session platform;
	uint32_t device;		/* of the platform session */
	void *bar;
	int irq;
	struct nvme nvme;
	struct ep_timer tick;
	const struct hid_node *config;	/* NULL: none */
	struct nvme_client *clients[NVME_SESSIONS];
	unsigned int turn;		/* client that is asked first */
};

/* Callbacks of the service; @ctx: struct nvme_driver. */
int nvme_block_open(void *ctx, const struct parent_request *req,
		    void **session);
void nvme_block_close(void *ctx, void *session);

/* nvme_ops.done: @owner is a struct nvme_client. */
void nvme_block_done(void *ctx, void *owner, uint64_t tag, int status);

/* Give the controller what clients ask for and tell clients what has ended. To
 * be called after everything that may have made room. Ends the process if the
 * controller was given up: the platform driver then resets the function, and
 * clients show their requests to the next instance. */
void nvme_block_pump(struct nvme_driver *d);

#endif
