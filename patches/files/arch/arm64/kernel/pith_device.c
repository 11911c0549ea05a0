// SPDX-License-Identifier: GPL-2.0-only
/* What of the machine's devices is the kernel's, and where interrupts come from. */
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <asm/cpufeature.h>
#include "../../../kernel/pith/pith.h"

u64 pith_phys_limit(void)
{
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	u32 range = cpuid_feature_extract_unsigned_field(mmfr0,
					ID_AA64MMFR0_EL1_PARANGE_SHIFT);

	return 1ULL << min(id_aa64mmfr0_parange_to_phys_shift(range),
			   (u32)PHYS_MASK_SHIFT);
}

/* What the kernel may drive itself. Others' frames for MSI write to its. */
static const struct of_device_id kernel_nodes[] = {
	{ .compatible = "arm,gic-v3" },
	{ .compatible = "arm,gic-v3-its" },
	{ .compatible = "arm,gic-400" },
	{ .compatible = "arm,cortex-a15-gic" },
	{ .compatible = "arm,gic-v2m-frame" },
	{ .compatible = "arm,armv7-timer-mem" },
	{ }
};

static bool node_has(struct device_node *node, u64 base, u64 size)
{
	struct resource r;
	int i;

	for (i = 0; !of_address_to_resource(node, i, &r); i++)
		if (pith_overlap(base, size, r.start, resource_size(&r)))
			return true;
	return false;
}

bool pith_kernel_range(u64 base, u64 size)
{
	struct device_node *node;

	if (pith_console_at(base, size))
		return true;
	for_each_matching_node(node, kernel_nodes) {
		if (!node_has(node, base, size))
			continue;
		of_node_put(node);
		return true;
	}
	return false;
}

/* --- interrupts ------------------------------------------------------------- */

/* Numbers are the interrupt controller's: shared peripheral ones only. */
#define SPI_FIRST	32
#define SPI_END		1020

static DECLARE_BITMAP(claimed, SPI_END);

/* They come when a line rises or is high. */
bool pith_irq_valid(const struct pith_irq *a)
{
	return a->gsi >= SPI_FIRST && a->gsi < SPI_END && !a->low;
}

int pith_irq_map(const struct pith_irq *a)
{
	struct device_node *gic = of_find_matching_node(NULL, kernel_nodes);
	struct irq_fwspec spec = {
		.fwnode = of_node_to_fwnode(gic),
		.param_count = 3,
		.param = { 0, a->gsi - SPI_FIRST, a->level ?
			   IRQ_TYPE_LEVEL_HIGH : IRQ_TYPE_EDGE_RISING },
	};
	int irq = 0;

	if (gic && !test_and_set_bit(a->gsi, claimed)) {
		irq = irq_create_fwspec_mapping(&spec);
		if (irq <= 0)
			clear_bit(a->gsi, claimed);
	}
	of_node_put(gic);
	return irq;
}

void pith_irq_unmap(int irq)
{
	unsigned long spi = irq_get_irq_data(irq)->hwirq;

	irq_dispose_mapping(irq);
	clear_bit(spi, claimed);
}
