/* SPDX-License-Identifier: BSD-2-Clause */
/* IO_MEM, IO_PORT, IRQ: exclusive pieces of the hardware, one per session. */
#include <errno.h>
#include <string.h>
#include <pith/env.h>
#include "core.h"

#define NONE	UINT64_MAX

/* 1: the arg is @yes, 0: it is @no or absent, -EINVAL: something else. */
static int choice(const char *args, const char *tag, const char *yes,
		  const char *no)
{
	char value[16];

	if (args_get(args, tag, value, sizeof(value)) < 0)
		return 0;
	return !strcmp(value, yes) ? 1 : !strcmp(value, no) ? 0 : -EINVAL;
}

/* Core keeps what can be revoked; clients get the same without that right. */
static int take(struct core_session *s, uint32_t op, void *arg, uint32_t rights)
{
	s->device = pith_control(core.hardware, op, arg);
	if (s->device < 0)
		return s->device;
	s->fd = pith_mint(s->device, rights);
	if (s->fd >= 0)
		return 0;
	pith_close(s->device);
	return s->fd;
}

/* From everybody, whomever the client has passed it on to. */
static void give_up(struct core_session *s)
{
	pith_revoke(s->device);
	pith_close(s->device);
}

/* Kernel: EPERM for what nobody may have; a session's client sees EACCES. */
static int denied(int err)
{
	return err == -EPERM ? -EACCES : err;
}

/* --- IO_MEM --------------------------------------------------------------- */

static int io_mem_open(struct core_session *s, const char *args)
{
	struct pith_io_mem a = {
		.base = args_number(args, "base", NONE),
		.size = args_number(args, "size", NONE),
	};
	char cache[16] = "uc";

	args_get(args, "cache", cache, sizeof(cache));
	if (!strcmp(cache, "wc"))
		a.cache = PITH_IO_WRITE_COMBINED;
	else if (!strcmp(cache, "cached"))
		a.cache = PITH_IO_CACHED;
	else if (strcmp(cache, "uc"))
		return -EINVAL;
	return denied(take(s, PITH_OP_HW_IO_MEM, &a, PITH_R_READ |
			   (a.cache == PITH_IO_CACHED ? 0 : PITH_R_WRITE)));
}

static int io_mem_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;

	return in->method == IO_MEM_DATASPACE ? ep_reply_cap(in, s->fd, 0) :
						-ENOSYS;
}

const struct core_service io_mem_service = {
	"IO_MEM", io_mem_open, io_mem_call, give_up
};

/* --- IO_PORT -------------------------------------------------------------- */

static int io_port_open(struct core_session *s, const char *args)
{
	uint64_t base = args_number(args, "base", NONE);
	uint64_t size = args_number(args, "size", NONE);
	struct pith_io_port a = { .base = base, .size = size };

	if (base > 0xffff || size > 0x10000)
		return -EINVAL;
	return denied(take(s, PITH_OP_HW_IO_PORT, &a,
			   PITH_R_READ | PITH_R_WRITE));
}

static int io_port_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;

	return in->method == IO_PORT_CAP ? ep_reply_cap(in, s->fd, 0) : -ENOSYS;
}

const struct core_service io_port_service = {
	"IO_PORT", io_port_open, io_port_call, give_up
};

/* --- IRQ ------------------------------------------------------------------ */

static int msi_open(struct core_session *s)
{
	struct pith_msi a;
	int err = take(s, PITH_OP_HW_MSI, &a, PITH_R_MANAGE);

	if (err)
		return err;
	s->irq.info = (struct irq_reply) {
		.msi_address = a.address, .msi_data = a.data,
	};
	return 0;
}

static int irq_open(struct core_session *s, const char *args)
{
	uint64_t gsi = args_number(args, "irq", NONE);
	int level = choice(args, "trigger", "level", "edge");
	int low = choice(args, "polarity", "low", "high");
	int msi = choice(args, "type", "msi", "legacy");
	struct pith_irq a = { .gsi = gsi, .level = level, .low = low };

	if (level < 0 || low < 0 || msi < 0)
		return -EINVAL;
	if (msi)
		return msi_open(s);
	return gsi > UINT32_MAX ? -EINVAL :
				  denied(take(s, PITH_OP_HW_IRQ, &a,
					      PITH_R_MANAGE));
}

static int irq_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;

	if (in->method != IRQ_CAP)
		return -ENOSYS;
	ep_reply_cap(in, s->fd, 0);
	return ep_reply_data(&core.ep, in, &s->irq.info, sizeof(s->irq.info));
}

const struct core_service irq_service = { "IRQ", irq_open, irq_call, give_up };
