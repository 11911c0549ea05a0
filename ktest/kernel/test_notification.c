// SPDX-License-Identifier: BSD-2-Clause
/* Notifications: counters delivered at endpoints, and the watch on one. */
#include "kt.h"

KT_COMPONENT(notif_counts)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_type(n), PITH_T_NOTIFICATION);
	KT_EQ(kt_rights(n), PITH_R_SIGNAL | PITH_R_MANAGE);
	KT_EQ(kt_bind(n, ep, 0xdeadbeefcafef00d), 0);
	kt_wait_nothing(ep);
	KT_EQ(kt_signal(n, 1), 0);
	KT_EQ(kt_signal(n, 2), 0);
	KT_EQ(kt_signal(n, 1ull << 40), 0);
	kt_prepare(9);
	kt_msg->len = 77;
	kt_wait_note(ep, 0xdeadbeefcafef00d, (1ull << 40) + 3);
	KT_EQ(kt_msg->len, 0);
	KT_EQ(kt_msg->ncaps, 0);
	kt_wait_nothing(ep);	/* once only */
	KT_EQ(kt_reply(ep, 0), -EINVAL);	/* there is nobody to answer */
	kt_close(n);
	kt_close(ep);
}

KT_COMPONENT(notif_wrong_use)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int signal_only = KT_FD(kt_mint(n, PITH_R_SIGNAL));
	int manage_only = KT_FD(kt_mint(n, PITH_R_MANAGE));
	int client = KT_FD(kt_mint_badge(ep, 1));
	struct pith_bind odd = { ep, 1, 0 };

	KT_EQ(kt_signal(n, 0), -EINVAL);
	KT_EQ(kt_signal(ep, 1), -EBADF);
	KT_EQ(kt_signal(-1, 1), -EBADF);
	KT_EQ(kt_signal(4000, 1), -EBADF);
	KT_EQ(kt_signal(manage_only, 1), -EPERM);
	KT_EQ(kt_bind(signal_only, ep, 1), -EPERM);
	KT_EQ(kt_bind(signal_only, -1, 0), -EPERM);
	KT_EQ(kt_bind(n, client, 1), -EPERM);
	KT_EQ(kt_bind(n, n, 1), -EBADF);
	KT_EQ(kt_bind(n, -2, 1), -EBADF);
	KT_EQ(kt_bind(ep, ep, 1), -EBADF);
	KT_EQ(kt_control(n, PITH_OP_NOTIF_BIND, &odd), -EINVAL);
	KT_EQ(kt_control(n, PITH_OP_NOTIF_BIND, NULL), -EFAULT);
	KT_EQ(kt_watch(ep, signal_only), -EPERM);
	KT_EQ(kt_watch(ep, ep), -EBADF);
	KT_EQ(kt_watch(ep, -1), -EBADF);
	KT_EQ(kt_watch(n, n), -EBADF);
	/* each kind of right is enough for its own operation */
	KT_EQ(kt_bind(manage_only, ep, 3), 0);
	KT_EQ(kt_signal(signal_only, 4), 0);
	kt_wait_note(ep, 3, 4);
	kt_close(client);
	kt_close(manage_only);
	kt_close(signal_only);
	kt_close(n);
	kt_close(ep);
}

KT_COMPONENT(notif_keeps_until_bound)
{
	int a = KT_FD(kt_ep_create()), b = KT_FD(kt_ep_create());
	int n = KT_FD(kt_notif_create());

	KT_EQ(kt_signal(n, 5), 0);
	KT_EQ(kt_bind(n, a, 1), 0);
	kt_wait_note(a, 1, 5);
	/* pending at one, then bound to another */
	KT_EQ(kt_signal(n, 6), 0);
	KT_EQ(kt_bind(n, b, 2), 0);
	kt_wait_nothing(a);
	kt_wait_note(b, 2, 6);
	/* unbound while pending, then bound again */
	KT_EQ(kt_signal(n, 7), 0);
	KT_EQ(kt_bind(n, -1, 0), 0);
	KT_EQ(kt_bind(n, -1, 0), 0);
	kt_wait_nothing(b);
	KT_EQ(kt_signal(n, 1), 0);
	KT_EQ(kt_bind(n, a, 3), 0);
	kt_wait_note(a, 3, 8);
	kt_close(n);
	kt_close(b);
	kt_close(a);
}

KT_COMPONENT(notif_in_order)
{
	int ep = KT_FD(kt_ep_create()), n[4];

	for (int i = 0; i < 4; i++) {
		n[i] = KT_FD(kt_notif_create());
		KT_EQ(kt_bind(n[i], ep, i), 0);
	}
	KT_EQ(kt_signal(n[2], 1), 0);
	KT_EQ(kt_signal(n[0], 1), 0);
	KT_EQ(kt_signal(n[3], 1), 0);
	KT_EQ(kt_signal(n[2], 1), 0);
	KT_EQ(kt_signal(n[1], 1), 0);
	kt_wait_note(ep, 2, 2);
	kt_wait_note(ep, 0, 1);
	kt_wait_note(ep, 3, 1);
	kt_wait_note(ep, 1, 1);
	kt_wait_nothing(ep);
	for (int i = 0; i < 4; i++)
		kt_close(n[i]);
	kt_close(ep);
}

KT_COMPONENT(notif_closed_while_pending)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_signal(n, 1), 0);
	kt_close(n);
	kt_wait_nothing(ep);
	kt_close(ep);
}

KT_COMPONENT(notif_endpoint_closed)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_signal(n, 1), 0);
	kt_close(ep);
	KT_EQ(kt_signal(n, 1), 0);
	ep = KT_FD(kt_ep_create());
	KT_EQ(kt_bind(n, ep, 2), 0);
	kt_wait_note(ep, 2, 2);
	kt_close(n);
	kt_close(ep);
}

static void wait_for_note(void *arg)
{
	kt_report->shared[0] = 1;
	kt_wait_note(*(int *)arg, 4, 1);
	kt_report->shared[0] = 2;
}

KT_COMPONENT(notif_wakes)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct kt_thread t = { 0 };

	KT_EQ(kt_bind(n, ep, 4), 0);
	kt_thread_start(&t, wait_for_note, &ep);
	kt_await_word(&kt_report->shared[0], 1);
	kt_sleep(KT_MS(20));
	KT_EQ(kt_report->shared[0], 1);
	KT_EQ(kt_signal(n, 1), 0);
	kt_thread_join(&t);
	kt_close(n);
	kt_close(ep);
}

/* --- turns with calls ------------------------------------------------------ */

static void calls_in_a_row(void *arg)
{
	int ep = *(int *)arg;

	for (int i = 0; i < 20; i++)
		KT_EQ(kt_call_label(ep, i, KT_SOON), 0);
}

/* A notification that is always pending does not keep callers out. */
KT_COMPONENT(notif_does_not_starve_calls)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct kt_thread t = { 0 };
	int calls = 0, notes = 0;
	long got;

	KT_EQ(kt_bind(n, ep, 1), 0);
	kt_thread_start(&t, calls_in_a_row, &ep);
	while (calls < 20 && notes < 20000) {
		kt_sleep(1000000);	/* time to queue the next call */
		KT_EQ(kt_signal(n, 1), 0);
		got = kt_wait(ep, KT_SOON);
		notes += got == PITH_GOT_NOTIFICATION;
		if (got == PITH_GOT_CALL) {
			calls++;
			KT_EQ(kt_reply(ep, 0), 0);
		}
	}
	KT_EQ(calls, 20);
	KT_TRUE(notes < 200);
	kt_thread_join(&t);
	kt_close(n);
	kt_close(ep);
}

static volatile bool stop_calling;

static void call_until_stop(void *arg)
{
	int ep = *(int *)arg;

	while (!stop_calling)
		KT_EQ(kt_call_label(ep, 0, KT_SOON), 0);
}

/* Nor do calls that always wait keep a notification out. */
KT_COMPONENT(calls_do_not_starve_notif)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct kt_thread t[3] = { 0 };
	int calls = 0;

	KT_EQ(kt_bind(n, ep, 1), 0);
	for (int i = 0; i < 3; i++)
		kt_thread_start(&t[i], call_until_stop, &ep);
	kt_sleep(KT_MS(50));
	KT_EQ(kt_signal(n, 1), 0);
	while (kt_wait(ep, KT_SOON) == PITH_GOT_CALL && calls < 1000) {
		calls++;
		KT_EQ(kt_reply(ep, 0), 0);
	}
	KT_TRUE(calls <= 2);
	stop_calling = true;
	while (kt_wait(ep, KT_NOT_SOON) == PITH_GOT_CALL)
		KT_EQ(kt_reply(ep, 0), 0);
	for (int i = 0; i < 3; i++)
		kt_thread_join(&t[i]);
	kt_close(n);
	kt_close(ep);
}

/* Signals of many threads: none is lost, none is counted twice. */
#define SIGNALS	3000

static void signal_often(void *arg)
{
	for (int i = 0; i < SIGNALS; i++)
		kt_signal(*(int *)arg, 1 + i % 3);
}

KT_COMPONENT(notif_storm)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	struct kt_thread t[4] = { 0 };
	uint64_t sum = 0, expected = 4ull * SIGNALS * 2;

	KT_EQ(kt_bind(n, ep, 1), 0);
	for (int i = 0; i < 4; i++)
		kt_thread_start(&t[i], signal_often, &n);
	while (sum < expected && kt_wait(ep, KT_SOON) == PITH_GOT_NOTIFICATION)
		sum += kt_msg->count;
	KT_EQ(sum, expected);
	for (int i = 0; i < 4; i++)
		kt_thread_join(&t[i]);
	kt_wait_nothing(ep);
	kt_close(n);
	kt_close(ep);
}

/* --- watching an endpoint -------------------------------------------------- */

KT_COMPONENT(watch_tells_of_death)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int watched = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(watched, 1));

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_watch(client, n), 0);
	kt_wait_nothing(ep);
	kt_close(watched);
	kt_wait_note(ep, 1, 1);
	kt_wait_nothing(ep);
	/* dead already: at once */
	KT_EQ(kt_watch(client, n), 0);
	kt_wait_note(ep, 1, 1);
	kt_close(client);
	kt_close(n);
	kt_close(ep);
}

/* The watch is the notification's, not that of the capability it came by. */
KT_COMPONENT(watch_outlives_capability)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int watched = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(watched, 1));

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_watch(client, n), 0);
	kt_close(client);
	kt_wait_nothing(ep);
	kt_close(watched);
	kt_wait_note(ep, 1, 1);
	kt_close(n);
	kt_close(ep);
}

KT_COMPONENT(watch_latest_only)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int a = KT_FD(kt_ep_create()), b = KT_FD(kt_ep_create());

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_watch(a, n), 0);
	KT_EQ(kt_watch(a, n), 0);
	KT_EQ(kt_watch(b, n), 0);
	kt_close(a);
	kt_wait_nothing(ep);
	kt_close(b);
	kt_wait_note(ep, 1, 1);
	kt_wait_nothing(ep);
	kt_close(n);
	kt_close(ep);
}

/* Neither the watcher's death nor its endpoint's own is in the way. */
KT_COMPONENT(watch_closed)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int watched = KT_FD(kt_ep_create());

	KT_EQ(kt_watch(watched, n), 0);
	kt_close(n);
	kt_close(watched);
	n = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_watch(ep, n), 0);
	kt_close(ep);
	kt_close(n);
}

KT_COMPONENT(watch_two_capabilities)
{
	int ep = KT_FD(kt_ep_create());
	int n[2] = { KT_FD(kt_notif_create()), KT_FD(kt_notif_create()) };
	int watched = KT_FD(kt_ep_create());
	int client[2] = { KT_FD(kt_mint_badge(watched, 1)),
			  KT_FD(kt_mint_badge(watched, 2)) };

	for (int i = 0; i < 2; i++) {
		KT_EQ(kt_bind(n[i], ep, i), 0);
		KT_EQ(kt_watch(client[i], n[i]), 0);
	}
	kt_close(watched);
	kt_wait_note(ep, 0, 1);
	kt_wait_note(ep, 1, 1);
	for (int i = 0; i < 2; i++) {
		kt_close(n[i]);
		kt_close(client[i]);
	}
	kt_close(ep);
}

/* Two processes hold copies of one capability; both want to know. */
KT_ROLE(watch_and_wait)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 6), 0);
	KT_EQ(kt_watch(KT_SLOT_ARG, n), 0);
	__atomic_fetch_add(&kt_report->shared[0], 1, __ATOMIC_SEQ_CST);
	kt_wait_note(ep, 6, 1);
}

KT_CORE(watch_by_two_processes)
{
	int watched = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(watched, 1));
	struct kt_child a = kt_start("watch_and_wait", &client, 1);
	struct kt_child b = kt_start("watch_and_wait", &client, 1);

	kt_await_word(&kt_report->shared[0], 2);
	kt_close(watched);
	KT_EQ(kt_finish(&a), 0);
	KT_EQ(kt_finish(&b), 0);
	kt_close(client);
}

KT_CORE(watch_killed_server)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int gate = KT_FD(kt_ep_create()), watched = KT_FD(kt_ep_create());
	int client = KT_FD(kt_mint_badge(watched, 1));
	struct kt_child s = kt_start("server_never_receives", &gate, 1);

	KT_EQ(kt_bind(n, ep, 1), 0);
	KT_EQ(kt_watch(client, n), 0);
	kt_wait_call(gate);
	kt_prepare(0);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = watched;
	KT_EQ(kt_reply_wait(gate, PITH_REPLY, 0), 0);
	kt_close(watched);
	kt_await_word(&kt_report->shared[0], 1);
	kt_wait_nothing(ep);
	kt_kill(&s);
	kt_wait_note(ep, 1, 1);
	KT_EQ(kt_finish(&s), 128 + 9);
	kt_close(client);
	kt_close(gate);
	kt_close(n);
	kt_close(ep);
}
