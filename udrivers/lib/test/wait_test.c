// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../wait.c */
/* Waiting with a clock that only moves when somebody looks or sleeps. */
#include <errno.h>
#include <stdio.h>

#include <pith/rpc.h>

#include "../mmio.h"

static uint64_t clock_ns;
static unsigned int sleeps, tests, failed;

uint64_t pith_now(void)
{
	return clock_ns += 100;
}

long pith_syscall4(long nr, long a, long b, long c, long d)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d;
	return -ENOSYS;
}

int pith_ep_create(void)
{
	return 7;
}

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	(void)method, (void)r;
	if (cap != 7)
		return -EBADF;
	sleeps++;
	if (clock_ns < deadline)
		clock_ns = deadline;
	return -ETIMEDOUT;
}

static void check(int ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests, what);
	failed += !ok;
}

static unsigned int polls;

static int after_1000(void *ctx)
{
	return ++polls >= *(unsigned int *)ctx;
}

static int broken(void *ctx)
{
	(void)ctx;
	return -EIO;
}

int main(void)
{
	uint32_t reg[4] = { 0, 0xf0, 0, 0 };
	unsigned int n = 1000, never = ~0u;
	uint64_t end;

	check(mmio_wait32(reg, 4, 0xf0, 0xf0, 0) == 0,
	      "a condition that holds is seen even past the deadline");
	end = clock_ns + 5000000;
	check(mmio_wait32(reg, 4, 0xf0, 0, end) == -ETIMEDOUT,
	      "a register that never changes times out");
	check(clock_ns >= end && clock_ns < end + 10000,
	      "the deadline is met, not exceeded");
	check(sleeps > 5 && sleeps < 100, "a long wait sleeps");
	polls = 0;
	check(poll_until(after_1000, &n, clock_ns + 1000000000) == 0 &&
	      polls == 1000, "the poll ends when the condition comes true");
	check(poll_until(broken, NULL, ~0ull) == -EIO,
	      "an error of the condition ends the wait");
	polls = 0;
	check(poll_until(after_1000, &never, clock_ns) == -ETIMEDOUT &&
	      polls == 1, "a deadline that has passed polls once");
	mmio_write8(reg, 0, 0x12);
	mmio_write16(reg, 2, 0x3456);
	mmio_write64(reg, 8, 0x1122334455667788);
	check(mmio_read32(reg, 0) == 0x34560012 && mmio_read8(reg, 0) == 0x12 &&
	      mmio_read16(reg, 2) == 0x3456 &&
	      mmio_read64(reg, 8) == 0x1122334455667788,
	      "accesses have the width they are named after");
	printf("1..%u\n", tests);
	return failed != 0;
}
