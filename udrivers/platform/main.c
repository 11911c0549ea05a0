// SPDX-License-Identifier: BSD-2-Clause
/* The platform driver: finds the devices and gives them to drivers. */
#include <errno.h>
#include <string.h>

#include <pith/env.h>

#include "pci_regs.h"
#include "platform.h"

#define START_TIMEOUT	PITH_SEC(10)

static struct platform platform = {
	.ecam.acpi = &platform.acpi,
	.bus.config = {
		.read = hw_config_read, .write = hw_config_write,
		.sleep_ms = hw_sleep_ms, .ctx = &platform.ecam,
	},
};

static void read_config(struct platform *p)
{
	struct rom rom;
	char why[160];
	int err = rom_open(&rom, "config");

	if (err)
		env_fatal("no config: error %d", -err);
	if (policy_parse(&p->policy, rom.data, rom.size, why, sizeof(why)))
		env_fatal("config:%s", why);
	rom_close(&rom);
}

static void read_tables(struct platform *p)
{
	const struct acpi_mem mem = { .read = hw_read_phys };
	uint64_t rsdp = hw_find_rsdp(p->pd.cap);

	if (!rsdp || acpi_walk(&mem, rsdp, &p->acpi) < 0) {
		memset(&p->acpi, 0, sizeof(p->acpi));
		p->acpi.pm1a.space = p->acpi.reset.space = ACPI_NONE;
		p->acpi.pm1b.space = ACPI_NONE;
		p->acpi.sleep_a = -1;
		log_error("no ACPI tables: no devices, no poweroff");
	} else if (!p->acpi.necam) {
		log_error("no MCFG table: no devices");
	}
}

/* Each bus is looked at, whether a bridge leads to it or not: which host
 * bridges there are only the AML knows. Those with a function stay mapped. */
static void scan_bus(struct platform *p, uint8_t number)
{
	unsigned int before = p->bus.count;
	int err = hw_ecam_open(&p->ecam, number);

	if (err) {
		log_error("bus %02x: config space: error %d", number, -err);
		return;
	}
	if (pci_scan(&p->bus, number) < 0)
		log_error("bus %02x: more than %u functions; the rest is left out",
			  number, PCI_FUNCTIONS_MAX);
	if (p->bus.count == before)
		hw_ecam_close(&p->ecam, number);
}

static void scan(struct platform *p)
{
	unsigned int i, number;

	for (i = 0; i < p->acpi.necam; i++)
		for (number = p->acpi.ecam[i].first;
		     number <= p->acpi.ecam[i].last; number++)
			if (!p->ecam.buses[number])
				scan_bus(p, number);
}

/* Only what a policy names is touched. */
static void probe(struct platform *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->bus.count; i++) {
		struct pci_function *f = &p->bus.functions[i];

		if (!policy_wanted(&p->policy, f))
			continue;
		pci_probe(&p->bus, f);
		n++;
		log_line("%02x:%02x.%x %04x:%04x class %02x%02x%02x, "
			 "%u vectors (%s)", f->bdf >> 8, f->bdf >> 3 & 31,
			 f->bdf & 7, f->vendor, f->device, f->class_code,
			 f->subclass, f->prog_if, f->vectors,
			 f->msix.cap ? "MSI-X" : f->msi ? "MSI" : "none");
	}
	log_line("%u PCI functions, %u of them for drivers", p->bus.count, n);
	if (!DMA_IOMMU)
		log_error("NO IOMMU: a driver with a DMA device can reach all "
			  "of memory through it");
}

int component_main(void)
{
	struct platform *p = &platform;
	static struct service services[] = {
		{ .name = "Platform", .open = platform_open,
		  .close = platform_close, .ctx = &platform },
		{ .name = "System", .open = system_open,
		  .close = system_close, .ctx = &platform },
	};
	int err = ep_init(&p->ep);

	if (err)
		env_fatal("entrypoint: error %d", -err);
	read_config(p);
	err = env_session(&p->pd, "PD", "", "managing_system=yes", NULL,
			  pith_now() + START_TIMEOUT);
	if (err)
		env_fatal("PD session: error %d", -err);
	read_tables(p);
	scan(p);
	probe(p);
	err = service_announce(&p->ep, services, 2);
	if (err)
		env_fatal("announce: error %d", -err);
	ep_run(&p->ep);
}
