// SPDX-License-Identifier: BSD-2-Clause
/* Quota: raced for, gone round, spent as fast as it goes. */
#include <string.h>
#include <sys/syscall.h>
#include "attack.h"

static uint64_t made;
static volatile uint64_t over;	/* or: begin */

static void grab_caps(void *arg)
{
	(void)arg;
	while (!over)
		kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	while (kt_notif_create() >= 0)
		attack_count(&made);
}

ATTACK(quota_caps_raced, "six threads make objects until there is no quota left")
{
	struct kt_thread t[6] = { 0 };
	struct pith_domain_info i;
	uint64_t free;

	for (int k = 0; k < 6; k++)
		t[k].no_buffer = true;
	i = kt_domain_info(KT_SLOT_DOMAIN);
	free = i.caps_limit - i.caps_used;
	made = over = 0;
	/* their stacks cost a capability each */
	for (int k = 0; k < 6; k++)
		kt_thread_start(&t[k], grab_caps, NULL);
	over = 1;
	for (int k = 0; k < 6; k++)
		kt_await_word(&t[k].done, 1);
	i = kt_domain_info(KT_SLOT_DOMAIN);
	KT_EQ(i.caps_used, i.caps_limit);
	KT_EQ(made, free - 6);
	for (int fd = kt_buf.mem + 1; fd < 400; fd++)
		if (kt_type(fd) == PITH_T_NOTIFICATION)
			kt_close(fd);
	for (int k = 0; k < 6; k++)
		kt_thread_join(&t[k]);
}

static void ram_come_and_go(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;

	(void)arg;
	while (!over) {
		uint64_t pages = attack_random(&random) % 300 + 1;
		int mem = kt_mem_create(-1, pages * KT_PAGE, 0);

		if (mem >= 0)
			kt_close(mem);
		else if (mem != -EDQUOT)
			KT_FAIL("memory: %d", mem);
	}
}

ATTACK(quota_ram_raced, "four threads take and free RAM: never more than allowed")
{
	struct kt_thread t[4] = { 0 };
	struct pith_domain_info a, b;
	uint64_t end;

	a = b = kt_domain_info(KT_SLOT_DOMAIN);
	over = 0;
	for (int k = 0; k < 4; k++)
		kt_thread_start(&t[k], ram_come_and_go, NULL);
	end = kt_now() + KT_MS(400);
	while (kt_now() < end) {
		b = kt_domain_info(KT_SLOT_DOMAIN);
		if (b.ram_used > b.ram_limit || b.caps_used > b.caps_limit)
			KT_FAIL("used more than the limit");
	}
	over = 1;
	for (int k = 0; k < 4; k++)
		kt_thread_join(&t[k]);
	attack_quota_back(&a);
}

ATTACK(quota_foreign, "do with a domain what only its owner may")
{
	struct pith_space_create s = { .exit_notif = -1, .name = "mine" };
	struct pith_transfer t = { .to = KT_SLOT_DOMAIN, .ram = KT_PAGE };
	struct pith_transfer back = { .to = KT_SLOT_DOMAIN,
		.ram = -(uint64_t)KT_PAGE, .caps = ~0ull };

	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_CREATE, NULL), -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_DESTROY, NULL), -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_TRANSFER, &t), -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_DOMAIN_TRANSFER, &back),
	      -EPERM);
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_SPACE_CREATE, &s), -EPERM);
}

ATTACK(quota_message_in_flight, "capabilities in messages nobody receives")
{
	for (int i = 0; i < 200; i++) {
		int mem = KT_FD(kt_mem_create(-1, 64 * KT_PAGE, 0));

		kt_prepare(1);
		kt_msg->ncaps = PITH_MSG_CAPS;
		for (int k = 0; k < PITH_MSG_CAPS; k++)
			kt_msg->caps[k] = mem;
		KT_EQ(kt_call(A_PEER, 0), -ETIMEDOUT);
		kt_close(mem);
	}
}

static void end_at_once(void *arg)
{
	(void)arg;
	attack_count(&made);
}

ATTACK(quota_thread_bomb, "threads made as fast as they end, to the limit")
{
	static struct kt_thread t[80];
	int n;

	for (int round = 0; round < 6; round++) {
		made = 0;
		memset(t, 0, sizeof(t));
		for (n = 0; n < (int)COUNT(t); n++) {
			t[n].no_buffer = true;
			if (kt_thread_try(&t[n], end_at_once, NULL))
				break;
		}
		for (int i = 0; i < n; i++)
			kt_thread_join(&t[i]);
		KT_EQ(made, n);
	}
}

ATTACK(quota_hog, "all the RAM there is, touched, again and again")
{
	for (int i = 0; i < 10; i++) {
		struct pith_domain_info d = kt_domain_info(KT_SLOT_DOMAIN);
		/* what the object, its mapping and tables cost besides */
		uint64_t room = 64 * KT_PAGE;
		uint64_t size = (d.ram_limit - d.ram_used - room) &
				-(uint64_t)KT_PAGE;
		int mem = kt_mem_create(-1, size, 0);
		uint8_t *p = kt_map(mem, 0, size, KT_R | KT_W);

		KT_NEED(!kt_is_error(p));
		KT_EQ(kt_mem_create(-1, room + KT_PAGE, 0), -EDQUOT);
		for (uint64_t at = 0; at < size; at += KT_PAGE)
			p[at] = i;
		kt_unmap(p, size);
		kt_close(mem);
	}
}
