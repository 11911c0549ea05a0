/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VFS_TEST_H
#define VFS_TEST_H

#include <pith/hid.h>

#include "../../servers/lib/name_space.h"

/* What all tests use: see README.md. */
extern struct entrypoint ep;
extern struct name_space ns;
extern const struct hid_node *config;

/* The value of attribute @tag, "" if there is none; until the next of that tag. */
const char *attr(const char *tag);

void test_disk(void);
void test_terminal(void);
void test_lied(void);
_Noreturn void be_a_liar(void);

#endif
