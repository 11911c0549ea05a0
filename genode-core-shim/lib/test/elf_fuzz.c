// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../elf.c */
/* Any bytes are refused, or give a plan that can be carried out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "elf_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_plan plan;
	int err = elf_plan(&plan, data, size);
	const char *broken = err ? NULL : elf_broken(&plan, size);

	if (err && err != -ENOEXEC)
		abort();
	if (broken) {
		fprintf(stderr, "broken: %s\n", broken);
		abort();
	}
	return 0;
}
