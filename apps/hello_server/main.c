// SPDX-License-Identifier: BSD-2-Clause
/* hello_server: the smallest server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <pith/env.h>
#include <pith/service.h>
#include <session/hello.h>
static struct entrypoint ep;
struct guest {
	uint64_t badge;
	struct hello_count count;
};

static int call(void *ctx, struct ep_request *in)
{
	struct guest *g = ctx;
	char text[HELLO_NAME_MAX + 8];

	if (in->method == HELLO_COUNT)
		return ep_reply_data(&ep, in, &g->count, sizeof(g->count));
	if (in->method != HELLO_GREET)
		return -ENOSYS;
	if (in->len < 1 || in->len > HELLO_NAME_MAX)
		return -EINVAL;
	g->count.greetings++;
	return ep_reply_data(&ep, in, text, sprintf(text, "Hello %.*s!", (int)in->len,
						    (const char *)in->data));
}

static int open_session(void *ctx, const struct parent_request *req, void **session)
{
	struct guest *g = calloc(1, sizeof(*g));
	int cap = -EDQUOT;	/* who comes pays for what it costs */

	(void)ctx;
	if (g && req->ram >= 4096 && req->caps >= 2)
		cap = ep_new_object(&ep, call, g, &g->badge);
	if (cap < 0)
		free(g);
	*session = g;
	return cap;
}

static void close_session(void *ctx, void *session)
{
	(void)ctx;
	ep_remove(&ep, ((struct guest *)session)->badge);
	free(session);
}

static struct service hello = { "Hello", open_session, close_session, .ctx = NULL };

int component_main(void)
{
	if (ep_init(&ep) || service_announce(&ep, &hello, 1))
		env_fatal("cannot announce Hello");
	ep_run(&ep);
}
