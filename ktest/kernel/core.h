/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KT_CORE_H
#define KT_CORE_H

#include "kt.h"

/* Become core, run the tests that @argv selects (see README.md), switch off. */
_Noreturn void core_main(const struct kt_test *first,
			 const struct kt_test *end, int argc, char **argv);

#endif
