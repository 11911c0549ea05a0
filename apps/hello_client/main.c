// SPDX-License-Identifier: BSD-2-Clause
/* hello_client: has itself greeted, by a server in whatever language. */
#include <string.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/hello.h>

static struct session hello;

static int greet(const char *name, char *text, size_t size)
{
	struct rpc r = {
		.req = name, .req_len = strlen(name),
		.rep_tail = text, .rep_tail_size = size - 1,
	};
	int err = rpc_call(hello.cap, HELLO_GREET, &r, pith_now() + PITH_SEC(5));

	text[err ? 0 : r.rep_tail_len] = '\0';
	return err;
}

int component_main(void)
{
	static char text[PITH_MSG_BYTES];
	struct hello_count count = { 0 };
	int err;

	err = env_session(&hello, "Hello", "", "", NULL, pith_now() + PITH_SEC(10));
	if (err)
		env_fatal("no Hello: %s", strerror(-err));
	err = greet("C", text, sizeof(text));
	if (err)
		env_fatal("not greeted: %s", strerror(-err));
	log_line("server says: %s", text);
	err = greet("a name that is longer than any server of these wants it",
		    text, sizeof(text));
	log_line("long name: %s", strerror(-err));
	rpc_simple(hello.cap, HELLO_COUNT, NULL, 0, &count, sizeof(count),
		   pith_now() + PITH_SEC(5));
	log_line("greetings: %d", (int)count.greetings);
	env_close(&hello);
	return 0;
}
