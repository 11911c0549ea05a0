// SPDX-License-Identifier: BSD-2-Clause
/* The NVMe driver: brings platform, controller and Block service together. */
#include <errno.h>
#include <stdlib.h>

#include <pith/env.h>

#include "../lib/mmio.h"
#include "../lib/platform_client.h"
#include "nvme_block.h"

#define START_TIMEOUT	PITH_SEC(30)
#define NVME_CLASS	0x010802
#define DEVICES_MAX	8

/* For the platform driver's books: registers, one interrupt, and a mapping for
 * the queues and for the data area of each session, two while it reconnects. */
static const struct session_quota platform_quota = {
	.ram = 64 << 10, .caps = 4 + 2 * 10 + 1 + 2 * NVME_SESSIONS,
};

static struct nvme_driver driver;

/* --- controller access ---------------------------------------------------- */

static uint32_t read_reg(void *ctx, uint32_t reg)
{
	const struct nvme_driver *d = ctx;

	return mmio_read32(d->bar, reg);
}

static void write_reg(void *ctx, uint32_t reg, uint32_t value)
{
	const struct nvme_driver *d = ctx;

	mmio_write32(d->bar, reg, value);
}

static void interrupt(void *ctx, uint64_t count)
{
	struct nvme_driver *d = ctx;

	(void)count;
	/* First let the next one come, then look: none is lost in between. */
	pith_irq_ack(d->irq);
	nvme_poll(&d->nvme);
	nvme_block_pump(d);
}

static void tick(void *ctx)
{
	struct nvme_driver *d = ctx;

	d->tick.at = PITH_NO_DEADLINE;
	nvme_tick(&d->nvme);
	nvme_block_pump(d);
}

/* Nobody keeps memory for the device any more, or stops it if this process dies:
 * end now, and let the next platform driver reset the device. */
static void platform_gone(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
	env_fatal("the platform driver is gone");
}

/* --- start ---------------------------------------------------------------- */

static void open_platform(struct nvme_driver *d)
{
	uint64_t badge;
	int err, notif;

	err = env_session(&d->platform, "Platform", "", "", &platform_quota,
			  pith_now() + START_TIMEOUT);
	if (err)
		env_fatal("Platform session: error %d", -err);
	notif = ep_new_notification(&d->ep, platform_gone, NULL, &badge);
	err = notif < 0 ? notif : pith_ep_watch(d->platform.cap, notif);
	if (err)
		env_fatal("Platform session: error %d", -err);
}

static void read_config(struct nvme_driver *d)
{
	static struct rom rom;
	struct hid_error error;
	size_t size;
	void *arena;

	if (rom_open(&rom, "config") < 0)
		return;
	size = HID_ARENA_SIZE(rom.size);
	arena = rom.size <= HID_TEXT_MAX ? malloc(size) : NULL;
	if (!arena)
		env_fatal("config: no memory");
	if (hid_parse(rom.data, rom.size, arena, size, &d->config, &error))
		env_fatal("config:%u:%u: %s", error.line, error.col,
			  error.text);
}

static void find_device(struct nvme_driver *d)
{
	struct platform_device devices[DEVICES_MAX];
	uint32_t iommu;
	int i, n, found = 0;

	n = platform_devices(&d->platform, devices, DEVICES_MAX, &iommu);
	for (i = 0; i < n; i++) {
		const struct platform_device *p = &devices[i];
		uint32_t class = p->class_code << 16 | p->subclass << 8 |
				 p->prog_if;

		if (class != NVME_CLASS)
			continue;
		if (!found++)
			d->device = p->index;
		else
			log_line("device %04x is left to another driver",
				 p->bdf);
	}
	if (!found)
		env_fatal("no NVMe controller (%d devices)", n);
}

static void open_device(struct nvme_driver *d)
{
	uint64_t badge;
	int err, notif;

	err = platform_acquire(&d->platform, d->device);
	if (err)
		env_fatal("acquire: error %d", -err);
	d->bar = platform_map_bar(&d->platform, d->device, 0,
				  &d->nvme.bar_size, &err);
	if (!d->bar || d->nvme.bar_size < NVME_PAGE)
		env_fatal("registers: error %d", -err);
	d->irq = platform_irq(&d->platform, d->device, 0);
	notif = ep_new_notification(&d->ep, interrupt, d, &badge);
	if (d->irq < 0 || notif < 0)
		env_fatal("interrupt: error %d", d->irq < 0 ? -d->irq : -notif);
	err = pith_irq_bind(d->irq, notif);
	if (err)
		env_fatal("interrupt: error %d", -err);
}

static void make_memory(struct nvme_driver *d)
{
	uint64_t handle;
	int err, mem;

	mem = pith_mem_create(-1, NVME_MEM_PAGES * NVME_PAGE, 0);
	if (mem < 0)
		env_fatal("memory for queues: error %d", -mem);
	d->nvme.mem = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!d->nvme.mem)
		env_fatal("memory for queues: error %d", -err);
	err = platform_dma_map(&d->platform, d->device, mem, d->nvme.mem_bus,
			       NVME_MEM_PAGES, &handle);
	if (err)
		env_fatal("DMA: error %d", -err);
}

static void start_controller(struct nvme_driver *d)
{
	struct nvme *c = &d->nvme;
	unsigned int i;

	c->ops = (struct nvme_ops){ read_reg, write_reg, nvme_block_done, d };
	c->timeout = PITH_MS(d->config ?
			     hid_number(d->config, "timeout_ms", 10000) : 10000);
	if (nvme_start(c) < 0 || nvme_identify(c) < 0)
		env_fatal("the controller cannot be started");
	log_line("%s, serial %s, firmware %s", c->model, c->serial,
		 c->firmware);
	log_line("queue of %u, 1 vector, %u KiB a command, write cache: %s",
		 c->io.size, c->max_bytes >> 10, c->write_cache ? "yes" : "no");
	for (i = 0; i < c->namespaces; i++)
		log_line("namespace %u: %llu blocks of %u bytes%s", c->ns[i].id,
			 (unsigned long long)c->ns[i].blocks,
			 c->ns[i].block_size,
			 c->ns[i].read_only ? ", write protected" : "");
	if (!c->namespaces)
		log_error("no namespace can be used");
}

int component_main(void)
{
	struct nvme_driver *d = &driver;
	static struct service block = {
		.name = "Block", .open = nvme_block_open,
		.close = nvme_block_close, .ctx = &driver,
	};
	int err = ep_init(&d->ep);

	if (err)
		env_fatal("entrypoint: error %d", -err);
	d->tick = (struct ep_timer){
		.at = PITH_NO_DEADLINE, .fire = tick, .ctx = d,
	};
	read_config(d);
	open_platform(d);
	find_device(d);
	open_device(d);
	make_memory(d);
	start_controller(d);
	err = service_announce(&d->ep, &block, 1);
	if (err)
		env_fatal("announce: error %d", -err);
	ep_run(&d->ep);
}
