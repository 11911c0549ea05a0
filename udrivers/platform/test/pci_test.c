// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../pci.c */
/* PCI functions in a made-up config space: byte arrays with masks that say which
 * bits can be written, and a reset that forgets. */
#include <errno.h>
#include <string.h>

#include "../pci.h"
#include "../pci_regs.h"
#include "tap.h"

#define FUNCTIONS	400

struct fake {
	uint16_t bdf;
	uint8_t value[256], mask[256], initial[256];
	unsigned int resets;
	int gone_after_reset;
	uint8_t flr;		/* offset of the device control register */
	uint8_t pm;		/* offset of PMCSR */
};

static struct fake fakes[FUNCTIONS];
static unsigned int nfakes, slept, reads;
static int decoding_while_sizing;
static struct pci_bus bus;

static struct fake *find(uint16_t bdf)
{
	unsigned int i;

	for (i = 0; i < nfakes; i++)
		if (fakes[i].bdf == bdf)
			return &fakes[i];
	return NULL;
}

static uint32_t cfg_read(void *ctx, uint16_t bdf, uint32_t offset,
			 uint32_t width)
{
	struct fake *f = find(bdf);
	uint32_t v = 0;

	(void)ctx;
	reads++;
	if (!f)
		return ~0u >> (32 - 8 * width);
	memcpy(&v, f->value + offset, width);
	return v;
}

static void reset(struct fake *f)
{
	f->resets++;
	memcpy(f->value, f->initial, sizeof(f->value));
	if (f->gone_after_reset)
		memset(f->value, 0xff, sizeof(f->value));
}

static void cfg_write(void *ctx, uint16_t bdf, uint32_t offset, uint32_t width,
		      uint32_t value)
{
	struct fake *f = find(bdf);
	uint32_t i, state;

	(void)ctx;
	if (!f)
		return;
	if (offset >= PCI_BAR0 && offset < PCI_BAR0 + 24 && value == ~0u &&
	    f->value[PCI_COMMAND] & PCI_COMMAND_MEM)
		decoding_while_sizing = 1;
	state = f->pm ? f->value[f->pm] & 3 : 0;
	for (i = 0; i < width; i++, value >>= 8)
		f->value[offset + i] = (f->value[offset + i] &
					~f->mask[offset + i]) |
				       (value & f->mask[offset + i]);
	if (f->flr && offset == f->flr && f->value[offset + 1] & 0x80)
		reset(f);
	if (f->pm && state == 3 && !(f->value[f->pm] & 3) &&
	    !(f->value[f->pm] & PCI_PM_NO_SOFT_RESET))
		reset(f);
}

static void cfg_sleep(void *ctx, uint32_t ms)
{
	(void)ctx;
	slept += ms;
}

static void put(uint8_t *p, uint32_t v, unsigned int width)
{
	memcpy(p, &v, width);
}

static void begin(void)
{
	memset(&bus, 0, sizeof(bus));
	bus.config = (struct pci_config){ cfg_read, cfg_write, cfg_sleep,
					  NULL };
	memset(fakes, 0, sizeof(fakes));
	nfakes = slept = reads = 0;
	decoding_while_sizing = 0;
}

static struct fake *add(uint16_t bdf, uint32_t class)
{
	struct fake *f = &fakes[nfakes++];

	f->bdf = bdf;
	put(f->value, 0x1b36, 2);
	put(f->value + 2, 0x0010, 2);
	put(f->value + PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER, 2);
	put(f->value + PCI_REVISION, class << 8 | 2, 4);
	memset(f->mask + PCI_COMMAND, 0xff, 2);
	f->mask[PCI_INTERRUPT_LINE] = f->mask[PCI_CACHE_LINE] = 0xff;
	return f;
}

static void bar(struct fake *f, unsigned int i, uint32_t type, uint64_t address,
		uint64_t size)
{
	uint64_t mask = ~(size - 1);

	put(f->value + PCI_BAR0 + 4 * i, address | type, 4);
	put(f->mask + PCI_BAR0 + 4 * i, mask & ~15u, 4);
	if (type & PCI_BAR_64) {
		put(f->value + PCI_BAR0 + 4 * i + 4, address >> 32, 4);
		put(f->mask + PCI_BAR0 + 4 * i + 4, mask >> 32, 4);
	}
}

static uint8_t cap(struct fake *f, uint8_t at, uint8_t id, uint8_t next)
{
	if (!f->value[PCI_CAPS])
		f->value[PCI_CAPS] = at;
	put(f->value + PCI_STATUS, PCI_STATUS_CAPS, 2);
	f->value[at] = id;
	f->value[at + 1] = next;
	return at;
}

static void msix(struct fake *f, uint8_t at, uint8_t next, unsigned int entries,
		 uint32_t table, uint32_t pba)
{
	cap(f, at, PCI_CAP_MSIX, next);
	put(f->value + at + 2, entries - 1, 2);
	put(f->mask + at + 2, 0xc000, 2);
	put(f->value + at + 4, table, 4);
	put(f->value + at + 8, pba, 4);
}

/* Like the NVMe controller of a PC. */
static struct fake *nvme(uint16_t bdf)
{
	struct fake *f = add(bdf, 0x010802);

	bar(f, 0, PCI_BAR_64, 0xfebd0000, 0x4000);
	msix(f, 0x40, 0x80, 65, 0x2000, 0x3000);
	cap(f, 0x80, PCI_CAP_EXPRESS, 0x60);
	put(f->value + 0x84, PCI_EXP_DEVCAP_FLR, 4);
	put(f->mask + 0x88, 0xffff, 2);
	f->flr = 0x88;
	cap(f, 0x60, PCI_CAP_PM, 0);
	memcpy(f->initial, f->value, sizeof(f->value));
	memset(f->initial + PCI_COMMAND, 0, 2);
	memset(f->initial + PCI_BAR0 + 1, 0, 23);
	put(f->value + 0x88, 0x20, 2);
	f->value[PCI_INTERRUPT_LINE] = 11;
	return f;
}

static struct pci_function *probe(void)
{
	pci_scan(&bus, 0);
	pci_probe(&bus, &bus.functions[0]);
	return &bus.functions[0];
}

/* --- tests ---------------------------------------------------------------- */

static void test_scan(void)
{
	struct fake *f;
	unsigned int i;

	begin();
	nvme(0x0020);
	f = add(0x00f8, 0x060100);
	f->value[PCI_HEADER_TYPE] = PCI_HEADER_MULTI;
	add(0x00fa, 0x010601);
	add(0x0101, 0x020000);
	f = add(0x0010, 0x060400);
	f->value[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	f->value[PCI_SECONDARY] = f->value[PCI_SUBORDINATE] = 1;
	pci_scan(&bus, 0);
	pci_scan(&bus, 1);
	check(bus.count == 4 && bus.functions[3].bdf == 0x00fa,
	      "functions of devices, further ones only if there is a first");
	check(bus.functions[0].bridge && bus.functions[0].secondary == 1,
	      "bridges");
	check(bus.functions[1].vendor == 0x1b36 &&
	      bus.functions[1].class_code == 1 && bus.functions[1].subclass == 8
	      && bus.functions[1].prog_if == 2, "identity");
	begin();
	for (i = 0; i < 300; i++) {
		f = add(i, 0x010802);
		f->value[PCI_HEADER_TYPE] = PCI_HEADER_MULTI;
	}
	check(pci_scan(&bus, 0) == 0 && pci_scan(&bus, 1) == -ENOSPC &&
	      bus.count == PCI_FUNCTIONS_MAX, "more than there is room for");
}

static void test_bars(void)
{
	struct pci_function *p;
	struct fake *f;

	begin();
	f = add(0x20, 0x010802);
	bar(f, 0, 0, 0xfe000000, 0x8000);
	bar(f, 1, PCI_BAR_64 | PCI_BAR_PREFETCH, 0x380000000000, 1ull << 33);
	put(f->value + PCI_BAR0 + 12, 0xc001, 4);
	put(f->mask + PCI_BAR0 + 12, 0xffe0, 4);
	bar(f, 4, 0, 0xfe00a000, 0x200);
	bar(f, 5, 0, 0, 0x1000);
	p = probe();
	check(p->bars[0].address == 0xfe000000 && p->bars[0].size == 0x8000,
	      "32-bit BAR");
	check(p->bars[1].address == 0x380000000000 &&
	      p->bars[1].size == 1ull << 33, "64-bit prefetchable BAR");
	check(!p->bars[2].size && !p->bars[3].size,
	      "port I/O and upper halves are none");
	check(p->bars[4].size == 4096, "a small BAR that owns its page");
	check(!p->bars[5].size, "a BAR without address is left out");
	check(!decoding_while_sizing &&
	      f->value[PCI_BAR0 + 3] == 0xfe && f->value[PCI_COMMAND] &
	      PCI_COMMAND_MEM, "decoding is off meanwhile, all is put back");
	check(!(f->value[PCI_COMMAND] & PCI_COMMAND_MASTER),
	      "DMA of an earlier time is stopped");

	begin();
	f = add(0x20, 0x010802);
	bar(f, 0, 0, 0xfe000000, 0x8000);
	bar(f, 1, 0, 0xfe00a000, 0x200);
	bar(f, 2, 0, 0xfe00a200, 0x200);
	f = add(0x28, 0x020000);
	bar(f, 4, PCI_BAR_64, 0xfe007000, 0x1000);
	p = probe();
	check(!p->bars[0].size, "a BAR that covers another device's");
	check(!p->bars[1].size && !p->bars[2].size, "two BARs in one page");

	begin();
	f = add(0x20, 0x010802);
	bar(f, 0, 0, 0xfe000000, 0x1000);
	put(f->mask + PCI_BAR0, 0x00ff0000, 4);
	bar(f, 5, PCI_BAR_64, 0xfd000000, 0x1000);
	p = probe();
	check(!p->bars[0].size, "a size that is no power of two");
	check(!p->bars[5].size, "a 64-bit BAR in the last register");

	begin();
	f = add(0x20, 0x060400);
	f->value[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	bar(f, 0, 0, 0xfe000000, 0x1000);
	p = probe();
	check(!p->bars[0].size && f->value[PCI_COMMAND] & PCI_COMMAND_MASTER,
	      "bridges are not probed");
}

static void test_caps(void)
{
	struct fake *f;

	begin();
	f = add(0x20, 0x010802);
	cap(f, 0x40, 0x09, 0x50);
	cap(f, 0x50, PCI_CAP_MSI, 0x40);
	pci_scan(&bus, 0);
	check(pci_find_cap(&bus, 0x20, PCI_CAP_MSI) == 0x50, "found in a loop");
	reads = 0;
	check(pci_find_cap(&bus, 0x20, PCI_CAP_PM) == 0 && reads < 200,
	      "a loop ends");
	f->value[0x51] = 0x50;
	check(pci_find_cap(&bus, 0x20, PCI_CAP_PM) == 0, "a loop of one");
	f->value[0x51] = 0x04;
	check(pci_find_cap(&bus, 0x20, PCI_CAP_PM) == 0,
	      "a pointer into the header ends the list");
	f->value[0x51] = 0xfe;
	check(pci_find_cap(&bus, 0x20, PCI_CAP_PM) == 0, "the last bytes");
	put(f->value + PCI_STATUS, 0, 2);
	check(pci_find_cap(&bus, 0x20, PCI_CAP_MSI) == 0, "no list");
}

static void test_msix(void)
{
	struct pci_function *p;
	struct fake *f;

	begin();
	nvme(0x20);
	p = probe();
	check(p->msix.entries == 65 && p->vectors == PCI_VECTORS_MAX &&
	      p->express == 0x80 && p->pm == 0x60, "capabilities are found");
	check(pci_bar_window(p, 0) == 0x2000,
	      "the window ends in front of the table");
	check(pci_bar_window(p, 1) == 0 && pci_bar_window(p, 6) == 0,
	      "no window without a BAR");
	p->msix.table = 0x3000;
	p->msix.pba = 0x1800;
	check(pci_bar_window(p, 0) == 0x1000,
	      "the pending bits count, and whole pages");
	p->msix.pba = 0x100;
	check(pci_bar_window(p, 0) == 0, "nothing is left in front");
	p->msix.table_bar = p->msix.pba_bar = 4;
	check(pci_bar_window(p, 0) == 0x4000, "the table is in another BAR");

	begin();
	f = nvme(0x20);
	put(f->value + 0x44, 0x3c00, 4);
	check(probe()->vectors == 0, "a table that leaves its BAR is refused");
	begin();
	f = nvme(0x20);
	put(f->value + 0x44, 0xfffffff8, 4);
	check(probe()->vectors == 0, "a table far outside");
	begin();
	f = nvme(0x20);
	put(f->value + 0x48, 0x3007, 4);
	check(probe()->vectors == 0, "pending bits in no BAR");
	begin();
	f = nvme(0x20);
	f->value[0x40] = PCI_CAP_MSI;
	check(probe()->vectors == 1, "MSI gives one vector");
}

static void test_reset(void)
{
	struct pci_function *p;
	struct fake *f, *b;

	begin();
	f = nvme(0x20);
	p = probe();
	put(f->value + 0x42, 0x8040, 2);
	f->value[PCI_COMMAND] |= PCI_COMMAND_MASTER;
	check(pci_reset(&bus, p) == 0 && f->resets == 1 && slept >= 100,
	      "function level reset, with the time it takes");
	check(f->value[PCI_BAR0 + 2] == 0xbd && f->value[0x88] == 0x20 &&
	      f->value[PCI_INTERRUPT_LINE] == 11,
	      "what firmware set up is put back");
	check((f->value[PCI_COMMAND] & 7) == PCI_COMMAND_MEM &&
	      f->value[PCI_COMMAND + 1] & PCI_COMMAND_INTX_OFF >> 8 &&
	      !(f->value[0x43] & 0x80),
	      "DMA, INTx and MSI-X are off, memory decoding is on");
	f->gone_after_reset = 1;
	check(pci_reset(&bus, p) == -ENODEV, "a device that does not come back");

	begin();
	f = nvme(0x20);
	put(f->value + 0x84, 0, 4);
	put(f->initial + 0x84, 0, 4);
	f->flr = 0;
	f->pm = 0x64;
	f->mask[0x64] = 3;
	p = probe();
	check(pci_reset(&bus, p) == 0 && f->resets == 1 &&
	      f->value[PCI_BAR0 + 2] == 0xbd, "power management reset");
	f->value[0x64] = f->initial[0x64] = PCI_PM_NO_SOFT_RESET;
	check(pci_reset(&bus, p) == -EOPNOTSUPP && f->resets == 1,
	      "no reset there: said so");

	begin();
	f = nvme(0x0200);
	b = add(0x10, 0x060400);
	b->value[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	b->value[PCI_SECONDARY] = 1;
	b->value[PCI_SUBORDINATE] = 3;
	b->value[PCI_COMMAND] = 0;
	b = add(0x18, 0x060400);
	b->value[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
	b->value[PCI_SECONDARY] = b->value[PCI_SUBORDINATE] = 4;
	b->value[PCI_COMMAND] = 0;
	pci_scan(&bus, 0);
	pci_scan(&bus, 2);
	pci_open_path(&bus, &bus.functions[2]);
	check(fakes[1].value[PCI_COMMAND] ==
	      (PCI_COMMAND_MEM | PCI_COMMAND_MASTER) &&
	      fakes[2].value[PCI_COMMAND] == 0,
	      "bridges on the way are opened, others not");
}

int main(void)
{
	test_scan();
	test_bars();
	test_caps();
	test_msix();
	test_reset();
	return tap_end();
}
