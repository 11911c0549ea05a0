/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths and texts: functions of their arguments only. */
#ifndef SHELL_TEXT_H
#define SHELL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* @path as seen from @cwd, unchanged if absolute. 0 or -ENAMETOOLONG. */
int path_join(char *out, size_t size, const char *cwd, const char *path);
/* Without "." and "..", double and trailing slashes, in place. @path is absolute.
 * Takes ".." as the text says, whatever symbolic links there are. */
void path_normalise(char *path);

/* @name with everything that a terminal would act on, or that is not UTF-8,
 * replaced by '?'; cut to fit. Returns @out. */
char *text_printable(char *out, size_t size, const char *name);
/* Columns of valid UTF-8, one for each code point. */
size_t text_columns(const char *s);

/* "drwxr-xr-x"; @mode as in POSIX st_mode. */
void text_mode(char out[11], uint32_t mode);
/* What kind of node: "regular file", ... */
const char *text_kind(uint32_t mode);
/* "2024-02-29 12:34:56" UTC; seconds are cut off with @minutes. Years outside
 * of 0 .. 9999 are shown as seconds since 1970. */
void text_date(char out[24], int64_t seconds, int minutes);
/* "123 B", "1.5 MiB", ...; rounded down. */
void text_size(char out[24], uint64_t bytes);

/* What error @err (positive) is, in lower case: "no such file or directory". */
const char *text_error(char *out, size_t size, int err);

/* Decimal number, all of @s: 0 or -EINVAL. */
int text_number(const char *s, uint64_t *value);

#endif
