/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One NVMe controller: admin queue, one I/O queue pair, and what is under way.
 *
 * The logic in nvme.c knows no process, session or mapping: it reaches registers
 * through two callbacks and shared memory through one structure, so that a test
 * can be the controller. What the controller writes is copied once and checked;
 * a controller that lies is reset, and given up if that does not help.
 */
#ifndef NVME_VAR_H
#define NVME_VAR_H

#include <stdint.h>

#include "nvme_regs.h"

#define NVME_PAGE		4096u	/* CC.MPS = 0 */
#define NVME_QUEUE		64u	/* entries of a queue, at most: one page */
#define NVME_MAX_BYTES		(1u << 20)	/* of one command */
#define NVME_NAMESPACES		16u	/* that are looked at */

/*
 * PRP lists, one for each command. A transfer touches at most one page more than
 * it is long, the first of which PRP1 names: 256 entries. Two lists share a page
 * and so none ever crosses one.
 */
#define NVME_LIST_ENTRIES	(NVME_MAX_BYTES / NVME_PAGE)
#define NVME_LIST_BYTES		(NVME_LIST_ENTRIES * 8)

/* Layout, in pages, of the memory shared with the controller. */
enum nvme_layout {
	NVME_MEM_ADMIN_SQ,
	NVME_MEM_ADMIN_CQ,
	NVME_MEM_IO_SQ,
	NVME_MEM_IO_CQ,
	NVME_MEM_IDENTIFY,
	NVME_MEM_LISTS,
	NVME_MEM_PAGES = NVME_MEM_LISTS +
			 NVME_QUEUE * NVME_LIST_BYTES / NVME_PAGE,
};

struct nvme_ops {
	uint32_t (*read)(void *ctx, uint32_t reg);
	void (*write)(void *ctx, uint32_t reg, uint32_t value);
	/* End of a command; @status 0, -EIO or -EROFS. May not submit. */
	void (*done)(void *ctx, void *owner, uint64_t tag, int status);
	void *ctx;
};

struct nvme_queue {
	struct nvme_sqe *sq;
	volatile struct nvme_cqe *cq;
	uint16_t id;
	uint16_t size;		/* entries, of both */
	uint16_t tail;		/* next free submission entry */
	uint16_t head;		/* next completion entry to look at */
	uint32_t phase;		/* NVME_CQE_PHASE or 0: of new entries */
	uint32_t sq_doorbell, cq_doorbell;	/* registers */
};

/* A read, write or flush. */
struct nvme_io {
	uint8_t opcode;		/* NVME_CMD_* */
	uint32_t nsid;
	uint64_t lba;
	uint32_t blocks;	/* 0: flush */
	uint32_t bytes;		/* <= nvme.max_bytes */
	/* Bus addresses of the pages of the data area, and where in the area the
	 * data begin, a multiple of 4. Must stay until the command has ended. */
	const uint64_t *pages;
	uint64_t offset;
};

enum nvme_command_state {
	NVME_FREE,		/* -> BUSY by nvme_submit() */
	NVME_BUSY,		/* -> FREE by completion, -> ABORTING in time */
	NVME_ABORTING,		/* -> FREE by completion, -> EXPIRED in time */
	NVME_EXPIRED,		/* -> FREE when the controller was reset */
};

/* CID: slot, and generation above it, so that a stale one is told from a live. */
struct nvme_command {
	enum nvme_command_state state;
	uint16_t generation;
	uint8_t retried;	/* was under way in a reset before */
	uint64_t deadline;
	struct nvme_io io;
	void *owner;
	uint64_t tag;
};

struct nvme_namespace {
	uint32_t id;
	uint32_t block_size;
	uint64_t blocks;
	uint8_t read_only;
};

struct nvme {
	/* set by the owner */
	struct nvme_ops ops;
	uint64_t bar_size;		/* bytes of registers */
	uint8_t *mem;			/* NVME_MEM_PAGES pages, page aligned */
	uint64_t mem_bus[NVME_MEM_PAGES];
	uint64_t timeout;		/* of a command, ns */

	/* to read */
	char model[41], serial[21], firmware[9];
	uint32_t max_bytes;		/* of one command */
	uint32_t write_cache;
	unsigned int namespaces;
	struct nvme_namespace ns[NVME_NAMESPACES];
	unsigned int outstanding;	/* commands under way */
	uint64_t resets, errors;	/* counted since the start */
	int dead;			/* reset did not help: use no more */

	/* private */
	uint64_t cap;
	struct nvme_queue admin, io;
	uint16_t admin_cid;
	struct nvme_command commands[NVME_QUEUE];
	unsigned int vain_resets;	/* without a good completion since */
};

/* Bring the controller from any state into operation: 0 or a negative errno with
 * a line in the log. */
int nvme_start(struct nvme *c);

/* Ask who it is and what namespaces it has. Once, after nvme_start(). */
int nvme_identify(struct nvme *c);

/* 1: nvme_submit() would take a command. */
int nvme_ready(const struct nvme *c);

/* Queue a command; nvme_kick() tells the controller. -EAGAIN: queue full; -EINVAL:
 * more than max_bytes, or misaligned. */
int nvme_submit(struct nvme *c, const struct nvme_io *io, void *owner,
		uint64_t tag);
void nvme_kick(struct nvme *c);

/* Take what has completed; the interrupt handler. */
void nvme_poll(struct nvme *c);

/* To be called about every NVME_TICK while commands are outstanding: deadlines,
 * lost interrupts and fatal errors. May wait for the controller. */
#define NVME_TICK_NS	500000000ull
void nvme_tick(struct nvme *c);

/* Write the addresses of @io's data into PRP1, PRP2 and, if they do not do, @list
 * ([Base] 4.3). Returns the entries used in @list. */
unsigned int nvme_build_prps(const struct nvme_io *io, struct nvme_sqe *sqe,
			     uint64_t *list, uint64_t list_bus);

#endif
