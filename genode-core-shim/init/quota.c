// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "quota.h"

bool quota_add(struct quota a, struct quota b, struct quota *out)
{
	struct quota sum;

	if (__builtin_add_overflow(a.ram, b.ram, &sum.ram) ||
	    __builtin_add_overflow(a.caps, b.caps, &sum.caps))
		return false;
	*out = sum;
	return true;
}

struct quota quota_rest(struct quota all, struct quota keep)
{
	return (struct quota){
		all.ram > keep.ram ? all.ram - keep.ram : 0,
		all.caps > keep.caps ? all.caps - keep.caps : 0,
	};
}

struct quota quota_min(struct quota a, struct quota b)
{
	return quota_rest(a, quota_rest(a, b));
}

struct quota quota_for_children(struct quota all, unsigned int nchildren)
{
	struct quota keep = {
		QUOTA_INIT_RAM + (uint64_t)nchildren * QUOTA_CHILD_RAM,
		QUOTA_INIT_CAPS + (uint64_t)nchildren * QUOTA_CHILD_CAPS,
	};

	return quota_rest(all, keep);
}

bool quota_valid(struct quota donation)
{
	struct quota init = { QUOTA_SESSION_RAM, QUOTA_SESSION_CAPS };

	return !(donation.ram % QUOTA_PAGE) &&
	       quota_add(donation, init, &donation);
}

/* --- on domains ------------------------------------ */

struct quota quota_unused(int domain)
{
	struct pith_domain_info i;

	if (pith_domain_info(domain, &i))
		return (struct quota){ 0, 0 };
	return (struct quota){ i.ram_limit - i.ram_used,
			       i.caps_limit - i.caps_used };
}

static struct quota reserve = { QUOTA_KEEP_RAM, QUOTA_KEEP_CAPS };

void quota_reserve(uint64_t keep_ram, uint64_t keep_caps)
{
	reserve.ram = keep_ram ? keep_ram : QUOTA_KEEP_RAM;
	reserve.caps = keep_caps ? keep_caps : QUOTA_KEEP_CAPS;
}

struct quota quota_spare(void)
{
	return quota_rest(quota_unused(PITH_SLOT_DOMAIN), reserve);
}

int quota_move(int from, int to, struct quota q)
{
	if (!q.ram && !q.caps)
		return 0;
	return pith_domain_transfer(from, to, q.ram, q.caps);
}

void quota_move_some(int from, int to, struct quota *q)
{
	struct quota some;

	if (!q->ram && !q->caps)
		return;
	some = quota_min(*q, quota_unused(from));
	if (!quota_move(from, to, some))
		quota_sub(*q, some, q);
}

int quota_fund(int pd, struct quota q)
{
	struct pd_quota req = { q.ram, q.caps };

	if (!q.ram && !q.caps)
		return 0;
	return rpc_simple(pd, PD_FUND, &req, sizeof(req), NULL, 0,
			  pith_now() + PITH_SEC(5));
}

int quota_pay(int pd, struct quota q)
{
	struct quota spare = quota_spare();

	return quota_sub(spare, q, &spare) ? quota_fund(pd, q) : -EDQUOT;
}

void quota_pay_some(int pd, struct quota *q)
{
	struct quota some = quota_min(*q, quota_spare());

	if (!quota_fund(pd, some))
		quota_sub(*q, some, q);
}
