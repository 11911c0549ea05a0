/* SPDX-License-Identifier: BSD-2-Clause */
/* Session arguments: "tag=value, tag=value". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " ,");
}

int args_get(const char *args, const char *tag, char *value, size_t size)
{
	size_t tag_len = strlen(tag), len;
	const char *p;

	for (p = skip_blanks(args); *p; p = skip_blanks(p + len)) {
		len = strcspn(p, ",");
		if (len <= tag_len || strncmp(p, tag, tag_len) ||
		    p[tag_len] != '=')
			continue;
		p += tag_len + 1;
		len -= tag_len + 1;
		while (len && p[len - 1] == ' ')
			len--;
		if (len >= size)
			return -1;
		memcpy(value, p, len);
		value[len] = 0;
		return len;
	}
	return -1;
}

static uint64_t suffix(const char *s)
{
	static const char units[] = "KMG";
	const char *u = *s ? strchr(units, *s) : NULL;

	if (!*s)
		return 1;
	return u && !s[1] ? 1ull << (10 * (u - units + 1)) : 0;
}

uint64_t args_number(const char *args, const char *tag, uint64_t fallback)
{
	char text[32], *end;
	uint64_t n, unit;

	if (args_get(args, tag, text, sizeof(text)) <= 0 ||
	    text[0] < '0' || text[0] > '9')
		return fallback;
	n = strtoull(text, &end, 0);
	unit = suffix(end);
	if (end == text || !unit || n > UINT64_MAX / unit)
		return fallback;
	return n * unit;
}

int args_drop(const char *args, const char *tag, char *out, size_t size)
{
	size_t tag_len = strlen(tag), len, used = 0;
	const char *p;

	for (p = skip_blanks(args); *p; p = skip_blanks(p + len)) {
		len = strcspn(p, ",");
		if (len > tag_len && !strncmp(p, tag, tag_len) &&
		    (p[tag_len] == '=' || p[tag_len] == ' '))
			continue;
		if (used + len + 3 > size)
			return -1;
		used += (size_t)sprintf(out + used, "%s%.*s", used ? ", " : "",
					(int)len, p);
	}
	out[used] = 0;
	return 0;
}
