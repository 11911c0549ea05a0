// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each object costs, to the byte: with that much quota it can be made, with
 * less it cannot, and then nothing has changed.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "arch.h"
#include "source.h"
#include "space.h"

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

#if KT_HAS_PORTS
static long make_ports(void)
{
	struct pith_io_port a = { 0x70, 2 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a);
}
#endif

static long make_io_mem(void)
{
	struct pith_io_mem a = { KT_UNUSED, KT_PAGE, PITH_IO_UNCACHED, 0 };

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
	{ "notification", make_notif, undo_close, KT_RAM_NOTIFICATION, 1 },
	{ "descriptor", make_badge, undo_close, 512, 1 },
	{ "descriptor", make_part, undo_close, 512, 1 },
	{ "endpoint", make_ep, undo_close, KT_RAM_ENDPOINT, 1 },
	{ "memory, 1 page", make_page, undo_close, KT_RAM_PAGE, 1 },
	{ "memory, 100 pages", make_pages, undo_close, KT_RAM_100_PAGES, 1 },
	{ "memory, 8 pages", make_contiguous, undo_close, KT_RAM_8_PAGES, 1 },
	{ "saved reply", make_reply, undo_reply, KT_RAM_REPLY, 1 },
	{ "domain", make_domain, undo_close, KT_RAM_DOMAIN, 1 },
	{ "device memory", make_io_mem, undo_close, KT_RAM_IO_MEM, 1 },
	{ "interrupt", quiet_irq, undo_close, KT_RAM_IRQ, 1 },
#if KT_HAS_PORTS
	{ "I/O ports", make_ports, undo_close, 640, 1 },
#endif
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

/* A kernel that checks itself has larger locks. */
static void check_price(const struct kind *k, const struct pith_domain_info *c)
{
	if (!kt_report->checked)
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

/* --- what a space takes ------------------------------------------------------ */

#define MAPPING	(2 * KT_CAP_RAM)
#define GIB	(1ull << 30)
#define RW	(PITH_R_READ | PITH_R_WRITE)

/* Where nothing is mapped nearby, and there again after so many tables. */
#define FAR	0x400000000000ull

static const struct {
	uint64_t at, pages, tables;	/* of those mapped before it */
} places[] = {
	{ FAR, 1, 3 },
	{ FAR + KT_PAGE, 1, 0 },
	{ FAR + (2 << 20), 1, 1 },
	{ FAR + GIB, 1, 2 },
	{ FAR + 512 * GIB, 1, 3 },
	{ FAR + (4 << 20) - KT_PAGE, 2, 1 },	/* across the end of a table */
	{ FAR + (8 << 20), 1024, 2 },
};
#define PLACES	(sizeof(places) / sizeof(*places))

/* Leave the domain @left bytes; what else it had is in @aside. */
static uint64_t leave(int domain, int aside, uint64_t left)
{
	struct pith_domain_info i = kt_domain_info(domain);
	uint64_t more = i.ram_limit - i.ram_used - left;

	KT_EQ(kt_transfer(domain, aside, more, 0), 0);
	return more;
}

/* A mapping and its tables are paid for when it is made, or it is not made. */
KT_CORE(quota_of_mappings)
{
	int mem = KT_FD(kt_mem_create(-1, 1024 * KT_PAGE, 0));
	int aside = kt_domain(0, 0);
	struct pith_domain_info before, now;
	uint64_t sum = 0;
	struct ks s;

	ks_open(&s, NULL, 0);
	before = kt_domain_info(s.domain);
	for (unsigned int i = 0; i < PLACES; i++) {
		uint64_t size = places[i].pages * KT_PAGE;
		uint64_t cost = MAPPING + places[i].tables * KT_PAGE, more;

		more = leave(s.domain, aside, cost - 1);
		now = kt_domain_info(s.domain);
		KT_EQ(ks_map(&s, mem, 0, places[i].at, size, RW), -EDQUOT);
		KT_EQ(kt_domain_info(s.domain).ram_used, now.ram_used);
		KT_EQ(kt_transfer(aside, s.domain, 1, 0), 0);
		KT_EQ(ks_map(&s, mem, 0, places[i].at, size, RW), 0);
		now = kt_domain_info(s.domain);
		KT_EQ(now.ram_used, now.ram_limit);
		KT_EQ(kt_transfer(aside, s.domain, more - 1, 0), 0);
		sum += cost;
		KT_EQ(kt_domain_info(s.domain).ram_used, before.ram_used + sum);
	}
	KT_EQ(ks_unmap(&s, FAR, 1024 * GIB), 0);
	KT_EQ(kt_domain_info(s.domain).ram_used, before.ram_used);
	ks_close(&s);
	kt_domain_end(aside);
	kt_close(mem);
}

/* Each part of a mapping is one; what is left after an error is what was. */
KT_CORE(quota_of_parts)
{
	int mem = KT_FD(kt_mem_create(-1, 8 * KT_PAGE, 0));
	int aside = kt_domain(0, 0);
	uint64_t used, more;
	struct ks s;

	ks_open(&s, NULL, 0);
	KT_EQ(ks_map(&s, mem, 0, KS_AT, 8 * KT_PAGE, RW), 0);
	used = kt_domain_info(s.domain).ram_used;
	more = leave(s.domain, aside, MAPPING - 1);
	KT_EQ(ks_unmap(&s, KS_AT + KT_PAGE, KT_PAGE), -ENOMEM);
	KT_EQ(ks_protect(&s, KS_AT + KT_PAGE, KT_PAGE, PITH_R_READ), -ENOMEM);
	KT_EQ(kt_domain_info(s.domain).ram_used, used);
	KT_EQ(kt_transfer(aside, s.domain, more, 0), 0);
	KT_EQ(ks_unmap(&s, KS_AT + KT_PAGE, KT_PAGE), 0);
	KT_EQ(kt_domain_info(s.domain).ram_used, used + MAPPING);
	KT_EQ(ks_protect(&s, KS_AT + 4 * KT_PAGE, KT_PAGE, PITH_R_READ), 0);
	KT_EQ(kt_domain_info(s.domain).ram_used, used + 3 * MAPPING);
	KT_EQ(ks_unmap(&s, KS_AT, 8 * KT_PAGE), 0);
	KT_TRUE(kt_domain_info(s.domain).ram_used < used);
	ks_close(&s);
	kt_domain_end(aside);
	kt_close(mem);
}

/* Anonymous memory far apart, until its tables cannot be paid for. */
KT_COMPONENT(quota_of_own_mappings)
{
	uint64_t used = kt_domain_info(KT_SLOT_DOMAIN).ram_used;
	long err = 0;
	int n;

	for (n = 0; !err; n++) {
		volatile uint64_t *p = (void *)(FAR + n * 512 * GIB);
		void *at = mmap((void *)p, KT_PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		err = at == MAP_FAILED ? errno : 0;
		if (!err)
			*p = n;
	}
	/* of the page, or of the record */
	KT_TRUE(err == EDQUOT || err == ENOMEM);
	/* a page, its object, a record, three tables */
	KT_TRUE((uint64_t)n < KT_CHILD_RAM / (4 * KT_PAGE));
	KT_TRUE(n > 100);
	for (int i = 0; i < n - 1; i++) {
		uint64_t *p = (void *)(FAR + i * 512 * GIB);

		KT_EQ(*p, (uint64_t)i);
		munmap(p, KT_PAGE);
	}
	KT_EQ(kt_domain_info(KT_SLOT_DOMAIN).ram_used, used);
}

/* --- threads ------------------------------------------------------------------ */

#define MOST		128
#define STACK		(16u << 10)

static volatile uint64_t go_home;

static void *wait_to_go(void *arg)
{
	kt_await_word(&go_home, 1);
	return arg;
}

/* As many as there can be, of which only the kernel's part is paid for here. */
static unsigned int crowd(pthread_t *ids, char *stacks)
{
	pthread_attr_t attr;
	unsigned int n;

	pthread_attr_init(&attr);
	for (n = 0; n < MOST; n++) {
		pthread_attr_setstack(&attr, stacks + n * STACK, STACK);
		if (pthread_create(&ids[n], &attr, wait_to_go, NULL))
			break;
	}
	return n;
}

static void await_ram(uint64_t used)
{
	for (int i = 0; i < 1000; i++) {
		if (kt_domain_info(KT_SLOT_DOMAIN).ram_used == used)
			return;
		kt_sleep(KT_MS(10));
	}
	KT_EQ(kt_domain_info(KT_SLOT_DOMAIN).ram_used, used);
}

/* A component has as many threads as it can pay for, and pays for each. */
KT_ROLE(quota_of_threads)
{
	struct pith_domain_info start, now;
	static pthread_t ids[MOST];
	unsigned int n, first = 0;
	char *stacks = mmap(NULL, MOST * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KT_NEED(stacks != MAP_FAILED);
	start = kt_domain_info(KT_SLOT_DOMAIN);
	for (int round = 0; round < 2; round++) {
		go_home = 0;
		n = crowd(ids, stacks);
		now = kt_domain_info(KT_SLOT_DOMAIN);
		KT_NEED(n > 5 && n < MOST);
		KT_TRUE((now.ram_used - start.ram_used) / n > 20 * 1024);
		KT_TRUE(now.ram_limit - now.ram_used <
			(now.ram_used - start.ram_used) / n);
		if (round)
			KT_EQ(n, first);
		first = n;
		go_home = 1;
		while (n--)
			pthread_join(ids[n], NULL);
		await_ram(start.ram_used);
	}
}

KT_CORE(quota_of_own_threads)
{
	int d = kt_domain(6 << 20, 200);
	struct kt_child c = kt_start_in(d, "quota_of_threads", NULL, 0);

	KT_EQ(kt_finish(&c), 0);
}

/* --- depth ----------------------------------------------------------------------- */

#define DEPTH	64

KT_CORE(quota_domain_depth)
{
	int d[DEPTH];

	for (int i = 0; i < DEPTH; i++)
		d[i] = KT_FD(kt_control(i ? d[i - 1] : kt_root,
					PITH_OP_DOMAIN_CREATE, NULL));
	KT_EQ(kt_control(d[DEPTH - 1], PITH_OP_DOMAIN_CREATE, NULL), -EINVAL);
	for (int i = DEPTH; i--;) {
		KT_EQ(kt_control(d[i], PITH_OP_DOMAIN_DESTROY, NULL), 0);
		kt_close(d[i]);
	}
}
