/* SPDX-License-Identifier: BSD-2-Clause */
/* The first UART of a PC, which can be made to interrupt: in core. */
#ifndef KT_UART_H
#define KT_UART_H

#include "kt.h"

#define COM1		0x3f8
#define COM1_GSI	4

/* Descriptors of its ports and its interrupt. */
long uart_ports(void);
long uart_irq(void);
/* Let it interrupt at once; no more, until asked again. */
void uart_interrupt(int ports);
void uart_quiet(int ports);

#endif
