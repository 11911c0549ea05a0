// SPDX-License-Identifier: BSD-2-Clause
/* tar_next() on anything; checksums are made right so that more is reached. */
/* test-sources: ../tar.c */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static void seal(uint8_t *h)
{
	unsigned int sum = 0;

	memset(h + 148, ' ', 8);
	for (unsigned int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static void check(const struct tar *t, const struct tar_entry *e)
{
	if (e->size > t->size || e->data < t->data ||
	    e->data + e->size > t->data + t->size || t->pos > t->size ||
	    strlen(e->name) >= TAR_NAME_MAX || e->name[0] == '/' ||
	    strstr(e->name, "//") || !strcmp(e->name, "..") ||
	    !strncmp(e->name, "../", 3) || strstr(e->name, "/../"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	uint8_t *copy = malloc(size + !size);
	struct tar t = { copy, size, 0 };
	struct tar_entry e;

	memcpy(copy, in, size);
	for (size_t i = 0; size > 511 && i <= size - 512; i += 512)
		if (!memcmp(copy + i + 257, "ustar", 5))
			seal(copy + i);
	while (tar_next(&t, &e) > 0)
		check(&t, &e);
	free(copy);
	return 0;
}
