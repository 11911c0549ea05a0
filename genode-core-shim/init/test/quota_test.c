// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../quota.c ../restart.c */
/* Quota arithmetic and restart policy; the two domain operations are played. */
#include <errno.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "../quota.h"
#include "../restart.h"
#include "../../lib/test/tap.h"

/* --- domains: number = index ------------------------------------ */

static struct pith_domain_info domains[3];

int pith_domain_info(int d, struct pith_domain_info *info)
{
	if (d < 0 || d > 2)
		return -EBADF;
	*info = domains[d];
	return 0;
}

int pith_domain_transfer(int from, int to, uint64_t ram, uint64_t caps)
{
	struct pith_domain_info *f = &domains[from], *t = &domains[to];

	if (from == to || ram % 4096)
		return -EINVAL;
	if (ram > f->ram_limit - f->ram_used ||
	    caps > f->caps_limit - f->caps_used)
		return -EDQUOT;
	f->ram_limit -= ram;
	t->ram_limit += ram;
	f->caps_limit -= caps;
	t->caps_limit += caps;
	return 0;
}

/* PD_FUND, from our own domain to that of the session, played as its number. */
int rpc_simple(int cap, uint64_t method, const void *req, size_t req_len,
	       void *rep, size_t rep_len, uint64_t deadline)
{
	const struct pd_quota *q = req;

	(void)method;
	(void)req_len;
	(void)rep;
	(void)rep_len;
	(void)deadline;
	return pith_domain_transfer(PITH_SLOT_DOMAIN, cap, q->ram, q->caps);
}

uint64_t pith_now(void)
{
	return 0;
}

static void set_domains(void)
{
	domains[0] = (struct pith_domain_info){ 100 << 12, 40 << 12, 50, 20, 0 };
	domains[1] = (struct pith_domain_info){ 10 << 12, 0, 5, 0, 0 };
}

static bool is(struct quota q, uint64_t ram, uint64_t caps)
{
	return q.ram == ram && q.caps == caps;
}

static void test_arithmetic(void)
{
	struct quota q = { 1, 1 };

	check(!quota_add((struct quota){ UINT64_MAX, 0 }, (struct quota){ 1, 0 },
			 &q) && !quota_add((struct quota){ 0, UINT64_MAX },
					   (struct quota){ 0, 1 }, &q) &&
	      is(q, 1, 1), "add refuses overflow and changes nothing");
	check(quota_add((struct quota){ UINT64_MAX - 1, 2 },
			(struct quota){ 1, 3 }, &q) && is(q, UINT64_MAX, 5),
	      "add up to the limit");
	check(!quota_sub((struct quota){ 4096, 5 }, (struct quota){ 4096, 6 }, &q)
	      && !quota_sub((struct quota){ 4095, 6 }, (struct quota){ 4096, 6 },
			    &q) && is(q, UINT64_MAX, 5), "sub refuses less than 0");
	check(quota_sub((struct quota){ 8, 6 }, (struct quota){ 8, 6 }, &q) &&
	      is(q, 0, 0), "sub to nothing");
	check(is(quota_min((struct quota){ 8191, 9 }, (struct quota){ 12288, 4 }),
		 8191, 4), "the smaller of each");
	check(quota_valid((struct quota){ 0, 0 }) &&
	      quota_valid((struct quota){ 1ull << 63, UINT64_MAX - 1 }) &&
	      !quota_valid((struct quota){ 1, 0 }) &&
	      !quota_valid((struct quota){ 4095, 0 }) &&
	      !quota_valid((struct quota){ 0, UINT64_MAX }), "donations");
}

static void test_plan(void)
{
	struct quota all = { 64 << 20, 1000 };
	struct quota q = quota_for_children(all, 3);

	check(q.ram == all.ram - QUOTA_INIT_RAM - 3 * QUOTA_CHILD_RAM &&
	      q.caps == all.caps - QUOTA_INIT_CAPS - 3 * QUOTA_CHILD_CAPS,
	      "what is left for children");
	check(is(quota_for_children((struct quota){ QUOTA_INIT_RAM, 3 }, 1), 0, 0),
	      "nothing is left for children");
}

static void test_moves(void)
{
	struct quota q = { 61 << 12, 1 };

	set_domains();
	check(is(quota_unused(0), 60 << 12, 30) && is(quota_unused(7), 0, 0),
	      "unused");
	check(quota_move(0, 1, q) == -EDQUOT && domains[1].ram_limit == 10 << 12,
	      "a move that does not fit moves nothing");
	check(quota_move(0, 1, (struct quota){ 60 << 12, 30 }) == 0 &&
	      domains[1].caps_limit == 35, "exact move");
	check(quota_move(9, 9, (struct quota){ 0, 0 }) == 0, "moving nothing");
	set_domains();
	quota_move_some(0, 1, &q);
	check(is(q, 1 << 12, 0) && domains[1].ram_limit == 70 << 12 &&
	      domains[0].ram_limit == domains[0].ram_used, "what there is moves");
	quota_move_some(0, 1, &q);
	check(is(q, 1 << 12, 0), "nothing more moves");
	domains[0].ram_used -= 1 << 12;
	quota_move_some(0, 1, &q);
	check(is(q, 0, 0) && domains[1].ram_limit == 71 << 12, "the rest moves");
}

/* --- restart ------------------------------------ */

static void test_restart(void)
{
	struct restart_policy p = { true, 3, 1000, 50 };
	struct restart_history h = { .count = 0 };
	struct restart_policy off = { .enabled = false };

	check(restart_after(&off, &h, 1) == -1 && !h.count, "no policy, no restart");
	check(restart_after(&p, &h, 100) == 50 && restart_after(&p, &h, 200) == 100
	      && restart_after(&p, &h, 300) == 200, "back-off doubles");
	check(restart_after(&p, &h, 400) == -1, "too many in the window");
	check(restart_after(&p, &h, 1100) == -1, "the oldest still counts");
	check(restart_after(&p, &h, 1101) == 200, "the oldest is forgotten");
	check(restart_after(&p, &h, 1101) == -1, "and only that");
	check(restart_after(&p, &h, 999999) == 50, "all are forgotten");
}

static void test_backoff_limit(void)
{
	struct restart_policy p = { true, RESTART_MAX, 1u << 30, 5000 };
	struct restart_history h = { .count = 0 };
	bool ok = true;
	int i;

	for (i = 0; i < RESTART_MAX; i++)
		ok = ok && restart_after(&p, &h, 10) == RESTART_BACKOFF_MAX;
	check(ok, "back-off ends at its limit");
	check(restart_after(&p, &h, 10) == -1 && h.count == RESTART_MAX,
	      "the history is bounded");
	p.backoff_ms = 1;
	h.count = RESTART_MAX - 1;
	check(restart_after(&p, &h, 10) == RESTART_BACKOFF_MAX,
	      "back-off after many doublings");
}

/* Domain 1 is init's own. */
static void test_reserve(void)
{
	struct quota owed = { 16384, 5 };

	set_domains();
	domains[1] = (struct pith_domain_info){
		QUOTA_KEEP_RAM + 8192 + 4096, 4096, QUOTA_KEEP_CAPS + 3, 0, 0 };
	check(is(quota_spare(), 8192, 3), "what is above the reserve");
	check(quota_pay(2, (struct quota){ 12288, 0 }) == -EDQUOT &&
	      quota_pay(2, (struct quota){ 0, 4 }) == -EDQUOT &&
	      !quota_pay(2, (struct quota){ 4096, 1 }) &&
	      is(quota_spare(), 4096, 2), "pays that and no more");
	quota_pay_some(2, &owed);
	check(is(owed, 12288, 3) && is(quota_spare(), 0, 0),
	      "pays some of a debt");
	domains[1].ram_limit -= 4096;
	domains[1].caps_limit--;
	quota_pay_some(2, &owed);
	check(is(owed, 12288, 3) && quota_pay(2, owed) == -EDQUOT,
	      "nothing below the reserve");
}

int main(void)
{
	test_reserve();
	test_arithmetic();
	test_plan();
	test_moves();
	test_restart();
	test_backoff_limit();
	return tap_end();
}
