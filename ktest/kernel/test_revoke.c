// SPDX-License-Identifier: BSD-2-Clause
/* Revocation: what was given is taken back from everybody, at once. */
#include <string.h>
#include "arch.h"
#include "source.h"

#define SIGBUS_STATUS	(128 + 7)

static long revoke(int fd)
{
	struct pith_revoke r = { 0 };

	return kt_control(fd, PITH_OP_REVOKE, &r);
}

static long revoke_badge(int ep, uint64_t badge)
{
	struct pith_revoke r = { .badge = badge, .flags = PITH_REVOKE_BADGE };

	return kt_control(ep, PITH_OP_REVOKE, &r);
}

/* --- arguments ------------------------------------------------------------- */

KT_CORE(revoke_args)
{
	struct pith_revoke bad[] = {
		{ 0, 0, 1 }, { 0, 2, 0 }, { 0, 1u << 31, 0 }, { 1, 0, 0 },
	};
	int ep = KT_FD(kt_ep_create()), client = KT_FD(kt_mint_badge(ep, 1));
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int less = KT_FD(kt_mint(mem, PITH_R_READ | PITH_R_WRITE));
	int n = KT_FD(kt_notif_create());

	for (int i = 0; i < 4; i++) {
		KT_EQ(kt_control(ep, PITH_OP_REVOKE, &bad[i]), -EINVAL);
		KT_EQ(kt_control(mem, PITH_OP_REVOKE, &bad[i]), -EINVAL);
	}
	KT_EQ(revoke_badge(mem, 0), -EINVAL);
	KT_EQ(kt_control(ep, PITH_OP_REVOKE, NULL), -EFAULT);
	KT_EQ(revoke(client), -EPERM);
	KT_EQ(revoke_badge(client, 1), -EPERM);
	KT_EQ(revoke(less), -EPERM);
	KT_EQ(revoke(n), -EPERM);
	KT_EQ(revoke(kt_root), -EPERM);
	KT_EQ(revoke(kt_hardware), -EPERM);
	KT_EQ(revoke(-1), -EBADF);
	KT_EQ(revoke(4000), -EBADF);
	/* a refused one took nothing */
	KT_EQ(kt_type(client), PITH_T_ENDPOINT);
	KT_EQ(kt_mem_size(less), KT_PAGE);
	kt_close(n);
	kt_close(less);
	kt_close(mem);
	kt_close(client);
	kt_close(ep);
}

/* --- memory ---------------------------------------------------------------- */

static uint64_t ram_used(int domain)
{
	return kt_domain_info(domain).ram_used;
}

static void all_refused(int mem)
{
	struct pith_identify id;
	struct pith_mem_info info;
	uint64_t phys;
	struct pith_mem_phys a = { mem, 1, 0, (uintptr_t)&phys };
	int ep = KT_FD(kt_ep_create());

	KT_EQ((long)kt_map(mem, 0, KT_PAGE, KT_R), -EPIPE);
	KT_EQ(kt_mint(mem, PITH_R_READ), -EPIPE);
	KT_EQ(kt_control(mem, PITH_OP_MEM_INFO, &info), -EPIPE);
	KT_EQ(kt_control(mem, PITH_OP_IDENTIFY, &id), -EPIPE);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &a), -EPIPE);
	KT_EQ(revoke(mem), -EPIPE);
	kt_prepare(1);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = mem;
	KT_EQ(kt_call(ep, 0), -EPIPE);
	kt_close(ep);
}

/* Touches its argument, tells, and does it again and again. */
KT_ROLE(revoke_toucher)
{
	volatile uint8_t *p = kt_map(KT_SLOT_ARG, 0, 64 * KT_PAGE, KT_R);

	KT_NEED(!kt_is_error((void *)p));
	for (;;) {
		for (int i = 0; i < 64; i++)
			(void)p[i * KT_PAGE];
		kt_report->shared[0]++;
	}
}

/* Everything is back while all the descriptors and mappings still exist. */
KT_CORE(revoke_memory)
{
	uint64_t object = kt_mem_ram(128 * KT_PAGE) - 128 * KT_PAGE;
	int d = kt_domain(130 * KT_PAGE, 0);
	int mem = KT_FD(kt_mem_create(d, 128 * KT_PAGE, 0));
	int part = KT_FD(kt_mint_range(mem, PITH_R_READ, 64 * KT_PAGE, 0));
	struct kt_child c = kt_start("revoke_toucher", &part, 1);
	uint8_t *p = kt_map(mem, 0, 128 * KT_PAGE, KT_R | KT_W);
	int fresh;

	KT_NEED(!kt_is_error(p));
	memset(p, 0x5a, 128 * KT_PAGE);
	while (!kt_report->shared[0])
		kt_sleep(KT_MS(1));
	KT_EQ(ram_used(d), 128 * KT_PAGE + object);
	KT_EQ(revoke(mem), 0);
	KT_EQ(ram_used(d), object);	/* while somebody holds it */
	fresh = KT_FD(kt_mem_create(d, 128 * KT_PAGE, 0));
	KT_EQ(kt_finish(&c), SIGBUS_STATUS);
	KT_EQ(kt_buffer_set(mem, 0), -EPIPE);
	all_refused(mem);
	all_refused(part);
	/* the kernel's own accesses meet nothing either */
	KT_EQ(kt_control(fresh, PITH_OP_MEM_INFO, p), -EFAULT);
	KT_EQ(kt_unmap(p, 128 * KT_PAGE), 0);
	kt_close(part);
	kt_close(mem);
	KT_EQ(ram_used(d), 128 * KT_PAGE + object);
	kt_close(fresh);
	KT_EQ(ram_used(d), 0);
	kt_domain_end(d);
}

/* A part is no hold on the rest, and a mapping without a descriptor is none. */
KT_ROLE(revoke_mapped_only)
{
	volatile uint8_t *p = kt_map(KT_SLOT_ARG, KT_PAGE, KT_PAGE, KT_R);

	KT_NEED(!kt_is_error((void *)p));
	kt_close(KT_SLOT_ARG);
	(void)*p;
	kt_report->shared[0] = 1;
	kt_await_word(&kt_report->shared[1], 1);
	(void)*p;
	kt_report->shared[2] = 1;
}

KT_CORE(revoke_memory_by_part)
{
	int d = kt_domain(5 * KT_PAGE, 0);
	int mem = KT_FD(kt_mem_create(d, 4 * KT_PAGE, PITH_MEM_CONTIG));
	int part = KT_FD(kt_mint_range(mem, PITH_R_READ | PITH_R_REVOKE,
				       2 * KT_PAGE, KT_PAGE));
	struct kt_child c = kt_start("revoke_mapped_only", &mem, 1);

	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(revoke(part), 0);
	kt_report->shared[1] = 1;
	KT_EQ(kt_finish(&c), SIGBUS_STATUS);
	KT_EQ(kt_report->shared[2], 0);
	all_refused(mem);
	KT_TRUE(ram_used(d) < KT_PAGE);
	kt_close(part);
	kt_close(mem);
	KT_EQ(ram_used(d), 0);
	kt_domain_end(d);
}

/* A message buffer keeps its two pages until the thread lets go of them. */
static volatile uint64_t buffer_step;
static int buffer_mem, buffer_ep;

static void revoked_buffer_thread(void *arg)
{
	uint8_t *p = kt_map(buffer_mem, 0, PITH_BUFFER_SIZE, KT_R | KT_W);
	struct pith_msg *m = (void *)p;

	(void)arg;
	KT_NEED(!kt_is_error(p));
	KT_EQ(kt_buffer_set(buffer_mem, 2 * KT_PAGE), 0);
	KT_EQ(kt_buffer_set(buffer_mem, 0), 0);
	m->label = 77;
	m->ncaps = m->len = 0;
	buffer_step = 1;
	kt_await_word(&buffer_step, 2);
	KT_EQ(kt_call(buffer_ep, KT_SOON), 0);
	KT_EQ(kt_buffer_set(buffer_mem, 0), -EPIPE);
	buffer_step = 3;
	kt_await_word(&buffer_step, 4);
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	kt_unmap(p, PITH_BUFFER_SIZE);
}

KT_CORE(revoke_message_buffer)
{
	uint64_t object = kt_mem_ram(8 * KT_PAGE) - 8 * KT_PAGE;
	int d = kt_domain(9 * KT_PAGE, 0);
	struct kt_thread t = { 0 };

	buffer_step = 0;
	buffer_mem = KT_FD(kt_mem_create(d, 8 * KT_PAGE, 0));
	buffer_ep = KT_FD(kt_ep_create());
	kt_thread_start(&t, revoked_buffer_thread, NULL);
	kt_await_word(&buffer_step, 1);
	KT_EQ(revoke(buffer_mem), 0);
	KT_EQ(ram_used(d), PITH_BUFFER_SIZE + object);
	buffer_step = 2;
	if (kt_wait_call(buffer_ep)) {
		KT_EQ(kt_msg->label, 77);
		KT_EQ(kt_reply(buffer_ep, 1), 0);
	}
	kt_await_word(&buffer_step, 3);
	KT_EQ(ram_used(d), PITH_BUFFER_SIZE + object);
	buffer_step = 4;
	kt_thread_join(&t);
	KT_EQ(ram_used(d), object);
	kt_close(buffer_ep);
	kt_close(buffer_mem);
	kt_domain_end(d);
}

/* --- memory, racing -------------------------------------------------------- */

#define RACE_PAGES	64

static int race_mem;
static volatile uint64_t race_stop;

/* Whatever they get is right, as long as it is one of these. */
static void one_of(const char *what, long ret, long a, long b)
{
	if (ret != a && ret != b)
		KT_FAIL("%s: %ld", what, ret);
}

static void race_mapper(void *arg)
{
	(void)arg;
	while (!race_stop) {
		void *p = kt_map(race_mem, 0, RACE_PAGES * KT_PAGE, KT_R);
		struct pith_mem_info info;
		long fd;

		one_of("map", kt_is_error(p) ? (long)p : 0, 0, -EPIPE);
		if (!kt_is_error(p))
			kt_unmap(p, RACE_PAGES * KT_PAGE);
		fd = kt_mint(race_mem, PITH_R_READ | PITH_R_REVOKE);
		one_of("mint", fd < 0 ? fd : 0, 0, -EPIPE);
		if (fd >= 0)
			kt_close(fd);
		one_of("info", kt_control(race_mem, PITH_OP_MEM_INFO, &info),
		       0, -EPIPE);
		one_of("buffer", kt_buffer_set(race_mem, KT_PAGE), 0, -EPIPE);
		KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	}
}

static void race_revoker(void *arg)
{
	long err = revoke(race_mem);

	(void)arg;
	one_of("revoke", err, 0, -EPIPE);
}

/* Faults, maps, mints, buffers and a second revoke meanwhile: all comes back. */
static void race_once(int d)
{
	struct kt_thread mapper = { 0 }, revoker = { 0 };
	struct kt_child c;

	race_stop = 0;
	kt_report->shared[0] = 0;
	race_mem = KT_FD(kt_mem_create(d, RACE_PAGES * KT_PAGE, 0));
	c = kt_start("revoke_toucher", &race_mem, 1);
	kt_thread_start(&mapper, race_mapper, NULL);
	while (kt_report->shared[0] < 2)
		kt_sleep(KT_MS(1));
	kt_thread_start(&revoker, race_revoker, NULL);
	one_of("revoke", revoke(race_mem), 0, -EPIPE);
	kt_thread_join(&revoker);
	KT_EQ(kt_finish(&c), SIGBUS_STATUS);
	race_stop = 1;
	kt_thread_join(&mapper);
	KT_TRUE(ram_used(d) < KT_PAGE);
	KT_EQ(kt_close(race_mem), 0);
	KT_EQ(ram_used(d), 0);
}

KT_CORE(revoke_memory_race)
{
	int d = kt_domain((RACE_PAGES + 1) * KT_PAGE, 0);

	for (int i = 0; i < 20; i++)
		race_once(d);
	kt_domain_end(d);
}

/* --- devices --------------------------------------------------------------- */

static long io_mem(void)
{
	struct pith_io_mem a = { KT_UNUSED, 4 * KT_PAGE, 0, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a);
}

KT_CORE(revoke_io_mem)
{
	int mem = KT_FD(io_mem()), again;
	int copy = KT_FD(kt_mint(mem, PITH_R_READ));
	struct kt_child c = kt_start("revoke_mapped_only", &copy, 1);

	KT_EQ(io_mem(), -EBUSY);
	kt_await_word(&kt_report->shared[0], 1);
	KT_EQ(revoke(mem), 0);
	again = KT_FD(io_mem());	/* though the old one is still held */
	kt_report->shared[1] = 1;
	KT_EQ(kt_finish(&c), SIGBUS_STATUS);
	KT_EQ(kt_report->shared[2], 0);
	KT_EQ((long)kt_map(copy, 0, KT_PAGE, KT_R), -EPIPE);
	KT_EQ(revoke(mem), -EPIPE);
	kt_close(copy);
	kt_close(mem);
	KT_EQ(io_mem(), -EBUSY);	/* the new claim is not undone */
	kt_close(again);
}

static long port_in(int port)
{
	struct pith_port a = { .offset = 5, .width = 1 };

	return kt_control(port, PITH_OP_PORT_IN, &a);
}

KT_CORE(revoke_io_port)
{
	int port, copy, again;

	if (!KT_HAS_PORTS)
		return kt_skip("I/O ports");
	port = KT_FD(source_open());
	copy = KT_FD(kt_mint(port, PITH_R_READ));
	KT_EQ(port_in(copy), 0);
	KT_EQ(revoke(copy), -EPERM);
	KT_EQ(revoke(port), 0);
	KT_EQ(port_in(copy), -EPIPE);
	KT_EQ(port_in(port), -EPIPE);
	again = KT_FD(source_open());
	kt_close(port);
	kt_close(copy);
	KT_EQ(source_open(), -EBUSY);
	KT_EQ(port_in(again), 0);
	kt_close(again);
}

static void irq_refused(int irq, int notif)
{
	struct pith_fd_arg a = { notif, 0 };

	KT_EQ(kt_control(irq, PITH_OP_IRQ_ACK, NULL), -EPIPE);
	KT_EQ(kt_control(irq, PITH_OP_IRQ_BIND, &a), -EPIPE);
	KT_EQ(kt_mint(irq, 0), -EPIPE);
	KT_EQ(revoke(irq), -EPIPE);
}

KT_CORE(revoke_irq)
{
	int n = KT_FD(kt_notif_create());
	struct pith_fd_arg a = { n, 0 };
	int irq = KT_FD(source_irq()), less = KT_FD(kt_mint(irq, PITH_R_MANAGE));
	int again;

	KT_EQ(kt_control(irq, PITH_OP_IRQ_BIND, &a), 0);
	KT_EQ(revoke(less), -EPERM);
	KT_EQ(source_irq(), -EBUSY);
	KT_EQ(revoke(irq), 0);
	again = KT_FD(source_irq());
	irq_refused(irq, n);
	irq_refused(less, n);
	kt_close(less);
	kt_close(irq);
	KT_EQ(source_irq(), -EBUSY);
	KT_EQ(kt_control(again, PITH_OP_IRQ_ACK, NULL), 0);
	kt_close(again);
	kt_close(n);
}

/* Many times more than there are vectors, all descriptors held. */
KT_CORE(revoke_quiet_irq)
{
	static int fds[1000];

	for (int i = 0; i < 1000; i++) {
		fds[i] = KT_FD(quiet_irq());
		KT_NEED(fds[i] >= 0);
		KT_EQ(revoke(fds[i]), 0);
	}
	for (int i = 0; i < 1000; i++)
		kt_close(fds[i]);
}

static int race_irq;

static void irq_racer(void *arg)
{
	int n = KT_FD(kt_notif_create());
	struct pith_fd_arg a = { n, 0 };

	(void)arg;
	while (!race_stop) {
		one_of("ack", kt_control(race_irq, PITH_OP_IRQ_ACK, NULL), 0,
		       -EPIPE);
		one_of("bind", kt_control(race_irq, PITH_OP_IRQ_BIND, &a), 0,
		       -EPIPE);
	}
	kt_close(n);
}

KT_CORE(revoke_irq_race)
{
	for (int i = 0; i < 50; i++) {
		struct kt_thread t = { 0 };

		race_stop = 0;
		race_irq = KT_FD(quiet_irq());
		kt_thread_start(&t, irq_racer, NULL);
		kt_sleep(KT_MS(1));
		KT_EQ(revoke(race_irq), 0);
		race_stop = 1;
		kt_thread_join(&t);
		kt_close(race_irq);
	}
}

/* --- endpoints ------------------------------------------------------------- */

/* A thread that makes one call and keeps what came of it. */
struct caller {
	struct kt_thread thread;
	int ep, send;
	volatile uint64_t result, answer;
};

static void call_once(void *arg)
{
	struct caller *c = arg;
	long err;

	kt_prepare(1);
	kt_msg->ncaps = c->send >= 0;
	kt_msg->caps[0] = c->send;
	err = kt_call(c->ep, KT_SOON);
	c->answer = kt_msg->label;
	c->result = err;
}

static void caller_start(struct caller *c, int ep, int send)
{
	memset(c, 0, sizeof(*c));
	c->ep = ep;
	c->send = send;
	kt_thread_start(&c->thread, call_once, c);
}

static void caller_end(struct caller *c, long result)
{
	kt_thread_join(&c->thread);
	KT_EQ(c->result, result);
}

static volatile uint64_t served;

static void serve_dead(void *arg)
{
	served = kt_wait(*(int *)arg, KT_SOON);
}

KT_CORE(revoke_endpoint)
{
	int ep = KT_FD(kt_ep_create()), client = KT_FD(kt_mint_badge(ep, 1));
	int watched = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct caller a, b;

	KT_EQ(kt_bind(n, watched, 5), 0);
	KT_EQ(kt_watch(client, n), 0);
	caller_start(&a, client, -1);
	KT_TRUE(kt_wait_call(ep));
	caller_start(&b, client, -1);
	kt_let_block();
	KT_EQ(revoke(ep), 0);
	caller_end(&b, -EPIPE);
	/* what was received is answered */
	KT_EQ(kt_reply(ep, 9), 0);
	caller_end(&a, 0);
	KT_EQ(a.answer, 9);
	KT_TRUE(kt_wait_note(watched, 5, 1));
	KT_EQ(kt_wait(ep, KT_SOON), -EPIPE);
	KT_EQ(kt_call_label(client, 1, KT_SOON), -EPIPE);
	KT_EQ(kt_call_label(ep, 1, KT_SOON), -EPIPE);
	KT_EQ(kt_mint_badge(ep, 2), -EPIPE);
	KT_EQ(kt_bind(n, ep, 1), -EPIPE);
	KT_EQ(kt_watch(client, n), -EPIPE);
	KT_EQ(revoke(ep), -EPIPE);
	kt_close(client);
	kt_close(ep);
	kt_close(n);
	kt_close(watched);
}

/* Threads that wait for calls are told, and a bound notification is no trap. */
KT_CORE(revoke_endpoint_wakes_servers)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct kt_thread t[3] = { 0 };

	KT_EQ(kt_bind(n, ep, 1), 0);
	for (int i = 0; i < 3; i++)
		kt_thread_start(&t[i], serve_dead, &ep);
	kt_let_block();
	served = 0;
	KT_EQ(revoke(ep), 0);
	for (int i = 0; i < 3; i++)
		kt_thread_join(&t[i]);
	KT_EQ(served, -EPIPE);
	KT_EQ(kt_signal(n, 1), 0);
	kt_close(n);
	kt_close(ep);
}

/* --- badges ---------------------------------------------------------------- */

KT_CORE(revoke_badges)
{
	int ep = KT_FD(kt_ep_create()), fd[4], again;
	struct caller in, queued, other;

	for (int i = 0; i < 4; i++)
		fd[i] = KT_FD(kt_mint_badge(ep, i < 2 ? 7 : 8 - 8 * (i & 1)));
	caller_start(&in, fd[0], -1);
	KT_TRUE(kt_wait_call(ep));
	caller_start(&queued, fd[1], -1);
	caller_start(&other, fd[2], -1);
	kt_let_block();
	KT_EQ(revoke_badge(ep, 7), 0);
	caller_end(&queued, -EPIPE);
	KT_EQ(kt_reply(ep, 3), 0);
	caller_end(&in, 0);
	KT_TRUE(kt_wait_call(ep));
	KT_EQ(kt_msg->badge, 8);
	KT_EQ(kt_reply(ep, 4), 0);
	caller_end(&other, 0);
	KT_EQ(kt_call_label(fd[0], 1, 0), -EPIPE);
	KT_EQ(kt_call_label(fd[1], 1, 0), -EPIPE);
	KT_EQ(kt_call_label(fd[2], 1, 0), -ETIMEDOUT);
	KT_EQ(kt_call_label(fd[3], 1, 0), -ETIMEDOUT);	/* badge 0 */
	again = KT_FD(kt_mint_badge(ep, 7));
	KT_EQ(kt_call_label(again, 1, 0), -ETIMEDOUT);
	KT_EQ(revoke_badge(ep, 1), 0);			/* nobody's: no harm */
	/* badge 0 is one like others: the owner's own has none */
	KT_EQ(revoke_badge(ep, 0), 0);
	KT_EQ(kt_call_label(fd[3], 1, 0), -EPIPE);
	KT_EQ(kt_call_label(ep, 1, 0), -ETIMEDOUT);
	kt_close(again);
	for (int i = 0; i < 4; i++)
		kt_close(fd[i]);
	kt_close(ep);
}

/* Holders elsewhere: what was copied to a component is dead too. */
KT_ROLE(revoke_holder)
{
	KT_EQ(kt_call_label(KT_SLOT_ARG, 1, KT_SOON), 0);
	KT_EQ(kt_call_label(KT_SLOT_ARG, 1, KT_SOON), -EPIPE);
	KT_EQ(kt_call_label(KT_SLOT_ARG + 1, 1, KT_SOON), 0);
}

KT_CORE(revoke_badge_of_another)
{
	int ep = KT_FD(kt_ep_create());
	int args[2] = { kt_mint_badge(ep, 1), kt_mint_badge(ep, 2) };
	struct kt_child c = kt_start("revoke_holder", args, 2);

	KT_TRUE(kt_wait_call(ep));
	KT_EQ(revoke_badge(ep, 1), 0);
	KT_EQ(kt_reply(ep, 0), 0);
	KT_TRUE(kt_wait_call(ep));
	KT_EQ(kt_msg->badge, 2);
	KT_EQ(kt_reply(ep, 0), 0);
	KT_EQ(kt_finish(&c), 0);
	kt_close(args[0]);
	kt_close(args[1]);
	kt_close(ep);
}

/* One that is on its way to its own server arrives as nothing: the badge may
 * mean somebody else by then. */
KT_CORE(revoke_badge_in_flight)
{
	int ep = KT_FD(kt_ep_create()), a = KT_FD(kt_mint_badge(ep, 1));
	int b = KT_FD(kt_mint_badge(ep, 2));
	struct caller c;

	caller_start(&c, b, a);
	kt_let_block();
	KT_EQ(revoke_badge(ep, 1), 0);
	KT_TRUE(kt_wait_call(ep));
	KT_EQ(kt_msg->ncaps, 1);
	KT_EQ(kt_msg->caps[0], PITH_CAP_LOST);
	KT_EQ(kt_msg->cap_badges[0], 0);
	KT_EQ(kt_reply(ep, 0), 0);
	caller_end(&c, 0);
	kt_close(b);
	kt_close(a);
	kt_close(ep);
}

/* Many holders of many badges: each is found, the others stay. */
#define BADGES	50
#define HOLDERS	20

KT_CORE(revoke_many_badges)
{
	static int fd[BADGES][HOLDERS];
	int ep = KT_FD(kt_ep_create());

	for (int h = 0; h < HOLDERS; h++)
		for (int b = 0; b < BADGES; b++)
			fd[b][h] = KT_FD(kt_mint_badge(ep, b * 31 % BADGES));
	for (int b = 0; b < BADGES; b += 2)
		kt_close(fd[b][b % HOLDERS]);
	for (int b = 0; b < BADGES; b += 3)
		KT_EQ(revoke_badge(ep, b * 31 % BADGES), 0);
	for (int b = 0; b < BADGES; b++)
		for (int h = 0; h < HOLDERS; h++) {
			if (b % 2 == 0 && h == b % HOLDERS)
				continue;
			KT_EQ(kt_call_label(fd[b][h], 1, 0),
			      b % 3 ? -ETIMEDOUT : -EPIPE);
			kt_close(fd[b][h]);
		}
	kt_close(ep);
}

/* --- endpoints, racing ----------------------------------------------------- */

#define RACERS	3

static int race_ep;

static void badge_caller(void *arg)
{
	uint64_t badge = (uintptr_t)arg;

	while (!race_stop) {
		int fd = kt_mint_badge(race_ep, badge);

		if (fd < 0) {
			KT_EQ(fd, -EPIPE);
			return;
		}
		one_of("call", kt_call_label(fd, 1, KT_SOON), 0, -EPIPE);
		kt_close(fd);
		served++;
	}
}

static void race_server(void *arg)
{
	(void)arg;
	while (kt_wait(race_ep, KT_SOON) == PITH_GOT_CALL)
		kt_reply(race_ep, 0);
}

/* Minting, calling and closing against revoking, by badge and then all. */
KT_CORE(revoke_endpoint_race)
{
	struct kt_thread server = { 0 }, t[RACERS];
	uint64_t end = KT_SOON;

	memset(t, 0, sizeof(t));
	race_stop = 0;
	served = 0;
	race_ep = KT_FD(kt_ep_create());
	kt_thread_start(&server, race_server, NULL);
	for (uintptr_t i = 0; i < RACERS; i++)
		kt_thread_start(&t[i], badge_caller, (void *)(i / 2));
	/* on a busy host the others may start late */
	for (int i = 0; i < 2000 || (!served && kt_now() < end); i++)
		KT_EQ(revoke_badge(race_ep, i % 2), 0);
	KT_EQ(revoke(race_ep), 0);
	kt_thread_join(&server);
	for (int i = 0; i < RACERS; i++)
		kt_thread_join(&t[i]);
	race_stop = 1;
	KT_TRUE(served > 0);
	kt_close(race_ep);
}
