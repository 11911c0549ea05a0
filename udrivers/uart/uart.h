/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550A logic: detection, set-up, moving bytes between the chip and two rings.
 * Reaches the chip only through struct uart_port, never waits and knows nothing
 * of sessions, so that it runs against a model of the chip as well.
 */
#ifndef UART_H
#define UART_H

#include "ring.h"

#define UART_RX_SIZE	4096	/* bytes typed and not read yet */
#define UART_TX_SIZE	16384	/* bytes taken from the client and not sent yet */

/* Access to a register: @reg is UART_RBR .. UART_SCR. */
struct uart_port {
	uint8_t (*in)(void *ctx, unsigned int reg);
	void (*out)(void *ctx, unsigned int reg, uint8_t value);
	void *ctx;
};

struct uart_counters {
	uint64_t rx, tx;	/* bytes */
	uint64_t overrun;	/* the chip lost bytes: we were late */
	uint64_t dropped;	/* the receive ring was full: the client was late */
	uint64_t framing;	/* bytes with a framing or parity error, not kept */
	uint64_t breaks;
	uint64_t stuck;		/* interrupt asserted, but nothing to do */
};

struct uart {
	struct uart_port port;
	unsigned int depth;	/* bytes the transmitter takes at once: 1 or 16 */
	uint8_t ier;		/* as last written */
	struct uart_counters count;
	struct ring rx, tx;
	uint8_t rx_data[UART_RX_SIZE];
	uint8_t tx_data[UART_TX_SIZE];
};

/*
 * Find the chip and set it to @baud, 8N1, interrupts on. Returns
 *   -EINVAL  @baud is 0 or does not divide 115200
 *   -ENODEV  nothing answers at these ports (scratchpad, all bits set)
 *   -EIO     something answers, but the loopback of the modem lines fails
 * An error leaves the chip's interrupts off.
 */
int uart_init(struct uart *u, const struct uart_port *port, uint32_t baud);

/* What uart_service() found, as bits. */
#define UART_EV_RX	1u	/* bytes were added to the receive ring */
#define UART_EV_TX	2u	/* bytes were taken from the transmit ring */
#define UART_EV_MORE	4u	/* stopped before it was done: call again soon */
#define UART_EV_GONE	8u	/* the chip does not answer any more */

/*
 * Do all the chip asks for. On return without UART_EV_MORE its interrupt output
 * is low, so that the next event makes a new edge. The work of one call is
 * bounded, whatever the chip says.
 */
unsigned int uart_service(struct uart *u);

/* Queue bytes for sending, as many as fit; call uart_service() then. */
size_t uart_write(struct uart *u, const void *data, size_t len);
size_t uart_read(struct uart *u, void *data, size_t size);

/* 1 if all that was queued has left the chip. */
int uart_drained(struct uart *u);

#endif
