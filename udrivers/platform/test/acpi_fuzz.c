// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../acpi.c */
/* The input is physical memory; checksums are made right, so that damage gets
 * past them. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "../acpi.h"
#include "tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

/* Whoever reads a whole table gets one whose sum is 0. */
static int read_phys(void *ctx, uint64_t phys, void *buf, size_t len)
{
	const struct input *in = ctx;
	uint8_t *p = buf, sum = 0;
	size_t i;

	if (phys > in->size || len > in->size - phys)
		return -EPERM;
	memcpy(buf, in->data + phys, len);
	for (i = 0; i < len; i++)
		sum += p[i];
	if (len >= 10)
		p[9] -= sum;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct acpi_mem mem = { read_phys, &in };
	struct acpi_info info;

	(void)check;
	(void)tap_end;
	acpi_find_rsdp(data, size);
	if (acpi_walk(&mem, 0, &info) == 0 && info.necam > ACPI_ECAM_MAX)
		__builtin_trap();
	return 0;
}
