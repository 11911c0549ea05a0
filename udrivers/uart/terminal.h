/* SPDX-License-Identifier: BSD-2-Clause */
/* The Terminal service on top of one UART. */
#ifndef UART_TERMINAL_H
#define UART_TERMINAL_H

#include <pith/service.h>

#include "uart.h"

struct terminal {
	struct entrypoint *ep;
	struct uart *uart;
	void (*kick)(void *ctx);	/* look after the device now */
	void *ctx;
	/* the client; valid while badge != 0 */
	uint64_t badge;
	int sigh;		/* its notification, -1: none */
	int drain;		/* reply object of its DRAIN, -1: none */
	int wants_room;		/* a WRITE was cut short */
	struct service service;
};

/* Announce the service. @kick is called after bytes were queued. */
int terminal_init(struct terminal *t, struct entrypoint *ep, struct uart *uart,
		  void (*kick)(void *ctx), void *ctx);

/* Tell the client what @events (UART_EV_*) mean for it. */
void terminal_events(struct terminal *t, unsigned int events);

/* A DRAIN waits for the chip: nothing but time tells when it is done. */
static inline int terminal_draining(const struct terminal *t)
{
	return t->drain >= 0;
}

#endif
