/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <pith/id_table.h>

#define PLACES	16	/* at first; a power of two */

static struct id_link **place(const struct id_table *t, uint64_t id)
{
	return &t->places[id & (t->nplaces - 1)];
}

static void put(struct id_table *t, struct id_link *l)
{
	struct id_link **p = place(t, l->id);

	l->next = *p;
	*p = l;
}

/* As many places as there are links, so that none is searched for. Without the
 * memory for more those that there are do. */
int id_room(struct id_table *t)
{
	struct id_table old = *t;
	size_t n = old.nplaces ? 2 * old.nplaces : PLACES;
	struct id_link **places, *l;

	if (t->n < t->nplaces)
		return 0;
	places = calloc(n, sizeof(struct id_link *));
	if (!places)
		return old.nplaces ? 0 : -ENOMEM;
	t->places = places;
	t->nplaces = n;
	for (size_t i = 0; i < old.nplaces; i++) {
		while ((l = old.places[i])) {
			old.places[i] = l->next;
			put(t, l);
		}
	}
	free(old.places);
	return 0;
}

void id_add(struct id_table *t, struct id_link *l, uint64_t id)
{
	l->id = id;
	put(t, l);
	t->n++;
}

void id_del(struct id_table *t, struct id_link *l)
{
	struct id_link **p = place(t, l->id);

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	t->n--;
}

struct id_link *id_find(const struct id_table *t, uint64_t id)
{
	struct id_link *l = t->nplaces ? *place(t, id) : NULL;

	while (l && l->id != id)
		l = l->next;
	return l;
}
