// SPDX-License-Identifier: GPL-2.0-only
/* What of a PC's devices is the kernel's, and where interrupts come from. */
#include <linux/irqdomain.h>
#include <asm/hpet.h>
#include <asm/hw_irq.h>
#include <asm/io_apic.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include "../../../kernel/pith/pith.h"

#define MSI_WINDOW	0xfee00000ULL	/* also where the local APICs are */
#define MSI_WINDOW_SIZE	0x100000ULL

u64 pith_phys_limit(void)
{
	return 1ULL << boot_cpu_data.x86_phys_bits;
}

/* Interrupt controllers and the kernel's clock. */
bool pith_kernel_range(u64 base, u64 size)
{
	u64 lapic;
	int i;

	rdmsrl(MSR_IA32_APICBASE, lapic);
	if (pith_overlap(base, size, MSI_WINDOW, MSI_WINDOW_SIZE) ||
	    pith_overlap(base, size, lapic & PAGE_MASK & (pith_phys_limit() - 1),
			 PAGE_SIZE))
		return true;
	for (i = 0; i < nr_ioapics; i++)
		if (pith_overlap(base, size, mpc_ioapic_addr(i), PAGE_SIZE))
			return true;
#ifdef CONFIG_HPET_TIMER
	if (hpet_address && pith_overlap(base, size, hpet_address, PAGE_SIZE))
		return true;
#endif
	return false;
}

/* --- interrupts ------------------------------------------------------------- */

bool pith_irq_valid(const struct pith_irq *a)
{
	return mp_find_ioapic(a->gsi) >= 0;
}

int pith_irq_map(const struct pith_irq *a)
{
	struct irq_alloc_info info;

	ioapic_set_alloc_attr(&info, NUMA_NO_NODE, a->level, a->low);
	return mp_map_gsi_to_irq(a->gsi, IOAPIC_MAP_ALLOC, &info);
}

void pith_irq_unmap(int irq)
{
	mp_unmap_irq(irq);
}

int pith_msi_alloc(void)
{
	struct irq_alloc_info info;

	init_irq_alloc_info(&info, NULL);
	return irq_domain_alloc_irqs(x86_vector_domain, 1, NUMA_NO_NODE, &info);
}
