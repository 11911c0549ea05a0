// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log on a PL011, which firmware has set up: without a TTY layer the
 * only console. `earlyprintk=pl011,ADDRESS`. The registers are those of ARM DDI
 * 0183, chapter 3.
 */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <asm/fixmap.h>
#include "../../../kernel/pith/pith.h"

#define DATA		0x00
#define FLAGS		0x18
#define FLAG_BUSY	BIT(3)
#define FLAG_FULL	BIT(5)
#define LOOKS		100000	/* a character takes 87 us at 115,200 baud */

static u64 console_phys;	/* 0: none */
static void __iomem *console_regs;

/* One that never gets there loses characters, and stops nobody. */
static void await_no(u32 flag)
{
	for (int i = 0; i < LOOKS; i++) {
		if (!(readl_relaxed(console_regs + FLAGS) & flag))
			return;
		cpu_relax();
	}
}

static void put(u8 c)
{
	await_no(FLAG_FULL);
	writel_relaxed(c, console_regs + DATA);
}

static void pl011_write(struct console *con, const char *text, unsigned int n)
{
	for (; n--; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
	await_no(FLAG_BUSY);
}

static struct console pl011_console = {
	.name	= "pl011",
	.write	= pl011_write,
	.flags	= CON_PRINTBUFFER | CON_ANYTIME,
	.index	= -1,
};

static int __init console_setup(char *text)
{
	u64 at;

	if (strncmp(text, "pl011,", 6) || kstrtou64(text + 6, 0, &at) ||
	    !at || !PAGE_ALIGNED(at))
		return -EINVAL;
	set_fixmap_io(FIX_EARLYCON_MEM_BASE, at);
	console_regs = (void __iomem *)fix_to_virt(FIX_EARLYCON_MEM_BASE);
	console_phys = at;
	register_console(&pl011_console);
	return 0;
}
early_param("earlyprintk", console_setup);

bool pith_console_at(u64 base, u64 size)
{
	return console_phys && pith_overlap(base, size, console_phys, PAGE_SIZE);
}
