// SPDX-License-Identifier: BSD-2-Clause
/* ACPI static tables: see acpi.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "acpi.h"

#define HEADER_BYTES	36		/* [ACPI] 5.2.6 */
#define TABLE_MAX	(1u << 20)	/* a longer one is taken for damaged */
#define TABLES_MAX	256
#define RSDP_V1_BYTES	20		/* [ACPI] 5.2.5.3 */
#define RSDP_V2_BYTES	36

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static int checksum_ok(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return sum == 0;
}

long acpi_find_rsdp(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i + RSDP_V1_BYTES <= len; i += 16)
		if (!memcmp(bytes + i, "RSD PTR ", 8) &&
		    checksum_ok(bytes + i, RSDP_V1_BYTES))
			return i;
	return -1;
}

/* A table's bytes, copied and checked; free() it. NULL: damaged or no memory. */
static uint8_t *read_table(const struct acpi_mem *mem, uint64_t phys,
			   const char *signature, uint32_t *size)
{
	uint8_t header[HEADER_BYTES], *table;
	uint32_t len;

	if (phys > UINT64_MAX - TABLE_MAX ||
	    mem->read(mem->ctx, phys, header, sizeof(header)) < 0 ||
	    memcmp(header, signature, 4))
		return NULL;
	len = get32(header + 4);
	if (len < HEADER_BYTES || len > TABLE_MAX) {
		log_error("ACPI %s: length %u refused", signature, len);
		return NULL;
	}
	table = malloc(len);
	if (!table)
		return NULL;
	/* What counts is the second copy, so the length is taken from it. */
	if (mem->read(mem->ctx, phys, table, len) < 0 ||
	    get32(table + 4) != len || memcmp(table, signature, 4) ||
	    !checksum_ok(table, len)) {
		log_error("ACPI %s: damaged (checksum)", signature);
		free(table);
		return NULL;
	}
	*size = len;
	return table;
}

/* --- MCFG: [PCIFW] table 4-2 ---------------------------------------------- */

#define MCFG_ENTRIES	44
#define MCFG_ENTRY	16

static void parse_mcfg(const uint8_t *table, uint32_t len,
		       struct acpi_info *info)
{
	uint32_t at;

	for (at = MCFG_ENTRIES; at <= len && len - at >= MCFG_ENTRY;
	     at += MCFG_ENTRY) {
		const uint8_t *e = table + at;
		struct acpi_ecam ecam = { get64(e), e[10], e[11] };

		if (get16(e + 8) != 0 || info->necam == ACPI_ECAM_MAX) {
			log_line("ACPI MCFG: segment group %u left out",
				 get16(e + 8));
			continue;
		}
		if (ecam.first > ecam.last || ecam.base & 0xfffff ||
		    ecam.base > UINT64_MAX - (256ull << 20)) {
			log_error("ACPI MCFG: entry at %u makes no sense", at);
			continue;
		}
		info->ecam[info->necam++] = ecam;
	}
}

/* --- \_S5 in the DSDT ----------------------------------------------------- */

/* [ACPI] 20.2.3: one small integer; returns the bytes used, 0: none. */
static uint32_t aml_integer(const uint8_t *p, uint32_t len, int8_t *value)
{
	if (len >= 1 && p[0] <= 1) {		/* ZeroOp, OneOp */
		*value = p[0];
		return 1;
	}
	if (len >= 2 && p[0] == 0x0a && p[1] <= 7) {	/* BytePrefix */
		*value = p[1];
		return 2;
	}
	return 0;
}

/* @p: what follows the name "_S5_". [ACPI] 7.4.2, 20.2.4, 20.2.5.4 */
static int parse_s5(const uint8_t *p, uint32_t len, int8_t *a, int8_t *b)
{
	uint32_t skip, used;

	if (len < 2 || p[0] != 0x12)		/* PackageOp */
		return 0;
	skip = 1 + 1 + (p[1] >> 6);		/* PkgLength */
	if (len <= skip || p[skip] < 2)		/* NumElements */
		return 0;
	skip++;
	used = aml_integer(p + skip, len - skip, a);
	if (!used)
		return 0;
	skip += used;
	return aml_integer(p + skip, len - skip, b) != 0;
}

/*
 * The object is a constant package in practice, so its bytes are looked for:
 * NameOp, maybe the root prefix, "_S5_", PackageOp.
 */
static void find_s5(const uint8_t *table, uint32_t len, struct acpi_info *info)
{
	uint32_t i;
	int8_t a, b;

	for (i = HEADER_BYTES + 2; i + 4 <= len; i++) {
		if (memcmp(table + i, "_S5_", 4))
			continue;
		if (table[i - 1] != 0x08 &&
		    !(table[i - 1] == '\\' && table[i - 2] == 0x08))
			continue;
		if (!parse_s5(table + i + 4, len - i - 4, &a, &b))
			continue;
		info->sleep_a = a;
		info->sleep_b = b;
		return;
	}
}

/* --- FADT: [ACPI] table 5.6 ----------------------------------------------- */

enum {
	FADT_DSDT = 40,
	FADT_SMI_CMD = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_CNT = 64,
	FADT_PM1B_CNT = 68,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_CNT = 172,
	FADT_X_PM1B_CNT = 184,
	FADT_BYTES_V1 = 116,
};

#define FADT_RESET_REG_SUP	(1u << 10)
#define GAS_BYTES		12

/* The 64-bit register if there is one, else the 32-bit port. */
static struct acpi_register fadt_pm1(const uint8_t *t, uint32_t len,
				     uint32_t x, uint32_t legacy)
{
	struct acpi_register r = { ACPI_NONE, 0 };

	if (len >= x + GAS_BYTES && get64(t + x + 4)) {
		r.space = t[x];
		r.address = get64(t + x + 4);
	} else if (get32(t + legacy)) {
		r.space = ACPI_IO;
		r.address = get32(t + legacy);
	}
	return r;
}

static void parse_fadt(const struct acpi_mem *mem, const uint8_t *t,
		       uint32_t len, struct acpi_info *info)
{
	uint64_t dsdt_phys;
	uint32_t dsdt_len;
	uint8_t *dsdt;

	if (len < FADT_BYTES_V1) {
		log_error("ACPI FADT: %u bytes are too few", len);
		return;
	}
	if (get32(t + FADT_SMI_CMD) <= 0xffff)
		info->smi_command = get32(t + FADT_SMI_CMD);
	info->acpi_enable = t[FADT_ACPI_ENABLE];
	info->pm1a = fadt_pm1(t, len, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
	info->pm1b = fadt_pm1(t, len, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
	if (get32(t + FADT_FLAGS) & FADT_RESET_REG_SUP &&
	    len > FADT_RESET_VALUE) {
		info->reset.space = t[FADT_RESET_REG];
		info->reset.address = get64(t + FADT_RESET_REG + 4);
		info->reset_value = t[FADT_RESET_VALUE];
	}
	dsdt_phys = len >= FADT_X_DSDT + 8 ? get64(t + FADT_X_DSDT) : 0;
	if (!dsdt_phys)
		dsdt_phys = get32(t + FADT_DSDT);
	dsdt = read_table(mem, dsdt_phys, "DSDT", &dsdt_len);
	if (!dsdt)
		return;
	find_s5(dsdt, dsdt_len, info);
	free(dsdt);
}

/* --- root ----------------------------------------------------------------- */

static void take_table(const struct acpi_mem *mem, uint64_t phys,
		       struct acpi_info *info)
{
	uint8_t signature[4], *table;
	uint32_t len;

	if (phys > UINT64_MAX - TABLE_MAX ||
	    mem->read(mem->ctx, phys, signature, sizeof(signature)) < 0)
		return;
	if (!memcmp(signature, "MCFG", 4)) {
		table = read_table(mem, phys, "MCFG", &len);
		if (table)
			parse_mcfg(table, len, info);
		free(table);
	} else if (!memcmp(signature, "FACP", 4)) {
		table = read_table(mem, phys, "FACP", &len);
		if (table)
			parse_fadt(mem, table, len, info);
		free(table);
	}
}

/* [ACPI] 5.2.7, 5.2.8: addresses of @width bytes each follow the header. */
static void walk_root(const struct acpi_mem *mem, const uint8_t *root,
		      uint32_t len, uint32_t width, struct acpi_info *info)
{
	uint32_t i, n = (len - HEADER_BYTES) / width;

	if (n > TABLES_MAX) {
		log_error("ACPI: %u tables; the first %u are read", n,
			  TABLES_MAX);
		n = TABLES_MAX;
	}
	for (i = 0; i < n; i++) {
		const uint8_t *e = root + HEADER_BYTES + i * width;

		take_table(mem, width == 8 ? get64(e) : get32(e), info);
	}
}

int acpi_walk(const struct acpi_mem *mem, uint64_t rsdp,
	      struct acpi_info *info)
{
	uint8_t bytes[RSDP_V2_BYTES] = { 0 }, *root = NULL;
	uint32_t len = 0, width = 8;

	memset(info, 0, sizeof(*info));
	info->pm1a.space = info->pm1b.space = info->reset.space = ACPI_NONE;
	info->sleep_a = info->sleep_b = -1;
	if (rsdp > UINT64_MAX - RSDP_V2_BYTES ||
	    mem->read(mem->ctx, rsdp, bytes, RSDP_V1_BYTES) < 0 ||
	    acpi_find_rsdp(bytes, RSDP_V1_BYTES) != 0)
		return -EINVAL;
	if (bytes[15] >= 2 &&
	    mem->read(mem->ctx, rsdp, bytes, RSDP_V2_BYTES) == 0 &&
	    checksum_ok(bytes, RSDP_V2_BYTES) && get64(bytes + 24))
		root = read_table(mem, get64(bytes + 24), "XSDT", &len);
	if (!root) {
		width = 4;
		root = read_table(mem, get32(bytes + 16), "RSDT", &len);
	}
	if (!root)
		return -EINVAL;
	walk_root(mem, root, len, width, info);
	free(root);
	return 0;
}
