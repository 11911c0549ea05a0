// SPDX-License-Identifier: BSD-2-Clause
/*
 * A real device, as a driver would use it: QEMU's "edu" (docs/specs/edu.rst):
 * registers through device memory, message-signalled interrupts, DMA.
 */
#include <string.h>
#include "arch.h"
#include "kt.h"

/* PCI configuration mechanism #1 (PCI 3.0, 3.2.2.3.2). */
#define CONFIG_ADDRESS	0	/* offsets in ports 0xcf8 .. 0xcff */
#define CONFIG_DATA	4
#define PCI_COMMAND	0x04
#define   COMMAND_MEMORY	2
#define   COMMAND_MASTER	4
#define PCI_BAR0	0x10
#define PCI_CAPS	0x34
#define CAP_MSI		0x05
#define   MSI_ENABLE	(1u << 16)	/* in the dword of the capability */
#define   MSI_64BIT	(1u << 23)

#define EDU_ID		0x11e81234u
#define EDU_SIZE	(1u << 20)

/* Registers of edu. */
#define EDU_MAGIC	0x00	/* 0xRRrr00ed */
#define EDU_LIVE	0x04	/* reads as the inverse of what was written */
#define EDU_RAISE	0x60
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define   DMA_RUN	1
#define   DMA_TO_RAM	2
#define EDU_BUFFER	0x40000	/* device's own memory, by DMA only */

struct edu {
	int ports, bar, irq, ep, notif;
	uint32_t devfn;
	volatile uint32_t *regs;
	uint32_t msi;		/* offset of the capability */
};

static uint32_t port(struct edu *e, uint32_t op, uint32_t offset,
		     uint32_t value)
{
	struct pith_port a = { offset, 4, value, 0 };

	KT_EQ(kt_control(e->ports, op, &a), 0);
	return a.value;
}

static uint32_t cfg_read(struct edu *e, uint32_t reg)
{
	port(e, PITH_OP_PORT_OUT, CONFIG_ADDRESS,
	     0x80000000u | e->devfn << 8 | reg);
	return port(e, PITH_OP_PORT_IN, CONFIG_DATA, 0);
}

static void cfg_write(struct edu *e, uint32_t reg, uint32_t value)
{
	port(e, PITH_OP_PORT_OUT, CONFIG_ADDRESS,
	     0x80000000u | e->devfn << 8 | reg);
	port(e, PITH_OP_PORT_OUT, CONFIG_DATA, value);
}

static uint32_t find_cap(struct edu *e, uint8_t id)
{
	uint32_t at = cfg_read(e, PCI_CAPS) & 0xfc;

	for (int i = 0; at && i < 48; i++) {
		uint32_t cap = cfg_read(e, at);

		if ((cap & 0xff) == id)
			return at;
		at = cap >> 8 & 0xfc;
	}
	return 0;
}

static bool edu_find(struct edu *e)
{
	struct pith_io_port a = { 0xcf8, 8 };

	memset(e, 0, sizeof(*e));
	e->ports = KT_FD(kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a));
	for (e->devfn = 0; e->devfn < 256; e->devfn++)
		if (cfg_read(e, 0) == EDU_ID)
			return true;
	KT_FAIL("no edu device: run with -device edu");
	kt_close(e->ports);
	return false;
}

static bool edu_open(struct edu *e)
{
	struct pith_io_mem a = { .size = EDU_SIZE };
	void *p;

	if (!KT_HAS_PORTS || !KT_HAS_MSI) {
		kt_skip("PCI by ports, message-signalled interrupts");
		return false;
	}
	if (!edu_find(e))
		return false;
	e->msi = find_cap(e, CAP_MSI);
	cfg_write(e, PCI_COMMAND, COMMAND_MEMORY | COMMAND_MASTER);
	a.base = cfg_read(e, PCI_BAR0) & ~0xfu;
	e->bar = KT_FD(kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a));
	p = kt_map(e->bar, 0, EDU_SIZE, KT_R | KT_W);
	KT_NEED(!kt_is_error(p));
	e->regs = p;
	e->ep = KT_FD(kt_ep_create());
	e->notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(e->notif, e->ep, 4), 0);
	return true;
}

static void edu_close(struct edu *e)
{
	cfg_write(e, PCI_COMMAND, COMMAND_MEMORY);
	kt_unmap((void *)e->regs, EDU_SIZE);
	kt_close(e->bar);
	kt_close(e->ports);
	kt_close(e->notif);
	kt_close(e->ep);
}

static void msi_bind(struct edu *e)
{
	struct pith_fd_arg bind = { e->notif, 0 };

	KT_EQ(kt_control(e->irq, PITH_OP_IRQ_BIND, &bind), 0);
}

/* Vector of our own into the device's capability, not bound yet. */
static void msi_enable(struct edu *e)
{
	struct pith_msi msi = { 0 };
	uint32_t head = cfg_read(e, e->msi);

	e->irq = KT_FD(kt_control(kt_hardware, PITH_OP_HW_MSI, &msi));
	cfg_write(e, e->msi + 4, msi.address);
	if (head & MSI_64BIT) {
		cfg_write(e, e->msi + 8, msi.address >> 32);
		cfg_write(e, e->msi + 12, msi.data);
	} else {
		cfg_write(e, e->msi + 8, msi.data);
	}
	cfg_write(e, e->msi, head | MSI_ENABLE);
}

static void msi_on(struct edu *e)
{
	msi_enable(e);
	msi_bind(e);
}

static void msi_off(struct edu *e)
{
	cfg_write(e, e->msi, cfg_read(e, e->msi) & ~MSI_ENABLE);
	kt_close(e->irq);
}

static void raise(struct edu *e)
{
	e->regs[EDU_RAISE / 4] = 1;
}

static void quiet(struct edu *e)
{
	e->regs[EDU_IRQ_ACK / 4] = ~0u;
}

static long ack(struct edu *e)
{
	return kt_control(e->irq, PITH_OP_IRQ_ACK, NULL);
}

KT_CORE(device_registers)
{
	struct edu e;

	if (!edu_open(&e))
		return;
	KT_EQ(e.regs[EDU_MAGIC / 4] & 0xff, 0xed);
	for (uint32_t i = 1; i; i <<= 1) {
		e.regs[EDU_LIVE / 4] = i;
		KT_EQ(e.regs[EDU_LIVE / 4], (uint32_t)~i);
	}
	edu_close(&e);
}

KT_CORE(device_msi)
{
	struct edu e;

	if (!edu_open(&e))
		return;
	msi_on(&e);
	for (int i = 0; i < 200; i++) {
		raise(&e);
		if (!kt_wait_note(e.ep, 4, 1))
			break;
		quiet(&e);
		KT_EQ(ack(&e), 0);
	}
	KT_EQ(kt_wait(e.ep, KT_NOT_SOON), -ETIMEDOUT);
	msi_off(&e);
	edu_close(&e);
}

/* What came before the driver listened is told when it does. */
KT_CORE(device_msi_before_bind)
{
	struct edu e;

	if (!edu_open(&e))
		return;
	msi_enable(&e);
	raise(&e);
	quiet(&e);
	KT_EQ(kt_wait(e.ep, KT_NOT_SOON), -ETIMEDOUT);
	msi_bind(&e);
	kt_wait_note(e.ep, 4, 1);
	KT_EQ(ack(&e), 0);
	KT_EQ(kt_wait(e.ep, KT_NOT_SOON), -ETIMEDOUT);
	msi_off(&e);
	edu_close(&e);
}

/* A storm wakes the driver once until it says that it has seen it. */
KT_CORE(device_msi_storm)
{
	struct edu e;

	if (!edu_open(&e))
		return;
	msi_on(&e);
	for (int i = 0; i < 1000; i++)
		raise(&e);
	kt_wait_note(e.ep, 4, 1);
	for (int i = 0; i < 1000; i++)
		raise(&e);
	KT_EQ(kt_wait(e.ep, KT_NOT_SOON), -ETIMEDOUT);
	quiet(&e);
	/* what came meanwhile is one interrupt more, not a thousand */
	KT_EQ(ack(&e), 0);
	kt_wait_note(e.ep, 4, 1);
	KT_EQ(ack(&e), 0);
	KT_EQ(kt_wait(e.ep, KT_NOT_SOON), -ETIMEDOUT);
	msi_off(&e);
	edu_close(&e);
}

/* The driver is gone, its device still sends: the machine goes on. */
KT_CORE(device_msi_after_close)
{
	struct edu e;

	if (!edu_open(&e))
		return;
	for (int i = 0; i < 10; i++) {
		msi_on(&e);
		raise(&e);
		kt_wait_note(e.ep, 4, 1);
		kt_close(e.irq);	/* masked, and not disabled */
		for (int k = 0; k < 20; k++)
			raise(&e);
		quiet(&e);
	}
	msi_on(&e);
	raise(&e);
	kt_wait_note(e.ep, 4, 1);
	quiet(&e);
	msi_off(&e);
	edu_close(&e);
}

#define DMA_BYTES	2048	/* the device refuses to fill its buffer */

/* --- DMA ------------------------------------------------------------------- */

static bool dma(struct edu *e, uint64_t from, uint64_t to, uint32_t len,
		uint32_t direction)
{
	uint64_t end = KT_SOON;

	*(volatile uint64_t *)&e->regs[EDU_DMA_SRC / 4] = from;
	*(volatile uint64_t *)&e->regs[EDU_DMA_DST / 4] = to;
	*(volatile uint64_t *)&e->regs[EDU_DMA_COUNT / 4] = len;
	*(volatile uint64_t *)&e->regs[EDU_DMA_CMD / 4] = DMA_RUN | direction;
	while (e->regs[EDU_DMA_CMD / 4] & DMA_RUN) {
		if (kt_now() > end) {
			KT_FAIL("DMA does not end");
			return false;
		}
		kt_sleep(KT_MS(5));
	}
	return true;
}

/* Physical addresses are those of the pages that the mapping shows. */
KT_CORE(device_dma)
{
	uint64_t phys[4];
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	struct pith_mem_phys a = { mem, 4, 0, (uintptr_t)phys };
	uint8_t *p = kt_map(mem, 0, 4 * KT_PAGE, KT_R | KT_W);
	struct edu e;

	KT_NEED(!kt_is_error(p));
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &a), 0);
	if (!edu_open(&e))
		goto out;
	for (int i = 0; i < KT_PAGE; i++)
		p[2 * KT_PAGE + i] = i * 13 + (i >> 8);
	if (dma(&e, phys[2], EDU_BUFFER, DMA_BYTES, 0) &&
	    dma(&e, EDU_BUFFER, phys[1], DMA_BYTES, DMA_TO_RAM))
		KT_EQ(memcmp(p + KT_PAGE, p + 2 * KT_PAGE, DMA_BYTES), 0);
	KT_EQ(p[KT_PAGE + DMA_BYTES], 0);
	for (int i = 0; i < KT_PAGE; i++)
		if (p[i] || p[3 * KT_PAGE + i]) {
			KT_FAIL("byte %d beside it was written", i);
			break;
		}
	edu_close(&e);
out:
	kt_unmap(p, 4 * KT_PAGE);
	kt_close(mem);
}
