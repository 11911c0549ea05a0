/* SPDX-License-Identifier: BSD-2-Clause */
/* Where libc's start code enters a component. */
#include <pith/env.h>
#include <pith/rpc.h>

int main(void)
{
	int err = rpc_thread_init();

	/* without a buffer nothing can be said but by the exit code */
	return err ? 100 : component_main();
}
