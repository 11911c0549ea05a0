// SPDX-License-Identifier: BSD-2-Clause
/* Domains: quota is charged exactly, moves exactly, and comes back. */
#include <string.h>
#include "kt.h"

static void expect(int domain, uint64_t ram, uint64_t ram_used, uint64_t caps,
		   uint64_t caps_used)
{
	struct pith_domain_info i = kt_domain_info(domain);

	KT_EQ(i.ram_limit, ram);
	KT_EQ(i.ram_used, ram_used);
	KT_EQ(i.caps_limit, caps);
	KT_EQ(i.caps_used, caps_used);
}

KT_CORE(domain_transfer)
{
	int d = KT_FD(kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL));
	int e = KT_FD(kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL));
	struct pith_domain_info root = kt_domain_info(kt_root);

	KT_EQ(kt_rights(d), PITH_R_CHARGE | PITH_R_ADMIN);
	expect(d, 0, 0, 0, 0);
	KT_EQ(kt_transfer(kt_root, d, 40 * KT_PAGE, 30), 0);
	expect(d, 40 * KT_PAGE, 0, 30, 0);
	expect(kt_root, root.ram_limit - 40 * KT_PAGE, root.ram_used,
	       root.caps_limit - 30, root.caps_used);
	KT_EQ(kt_transfer(d, e, 15 * KT_PAGE, 0), 0);
	KT_EQ(kt_transfer(d, e, 0, 11), 0);
	KT_EQ(kt_transfer(d, e, 0, 0), 0);
	expect(d, 25 * KT_PAGE, 0, 19, 0);
	expect(e, 15 * KT_PAGE, 0, 11, 0);
	/* all or nothing */
	KT_EQ(kt_transfer(d, e, 26 * KT_PAGE, 0), -EDQUOT);
	KT_EQ(kt_transfer(d, e, 0, 20), -EDQUOT);
	KT_EQ(kt_transfer(d, e, 26 * KT_PAGE, 1), -EDQUOT);
	KT_EQ(kt_transfer(d, e, KT_PAGE, 20), -EDQUOT);
	KT_EQ(kt_transfer(d, e, -(uint64_t)KT_PAGE, 0), -EDQUOT);
	KT_EQ(kt_transfer(d, e, 0, ~0ull), -EDQUOT);
	KT_EQ(kt_transfer(d, e, 1ull << 63, 1ull << 63), -EDQUOT);
	expect(d, 25 * KT_PAGE, 0, 19, 0);
	expect(e, 15 * KT_PAGE, 0, 11, 0);
	KT_EQ(kt_transfer(d, kt_root, 25 * KT_PAGE, 19), 0);
	expect(d, 0, 0, 0, 0);
	kt_domain_end(d);
	kt_domain_end(e);
}

KT_CORE(domain_transfer_args)
{
	struct pith_transfer t = { .ram = 0 };
	int d = kt_domain(4 * KT_PAGE, 4);
	int any = KT_FD(kt_mint(d, 0)), charge = KT_FD(kt_mint(d, PITH_R_CHARGE));
	int ep = KT_FD(kt_ep_create());

	KT_EQ(kt_transfer(kt_root, d, 1, 0), 0);
	KT_EQ(kt_transfer(d, kt_root, 1, 0), 0);
	KT_EQ(kt_transfer(kt_root, d, ~0ull, 0), -EDQUOT);
	KT_EQ(kt_transfer(kt_root, kt_root, KT_PAGE, 0), -EINVAL);
	KT_EQ(kt_transfer(kt_root, ep, KT_PAGE, 0), -EBADF);
	KT_EQ(kt_transfer(kt_root, -1, KT_PAGE, 0), -EBADF);
	KT_EQ(kt_transfer(charge, kt_root, KT_PAGE, 0), -EPERM);
	t.to = d;
	t.zero = 1;
	KT_EQ(kt_control(kt_root, PITH_OP_DOMAIN_TRANSFER, &t), -EINVAL);
	expect(d, 4 * KT_PAGE, 0, 4, 0);
	KT_EQ(kt_transfer(kt_root, any, KT_PAGE, 1), 0);	/* any right */
	expect(d, 5 * KT_PAGE, 0, 5, 0);
	kt_close(ep);
	kt_close(charge);
	kt_close(any);
	kt_domain_end(d);
}

/* What is used cannot be moved away. */
KT_CORE(domain_transfer_unused_only)
{
	int d = kt_domain(11 * KT_PAGE, 10);
	int mem = KT_FD(kt_mem_create(d, 7 * KT_PAGE, 0));

	expect(d, 11 * KT_PAGE, kt_mem_ram(7 * KT_PAGE), 10, 0);
	KT_EQ(kt_transfer(d, kt_root, 4 * KT_PAGE, 0), -EDQUOT);
	KT_EQ(kt_transfer(d, kt_root, 3 * KT_PAGE, 0), 0);
	expect(d, 8 * KT_PAGE, kt_mem_ram(7 * KT_PAGE), 10, 0);
	kt_close(mem);
	expect(d, 8 * KT_PAGE, 0, 10, 0);
	kt_domain_end(d);
}

/* --- charges --------------------------------------------------------------- */

KT_CORE(domain_charge_ram)
{
	uint64_t one = kt_mem_ram(KT_PAGE);
	uint64_t limit = (10 * one + KT_PAGE - 1) & -(uint64_t)KT_PAGE;
	int d = kt_domain(limit, 10), mem[10];

	KT_EQ(kt_mem_create(d, limit, 0), -EDQUOT);
	for (int i = 0; i < 10; i++)
		mem[i] = KT_FD(kt_mem_create(d, KT_PAGE, 0));
	KT_EQ(kt_mem_create(d, KT_PAGE, 0), -EDQUOT);
	expect(d, limit, 10 * one, 10, 0);
	kt_close(mem[3]);
	expect(d, limit, 9 * one, 10, 0);
	mem[3] = KT_FD(kt_mem_create(d, KT_PAGE, PITH_MEM_CONTIG));
	KT_EQ(kt_mem_create(d, KT_PAGE, PITH_MEM_CONTIG), -EDQUOT);
	for (int i = 0; i < 10; i++)
		kt_close(mem[i]);
	expect(d, limit, 0, 10, 0);
	kt_domain_end(d);
}

KT_CORE(domain_charge_right)
{
	int d = kt_domain(KT_PAGE, 1);
	int less = KT_FD(kt_mint(d, PITH_R_ADMIN));

	KT_EQ(kt_mem_create(less, KT_PAGE, 0), -EPERM);
	kt_close(less);
	kt_domain_end(d);
}

/* A component that fills its own domain with @kind of capability. */
static long make(int kind, int ep)
{
	switch (kind) {
	case 0:
		return kt_ep_create();
	case 1:
		return kt_notif_create();
	case 2:
		return kt_mint(KT_SLOT_REPORT, PITH_R_READ);
	case 3:
		return kt_mint_badge(ep, 1);
	}
	return kt_mem_create(-1, KT_PAGE, 0);
}

#define KINDS	5

static void fill(int kind)
{
	struct pith_domain_info before, now;
	int ep = KT_FD(kt_ep_create()), fds[KT_CHILD_CAPS];
	uint64_t n = 0, each;
	long fd;

	before = kt_domain_info(KT_SLOT_DOMAIN);
	fds[n++] = KT_FD(make(kind, ep));
	each = kt_domain_info(KT_SLOT_DOMAIN).ram_used - before.ram_used;
	/* a minted capability costs no object */
	KT_TRUE(kind == 2 || kind == 3 ? each == KT_CAP_RAM : each > KT_CAP_RAM);
	while (n < KT_CHILD_CAPS && (fd = make(kind, ep)) >= 0)
		fds[n++] = fd;
	KT_EQ(fd, -EDQUOT);
	now = kt_domain_info(KT_SLOT_DOMAIN);
	KT_EQ(now.caps_used, now.caps_limit);
	KT_EQ(n, before.caps_limit - before.caps_used);
	KT_EQ(now.ram_used, before.ram_used + n * each);
	while (n)
		KT_EQ(kt_close(fds[--n]), 0);
	now = kt_domain_info(KT_SLOT_DOMAIN);
	KT_EQ(now.caps_used, before.caps_used);
	KT_EQ(now.ram_used, before.ram_used);
	kt_close(ep);
}

KT_COMPONENT(domain_charge_caps)
{
	for (int kind = 0; kind < KINDS; kind++)
		fill(kind);
}

/* A refused operation with a full account leaves nothing behind. */
KT_COMPONENT(domain_full_account)
{
	struct pith_domain_info info = kt_domain_info(KT_SLOT_DOMAIN);
	uint64_t ram = (info.ram_limit - info.ram_used) & -(uint64_t)KT_PAGE;
	int all;

	while ((all = kt_mem_create(-1, ram, 0)) == -EDQUOT)
		ram -= KT_PAGE;
	KT_FD(all);
	for (int i = 0; i < 100; i++)
		KT_EQ(kt_mem_create(-1, KT_PAGE, 0), -EDQUOT);
	kt_close(all);
	while (kt_notif_create() >= 0)
		;
	info = kt_domain_info(KT_SLOT_DOMAIN);
	for (int i = 0; i < 100; i++) {
		KT_EQ(kt_mem_create(-1, KT_PAGE, 0), -EDQUOT);
		KT_EQ(kt_ep_create(), -EDQUOT);
		KT_EQ(kt_mint(KT_SLOT_REPORT, 0), -EDQUOT);
	}
	KT_EQ(kt_domain_info(KT_SLOT_DOMAIN).ram_used, info.ram_used);
	KT_EQ(kt_domain_info(KT_SLOT_DOMAIN).caps_used, info.caps_used);
}

/* Memory of a domain that lives on in another process is still charged. */
KT_CORE(domain_pays_for_what_others_hold)
{
	int d = kt_domain(10 * KT_PAGE, 1);
	struct pith_domain_info before = kt_domain_info(kt_root);
	int mem = KT_FD(kt_mem_create(d, 4 * KT_PAGE, 0));
	uint8_t *p = kt_map(mem, 0, 4 * KT_PAGE, KT_R | KT_W);

	KT_NEED(!kt_is_error(p));
	KT_EQ(kt_control(d, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	/* unused quota is back at once, the rest when the memory goes */
	KT_EQ(kt_domain_info(kt_root).ram_limit,
	      before.ram_limit + 10 * KT_PAGE - kt_mem_ram(4 * KT_PAGE));
	p[3 * KT_PAGE] = 1;
	kt_close(mem);
	KT_EQ(kt_domain_info(kt_root).ram_limit,
	      before.ram_limit + 10 * KT_PAGE - kt_mem_ram(4 * KT_PAGE));
	kt_unmap(p, 4 * KT_PAGE);
	for (int i = 0; i < 100; i++) {
		if (kt_domain_info(kt_root).ram_limit ==
		    before.ram_limit + 10 * KT_PAGE)
			break;
		kt_sleep(KT_MS(10));
	}
	KT_EQ(kt_domain_info(kt_root).ram_limit,
	      before.ram_limit + 10 * KT_PAGE);
	kt_close(d);
}

/* --- destroy --------------------------------------------------------------- */

KT_CORE(domain_root_stays)
{
	KT_EQ(kt_control(kt_root, PITH_OP_DOMAIN_DESTROY, NULL), -EPERM);
}

KT_CORE(domain_destroyed)
{
	int d = kt_domain(4 * KT_PAGE, 4), e = kt_domain(4 * KT_PAGE, 4);
	int less = KT_FD(kt_mint(d, PITH_R_CHARGE));
	struct pith_space_create s = { .exit_notif = -1, .name = "late" };

	KT_EQ(kt_control(less, PITH_OP_DOMAIN_DESTROY, NULL), -EPERM);
	KT_EQ(kt_control(d, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	expect(d, 0, 0, 0, 0);
	KT_EQ(kt_mem_create(d, KT_PAGE, 0), -EDQUOT);
	KT_EQ(kt_transfer(e, d, KT_PAGE, 1), -EDQUOT);
	KT_EQ(kt_transfer(e, d, 0, 0), -EDQUOT);
	expect(e, 4 * KT_PAGE, 0, 4, 0);
	KT_EQ(kt_control(d, PITH_OP_SPACE_CREATE, &s), -EDQUOT);
	KT_EQ(kt_control(d, PITH_OP_DOMAIN_DESTROY, NULL), 0);	/* again */
	kt_close(less);
	kt_close(d);
	kt_domain_end(e);
}

KT_CORE(domain_destroy_kills)
{
	struct kt_child c = kt_start("sleeper", NULL, 0);
	struct pith_domain_info info = kt_domain_info(c.domain);

	KT_EQ(info.processes, 1);
	KT_TRUE(info.ram_used > KT_CHILD_STACK);
	KT_EQ(kt_control(c.domain, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	KT_EQ(kt_finish(&c), 128 + 9);
}

/* The grand-parent gets what the parent can no longer take. */
KT_CORE(domain_tree)
{
	struct pith_domain_info before = kt_domain_info(kt_root);
	int a = kt_domain(30 * KT_PAGE, 30), b, mem;

	b = KT_FD(kt_control(a, PITH_OP_DOMAIN_CREATE, NULL));
	KT_EQ(kt_transfer(a, b, 20 * KT_PAGE, 20), 0);
	mem = KT_FD(kt_mem_create(b, 5 * KT_PAGE, 0));
	KT_EQ(kt_control(a, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	KT_EQ(kt_domain_info(kt_root).ram_limit,
	      before.ram_limit - 20 * KT_PAGE);
	expect(b, 20 * KT_PAGE, kt_mem_ram(5 * KT_PAGE), 20, 0);
	KT_EQ(kt_control(b, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	KT_EQ(kt_domain_info(kt_root).ram_limit,
	      before.ram_limit - kt_mem_ram(5 * KT_PAGE));
	kt_close(mem);
	KT_EQ(kt_domain_info(kt_root).ram_limit, before.ram_limit);
	kt_close(b);
	kt_close(a);
}

/* A domain whose last capability is closed must not keep its quota for ever. */
KT_CORE(domain_closed_not_destroyed)
{
	struct pith_domain_info before = kt_domain_info(kt_root);
	int d = kt_domain(8 * KT_PAGE, 8);

	kt_close(d);
	for (int i = 0; i < 100; i++) {
		if (kt_domain_info(kt_root).ram_limit == before.ram_limit)
			break;
		kt_sleep(KT_MS(10));
	}
	KT_EQ(kt_domain_info(kt_root).ram_limit, before.ram_limit);
	KT_EQ(kt_domain_info(kt_root).caps_limit, before.caps_limit);
}
