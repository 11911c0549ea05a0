// SPDX-License-Identifier: BSD-2-Clause
/* The smallest component: says what it has and ends. */
#include <pith/env.h>

int component_main(void)
{
	struct pith_domain_info d;
	int err = pith_domain_info(PITH_SLOT_DOMAIN, &d);

	if (err < 0) {
		log_error("domain: error %d", -err);
		return 1;
	}
	log_line("hello, with %llu of %llu KiB RAM and %llu of %llu capabilities used",
		 (unsigned long long)d.ram_used >> 10,
		 (unsigned long long)d.ram_limit >> 10,
		 (unsigned long long)d.caps_used,
		 (unsigned long long)d.caps_limit);
	return 0;
}
