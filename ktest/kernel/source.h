/* SPDX-License-Identifier: BSD-2-Clause */
/* A device of the machine that can be made to interrupt: in core, ARCH/source.c. */
#ifndef KT_SOURCE_H
#define KT_SOURCE_H

#include "kt.h"

/* Descriptors of its registers, which are ports on a PC, and its interrupt. */
long source_open(void);
long source_irq(void);
/* Let it interrupt at once; no more, until asked again. */
void source_interrupt(int regs);
void source_quiet(int regs);
/* An interrupt that does not come, of nobody else. */
long quiet_irq(void);

#endif
