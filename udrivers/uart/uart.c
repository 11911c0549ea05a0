// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "uart.h"
#include "uart_regs.h"

/* One call of uart_service() moves at most this many bytes or FIFO loads, so
 * that a flood on the line cannot keep clients from being served. */
#define SERVICE_ROUNDS	2048
/* Rounds in a row that an interrupt may stay asserted with nothing to do. */
#define IDLE_ROUNDS	8

/* Left in the scratchpad, to tell a dead chip from a very broken line. */
#define SCRATCH_MARK	0x5a

static uint8_t in(struct uart *u, unsigned int reg)
{
	return u->port.in(u->port.ctx, reg);
}

static void out(struct uart *u, unsigned int reg, uint8_t value)
{
	u->port.out(u->port.ctx, reg, value);
}

static int scratch_holds(struct uart *u, uint8_t value)
{
	out(u, UART_SCR, value);
	return in(u, UART_SCR) == value;
}

/* An empty bus reads as all ones; some chip sets decode but do not store. */
static int chip_present(struct uart *u)
{
	return scratch_holds(u, 0xa5) && scratch_holds(u, SCRATCH_MARK) &&
	       in(u, UART_LSR) != 0xff;
}

/* [PC16550D] 8.8 bit 4: the four modem outputs come back as inputs at once. No
 * character is sent. RTS and OUT2 on, DTR and OUT1 off, and the reverse. */
static int loopback_works(struct uart *u)
{
	uint8_t first, second;

	out(u, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS | UART_MCR_OUT2);
	first = in(u, UART_MSR) & UART_MSR_LINES;
	out(u, UART_MCR, UART_MCR_LOOP | UART_MCR_DTR);
	second = in(u, UART_MSR) & UART_MSR_LINES;
	out(u, UART_MCR, 0);
	return first == (UART_MSR_CTS | UART_MSR_DCD) && second == UART_MSR_DSR;
}

/* [PC16550D] 8.3; the latches hide RBR, THR and IER meanwhile (8.1 bit 7). */
static void set_divisor(struct uart *u, uint32_t divisor)
{
	out(u, UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
	out(u, UART_DLL, divisor & 0xff);
	out(u, UART_DLM, divisor >> 8);
	out(u, UART_LCR, UART_LCR_8N1);
}

/* [PC16550D] 8.5, 8.6: bits 7 and 6 of IIR say whether FIFOs are there. Both
 * are set only by a 16550A; the first 16550 sets one and its FIFOs fail. */
static void set_fifo(struct uart *u)
{
	out(u, UART_FCR, UART_FCR_ENABLE | UART_FCR_RX_RST | UART_FCR_TX_RST |
			 UART_FCR_TRIG8);
	u->depth = UART_FIFO_DEPTH;
	if ((in(u, UART_IIR) & UART_IIR_FIFO) != UART_IIR_FIFO) {
		out(u, UART_FCR, 0);
		u->depth = 1;
	}
}

static void set_ier(struct uart *u, uint8_t ier)
{
	if (ier == u->ier)
		return;
	u->ier = ier;
	out(u, UART_IER, ier);
}

int uart_init(struct uart *u, const struct uart_port *port, uint32_t baud)
{
	unsigned int i;

	if (!baud || UART_BAUD_MAX % baud ||
	    UART_BAUD_MAX / baud > UART_DIVISOR_MAX)
		return -EINVAL;

	u->port = *port;
	u->rx = (struct ring){ .data = u->rx_data, .size = UART_RX_SIZE };
	u->tx = (struct ring){ .data = u->tx_data, .size = UART_TX_SIZE };
	u->count = (struct uart_counters){ 0 };

	/* Firmware may have left DLAB set, which would hide IER. */
	out(u, UART_LCR, UART_LCR_8N1);
	out(u, UART_IER, 0);
	u->ier = 0;
	if (!chip_present(u))
		return -ENODEV;
	if (!loopback_works(u))
		return -EIO;

	set_divisor(u, UART_BAUD_MAX / baud);
	set_fifo(u);
	/* What came before we listened, and the causes of old interrupts. */
	for (i = 0; i < UART_FIFO_DEPTH && in(u, UART_LSR) & UART_LSR_DR; i++)
		in(u, UART_RBR);
	in(u, UART_IIR);
	in(u, UART_MSR);

	out(u, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	set_ier(u, UART_IER_RX | UART_IER_LINE);
	return 0;
}

/* [PC16550D] 8.4: the error bits belong to the byte that is read next; a break
 * comes with a zero byte, which is not data. */
static unsigned int receive(struct uart *u, uint8_t lsr)
{
	uint8_t byte = in(u, UART_RBR);

	if (lsr & UART_LSR_BI) {
		u->count.breaks++;
		return 0;
	}
	if (lsr & (UART_LSR_FE | UART_LSR_PE)) {
		u->count.framing++;
		return 0;
	}
	if (!ring_room(&u->rx)) {
		u->count.dropped++;
		return 0;
	}
	ring_put(&u->rx, byte);
	u->count.rx++;
	return UART_EV_RX;
}

/* [PC16550D] 8.11: THRE says that the whole transmit FIFO is empty. */
static void transmit(struct uart *u)
{
	unsigned int n;

	for (n = 0; n < u->depth && ring_used(&u->tx); n++) {
		out(u, UART_THR, ring_take(&u->tx));
		u->count.tx++;
	}
}

unsigned int uart_service(struct uart *u)
{
	unsigned int events = 0, idle = 0, round;

	for (round = 0; round < SERVICE_ROUNDS && idle < IDLE_ROUNDS; round++) {
		uint8_t lsr = in(u, UART_LSR);

		if (lsr == 0xff && in(u, UART_SCR) != SCRATCH_MARK)
			return events | UART_EV_GONE;
		if (lsr & UART_LSR_OE)
			u->count.overrun++;
		if (lsr & UART_LSR_DR) {
			events |= receive(u, lsr);
			idle = 0;
			continue;
		}
		if (lsr & UART_LSR_THRE && ring_used(&u->tx)) {
			transmit(u);
			events |= UART_EV_TX;
			idle = 0;
			continue;
		}
		/* Asked for only while there is something to send: an idle
		 * transmitter would interrupt at once. */
		set_ier(u, UART_IER_RX | UART_IER_LINE |
			   (ring_used(&u->tx) ? UART_IER_THRE : 0));
		if (in(u, UART_IIR) & UART_IIR_NONE)
			return events;
		idle++;
	}
	if (idle == IDLE_ROUNDS)
		u->count.stuck++;
	return events | UART_EV_MORE;
}

size_t uart_write(struct uart *u, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	for (n = 0; n < len && ring_room(&u->tx); n++)
		ring_put(&u->tx, p[n]);
	return n;
}

size_t uart_read(struct uart *u, void *data, size_t size)
{
	uint8_t *p = data;
	size_t n;

	for (n = 0; n < size && ring_used(&u->rx); n++)
		p[n] = ring_take(&u->rx);
	return n;
}

int uart_drained(struct uart *u)
{
	return !ring_used(&u->tx) && in(u, UART_LSR) & UART_LSR_TEMT;
}
