// SPDX-License-Identifier: BSD-2-Clause
/*
 * Service "Platform": see session/platform.h. A client can ask for what it
 * likes; it gets what policy shows its label, pays for what this program keeps
 * on its behalf out of the quota it donated, and is told no otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assigned.h"

#define MAPPINGS_MAX	64		/* of one session */

/* What this program spends for a client, out of what the client donated. */
struct cost {
	uint64_t ram, caps;
};

static const struct cost session_cost = { 4096, 4 };
static const struct cost device_cost = { 4096, 0 };
/* A BAR or a vector: what core wants for a session, and two capabilities. */
static const struct cost resource_cost = { 16384, 10 };
static const struct cost mapping_cost = { 0, 1 };

struct client {
	struct platform *p;
	const struct policy_entry *policy;
	uint64_t badge;
	struct cost left;		/* donated, not spent */
	struct dma_domain domain;
	struct dma_mapping mappings[MAPPINGS_MAX];
};

static int can_pay(const struct client *c, const struct cost *cost,
		   unsigned int n)
{
	return c->left.ram >= n * cost->ram && c->left.caps >= n * cost->caps;
}

static void pay(struct client *c, const struct cost *cost, unsigned int n)
{
	c->left.ram -= n * cost->ram;
	c->left.caps -= n * cost->caps;
}

static void refund(struct client *c, const struct cost *cost, unsigned int n)
{
	c->left.ram += n * cost->ram;
	c->left.caps += n * cost->caps;
}

/* 1: device @index is visible to @c. */
static int visible(const struct client *c, uint32_t index)
{
	return index < c->p->bus.count &&
	       policy_match(&c->p->policy, c->policy,
			    &c->p->bus.functions[index]);
}

/* 0 if @c has acquired device @index. */
static int check_owner(const struct client *c, uint32_t index)
{
	if (!visible(c, index))
		return -ENOENT;
	if (!c->p->assigned[index] || c->p->assigned[index]->owner != c)
		return -EACCES;
	return 0;
}

/* --- devices -------------------------------------------------------------- */

static void describe(const struct pci_function *f, uint32_t index,
		     struct platform_device *d)
{
	unsigned int i;

	*d = (struct platform_device){
		.index = index, .vendor = f->vendor, .device = f->device,
		.class_code = f->class_code, .subclass = f->subclass,
		.prog_if = f->prog_if, .revision = f->revision, .bdf = f->bdf,
		.vectors = f->vectors,
	};
	for (i = 0; i < PLATFORM_BARS; i++)
		d->bar_size[i] = pci_bar_window(f, i);
}

static int do_devices(struct client *c, struct ep_request *in)
{
	const uint32_t room = (PITH_MSG_BYTES - sizeof(struct platform_devices))
			      / sizeof(struct platform_device);
	struct platform_devices head = { .iommu = DMA_IOMMU };
	struct platform_device d;
	struct platform *p = c->p;
	uint32_t i;
	int err;

	for (i = 0; i < p->bus.count && head.count < room; i++)
		head.count += visible(c, i);
	err = ep_reply_data(&p->ep, in, &head, sizeof(head));
	for (i = 0; i < p->bus.count && head.count && !err; i++) {
		if (!visible(c, i))
			continue;
		describe(&p->bus.functions[i], i, &d);
		err = ep_reply_data(&p->ep, in, &d, sizeof(d));
		head.count--;
	}
	return err;
}

/* Sessions at core that are open for a device. */
static unsigned int open_resources(const struct assigned *a)
{
	unsigned int i, n = 0;

	for (i = 0; i < PLATFORM_BARS; i++)
		n += a->bars[i].cap >= 0;
	for (i = 0; i < PCI_VECTORS_MAX; i++)
		n += a->irqs[i].cap >= 0;
	return n;
}

static void release(struct client *c, uint32_t index)
{
	unsigned int i;

	/* The order matters: when memory is let go, nothing writes to it. */
	assigned_stop(c->p, index);
	for (i = 0; i < MAPPINGS_MAX; i++) {
		if (c->mappings[i].mem < 0 || c->mappings[i].device != index)
			continue;
		dma_domain_unmap(&c->domain, &c->mappings[i]);
		refund(c, &mapping_cost, 1);
	}
	refund(c, &resource_cost, open_resources(c->p->assigned[index]));
	assigned_free(c->p, index);
	refund(c, &device_cost, 1);
}

static int do_acquire(struct client *c, struct ep_request *in)
{
	const struct platform_dev *req = ep_req(in, struct platform_dev);

	int err;

	if (!req || req->zero)
		return -EINVAL;
	if (!visible(c, req->device))
		return -ENOENT;
	if (!can_pay(c, &device_cost, 1))
		return -EDQUOT;
	err = assigned_acquire(c->p, req->device, c);
	if (!err)
		pay(c, &device_cost, 1);
	return err;
}

static int do_release(struct client *c, struct ep_request *in)
{
	const struct platform_dev *req = ep_req(in, struct platform_dev);
	int err;

	if (!req || req->zero)
		return -EINVAL;
	err = check_owner(c, req->device);
	if (!err)
		release(c, req->device);
	return err;
}

/* --- registers and interrupts --------------------------------------------- */

static int do_io_mem(struct client *c, struct ep_request *in)
{
	const struct platform_bar *req = ep_req(in, struct platform_bar);
	struct platform_bar_reply rep;
	const struct assigned *a;
	unsigned int before;
	int cap, err;

	if (!req || req->bar >= PLATFORM_BARS)
		return -EINVAL;
	err = check_owner(c, req->device);
	if (err)
		return err;
	if (!can_pay(c, &resource_cost, 1))
		return -EDQUOT;
	a = c->p->assigned[req->device];
	before = open_resources(a);
	cap = assigned_bar(c->p, req->device, req->bar, &rep.size);
	pay(c, &resource_cost, open_resources(a) - before);
	if (cap < 0)
		return cap;
	err = ep_reply_cap(in, cap, 1);
	return err ? err : ep_reply_data(&c->p->ep, in, &rep, sizeof(rep));
}

static int do_irq(struct client *c, struct ep_request *in)
{
	const struct platform_irq *req = ep_req(in, struct platform_irq);
	const struct assigned *a;
	unsigned int before;
	int cap, err;

	if (!req)
		return -EINVAL;
	err = check_owner(c, req->device);
	if (err)
		return err;
	/* The BAR with the MSI-X table may have to be opened, too. */
	if (!can_pay(c, &resource_cost, 2))
		return -EDQUOT;
	a = c->p->assigned[req->device];
	before = open_resources(a);
	cap = assigned_irq(c->p, req->device, req->vector);
	pay(c, &resource_cost, open_resources(a) - before);
	return cap < 0 ? cap : ep_reply_cap(in, cap, 0);
}

/* --- DMA ------------------------------------------------------------------ */

/* A handle is slot and generation: a stale one is known as such. */
static uint64_t handle_of(const struct client *c, const struct dma_mapping *m)
{
	return (uint64_t)m->generation << 32 | (m - c->mappings);
}

static struct dma_mapping *find_mapping(struct client *c, uint64_t handle)
{
	uint32_t slot = handle;
	struct dma_mapping *m;

	if (slot >= MAPPINGS_MAX)
		return NULL;
	m = &c->mappings[slot];
	return m->mem >= 0 && handle_of(c, m) == handle ? m : NULL;
}

static int reply_addresses(struct client *c, struct ep_request *in,
			   const struct dma_mapping *m, uint64_t first)
{
	uint64_t addresses[PLATFORM_DMA_PAGES];
	struct platform_dma_reply rep = { handle_of(c, m), m->pages, 0, 0 };
	int err, n = dma_domain_addresses(&c->domain, m, first, addresses,
					  PLATFORM_DMA_PAGES);

	if (n < 0)
		return n;
	rep.count = n;
	err = ep_reply_data(&c->p->ep, in, &rep, sizeof(rep));
	return err ? err : ep_reply_data(&c->p->ep, in, addresses,
					 n * sizeof(addresses[0]));
}

static int do_dma_map(struct client *c, struct ep_request *in)
{
	const struct platform_dma_map *req =
		ep_req(in, struct platform_dma_map);
	struct dma_mapping *m = c->mappings;
	int mem, err;

	if (!req || req->zero)
		return -EINVAL;
	err = check_owner(c, req->device);
	if (err)
		return err;
	while (m < c->mappings + MAPPINGS_MAX && m->mem >= 0)
		m++;
	if (m == c->mappings + MAPPINGS_MAX || !can_pay(c, &mapping_cost, 1))
		return -EDQUOT;
	mem = ep_take_cap(in, 0);
	if (mem < 0)
		return -EINVAL;
	m->device = req->device;
	err = dma_domain_map(&c->domain, m, mem);
	if (err) {
		pith_close(mem);
		return err;
	}
	err = reply_addresses(c, in, m, 0);
	if (err) {
		dma_domain_unmap(&c->domain, m);
		return err;
	}
	pay(c, &mapping_cost, 1);
	pci_master(&c->p->bus, &c->p->bus.functions[req->device], 1);
	return 0;
}

static int do_dma_addr(struct client *c, struct ep_request *in)
{
	const struct platform_dma_addr *req =
		ep_req(in, struct platform_dma_addr);
	struct dma_mapping *m = req ? find_mapping(c, req->handle) : NULL;

	if (!m || req->first >= m->pages)
		return -EINVAL;
	return reply_addresses(c, in, m, req->first);
}

/* The client says that the device does not use this memory any more. Without an
 * IOMMU it can lie; with one, the device would be stopped by it. */
static int do_dma_unmap(struct client *c, struct ep_request *in)
{
	const struct platform_dma *req = ep_req(in, struct platform_dma);
	struct dma_mapping *m = req ? find_mapping(c, req->handle) : NULL;

	if (!m)
		return -EINVAL;
	dma_domain_unmap(&c->domain, m);
	refund(c, &mapping_cost, 1);
	return 0;
}

/* --- sessions ------------------------------------------------------------- */

static int (*const methods[])(struct client *, struct ep_request *) = {
	[PLATFORM_DEVICES] = do_devices,
	[PLATFORM_ACQUIRE] = do_acquire,
	[PLATFORM_RELEASE] = do_release,
	[PLATFORM_IO_MEM] = do_io_mem,
	[PLATFORM_IRQ] = do_irq,
	[PLATFORM_DMA_MAP] = do_dma_map,
	[PLATFORM_DMA_ADDR] = do_dma_addr,
	[PLATFORM_DMA_UNMAP] = do_dma_unmap,
};

static int client_call(void *ctx, struct ep_request *in)
{
	if (in->method >= sizeof(methods) / sizeof(methods[0]) ||
	    !methods[in->method])
		return -ENOSYS;
	return methods[in->method](ctx, in);
}

int platform_open(void *ctx, const struct parent_request *req, void **session)
{
	struct platform *p = ctx;
	const struct policy_entry *policy = policy_find(&p->policy, req->label);
	struct client *c;
	unsigned int i;
	int cap;

	if (!policy) {
		log_error("no policy for '%s'", req->label);
		return -EACCES;
	}
	if (req->ram < session_cost.ram || req->caps < session_cost.caps)
		return -EDQUOT;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->p = p;
	c->policy = policy;
	c->left = (struct cost){ req->ram, req->caps };
	pay(c, &session_cost, 1);
	c->domain.pd = p->pd.cap;
	for (i = 0; i < MAPPINGS_MAX; i++)
		c->mappings[i].mem = -1;
	cap = ep_new_object(&p->ep, client_call, c, &c->badge);
	if (cap < 0) {
		free(c);
		return cap;
	}
	*session = c;
	return cap;
}

void platform_close(void *ctx, void *session)
{
	struct platform *p = ctx;
	struct client *c = session;
	uint32_t i;

	ep_remove(&p->ep, c->badge);
	for (i = 0; i < p->bus.count; i++)
		if (p->assigned[i] && p->assigned[i]->owner == c)
			release(c, i);
	free(c);
}
