/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_H
#define FUZZ_H

#include "attack.h"

/* What a field means, and so which values are worth trying. */
enum fuzz_kind {
	K_NONE, K_ZERO, K_FLAGS, K_RIGHTS, K_BADGE, K_TIME,
	K_PAGES,	/* bytes, mostly some pages */
	K_PAGES0,	/* the same, mostly 0 */
	K_ADDRESS,	/* in an address space */
	K_POINTER,	/* of the caller */
	K_NAME, K_DEVICE, K_PORT,
	K_MEMORY, K_ENDPOINT, K_NOTIF, K_DOMAIN,	/* descriptors */
};

struct fuzz_field {
	uint8_t offset, size, kind;
};

#define FUZZ_ANY	99u
#define FUZZ_ARG	256	/* bytes, the largest struct and more */

struct fuzz_op {
	uint32_t op;
	uint32_t object;	/* type, FUZZ_ANY, 0: none */
	const char *name;
	struct fuzz_field fields[8];
};

const struct fuzz_op *fuzz_op(uint64_t gene);

#endif
