/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An NVMe controller in memory, for tests: registers, doorbells, queues and
 * disks, written from the specification's side. Bus addresses are not the
 * host's and pages lie in no order, so that a driver that guesses fails. It can
 * be told to misbehave.
 */
#ifndef FAKE_NVME_H
#define FAKE_NVME_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../nvme_var.h"

#define FAKE_PAGES	2048
#define FAKE_BUS	0x140000000ull	/* above 4 GiB */

enum fake_lie {
	FAKE_HONEST,
	FAKE_BAD_CID,		/* completes a command nobody gave */
	FAKE_TWICE,		/* completes a command two times */
	FAKE_STALE_PHASE,	/* the completion looks old */
	FAKE_BAD_SQHD,		/* head outside of the queue */
	FAKE_BAD_SQID,
	FAKE_STATUS,		/* LBA out of range */
	FAKE_PROTECTED,		/* write protected */
	FAKE_NEVER,		/* swallows the command, and its abort */
	FAKE_ABORTABLE,		/* swallows the command until it is aborted */
	FAKE_FATAL,		/* CSTS.CFS */
	FAKE_GONE,		/* all registers read as ones */
};

struct fake_ns {
	uint64_t blocks;
	uint32_t shift;
	uint32_t metadata;
	uint8_t protected;
	uint8_t *disk;
};

struct fake_queue {
	uint64_t sq, cq;
	uint32_t size, head, tail, cq_size, cq_tail;
	uint32_t phase;
	int created;
};

struct fake {
	uint64_t cap;
	uint32_t vs, cc, csts, aqa;
	uint64_t asq, acq;
	struct fake_queue q[2];
	struct fake_ns ns[3];		/* identifiers 1 .. 3 */
	uint32_t nn;
	uint8_t mdts;
	uint8_t format_index;		/* FLBAS */
	int stuck_not_ready, hold;
	unsigned int slow;		/* commands at a time, 0: all at once */
	enum fake_lie lie;
	unsigned int lie_times;		/* commands to lie about */
	uint32_t swallowed;		/* cid of FAKE_ABORTABLE */
	/* seen */
	unsigned int commands, resets, flushes, aborts, doorbells, max_list;
	int violation;			/* driver broke the specification */
	/* memory: host address of each bus page, NULL: not mapped */
	uint8_t *host[FAKE_PAGES];
	unsigned int next;
	uint8_t *own[4];		/* what fake_alloc() gave */
	unsigned int nown;
};

static void fake_init(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->cap = 63 | 1ull << 24 | NVME_CAP_CSS_NVM;
	f->vs = 0x00010400;
	f->nn = 3;
}

static void fake_free(struct fake *f)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		free(f->ns[i].disk);
	for (i = 0; i < f->nown; i++)
		free(f->own[i]);
}

static void fake_disk(struct fake *f, unsigned int id, uint64_t blocks,
		      uint32_t shift)
{
	f->ns[id - 1] = (struct fake_ns){ .blocks = blocks, .shift = shift };
	f->ns[id - 1].disk = calloc(blocks, 1u << shift);
}

/* Give @n pages at @host bus addresses, in no order. */
static void fake_map(struct fake *f, uint8_t *host, unsigned int n,
		     uint64_t *bus)
{
	unsigned int i, at;

	for (i = 0; i < n; i++) {
		do {
			at = f->next = (f->next + 1021) % FAKE_PAGES;
		} while (f->host[at]);
		f->host[at] = host + i * NVME_PAGE;
		bus[i] = FAKE_BUS + at * (uint64_t)NVME_PAGE;
	}
}

static uint8_t *fake_alloc(struct fake *f, unsigned int n, uint64_t *bus)
{
	uint8_t *p = aligned_alloc(NVME_PAGE, n * NVME_PAGE);

	f->own[f->nown++] = p;
	fake_map(f, p, n, bus);
	return p;
}

/* Host address of @len bytes at @bus, which may not leave their page. */
static void *fake_at(struct fake *f, uint64_t bus, uint32_t len)
{
	static uint8_t nowhere[NVME_PAGE];
	uint64_t off = bus - FAKE_BUS;

	if (bus < FAKE_BUS || off / NVME_PAGE >= FAKE_PAGES ||
	    !f->host[off / NVME_PAGE] || off % NVME_PAGE + len > NVME_PAGE) {
		f->violation = 1;
		return nowhere;
	}
	return f->host[off / NVME_PAGE] + off % NVME_PAGE;
}

/* --- completions ---------------------------------------------------------- */

static void fake_post(struct fake *f, unsigned int id, uint32_t cid,
		      uint32_t status, uint32_t result, enum fake_lie lie)
{
	struct fake_queue *q = &f->q[id];
	struct nvme_cqe *e = fake_at(f, q->cq + q->cq_tail * 16, 16);
	uint32_t phase = q->phase;

	if (lie == FAKE_BAD_CID)
		cid ^= 0x8000;
	if (lie == FAKE_STALE_PHASE)
		phase ^= NVME_CQE_PHASE;
	e->result = result;
	e->dw2 = (lie == FAKE_BAD_SQID ? 9 : id) << 16 |
		 (lie == FAKE_BAD_SQHD ? 0xfff0 : q->head);
	e->dw3 = status << 17 | phase | cid;
	q->cq_tail = (q->cq_tail + 1) % q->cq_size;
	if (!q->cq_tail)
		q->phase ^= NVME_CQE_PHASE;
}

/* --- data transfer: [Base] 4.3 -------------------------------------------- */

static void fake_move(struct fake *f, uint64_t bus, uint32_t len, uint8_t *disk,
		      int write)
{
	uint8_t *p = fake_at(f, bus, len);

	if (write)
		memcpy(disk, p, len);
	else
		memcpy(p, disk, len);
}

static void fake_transfer(struct fake *f, const struct nvme_sqe *s,
			  uint8_t *disk, uint32_t len, int write)
{
	uint32_t n = NVME_PAGE - s->prp1 % NVME_PAGE;
	uint64_t list = s->prp2;
	unsigned int used = 0;

	if (s->prp1 % 4)
		f->violation = 1;
	n = n < len ? n : len;
	fake_move(f, s->prp1, n, disk, write);
	disk += n;
	len -= n;
	if (!len)
		return;
	if (len <= NVME_PAGE) {
		if (s->prp2 % NVME_PAGE)
			f->violation = 1;
		fake_move(f, s->prp2, len, disk, write);
		return;
	}
	if (list % 8)
		f->violation = 1;
	for (; len; len -= n, disk += n, list += 8) {
		uint64_t entry;

		/* The last entry of a page would name the next list. */
		if (list % NVME_PAGE == NVME_PAGE - 8 && len > NVME_PAGE)
			f->violation = 1;
		if (used && list % NVME_PAGE == 0)
			f->violation = 1;
		memcpy(&entry, fake_at(f, list, 8), 8);
		if (entry % NVME_PAGE)
			f->violation = 1;
		n = len < NVME_PAGE ? len : NVME_PAGE;
		fake_move(f, entry, n, disk, write);
		used++;
	}
	if (used > f->max_list)
		f->max_list = used;
}

static uint32_t fake_io(struct fake *f, const struct nvme_sqe *s)
{
	uint64_t lba = s->cdw10 | (uint64_t)s->cdw11 << 32;
	uint32_t count = (s->cdw12 & 0xffff) + 1, op = s->cdw0 & 0xff;
	struct fake_ns *ns;

	if (s->nsid < 1 || s->nsid > f->nn || !f->ns[s->nsid - 1].blocks)
		return 0x00b;
	ns = &f->ns[s->nsid - 1];
	if (op == NVME_CMD_FLUSH) {
		f->flushes++;
		return 0;
	}
	if (lba > ns->blocks || count > ns->blocks - lba)
		return 0x080;
	if (f->mdts && (uint64_t)count << ns->shift >
	    (uint64_t)NVME_PAGE << f->mdts)
		return 0x002;
	if (op != NVME_CMD_READ && op != NVME_CMD_WRITE)
		return 0x001;
	fake_transfer(f, s, ns->disk + (lba << ns->shift), count << ns->shift,
		      op == NVME_CMD_WRITE);
	return 0;
}

/* --- admin ---------------------------------------------------------------- */

static void fake_put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void fake_identify_ns(struct fake *f, uint8_t *p, uint32_t nsid)
{
	struct fake_ns *ns;

	if (nsid < 1 || nsid > 3)
		return;
	ns = &f->ns[nsid - 1];
	memcpy(p, &ns->blocks, 8);
	p[NVME_IDN_FLBAS] = f->format_index;
	p[NVME_IDN_NSATTR] = ns->protected;
	fake_put32(p + NVME_IDN_LBAF, ns->shift << 16 | ns->metadata);
}

static uint32_t fake_identify(struct fake *f, const struct nvme_sqe *s)
{
	uint8_t *p = fake_at(f, s->prp1, NVME_PAGE);
	uint32_t i, n = 0;

	memset(p, 0, NVME_PAGE);
	switch (s->cdw10 & 0xff) {
	case NVME_CNS_NAMESPACE:
		fake_identify_ns(f, p, s->nsid);
		return 0;
	case NVME_CNS_CONTROLLER:
		memset(p + NVME_IDC_SN, ' ', 20 + 40 + 8);
		memcpy(p + NVME_IDC_SN, "S1\x07", 3);
		memcpy(p + NVME_IDC_MN, "Fake NVMe", 9);
		p[NVME_IDC_MDTS] = f->mdts;
		p[NVME_IDC_SQES] = 0x66;
		p[NVME_IDC_CQES] = 0x44;
		p[NVME_IDC_VWC] = 1;
		fake_put32(p + NVME_IDC_NN, f->nn);
		return 0;
	case NVME_CNS_ACTIVE_LIST:
		for (i = 0; i < 3; i++)
			if (f->ns[i].blocks)
				fake_put32(p + 4 * n++, i + 1);
		return 0;
	}
	return 0x002;
}

static uint32_t fake_admin(struct fake *f, const struct nvme_sqe *s)
{
	uint32_t id = s->cdw10 & 0xffff, size = (s->cdw10 >> 16) + 1;
	struct fake_queue *q = &f->q[1];

	switch (s->cdw0 & 0xff) {
	case NVME_ADMIN_IDENTIFY:
		return fake_identify(f, s);
	case NVME_ADMIN_SET_FEATURES:
		return s->cdw10 == NVME_FEATURE_QUEUES ? 0 : 0x002;
	case NVME_ADMIN_CREATE_CQ:
		if (id != 1 || size > NVME_CAP_MQES(f->cap) + 1 ||
		    s->prp1 % NVME_PAGE)
			return 0x101;
		q->cq = s->prp1;
		q->cq_size = size;
		q->cq_tail = 0;
		q->phase = NVME_CQE_PHASE;
		return 0;
	case NVME_ADMIN_CREATE_SQ:
		if (id != 1 || !q->cq_size || s->cdw11 >> 16 != 1)
			return 0x100;
		q->sq = s->prp1;
		q->size = size;
		q->head = q->tail = 0;
		q->created = 1;
		return 0;
	case NVME_ADMIN_ABORT:
		f->aborts++;
		if (f->swallowed == s->cdw10 >> 16)
			fake_post(f, 1, f->swallowed, 0x007, 0, FAKE_HONEST);
		f->swallowed = ~0u;
		return 0;
	}
	return 0x001;
}

/* --- registers ------------------------------------------------------------ */

static void fake_execute(struct fake *f, unsigned int id)
{
	struct fake_queue *q = &f->q[id];
	struct nvme_sqe s;
	enum fake_lie lie = FAKE_HONEST;
	uint32_t cid, status;

	memcpy(&s, fake_at(f, q->sq + q->head * 64, 64), 64);
	q->head = (q->head + 1) % q->size;
	cid = s.cdw0 >> 16;
	if (id == 0) {
		if (f->lie == FAKE_NEVER && (s.cdw0 & 0xff) == NVME_ADMIN_ABORT)
			return;
		status = fake_admin(f, &s);
		fake_post(f, 0, cid, status, 0, FAKE_HONEST);
		return;
	}
	f->commands++;
	if (f->lie_times) {
		f->lie_times--;
		lie = f->lie;
	}
	if (lie == FAKE_FATAL)
		f->csts |= NVME_CSTS_CFS;
	if (lie == FAKE_ABORTABLE)
		f->swallowed = cid;
	if (lie == FAKE_NEVER || lie == FAKE_FATAL || lie == FAKE_ABORTABLE)
		return;
	status = lie == FAKE_STATUS ? 0x080 :
		 lie == FAKE_PROTECTED ? NVME_SC_WRITE_PROTECTED :
		 fake_io(f, &s);
	fake_post(f, 1, cid, status, 0, lie);
	if (lie == FAKE_TWICE)
		fake_post(f, 1, cid, status, 0, FAKE_HONEST);
}

static void fake_step(struct fake *f)
{
	unsigned int id, n = f->slow ? f->slow : ~0u;

	for (id = 0; id < 2 && f->csts & NVME_CSTS_RDY; id++)
		while (f->q[id].head != f->q[id].tail && !(id && f->hold) &&
		       !(f->csts & NVME_CSTS_CFS) && n--)
			fake_execute(f, id);
}

static void fake_enable(struct fake *f)
{
	struct fake_queue *q = &f->q[0];

	memset(f->q, 0, sizeof(f->q));
	q->sq = f->asq;
	q->cq = f->acq;
	q->size = (f->aqa & 0xfff) + 1;
	q->cq_size = (f->aqa >> 16 & 0xfff) + 1;
	q->phase = NVME_CQE_PHASE;
	q->created = 1;
	f->swallowed = ~0u;
	if ((f->cc >> 16 & 0xf) != 6 || (f->cc >> 20 & 0xf) != 4)
		f->violation = 1;
	if (!f->stuck_not_ready)
		f->csts |= NVME_CSTS_RDY;
}

static void fake_doorbell(struct fake *f, uint32_t reg, uint32_t value)
{
	uint32_t stride = 4u << NVME_CAP_DSTRD(f->cap);
	uint32_t n = (reg - NVME_DOORBELLS) / stride;

	f->doorbells++;
	if ((reg - NVME_DOORBELLS) % stride || n > 3 || !f->q[n / 2].created ||
	    value >= (n & 1 ? f->q[n / 2].cq_size : f->q[n / 2].size)) {
		f->violation = 1;
		return;
	}
	if (!(n & 1)) {
		f->q[n / 2].tail = value;
		if (!f->slow)
			fake_step(f);
	}
}

static void fake_write(void *ctx, uint32_t reg, uint32_t value)
{
	struct fake *f = ctx;
	uint32_t old = f->cc;

	switch (reg) {
	case NVME_CC:
		f->cc = value;
		if (value & NVME_CC_EN && !(old & NVME_CC_EN))
			fake_enable(f);
		if (!(value & NVME_CC_EN)) {
			f->resets += old & NVME_CC_EN;
			f->csts = 0;
		}
		break;
	case NVME_AQA:
		f->aqa = value;
		break;
	case NVME_ASQ:
		f->asq = (f->asq >> 32 << 32) | value;
		break;
	case NVME_ASQ + 4:
		f->asq = (uint32_t)f->asq | (uint64_t)value << 32;
		break;
	case NVME_ACQ:
		f->acq = (f->acq >> 32 << 32) | value;
		break;
	case NVME_ACQ + 4:
		f->acq = (uint32_t)f->acq | (uint64_t)value << 32;
		break;
	default:
		fake_doorbell(f, reg, value);
	}
}

static uint32_t fake_read(void *ctx, uint32_t reg)
{
	struct fake *f = ctx;

	if (f->lie == FAKE_GONE)
		return ~0u;
	switch (reg) {
	case NVME_CAP:
		return f->cap;
	case NVME_CAP + 4:
		return f->cap >> 32;
	case NVME_VS:
		return f->vs;
	case NVME_CC:
		return f->cc;
	case NVME_CSTS:
		return f->csts;
	}
	f->violation = 1;
	return 0;
}

#endif
