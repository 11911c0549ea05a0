// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a device's interrupt to its driver: QEMU's "edu" (docs/specs/edu.rst)
 * raises a message-signalled interrupt when a register is written.
 */
#include <pith/rpc.h>
#include "bench.h"

/* PCI configuration mechanism #1 (PCI 3.0, 3.2.2.3.2), from port 0xcf8. */
#define CONFIG_ADDRESS	0
#define CONFIG_DATA	4
#define PCI_COMMAND	0x04
#define   COMMAND_ON	6		/* memory, bus master */
#define PCI_BAR0	0x10
#define PCI_CAPS	0x34
#define CAP_MSI		0x05
#define   MSI_ENABLE	(1u << 16)	/* in the dword of the capability */
#define   MSI_64BIT	(1u << 23)

#define EDU_ID		0x11e81234u
#define EDU_RAISE	(0x60 / 4)
#define EDU_ACK		(0x64 / 4)

static int ports;
static uint32_t devfn;

static uint32_t read_config(uint32_t reg)
{
	pith_port_out(ports, CONFIG_ADDRESS, 4, 1u << 31 | devfn << 8 | reg);
	return pith_port_in(ports, CONFIG_DATA, 4);
}

static void write_config(uint32_t reg, uint32_t value)
{
	pith_port_out(ports, CONFIG_ADDRESS, 4, 1u << 31 | devfn << 8 | reg);
	pith_port_out(ports, CONFIG_DATA, 4, value);
}

static bool find(void)
{
	struct pith_io_port range = { 0xcf8, 8 };

	ports = pith_control(hardware, PITH_OP_HW_IO_PORT, &range);
	for (devfn = 0; ports >= 0 && devfn < 256; devfn++)
		if (read_config(0) == EDU_ID)
			return true;
	return false;
}

/* An interrupt of its own, enabled in the device's capability @at. */
static int enable(uint32_t at)
{
	struct pith_msi msi = { 0 };
	uint32_t head = read_config(at);
	int irq = pith_control(hardware, PITH_OP_HW_MSI, &msi);

	write_config(at + 4, msi.address);
	if (head & MSI_64BIT)
		write_config(at + 8, msi.address >> 32);
	write_config(at + (head & MSI_64BIT ? 12 : 8), msi.data);
	write_config(at, head | MSI_ENABLE);
	return irq;
}

static int setup_irq(void)
{
	uint32_t at = read_config(PCI_CAPS) & 0xfc;

	for (int i = 0; at && i < 48; i++) {
		if ((read_config(at) & 0xff) == CAP_MSI)
			return enable(at);
		at = read_config(at) >> 8 & 0xfc;
	}
	return -1;
}

static volatile uint32_t *registers(void)
{
	struct pith_io_mem io = { .size = 4096 };

	write_config(PCI_COMMAND, COMMAND_ON);
	io.base = read_config(PCI_BAR0) & ~0xfu;
	return pith_map(pith_control(hardware, PITH_OP_HW_IO_MEM, &io), 0, 0,
			PITH_MAP_READ | PITH_MAP_WRITE, NULL);
}

static void wake_up(int domain, int cpu, volatile uint32_t *regs, int irq)
{
	struct waker w;

	series_start();
	if (pith_waker(domain, cpu, &w) && !pith_irq_bind(irq, w.notif))
		for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
			uint64_t start = ticks();

			regs[EDU_RAISE] = 1;
			series_add(pith_woken_at(&w) - start);
			regs[EDU_ACK] = ~0u;
			pith_irq_ack(irq);
		}
	series_print("irq.pith.wake_insns_%s", cpu_name(cpu));
	pith_waker_end(&w);
}

void pith_device(int domain)
{
	volatile uint32_t *regs = find() ? registers() : NULL;
	int irq = regs ? setup_irq() : -1;

	if (irq < 0) {
		say("bench: no edu device");
		return;
	}
	for (int cpu = 0; cpu < cpus; cpu++)
		wake_up(domain, cpu, regs, irq);
}
