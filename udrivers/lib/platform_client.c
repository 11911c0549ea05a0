// SPDX-License-Identifier: BSD-2-Clause
/* A driver's side of the Platform session: see platform_client.h. */
#include <errno.h>
#include <string.h>

#include <pith/rpc.h>

#include "platform_client.h"

static uint64_t limit(void)
{
	return pith_now() + PLATFORM_TIMEOUT;
}

int platform_devices(const struct session *s, struct platform_device *devices,
		     unsigned int max, uint32_t *iommu)
{
	uint8_t tail[PITH_MSG_BYTES];
	struct platform_devices head;
	struct rpc r = {
		.rep = &head, .rep_len = sizeof(head),
		.rep_tail = tail, .rep_tail_size = sizeof(tail),
	};
	int err = rpc_call(s->cap, PLATFORM_DEVICES, &r, limit());

	if (err)
		return err;
	if (head.count > r.rep_tail_len / sizeof(*devices))
		return -EPROTO;
	*iommu = head.iommu;
	if (max > head.count)
		max = head.count;
	memcpy(devices, tail, max * sizeof(*devices));
	return max;
}

int platform_acquire(const struct session *s, uint32_t device)
{
	struct platform_dev req = { .device = device };

	return rpc_simple(s->cap, PLATFORM_ACQUIRE, &req, sizeof(req), NULL, 0,
			  limit());
}

void *platform_map_bar(const struct session *s, uint32_t device, uint32_t bar,
		       uint64_t *size, int *err)
{
	struct platform_bar req = { device, bar };
	struct platform_bar_reply rep;
	int cap = -1;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_caps = &cap, .nrep_caps = 1,
	};
	void *map = NULL;

	*err = rpc_call(s->cap, PLATFORM_IO_MEM, &r, limit());
	if (*err)
		return NULL;
	*size = rep.size;
	if (cap < 0 || (uint64_t)pith_mem_size(cap) < rep.size)
		*err = -EPROTO;
	else
		map = pith_map(cap, 0, rep.size,
			       PITH_MAP_READ | PITH_MAP_WRITE, err);
	pith_close(cap);
	return map;
}

int platform_irq(const struct session *s, uint32_t device, uint32_t vector)
{
	struct platform_irq req = { device, vector };
	int err, cap = -1;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.rep_caps = &cap, .nrep_caps = 1,
	};

	err = rpc_call(s->cap, PLATFORM_IRQ, &r, limit());
	if (err)
		return err;
	return cap < 0 ? -EPROTO : cap;
}

int platform_dma_unmap(const struct session *s, uint64_t handle)
{
	struct platform_dma req = { handle };

	return rpc_simple(s->cap, PLATFORM_DMA_UNMAP, &req, sizeof(req), NULL,
			  0, limit());
}

/* Take the addresses of an answer, which begin with page @done: how many. */
static int take_addresses(const struct rpc *r,
			  const struct platform_dma_reply *rep,
			  const uint64_t *tail, uint64_t *addresses,
			  uint64_t pages, uint64_t done)
{
	if (rep->pages != pages || !rep->count ||
	    rep->count > pages - done ||
	    rep->count > r->rep_tail_len / sizeof(*tail))
		return -EPROTO;
	memcpy(addresses + done, tail, rep->count * sizeof(*tail));
	return rep->count;
}

static int more_addresses(const struct session *s, uint64_t handle,
			  uint64_t *addresses, uint64_t pages, uint64_t done)
{
	uint64_t tail[PLATFORM_DMA_PAGES];
	struct platform_dma_addr req = { handle, done };
	struct platform_dma_reply rep;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_tail = tail, .rep_tail_size = sizeof(tail),
	};
	int err = rpc_call(s->cap, PLATFORM_DMA_ADDR, &r, limit());

	return err ? err : take_addresses(&r, &rep, tail, addresses, pages,
					  done);
}

int platform_dma_map(const struct session *s, uint32_t device, int mem,
		     uint64_t *addresses, uint64_t pages, uint64_t *handle)
{
	uint64_t tail[PLATFORM_DMA_PAGES], done;
	struct platform_dma_map req = { .device = device };
	struct platform_dma_reply rep;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.caps = &mem, .ncaps = 1,
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_tail = tail, .rep_tail_size = sizeof(tail),
	};
	int n = rpc_call(s->cap, PLATFORM_DMA_MAP, &r, limit());

	if (n < 0)
		return n;
	*handle = rep.handle;
	n = take_addresses(&r, &rep, tail, addresses, pages, 0);
	for (done = 0; n > 0 && done + n < pages;) {
		done += n;
		n = more_addresses(s, *handle, addresses, pages, done);
	}
	if (n < 0)
		platform_dma_unmap(s, *handle);
	return n < 0 ? n : 0;
}
