/* SPDX-License-Identifier: BSD-2-Clause */
/* PD: protection domains, and what only a managing system may know. */
#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <pith/env.h>
#include "core.h"

/* Who pays for what the session's domain gets. */
static int account(const struct core_session *s)
{
	return s->account < 0 ? core.init_domain : s->account;
}

static int pd_open(struct core_session *s, const char *args)
{
	char value[8];

	s->pd.managing = args_get(args, "managing_system", value,
				  sizeof(value)) > 0 && !strcmp(value, "yes");
	/* a child of who pays: its quota goes back there when it is destroyed */
	s->fd = pith_domain_create(account(s));
	return s->fd < 0 ? s->fd : 0;
}

static void pd_close(struct core_session *s)
{
	pith_domain_destroy(s->fd);
	pith_close(s->account);
}

/* init may do this itself; an init below it has no ADMIN to its own domain. */
static int fund(struct core_session *s, struct ep_request *in)
{
	const struct pd_quota *q = ep_req(in, struct pd_quota);

	return q ? pith_domain_transfer(account(s), s->fd, q->ram, q->caps) :
		   -EINVAL;
}

static int dma_addr(struct ep_request *in)
{
	const struct pd_dma_addr *req = ep_req(in, struct pd_dma_addr);
	uint64_t addr[PD_DMA_PAGES];
	struct pd_dma_addr_reply rep;
	struct pith_mem_phys p = { .addresses = (uintptr_t)addr };
	int err;

	if (!req || req->zero || !req->count || req->count > PD_DMA_PAGES ||
	    in->caps[0] < 0)
		return -EINVAL;
	p.mem = in->caps[0];
	p.first = req->first;
	p.count = req->count;
	err = pith_control(core.hardware, PITH_OP_HW_MEM_PHYS, &p);
	if (err)
		return err;
	rep = (struct pd_dma_addr_reply) { .count = p.count };
	err = ep_reply_data(&core.ep, in, &rep, sizeof(rep));
	return err ? err : ep_reply_data(&core.ep, in, addr,
					 p.count * sizeof(addr[0]));
}

static int system_action(struct ep_request *in)
{
	const struct pd_system *req = ep_req(in, struct pd_system);

	if (!req || req->zero)
		return -EINVAL;
	if (req->action == PD_SYSTEM_REBOOT)
		core_stop(RB_AUTOBOOT);
	else if (req->action == PD_SYSTEM_HALT)
		core_stop(RB_HALT_SYSTEM);
	else if (req->action == PD_SYSTEM_FLUSH)
		return core_flush();
	else
		return -EINVAL;
	return -EIO;
}

static int hw_info(struct ep_request *in)
{
	struct pith_hw_info info;
	int err = pith_control(core.hardware, PITH_OP_HW_INFO, &info);

	return err ? err : ep_reply_data(&core.ep, in, &info, sizeof(info));
}

static int pd_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;

	if (in->method == PD_DOMAIN)
		return ep_reply_cap(in, s->fd, 0);
	if (in->method == PD_FUND)
		return fund(s, in);
	if (in->method > PD_HW_INFO)
		return -ENOSYS;
	if (!s->pd.managing)
		return -EACCES;
	switch (in->method) {
	case PD_DMA_ADDR:
		return dma_addr(in);
	case PD_SYSTEM:
		return system_action(in);
	case PD_HW_INFO:
		return hw_info(in);
	}
	return -ENOSYS;
}

const struct core_service pd_service = { "PD", pd_open, pd_call, pd_close };
