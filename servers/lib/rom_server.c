/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <session/core.h>
#include "rom_server.h"

#define PAGE		4096u

struct rom_client {
	struct entrypoint *ep;
	struct rom_source *source;
	struct rom_client *next;
	uint64_t badge;
	uint64_t seen;		/* version that it has */
	int sigh;
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

/* Into the client's memory @mem, which is mapped no longer than this takes; zeros
 * up to the end of the page. What others have in there is not looked at. */
static int copy(const struct rom_source *s, int mem)
{
	uint64_t used = (s->size + PAGE - 1) / PAGE * PAGE;
	int err;
	char *at;

	used = used ? used : PAGE;
	at = pith_map(mem, 0, used, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!at)
		return err;
	memcpy(at, s->data, s->size);
	memset(at + s->size, 0, used - s->size);
	pith_unmap(at, used);
	return 0;
}

static int dataspace(struct rom_client *c, struct ep_request *in)
{
	const struct rom_source *s = c->source;
	struct rom_dataspace ds = { .size = s->size };
	int64_t room = 0;
	int err = 0;

	if (!s->data)
		return -ENOENT;
	if (in->ncaps)
		room = pith_mem_lent(in->caps[0]);
	if (room < 0 || room % PAGE)
		return -EINVAL;
	if (room && s->size <= (uint64_t)room) {
		err = copy(s, in->caps[0]);
		if (!err)
			c->seen = s->version;
	}
	return err ? err : ep_reply_data(c->ep, in, &ds, sizeof(ds));
}

static int sigh(struct rom_client *c, struct ep_request *in)
{
	struct pith_identify id;

	if (!in->ncaps || pith_identify(in->caps[0], &id) ||
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
		    const struct parent_request *req, void **session)
{
	struct rom_client *c;
	int cap;

	if (req->ram < ROM_CLIENT_BOOKS)
		return -EDQUOT;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct rom_client){
		.ep = ep, .source = source, .sigh = -1, .next = source->clients,
	};
	cap = ep_new_object(ep, call, c, &c->badge);
	if (cap < 0) {
		free(c);
		return cap;
	}
	source->clients = c;
	*session = c;
	return cap;
}

void rom_client_close(void *ctx, void *session)
{
	struct rom_client *c = session, **p;

	(void)ctx;
	for (p = &c->source->clients; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	ep_remove(c->ep, c->badge);
	pith_close(c->sigh);
	free(c);
}
