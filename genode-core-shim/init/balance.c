// SPDX-License-Identifier: BSD-2-Clause
/* Quota of running children, up and down, and their heartbeats. */
#include <errno.h>
#include <string.h>
#include <pith/rpc.h>
#include "init.h"

/* What a child is left unused when its quota is taken back: it must be able to
 * do something about it. */
#define LEAVE_RAM	(16u << 10)
#define LEAVE_CAPS	5

#define CPU_PERIOD	PITH_MS(100)
/* To set a budget begins a period, so that it is not done at any child's bidding
 * but all at once and not more often than this. */
#define CPU_SETTLE	PITH_SEC(1)

static struct ep_timer heart;
static struct quota assigned;	/* by our parent, as it said last */
static int notification = -1;	/* what our parent signals */

void child_signal(const struct child *c, enum parent_signal signal)
{
	if (c->sigh[signal] >= 0)
		pith_signal(c->sigh[signal], 1);
}

/* --- init itself ------------------------------------ */

static int ask_parent(struct parent_resources *r)
{
	return rpc_simple(PITH_SLOT_PARENT, PARENT_RESOURCES, NULL, 0, r,
			  sizeof(*r), pith_now() + PARENT_TIMEOUT);
}

/* The parent gives more or wants some back; what it wants it finds unused. */
static void resources_changed(void *ctx, uint64_t count)
{
	struct parent_resources r;
	struct quota now;

	(void)ctx;
	(void)count;
	if (ask_parent(&r))
		return;
	now = (struct quota){ r.assigned.ram, r.assigned.caps };
	quota_add(init.budget, quota_rest(now, assigned), &init.budget);
	init.budget = quota_rest(init.budget, quota_rest(assigned, now));
	assigned = now;
	if (r.wanted.ram || r.wanted.caps)
		rpc_simple(PITH_SLOT_PARENT, PARENT_YIELD_RESPONSE, NULL, 0,
			   NULL, 0, pith_now() + PARENT_TIMEOUT);
	children_pay_debts();
}

void balance_init(void)
{
	struct parent_sigh req = { .signal = PARENT_SIGNAL_RESOURCES };
	struct parent_resources now;
	uint64_t badge;

	init.budget = quota_unused(PITH_SLOT_DOMAIN);
	if (ask_parent(&now))	/* core: all there is, for ever */
		return;
	assigned = (struct quota){ now.assigned.ram, now.assigned.caps };
	notification = ep_new_notification(&init.ep, resources_changed, NULL,
					   &badge);
	if (notification >= 0)
		rpc_give_cap(PITH_SLOT_PARENT, PARENT_SIGH, &req, sizeof(req),
			     notification, pith_now() + PARENT_TIMEOUT);
}

struct quota balance_available(const struct config *c)
{
	struct quota keep = {
		c->keep_ram ? c->keep_ram : QUOTA_INIT_RAM,
		c->keep_caps ? c->keep_caps : QUOTA_INIT_CAPS,
	};
	struct quota all = { QUOTA_INIT_RAM, QUOTA_INIT_CAPS };

	quota_add(init.budget, all, &all);
	return quota_for_children(quota_rest(all, keep), c->nchildren);
}

/* --- CPU time ------------------------------------ */

static uint64_t cpu_settled;

/* What it has given beyond all that it has: to be had by closing sessions. */
static uint64_t cpu_wanted(const struct child *c)
{
	uint64_t all = c->conf->cpu + sessions_cpu_got(c);
	uint64_t given = sessions_cpu_given(c);

	return c->conf->cpu && given >= all ? given + 1 - all : 0;
}

uint64_t cpu_share(const struct child *c)
{
	if (!c->conf->cpu)
		return 0;
	return c->conf->cpu + sessions_cpu_got(c) + cpu_wanted(c) -
	       sessions_cpu_given(c);
}

void balance_cpu(struct child *c)
{
	struct pith_cpu_budget b = { .period = CPU_PERIOD };

	c->cpu_set = cpu_share(c);
	b.budget = c->cpu_set * CPU_PERIOD / 100;
	pith_control(c->domain, PITH_OP_DOMAIN_CPU, &b);
}

static void settle_cpu(void *ctx)
{
	struct child *c;

	(void)ctx;
	for (c = init.all; c; c = c->next) {
		if (c->state != CHILD_RUNNING || c->cpu_set == cpu_share(c))
			continue;
		balance_cpu(c);
		cpu_settled = pith_now();
	}
	report_changed();
}

static struct ep_timer cpu_timer = { .at = PITH_NO_DEADLINE, .fire = settle_cpu };

void balance_cpu_changed(void)
{
	if (pith_now() >= cpu_settled + CPU_SETTLE)
		settle_cpu(NULL);
	else if (cpu_timer.at == PITH_NO_DEADLINE)
		ep_timer_set(&init.ep, &cpu_timer, cpu_settled + CPU_SETTLE);
}

/* --- RAM and capabilities ------------------------------------ */

void balance_down(struct child *c)
{
	struct quota excess = quota_rest(c->granted, c->conf->quota), some;

	if (!excess.ram && !excess.caps)
		return;
	some = quota_rest(quota_unused(c->domain),
			  (struct quota){ LEAVE_RAM, LEAVE_CAPS });
	some = quota_min(excess, some);
	if (!quota_move(c->domain, PITH_SLOT_DOMAIN, some))
		quota_sub(c->granted, some, &c->granted);
	report_changed();
	child_signal(c, PARENT_SIGNAL_RESOURCES);
}

bool balance_up(struct child *c)
{
	struct quota lack = quota_rest(c->conf->quota, c->granted), rest = lack;

	if (!lack.ram && !lack.caps)
		return false;
	quota_pay_some(c->pd.cap, &rest);
	quota_sub(lack, rest, &lack);
	if (lack.ram || lack.caps) {
		quota_add(c->granted, lack, &c->granted);
		c->requested = quota_rest(c->requested, lack);
		child_signal(c, PARENT_SIGNAL_RESOURCES);
		report_changed();
	}
	return rest.ram || rest.caps;
}

int balance_resources(struct child *c, struct ep_request *in)
{
	struct quota wanted = quota_rest(c->granted, c->conf->quota);
	struct parent_resources r = {
		.assigned = { c->granted.ram, c->granted.caps, c->conf->cpu },
		.wanted = { wanted.ram, wanted.caps, cpu_wanted(c) },
	};

	return ep_reply_data(&init.ep, in, &r, sizeof(r));
}

int balance_request(struct child *c, struct ep_request *in)
{
	const struct parent_quota *req = ep_req(in, struct parent_quota);

	if (!req)
		return -EINVAL;
	c->requested = (struct quota){ req->ram, req->caps };
	c->requested_cpu = req->cpu;
	child_complain(c, "requests resources: ram %llu, caps %llu, cpu %llu",
		       (unsigned long long)req->ram,
		       (unsigned long long)req->caps,
		       (unsigned long long)req->cpu);
	report_now();
	return 0;
}

/* --- heartbeats ------------------------------------ */

static void beat(struct child *c)
{
	if (c->state != CHILD_RUNNING || c->again || c->removed ||
	    !c->conf->heartbeat)
		return;
	if (c->beat) {
		c->skipped++;
		report_changed();
	}
	if (c->conf->skipped_max && c->skipped >= c->conf->skipped_max) {
		log_error("child \"%s\" skipped %u heartbeats and is restarted",
			  c->conf->name, c->skipped);
		child_restart(c);
		return;
	}
	c->beat = true;
	child_signal(c, PARENT_SIGNAL_HEARTBEAT);
}

static void heart_beats(void *ctx)
{
	struct child *c;

	(void)ctx;
	for (c = init.all; c; c = c->next)
		beat(c);
	heartbeat_start();
}

void heartbeat_start(void)
{
	heart.fire = heart_beats;
	if (init.config.heartbeat_ms)
		ep_timer_set(&init.ep, &heart,
			     pith_now() + PITH_MS(init.config.heartbeat_ms));
	else
		ep_timer_cancel(&init.ep, &heart);
}
