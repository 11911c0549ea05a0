// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each object costs, to the byte: with that much quota it can be made, with
 * less it cannot, and then nothing has changed.
 */
#include <string.h>
#include "kt.h"

/* --- one of each ----------------------------------------------------------- */

static struct {
	int ep, mem;
	struct kt_thread caller;
	volatile uint64_t stop;
} q;

static long make_ep(void)
{
	return kt_ep_create();
}

static long make_badge(void)
{
	return kt_mint_badge(q.ep, 1);
}

static long make_part(void)
{
	return kt_mint_range(q.mem, PITH_R_READ, 0, KT_PAGE);
}

static long make_notif(void)
{
	return kt_notif_create();
}

static long make_page(void)
{
	return kt_mem_create(-1, KT_PAGE, 0);
}

static long make_pages(void)
{
	return kt_mem_create(-1, 100 * KT_PAGE, 0);
}

static long make_contiguous(void)
{
	return kt_mem_create(kt_root, 8 * KT_PAGE, PITH_MEM_CONTIG);
}

static long make_domain(void)
{
	return kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL);
}

static long make_ports(void)
{
	struct pith_io_port a = { 0x70, 2 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a);
}

static long make_msi(void)
{
	struct pith_msi a = { 0 };

	return kt_control(kt_hardware, PITH_OP_HW_MSI, &a);
}

static long make_io_mem(void)
{
	struct pith_io_mem a = { 0xfed40000, KT_PAGE, PITH_IO_UNCACHED, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a);
}

static void call_until_stop(void *arg)
{
	(void)arg;
	while (!q.stop)
		kt_call_label(q.ep, 1, KT_SOON);
}

static long make_reply(void)
{
	return kt_control(q.ep, PITH_OP_EP_SAVE_REPLY, NULL);
}

/* Who waited for the reply asks again. */
static void undo_reply(long fd)
{
	kt_close(fd);
	kt_wait_call(q.ep);
}

static void undo_close(long fd)
{
	kt_close(fd);
}

/*
 * In bytes and capabilities, of the kernel that is shipped; one that checks
 * itself takes more. docs/kernel-interface.md has the same.
 */
static const struct kind {
	const char *name;
	long (*make)(void);
	void (*undo)(long fd);
	uint64_t ram, caps;
} kinds[] = {
	{ "notification", make_notif, undo_close, 704, 1 },
	{ "descriptor", make_badge, undo_close, 512, 1 },
	{ "descriptor", make_part, undo_close, 512, 1 },
	{ "endpoint", make_ep, undo_close, 704, 1 },
	{ "memory, 1 page", make_page, undo_close, 5392, 1 },
	{ "memory, 100 pages", make_pages, undo_close, 411912, 1 },
	{ "memory, 8 pages", make_contiguous, undo_close, 34120, 1 },
	{ "saved reply", make_reply, undo_reply, 640, 1 },
	{ "domain", make_domain, undo_close, 704, 1 },
	{ "device memory", make_io_mem, undo_close, 1288, 1 },
	{ "I/O ports", make_ports, undo_close, 608, 1 },
	{ "interrupt", make_msi, undo_close, 1184, 1 },
};
#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static void open_all(void)
{
	memset(&q, 0, sizeof(q));
	q.ep = KT_FD(kt_ep_create());
	q.mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	kt_thread_start(&q.caller, call_until_stop, NULL);
	kt_wait_call(q.ep);
}

static void close_all(void)
{
	q.stop = 1;
	KT_EQ(kt_reply(q.ep, 0), 0);
	kt_thread_join(&q.caller);
	kt_close(q.mem);
	kt_close(q.ep);
}

/* --- to the byte ----------------------------------------------------------- */

static bool same(const struct pith_domain_info *a,
		 const struct pith_domain_info *b)
{
	return KT_EQ(a->ram_used, b->ram_used) &&
	       KT_EQ(a->caps_used, b->caps_used) &&
	       KT_EQ(a->ram_limit, b->ram_limit);
}

static struct pith_domain_info cost_of(const struct kind *k)
{
	struct pith_domain_info before = kt_domain_info(kt_root), with, after;
	long fd = KT_FD(k->make());

	with = kt_domain_info(kt_root);
	k->undo(fd);
	after = kt_domain_info(kt_root);
	same(&before, &after);
	with.ram_used -= before.ram_used;
	with.caps_used -= before.caps_used;
	return with;
}

/* Make one with just so much left. */
static void with_left(const struct kind *k, int aside, uint64_t ram,
		      uint64_t caps, bool enough)
{
	struct pith_domain_info all = kt_domain_info(kt_root), before, after;
	uint64_t more_ram = all.ram_limit - all.ram_used - ram;
	uint64_t more_caps = all.caps_limit - all.caps_used - caps;
	long fd;

	KT_EQ(kt_transfer(kt_root, aside, more_ram, more_caps), 0);
	before = kt_domain_info(kt_root);
	fd = k->make();
	if (!enough) {
		KT_EQ(fd, -EDQUOT);
	} else if (KT_FD(fd) >= 0) {
		after = kt_domain_info(kt_root);
		KT_EQ(after.ram_used, after.ram_limit);
		KT_EQ(after.caps_used, after.caps_limit);
		k->undo(fd);
	}
	after = kt_domain_info(kt_root);
	KT_EQ(kt_transfer(aside, kt_root, more_ram, more_caps), 0);
	if (!same(&before, &after))
		KT_FAIL("with %ld bytes, %ld capabilities for: %s", (long)ram,
			(long)caps, k->name);
}

/* Where locks have their shipped size, so has all else. */
static void check_price(const struct kind *k, const struct pith_domain_info *c)
{
	static bool shipped;

	if (k->make == make_notif)
		shipped = c->ram_used == k->ram;
	if (shipped)
		KT_EQ(c->ram_used, k->ram);
	KT_TRUE(c->ram_used >= k->ram);
	KT_EQ(c->caps_used, k->caps);
	kt_console("# price: %s, %lu bytes", k->name,
		   (unsigned long)c->ram_used);
}

KT_CORE(quota_to_the_byte)
{
	int aside;

	open_all();
	aside = kt_domain(0, 0);
	for (unsigned int i = 0; i < KINDS; i++) {
		const struct kind *k = &kinds[i];
		struct pith_domain_info c = cost_of(k);

		check_price(k, &c);
		for (uint64_t ram = 0; ram < c.ram_used; ram += 256)
			with_left(k, aside, ram, c.caps_used, false);
		with_left(k, aside, c.ram_used - 1, c.caps_used, false);
		for (uint64_t caps = 0; caps < c.caps_used; caps++)
			with_left(k, aside, c.ram_used, caps, false);
		with_left(k, aside, c.ram_used, c.caps_used, true);
	}
	kt_domain_end(aside);
	close_all();
}

/* --- who pays -------------------------------------------------------------- */

#define SENDS	20

/* Receives until there is no room, and tells what it got. */
KT_ROLE(quota_receiver)
{
	int ep = KT_SLOT_ARG;
	uint64_t got = 0, lost = 0;
	struct pith_domain_info before = kt_domain_info(KT_SLOT_DOMAIN), now;

	for (int i = 0; i < SENDS; i++) {
		KT_NEED(kt_wait_call(ep));
		for (int k = 0; k < 8; k++) {
			if (kt_msg->caps[k] >= 0)
				got++;
			else if (kt_msg->caps[k] == PITH_CAP_LOST)
				lost++;
		}
		kt_reply(ep, 0);
	}
	now = kt_domain_info(KT_SLOT_DOMAIN);
	KT_EQ(now.caps_used, before.caps_used + got);
	KT_EQ(now.ram_used, before.ram_used + got * KT_CAP_RAM);
	KT_EQ(now.caps_used, now.caps_limit);
	kt_report->shared[0] = got;
	kt_report->shared[1] = lost;
}

/* The holder pays, the sender does not; what does not fit is lost. */
KT_CORE(quota_receiver_pays)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int d = kt_domain(KT_CHILD_RAM, 100);
	struct kt_child c = kt_start_in(d, "quota_receiver", &ep, 1);
	struct pith_domain_info before, now;

	before = kt_domain_info(kt_root);
	for (int i = 0; i < SENDS; i++) {
		kt_prepare(0);
		kt_msg->ncaps = 8;
		for (int k = 0; k < 8; k++)
			kt_msg->caps[k] = n;
		KT_EQ(kt_call(ep, KT_SOON), 0);
	}
	now = kt_domain_info(kt_root);
	KT_EQ(now.caps_used, before.caps_used);
	KT_EQ(now.ram_used, before.ram_used);
	KT_EQ(kt_finish(&c), 0);
	KT_TRUE(kt_report->shared[0] > 50 && kt_report->shared[1] > 0);
	KT_EQ(kt_report->shared[0] + kt_report->shared[1], SENDS * 8);
	kt_close(n);
	kt_close(ep);
}

/* --- close against send ---------------------------------------------------- */

#define RACES	300

static struct {
	int ep;
	volatile int fd;
	volatile uint64_t turn, closed;
} race;

static void closer(void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i <= RACES; i++) {
		KT_NEED(kt_await_word(&race.turn, i));
		KT_EQ(kt_close(race.fd), 0);
		race.closed = i;
	}
}

static void receiver(void *arg)
{
	(void)arg;
	while (kt_wait_call(race.ep)) {
		bool last = kt_msg->label;

		if (kt_msg->ncaps && kt_msg->caps[0] >= 0)
			kt_close(kt_msg->caps[0]);
		kt_reply(race.ep, 0);
		if (last)
			break;
	}
}

/* A descriptor is closed while it is sent: paid for once, or not at all. */
KT_CORE(quota_close_against_send)
{
	struct kt_thread a = { 0 }, b = { 0 };
	struct pith_domain_info before = { 0 }, after = { 0 };

	memset(&race, 0, sizeof(race));
	race.ep = KT_FD(kt_ep_create());
	kt_thread_start(&a, closer, NULL);
	kt_thread_start(&b, receiver, NULL);
	for (uint64_t i = 1; i <= RACES; i++) {
		long err;

		if (i == 10)		/* all have their buffers by now */
			before = kt_domain_info(kt_root);
		if (i == RACES)		/* and are still there */
			after = kt_domain_info(kt_root);
		race.fd = KT_FD(kt_notif_create());
		kt_prepare(0);
		kt_msg->ncaps = 1;
		kt_msg->caps[0] = race.fd;
		race.turn = i;
		for (volatile uint64_t n = i % 37 * 20; n; n--)
			;
		err = kt_call(race.ep, KT_SOON);
		KT_TRUE(!err || err == -EBADF);
		KT_NEED(kt_await_word(&race.closed, i));
	}
	same(&before, &after);
	KT_EQ(kt_call_label(race.ep, 1, KT_SOON), 0);
	kt_thread_join(&a);
	kt_thread_join(&b);
	kt_close(race.ep);
}
