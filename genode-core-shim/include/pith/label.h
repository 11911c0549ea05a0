/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels of sessions: "a -> b -> c", outermost component first. What is compared
 * are whole elements: "a" begins "a" and "a -> b", not "ab". */
#ifndef PITH_LABEL_H
#define PITH_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LABEL_ARROW	" -> "
#define LABEL_ARROW_LEN	4

/* Does @label begin with the @len bytes of @prefix? None begin every label. */
static inline bool label_begins(const char *label, const char *prefix,
				size_t len)
{
	if (strncmp(label, prefix, len) || strlen(label) < len)
		return false;
	return !len || !label[len] ||
	       !strncmp(label + len, LABEL_ARROW, LABEL_ARROW_LEN);
}

/* Does it end with the @len bytes of @suffix? */
static inline bool label_ends(const char *label, const char *suffix, size_t len)
{
	size_t all = strlen(label), at = all - len;

	if (all < len || memcmp(label + at, suffix, len))
		return false;
	return !len || !at ||
	       (at >= LABEL_ARROW_LEN &&
		!memcmp(label + at - LABEL_ARROW_LEN, LABEL_ARROW,
			LABEL_ARROW_LEN));
}

/* Its last element. */
static inline const char *label_last(const char *label)
{
	const char *at;

	while ((at = strstr(label, LABEL_ARROW)))
		label = at + LABEL_ARROW_LEN;
	return label;
}

#endif
