// SPDX-License-Identifier: BSD-2-Clause
/* The first UART of a PC. */
#include "../source.h"
#include "arch.h"

#define COM1	0x3f8

/* 16550: registers and the bits used here (PC16550D, table II). */
#define UART_IER	1	/* interrupt enable */
#define UART_IIR	2	/* interrupt identification, read clears THRE */
#define UART_MCR	4
#define IER_THRE	2	/* transmitter empty */
#define MCR_OUT2	8	/* gates the interrupt line on a PC */

long source_open(void)
{
	struct pith_io_port a = { COM1, 8 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a);
}

long source_irq(void)
{
	struct pith_irq a = { .gsi = KT_GSI };

	return kt_control(kt_hardware, PITH_OP_HW_IRQ, &a);
}

static void out(int ports, uint32_t offset, uint32_t value)
{
	struct pith_port a = { .offset = offset, .width = 1, .value = value };

	KT_EQ(kt_control(ports, PITH_OP_PORT_OUT, &a), 0);
}

static void clear(int ports)
{
	struct pith_port a = { .offset = UART_IIR, .width = 1 };

	KT_EQ(kt_control(ports, PITH_OP_PORT_IN, &a), 0);
}

/* The transmitter is empty: allowing its interrupt raises one at once. */
void source_interrupt(int ports)
{
	out(ports, UART_IER, 0);
	clear(ports);
	out(ports, UART_MCR, MCR_OUT2);
	out(ports, UART_IER, IER_THRE);
}

void source_quiet(int ports)
{
	out(ports, UART_IER, 0);
	clear(ports);
}

long quiet_irq(void)
{
	struct pith_msi a = { 0 };

	return kt_control(kt_hardware, PITH_OP_HW_MSI, &a);
}
