// SPDX-License-Identifier: BSD-2-Clause
/* Driver of one 16550A serial port: sessions, interrupt, time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pith/env.h>
#include <session/core.h>

#include "config.h"
#include "terminal.h"
#include "uart_regs.h"

#define OPEN_TIMEOUT	PITH_SEC(10)
#define CALL_TIMEOUT	PITH_SEC(5)

/* While output waits, the chip is looked at this often, whether it interrupts
 * or not: a lost interrupt costs a pause, not the terminal. */
#define TX_POLL		PITH_MS(50)
/* While somebody waits for the last bit to leave, or work was left over. */
#define SHORT_POLL	PITH_MS(1)
#define REPORT_PAUSE	PITH_SEC(5)

struct driver {
	struct entrypoint ep;
	struct uart uart;
	struct terminal terminal;
	struct ep_timer timer;
	struct session port_session, irq_session;
	int port, irq;
	struct uart_counters reported;
	uint64_t report_at;
};

static struct driver driver;

static uint8_t port_in(void *ctx, unsigned int reg)
{
	struct driver *d = ctx;
	int64_t value = pith_port_in(d->port, reg, 1);

	/* As an empty bus does; uart_service() finds out. */
	return value < 0 ? 0xff : value;
}

static void port_out(void *ctx, unsigned int reg, uint8_t value)
{
	struct driver *d = ctx;

	pith_port_out(d->port, reg, 1, value);
}

/* Losses are told, but not one line per byte. 0: there is more to tell later. */
static int report_errors(struct driver *d)
{
	const struct uart_counters *c = &d->uart.count, *r = &d->reported;
	uint64_t now;

	if (c->overrun == r->overrun && c->dropped == r->dropped &&
	    c->framing == r->framing && c->breaks == r->breaks &&
	    c->stuck == r->stuck)
		return 1;
	now = pith_now();
	if (now < d->report_at)
		return 0;
	log_error("since start: %llu overruns, %llu bytes dropped (not read in time), %llu framing errors, %llu breaks, %llu stuck interrupts",
		  (unsigned long long)c->overrun,
		  (unsigned long long)c->dropped,
		  (unsigned long long)c->framing,
		  (unsigned long long)c->breaks,
		  (unsigned long long)c->stuck);
	d->reported = *c;
	d->report_at = now + REPORT_PAUSE;
	return 1;
}

static void look_after(void *ctx)
{
	struct driver *d = ctx;
	unsigned int events = uart_service(&d->uart);
	int told;

	terminal_events(&d->terminal, events);
	told = report_errors(d);
	if (events & UART_EV_GONE)
		env_fatal("the serial port does not answer any more");

	if (events & UART_EV_MORE || terminal_draining(&d->terminal))
		ep_timer_set(&d->ep, &d->timer, pith_now() + SHORT_POLL);
	else if (ring_used(&d->uart.tx))
		ep_timer_set(&d->ep, &d->timer, pith_now() + TX_POLL);
	else if (!told)
		ep_timer_set(&d->ep, &d->timer, d->report_at);
	else
		ep_timer_cancel(&d->ep, &d->timer);
}

/* Unmask first: then the chip is served until its output is low, so whatever
 * comes later is an edge that the line can report. */
static void on_irq(void *ctx, uint64_t count)
{
	struct driver *d = ctx;

	(void)count;
	pith_irq_ack(d->irq);
	look_after(d);
}

/* Without a config: the PC's first port. */
static void read_config(struct uart_config *c)
{
	char error[160];
	struct rom rom;

	*c = (struct uart_config){ .base = 0x3f8, .irq = 4, .baud = 115200 };
	if (rom_open(&rom, "config") < 0)
		return;
	if (uart_config_parse(c, rom.data, rom.size, error, sizeof(error)) < 0)
		env_fatal("%s", error);
	rom_close(&rom);
}

/* Open @service at core and fetch the capability that @method gives. */
static int get_cap(struct session *s, const char *service, const char *args,
		   uint64_t method, size_t rep_len)
{
	struct irq_reply reply;
	int cap = -1, err;
	struct rpc r = { .rep = &reply, .rep_len = rep_len,
			 .rep_caps = &cap, .nrep_caps = 1 };

	err = env_session(s, service, "", args, NULL, pith_now() + OPEN_TIMEOUT);
	if (err < 0)
		env_fatal("no %s session with %s: %s", service, args,
			  strerror(-err));
	err = rpc_call(s->cap, method, &r, pith_now() + CALL_TIMEOUT);
	if (err < 0 || cap < 0)
		env_fatal("%s with %s gave no capability: %s", service, args,
			  strerror(err < 0 ? -err : EPROTO));
	return cap;
}

static void claim_hardware(struct driver *d, const struct uart_config *c)
{
	char args[80];
	int notif, err;
	uint64_t badge;

	snprintf(args, sizeof(args), "base=%u, size=%u", c->base, UART_PORTS);
	d->port = get_cap(&d->port_session, "IO_PORT", args, IO_PORT_CAP, 0);
	snprintf(args, sizeof(args), "irq=%u, trigger=edge, polarity=high",
		 c->irq);
	d->irq = get_cap(&d->irq_session, "IRQ", args, IRQ_CAP,
			 sizeof(struct irq_reply));

	notif = ep_new_notification(&d->ep, on_irq, d, &badge);
	err = notif < 0 ? notif : pith_irq_bind(d->irq, notif);
	if (err < 0)
		env_fatal("interrupt %u cannot be bound: %s", c->irq,
			  strerror(-err));
}

static void start_chip(struct driver *d, const struct uart_config *c)
{
	const struct uart_port port = { port_in, port_out, d };
	int err = uart_init(&d->uart, &port, c->baud);

	if (err == -EINVAL)
		env_fatal("config: baud %u does not divide %u", c->baud,
			  UART_BAUD_MAX);
	if (err == -ENODEV)
		env_fatal("no serial port at I/O port 0x%x", c->base);
	if (err < 0)
		env_fatal("the chip at I/O port 0x%x fails the loopback test",
			  c->base);
	log_line("%s at I/O port 0x%x, interrupt %u, %u baud",
		 d->uart.depth == UART_FIFO_DEPTH ? "16550A" : "16450 (no FIFO)",
		 c->base, c->irq, c->baud);
}

int component_main(void)
{
	struct driver *d = &driver;
	struct uart_config config;
	int err;

	err = ep_init(&d->ep);
	if (err < 0)
		env_fatal("no entrypoint: %s", strerror(-err));
	d->timer = (struct ep_timer){
		.at = PITH_NO_DEADLINE, .fire = look_after, .ctx = d,
	};

	read_config(&config);
	claim_hardware(d, &config);
	start_chip(d, &config);
	err = terminal_init(&d->terminal, &d->ep, &d->uart, look_after, d);
	if (err < 0)
		env_fatal("cannot announce Terminal: %s", strerror(-err));
	/* An interrupt that came before the chip was quiet is still masked. */
	on_irq(d, 0);
	ep_run(&d->ep);
}
