// SPDX-License-Identifier: BSD-2-Clause
/* The NVMe controller: see nvme_var.h. */
#include <errno.h>
#include <string.h>

#include <pith/env.h>

#include "../lib/mmio.h"
#include "nvme_var.h"

#define ADMIN_TIMEOUT	PITH_SEC(5)
#define ABORT_TIMEOUT	PITH_SEC(2)	/* for an aborted command to end */
#define VAIN_RESETS	3
#define ERROR_LINES	20		/* of status errors, then silence */
#define CID_SLOT_BITS	6
_Static_assert(NVME_QUEUE == 1 << CID_SLOT_BITS, "slots fill the low CID bits");

static uint32_t reg_read(const struct nvme *c, uint32_t reg)
{
	return c->ops.read(c->ops.ctx, reg);
}

static void reg_write(const struct nvme *c, uint32_t reg, uint32_t value)
{
	c->ops.write(c->ops.ctx, reg, value);
}

static void reg_write64(const struct nvme *c, uint32_t reg, uint64_t value)
{
	reg_write(c, reg, value);
	reg_write(c, reg + 4, value >> 32);
}

static uint8_t *mem_page(const struct nvme *c, unsigned int page)
{
	return c->mem + page * NVME_PAGE;
}

/* --- enable and disable, [Base] 7.6.1 ------------------------------------- */

struct ready_wait {
	const struct nvme *c;
	uint32_t want;		/* NVME_CSTS_RDY or 0 */
};

static int ready_done(void *ctx)
{
	const struct ready_wait *w = ctx;
	uint32_t csts = reg_read(w->c, NVME_CSTS);

	if (csts == ~0u)
		return -ENODEV;		/* nobody answers */
	if (w->want && csts & NVME_CSTS_CFS)
		return -EIO;
	return (csts & NVME_CSTS_RDY) == w->want;
}

/* CAP.TO bounds both directions; [Base] 3.1.1 */
static int wait_ready(const struct nvme *c, uint32_t want)
{
	struct ready_wait w = { c, want };
	uint64_t limit = (NVME_CAP_TO(c->cap) + 1) * PITH_MS(500);
	int err = poll_until(ready_done, &w, pith_now() + limit);

	if (err)
		log_error("controller does not become %s: error %d, CSTS %08x",
			  want ? "ready" : "idle", -err,
			  reg_read(c, NVME_CSTS));
	return err;
}

static int read_capabilities(struct nvme *c)
{
	c->cap = reg_read(c, NVME_CAP) |
		 (uint64_t)reg_read(c, NVME_CAP + 4) << 32;
	if (c->cap == ~0ull) {
		log_error("controller does not answer");
		return -ENODEV;
	}
	if (NVME_CAP_MPSMIN(c->cap)) {
		log_error("controller wants pages larger than 4 KiB");
		return -EOPNOTSUPP;
	}
	if (!(c->cap & (NVME_CAP_CSS_NVM | NVME_CAP_CSS_IOCS))) {
		log_error("controller lacks the NVM command set");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int init_queue(struct nvme *c, struct nvme_queue *q, uint16_t id,
		      unsigned int sq_page, unsigned int cq_page)
{
	uint32_t stride = 4u << NVME_CAP_DSTRD(c->cap);
	uint32_t entries = NVME_CAP_MQES(c->cap) + 1;

	memset(mem_page(c, sq_page), 0, NVME_PAGE);
	memset(mem_page(c, cq_page), 0, NVME_PAGE);
	q->sq = (void *)mem_page(c, sq_page);
	q->cq = (void *)mem_page(c, cq_page);
	q->id = id;
	q->size = entries < NVME_QUEUE ? entries : NVME_QUEUE;
	q->tail = 0;
	q->head = 0;
	q->phase = NVME_CQE_PHASE;	/* memory is zero: 1 is new */
	q->sq_doorbell = NVME_DOORBELLS + 2 * id * stride;
	q->cq_doorbell = q->sq_doorbell + stride;
	if (q->size < 2 || q->cq_doorbell + 4ull > c->bar_size) {
		log_error("controller: queue %u is impossible", id);
		return -EPROTO;
	}
	return 0;
}

static int enable(struct nvme *c)
{
	uint32_t cc = NVME_CC_IOSQES | NVME_CC_IOCQES;
	uint32_t last = c->admin.size - 1;

	if (!(c->cap & NVME_CAP_CSS_NVM))
		cc |= NVME_CC_CSS_IOCS;
	reg_write(c, NVME_AQA, last << 16 | last);
	reg_write64(c, NVME_ASQ, c->mem_bus[NVME_MEM_ADMIN_SQ]);
	reg_write64(c, NVME_ACQ, c->mem_bus[NVME_MEM_ADMIN_CQ]);
	dma_wmb();
	reg_write(c, NVME_CC, cc);
	reg_write(c, NVME_CC, cc | NVME_CC_EN);
	return wait_ready(c, NVME_CSTS_RDY);
}

/* --- queues --------------------------------------------------------------- */

/* There is room: at most size - 1 commands are outstanding. */
static void push(struct nvme_queue *q, const struct nvme_sqe *sqe)
{
	q->sq[q->tail] = *sqe;
	q->tail = (q->tail + 1) % q->size;
}

static void ring_submissions(const struct nvme *c, const struct nvme_queue *q)
{
	dma_wmb();
	reg_write(c, q->sq_doorbell, q->tail);
}

/* Copy the next new completion: 1, or 0 if there is none. */
static int pop(struct nvme_queue *q, struct nvme_cqe *cqe)
{
	volatile struct nvme_cqe *e = &q->cq[q->head];

	cqe->dw3 = e->dw3;
	if ((cqe->dw3 & NVME_CQE_PHASE) != q->phase)
		return 0;
	dma_rmb();		/* the rest is not older than the phase */
	cqe->dw2 = e->dw2;
	cqe->result = e->result;
	q->head = (q->head + 1) % q->size;
	if (!q->head)
		q->phase ^= NVME_CQE_PHASE;
	return 1;
}

/* 1: it is about this queue, and the head is one that this queue can have. */
static int from_queue(const struct nvme_queue *q, const struct nvme_cqe *cqe)
{
	return cqe->dw2 >> 16 == q->id && (cqe->dw2 & 0xffff) < q->size;
}

/* --- admin commands, one at a time ---------------------------------------- */

static int admin_done(void *ctx)
{
	const struct nvme *c = ctx;
	const struct nvme_queue *q = &c->admin;

	return (q->cq[q->head].dw3 & NVME_CQE_PHASE) == q->phase;
}

/* Returns the status of [Base] 4.6.1 (0: success) or a negative errno, after
 * which the controller has to be reset. */
static int admin(struct nvme *c, struct nvme_sqe *sqe)
{
	struct nvme_cqe cqe;
	int err;

	c->admin_cid = (c->admin_cid + 1) & 0x7fff;
	sqe->cdw0 |= (uint32_t)c->admin_cid << 16;
	push(&c->admin, sqe);
	ring_submissions(c, &c->admin);
	err = poll_until(admin_done, c, pith_now() + ADMIN_TIMEOUT);
	if (err || !pop(&c->admin, &cqe)) {
		log_error("admin command %02x: no answer", sqe->cdw0 & 0xff);
		return -ETIMEDOUT;
	}
	reg_write(c, c->admin.cq_doorbell, c->admin.head);
	if (!from_queue(&c->admin, &cqe) ||
	    (cqe.dw3 & 0xffff) != c->admin_cid) {
		log_error("admin command %02x: answer to another command",
			  sqe->cdw0 & 0xff);
		return -EPROTO;
	}
	return NVME_CQE_STATUS(cqe.dw3);
}

/* The same for commands that must succeed. */
static int admin_must(struct nvme *c, struct nvme_sqe *sqe, const char *what)
{
	int ret = admin(c, sqe);

	if (ret > 0)
		log_error("%s: status %03x", what, ret);
	return ret > 0 ? -EIO : ret;
}

static int create_queues(struct nvme *c)
{
	uint32_t id_size = (c->io.size - 1) << 16 | c->io.id;
	struct nvme_sqe features = {
		.cdw0 = NVME_ADMIN_SET_FEATURES,
		.cdw10 = NVME_FEATURE_QUEUES,	/* one of each, less one */
	};
	struct nvme_sqe cq = {
		.cdw0 = NVME_ADMIN_CREATE_CQ,
		.prp1 = c->mem_bus[NVME_MEM_IO_CQ],
		.cdw10 = id_size,		/* interrupt vector 0 */
		.cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_QUEUE_INTERRUPT,
	};
	struct nvme_sqe sq = {
		.cdw0 = NVME_ADMIN_CREATE_SQ,
		.prp1 = c->mem_bus[NVME_MEM_IO_SQ],
		.cdw10 = id_size,
		.cdw11 = (uint32_t)c->io.id << 16 | NVME_QUEUE_CONTIGUOUS,
	};
	int err = admin_must(c, &features, "number of queues");

	if (!err)
		err = admin_must(c, &cq, "create completion queue");
	if (!err)
		err = admin_must(c, &sq, "create submission queue");
	return err;
}

int nvme_start(struct nvme *c)
{
	int err = read_capabilities(c);

	if (err)
		return err;
	/* Whatever somebody left: [Base] 7.3.2, all queues are gone after it. */
	reg_write(c, NVME_CC, reg_read(c, NVME_CC) & ~NVME_CC_EN);
	err = wait_ready(c, 0);
	if (err)
		return err;
	err = init_queue(c, &c->admin, 0, NVME_MEM_ADMIN_SQ, NVME_MEM_ADMIN_CQ);
	if (!err)
		err = init_queue(c, &c->io, 1, NVME_MEM_IO_SQ, NVME_MEM_IO_CQ);
	if (!err)
		err = enable(c);
	if (!err)
		err = create_queues(c);
	return err;
}

/* --- identify, [Base] 5.15 ------------------------------------------------ */

/* Copy the answer: what the controller writes later changes nothing. */
static int identify(struct nvme *c, uint32_t cns, uint32_t nsid, uint8_t *data)
{
	struct nvme_sqe sqe = {
		.cdw0 = NVME_ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = c->mem_bus[NVME_MEM_IDENTIFY],
		.cdw10 = cns,
	};
	int ret;

	memset(mem_page(c, NVME_MEM_IDENTIFY), 0, NVME_PAGE);
	ret = admin(c, &sqe);
	dma_rmb();
	memcpy(data, mem_page(c, NVME_MEM_IDENTIFY), NVME_PAGE);
	return ret;
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Text, padded with spaces, for the log: [Base] 1.5 allows printable ASCII. */
static void copy_text(char *to, const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	while (len && (to[len - 1] == ' ' || !from[len - 1]))
		len--;
	to[len] = 0;
}

static int identify_controller(struct nvme *c, uint32_t *nn)
{
	uint8_t data[NVME_PAGE];
	uint32_t mdts;
	int ret = identify(c, NVME_CNS_CONTROLLER, 0, data);

	if (ret) {
		log_error("identify controller: error %d", ret);
		return ret < 0 ? ret : -EIO;
	}
	copy_text(c->model, data + NVME_IDC_MN, 40);
	copy_text(c->serial, data + NVME_IDC_SN, 20);
	copy_text(c->firmware, data + NVME_IDC_FR, 8);
	if ((data[NVME_IDC_SQES] & 0xf) > 6 || data[NVME_IDC_SQES] >> 4 < 6 ||
	    (data[NVME_IDC_CQES] & 0xf) > 4 || data[NVME_IDC_CQES] >> 4 < 4) {
		log_error("controller wants queue entries of another size");
		return -EOPNOTSUPP;
	}
	mdts = data[NVME_IDC_MDTS];
	c->max_bytes = NVME_MAX_BYTES;
	if (mdts && mdts < 20 && NVME_PAGE << mdts < NVME_MAX_BYTES)
		c->max_bytes = NVME_PAGE << mdts;
	c->write_cache = data[NVME_IDC_VWC] & 1;
	*nn = get32(data + NVME_IDC_NN);
	return 0;
}

static void refuse_namespace(uint32_t id, const char *why)
{
	log_error("namespace %u left out: %s", id, why);
}

/* -ENOENT: not active, or one we cannot use. Others: give up. */
static int identify_namespace(struct nvme *c, uint32_t id,
			      struct nvme_namespace *ns)
{
	uint8_t data[NVME_PAGE];
	uint32_t format, lbaf, shift;
	int ret = identify(c, NVME_CNS_NAMESPACE, id, data);

	if (ret)
		return ret < 0 ? ret : -ENOENT;
	ns->id = id;
	ns->blocks = get64(data + NVME_IDN_NSZE);
	ns->read_only = data[NVME_IDN_NSATTR] & 1;
	if (!ns->blocks)
		return -ENOENT;		/* inactive: all zero */
	format = data[NVME_IDN_FLBAS] & 0xf;
	if (data[NVME_IDN_NLBAF] > 15)	/* [Base2] figure 280 */
		format |= (data[NVME_IDN_FLBAS] & 0x60) >> 1;
	if (format > data[NVME_IDN_NLBAF] || format > 63) {
		refuse_namespace(id, "its format does not exist");
		return -ENOENT;
	}
	lbaf = get32(data + NVME_IDN_LBAF + 4 * format);
	shift = NVME_LBAF_LBADS(lbaf);
	if (NVME_LBAF_MS(lbaf)) {
		refuse_namespace(id, "formatted with metadata");
		return -ENOENT;
	}
	if (shift < 9 || shift > 16 || 1u << shift > c->max_bytes ||
	    ns->blocks > (uint64_t)INT64_MAX >> shift) {
		refuse_namespace(id, "impossible block size or count");
		return -ENOENT;
	}
	ns->block_size = 1u << shift;
	return 0;
}

static int add_namespace(struct nvme *c, uint32_t id)
{
	int err = identify_namespace(c, id, &c->ns[c->namespaces]);

	if (err == -ENOENT)
		return 0;
	if (!err)
		c->namespaces++;
	return err;
}

/* [Base] 5.15.2.2: ascending identifiers, ended by 0. */
static int add_listed(struct nvme *c, const uint8_t *list, uint32_t nn)
{
	uint32_t i, id, last = 0;
	int err;

	for (i = 0; i < NVME_PAGE / 4; i++, last = id) {
		id = get32(list + 4 * i);
		if (!id || c->namespaces == NVME_NAMESPACES)
			return 0;
		if (id <= last || id > nn) {
			log_error("list of namespaces is malformed");
			return 0;
		}
		err = add_namespace(c, id);
		if (err)
			return err;
	}
	return 0;
}

int nvme_identify(struct nvme *c)
{
	uint8_t list[NVME_PAGE];
	uint32_t id, nn;
	int ret = identify_controller(c, &nn);

	if (ret)
		return ret;
	c->namespaces = 0;
	if (reg_read(c, NVME_VS) >= NVME_VS_1_1) {
		ret = identify(c, NVME_CNS_ACTIVE_LIST, 0, list);
		if (ret <= 0)
			return ret ? ret : add_listed(c, list, nn);
	}
	/* A controller of the first days: try them all, within reason. */
	for (id = 1; id <= nn && id <= NVME_NAMESPACES; id++) {
		ret = add_namespace(c, id);
		if (ret)
			return ret;
	}
	return 0;
}

/* --- commands ------------------------------------------------------------- */

unsigned int nvme_build_prps(const struct nvme_io *io, struct nvme_sqe *sqe,
			     uint64_t *list, uint64_t list_bus)
{
	const uint64_t *page = io->pages + io->offset / NVME_PAGE;
	uint32_t skip = io->offset % NVME_PAGE;
	unsigned int i, n;

	if (!io->bytes)
		return 0;
	n = (skip + io->bytes + NVME_PAGE - 1) / NVME_PAGE;
	sqe->prp1 = page[0] + skip;
	if (n == 1)
		return 0;
	if (n == 2) {
		sqe->prp2 = page[1];
		return 0;
	}
	for (i = 1; i < n; i++)
		list[i - 1] = page[i];
	sqe->prp2 = list_bus;
	return n - 1;
}

static void issue(struct nvme *c, struct nvme_command *cmd)
{
	unsigned int slot = cmd - c->commands;
	uint32_t at = slot * NVME_LIST_BYTES;
	uint32_t cid = (uint32_t)cmd->generation << CID_SLOT_BITS | slot;
	struct nvme_sqe sqe = {
		.cdw0 = cid << 16 | cmd->io.opcode,
		.nsid = cmd->io.nsid,
	};

	nvme_build_prps(&cmd->io, &sqe,
			(uint64_t *)(mem_page(c, NVME_MEM_LISTS) + at),
			c->mem_bus[NVME_MEM_LISTS + at / NVME_PAGE] +
			at % NVME_PAGE);
	if (cmd->io.blocks) {
		sqe.cdw10 = cmd->io.lba;
		sqe.cdw11 = cmd->io.lba >> 32;
		sqe.cdw12 = cmd->io.blocks - 1;
	}
	push(&c->io, &sqe);
	cmd->state = NVME_BUSY;
	cmd->deadline = pith_now() + c->timeout;
}

int nvme_ready(const struct nvme *c)
{
	return !c->dead && c->outstanding + 1 < c->io.size;
}

int nvme_submit(struct nvme *c, const struct nvme_io *io, void *owner,
		uint64_t tag)
{
	struct nvme_command *cmd = c->commands;

	if (!nvme_ready(c))
		return -EAGAIN;
	if (io->bytes > c->max_bytes || io->offset % 4 || io->blocks > 65536)
		return -EINVAL;
	while (cmd->state != NVME_FREE)
		cmd++;			/* more slots than outstanding */
	cmd->io = *io;
	cmd->owner = owner;
	cmd->tag = tag;
	cmd->retried = 0;
	c->outstanding++;
	issue(c, cmd);
	return 0;
}

void nvme_kick(struct nvme *c)
{
	if (!c->dead)
		ring_submissions(c, &c->io);
}

/* 0xffff is not a valid CID ([Base2] 3.3.3.1): the generation stays below it. */
static void finish(struct nvme *c, struct nvme_command *cmd, int status)
{
	cmd->state = NVME_FREE;
	cmd->generation = (cmd->generation + 1) % 1023;
	c->outstanding--;
	c->ops.done(c->ops.ctx, cmd->owner, cmd->tag, status);
}

static int status_error(struct nvme *c, const struct nvme_command *cmd,
			uint32_t status)
{
	if (!status) {
		c->vain_resets = 0;
		return 0;
	}
	if (c->errors++ < ERROR_LINES)
		log_error("command %02x, namespace %u, block %llu, count %u: "
			  "status %03x", cmd->io.opcode, cmd->io.nsid,
			  (unsigned long long)cmd->io.lba, cmd->io.blocks,
			  status);
	return status == NVME_SC_WRITE_PROTECTED ||
	       status == NVME_SC_READ_ONLY_RANGE ? -EROFS : -EIO;
}

/* --- recovery ------------------------------------------------------------- */

/* Reset the controller and show it again what it had not answered, once. Memory
 * of commands under way is safe meanwhile: their owners wait for the end. */
static void recover(struct nvme *c, const char *why)
{
	unsigned int i;

	log_error("controller reset: %s", why);
	c->resets++;
	if (++c->vain_resets > VAIN_RESETS || nvme_start(c) < 0) {
		log_error("controller given up");
		c->dead = 1;
		return;
	}
	for (i = 0; i < NVME_QUEUE; i++) {
		struct nvme_command *cmd = &c->commands[i];

		if (cmd->state == NVME_FREE)
			continue;
		if (cmd->state == NVME_EXPIRED || cmd->retried) {
			finish(c, cmd, -EIO);
			continue;
		}
		cmd->retried = 1;
		cmd->generation = (cmd->generation + 1) % 1023;
		issue(c, cmd);
	}
	nvme_kick(c);
}

/* The command that a completion is about, NULL: there is none such. */
static struct nvme_command *match(struct nvme *c, const struct nvme_cqe *cqe)
{
	struct nvme_command *cmd = &c->commands[cqe->dw3 & (NVME_QUEUE - 1)];
	uint32_t generation = (cqe->dw3 & 0xffff) >> CID_SLOT_BITS;

	if (!from_queue(&c->io, cqe) || cmd->state == NVME_FREE ||
	    cmd->generation != generation)
		return NULL;
	return cmd;
}

void nvme_poll(struct nvme *c)
{
	struct nvme_command *cmd;
	struct nvme_cqe cqe;
	uint16_t head = c->io.head;

	/* Ends: each turn needs a command that is outstanding. */
	while (!c->dead && pop(&c->io, &cqe)) {
		cmd = match(c, &cqe);
		if (!cmd) {
			recover(c, "completion of no command");
			return;
		}
		finish(c, cmd, status_error(c, cmd, NVME_CQE_STATUS(cqe.dw3)));
	}
	if (!c->dead && c->io.head != head)
		reg_write(c, c->io.cq_doorbell, c->io.head);
}

/* [Base] 5.1. 0 if the controller took it. */
static int abort_command(struct nvme *c, struct nvme_command *cmd)
{
	uint32_t cid = (uint32_t)cmd->generation << CID_SLOT_BITS |
		       (cmd - c->commands);
	struct nvme_sqe sqe = {
		.cdw0 = NVME_ADMIN_ABORT,
		.cdw10 = cid << 16 | c->io.id,
	};

	log_error("command %02x, namespace %u, block %llu: timeout, abort",
		  cmd->io.opcode, cmd->io.nsid,
		  (unsigned long long)cmd->io.lba);
	cmd->state = NVME_ABORTING;
	cmd->deadline = pith_now() + ABORT_TIMEOUT;
	return admin(c, &sqe) < 0 ? -EIO : 0;
}

/* 1: a command is beyond help. */
static int check_deadlines(struct nvme *c)
{
	uint64_t now = pith_now();
	int expired = 0;
	unsigned int i;

	for (i = 0; i < NVME_QUEUE; i++) {
		struct nvme_command *cmd = &c->commands[i];

		if (cmd->state == NVME_FREE || now < cmd->deadline)
			continue;
		if (cmd->state == NVME_BUSY && !expired &&
		    abort_command(c, cmd) == 0)
			continue;
		cmd->state = NVME_EXPIRED;
		expired = 1;
	}
	return expired;
}

void nvme_tick(struct nvme *c)
{
	uint32_t csts;

	if (c->dead)
		return;
	nvme_poll(c);		/* an interrupt may have been lost */
	if (c->dead)
		return;
	csts = reg_read(c, NVME_CSTS);
	if (csts == ~0u) {
		log_error("controller does not answer any more");
		c->dead = 1;
	} else if (csts & NVME_CSTS_CFS) {
		recover(c, "fatal status");
	} else if (check_deadlines(c)) {
		recover(c, "a command does not end");
	}
}
