// SPDX-License-Identifier: BSD-2-Clause
/* Waiting for hardware: see mmio.h. */
#include <errno.h>

#include <pith/rpc.h>

#include "mmio.h"

#define SPIN_NS		20000	/* a register that is quick is not slept for */
#define SLEEP_NS	200000

/*
 * A call to an endpoint of our own, at which nobody receives, ends at its
 * deadline and not before. Unlike waiting for a message it leaves a call that
 * this thread is handling unanswered but alive.
 */
void sleep_until(uint64_t deadline)
{
	static int nobody = -1;
	struct rpc r = { 0 };

	if (nobody < 0)
		nobody = pith_ep_create();
	if (nobody >= 0)
		rpc_call(nobody, 0, &r, deadline);
	else	/* out of capabilities: late is better than not waiting */
		while (pith_now() < deadline)
			__asm__ volatile("" ::: "memory");
}

int poll_until(int (*done)(void *ctx), void *ctx, uint64_t deadline)
{
	uint64_t start = pith_now();

	for (;;) {
		/* The clock first: a late wake-up still looks once more. */
		uint64_t now = pith_now();
		int ret = done(ctx);

		if (ret)
			return ret < 0 ? ret : 0;
		if (now >= deadline)
			return -ETIMEDOUT;
		if (now - start < SPIN_NS)
			continue;
		now += SLEEP_NS;
		sleep_until(now < deadline ? now : deadline);
	}
}

struct wait32 {
	const volatile void *base;
	uint64_t offset;
	uint32_t mask, want;
};

static int wait32_done(void *ctx)
{
	struct wait32 *w = ctx;

	return (mmio_read32(w->base, w->offset) & w->mask) == w->want;
}

int mmio_wait32(const volatile void *base, uint64_t offset, uint32_t mask,
		uint32_t want, uint64_t deadline)
{
	struct wait32 w = { base, offset, mask, want };

	return poll_until(wait32_done, &w, deadline);
}
