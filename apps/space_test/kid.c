// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <pith/loader.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "kid.h"

#define TIMEOUT	PITH_SEC(10)

static const struct session_quota usual = { .ram = 2 << 20, .caps = 60 };

/* --- in the child --------------------------------------------------------- */

/* Threads without TLS, so without libc: count at @at; or add 1 and be gone. */
static void counter(volatile uint64_t *at)
{
	for (;;)
		++*at;
}

static void leaver(volatile uint64_t *at)
{
	__atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
	pith_syscall4(SYS_exit, 0, 0, 0, 0);
}

static uint64_t obey(const struct kid_order *o)
{
	volatile uint64_t *at = (uint64_t *)o->address;
	void *page = (void *)(o->address & ~4095ull);

	switch (o->op) {
	case KID_READ:
		return *at;
	case KID_WRITE:
		*at = o->value;
		return 0;
	case KID_EXECUTE:
		return ((uint64_t (*)(void))o->address)();
	case KID_WIDEN:
		return mprotect(page, 4096, PROT_READ | PROT_WRITE) ? errno : 0;
	case KID_BUSY:
		counter(&(volatile uint64_t){ 0 });
		break;
	case KID_COUNTER:
		return (uintptr_t)counter;
	case KID_LEAVER:
		return (uintptr_t)leaver;
	case KID_EXIT:
		_Exit(o->value);
	}
	return 0;
}

void kid_main(void)
{
	struct kid_order o;
	uint64_t result = 0;

	while (!rpc_simple(KID_SLOT, 1, &result, sizeof(result), &o, sizeof(o),
			   PITH_NO_DEADLINE))
		result = obey(&o);
	_Exit(99);
}

/* --- in the parent -------------------------------------------------------- */

bool wait_for(const bool *flag)
{
	uint64_t end = pith_now() + TIMEOUT;

	while (!*flag && ep_dispatch(&ep, end) > 0)
		;
	return *flag;
}

static int call(void *ctx, struct ep_request *in)
{
	const uint64_t *result = ep_req(in, uint64_t);
	struct kid *k = ctx;

	if (!result)
		return -EINVAL;
	k->result = *result;
	k->done = true;
	k->idle = ep_save_reply(&ep, in);
	return EP_DEFERRED;
}

static void exited(void *ctx, uint64_t count)
{
	struct pith_space_info info;
	struct kid *k = ctx;

	(void)count;
	if (pith_control(k->space, PITH_OP_SPACE_INFO, &info) || !info.exited)
		return;
	k->exited = true;
	k->status = info.status;
}

int kid_refuse(void *ctx, struct region_map *map, const struct pith_fault *f,
	       uint64_t offset)
{
	struct kid *k = ctx;

	(void)map;
	k->faults++;
	k->fault = *f;
	k->offset = offset;
	return -EFAULT;
}

static int get_domain(struct kid *k, const struct session_quota *quota)
{
	struct rpc r = { .rep_caps = &k->domain, .nrep_caps = 1 };
	int err = env_session(&k->pd, "PD", "kid", "", quota ? quota : &usual,
			      pith_now() + TIMEOUT);

	return err ? err : rpc_call(k->pd.cap, PD_DOMAIN, &r,
				    pith_now() + TIMEOUT);
}

static int run(struct kid *k)
{
	int caps[KID_SLOT + 1] = { [PITH_SLOT_LOG] = PITH_SLOT_LOG };
	struct loader l = {
		.name = "kid", .domain = k->domain, .exit_notif = k->exit_notif,
		.caps = caps, .ncaps = KID_SLOT + 1,
	};
	struct rom rom;
	int err = rom_open(&rom, "space_test");

	if (err)
		return err;
	caps[PITH_SLOT_PARENT] = caps[KID_SLOT] = k->call_fd;
	caps[PITH_SLOT_DOMAIN] = pith_mint(k->domain, PITH_R_CHARGE);
	l.binary = rom.mem;
	err = loader_load(&l);
	if (!err) {
		err = rm_init_space(&k->map, l.space, &ep);
		k->map.fault = kid_refuse;
		k->map.ctx = k;
		k->space = l.space;
	}
	if (!err)
		err = loader_start(&l);
	pith_close(caps[PITH_SLOT_DOMAIN]);
	rom_close(&rom);
	return err;
}

bool kid_start(struct kid *k, const struct session_quota *quota)
{
	int err;

	*k = (struct kid){ .domain = -1, .space = -1, .idle = -1 };
	k->exit_notif = ep_new_notification(&ep, exited, k, &k->exit_badge);
	k->call_fd = ep_new_object(&ep, call, k, &k->call_badge);
	err = get_domain(k, quota);
	if (!err)
		err = run(k);
	if (err)
		log_error("FAIL: start of a child: %s", strerror(-err));
	failures += !!err;
	return !err && wait_for(&k->done);
}

void kid_tell(struct kid *k, enum kid_op op, uint64_t address, uint64_t value)
{
	struct kid_order o = { .op = op, .address = address, .value = value };
	int idle = k->idle;

	k->idle = -1;
	k->done = false;
	if (idle >= 0)
		ep_answer(idle, 0, &o, sizeof(o), -1);
}

bool kid_do(struct kid *k, enum kid_op op, uint64_t address, uint64_t value)
{
	uint64_t end = pith_now() + TIMEOUT;

	kid_tell(k, op, address, value);
	while (!k->done && !k->exited && ep_dispatch(&ep, end) > 0)
		;
	return k->done;
}

void kid_end(struct kid *k)
{
	pith_control(k->space, PITH_OP_SPACE_KILL, NULL);
	expect(wait_for(&k->exited), "a child that is killed ends");
	rm_destroy(&k->map);
	ep_remove(&ep, k->exit_badge);
	ep_remove(&ep, k->call_badge);
	pith_close(k->exit_notif);
	pith_close(k->call_fd);
	pith_close(k->idle);
	pith_close(k->space);
	pith_close(k->domain);
	env_close(&k->pd);
}
