// SPDX-License-Identifier: BSD-2-Clause
/* As much as possible of something at once. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include "attack.h"

static volatile uint64_t over;

static void for_a_while(unsigned int n, void (*fn)(void *), void *arg)
{
	struct kt_thread t[16] = { 0 };

	over = 0;
	KT_NEED(n <= COUNT(t));
	for (unsigned int i = 0; i < n; i++)
		kt_thread_start(&t[i], fn, arg);
	kt_sleep(KT_MS(500));
	over = 1;
	for (unsigned int i = 0; i < n; i++)
		kt_thread_join(&t[i]);
}

static void ring_bell(void *arg)
{
	(void)arg;
	while (!over)
		KT_EQ(kt_signal(A_BELL, 1), 0);
}

ATTACK(storm_signals, "four threads signal core without a pause")
{
	for_a_while(4, ring_bell, NULL);
	attack_victim_answers();
}

static int bell, bell_ep;
static uint64_t sent;

static void ring_counted(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3000; i++)
		if (!kt_signal(bell, 3))
			__atomic_fetch_add(&sent, 3, __ATOMIC_SEQ_CST);
}

static void rebind(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1500; i++) {
		KT_EQ(kt_bind(bell, i % 3 ? bell_ep : -1, i), 0);
		kt_bind(bell, i % 2 ? A_PEER : bell_ep, i);
	}
}

ATTACK(storm_bind, "signals counted through rebinding: none lost, none twice")
{
	struct kt_thread t[4] = { 0 };
	uint64_t got = 0;

	sent = 0;
	bell = KT_FD(kt_notif_create());
	bell_ep = KT_FD(kt_ep_create());
	kt_thread_start(&t[0], ring_counted, NULL);
	kt_thread_start(&t[1], ring_counted, NULL);
	kt_thread_start(&t[2], rebind, NULL);
	kt_thread_start(&t[3], rebind, NULL);
	while (!t[0].done || !t[1].done || !t[2].done || !t[3].done) {
		if (kt_wait(bell_ep, kt_now() + 100000) > 0)
			got += kt_msg->count;
		if (kt_wait(A_PEER, 0) > 0)
			got += kt_msg->count;
	}
	for (int i = 0; i < 4; i++)
		kt_thread_join(&t[i]);
	kt_bind(bell, bell_ep, 1);
	while (kt_wait(bell_ep, 0) > 0)
		got += kt_msg->count;
	KT_EQ(got, sent);
	kt_close(bell);
	kt_close(bell_ep);
}

ATTACK(signal_overflow, "counts that add up to more than there is")
{
	bell = KT_FD(kt_notif_create());
	bell_ep = KT_FD(kt_ep_create());
	KT_EQ(kt_bind(bell, bell_ep, 1), 0);
	KT_EQ(kt_signal(bell, 0), -EINVAL);
	for (int i = 0; i < 5; i++)
		KT_EQ(kt_signal(bell, ~0ull - i), 0);
	kt_wait_note(bell_ep, 1, ~0ull);
	KT_EQ(kt_signal(bell, 1ull << 63), 0);
	KT_EQ(kt_signal(bell, 1ull << 63), 0);
	kt_wait_note(bell_ep, 1, ~0ull);
	kt_wait_nothing(bell_ep);
	for (int i = 0; i < 1000; i++)
		KT_EQ(kt_signal(A_BELL, ~0ull), 0);
	kt_close(bell);
	kt_close(bell_ep);
}

ATTACK(storm_irq, "bind and acknowledge an interrupt from four threads")
{
	for_a_while(4, attack_use_irq, (void *)&over);
}

static void spin(void *arg)
{
	(void)arg;
	while (!over)
		;
}

ATTACK(storm_spin, "eight threads that only burn time")
{
	for_a_while(8, spin, NULL);
}

static void yield(void *arg)
{
	struct timespec zero = { 0, 0 };

	(void)arg;
	while (!over) {
		kt_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		kt_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
			   (long)&zero, 0, 0, 0);
	}
}

ATTACK(storm_yield, "eight threads that yield and sleep for no time")
{
	for_a_while(8, yield, NULL);
}

static uint32_t words[64];

static void futexes(void *arg)
{
	static const int ops[] = { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE,
		FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET };
	uint64_t random = (uintptr_t)&random | 1;
	struct timespec ts;
	bool wait;

	(void)arg;
	while (!over) {
		uint64_t r = attack_random(&random);
		int op = ops[r % COUNT(ops)];
		long val2 = r >> 40 & 7;

		ts = (struct timespec){ 0, r >> 16 & 0xffff };
		wait = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
		kt_syscall(SYS_futex, (long)&words[r >> 8 & 63],
			   op | (r & 0x4000000 ? FUTEX_PRIVATE_FLAG : 0),
			   r >> 33 & 1, wait ? (long)&ts : val2,
			   (long)&words[r >> 20 & 63], r >> 28 & 0xff);
		words[r >> 50 & 63] ^= r >> 60 & 1;
	}
}

ATTACK(storm_futex, "wait, wake and requeue at random, private and shared")
{
	for_a_while(6, futexes, NULL);
}

static void fault_on_purpose(void *arg)
{
	(void)arg;
	while (!over) {
		int mem = kt_mem_create(-1, 32 * KT_PAGE, 0);
		volatile uint8_t *p = kt_map(mem, 0, 32 * KT_PAGE, KT_R | KT_W);

		if (!kt_is_error((void *)p)) {
			for (int i = 0; i < 32; i++)
				p[i * KT_PAGE] = 1;
			kt_unmap((void *)p, 32 * KT_PAGE);
		}
		if (mem >= 0)
			kt_close(mem);
	}
}

ATTACK(storm_faults, "page faults on new memory as fast as they go")
{
	for_a_while(4, fault_on_purpose, NULL);
}

ATTACK_DIES(fault_loop, "end by a fault, be started, fault again")
{
	kt_crash();
}

static void call_peer(void *arg)
{
	(void)arg;
	kt_call_label(A_PEER, 1, PITH_NO_DEADLINE);
}

ATTACK_DIES(fault_while_serving, "take a call, then crash with callers in the queue")
{
	static struct kt_thread t[3];

	for (int i = 0; i < 3; i++)
		kt_thread_start(&t[i], call_peer, NULL);
	kt_wait_call(A_PEER);
	kt_crash();
}
