/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list that its members are linked into: joining and leaving it cost the same
 * however many there are. An empty list, and a link in no list, is a circle of
 * one; so leaving twice does no harm.
 */
#ifndef PITH_LIST_H
#define PITH_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_del(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* @l, which is in no list, before @at: as the last, if that is the list. */
static inline void list_add_before(struct list *l, struct list *at)
{
	l->prev = at->prev;
	l->next = at;
	at->prev->next = l;
	at->prev = l;
}

/* The struct that @l is the @member of. */
#define list_entry(l, type, member) \
	((type *)((char *)(l) - offsetof(type, member)))

/* For each @p of @list; @n is the one after it, so that @p may leave, but not @n. */
#define list_for_each(p, n, list, type, member) \
	for (p = list_entry((list)->next, type, member), \
	     n = list_entry(p->member.next, type, member); \
	     &p->member != (list); \
	     p = n, n = list_entry(n->member.next, type, member))

#endif
