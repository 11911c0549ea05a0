// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../elf.c */
/* Any bytes are refused, or give a plan that can be carried out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "elf_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(int err, const struct elf_plan *plan, size_t size)
{
	const char *broken = err ? NULL : elf_broken(plan, size);

	if (err && err != -ENOEXEC)
		abort();
	if (broken) {
		fprintf(stderr, "broken: %s\n", broken);
		abort();
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_plan plan, copy;
	int err = check(elf_plan(&plan, data, size), &plan, size);
	void *own;

	if (check(elf_plan_copy(&copy, data, size), &copy, size)) {
		if (!err && plan.own_bytes < ELF_OWN_MAX / 2)
			abort();
		return 0;
	}
	for (unsigned int i = 0; i < copy.nsegments; i++)
		if (!copy.segments[i].own)
			abort();
	own = copy.own_bytes <= 1 << 20 ? malloc(copy.own_bytes) : NULL;
	if (own)
		elf_fill(&copy, own, data);
	free(own);
	return 0;
}
