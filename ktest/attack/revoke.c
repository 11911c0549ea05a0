// SPDX-License-Identifier: BSD-2-Clause
/* Revocation: without the right, and while everybody uses what goes. */
#include "attack.h"

static volatile uint64_t over;

static long revoke(int fd)
{
	struct pith_revoke r = { 0 };

	return kt_control(fd, PITH_OP_REVOKE, &r);
}

static long revoke_badge(int ep, uint64_t badge)
{
	struct pith_revoke r = { badge, PITH_REVOKE_BADGE, 0 };

	return kt_control(ep, PITH_OP_REVOKE, &r);
}

ATTACK(revoke_foreign, "revoke what others gave, by object and by badge")
{
	KT_EQ(revoke(A_VICTIM), -EPERM);
	KT_EQ(revoke_badge(A_VICTIM, A_BADGE_CLIENT), -EPERM);
	KT_EQ(revoke_badge(A_VICTIM, A_BADGE_ATTACKER), -EPERM);
	KT_EQ(revoke(A_ROM), -EPERM);
	KT_EQ(revoke(A_BELL), -EPERM);
	KT_EQ(revoke(KT_SLOT_DOMAIN), -EPERM);
	KT_EQ(revoke_badge(A_SHARED, 0), -EINVAL);
	attack_victim_answers();
}

/* --- a server's mapping ---------------------------------------------------- */

#define LENT_PAGES	8

/* As any server does: no guard against a fault, nothing is asked twice. */
static void use_lent(volatile uint64_t *p)
{
	for (uint64_t i = 0; i < LENT_PAGES * KT_PAGE / 8; i += 64)
		p[i]++;
}

KT_ROLE(revoke_lent_with)
{
	volatile uint64_t *p;
	int n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, A_PEER, 1), 0);
	KT_NEED(kt_wait_call(A_PEER) && kt_msg->ncaps == 2);
	p = kt_map(kt_msg->caps[0], 0, LENT_PAGES * KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error((void *)p));
	kt_close(kt_msg->caps[0]);
	KT_EQ(kt_watch(kt_msg->caps[1], n), 0);
	do {				/* until the client is no more */
		kt_reply(A_PEER, 0);
		use_lent(p);
	} while (kt_wait(A_PEER, KT_SOON) == PITH_GOT_CALL);
	KT_EQ(kt_msg->count, 1);
	for (int i = 0; i < 20; i++) {	/* nor its domain */
		kt_sleep(KT_MS(5));
		use_lent(p);
	}
	KT_EQ(kt_unmap((void *)p, LENT_PAGES * KT_PAGE), 0);
}

/* Everything that a hold of @mem may be good for, but to share it. */
static void take_back(int mem)
{
	struct pith_transfer none = { .to = KT_SLOT_DOMAIN };
	int part = KT_FD(kt_mint_range(mem, PITH_R_READ, 0, KT_PAGE));
	void *p = kt_map(mem, 0, LENT_PAGES * KT_PAGE, KT_R | KT_W);

	KT_EQ(kt_rights(mem), PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC);
	KT_EQ(revoke(mem), -EPERM);
	KT_EQ(revoke(part), -EPERM);
	KT_EQ(kt_mint(mem, PITH_R_READ | PITH_R_REVOKE), -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_DESTROY, NULL), -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_TRANSFER, &none),
	      -EPERM);
	KT_EQ(kt_protect(p, KT_PAGE, 0), 0);
	kt_map_at(p, A_ROM, 0, KT_PAGE, KT_R, KT_MAP_FIXED);
	KT_EQ(kt_buffer_set(mem, KT_PAGE), 0);
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	KT_EQ(kt_unmap(p, LENT_PAGES * KT_PAGE), 0);
	kt_close(part);
}

ATTACK_WITH(revoke_lent, "a client takes the memory it lent from a server")
{
	struct pith_domain_info a = kt_domain_info(KT_SLOT_DOMAIN), b;
	int mem = KT_FD(kt_mem_create(-1, LENT_PAGES * KT_PAGE, 0));
	int life = KT_FD(kt_ep_create());

	kt_prepare(1);
	kt_msg->ncaps = 2;
	kt_msg->caps[0] = mem;
	kt_msg->caps[1] = KT_FD(kt_mint_badge(life, 1));
	KT_EQ(kt_call(A_PEER, KT_SOON), 0);
	for (int i = 0; i < 20; i++) {
		take_back(mem);
		KT_EQ(kt_call_label(A_PEER, 1, KT_SOON), 0);
	}
	kt_close(mem);
	KT_EQ(kt_call_label(A_PEER, 1, KT_SOON), 0);
	/* it is gone for the client, who pays on */
	b = kt_domain_info(KT_SLOT_DOMAIN);
	KT_TRUE(b.ram_used >= a.ram_used + LENT_PAGES * KT_PAGE);
}

/* --- raced ----------------------------------------------------------------- */

static int ep;
static volatile int client = -1;

static void call_client(void *arg)
{
	(void)arg;
	while (!over)
		kt_call_label(client, 1, kt_now() + 200000);
}

static void serve_some(void *arg)
{
	(void)arg;
	while (!over)
		if (kt_wait(ep, kt_now() + 300000) == PITH_GOT_CALL)
			kt_reply(ep, 2);
}

ATTACK(revoke_badge_raced, "a badge is revoked under the calls made with it")
{
	struct kt_thread t[5] = { 0 };

	over = 0;
	ep = KT_FD(kt_ep_create());
	client = KT_FD(kt_mint_badge(ep, 5));
	for (int i = 0; i < 5; i++)
		kt_thread_start(&t[i], i < 4 ? call_client : serve_some, NULL);
	for (int i = 0; i < 400; i++) {
		int old = client;

		KT_EQ(revoke_badge(ep, 5), 0);
		KT_EQ(kt_call_label(old, 1, 0), -EPIPE);
		client = KT_FD(kt_mint_badge(ep, 5));
		kt_close(old);
	}
	over = 1;
	for (int i = 0; i < 5; i++)
		kt_thread_join(&t[i]);
	kt_close(client);
	kt_close(ep);
}

static void use_peer(void *arg)
{
	uint64_t end = kt_now() + KT_MS(300);
	int n = KT_FD(kt_notif_create());

	(void)arg;
	while (kt_now() < end) {
		kt_call_label(A_PEER, 1, kt_now() + 100000);
		if (kt_wait(A_PEER, 0) == PITH_GOT_CALL)
			kt_reply(A_PEER, 1);
		kt_bind(n, A_PEER, 1);
		kt_signal(n, 1);
		kt_watch(A_PEER, n);
	}
	kt_close(n);
}

KT_ROLE(revoke_endpoint_with)
{
	long got;

	attack_together(3, use_peer, NULL);
	do	/* the other one may still answer, or call */
		got = kt_call_label(A_PEER, 1, KT_SOON);
	while (!got);
	KT_EQ(got, -EPIPE);
	while ((got = kt_wait(A_PEER, KT_SOON)) == PITH_GOT_CALL)
		kt_reply(A_PEER, 0);
	KT_EQ(got, -EPIPE);
}

ATTACK_WITH(revoke_endpoint, "an endpoint dies under two components' threads")
{
	struct kt_thread t[2] = { 0 };

	kt_thread_start(&t[0], use_peer, NULL);
	kt_thread_start(&t[1], use_peer, NULL);
	kt_sleep(KT_MS(100));
	KT_EQ(revoke(A_PEER), 0);
	KT_EQ(revoke(A_PEER), -EPIPE);
	kt_thread_join(&t[0]);
	kt_thread_join(&t[1]);
}

static volatile int memory = -1;
static uint8_t *volatile at;

/* The kernel writes there: not to a page that somebody else has by now. */
static void use_memory(void *arg)
{
	(void)arg;
	while (!over) {
		void *p = kt_map(memory, 0, 4 * KT_PAGE, KT_R | KT_W);

		kt_control(A_VICTIM, PITH_OP_IDENTIFY, at + KT_PAGE);
		if (kt_is_error(p))
			continue;
		kt_control(A_VICTIM, PITH_OP_IDENTIFY, p);
		kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_INFO,
			   (uint8_t *)p + 3 * KT_PAGE);
		kt_unmap(p, 4 * KT_PAGE);
	}
}

ATTACK(revoke_memory_raced, "memory is revoked while it is mapped and written")
{
	struct pith_domain_info a = kt_domain_info(KT_SLOT_DOMAIN);
	struct kt_thread t[3] = { 0 };

	over = 0;
	for (int i = 0; i < 3; i++)
		kt_thread_start(&t[i], use_memory, NULL);
	for (int i = 0; i < 200; i++) {
		int old = memory;

		memory = attack_memory(4);
		at = kt_map(memory, 0, 4 * KT_PAGE, KT_R | KT_W);
		if (i % 4 == 0)
			kt_sleep(200000);
		KT_EQ(revoke(memory), 0);
		KT_TRUE(kt_is_error(kt_map(memory, 0, KT_PAGE, KT_R)));
		kt_unmap(at, 4 * KT_PAGE);
		kt_close(old);
	}
	over = 1;
	for (int i = 0; i < 3; i++)
		kt_thread_join(&t[i]);
	kt_close(memory);
	attack_quota_back(&a);
}

KT_ROLE(revoke_touched_with)
{
	volatile uint64_t *p = kt_map(A_SHARED, 0, 2 * KT_PAGE, KT_R | KT_W);

	if (kt_is_error((void *)p))	/* revoked in the first run */
		return;
	for (;;)
		p[(*p)++ % (2 * KT_PAGE / 8)] = 0;
}

ATTACK_AS(revoke_touched, "memory is revoked while another component writes it",
	  "revoke_touched_with", A_DIES)
{
	kt_sleep(KT_MS(50));
	revoke(A_SHARED);
}

static void use_port(void *arg)
{
	struct pith_port p = { .offset = 0, .width = 1 };

	(void)arg;
	while (!over) {
		kt_control(A_PORT, PITH_OP_PORT_IN, &p);
		kt_control(A_PORT, PITH_OP_PORT_OUT, &p);
	}
}

static void revoke_device(void *arg)
{
	long err;

	(void)arg;
	err = revoke(A_IRQ);
	KT_TRUE(err == 0 || err == -EPIPE);
	err = revoke(A_PORT);
	KT_TRUE(err == 0 || err == -EPIPE);
}

ATTACK(revoke_device_raced, "an interrupt and ports, revoked by three at once")
{
	struct kt_thread t[4] = { 0 };

	over = 0;
	for (int i = 0; i < 4; i++)
		kt_thread_start(&t[i], i % 2 ? attack_use_irq : use_port,
				(void *)&over);
	kt_sleep(KT_MS(50));
	attack_together(3, revoke_device, NULL);
	over = 1;
	for (int i = 0; i < 4; i++)
		kt_thread_join(&t[i]);
	KT_EQ(kt_control(A_IRQ, PITH_OP_IRQ_ACK, NULL), -EPIPE);
}

static void send_memory(void *arg)
{
	long err;

	kt_prepare(1);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = memory;
	err = kt_call(*(int *)arg, KT_SOON);
	KT_TRUE(err == 0 || err == -EPIPE);	/* revoked before it was sent */
	over = 1;
}

ATTACK(revoke_in_flight, "what is in a queued message is revoked, then received")
{
	int lost = 0;

	for (int i = 0; i < 20; i++) {
		struct kt_thread t = { 0 };

		over = 0;
		ep = KT_FD(kt_ep_create());
		memory = attack_memory(1);
		kt_thread_start(&t, send_memory, &ep);
		kt_let_block();
		KT_EQ(revoke(memory), 0);
		while (!over) {
			if (kt_wait(ep, kt_now() + KT_MS(5)) != PITH_GOT_CALL)
				continue;
			lost++;
			KT_EQ(kt_msg->caps[0], PITH_CAP_LOST);
			KT_EQ(kt_reply(ep, 0), 0);
			break;
		}
		kt_thread_join(&t);
		kt_close(memory);
		kt_close(ep);
	}
	KT_TRUE(lost > 0);
}

ATTACK(revoke_buffer, "the memory of a message buffer is revoked between calls")
{
	for (int i = 0; i < 50; i++) {
		int mem = attack_memory(4);

		KT_EQ(kt_buffer_set(mem, KT_PAGE), 0);
		KT_EQ(revoke(mem), 0);
		KT_EQ(kt_call(A_VICTIM, KT_SOON), 0);
		KT_EQ(kt_buffer_set(mem, KT_PAGE), -EPIPE);
		KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
		kt_close(mem);
	}
	attack_victim_answers();
}
