// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../acpi.c */
/* Tables made by hand in a small physical memory, then damaged. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "../acpi.h"
#include "tap.h"

#define MEMORY	0x8000u
#define BASE	0x7ffe0000ull

enum { RSDP = 0x10, RSDT = 0x100, XSDT = 0x200, MCFG = 0x300, FADT = 0x400,
       DSDT = 0x600, OTHER = 0x2000 };

static uint8_t memory[MEMORY];
static unsigned int reads;

static int read_phys(void *ctx, uint64_t phys, void *buf, size_t len)
{
	(void)ctx;
	reads++;
	if (phys < BASE || phys - BASE > MEMORY || len > MEMORY - (phys - BASE))
		return -EPERM;
	memcpy(buf, memory + (phys - BASE), len);
	return 0;
}

static const struct acpi_mem mem = { .read = read_phys };

static void put(uint32_t at, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		memory[at++] = value;
		value >>= 8;
	}
}

static void sum(uint32_t at, uint32_t len, uint32_t field)
{
	uint8_t s = 0;
	uint32_t i;

	memory[field] = 0;
	for (i = 0; i < len; i++)
		s += memory[at + i];
	memory[field] = -s;
}

static void header(uint32_t at, const char *signature, uint32_t len)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, len, 4);
	sum(at, len, at + 9);
}

static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04,
			      0x0a, 0x05, 0x00, 0x00, 0x00 };

/* A machine with everything. */
static void build(void)
{
	memset(memory, 0, sizeof(memory));
	memcpy(memory + DSDT + 100, s5, sizeof(s5));
	header(DSDT, "DSDT", 400);
	put(FADT + 40, BASE + DSDT, 4);
	put(FADT + 48, 0xb2, 4);
	put(FADT + 52, 2, 1);
	put(FADT + 64, 0x604, 4);
	put(FADT + 112, 1 << 10, 4);
	put(FADT + 116, 1, 1);
	put(FADT + 120, 0xcf9, 8);
	put(FADT + 128, 0x0f, 1);
	header(FADT, "FACP", 244);
	put(MCFG + 44, 0xb0000000, 8);
	put(MCFG + 55, 255, 1);
	header(MCFG, "MCFG", 60);
	put(XSDT + 36, BASE + OTHER, 8);
	put(XSDT + 44, BASE + MCFG, 8);
	put(XSDT + 52, BASE + FADT, 8);
	header(XSDT, "XSDT", 60);
	put(RSDT + 36, BASE + MCFG, 4);
	header(RSDT, "RSDT", 40);
	header(OTHER, "APIC", 44);
	memcpy(memory + RSDP, "RSD PTR ", 8);
	put(RSDP + 15, 2, 1);
	put(RSDP + 16, BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + XSDT, 8);
	sum(RSDP, 20, RSDP + 8);
	sum(RSDP, 36, RSDP + 32);
}

static int walk(struct acpi_info *info)
{
	reads = 0;
	return acpi_walk(&mem, BASE + RSDP, info);
}

static void test_good(void)
{
	struct acpi_info i;

	build();
	check(walk(&i) == 0 && i.necam == 1 && i.ecam[0].base == 0xb0000000 &&
	      i.ecam[0].first == 0 && i.ecam[0].last == 255, "MCFG is read");
	check(i.pm1a.space == ACPI_IO && i.pm1a.address == 0x604 &&
	      i.pm1b.space == ACPI_NONE && i.smi_command == 0xb2 &&
	      i.acpi_enable == 2, "FADT: PM1 control");
	check(i.reset.space == ACPI_IO && i.reset.address == 0xcf9 &&
	      i.reset_value == 15, "FADT: reset register");
	check(i.sleep_a == 5 && i.sleep_b == 0, "DSDT: \\_S5");
	check(acpi_find_rsdp(memory, 0x100) == RSDP, "RSDP is found");
	check(acpi_find_rsdp(memory, RSDP + 19) == -1, "not if it is cut off");
	memory[RSDP + 1] ^= 1;
	check(acpi_find_rsdp(memory, 0x100) == -1, "not if it is damaged");
	build();
	put(FADT + 172, 0, 1);
	put(FADT + 176, 0x1234, 8);
	header(FADT, "FACP", 244);
	check(walk(&i) == 0 && i.pm1a.space == ACPI_MEMORY &&
	      i.pm1a.address == 0x1234, "the extended register counts");
	build();
	put(FADT + 112, 0, 4);
	header(FADT, "FACP", 244);
	check(walk(&i) == 0 && i.reset.space == ACPI_NONE,
	      "no reset register without its flag");
}

static void test_damage(void)
{
	struct acpi_info i;

	build();
	memory[XSDT + 40] ^= 1;
	check(walk(&i) == 0 && i.necam == 1 && i.pm1a.space == ACPI_NONE,
	      "damaged XSDT: RSDT is used");
	memory[RSDT + 30] ^= 1;
	check(walk(&i) == -EINVAL, "damaged RSDT, too: an error");
	build();
	memory[MCFG + 50] ^= 1;
	check(walk(&i) == 0 && !i.necam && i.sleep_a == 5,
	      "damaged MCFG: the rest stays");
	build();
	memory[DSDT + 300] ^= 1;
	check(walk(&i) == 0 && i.sleep_a == -1 && i.necam == 1,
	      "damaged DSDT: no \\_S5");
	build();
	put(MCFG + 4, 35, 4);
	check(walk(&i) == 0 && !i.necam, "length below the header");
	put(MCFG + 4, 0xffffffff, 4);
	check(walk(&i) == 0 && !i.necam, "length above all reason");
	put(MCFG + 4, 0x80000, 4);
	check(walk(&i) == 0 && !i.necam, "length beyond what can be read");
	build();
	header(MCFG, "MCFG", 44);
	check(walk(&i) == 0 && !i.necam, "MCFG without entries");
	header(MCFG, "MCFG", 59);
	check(walk(&i) == 0 && !i.necam, "MCFG with a part of an entry");
	header(MCFG, "MCFG", 36);
	check(walk(&i) == 0 && !i.necam, "MCFG of a bare header");
	header(FADT, "FACP", 100);
	check(walk(&i) == 0 && i.pm1a.space == ACPI_NONE, "FADT cut short");
	header(FADT, "FACP", 116);
	check(walk(&i) == 0 && i.pm1a.address == 0x604 &&
	      i.reset.space == ACPI_NONE, "FADT of ACPI 1.0");
}

static void test_odd(void)
{
	struct acpi_info i;
	unsigned int n;

	build();
	put(MCFG + 52, 1, 2);
	header(MCFG, "MCFG", 60);
	check(walk(&i) == 0 && !i.necam, "other segment groups are left out");
	build();
	put(MCFG + 54, 200, 1);
	put(MCFG + 55, 100, 1);
	header(MCFG, "MCFG", 60);
	check(walk(&i) == 0 && !i.necam, "last bus before the first");
	build();
	put(MCFG + 44, ~0ull << 20, 8);
	header(MCFG, "MCFG", 60);
	check(walk(&i) == 0 && !i.necam, "config space at the end of all");
	build();
	for (n = 0; n < 9; n++) {
		put(MCFG + 44 + 16 * n, 0x10000000 + (n << 28), 8);
		put(MCFG + 44 + 16 * n + 10, n | n << 8, 2);
	}
	header(MCFG, "MCFG", 44 + 16 * 9);
	check(walk(&i) == 0 && i.necam == ACPI_ECAM_MAX,
	      "more entries than there is room for");
	build();
	for (n = 0; n < 900; n++)
		put(0x4000 + 36 + 8 * n, BASE + MCFG, 8);
	header(0x4000, "XSDT", 36 + 8 * 900);
	put(RSDP + 24, BASE + 0x4000, 8);
	sum(RSDP, 36, RSDP + 32);
	check(walk(&i) == 0 && reads < 1000, "the number of tables is bounded");
	build();
	put(RSDP + 24, ~0ull, 8);
	sum(RSDP, 36, RSDP + 32);
	check(walk(&i) == 0 && i.necam == 1, "XSDT at the end of all: RSDT");
	check(acpi_walk(&mem, ~0ull - 3, &i) == -EINVAL &&
	      acpi_walk(&mem, 0, &i) == -EINVAL, "RSDP at no good address");
}

static void test_s5(void)
{
	struct acpi_info i;
	uint32_t at;

	/* At the very end: the package is cut at each length. */
	for (at = 0; at <= sizeof(s5); at++) {
		build();
		memset(memory + DSDT + 100, 0, sizeof(s5));
		memcpy(memory + DSDT + 400 - at, s5, at);
		header(DSDT, "DSDT", 400);
		if (walk(&i) || (i.sleep_a != (at >= 11 ? 5 : -1)))
			break;
	}
	check(at > sizeof(s5), "\\_S5 cut off at each length");
	build();
	memory[DSDT + 100] = 0x41;
	header(DSDT, "DSDT", 400);
	check(walk(&i) == 0 && i.sleep_a == -1, "a mention is no definition");
	build();
	memory[DSDT + 109] = 0x0b;
	header(DSDT, "DSDT", 400);
	check(walk(&i) == 0 && i.sleep_a == -1, "sleep type above 7");
	build();
	memmove(memory + DSDT + 101, memory + DSDT + 100, sizeof(s5));
	memory[DSDT + 100] = 0x08;
	memory[DSDT + 101] = '\\';
	header(DSDT, "DSDT", 400);
	check(walk(&i) == 0 && i.sleep_a == 5, "name with the root prefix");
}

int main(void)
{
	test_good();
	test_damage();
	test_odd();
	test_s5();
	return tap_end();
}
