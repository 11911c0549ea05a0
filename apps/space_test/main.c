// SPDX-License-Identifier: BSD-2-Clause
/* space_test: spaces and threads from a component's side. See README.md. */
#include <errno.h>
#include <string.h>
#include <pith/hid.h>
#include "kid.h"
#include "../../servers/lib/config_rom.h"

struct entrypoint ep;
int failures;

void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	failures++;
}

static void get_config(char *run, size_t size)
{
	struct rom rom;

	hid_string(config_read(&rom), "run", run, size, "");
}

int component_main(void)
{
	struct pith_identify id;
	char run[16];
	int err;

	if (!pith_identify(KID_SLOT, &id) && id.type == PITH_T_ENDPOINT)
		kid_main();
	err = ep_init(&ep);
	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	get_config(run, sizeof(run));
	if (!strcmp(run, "rm"))
		test_rm();
	else if (!strcmp(run, "cpu"))
		test_cpu();
	else if (!strcmp(run, "budget"))
		test_budget();
	else if (!strcmp(run, "bench"))
		bench();
	else
		env_fatal("no test %s", run);
	log_line(failures ? "space_test %s: %d failures" : "space_test %s: PASS",
		 run, failures);
	return failures != 0;
}
