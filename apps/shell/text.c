// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "editor.h"
#include "text.h"

int path_join(char *out, size_t size, const char *cwd, const char *path)
{
	int n;

	if (path[0] == '/')
		n = snprintf(out, size, "%s", path);
	else
		n = snprintf(out, size, "%s%s%s", cwd,
			     cwd[strlen(cwd) - 1] == '/' ? "" : "/", path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void path_normalise(char *path)
{
	const char *from = path;
	char *to = path;		/* always <= from */

	while (*from) {
		size_t n;

		while (*from == '/')
			from++;
		n = strcspn(from, "/");
		if (n == 2 && from[0] == '.' && from[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (n && !(n == 1 && from[0] == '.')) {
			*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

static int is_control(const unsigned char *s, size_t n)
{
	return s[0] < 0x20 || s[0] == 0x7f ||
	       (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

char *text_printable(char *out, size_t size, const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t left = strlen(name), at = 0;

	while (left) {
		size_t n = utf8_char(s, left);

		if (at + (n ? n : 1) >= size)
			break;
		if (!n || is_control(s, n)) {
			out[at++] = '?';
			n = n ? n : 1;
		} else {
			memcpy(out + at, s, n);
			at += n;
		}
		s += n;
		left -= n;
	}
	out[at] = '\0';
	return out;
}

size_t text_columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static char kind_letter(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:	return '-';
	case S_IFDIR:	return 'd';
	case S_IFLNK:	return 'l';
	case S_IFCHR:	return 'c';
	case S_IFBLK:	return 'b';
	case S_IFIFO:	return 'p';
	case S_IFSOCK:	return 's';
	default:	return '?';
	}
}

void text_mode(char out[11], uint32_t mode)
{
	unsigned int i;

	out[0] = kind_letter(mode);
	for (i = 0; i < 9; i++)
		out[i + 1] = mode & (0400u >> i) ? "rwxrwxrwx"[i] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
}

const char *text_kind(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:	return "regular file";
	case S_IFDIR:	return "directory";
	case S_IFLNK:	return "symbolic link";
	case S_IFCHR:	return "character device";
	case S_IFBLK:	return "block device";
	case S_IFIFO:	return "pipe";
	case S_IFSOCK:	return "socket";
	default:	return "unknown";
	}
}

void text_date(char out[24], int64_t seconds, int minutes)
{
	time_t t = seconds;
	struct tm tm;
	int n;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
		snprintf(out, 24, "@%lld", (long long)seconds);
		return;
	}
	n = snprintf(out, 24, "%04u-%02u-%02u %02u:%02u",
		     (tm.tm_year + 1900u) % 10000, (tm.tm_mon + 1u) % 100,
		     tm.tm_mday % 100u, tm.tm_hour % 100u, tm.tm_min % 100u);
	if (!minutes)
		snprintf(out + n, 24 - n, ":%02u", tm.tm_sec % 100u);
}

void text_size(char out[24], uint64_t bytes)
{
	static const char unit[] = "KMGTPE";
	unsigned int i = 0;

	if (bytes < 1024) {
		snprintf(out, 24, "%u B", (unsigned int)bytes);
		return;
	}
	for (; bytes >= 1 << 20; i++)
		bytes >>= 10;
	snprintf(out, 24, "%u.%u %ciB", (unsigned int)(bytes >> 10),
		 (unsigned int)((bytes & 1023) * 10 >> 10), unit[i]);
}

/* Those that the C library has no words for, or words that mislead here. */
static const char *own_words(int err)
{
	switch (err) {
	case EUCLEAN:	return "the file system is damaged here";
	case ESTALE:	return "the file changed while its server was restarted";
	case EPIPE:	return "the server died";
	case EPROTO:	return "the server's answer makes no sense";
	case EDQUOT:	return "not enough RAM or capabilities granted";
	case EINTR:	return "interrupted";
	case ETIMEDOUT:	return "no answer in time";
	default:	return NULL;
	}
}

const char *text_error(char *out, size_t size, int err)
{
	const char *words = own_words(err);

	snprintf(out, size, "%s", words ? words : strerror(err));
	out[0] = tolower((unsigned char)out[0]);
	return out;
}

int text_number(const char *s, uint64_t *value)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = *s - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return -EINVAL;
		v = v * 10 + digit;
	}
	*value = v;
	return 0;
}
