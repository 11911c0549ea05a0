/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may have which partition: the config of part_block.
 *
 *	config
 *	+ policy ext4 | partition: 1	. or label, label_prefix, label_suffix
 *	+ policy installer | partition: 0 | writeable: yes
 *	+ default-policy | partition: any
 *	-
 *
 * The first policy that fits the session's label decides; without one the
 * session is refused. With "any" the client chooses by its argument
 * "partition=N" (none: 0), but gets the whole disk (0) only if there is no
 * partition table. writeable defaults to no.
 */
#ifndef PART_BLOCK_POLICY_H
#define PART_BLOCK_POLICY_H

#include <pith/hid.h>

#include "table.h"

struct grant {
	unsigned int number;
	bool writeable;
};

/* Check a whole config. 0, or -EINVAL with @err set. */
int part_policy_check(const struct hid_node *config, struct hid_error *err);

/*
 * What a session with @label and @args gets from @t. Errors: EACCES (no policy,
 * or not this partition), EINVAL (malformed number), EIO (the table is damaged),
 * ENOENT (no such partition).
 */
int part_policy_decide(const struct hid_node *config, const struct table *t,
		  const char *label, const char *args, struct grant *grant);

#endif
