// SPDX-License-Identifier: BSD-2-Clause
/* The clock of QEMU's virt, a PL031: it interrupts when a second has come. */
#include "../source.h"
#include "arch.h"

#define PL031	0x09010000ull

/* Registers (ARM DDI 0224, 3.2), as words, and their one bit. */
#define RTC_DATA	0	/* seconds */
#define RTC_MATCH	1
#define RTC_MASK	4	/* 1: interrupts go out */
#define RTC_RAW		5
#define RTC_CLEAR	7

/* Nobody else has it. */
#define QUIET_GSI	250

long source_open(void)
{
	struct pith_io_mem a = { PL031, KT_PAGE, PITH_IO_UNCACHED, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a);
}

long source_irq(void)
{
	struct pith_irq a = { .gsi = KT_GSI, .level = 1 };

	return kt_control(kt_hardware, PITH_OP_HW_IRQ, &a);
}

long quiet_irq(void)
{
	struct pith_irq a = { .gsi = QUIET_GSI };

	return kt_control(kt_hardware, PITH_OP_HW_IRQ, &a);
}

/* The second that is now has come. */
void source_interrupt(int regs)
{
	volatile uint32_t *r = kt_map(regs, 0, KT_PAGE, KT_R | KT_W);

	KT_NEED(!kt_is_error((void *)r));
	r[RTC_MASK] = 0;
	r[RTC_CLEAR] = 1;
	do
		r[RTC_MATCH] = r[RTC_DATA];
	while (!r[RTC_RAW]);
	r[RTC_MASK] = 1;
	kt_unmap((void *)r, KT_PAGE);
}

void source_quiet(int regs)
{
	volatile uint32_t *r = kt_map(regs, 0, KT_PAGE, KT_R | KT_W);

	KT_NEED(!kt_is_error((void *)r));
	r[RTC_MASK] = 0;
	r[RTC_CLEAR] = 1;
	kt_unmap((void *)r, KT_PAGE);
}
