/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which session sees which devices:
 *
 *	config
 *	+ policy nvme		label of the session, or its first components
 *	  + pci | class: NVME
 *	  + pci | vendor: 0x8086 | device: 0x10d3 | bdf: 00:04.0
 *	-
 *
 * A device belongs to a policy if all conditions of one of its pci nodes hold.
 * The first policy whose label fits counts; a session that none fits is refused.
 */
#ifndef PLATFORM_POLICY_H
#define PLATFORM_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <session/parent.h>

#include "pci.h"

#define POLICY_MAX	16
#define POLICY_RULES	64

struct policy_rule {
	uint32_t class_value, class_mask;	/* class << 16 | sub << 8 | if */
	uint32_t vendor, device, bdf;		/* POLICY_ANY: any */
};
#define POLICY_ANY	(~0u)

struct policy_entry {
	char label[PARENT_LABEL_MAX];
	unsigned int first, count;		/* in rules[] */
};

struct policy {
	struct policy_entry entries[POLICY_MAX];
	struct policy_rule rules[POLICY_RULES];
	unsigned int nentries, nrules;
};

/* Parse the config. 0; or -EINVAL or -ENOMEM with a sentence in @why. */
int policy_parse(struct policy *p, const char *text, size_t len, char *why,
		 size_t why_size);

const struct policy_entry *policy_find(const struct policy *p,
				       const char *label);

/* 1: @f is shown to sessions under @e. Bridges never are. */
int policy_match(const struct policy *p, const struct policy_entry *e,
		 const struct pci_function *f);
/* 1: some policy shows @f. */
int policy_wanted(const struct policy *p, const struct pci_function *f);

#endif
