/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's config: "config | base: 0x3f8 | irq: 4 | baud: 115200". */
#ifndef UART_CONFIG_H
#define UART_CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct uart_config {
	uint32_t base;		/* first I/O port */
	uint32_t irq;		/* global system interrupt */
	uint32_t baud;
};

/*
 * Read @text; what it does not say keeps its value in *@c. Returns 0, or -EINVAL
 * with a sentence in @error, having changed nothing.
 */
int uart_config_parse(struct uart_config *c, const char *text, size_t len,
		      char *error, size_t error_size);

#endif
