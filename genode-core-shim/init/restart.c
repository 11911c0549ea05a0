// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>
#include "restart.h"

static void forget_before(struct restart_history *h, uint64_t start_ms)
{
	unsigned int old = 0;

	while (old < h->count && h->at_ms[old] < start_ms)
		old++;
	h->count -= old;
	memmove(h->at_ms, h->at_ms + old, h->count * sizeof(h->at_ms[0]));
}

static uint32_t backoff(uint32_t ms, unsigned int doublings)
{
	while (doublings-- && ms < RESTART_BACKOFF_MAX)
		ms *= 2;
	return ms < RESTART_BACKOFF_MAX ? ms : RESTART_BACKOFF_MAX;
}

uint64_t restart_pauses(const struct restart_policy *policy)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < policy->max; i++)
		sum += backoff(policy->backoff_ms, i);
	return sum;
}

int64_t restart_after(const struct restart_policy *policy,
		      struct restart_history *history, uint64_t now_ms)
{
	uint64_t window = policy->within_ms;
	unsigned int earlier;

	if (!policy->enabled)
		return -1;
	forget_before(history, now_ms > window ? now_ms - window : 0);
	earlier = history->count;
	if (earlier >= policy->max || earlier >= RESTART_MAX)
		return -1;
	history->at_ms[history->count++] = now_ms;
	return backoff(policy->backoff_ms, earlier);
}
