// SPDX-License-Identifier: BSD-2-Clause
/* Sessions at core for pieces of the machine: see hw.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pith/rpc.h>
#include <session/core.h>
#include <session/parent.h>

#include "../lib/mmio.h"
#include "hw.h"

#define PAGE		4096ull
#define ECAM_BUS	(1ull << 20)	/* 32 devices, 8 functions, 4 KiB */
#define OPEN_TIMEOUT	PITH_SEC(5)

/* Open a session and fetch the one capability it is for. */
static int open_resource(struct session *s, int *cap, const char *service,
			 const char *args, uint64_t method, struct rpc *r)
{
	uint64_t deadline = pith_now() + OPEN_TIMEOUT;
	int err = env_session(s, service, "", args, NULL, deadline);

	*cap = -1;
	if (err < 0)
		return err;
	r->rep_caps = cap;
	r->nrep_caps = 1;
	err = rpc_call(s->cap, method, r, deadline);
	if (!err && *cap < 0)
		err = -EPROTO;
	if (err)
		env_close(s);
	return err;
}

static void close_resource(struct session *s, int *cap)
{
	pith_close(*cap);
	*cap = -1;
	env_close(s);
}

int hw_mem_open(struct hw_mem *m, uint64_t base, uint64_t size,
		enum hw_cache cache)
{
	char args[PARENT_ARGS_MAX];
	struct rpc r = { 0 };

	snprintf(args, sizeof(args), "base=%llu, size=%llu, cache=%s",
		 (unsigned long long)base, (unsigned long long)size,
		 cache == HW_CACHED ? "cached" : "uc");
	m->size = size;
	return open_resource(&m->session, &m->cap, "IO_MEM", args,
			     IO_MEM_DATASPACE, &r);
}

void hw_mem_close(struct hw_mem *m)
{
	close_resource(&m->session, &m->cap);
}

int hw_msi_open(struct hw_msi *irq)
{
	struct irq_reply rep;
	struct rpc r = { .rep = &rep, .rep_len = sizeof(rep) };
	int err = open_resource(&irq->session, &irq->cap, "IRQ", "type=msi",
				IRQ_CAP, &r);

	if (err)
		return err;
	irq->address = rep.msi_address;
	irq->data = rep.msi_data;
	return 0;
}

void hw_msi_close(struct hw_msi *irq)
{
	close_resource(&irq->session, &irq->cap);
}

/* --- single registers ----------------------------------------------------- */

static int port_open(struct session *s, int *cap, uint16_t port, uint32_t width)
{
	char args[PARENT_ARGS_MAX];
	struct rpc r = { 0 };

	snprintf(args, sizeof(args), "base=%u, size=%u", port, width);
	return open_resource(s, cap, "IO_PORT", args, IO_PORT_CAP, &r);
}

int64_t hw_read_port(uint16_t port, uint32_t width)
{
	struct session s;
	int64_t value;
	int cap;

	value = port_open(&s, &cap, port, width);
	if (value < 0)
		return value;
	value = pith_port_in(cap, 0, width);
	close_resource(&s, &cap);
	return value;
}

static int write_memory(uint64_t address, uint8_t value)
{
	struct hw_mem m;
	void *map;
	int err = hw_mem_open(&m, address & ~(PAGE - 1), PAGE, HW_UNCACHED);

	if (err)
		return err;
	map = pith_map(m.cap, 0, PAGE, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (map) {
		mmio_write8(map, address & (PAGE - 1), value);
		pith_unmap(map, PAGE);
	}
	hw_mem_close(&m);
	return map ? 0 : err;
}

int hw_write(const struct acpi_register *r, uint32_t width, uint32_t value)
{
	struct session s;
	int cap, err;

	if (r->space == ACPI_MEMORY && width == 1)
		return write_memory(r->address, value);
	if (r->space != ACPI_IO || r->address > 0xffff)
		return -EOPNOTSUPP;
	err = port_open(&s, &cap, r->address, width);
	if (err)
		return err;
	err = pith_port_out(cap, 0, width, value);
	close_resource(&s, &cap);
	return err;
}

/* --- physical memory ------------------------------------------------------ */

int hw_read_phys(void *ctx, uint64_t phys, void *buf, size_t len)
{
	uint64_t base = phys & ~(PAGE - 1), skip = phys - base;
	uint64_t size = (skip + len + PAGE - 1) & ~(PAGE - 1);
	struct hw_mem m;
	void *map;
	int err;

	(void)ctx;
	err = hw_mem_open(&m, base, size, HW_CACHED);
	if (err)
		return err;
	map = pith_map(m.cap, 0, size, PITH_MAP_READ, &err);
	if (map) {
		memcpy(buf, (char *)map + skip, len);
		pith_unmap(map, size);
	}
	hw_mem_close(&m);
	return map ? 0 : err;
}

/* [ACPI] 5.2.5.1: the first KiB of the EBDA, then the BIOS area. */
static uint64_t scan_rsdp(uint64_t start, size_t len)
{
	uint8_t *copy = malloc(len);
	long at = -1;

	if (copy && hw_read_phys(NULL, start, copy, len) == 0)
		at = acpi_find_rsdp(copy, len);
	free(copy);
	return at < 0 ? 0 : start + at;
}

uint64_t hw_find_rsdp(int pd)
{
	struct pith_hw_info info = { 0 };
	uint16_t ebda = 0;	/* segment of the EBDA: BIOS data area, 0x40e */
	uint64_t rsdp;

	if (rpc_simple(pd, PD_HW_INFO, NULL, 0, &info, sizeof(info),
		       pith_now() + OPEN_TIMEOUT) == 0 && info.rsdp)
		return info.rsdp;
	if (hw_read_phys(NULL, 0x40e, &ebda, sizeof(ebda)) == 0 &&
	    ebda >= 0x4000 && ebda < 0xa000) {
		rsdp = scan_rsdp((uint64_t)ebda << 4, 1024);
		if (rsdp)
			return rsdp;
	}
	return scan_rsdp(0xe0000, 0x20000);
}

/* --- config space: [PCIFW] 4.1.1 ------------------------------------------ */

int hw_ecam_open(struct hw_ecam *e, uint8_t bus)
{
	struct hw_ecam_bus *b;
	unsigned int i;
	int err;

	if (e->buses[bus])
		return 0;
	for (i = 0; i < e->acpi->necam; i++)
		if (bus >= e->acpi->ecam[i].first &&
		    bus <= e->acpi->ecam[i].last)
			break;
	if (i == e->acpi->necam)
		return -ENOENT;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	err = hw_mem_open(&b->mem, e->acpi->ecam[i].base + bus * ECAM_BUS,
			  ECAM_BUS, HW_UNCACHED);
	if (err)
		goto err_free;
	b->map = pith_map(b->mem.cap, 0, ECAM_BUS,
			  PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!b->map)
		goto err_close;
	e->buses[bus] = b;
	return 0;

err_close:
	hw_mem_close(&b->mem);
err_free:
	free(b);
	return err;
}

void hw_ecam_close(struct hw_ecam *e, uint8_t bus)
{
	struct hw_ecam_bus *b = e->buses[bus];

	if (!b)
		return;
	e->buses[bus] = NULL;
	pith_unmap(b->map, ECAM_BUS);
	hw_mem_close(&b->mem);
	free(b);
}

static void *config_base(struct hw_ecam *e, uint16_t bdf, uint64_t *offset)
{
	struct hw_ecam_bus *b = e->buses[bdf >> 8];

	*offset += (uint64_t)(bdf & 0xff) << 12;
	return b ? b->map : NULL;
}

uint32_t hw_config_read(void *ctx, uint16_t bdf, uint32_t offset,
			uint32_t width)
{
	uint64_t at = offset;
	void *base = config_base(ctx, bdf, &at);

	if (!base)
		return ~0u >> (32 - 8 * width);
	switch (width) {
	case 1:
		return mmio_read8(base, at);
	case 2:
		return mmio_read16(base, at);
	default:
		return mmio_read32(base, at);
	}
}

void hw_config_write(void *ctx, uint16_t bdf, uint32_t offset, uint32_t width,
		     uint32_t value)
{
	uint64_t at = offset;
	void *base = config_base(ctx, bdf, &at);

	if (!base)
		return;
	switch (width) {
	case 1:
		mmio_write8(base, at, value);
		break;
	case 2:
		mmio_write16(base, at, value);
		break;
	default:
		mmio_write32(base, at, value);
	}
}

void hw_sleep_ms(void *ctx, uint32_t ms)
{
	(void)ctx;
	sleep_until(pith_now() + PITH_MS(ms));
}
