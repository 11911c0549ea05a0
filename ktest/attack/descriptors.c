// SPDX-License-Identifier: BSD-2-Clause
/* Descriptors and badges: forged, guessed, used again, closed under somebody. */
#include <sys/syscall.h>
#include "attack.h"

static const uint32_t slot_types[A_SLOTS] = {
	[KT_SLOT_DOMAIN] = PITH_T_DOMAIN, [KT_SLOT_REPORT] = PITH_T_MEMORY,
	[A_VICTIM] = PITH_T_ENDPOINT, [A_ROM] = PITH_T_MEMORY,
	[A_BELL] = PITH_T_NOTIFICATION, [A_IRQ] = PITH_T_IRQ,
	[A_PORT] = PITH_T_IO_PORT, [A_PEER] = PITH_T_ENDPOINT,
	[A_SHARED] = PITH_T_MEMORY, [A_MAKER] = PITH_T_ENDPOINT,
	[A_OWN] = PITH_T_DOMAIN,
};

ATTACK(desc_guess, "use every descriptor number there can be")
{
	static const int odd[] = { -1, -2, -100, 1 << 16, 1 << 20, 0x7fffffff,
		(int)0x80000000 };

	for (int fd = 0; fd < 70000; fd++) {
		uint32_t expected = fd < A_SLOTS ? slot_types[fd] :
			fd == kt_buf.mem ? PITH_T_MEMORY : 0;

		if (kt_type(fd) != expected)
			KT_FAIL("descriptor %d is a %u", fd, kt_type(fd));
	}
	for (unsigned int i = 0; i < COUNT(odd); i++) {
		KT_EQ(kt_call_label(odd[i], 1, 0), -EBADF);
		KT_EQ(kt_signal(odd[i], 1), -EBADF);
		KT_EQ(kt_wait(odd[i], 0), -EBADF);
		KT_EQ(kt_close(odd[i]), -EBADF);
	}
}

ATTACK(desc_wider, "mint more rights than one holds, in every combination")
{
	for (int fd = 0; fd < A_SLOTS; fd++) {
		uint32_t have = kt_rights(fd);

		for (uint32_t r = 0; r < 0x800; r++) {
			long got = kt_mint(fd, r);

			if (got < 0)
				continue;
			if (kt_rights(got) & ~have)
				KT_FAIL("%x from %x", r, have);
			kt_close(got);
		}
	}
}

ATTACK(badge_forged, "call with another's badge in the buffer and in a mint")
{
	for (uint64_t badge = 0; badge < 200; badge++) {
		kt_prepare(7);
		kt_msg->badge = badge;
		kt_msg->count = badge;
		kt_msg->cap_badges[0] = badge;
		KT_EQ(kt_call(A_VICTIM, KT_SOON), 0);
		KT_EQ(kt_msg->label, 8);
		KT_EQ(kt_mint_badge(A_VICTIM, badge), -EPERM);
	}
}

ATTACK(badge_server_role, "receive at, watch, save replies of another's endpoint")
{
	int n = KT_FD(kt_notif_create());

	KT_EQ(kt_wait(A_VICTIM, 0), -EPERM);
	KT_EQ(kt_reply_wait(A_VICTIM, PITH_REPLY, 0), -EPERM);
	KT_EQ(kt_control(A_VICTIM, PITH_OP_EP_SAVE_REPLY, NULL), -EPERM);
	KT_EQ(kt_bind(n, A_VICTIM, 1), -EPERM);
	KT_EQ(kt_bind(A_BELL, A_PEER, 1), -EPERM);
	KT_EQ(kt_watch(A_VICTIM, A_BELL), -EPERM);
	KT_EQ(kt_watch(A_VICTIM, n), 0);
	attack_victim_answers();
	kt_close(n);
}

/* --- close ---------------------------------------------------------------------- */

static int contended;
static uint64_t closed, ended;

static void close_it(void *arg)
{
	volatile uint64_t *go = arg;

	while (!*go)
		kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	if (!kt_close(contended))
		attack_count(&closed);
	attack_count(&ended);
}

ATTACK(close_twice, "four threads close one descriptor: one closes it, once")
{
	static uint64_t go;

	for (int i = 0; i < 30; i++) {
		struct pith_domain_info a = kt_domain_info(KT_SLOT_DOMAIN), b;
		struct kt_thread t[4] = { 0 };

		contended = KT_FD(kt_ep_create());
		closed = ended = go = 0;
		for (int k = 0; k < 4; k++) {
			t[k].no_buffer = true;
			kt_thread_start(&t[k], close_it, &go);
		}
		go = 1;
		for (int k = 0; k < 4; k++)
			kt_thread_join(&t[k]);
		KT_EQ(closed, 1);
		b = kt_domain_info(KT_SLOT_DOMAIN);
		KT_EQ(b.caps_used, a.caps_used);
	}
}

#define RACES	400

static volatile int moving = -1;
static volatile uint64_t over;

/* The number names an endpoint, then memory, then nothing, and so on. */
static void use_moving(void *arg)
{
	(void)arg;
	while (!over) {
		int fd = moving;
		void *p;
		long n;

		kt_call_label(fd, 1, 0);
		kt_signal(fd, 1);
		kt_wait(fd, 0);
		p = kt_map(fd, 0, KT_PAGE, KT_R | KT_W);
		if (!kt_is_error(p)) {
			*(volatile uint64_t *)p = 5;
			kt_unmap(p, KT_PAGE);
		}
		n = kt_mint(fd, PITH_R_CALL);
		if (n >= 0)
			kt_close(n);
	}
}

ATTACK(close_and_reuse, "replace what a descriptor is while others use it")
{
	struct kt_thread t[3] = { 0 };

	over = 0;
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_start(&t[i], use_moving, NULL);
	for (int i = 0; i < RACES; i++) {
		int fd = i % 3 == 0 ? kt_ep_create() :
			 i % 3 == 1 ? kt_mem_create(-1, KT_PAGE, 0) :
			 kt_notif_create();

		moving = fd;
		if (i % 4 == 0)
			kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		kt_close(fd);
	}
	over = 1;
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_join(&t[i]);
}

static void wait_at(void *arg)
{
	long got = kt_wait(*(int *)arg, kt_now() + KT_MS(300));

	KT_TRUE(got == -ETIMEDOUT || got == -EPIPE || got == -EBADF);
}

static void call_at(void *arg)
{
	/* the call itself still holds the endpoint: it is not dead before */
	long got = kt_call_label(*(int *)arg, 1, kt_now() + KT_MS(300));

	KT_TRUE(got == -EPIPE || got == -ETIMEDOUT || got == -EBADF);
}

ATTACK(close_during_wait, "close an endpoint while threads wait and call at it")
{
	for (int i = 0; i < 5; i++) {
		int ep = KT_FD(kt_ep_create());
		struct kt_thread t = { 0 };

		kt_thread_start(&t, i % 2 ? wait_at : call_at, &ep);
		kt_sleep(KT_MS(20));
		KT_EQ(kt_close(ep), 0);
		kt_thread_join(&t);
	}
}

/* --- cycles ----------------------------------------------------------------------- */

static void send_cap(int ep, int cap, uint64_t deadline)
{
	kt_prepare(1);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = cap;
	kt_call(ep, deadline);
}

static int cycle[8];

/* A queued message holds the endpoint it is queued at. */
static void queue_self(void *arg)
{
	int ep = *(int *)arg;

	send_cap(ep, ep, PITH_NO_DEADLINE);
}

ATTACK_KILLED(cycle_of_one, "queue an endpoint at itself, close it, be killed")
{
	struct kt_thread t = { 0 };

	cycle[0] = KT_FD(kt_ep_create());
	kt_thread_start(&t, queue_self, &cycle[0]);
	kt_sleep(KT_MS(20));
	kt_close(cycle[0]);
	attack_ready();
}

static uint64_t in_ring;

static void queue_next(void *arg)
{
	uint64_t i = __atomic_fetch_add(&in_ring, 1, __ATOMIC_SEQ_CST);

	(void)arg;
	send_cap(cycle[i], cycle[(i + 1) % COUNT(cycle)], PITH_NO_DEADLINE);
}

ATTACK_KILLED(cycle_of_eight, "eight endpoints, each queued at the one before")
{
	static struct kt_thread t[COUNT(cycle)];

	for (unsigned int i = 0; i < COUNT(cycle); i++)
		cycle[i] = KT_FD(kt_ep_create());
	for (unsigned int i = 0; i < COUNT(cycle); i++)
		kt_thread_start(&t[i], queue_next, NULL);
	kt_sleep(KT_MS(30));
	for (unsigned int i = 0; i < COUNT(cycle); i++)
		kt_close(cycle[i]);
	attack_ready();
}

static void await_reply(void *arg)
{
	kt_call_label(*(int *)arg, 9, PITH_NO_DEADLINE);
}

static int reply;

static void queue_reply(void *arg)
{
	send_cap(*(int *)arg, reply, PITH_NO_DEADLINE);
}

ATTACK_KILLED(cycle_of_reply, "send a reply object into the queue of its endpoint")
{
	static struct kt_thread t[2];

	cycle[0] = KT_FD(kt_ep_create());
	kt_thread_start(&t[0], await_reply, &cycle[0]);
	kt_wait_call(cycle[0]);
	reply = KT_FD(kt_control(cycle[0], PITH_OP_EP_SAVE_REPLY, NULL));
	kt_thread_start(&t[1], queue_reply, &cycle[0]);
	kt_sleep(KT_MS(20));
	kt_close(reply);
	kt_close(cycle[0]);
	attack_ready();
}

ATTACK(cycle_of_notification, "bind notifications to endpoints that hold them")
{
	for (int i = 0; i < 50; i++) {
		int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

		KT_EQ(kt_bind(n, ep, 5), 0);
		KT_EQ(kt_watch(ep, n), 0);
		KT_EQ(kt_signal(n, 1), 0);
		send_cap(ep, n, 0);
		kt_close(i % 2 ? ep : n);
		kt_close(i % 2 ? n : ep);
	}
}

static int watched;

static void rewatch(void *arg)
{
	int n = KT_FD(kt_notif_create());

	(void)arg;
	while (!over) {
		kt_watch(watched, n);
		kt_watch(A_VICTIM, n);
		kt_bind(n, A_PEER, 1);
	}
	kt_close(n);
}

ATTACK(watch_dying, "notifications watch, unwatch, rebind while endpoints die")
{
	struct kt_thread t[4] = { 0 };

	over = 0;
	watched = KT_FD(kt_ep_create());
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_start(&t[i], rewatch, NULL);
	for (int i = 0; i < 300; i++) {
		kt_close(watched);
		watched = KT_FD(kt_ep_create());
	}
	over = 1;
	for (unsigned int i = 0; i < COUNT(t); i++)
		kt_thread_join(&t[i]);
	kt_close(watched);
}

/* --- the table -------------------------------------------------------------------- */

static void give_eight(void *arg)
{
	while (!over) {
		kt_prepare(2);
		kt_msg->ncaps = PITH_MSG_CAPS;
		for (int i = 0; i < PITH_MSG_CAPS; i++)
			kt_msg->caps[i] = A_ROM;
		if (kt_call(*(int *)arg, KT_SOON))
			return;
	}
}

ATTACK(table_full, "receive capabilities until the table is full, and more")
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create()), first = -1, last = -1, lost = 0;

	over = 0;
	kt_thread_start(&t, give_eight, &ep);
	for (int i = 0; i < 600 && lost < 24; i++) {
		kt_wait_call(ep);
		for (int k = 0; k < PITH_MSG_CAPS; k++) {
			int fd = kt_msg->caps[k];

			lost += fd == PITH_CAP_LOST;
			if (fd >= 0 && first < 0)
				first = fd;
			if (fd > last)
				last = fd;
		}
		over = lost >= 24;
		kt_reply(ep, 0);
	}
	KT_TRUE(lost >= 24);
	KT_TRUE(last - first > 100);
	while (last >= first)
		kt_close(last--);
	kt_thread_join(&t);
	attack_victim_answers();
	kt_close(ep);
}
