// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs and I/O APICs from the ACPI MADT, a static table, without an AML
 * interpreter. Everything else in ACPI is for processes to read. The tables are
 * firmware's bytes: lengths are checked, a bad checksum means no table.
 */
#include <linux/acpi.h>
#include <linux/io.h>
#include <asm/early_ioremap.h>
#include <linux/pith.h>
#include <linux/sizes.h>

#include <asm/apic.h>
#include <asm/bios_ebda.h>
#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/mpspec.h>
#include <asm/setup.h>

#define ISA_BUS		0
#define ISA_IRQS	16
#define MAX_MADT	SZ_128K		/* what early_memremap() can show */

u64 pith_acpi_rsdp __ro_after_init;

static bool __init sums_to_zero(const void *table, u32 len)
{
	const u8 *p = table;
	u8 sum = 0;

	while (len--)
		sum += *p++;
	return !sum;
}

/* --- finding the MADT ---------------------------------------------------------- */

static bool __init rsdp_valid(const struct acpi_table_rsdp *r)
{
	return !memcmp(r->signature, ACPI_SIG_RSDP, 8) && sums_to_zero(r, 20);
}

static u64 __init scan_rsdp(u64 base, u32 size)
{
	u8 *area = early_memremap(base, size);
	u64 found = 0;
	u32 i;

	for (i = 0; area && i + sizeof(struct acpi_table_rsdp) <= size; i += 16) {
		if (rsdp_valid((void *)area + i)) {
			found = base + i;
			break;
		}
	}
	if (area)
		early_memunmap(area, size);
	return found;
}

static u64 __init find_rsdp(void)
{
	u32 ebda = get_bios_ebda();
	u64 found = 0;

	if (boot_params.acpi_rsdp_addr)
		return boot_params.acpi_rsdp_addr;
	if (ebda > 0x400)
		found = scan_rsdp(ebda, SZ_1K);
	return found ?: scan_rsdp(0xe0000, SZ_128K);
}

/* Map a whole table with signature @sig, checked; NULL if it is not one. */
static void *__init map_table(u64 phys, const char *sig, u32 *len)
{
	struct acpi_table_header *h = early_memremap(phys, sizeof(*h));
	bool ok;

	if (!h)
		return NULL;
	*len = h->length;
	ok = !memcmp(h->signature, sig, 4) && *len >= sizeof(*h) &&
	     *len <= MAX_MADT;
	early_memunmap(h, sizeof(*h));
	if (!ok)
		return NULL;
	h = early_memremap(phys, *len);
	if (h && !sums_to_zero(h, *len)) {
		pr_warn("ACPI: bad checksum in %s\n", sig);
		early_memunmap(h, *len);
		return NULL;
	}
	return h;
}

/* Root table: entries of @width bytes, each the address of a table. */
static void *__init find_in_root(u64 root_phys, u32 width, u32 *madt_len)
{
	const char *root_sig = width == 8 ? ACPI_SIG_XSDT : ACPI_SIG_RSDT;
	u32 len, at;
	u8 *root = map_table(root_phys, root_sig, &len);
	void *madt = NULL;

	if (!root)
		return NULL;
	for (at = sizeof(struct acpi_table_header);
	     !madt && at + width <= len; at += width) {
		u64 phys = 0;

		memcpy(&phys, root + at, width);
		madt = map_table(phys, ACPI_SIG_MADT, madt_len);
	}
	early_memunmap(root, len);
	return madt;
}

static void *__init find_madt(u32 *len)
{
	struct acpi_table_rsdp r, *p;

	pith_acpi_rsdp = find_rsdp();
	if (!pith_acpi_rsdp)
		return NULL;
	p = early_memremap(pith_acpi_rsdp, sizeof(r));
	if (!p)
		return NULL;
	r = *p;
	early_memunmap(p, sizeof(r));
	if (!rsdp_valid(&r)) {
		pith_acpi_rsdp = 0;
		return NULL;
	}
	if (r.revision >= 2 && r.xsdt_physical_address)
		return find_in_root(r.xsdt_physical_address, 8, len);
	return find_in_root(r.rsdt_physical_address, 4, len);
}

/* --- using it -------------------------------------------------------------------- */

/* The entry at @at of @type and at least @size bytes, or NULL. */
static void *__init entry(u8 *madt, u32 len, u32 at, u8 type, u32 size)
{
	struct acpi_subtable_header *h = (void *)madt + at;

	return h->type == type && h->length >= size ? h : NULL;
}

/* Calls @fn for each well-formed entry; a malformed one ends the walk. */
static void __init walk(u8 *madt, u32 len, void (*fn)(u8 *madt, u32 len, u32 at))
{
	u32 at = sizeof(struct acpi_table_madt);

	while (at + sizeof(struct acpi_subtable_header) <= len) {
		struct acpi_subtable_header *h = (void *)madt + at;

		if (h->length < sizeof(*h) || h->length > len - at)
			return;
		fn(madt, len, at);
		at += h->length;
	}
}

#define ENTRY(type, name) \
	entry(madt, len, at, type, sizeof(struct acpi_madt_##name))

static void __init add_local_apic(u8 *madt, u32 len, u32 at)
{
	struct acpi_madt_local_apic *l = ENTRY(ACPI_MADT_TYPE_LOCAL_APIC,
					       local_apic);
	struct acpi_madt_local_x2apic *x = ENTRY(ACPI_MADT_TYPE_LOCAL_X2APIC,
						 local_x2apic);

	if (l && (l->lapic_flags & ACPI_MADT_ENABLED) && l->id != 0xff)
		topology_register_apic(l->id, l->processor_id, true);
	if (x && (x->lapic_flags & ACPI_MADT_ENABLED) && x->local_apic_id > 0xfe)
		topology_register_apic(x->local_apic_id, x->uid, true);
}

static void __init add_io_apic(u8 *madt, u32 len, u32 at)
{
	struct acpi_madt_io_apic *io = ENTRY(ACPI_MADT_TYPE_IO_APIC, io_apic);
	struct ioapic_domain_cfg cfg = {
		.type = IOAPIC_DOMAIN_DYNAMIC,
		.ops = &mp_ioapic_irqdomain_ops,
	};

	if (!io)
		return;
	if (io->global_irq_base < ISA_IRQS)
		cfg.type = IOAPIC_DOMAIN_LEGACY;
	mp_register_ioapic(io->id, io->address, io->global_irq_base, &cfg);
}

static void __init add_isa_irq(u8 irq, u32 gsi, u16 flags)
{
	int ioapic = mp_find_ioapic(gsi);
	struct mpc_intsrc m = {
		.type		= MP_INTSRC,
		.irqtype	= mp_INT,
		.irqflag	= flags,	/* same encoding as in the MADT */
		.srcbus		= ISA_BUS,
		.srcbusirq	= irq,
	};

	if (ioapic < 0)
		return;
	m.dstapic = mpc_ioapic_id(ioapic);
	m.dstirq = mp_find_ioapic_pin(ioapic, gsi);
	mp_save_irq(&m);
}

static u32 __initdata overridden_irqs, overridden_gsis;

static void __init add_override(u8 *madt, u32 len, u32 at)
{
	struct acpi_madt_interrupt_override *o =
		ENTRY(ACPI_MADT_TYPE_INTERRUPT_OVERRIDE, interrupt_override);

	if (!o || o->bus != 0 || o->source_irq >= ISA_IRQS)
		return;
	overridden_irqs |= BIT(o->source_irq);
	if (o->global_irq < ISA_IRQS)
		overridden_gsis |= BIT(o->global_irq);
	add_isa_irq(o->source_irq, o->global_irq, o->inti_flags & 0xf);
}

/* ISA interrupts are wired one to one where no override says otherwise. */
static void __init add_isa_irqs(u8 *madt, u32 len)
{
	int irq;

	set_bit(ISA_BUS, mp_bus_not_pci);
	walk(madt, len, add_override);
	for (irq = 0; irq < ISA_IRQS; irq++)
		if (irq != 2 && !((overridden_irqs | overridden_gsis) & BIT(irq)))
			add_isa_irq(irq, irq, 0);
}

void __init pith_parse_smp_config(void)
{
	u32 len;
	struct acpi_table_madt *madt = find_madt(&len);

	if (!madt || len < sizeof(*madt)) {
		pr_warn("ACPI: no MADT: one CPU, legacy interrupts\n");
		return;
	}
	register_lapic_address(madt->address);
	walk((u8 *)madt, len, add_local_apic);
	walk((u8 *)madt, len, add_io_apic);
	if (nr_ioapics)
		add_isa_irqs((u8 *)madt, len);
	smp_found_config = 1;
	early_memunmap(madt, len);
}
