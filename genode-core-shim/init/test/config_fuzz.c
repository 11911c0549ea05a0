// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../config.c ../config_route.c ../config_self.c
 * ../route.c ../restart.c ../../lib/hid_fill.c ../../lib/hid.c ../../lib/args.c */
/* Any text is refused with a place in it, or is a model whose routes resolve. */
#include <stdlib.h>
#include <string.h>
#include "../route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve_all(const struct config *c)
{
	static const char *const services[] = { "ROM", "Block", "Init_control" };
	struct route r;
	unsigned int i, j;

	for (i = 0; i < c->nchildren; i++) {
		for (j = 0; j < 3; j++) {
			if (route_resolve(c, i, services[j], "a -> b", &r))
				abort();
			if (r.kind == ROUTE_CHILD &&
			    (r.child >= c->nchildren || r.child == i))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hid_error err;
	struct config c;

	if (config_parse(&c, (const char *)data, size, &err)) {
		if (c.arena || !err.line || !err.col || !err.text[0])
			abort();
		return 0;
	}
	resolve_all(&c);
	config_check_quota(&c, (struct quota){ 1 << 20, 100 }, &err);
	config_free(&c);
	return 0;
}
