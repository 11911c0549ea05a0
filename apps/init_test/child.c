// SPDX-License-Identifier: BSD-2-Clause
/* What the children of the init under test do. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <pith/service.h>
#include "init_test.h"

#define SHORT	PITH_MS(300)

static const struct session_quota nothing, little = { .ram = 4096, .caps = 3 };
static struct session self;		/* by which it has called in */

static int call_in(struct session *s, const char *label,
		   const struct session_quota *q)
{
	return env_session(s, "Load", label, "", q, pith_now() + PITH_SEC(60));
}

static void say(uint64_t failed, uint64_t times)
{
	struct load_say req = { failed, times };

	rpc_simple(self.cap, LOAD_SAY, &req, sizeof(req), NULL, 0,
		   pith_now() + PITH_SEC(60));
}

static bool same_account(const struct pith_domain_info *a)
{
	struct pith_domain_info b;

	return !pith_domain_info(PITH_SLOT_DOMAIN, &b) &&
	       a->ram_limit == b.ram_limit && a->caps_limit == b.caps_limit &&
	       a->ram_used == b.ram_used && a->caps_used == b.caps_used;
}

/* --- quota there and back ------------------------------------------------- */

#define SESSIONS_MAX	64

/* @n sessions opened and closed @rounds times: all that was donated is back. */
static void ping_pong(unsigned int n, unsigned int rounds)
{
	static struct session s[SESSIONS_MAX];
	struct pith_domain_info before;
	uint64_t failed = 0;
	unsigned int i, r;

	for (r = 0; r < rounds; r++) {
		/* the first round grows what libc keeps */
		if (r == 1)
			pith_domain_info(PITH_SLOT_DOMAIN, &before);
		for (i = 0; i < n; i++)
			failed += call_in(&s[i], "ball", &little) != 0;
		for (i = 0; i < n; i++)
			env_close(&s[i]);
		failed += r > 1 && !same_account(&before);
	}
	say(failed, rounds);
}

/* Until it is killed. */
static _Noreturn void ping_pong_for_ever(void)
{
	struct session s;
	int err;

	for (;;) {
		err = call_in(&s, "load", &little);
		if (err) {
			log_error("no session: %s", strerror(-err));
			say((uint64_t)-err, 0);
		}
		env_close(&s);
	}
}

/* --- hostile ones --------------------------------------------------------- */

/* Requests for what hangs, for what is not there, and without sense. */
static void *flood_thread(void *arg)
{
	struct parent_session wrong;
	struct session s;

	memset(&wrong, 'x', sizeof(wrong));
	if (rpc_thread_init())
		return arg;
	for (;;) {
		env_session(&s, "Mute", "flood", "", &nothing,
			    pith_now() + PITH_MS(1));
		env_session(&s, "Nowhere", "flood", "", &nothing,
			    pith_now() + PITH_MS(1));
		rpc_simple(PITH_SLOT_PARENT, PARENT_SESSION, &wrong,
			   sizeof(wrong), NULL, 0, pith_now() + PITH_MS(1));
	}
}

static void flood(unsigned int threads)
{
	pthread_t t;

	while (threads--)
		if (pthread_create(&t, NULL, flood_thread, NULL))
			say(1, 0);
	say(0, 1);
}

/* Announces and never asks for a request. */
static void mute(void)
{
	struct parent_announce a = { .service = "Mute" };
	int n = pith_notif_create();

	say(rpc_give_cap(PITH_SLOT_PARENT, PARENT_ANNOUNCE, &a, sizeof(a), n,
			 pith_now() + PITH_SEC(10)) != 0, 1);
}

/* Its clients run into their own deadline, and wait for nobody else. */
static void patient(void)
{
	uint64_t failed = 0, begin;
	struct session s;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		begin = pith_now();
		failed += env_session(&s, "Mute", "", "", &little,
				      begin + SHORT) != -ETIMEDOUT;
		failed += pith_now() < begin + SHORT;
		failed += call_in(&s, "meanwhile", &little) != 0;
		env_close(&s);
	}
	say(failed, 5);
}

/* A route that leads back to who asks, round any corner, is no way to hang. */
static int refuse(void *ctx, const struct parent_request *req, void **session)
{
	struct session s;
	int err = env_session(&s, "Ring", req->label, "", &nothing,
			      pith_now() + SHORT);

	(void)ctx;
	(void)session;
	return err ? err : -EEXIST;
}

static void no_close(void *ctx, void *session)
{
	(void)ctx;
	(void)session;
}

static void ring(bool asks)
{
	static struct service service = {
		.name = "Ring", .open = refuse, .close = no_close,
	};
	struct session s;
	int err = service_announce(&ep, &service, 1);

	if (!asks) {
		say(err != 0, 1);
		return;
	}
	err = env_session(&s, "Ring", "round", "", &nothing,
			  pith_now() + PITH_SEC(20));
	say(err != -EINVAL && err != -ETIMEDOUT, 1);
}

_Noreturn void child(const struct hid_node *config)
{
	char role[16];
	int err;

	hid_string(config, "role", role, sizeof(role), "");
	err = call_in(&self, role, &little);
	if (err)
		env_fatal("cannot call in: %s", strerror(-err));
	if (!strcmp(role, "once")) {
		say(0, 1);
		exit(0);
	}
	if (!strcmp(role, "ball"))
		ping_pong((unsigned int)hid_number(config, "sessions", 16),
			  (unsigned int)hid_number(config, "rounds", 10));
	else if (!strcmp(role, "load"))
		ping_pong_for_ever();
	else if (!strcmp(role, "flood"))
		flood((unsigned int)hid_number(config, "threads", 8));
	else if (!strcmp(role, "mute"))
		mute();
	else if (!strcmp(role, "patient"))
		patient();
	else if (!strncmp(role, "ring", 4))
		ring(!strcmp(role, "ring-asks"));
	ep_run(&ep);
}
