/* SPDX-License-Identifier: BSD-2-Clause */
/* Session labels in policies. */
#ifndef UDRIVERS_LIB_LABEL_H
#define UDRIVERS_LIB_LABEL_H

#include <string.h>

/* Does @label begin with the components of @prefix? "nvme" fits "nvme" and
 * "nvme -> x", not "nvme2". */
static inline int label_fits(const char *prefix, const char *label)
{
	size_t len = strlen(prefix);

	if (strncmp(prefix, label, len))
		return 0;
	return !label[len] || !strncmp(label + len, " -> ", 4);
}

#endif
