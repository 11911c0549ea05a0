// SPDX-License-Identifier: BSD-2-Clause
/* DMA mappings: see dma.h. */
#include <errno.h>

#include <pith/rpc.h>
#include <session/core.h>
#include <session/platform.h>

#include "dma.h"

#define PAGE_SHIFT	12
#define CALL_TIMEOUT	PITH_SEC(5)

static int check_memory(int mem, uint64_t *pages)
{
	const uint32_t rw = PITH_R_READ | PITH_R_WRITE;
	struct pith_mem_info info;

	if (pith_control(mem, PITH_OP_MEM_INFO, &info) < 0 || info.io)
		return -EINVAL;
	/* A device can do both; so must be allowed who lets it. */
	if ((info.rights & rw) != rw)
		return -EACCES;
	*pages = info.size >> PAGE_SHIFT;
	return 0;
}

int dma_domain_map(struct dma_domain *d, struct dma_mapping *m, int mem)
{
	uint64_t address;
	int ret = check_memory(mem, &m->pages);

	if (ret)
		return ret;
	m->mem = mem;
	ret = dma_domain_addresses(d, m, 0, &address, 1);
	if (ret < 0) {
		m->mem = -1;
		return ret;
	}
	m->generation++;
	return 0;
}

void dma_domain_unmap(struct dma_domain *d, struct dma_mapping *m)
{
	(void)d;
	pith_close(m->mem);
	m->mem = -1;
}

int dma_domain_addresses(struct dma_domain *d, const struct dma_mapping *m,
			 uint64_t first, uint64_t *addresses, uint32_t max)
{
	struct pd_dma_addr req = { .first = first };
	struct pd_dma_addr_reply rep;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.caps = &m->mem, .ncaps = 1,
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_tail = addresses, .rep_tail_size = max * sizeof(uint64_t),
	};
	int err;

	if (first >= m->pages)
		return -EINVAL;
	if (max > m->pages - first)
		max = m->pages - first;
	req.count = max;
	err = rpc_call(d->pd, PD_DMA_ADDR, &r, pith_now() + CALL_TIMEOUT);
	if (err)
		return err;
	if (rep.count != max || r.rep_tail_len != max * sizeof(uint64_t))
		return -EPROTO;
	return max;
}
