// SPDX-License-Identifier: BSD-2-Clause
/* Archives: right ones, wrong ones, and one with every byte changed. */
/* test-sources: fake_pith.c ../tar.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pith.h"
#include "../tar.h"

static uint8_t data[16384];
static size_t len;

static void seal(uint8_t *h)
{
	unsigned int sum = 0;

	memset(h + 148, ' ', 8);
	for (unsigned int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static uint8_t *add(const char *name, char type, const char *content)
{
	uint8_t *h = data + len;
	size_t size = strlen(content);

	memset(h, 0, 512);
	memcpy(h, name, strnlen(name, 100));
	snprintf((char *)h + 124, 12, "%011o", (unsigned int)size);
	memcpy(h + 257, "ustar\00000", 8);
	h[156] = type;
	seal(h);
	memset(h + 512, 0, 512 * ((size + 511) / 512));
	memcpy(h + 512, content, size);
	len += 512 + (size + 511) / 512 * 512;
	return h;
}

/* "name=content;" of each entry, or the error at the end. */
static const char *list(void)
{
	static char out[8192];
	struct tar t = { .size = len };
	struct tar_entry e;
	uint8_t *copy = malloc(len + !len);
	int ret;

	out[0] = 0;
	memcpy(copy, data, len);	/* so that a byte too many is noticed */
	t.data = copy;
	while ((ret = tar_next(&t, &e)) > 0)
		snprintf(out + strlen(out), sizeof(out) - strlen(out),
			 "%s%c%.*s%s;", e.name, e.type ? e.type : '?',
			 (int)e.size, (const char *)e.data, e.target);
	free(copy);
	if (ret)
		strcat(out, "damaged");
	return out;
}

static int lists(const char *wanted)
{
	const char *got = list();

	if (strcmp(got, wanted))
		printf("# got %s\n", got);
	return !strcmp(got, wanted);
}

static void test_right(void)
{
	uint8_t *h;

	len = 0;
	add("a", '0', "one");
	add("./d/", '5', "");
	add("d//b", 0, "two");
	h = add("l", '2', "");
	strcpy((char *)h + 157, "d/b");
	seal(h);
	add("dev", '3', "");
	ok(lists("a0one;d5;d/b0two;l2d/b;dev?;"), "without blocks of zeros");
	memset(data + len, 0, 1024);
	len += 1024;
	ok(lists("a0one;d5;d/b0two;l2d/b;dev?;"), "with them");
	len += 512;
	data[len - 1] = 1;
	ok(lists("a0one;d5;d/b0two;l2d/b;dev?;"), "what is behind does not count");
	len = 512 + 3;
	ok(lists("a0one;"), "the last block need not be whole");
	len = 0;
	ok(lists(""), "nothing at all");
}

static void test_names(void)
{
	char longer[300], wanted[600];
	uint8_t *h;

	memset(longer, 'n', sizeof(longer));
	longer[255] = 0;
	len = 0;
	add("././@LongLink", 'L', longer);
	add("short", '0', "x");
	add("next", '0', "y");
	snprintf(wanted, sizeof(wanted), "%s0x;next0y;", longer);
	ok(lists(wanted), "GNU: 255 bytes");
	longer[255] = 'n';
	longer[256] = 0;
	len = 0;
	add("././@LongLink", 'L', longer);
	add("short", '0', "x");
	add("next", '0', "y");
	ok(lists("next0y;"), "of 256 is left out");
	len = 0;
	add("pax", 'x', "20 size=1234567890a\n14 path=a/b/c\n9 a=b=cd\n");
	add("short", '0', "x");
	add("pax", 'x', "99 path=beyond\n");
	add("other", '0', "y");
	ok(lists("a/b/c0x;other0y;"), "pax");
	len = 0;
	h = add("file", '0', "x");
	strcpy((char *)h + 345, "some/dir");
	seal(h);
	ok(lists("some/dir/file0x;"), "prefix");
	memset(h, 'f', 100);
	memset(h + 345, 'p', 155);
	seal(h);
	ok(lists(""), "name and prefix without an end: 256 bytes, left out");
	h[344 + 155] = 0;
	seal(h);
	ok(strlen(list()) == 255 + 3, "255 bytes");
	len = 0;
	add("../secret", '0', "x");
	add("a/../../b", '0', "x");
	add("/abs", '0', "y");
	add("..a", '0', "z");
	ok(lists("abs0y;..a0z;"), "names that lead out are left out");
}

static void test_wrong(void)
{
	uint8_t *h;

	len = 0;
	h = add("a", '0', "one");
	h[0] = 'b';
	ok(lists("damaged"), "checksum");
	len = 0;
	h = add("a", '0', "one");
	memcpy(h + 124, "77777777777", 11);
	seal(h);
	ok(lists("damaged"), "more content than there is");
	memcpy(h + 124, "0000000099 ", 11);
	seal(h);
	ok(lists("damaged"), "no number");
	memset(h + 124, 0xff, 12);
	seal(h);
	ok(lists("damaged"), "a number in base 256");
	len = 511;
	ok(lists("damaged"), "cut in the header");
	len = 512 + 2;
	memcpy(h + 124, "00000000003", 12);
	seal(h);
	ok(lists("damaged"), "cut in the content");
	memset(data, 'x', sizeof(data));
	len = sizeof(data);
	ok(lists("damaged"), "no archive");
}

int main(void)
{
	test_right();
	test_names();
	test_wrong();
	return tap_end();
}
