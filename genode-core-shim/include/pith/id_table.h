/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of things by a number that each has alone. It grows with them, so that
 * to find one costs the same however many there are.
 */
#ifndef PITH_ID_TABLE_H
#define PITH_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct id_link {
	uint64_t id;
	struct id_link *next;
};

/* All 0: empty. */
struct id_table {
	struct id_link **places;
	size_t n, nplaces;
};

/* Room for one more, before id_add(): 0 or -ENOMEM. */
int id_room(struct id_table *t);
void id_add(struct id_table *t, struct id_link *l, uint64_t id);
/* @l, which is in @t. */
void id_del(struct id_table *t, struct id_link *l);
/* NULL: none. */
struct id_link *id_find(const struct id_table *t, uint64_t id);

/* The struct that @l is the @member of. */
#define id_entry(l, type, member) \
	((type *)((char *)(l) - offsetof(type, member)))

#endif
