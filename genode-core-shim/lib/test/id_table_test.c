// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../id_table.c */
#include <stdbool.h>
#include <pith/id_table.h>
#include "tap.h"

#define N	1000

static struct thing {
	int value;
	struct id_link id;
} things[N];

/* Multiples, so that many are in one place while the table is small. */
static uint64_t id_of(int i)
{
	return (uint64_t)i * 64 + 5;
}

static bool found(const struct id_table *t, int i)
{
	struct id_link *l = id_find(t, id_of(i));

	return l && id_entry(l, struct thing, id) == &things[i];
}

int main(void)
{
	static struct id_table t;
	bool ok = true;

	check(!id_find(&t, 5), "an empty table has nothing");
	for (int i = 0; i < N; i++) {
		ok &= !id_room(&t);
		id_add(&t, &things[i].id, id_of(i));
	}
	for (int i = 0; i < N; i++)
		ok &= found(&t, i);
	check(ok && t.n == N && t.nplaces >= N, "it grows with what is in it");
	for (int i = 0; i < N; i += 2)
		id_del(&t, &things[i].id);
	for (int i = 0; i < N; i++)
		ok &= found(&t, i) == (i % 2 == 1);
	check(ok && t.n == N / 2, "what was taken out is not found, the rest is");
	return tap_end();
}
