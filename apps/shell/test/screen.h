/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a terminal, as far as the line editor makes use of it. */
#ifndef SHELL_SCREEN_H
#define SHELL_SCREEN_H

#include <stdlib.h>
#include <string.h>

#include "../editor.h"

struct screen {
	char cell[EDITOR_COLUMNS][5];	/* one character each, NUL terminated */
	unsigned int column, lines, bells;
	unsigned int wrapped;		/* wrote into the last column or behind */
	unsigned int unknown;		/* sequences that are not known here */
};

static void screen_erase(struct screen *s)
{
	unsigned int i;

	for (i = s->column; i < EDITOR_COLUMNS; i++)
		strcpy(s->cell[i], " ");
}

static size_t screen_escape(struct screen *s, const char *p, size_t len)
{
	size_t n = 2;
	unsigned int count;

	while (n < len && p[n] >= '0' && p[n] <= '9')
		n++;
	if (len < 3 || p[1] != '[' || n == len) {
		s->unknown++;
		return 1;
	}
	count = n > 2 ? atoi(p + 2) : 1;
	if (p[n] == 'K')
		screen_erase(s);
	else if (p[n] == 'C')
		s->column += count;
	else if (p[n] == 'H')
		s->column = 0;
	else if (p[n] != 'J' || count != 2)
		s->unknown++;
	return n + 1;
}

static void screen_put(struct screen *s, const char *p, size_t n)
{
	if (s->column >= EDITOR_COLUMNS - 1) {
		s->wrapped++;
		return;
	}
	memcpy(s->cell[s->column], p, n);
	s->cell[s->column++][n] = '\0';
}

static void screen_emit(void *ctx, const char *p, size_t len)
{
	struct screen *s = ctx;
	size_t n;

	for (; len; p += n, len -= n) {
		n = 1;
		if (*p == '\r') {
			s->column = 0;
		} else if (*p == '\n') {
			s->column = 0;
			s->lines++;
			screen_erase(s);
		} else if (*p == '\a') {
			s->bells++;
		} else if (*p == '\x1b') {
			n = screen_escape(s, p, len);
		} else {
			n = utf8_char((const unsigned char *)p, len);
			if (!n || (unsigned char)*p < ' ') {
				s->unknown++;
				n = 1;
			} else {
				screen_put(s, p, n);
			}
		}
	}
}

/* The text shown, without the blanks at its end. */
static inline char *screen_text(const struct screen *s, char out[5 * EDITOR_COLUMNS])
{
	unsigned int i;
	size_t len;

	out[0] = '\0';
	for (i = 0; i < EDITOR_COLUMNS; i++)
		strcat(out, s->cell[i]);
	for (len = strlen(out); len && out[len - 1] == ' '; len--)
		out[len - 1] = '\0';
	return out;
}

#endif
