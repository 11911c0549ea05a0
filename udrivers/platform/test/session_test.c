// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../session.c ../assigned.c ../pci.c ../policy.c ../../../servers/lib/test/fake_pith.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c */
/*
 * Platform sessions: who gets which device, what a client cannot do, and in which
 * order things end. PCI and DMA are made up; the order is written down.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pith/rpc.h>

#include "../../../servers/lib/test/fake_pith.h"
#include "../assigned.h"
#include "../pci_regs.h"

static struct platform platform;
static uint8_t config_space[3][256];
static char order[4096];
static unsigned int open_mem, open_msi, dma_mapped;
static int mem_busy;

static void note(const char *what)
{
	strncat(order, what, sizeof(order) - strlen(order) - 1);
}

/* --- what the sessions link with ------------------------------------------ */

int hw_mem_open(struct hw_mem *m, uint64_t base, uint64_t size,
		enum hw_cache cache)
{
	(void)base;
	(void)cache;
	if (mem_busy)
		return -EBUSY;
	m->cap = pith_mem_create(-1, size, 0);
	open_mem++;
	return 0;
}

void hw_mem_close(struct hw_mem *m)
{
	pith_close(m->cap);
	m->cap = -1;
	open_mem--;
	note("mem ");
}

int hw_msi_open(struct hw_msi *irq)
{
	irq->cap = pith_mem_create(-1, 4096, 0);
	irq->address = 0xfee01000;
	irq->data = 0x41;
	open_msi++;
	return 0;
}

void hw_msi_close(struct hw_msi *irq)
{
	pith_close(irq->cap);
	irq->cap = -1;
	open_msi--;
	note("msi ");
}

int pith_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size)
{
	(void)offset;
	(void)size;
	return pith_mint(mem, rights);
}

int dma_domain_map(struct dma_domain *d, struct dma_mapping *m, int mem)
{
	int64_t size = pith_mem_size(mem);

	(void)d;
	if (size < 0)
		return -EINVAL;
	m->mem = mem;
	m->pages = size / 4096;
	m->generation++;
	dma_mapped++;
	return 0;
}

void dma_domain_unmap(struct dma_domain *d, struct dma_mapping *m)
{
	(void)d;
	pith_close(m->mem);
	m->mem = -1;
	dma_mapped--;
	note("dma ");
}

int dma_domain_addresses(struct dma_domain *d, const struct dma_mapping *m,
			 uint64_t first, uint64_t *addresses, uint32_t max)
{
	uint32_t i;

	(void)d;
	for (i = 0; i < max && first + i < m->pages; i++)
		addresses[i] = (first + i) * 4096;
	return i;
}

static uint32_t cfg_read(void *ctx, uint16_t bdf, uint32_t offset,
			 uint32_t width)
{
	uint32_t v = 0;

	(void)ctx;
	memcpy(&v, config_space[bdf >> 3] + offset, width);
	return v;
}

static void cfg_write(void *ctx, uint16_t bdf, uint32_t offset, uint32_t width,
		      uint32_t value)
{
	uint8_t *c = config_space[bdf >> 3];

	(void)ctx;
	if (offset == PCI_COMMAND && c[PCI_COMMAND] & PCI_COMMAND_MASTER &&
	    !(value & PCI_COMMAND_MASTER))
		note("stop ");
	if (offset == 0x88 && value & PCI_EXP_DEVCTL_FLR) {
		note("reset ");
		value &= ~PCI_EXP_DEVCTL_FLR;
	}
	memcpy(c + offset, &value, width);
}

static void cfg_sleep(void *ctx, uint32_t ms)
{
	(void)ctx;
	(void)ms;
}

/* --- the machine ---------------------------------------------------------- */

static void start(void)
{
	static const char config[] =
		"config\n+ policy a | + pci | bdf: 00:00.0\n"
		"+ policy b | + pci | class: NVME\n-\n";
	struct platform *p = &platform;
	char why[100];
	unsigned int i;

	memset(p, 0, sizeof(*p));
	ep_init(&p->ep);
	p->bus.config = (struct pci_config){ cfg_read, cfg_write, cfg_sleep,
					     NULL };
	p->bus.count = 3;
	for (i = 0; i < 3; i++) {
		uint32_t flr = PCI_EXP_DEVCAP_FLR;

		p->bus.functions[i] = (struct pci_function){
			.bdf = i << 3, .vendor = 0x1b36, .device = 0x10,
			.class_code = i < 2 ? 1 : 2, .subclass = i < 2 ? 8 : 0,
			.prog_if = i < 2 ? 2 : 0, .express = 0x80, .vectors = 4,
			.msix = { 0x40, 0, 0, 4, 0x2000, 0x3000 },
			.bars[0] = { 0xfe000000 + (i << 16), 0x4000 },
		};
		memset(config_space[i], 0, 256);
		memcpy(config_space[i], "\x36\x1b\x10\x00", 4);
		memcpy(config_space[i] + 0x84, &flr, 4);
	}
	if (policy_parse(&p->policy, config, sizeof(config) - 1, why,
			 sizeof(why)))
		printf("# %s\n", why);
	order[0] = 0;
}

struct client {
	void *session;
	int cap;
};

static int client_open(struct client *c, const char *label, uint64_t ram,
		       uint64_t caps)
{
	struct parent_request req = { .ram = ram, .caps = caps };

	snprintf(req.label, sizeof(req.label), "%s", label);
	c->cap = platform_open(&platform, &req, &c->session);
	return c->cap < 0 ? c->cap : 0;
}

static void client_close(struct client *c)
{
	platform_close(&platform, c->session);
	pith_close(c->cap);
}

static int call(const struct client *c, uint64_t method, uint64_t a, uint64_t b,
		size_t len, int send, int *got)
{
	uint64_t req[2] = { a, b };
	uint8_t tail[PITH_MSG_BYTES];
	struct rpc r = {
		.req = req, .req_len = len, .caps = &send, .ncaps = send >= 0,
		.rep_tail = tail, .rep_tail_size = sizeof(tail),
		.rep_caps = got, .nrep_caps = got != NULL,
	};

	return rpc_call(c->cap, method, &r, fake_clock + 1000);
}

static int acquire(const struct client *c, uint32_t device)
{
	return call(c, PLATFORM_ACQUIRE, device, 0, 8, -1, NULL);
}

static int io_mem(const struct client *c, uint32_t device, uint64_t bar)
{
	int got = -1, err = call(c, PLATFORM_IO_MEM, device | bar << 32, 0, 8,
				 -1, &got);

	pith_close(got);
	return err;
}

static int irq(const struct client *c, uint32_t device, uint64_t vector)
{
	int got = -1, err = call(c, PLATFORM_IRQ, device | vector << 32, 0, 8,
				 -1, &got);

	pith_close(got);
	return err;
}

static int dma_map(const struct client *c, uint32_t device, int mem,
		   uint64_t *handle)
{
	struct platform_dma_map req = { .device = device };
	struct platform_dma_reply rep;
	uint64_t tail[PLATFORM_DMA_PAGES];
	struct rpc r = {
		.req = &req, .req_len = sizeof(req), .caps = &mem,
		.ncaps = mem >= 0, .rep = &rep, .rep_len = sizeof(rep),
		.rep_tail = tail, .rep_tail_size = sizeof(tail),
	};
	int err = rpc_call(c->cap, PLATFORM_DMA_MAP, &r, fake_clock + 1000);

	if (!err)
		*handle = rep.handle;
	return err;
}

static int dma_unmap(const struct client *c, uint64_t handle)
{
	return call(c, PLATFORM_DMA_UNMAP, handle, 0, 8, -1, NULL);
}

/* --- tests ---------------------------------------------------------------- */

static void test_open(void)
{
	struct client c;

	start();
	ok(client_open(&c, "stranger", 65536, 64) == -EACCES, "no policy");
	ok(client_open(&c, "a", 4095, 64) == -EDQUOT, "too little memory");
	ok(client_open(&c, "a", 65536, 3) == -EDQUOT, "too few capabilities");
	ok(client_open(&c, "a -> x", 65536, 64) == 0, "a policy");
	ok(call(&c, 0, 0, 0, 8, -1, NULL) == -ENOSYS &&
	   call(&c, 99, 0, 0, 8, -1, NULL) == -ENOSYS &&
	   call(&c, ~0ull, 0, 0, 8, -1, NULL) == -ENOSYS, "no such method");
	client_close(&c);
}

static void test_ownership(void)
{
	struct client a, b;
	uint64_t handle = 0;
	int mem = pith_mem_create(-1, 8192, 0);

	start();
	client_open(&a, "a", 1 << 20, 100);
	client_open(&b, "b", 1 << 20, 100);
	ok(acquire(&a, 1) == -ENOENT && acquire(&a, 2) == -ENOENT &&
	   acquire(&a, 3) == -ENOENT && acquire(&a, ~0u) == -ENOENT,
	   "a device that is not shown does not exist");
	ok(io_mem(&a, 0, 0) == -EACCES && irq(&a, 0, 0) == -EACCES &&
	   dma_map(&a, 0, mem, &handle) == -EACCES &&
	   call(&a, PLATFORM_RELEASE, 0, 0, 8, -1, NULL) == -EACCES,
	   "nothing before ACQUIRE");
	ok(acquire(&a, 0) == 0 && strstr(order, "reset"), "reset first");
	ok(acquire(&a, 0) == -EBUSY && acquire(&b, 0) == -EBUSY,
	   "one owner at a time");
	ok(io_mem(&b, 0, 0) == -EACCES && irq(&b, 0, 0) == -EACCES &&
	   dma_map(&b, 0, mem, &handle) == -EACCES &&
	   call(&b, PLATFORM_RELEASE, 0, 0, 8, -1, NULL) == -EACCES,
	   "the other one gets nothing of it");
	ok(call(&a, PLATFORM_ACQUIRE, 0, 0, 4, -1, NULL) == -EINVAL &&
	   call(&a, PLATFORM_ACQUIRE, 1ull << 32, 0, 8, -1, NULL) == -EINVAL,
	   "short requests and reserved fields");
	ok(call(&a, PLATFORM_RELEASE, 0, 0, 8, -1, NULL) == 0 &&
	   acquire(&b, 0) == 0, "given back, it goes to the next");
	client_close(&a);
	client_close(&b);
	pith_close(mem);
}

static void test_resources(void)
{
	struct client a;
	uint64_t handle, stale;
	int mem = pith_mem_create(-1, 8192, 0);

	start();
	client_open(&a, "a", 1 << 20, 100);
	acquire(&a, 0);
	ok(io_mem(&a, 0, 0) == 0 && io_mem(&a, 0, 0) == 0 && open_mem == 1,
	   "registers, twice the same");
	ok(io_mem(&a, 0, 1) == -ENOENT && io_mem(&a, 0, 6) == -EINVAL &&
	   io_mem(&a, 0, ~0u) == -EINVAL, "no such BAR");
	ok(irq(&a, 0, 0) == 0 && irq(&a, 0, 3) == 0 && irq(&a, 0, 3) == 0 &&
	   open_msi == 2, "vectors");
	ok(irq(&a, 0, 4) == -ENOENT && irq(&a, 0, ~0u) == -ENOENT,
	   "no such vector");
	ok(!(config_space[0][PCI_COMMAND] & PCI_COMMAND_MASTER),
	   "no DMA before the first mapping");
	ok(dma_map(&a, 0, -1, &handle) == -EINVAL &&
	   dma_map(&a, 0, a.cap, &handle) == -EINVAL && !dma_mapped,
	   "what is no memory is not mapped");
	ok(dma_map(&a, 0, mem, &handle) == 0 &&
	   config_space[0][PCI_COMMAND] & PCI_COMMAND_MASTER, "a mapping");
	ok(call(&a, PLATFORM_DMA_ADDR, handle, 1, 16, -1, NULL) == 0 &&
	   call(&a, PLATFORM_DMA_ADDR, handle, 2, 16, -1, NULL) == -EINVAL &&
	   call(&a, PLATFORM_DMA_ADDR, handle, ~0ull, 16, -1, NULL) == -EINVAL,
	   "addresses within it only");
	ok(dma_unmap(&a, handle + 1) == -EINVAL && dma_unmap(&a, ~0ull) ==
	   -EINVAL && dma_unmap(&a, handle) == 0 && !dma_mapped, "unmapped");
	stale = handle;
	dma_map(&a, 0, mem, &handle);
	ok(stale != handle && dma_unmap(&a, stale) == -EINVAL && dma_mapped == 1,
	   "a stale handle is known as such");
	order[0] = 0;
	client_close(&a);
	ok(!strcmp(order, "stop reset dma msi msi mem "),
	   "the end: DMA off, reset, memory, vectors, registers (%s)", order);
	ok(!open_mem && !open_msi && !dma_mapped, "nothing is left");
	pith_close(mem);
}

static void test_others(void)
{
	struct client a, b;
	uint64_t handle;
	int mem = pith_mem_create(-1, 8192, 0);

	start();
	client_open(&a, "a", 1 << 20, 100);
	client_open(&b, "b", 1 << 20, 100);
	acquire(&a, 0);
	acquire(&b, 1);
	dma_map(&a, 0, mem, &handle);
	ok(dma_unmap(&b, handle) == -EINVAL &&
	   call(&b, PLATFORM_DMA_ADDR, handle, 0, 16, -1, NULL) == -EINVAL &&
	   dma_mapped == 1, "a mapping of another session does not exist");
	order[0] = 0;
	client_close(&b);
	ok(dma_mapped == 1 && config_space[0][PCI_COMMAND] & PCI_COMMAND_MASTER,
	   "the end of one leaves the other alone");
	mem_busy = 1;
	ok(io_mem(&a, 0, 0) == -EBUSY && irq(&a, 0, 0) == -EBUSY,
	   "registers that a former owner still holds");
	mem_busy = 0;
	ok(io_mem(&a, 0, 0) == 0, "until it lets go");
	client_close(&a);
	pith_close(mem);
}

static void test_flood(void)
{
	unsigned int i, n, fds = fake_open_fds();
	uint64_t handles[100];
	struct client a;
	int mem;

	start();
	client_open(&a, "a", 8192, 4 + 10);
	acquire(&a, 0);
	ok(io_mem(&a, 0, 0) == -EDQUOT && irq(&a, 0, 0) == -EDQUOT &&
	   !open_mem && !open_msi, "resources want to be paid");
	mem = pith_mem_create(-1, 4096, 0);
	for (n = 0; n < 100 && !dma_map(&a, 0, mem, &handles[n]); n++)
		;
	ok(n == 10, "so do mappings");
	for (i = 0; i < n; i++)
		dma_unmap(&a, handles[i]);
	for (i = 0; i < 2000; i++)
		if (dma_map(&a, 0, mem, &handles[0]) ||
		    dma_unmap(&a, handles[0]))
			break;
	ok(i == 2000, "what is given back is credited");
	client_close(&a);
	client_open(&a, "a", 1 << 20, 1000);
	acquire(&a, 0);
	for (n = 0; n < 100 && !dma_map(&a, 0, mem, &handles[n]); n++)
		;
	ok(n == 64, "mappings of a session are bounded");
	for (i = 0; i < 50; i++)
		if (call(&a, PLATFORM_RELEASE, 0, 0, 8, -1, NULL) ||
		    acquire(&a, 0) || io_mem(&a, 0, 0) || irq(&a, 0, 1))
			break;
	ok(i == 50 && open_mem == 1 && open_msi == 1, "release and again");
	client_close(&a);
	pith_close(mem);
	ok(fake_open_fds() == fds && !fake_mappings, "nothing is lost");
}

int main(void)
{
	fake_quiet = 1;
	test_open();
	test_ownership();
	test_resources();
	test_others();
	test_flood();
	return tap_end();
}
