// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../uart.c */
/* The driver's logic against a model of the chip. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../uart.h"
#include "../uart_regs.h"

static unsigned int tests, failures;

static void ok(int good, const char *what)
{
	tests++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tests, what);
}

/* --- model of a 16550A, after [PC16550D] ------------------------------------ */

struct chip {
	int absent, no_fifo, no_loop, scratch_dead, gone, stuck_iir, flood;
	unsigned int instant;	/* the transmitter takes no time */
	uint8_t ier, lcr, mcr, fcr, scr;
	uint16_t divisor;
	uint8_t rx[16], rx_err[16];
	unsigned int nrx;
	uint8_t tx[16];
	unsigned int ntx;
	int thre_pending;	/* the THRE interrupt, cleared by reading IIR */
	int overrun;
	uint8_t sent[65536];
	unsigned int nsent, accesses;
	int thr_overflow;	/* the driver wrote to a full transmitter */
};

static unsigned int depth(const struct chip *c)
{
	return c->fcr & UART_FCR_ENABLE && !c->no_fifo ? 16 : 1;
}

/* The line sends all that the FIFO holds. */
static void chip_send(struct chip *c)
{
	if (!c->ntx)
		return;
	memcpy(c->sent + c->nsent, c->tx, c->ntx);
	c->nsent += c->ntx;
	c->ntx = 0;
	c->thre_pending = 1;
}

static void chip_receive(struct chip *c, uint8_t byte, uint8_t err)
{
	if (c->nrx == depth(c)) {
		c->overrun = 1;
		return;
	}
	c->rx[c->nrx] = byte;
	c->rx_err[c->nrx++] = err;
}

static uint8_t chip_lsr(struct chip *c)
{
	uint8_t v = 0;

	if (c->flood && !c->nrx)
		chip_receive(c, 'f', 0);
	if (c->nrx)
		v |= UART_LSR_DR | c->rx_err[0];
	if (c->overrun)
		v |= UART_LSR_OE;
	c->overrun = 0;
	if (!c->ntx)
		v |= UART_LSR_THRE | UART_LSR_TEMT;
	return v;
}

static uint8_t chip_iir(struct chip *c)
{
	uint8_t v = depth(c) == 16 ? UART_IIR_FIFO : 0;

	if (c->stuck_iir)
		return v;
	if (c->ier & UART_IER_LINE && (c->overrun || (c->nrx && c->rx_err[0])))
		return v | 0x06;
	if (c->ier & UART_IER_RX && c->nrx)
		return v | 0x04;
	if (c->ier & UART_IER_THRE && c->thre_pending) {
		c->thre_pending = 0;
		return v | 0x02;
	}
	return v | UART_IIR_NONE;
}

/* INTR, as the interrupt controller sees it. */
static int chip_intr(const struct chip *c)
{
	return (c->ier & UART_IER_RX && c->nrx) ||
	       (c->ier & UART_IER_LINE && c->overrun) ||
	       (c->ier & UART_IER_THRE && c->thre_pending);
}

static uint8_t chip_rbr(struct chip *c)
{
	uint8_t byte = c->rx[0];

	if (!c->nrx)
		return 0;
	memmove(c->rx, c->rx + 1, --c->nrx);
	memmove(c->rx_err, c->rx_err + 1, c->nrx);
	return byte;
}

static uint8_t chip_msr(const struct chip *c)
{
	uint8_t v = 0;

	if (!(c->mcr & UART_MCR_LOOP) || c->no_loop)
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	v |= c->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	v |= c->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	v |= c->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return v;
}

static uint8_t chip_in(void *ctx, unsigned int reg)
{
	struct chip *c = ctx;

	c->accesses++;
	if (c->absent || c->gone)
		return 0xff;
	if (c->lcr & UART_LCR_DLAB && reg <= UART_DLM)
		return reg == UART_DLL ? c->divisor & 0xff : c->divisor >> 8;
	switch (reg) {
	case UART_RBR:	return chip_rbr(c);
	case UART_IER:	return c->ier;
	case UART_IIR:	return chip_iir(c);
	case UART_LCR:	return c->lcr;
	case UART_MCR:	return c->mcr;
	case UART_LSR:	return chip_lsr(c);
	case UART_MSR:	return chip_msr(c);
	default:	return c->scratch_dead ? 0 : c->scr;
	}
}

static void chip_thr(struct chip *c, uint8_t byte)
{
	if (c->ntx == depth(c)) {
		c->thr_overflow = 1;
		return;
	}
	c->tx[c->ntx++] = byte;
	c->thre_pending = 0;
	if (c->instant)
		chip_send(c);
}

static void chip_fcr(struct chip *c, uint8_t v)
{
	if (v & UART_FCR_RX_RST)
		c->nrx = 0;
	if (v & UART_FCR_TX_RST)
		c->ntx = 0;
	c->fcr = v & (UART_FCR_ENABLE | 0xc0);
}

static void chip_ier(struct chip *c, uint8_t v)
{
	/* 8.7: enabling THRE with an empty transmitter interrupts at once */
	if (v & ~c->ier & UART_IER_THRE && !c->ntx)
		c->thre_pending = 1;
	c->ier = v;
}

static void chip_out(void *ctx, unsigned int reg, uint8_t v)
{
	struct chip *c = ctx;

	c->accesses++;
	if (c->absent || c->gone)
		return;
	if (c->lcr & UART_LCR_DLAB && reg <= UART_DLM) {
		c->divisor = reg == UART_DLL ? (c->divisor & 0xff00) | v :
					       (c->divisor & 0xff) | v << 8;
		return;
	}
	switch (reg) {
	case UART_THR:	chip_thr(c, v); break;
	case UART_IER:	chip_ier(c, v); break;
	case UART_FCR:	chip_fcr(c, v); break;
	case UART_LCR:	c->lcr = v; break;
	case UART_MCR:	c->mcr = v; break;
	case UART_SCR:	c->scr = v; break;
	}
}

/* --- tests ----------------------------------------------------------------- */

static struct chip chip;
static struct uart uart;
static const struct uart_port port = { chip_in, chip_out, &chip };

static int start(uint32_t baud)
{
	return uart_init(&uart, &port, baud);
}

static void fresh(void)
{
	chip = (struct chip){ .lcr = UART_LCR_DLAB };
	if (start(115200) < 0)
		ok(0, "start");
}

static void test_init(void)
{
	chip = (struct chip){ .absent = 1 };
	ok(start(115200) == -ENODEV, "empty bus: ENODEV");
	chip = (struct chip){ .scratch_dead = 1 };
	ok(start(115200) == -ENODEV, "no scratchpad: ENODEV");
	chip = (struct chip){ .no_loop = 1 };
	ok(start(115200) == -EIO, "loopback fails: EIO");
	ok(!chip.ier, "and its interrupts are off");
	chip = (struct chip){ 0 };
	ok(start(0) == -EINVAL && start(115201) == -EINVAL &&
	   start(230400) == -EINVAL && start(7) == -EINVAL,
	   "baud rates that cannot be made: EINVAL");
	ok(start(1) == -EINVAL, "divisor over 16 bits: EINVAL");
	ok(!chip.accesses, "and the chip was not touched");
	ok(start(9600) == 0 && chip.divisor == 12, "9600 baud: divisor 12");
	ok(start(50) == 0 && chip.divisor == 2304, "50 baud: divisor 2304");

	fresh();
	ok(chip.divisor == 1 && chip.lcr == UART_LCR_8N1,
	   "115200 baud, 8N1, also if DLAB was left set");
	ok(uart.depth == 16 && chip.fcr & UART_FCR_ENABLE, "FIFOs on");
	ok(chip.mcr == (UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2),
	   "DTR, RTS and the interrupt gate on, loopback off");
	ok(chip.ier == (UART_IER_RX | UART_IER_LINE), "receive interrupts on");

	chip = (struct chip){ .no_fifo = 1 };
	ok(start(115200) == 0 && uart.depth == 1, "16450: one byte at a time");
}

static void test_receive(void)
{
	char data[64];
	unsigned int i;

	fresh();
	chip_receive(&chip, 'a', 0);
	chip_receive(&chip, 'b', 0);
	ok(uart_service(&uart) == UART_EV_RX, "bytes came");
	ok(uart_read(&uart, data, 1) == 1 && data[0] == 'a' &&
	   uart_read(&uart, data, 64) == 1 && data[0] == 'b' &&
	   uart_read(&uart, data, 64) == 0, "in order, then none");
	ok(!chip_intr(&chip), "the line is low afterwards");
	ok(uart_service(&uart) == 0, "nothing to do: no event");

	chip_receive(&chip, 'x', UART_LSR_FE);
	chip_receive(&chip, 'y', UART_LSR_PE);
	chip_receive(&chip, 0, UART_LSR_BI | UART_LSR_FE);
	chip_receive(&chip, 'z', 0);
	uart_service(&uart);
	ok(uart_read(&uart, data, 64) == 1 && data[0] == 'z' &&
	   uart.count.framing == 2 && uart.count.breaks == 1,
	   "damaged bytes and breaks are counted and dropped");

	for (i = 0; i < 20; i++)
		chip_receive(&chip, 'o', 0);
	uart_service(&uart);
	ok(uart.count.overrun == 1 && uart_read(&uart, data, 64) == 16,
	   "overrun counted once, the 16 good bytes kept");
}

static void test_receive_full(void)
{
	static uint8_t data[UART_RX_SIZE];
	unsigned int i;

	fresh();
	for (i = 0; i < UART_RX_SIZE + 10; i++) {
		chip_receive(&chip, i, 0);
		uart_service(&uart);
	}
	ok(uart.count.dropped == 10, "ring full: what comes then is dropped");
	ok(uart_read(&uart, data, sizeof(data)) == UART_RX_SIZE &&
	   data[0] == 0 && data[UART_RX_SIZE - 1] == 0xff,
	   "what came first is kept");
	chip_receive(&chip, 'n', 0);
	ok(uart_service(&uart) == UART_EV_RX, "and it goes on after a read");

	fresh();
	chip.flood = 1;
	ok(uart_service(&uart) & UART_EV_MORE && chip.accesses < 10000,
	   "a flood: bounded work, then call again");
	chip.flood = 0;
	ok(!(uart_service(&uart) & UART_EV_MORE) && !chip_intr(&chip),
	   "the flood ended: quiet");
}

static void test_send(void)
{
	static char text[UART_TX_SIZE + 100];
	unsigned int i, irqs = 0;

	for (i = 0; i < sizeof(text); i++)
		text[i] = 'A' + i % 53;

	fresh();
	ok(uart_drained(&uart), "nothing queued: drained");
	ok(uart_write(&uart, text, 40) == 40, "40 bytes taken");
	uart_service(&uart);
	ok(chip.ntx == 16 && !chip.thr_overflow, "first FIFO load written");
	ok(chip.ier & UART_IER_THRE && !chip_intr(&chip),
	   "THRE asked for, line low");
	ok(!uart_drained(&uart), "not drained");
	chip_send(&chip);
	ok(chip_intr(&chip), "FIFO empty: an edge");
	uart_service(&uart);
	chip_send(&chip);
	uart_service(&uart);
	ok(chip.ntx == 8 && !(chip.ier & UART_IER_THRE),
	   "last load: THRE interrupt off again");
	ok(!uart_drained(&uart), "ring empty, FIFO not: not drained");
	chip_send(&chip);
	ok(!chip_intr(&chip) && uart_drained(&uart), "drained, line low");
	ok(chip.nsent == 40 && !memcmp(chip.sent, text, 40), "sent as written");

	fresh();
	ok(uart_write(&uart, text, sizeof(text)) == UART_TX_SIZE,
	   "more than fits: told how much was taken");
	ok(uart_write(&uart, text, 1) == 0, "full: 0");
	uart_service(&uart);
	while (chip.ntx && irqs < 5000) {
		chip_send(&chip);
		irqs += chip_intr(&chip);
		uart_service(&uart);
	}
	ok(chip.nsent == UART_TX_SIZE && !memcmp(chip.sent, text, UART_TX_SIZE)
	   && irqs == UART_TX_SIZE / 16 - 1, "one interrupt per FIFO load");

	chip = (struct chip){ .no_fifo = 1 };
	start(115200);
	uart_write(&uart, text, 3);
	for (i = 0; i < 3; i++) {
		uart_service(&uart);
		chip_send(&chip);
	}
	ok(chip.nsent == 3 && !chip.thr_overflow, "16450: byte by byte");
}

static void test_lost_irq(void)
{
	fresh();
	uart_write(&uart, "0123456789abcdef!", 17);
	uart_service(&uart);
	chip_send(&chip);
	chip.thre_pending = 0;	/* the interrupt got lost */
	uart_service(&uart);
	ok(chip.ntx == 1, "a poll goes on after a lost interrupt");
}

static void test_broken(void)
{
	fresh();
	chip.stuck_iir = 1;
	ok(uart_service(&uart) == UART_EV_MORE && uart.count.stuck == 1 &&
	   chip.accesses < 100, "interrupt stuck: bounded, counted");
	chip.stuck_iir = 0;
	ok(uart_service(&uart) == 0, "and it recovers");
	chip.gone = 1;
	ok(uart_service(&uart) == UART_EV_GONE, "chip gone: told");

	fresh();
	chip.instant = 1;
	uart_write(&uart, "x", 1);
	chip_receive(&chip, 'r', 0);
	ok(uart_service(&uart) == (UART_EV_RX | UART_EV_TX), "both directions");
	chip_receive(&chip, 0xff, UART_LSR_ERRORS);
	chip.overrun = 1;
	ok(!(uart_service(&uart) & UART_EV_GONE),
	   "all error bits at once are not a missing chip");
}

/* Any order of writes, sends, receives: nothing lost, and whenever the driver
 * is done the line is low, else no further edge would come. */
static void test_random(void)
{
	static uint8_t got[65536];
	unsigned int seed = 1, wrote = 0, fed = 0, ngot = 0, i, bad = 0;
	uint8_t b;

	fresh();
	for (i = 0; i < 60000 && wrote < 60000 && fed < 60000; i++) {
		seed = seed * 1103515245 + 12345;
		switch (seed >> 16 & 3) {
		case 0:
			b = wrote * 7;
			wrote += uart_write(&uart, &b, 1);
			break;
		case 1:
			chip_send(&chip);
			break;
		case 2:
			if (chip.nrx < 16)
				chip_receive(&chip, fed++ * 11, 0);
			break;
		case 3:
			bad += !!(uart_service(&uart) & ~3u);
			bad += chip_intr(&chip);
			ngot += uart_read(&uart, got + ngot, 64);
			break;
		}
	}
	for (i = 0; i < 5000 && !uart_drained(&uart); i++) {
		uart_service(&uart);
		chip_send(&chip);
	}
	ngot += uart_read(&uart, got + ngot, 64);
	for (i = 0; i < ngot; i++)
		bad += got[i] != (uint8_t)(i * 11);
	for (i = 0; i < chip.nsent; i++)
		bad += chip.sent[i] != (uint8_t)(i * 7);
	ok(!bad && ngot == fed && chip.nsent == wrote && wrote > 1000 &&
	   !chip.thr_overflow, "random traffic: complete, in order, line low");
}

int main(void)
{
	test_init();
	test_receive();
	test_receive_full();
	test_send();
	test_lost_irq();
	test_broken();
	test_random();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
