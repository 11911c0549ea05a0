/* SPDX-License-Identifier: BSD-2-Clause */
/* Where libc's start code enters a component. */
#include <errno.h>
#include <pith/env.h>
#include <pith/rpc.h>

/* Without a log, its descriptor must not become another object's: what is sent
 * there would reach whoever that is. A notification cannot be called. */
static void fill_log_slot(void)
{
	struct pith_identify id;

	if (pith_identify(PITH_SLOT_LOG, &id) == -EBADF)
		pith_notif_create();
}

int main(void)
{
	int err;

	fill_log_slot();
	err = rpc_thread_init();

	/* without a buffer nothing can be said but by the exit code */
	return err ? 100 : component_main();
}
