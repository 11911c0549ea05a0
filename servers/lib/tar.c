// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tar.h"

#define BLOCK	512u

/* POSIX 1003.1, "ustar Interchange Format". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char checksum[8], type, target[100], magic[6], version[2];
	char uname[32], gname[32], devmajor[8], devminor[8], prefix[155];
	char unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a block");

/* An octal number, ended by a space or NUL or by the field's end. */
static int octal(const char *s, unsigned int len, uint64_t *value)
{
	unsigned int i = 0;

	*value = 0;
	while (i < len && s[i] == ' ')
		i++;
	for (; i < len && s[i] && s[i] != ' '; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -EUCLEAN;
		*value = *value * 8 + (s[i] - '0');
	}
	return 0;
}

static bool sum_is_right(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	uint64_t sum = 0, wanted;

	for (unsigned int i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	return !octal(h->checksum, sizeof(h->checksum), &wanted) &&
	       sum == wanted;
}

static bool is_zero(const struct header *h)
{
	const char *p = (const char *)h;

	return !p[0] && !memcmp(p, p + 1, BLOCK - 1);
}

/* What a pax header says of "path": a line "LEN path=VALUE\n". */
static void pax_path(const char *p, uint64_t size, char *out, size_t room)
{
	while (size) {
		uint64_t len = 0;
		size_t digits = 0;

		for (; digits < size && digits < 6 && p[digits] >= '0' &&
		     p[digits] <= '9'; digits++)
			len = len * 10 + (p[digits] - '0');
		if (!digits || len < digits + 2 || len > size ||
		    p[digits] != ' ')
			return;
		if (len - digits > 6 && !memcmp(p + digits, " path=", 6))
			snprintf(out, room, "%.*s", (int)(len - digits - 7),
				 p + digits + 6);
		p += len;
		size -= len;
	}
}

/* Tidy @from; false if it is too long or has "..". */
static bool tidy(const char *from, char out[TAR_NAME_MAX])
{
	size_t at = 0, len;

	for (; *from; from += len) {
		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (!len || (len == 1 && from[0] == '.'))
			continue;
		if (len == 2 && !memcmp(from, "..", 2))
			return false;
		if (at + !!at + len >= TAR_NAME_MAX)
			return false;
		if (at)
			out[at++] = '/';
		memcpy(out + at, from, len);
		at += len;
	}
	out[at] = 0;
	return true;
}

static enum tar_type type_of(char c)
{
	switch (c) {
	case 0: case '0': case '7':
		return TAR_FILE;
	case '2': case '5':
		return (enum tar_type)c;
	}
	return TAR_OTHER;
}

static bool fill(struct tar_entry *e, const struct header *h,
		 const char *longer)
{
	char name[TAR_NAME_MAX + 8];

	if (longer[0])
		return strlen(longer) < TAR_NAME_MAX && tidy(longer, e->name);
	if (h->prefix[0] && !memcmp(h->magic, "ustar", 6))
		snprintf(name, sizeof(name), "%.155s/%.100s", h->prefix,
			 h->name);
	else
		snprintf(name, sizeof(name), "%.100s", h->name);
	return tidy(name, e->name);
}

/* The header at t->pos, and where its content is; t->pos is behind both. */
static int take(struct tar *t, const struct header **h, struct tar_entry *e)
{
	uint64_t left = t->size - t->pos, padded, mode, mtime;

	*h = (const struct header *)(t->data + t->pos);
	if (left < BLOCK)
		return left ? -EUCLEAN : 0;
	if (is_zero(*h))
		return 0;
	if (memcmp((*h)->magic, "ustar", 5) || !sum_is_right(*h) ||
	    octal((*h)->size, sizeof((*h)->size), &e->size))
		return -EUCLEAN;
	/* Numbers of another kind than octal ones are only so important here. */
	e->mode = octal((*h)->mode, sizeof((*h)->mode), &mode) ? 0644 :
								 mode & 07777;
	e->mtime = octal((*h)->mtime, sizeof((*h)->mtime), &mtime) ? 0 : mtime;
	left -= BLOCK;
	if ((*h)->type >= '1' && (*h)->type <= '6')
		e->size = 0;		/* these have no content */
	if (e->size > left)
		return -EUCLEAN;
	e->data = t->data + t->pos + BLOCK;
	padded = (e->size + BLOCK - 1) / BLOCK * BLOCK;
	t->pos += BLOCK + (padded < left ? padded : left);
	return 1;
}

int tar_next(struct tar *t, struct tar_entry *e)
{
	char longer[TAR_NAME_MAX + 1] = "";
	const struct header *h;
	int got;

	for (;;) {
		got = take(t, &h, e);
		if (got <= 0)
			return got;
		if (h->type == 'L') {
			snprintf(longer, sizeof(longer), "%.*s",
				 (int)(e->size < TAR_NAME_MAX ? e->size :
				       TAR_NAME_MAX), (const char *)e->data);
		} else if (h->type == 'x') {
			pax_path((const char *)e->data, e->size, longer,
				 sizeof(longer));
		} else if (h->type != 'g' && h->type != 'K') {
			e->type = type_of(h->type);
			snprintf(e->target, sizeof(e->target), "%.100s",
				 e->type == TAR_LINK ? h->target : "");
			if (fill(e, h, longer))
				return 1;
			longer[0] = 0;
		}
	}
}
