// SPDX-License-Identifier: BSD-2-Clause
/* Opening and closing a session when there are others already. */
#include <stdlib.h>
#include "bench.h"

#define ROUNDS		21

static const struct session_quota donation = { .ram = 4096, .caps = 4 };

static void open_one(struct session *s, const char *service)
{
	need(env_session(s, service, "bench", "", &donation,
			 pith_now() + PITH_SEC(5)), service);
}

static void measure(const char *key, const char *service, unsigned int open)
{
	uint64_t took[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct session s;

		took[i] = stamp();
		open_one(&s, service);
		env_close(&s);
		took[i] = stamp() - took[i];
	}
	say(key, (int)open, took, ROUNDS);
}

static void curve(const char *key, const char *service)
{
	unsigned int pos = 0, n = 0, want;
	struct session *all = NULL;

	while (next_size("sessions", &pos, &want)) {
		all = realloc(all, want * sizeof(*all));
		if (!all)
			env_fatal("no memory");
		while (n < want)
			open_one(&all[n++], service);
		measure(key, service, n);
	}
	while (n)
		env_close(&all[--n]);
	free(all);
}

void sessions(void)
{
	curve("session.core.open_close_insns", "LOG");
	curve("session.child.open_close_insns", "Hello");
}
