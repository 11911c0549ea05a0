/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <pith/env.h>

const char *label_last(const char *label)
{
	const char *next;

	while ((next = strstr(label, " -> ")))
		label = next + 4;
	return label;
}
