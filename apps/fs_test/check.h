/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of files say when something is wrong, and what they write. */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <pith/hid.h>

/* End with a line in the log. */
_Noreturn void fail(const char *what, const char *path, long err);
/* @ret, which must not be an error. */
long must(long ret, const char *what, const char *path);
void must_be(long ret, long wanted, const char *what, const char *path);

/* Fill @content with bytes that differ from @number to @number and from place to
 * place. */
void make_content(uint8_t *content, unsigned int number, size_t size);
/* Of file @number: 0 to @most, now and then exactly @most. */
size_t size_of(unsigned int number, size_t most);

/* The test's config; ends it if there is none. */
const struct hid_node *read_test_config(void);

#endif
