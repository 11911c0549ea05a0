/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KT_CORE_H
#define KT_CORE_H

#include "kt.h"

/* Become core, run all tests whose name contains one of @only, switch off. */
_Noreturn void core_main(const struct kt_test *first,
			 const struct kt_test *end, int nonly, char **only);

#endif
