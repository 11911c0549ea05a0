/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the 16550A family.
 *
 * [PC16550D] National Semiconductor, PC16550D Universal Asynchronous
 *	      Receiver/Transmitter with FIFOs, June 1995 (TL/C/8652).
 *
 * Offsets are bytes from the base port ([PC16550D] section 8.0, Table I).
 */
#ifndef UART_REGS_H
#define UART_REGS_H

#define UART_PORTS	8	/* I/O ports of one chip */

#define UART_RBR	0	/* read, DLAB = 0: receiver buffer */
#define UART_THR	0	/* write, DLAB = 0: transmitter holding register */
#define UART_DLL	0	/* DLAB = 1: divisor latch, low byte */
#define UART_DLM	1	/* DLAB = 1: divisor latch, high byte */

/* Interrupt enable, DLAB = 0 (section 8.7) */
#define UART_IER	1
#define UART_IER_RX	0x01	/* received data available, and time-out */
#define UART_IER_THRE	0x02	/* transmitter holding register empty */
#define UART_IER_LINE	0x04	/* receiver line status: errors */
#define UART_IER_MODEM	0x08	/* modem status */

/* Interrupt identification, read (section 8.6, Table IV) */
#define UART_IIR	2
#define UART_IIR_NONE	0x01	/* 1: no interrupt is pending */
#define UART_IIR_FIFO	0xc0	/* both set: the FIFOs are on and work */

/* FIFO control, write (section 8.5) */
#define UART_FCR	2
#define UART_FCR_ENABLE	0x01
#define UART_FCR_RX_RST	0x02	/* clears itself */
#define UART_FCR_TX_RST	0x04	/* clears itself */
#define UART_FCR_TRIG8	0x80	/* receive interrupt at 8 of 16 bytes */

/* Line control (section 8.1) */
#define UART_LCR	3
#define UART_LCR_8N1	0x03	/* 8 data bits, no parity, 1 stop bit */
#define UART_LCR_DLAB	0x80	/* divisor latches at offsets 0 and 1 */

/* Modem control (section 8.8) */
#define UART_MCR	4
#define UART_MCR_DTR	0x01
#define UART_MCR_RTS	0x02
#define UART_MCR_OUT2	0x08	/* on a PC: gate between INTR and the line */
#define UART_MCR_LOOP	0x10	/* outputs are wired to the status inputs */

/* Line status (section 8.4) */
#define UART_LSR	5
#define UART_LSR_DR	0x01	/* a received byte waits */
#define UART_LSR_OE	0x02	/* overrun: bytes were lost in the chip */
#define UART_LSR_PE	0x04
#define UART_LSR_FE	0x08	/* framing: no stop bit */
#define UART_LSR_BI	0x10	/* break */
#define UART_LSR_THRE	0x20	/* holding register (FIFO) is empty */
#define UART_LSR_TEMT	0x40	/* shift register is empty too */
#define UART_LSR_ERRORS	(UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)

/* Modem status (section 8.9). In loopback mode bits 7..4 mirror OUT2, OUT1,
 * DTR and RTS of the modem control register (section 8.8, bit 4). */
#define UART_MSR	6
#define UART_MSR_CTS	0x10	/* loopback: RTS */
#define UART_MSR_DSR	0x20	/* loopback: DTR */
#define UART_MSR_RI	0x40	/* loopback: OUT1 */
#define UART_MSR_DCD	0x80	/* loopback: OUT2 */
#define UART_MSR_LINES	0xf0

/* Scratchpad: keeps what is written, does nothing (section 8.10) */
#define UART_SCR	7

#define UART_CLOCK	1843200u	/* Hz on a PC; 16 clocks per bit (8.3) */
#define UART_BAUD_MAX	(UART_CLOCK / 16)
#define UART_DIVISOR_MAX 0xffffu
#define UART_FIFO_DEPTH	16	/* section 8.11 */

#endif
