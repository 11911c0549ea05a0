/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <session/core.h>
#include "rom_server.h"

#define PAGE		4096u
#define BOOKS		4096u	/* of a session, out of its donation */

struct rom_client {
	struct entrypoint *ep;
	struct rom_source *source;
	struct rom_client *next;
	uint64_t badge;
	uint64_t ram;		/* what memory for it may take from now on */
	uint64_t seen;		/* version that its memory holds */
	int mem, sigh;		/* mem: read-only, for the client */
	char *at;
	uint64_t size;
};

static void tell(const struct rom_client *c)
{
	if (c->sigh >= 0 && c->seen != c->source->version)
		pith_signal(c->sigh, 1);
}

void rom_source_set(struct rom_source *s, const void *data, uint64_t size)
{
	const struct rom_client *c;

	s->data = data;
	s->size = size;
	s->version++;
	for (c = s->clients; c; c = c->next)
		tell(c);
}

/* Memory for @size bytes in place of the one there is. A client may keep the
 * old: sizes double, so all that it ever gets is twice the last. */
static int make_room(struct rom_client *c, uint64_t size)
{
	uint64_t room = c->size ? 2 * c->size : PAGE;
	int mem, err;
	void *at;

	while (room < size)
		room *= 2;
	if (room > c->ram)
		return -EDQUOT;
	mem = pith_mem_create(-1, room, 0);
	if (mem < 0)
		return mem;
	at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (at) {
		if (c->at)
			pith_unmap(c->at, c->size);
		pith_close(c->mem);
		c->mem = pith_mint(mem, PITH_R_READ);
		c->at = at;
		c->size = room;
		c->ram -= room;
		err = c->mem < 0 ? c->mem : 0;
	}
	pith_close(mem);
	return err;
}

static int dataspace(struct rom_client *c, struct ep_request *in)
{
	const struct rom_source *s = c->source;
	struct rom_dataspace ds = { .size = s->size };
	int err = s->data ? 0 : -ENOENT;

	if (!err && s->size > c->size)
		err = make_room(c, s->size);
	if (!err && c->mem < 0)
		err = make_room(c, PAGE);
	if (err)
		return err;
	memcpy(c->at, s->data, s->size);
	memset(c->at + s->size, 0, c->size - s->size);
	c->seen = s->version;
	err = ep_reply_data(c->ep, in, &ds, sizeof(ds));
	return err ? err : ep_reply_cap(in, c->mem, 0);
}

static int sigh(struct rom_client *c, struct ep_request *in)
{
	struct pith_identify id;

	if (in->caps[0] < 0 || pith_identify(in->caps[0], &id) ||
	    id.type != PITH_T_NOTIFICATION || !(id.rights & PITH_R_SIGNAL))
		return -EINVAL;
	pith_close(c->sigh);
	c->sigh = ep_take_cap(in, 0);
	tell(c);
	return 0;
}

static int call(void *ctx, struct ep_request *in)
{
	struct rom_client *c = ctx;

	switch (in->method) {
	case ROM_DATASPACE:
		return dataspace(c, in);
	case ROM_SIGH:
		return sigh(c, in);
	}
	return -ENOSYS;
}

int rom_client_open(struct entrypoint *ep, struct rom_source *source,
		    uint64_t ram, struct rom_client **client)
{
	struct rom_client *c;
	int cap;

	if (ram < BOOKS + PAGE)
		return -EDQUOT;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct rom_client){
		.ep = ep, .source = source, .ram = ram - BOOKS, .mem = -1,
		.sigh = -1, .next = source->clients,
	};
	cap = ep_new_object(ep, call, c, &c->badge);
	if (cap < 0) {
		free(c);
		return cap;
	}
	source->clients = c;
	*client = c;
	return cap;
}

void rom_client_close(struct rom_client *c)
{
	struct rom_client **p;

	for (p = &c->source->clients; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	ep_remove(c->ep, c->badge);
	if (c->at)
		pith_unmap(c->at, c->size);
	pith_close(c->mem);
	pith_close(c->sigh);
	free(c);
}
