// SPDX-License-Identifier: BSD-2-Clause
/*
 * Servers that are woken by something else than a call: they run at what they
 * still owe, not at what the last call gave them.
 */
#include "actor.h"
#include "source.h"

static struct {
	int ep, notif;
	struct actor server, client;
} w;

static void open_server(bool saves)
{
	w.ep = KT_FD(kt_ep_create());
	w.notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(w.notif, w.ep, 1), 0);
	actor_prepare(&w.server, 0, &w.ep, 1);
	w.server.s.word[W_REPEAT] = saves;
	ks_run(&w.server.s, ks_woken, KS_DATA);
}

static void close_server(void)
{
	actor_end(&w.server);
	kt_close(w.notif);
	kt_close(w.ep);
}

static void say(uint64_t go)
{
	w.server.s.word[W_GO] = go;
	kt_await_word(&w.server.s.word[W_GO], 0);
}

/* It has the @n-th notification, and is busy with it. */
static void await_woken(uint64_t n)
{
	kt_await_word(&w.server.s.word[W_RESULT], n);
}

static void expect_done(struct actor *a, long result)
{
	kt_await_word(&a->s.word[W_COUNT], 1);
	KT_EQ((long)a->s.word[W_RESULT], result);
}

/* A client that was answered gives nothing any more. */
static void owes_nothing(void (*wake)(void), void (*quiet)(void))
{
	open_server(false);
	for (uint64_t i = 1; i <= 5; i++) {
		actor_start(&w.client, ks_client, 60, &w.ep, 1);
		expect_done(&w.client, 0);
		wake();
		await_woken(i);
		await_priority(&w.server, 0);
		say(~0ull);
		quiet();
		actor_end(&w.client);
	}
	close_server();
}

/* One whose reply is saved does, until it is answered, changes or goes. */
static void owes_saved(void (*wake)(void), void (*quiet)(void))
{
	struct actor other;

	open_server(true);
	actor_start(&w.client, ks_client, 40, &w.ep, 1);
	kt_await_word(&w.server.s.word[W_COUNT], 1);
	actor_start(&other, ks_client, 55, &w.ep, 1);
	kt_await_word(&w.server.s.word[W_COUNT], 2);
	wake();
	await_woken(1);
	await_priority(&w.server, 55);
	say(w.server.s.word[W_SAVED + 1]);
	expect_done(&other, 0);
	await_priority(&w.server, 40);
	KT_EQ(set_sched(w.client.s.thread, 70, 0), 0);
	await_priority(&w.server, 70);
	say(~0ull);
	quiet();
	wake();
	await_woken(2);
	await_priority(&w.server, 70);
	KT_EQ(set_sched(w.client.s.thread, 0, 0), 0);
	await_priority(&w.server, 0);
	KT_EQ(set_sched(w.client.s.thread, 20, 0), 0);
	await_priority(&w.server, 20);
	actor_end(&w.client);		/* killed */
	await_priority(&w.server, 0);
	say(w.server.s.word[W_SAVED]);
	await_priority(&w.server, 0);
	quiet();
	actor_end(&other);
	close_server();
}

static void signal_it(void)
{
	KT_EQ(kt_signal(w.notif, 1), 0);
}

static void nothing(void)
{
}

KT_CORE(sched_woken_by_signal)
{
	owes_nothing(signal_it, nothing);
}

KT_CORE(sched_woken_by_signal_saved)
{
	owes_saved(signal_it, nothing);
}

/* --- by an interrupt --------------------------------------------------------- */

static int port, irq;

static void interrupt(void)
{
	struct pith_fd_arg a = { w.notif, 0 };

	KT_EQ(kt_control(irq, PITH_OP_IRQ_BIND, &a), 0);
	source_interrupt(port);
}

static void handled(void)
{
	source_quiet(port);
	KT_EQ(kt_control(irq, PITH_OP_IRQ_ACK, NULL), 0);
}

static void with_interrupt(void (*test)(void (*)(void), void (*)(void)))
{
	port = KT_FD(source_open());
	irq = KT_FD(source_irq());
	test(interrupt, handled);
	source_quiet(port);
	kt_close(irq);
	kt_close(port);
}

KT_CORE(sched_woken_by_interrupt)
{
	with_interrupt(owes_nothing);
}

KT_CORE(sched_woken_by_interrupt_saved)
{
	with_interrupt(owes_saved);
}
