// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../text.c ../editor.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../text.h"
#include "tap.h"

static int normal(const char *path, const char *expect)
{
	char *copy = strdup(path);
	int same;

	path_normalise(copy);
	same = !strcmp(copy, expect);
	if (!same)
		printf("# %s gave %s\n", path, copy);
	free(copy);
	return same;
}

static int printable(const char *name, const char *expect)
{
	char out[64];

	return !strcmp(text_printable(out, sizeof(out), name), expect);
}

static int mode_is(uint32_t mode, const char *expect)
{
	char out[11];

	text_mode(out, mode);
	return !strcmp(out, expect);
}

static int date_is(int64_t t, int minutes, const char *expect)
{
	char out[24];

	text_date(out, t, minutes);
	return !strcmp(out, expect);
}

static int size_is(uint64_t n, const char *expect)
{
	char out[24];

	text_size(out, n);
	return !strcmp(out, expect);
}

static int number_is(const char *s, int err, uint64_t expect)
{
	uint64_t v = 0;

	return text_number(s, &v) == err && v == expect;
}

static void test_paths(void)
{
	char out[16];

	ok(normal("/", "/") && normal("//", "/") && normal("/.", "/"), "root");
	ok(normal("/a/b", "/a/b") && normal("/a//b/", "/a/b"), "slashes");
	ok(normal("/a/./b/.", "/a/b") && normal("/a/../b", "/b"), "dots");
	ok(normal("/..", "/") && normal("/../../a", "/a") &&
	   normal("/a/b/../..", "/"), "no way out of the root");
	ok(normal("/...", "/...") && normal("/a/.b", "/a/.b") &&
	   normal("/a/..b", "/a/..b"), "names that begin with dots");
	ok(!path_join(out, sizeof(out), "/", "a") && !strcmp(out, "/a") &&
	   !path_join(out, sizeof(out), "/b", "a") && !strcmp(out, "/b/a") &&
	   !path_join(out, sizeof(out), "/b", "/a") && !strcmp(out, "/a"),
	   "join");
	ok(!path_join(out, sizeof(out), "/", "12345678901234") &&
	   path_join(out, sizeof(out), "/", "123456789012345") ==
	   -ENAMETOOLONG, "join: the longest path, and one more");
}

static void test_printable(void)
{
	char out[4];

	ok(printable("plain", "plain"), "plain");
	ok(printable("gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e"), "UTF-8");
	ok(printable("a\x1b[2Jb\nc\x7f", "a?[2Jb?c?"), "controls");
	ok(printable("a\xc2\x9b" "b", "a?b"), "C1 controls");
	ok(printable("a\xff\xc3(", "a?" "?("), "invalid bytes");
	text_printable(out, sizeof(out), "ab\xc3\xbc");
	ok(!strcmp(out, "ab"), "cut between characters");
	ok(text_columns("gr\xc3\xbc\xc3\x9f" "e") == 5, "columns");
}

int main(void)
{
	char error[60];

	test_paths();
	test_printable();
	ok(mode_is(0100644, "-rw-r--r--") && mode_is(040755, "drwxr-xr-x") &&
	   mode_is(0120777, "lrwxrwxrwx") && mode_is(041777, "drwxrwxrwt") &&
	   mode_is(0104755, "-rwsr-xr-x") && mode_is(0102640, "-rw-r-S---") &&
	   mode_is(0, "?---------") && mode_is(UINT32_MAX, "?rwsrwsrwt"),
	   "modes");
	ok(date_is(0, 0, "1970-01-01 00:00:00") &&
	   date_is(1709210096, 0, "2024-02-29 12:34:56") &&
	   date_is(1709210096, 1, "2024-02-29 12:34") &&
	   date_is(-1, 0, "1969-12-31 23:59:59"), "dates");
	ok(date_is(INT64_MAX, 0, "@9223372036854775807") &&
	   date_is(INT64_MIN, 1, "@-9223372036854775808") &&
	   date_is(253402300799, 0, "9999-12-31 23:59:59") &&
	   date_is(253402300800, 0, "@253402300800"), "dates far away");
	ok(size_is(0, "0 B") && size_is(1023, "1023 B") &&
	   size_is(1024, "1.0 KiB") && size_is(1536, "1.5 KiB") &&
	   size_is((1 << 20) - 1, "1023.9 KiB") &&
	   size_is(1 << 20, "1.0 MiB") && size_is(UINT64_MAX, "15.9 EiB"),
	   "sizes");
	ok(number_is("0", 0, 0) && number_is("18446744073709551615", 0,
	   UINT64_MAX) && number_is("18446744073709551616", -EINVAL, 0) &&
	   number_is("", -EINVAL, 0) && number_is("-1", -EINVAL, 0) &&
	   number_is("1x", -EINVAL, 0), "numbers");
	ok(!strcmp(text_error(error, sizeof(error), ENOENT),
		   "no such file or directory"), "errors in lower case");
	ok(strstr(text_error(error, sizeof(error), EUCLEAN), "damaged") != NULL,
	   "errors in our words");
	return tap_end();
}
