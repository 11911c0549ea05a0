// SPDX-License-Identifier: BSD-2-Clause
/* timer: signals after a time. See README.md. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/service.h>
#include <session/timer.h>

#define SESSION_RAM	4096u
#define SESSION_CAPS	3u

struct session_of {
	uint64_t badge, opened;
	uint64_t due, period;	/* ns; period 0: once */
	int sigh;
	struct ep_timer timer;
};

static struct entrypoint ep;

static void fire(void *ctx)
{
	struct session_of *s = ctx;
	uint64_t times = 1;

	if (s->period) {
		times += (pith_now() - s->due) / s->period;
		s->due += times * s->period;
		ep_timer_set(&ep, &s->timer, s->due);
	}
	if (s->sigh >= 0)
		pith_signal(s->sigh, times);
}

static int trigger(struct session_of *s, struct ep_request *in, bool periodic)
{
	const struct timer_us *req = ep_req(in, struct timer_us);

	if (!req || req->us > TIMER_US_MAX ||
	    (periodic && req->us && req->us < TIMER_US_MIN))
		return -EINVAL;
	ep_timer_cancel(&ep, &s->timer);
	if (periodic && !req->us)
		return 0;
	s->period = periodic ? req->us * 1000 : 0;
	s->due = pith_now() + req->us * 1000;
	ep_timer_set(&ep, &s->timer, s->due);
	return 0;
}

static int sigh(struct session_of *s, struct ep_request *in)
{
	struct pith_identify id;

	if (in->caps[0] < 0 || pith_identify(in->caps[0], &id) ||
	    id.type != PITH_T_NOTIFICATION || !(id.rights & PITH_R_SIGNAL))
		return -EINVAL;
	pith_close(s->sigh);
	s->sigh = ep_take_cap(in, 0);
	return 0;
}

static int elapsed(struct session_of *s, struct ep_request *in)
{
	struct timer_us rep = { .us = (pith_now() - s->opened) / 1000 };

	return ep_reply_data(&ep, in, &rep, sizeof(rep));
}

static int call(void *ctx, struct ep_request *in)
{
	switch (in->method) {
	case TIMER_SIGH:
		return sigh(ctx, in);
	case TIMER_TRIGGER_ONCE:
		return trigger(ctx, in, false);
	case TIMER_TRIGGER_PERIODIC:
		return trigger(ctx, in, true);
	case TIMER_ELAPSED:
		return elapsed(ctx, in);
	}
	return -ENOSYS;
}

static int open_session(void *ctx, const struct parent_request *req,
			void **session)
{
	struct session_of *s;
	int cap;

	(void)ctx;
	if (req->ram < SESSION_RAM || req->caps < SESSION_CAPS)
		return -EDQUOT;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	*s = (struct session_of){
		.opened = pith_now(), .sigh = -1,
		.timer = { .at = PITH_NO_DEADLINE, .fire = fire, .ctx = s },
	};
	cap = ep_new_object(&ep, call, s, &s->badge);
	if (cap < 0)
		free(s);
	else
		*session = s;
	return cap;
}

static void close_session(void *ctx, void *session)
{
	struct session_of *s = session;

	(void)ctx;
	ep_remove(&ep, s->badge);
	ep_timer_cancel(&ep, &s->timer);
	pith_close(s->sigh);
	free(s);
}

int component_main(void)
{
	static struct service timer = {
		.name = "Timer", .open = open_session, .close = close_session,
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	err = service_announce(&ep, &timer, 1);
	if (err)
		env_fatal("cannot announce Timer: %s", strerror(-err));
	ep_run(&ep);
}
