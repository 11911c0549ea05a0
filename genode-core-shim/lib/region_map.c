/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <pith/env.h>
#include <pith/region_map.h>
#include <session/parent.h>

#define PAGE		4096ull
#define RIGHTS		(PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC)
#define PARENT_TIMEOUT	PITH_SEC(10)

static bool aligned(uint64_t n)
{
	return !(n & (PAGE - 1));
}

/* --- where a map can be seen ---------------------------------------------- */

/* A part of a map that is about to be mapped or unmapped. */
struct part {
	uint64_t at, size;	/* in the map */
	uint32_t rights;
	int mem;
	uint64_t offset;	/* in @mem, of @at */
};

/* On one space; an error ends the walk. */
typedef int (*part_fn)(int space, const struct part *p, void *ctx);

static uint64_t end_of(const struct rm_region *r)
{
	return r->at + r->size;
}

/* Cut @p to [from, to): false if nothing is left. */
static bool cut(struct part *p, uint64_t from, uint64_t to)
{
	uint64_t end = p->at + p->size;

	if (p->at < from) {
		p->offset += from - p->at;
		p->at = from;
	}
	end = end < to ? end : to;
	if (p->at >= end)
		return false;
	p->size = end - p->at;
	return true;
}

/* @fn for each place in a space where @p of @map is seen. */
static int outwards(const struct region_map *map, struct part p, part_fn fn,
		    void *ctx)
{
	const struct rm_region *u;
	int err = 0;

	if (map->space >= 0)
		return fn(map->space, &p, ctx);
	for (u = map->users; u && !err; u = u->next_user) {
		struct part q = p;

		if (!cut(&q, u->offset, u->offset + u->size))
			continue;
		q.at = q.at - u->offset + u->at;
		q.rights &= u->rights;
		err = outwards(u->map, q, fn, ctx);
	}
	return err;
}

/* The same for each piece of memory in @r, however deep, as far as it is in the
 * window [from, to) of @r's map. */
static int inwards(const struct region_map *map, const struct rm_region *r,
		   uint64_t from, uint64_t to, uint64_t shift, uint32_t rights,
		   part_fn fn, void *ctx)
{
	struct part p = {
		.at = r->at, .size = r->size, .mem = r->mem,
		.offset = r->offset,
	};
	const struct rm_region *s;
	int err = 0;

	rights &= r->rights;
	if (!cut(&p, from, to))
		return 0;
	if (!r->sub) {
		p.at += shift;
		p.rights = rights;
		return outwards(map, p, fn, ctx);
	}
	/* p.offset is where the window begins in the map inside */
	for (s = r->sub->regions; s && !err; s = s->next)
		err = inwards(map, s, p.offset, p.offset + p.size,
			      shift + p.at - p.offset, rights, fn, ctx);
	return err;
}

static int everywhere(const struct rm_region *r, part_fn fn, void *ctx)
{
	return inwards(r->map, r, r->at, end_of(r), 0, RIGHTS, fn, ctx);
}

/* --- mapping -------------------------------------------------------------- */

/* *@ctx counts, so that the same number can be undone. */
static int map_part(int space, const struct part *p, void *ctx)
{
	struct pith_map m = {
		.mem = p->mem, .rights = p->rights, .address = p->at,
		.offset = p->offset, .size = p->size,
	};
	int err = 0;

	if (p->rights & PITH_R_READ)
		err = pith_control(space, PITH_OP_SPACE_MAP, &m);
	if (!err)
		++*(unsigned int *)ctx;
	return err;
}

static int unmap_part(int space, const struct part *p, void *ctx)
{
	struct pith_range r = { .address = p->at, .size = p->size };
	unsigned int *left = ctx;

	if (!*left)
		return -ECANCELED;
	--*left;
	if (p->rights & PITH_R_READ)
		pith_control(space, PITH_OP_SPACE_UNMAP, &r);
	return 0;
}

static void hide(const struct rm_region *r)
{
	unsigned int all = -1;

	everywhere(r, unmap_part, &all);
}

static int show(const struct rm_region *r)
{
	unsigned int n = 0;
	int err = everywhere(r, map_part, &n);

	if (err)
		everywhere(r, unmap_part, &n);
	return err;
}

/* --- faults --------------------------------------------------------------- */

static uint32_t needed(uint32_t type)
{
	return type == PITH_FAULT_WRITE ? PITH_R_WRITE :
	       type == PITH_FAULT_EXEC ? PITH_R_EXEC : PITH_R_READ;
}

static const struct rm_region *region_at(const struct region_map *map,
					 uint64_t at)
{
	const struct rm_region *r;

	for (r = map->regions; r && end_of(r) <= at; r = r->next)
		;
	return r && r->at <= at ? r : NULL;
}

struct found {
	struct region_map *map;	/* with a handler, nearest to the page; or NULL */
	uint64_t offset;
	bool there;		/* memory, with the right */
};

static void find(struct region_map *map, const struct pith_fault *f,
		 struct found *out)
{
	uint64_t at = f->address;
	uint32_t rights = RIGHTS;

	*out = (struct found){ .map = NULL };
	for (;;) {
		const struct rm_region *r = region_at(map, at);

		if (map->fault) {
			out->map = map;
			out->offset = at;
		}
		if (!r || f->type == PITH_FAULT_EXCEPTION)
			return;
		rights &= r->rights;
		if (!r->sub) {
			/* what was revoked is not there any more */
			out->there = (rights & needed(f->type)) &&
				     pith_mem_size(r->mem) >= 0;
			return;
		}
		at = at - r->at + r->offset;
		map = r->sub;
	}
}

static struct rm_waiting **waiting_end(struct region_map *map)
{
	struct rm_waiting **p;

	for (p = &map->waiting; *p; p = &(*p)->next)
		;
	return p;
}

static void answer(struct rm_waiting **p, int status)
{
	struct rm_waiting *w = *p;

	*p = w->next;
	ep_answer(w->reply, status, NULL, 0, -1);
	free(w);
}

/* Who waits for what is there now goes on. */
static void resolve(struct region_map *space)
{
	struct rm_waiting **p = &space->waiting;
	struct found f;

	while (*p) {
		find(space, &(*p)->fault, &f);
		if (f.there)
			answer(p, 0);
		else
			p = &(*p)->next;
	}
}

static void resolve_all(struct region_map *map)
{
	struct rm_region *u;

	if (map->space >= 0)
		resolve(map);
	for (u = map->users; u; u = u->next_user)
		resolve_all(u->map);
}

static int wait_for(struct region_map *space, struct ep_request *in,
		    const struct found *f)
{
	struct pith_fault fault = *(const struct pith_fault *)in->data;
	struct rm_waiting *w = malloc(sizeof(*w)), **p;
	int err, reply;

	if (!w)
		return -ENOMEM;
	reply = ep_save_reply(space->ep, in);
	if (reply < 0) {
		free(w);
		return reply;
	}
	*w = (struct rm_waiting){ .reply = reply, .fault = fault };
	*waiting_end(space) = w;
	err = f->map->fault(f->map->ctx, f->map, &fault, f->offset);
	for (p = &space->waiting; *p && *p != w; p = &(*p)->next)
		;
	if (*p && err)
		answer(p, err);
	return EP_DEFERRED;
}

static int fault_call(void *ctx, struct ep_request *in)
{
	struct region_map *space = ctx;
	const struct pith_fault *fault = ep_req(in, struct pith_fault);
	struct found f;

	if (in->method != PITH_FAULT || !fault)
		return -ENOSYS;
	find(space, fault, &f);
	if (f.there)	/* since */
		return 0;
	return f.map ? wait_for(space, in, &f) : -EFAULT;
}

/* --- maps ----------------------------------------------------------------- */

int rm_init(struct region_map *map, uint64_t size)
{
	if (!size || !aligned(size) || size > INT64_MAX)
		return -EINVAL;
	*map = (struct region_map){ .size = size, .space = -1 };
	return 0;
}

static int set_fault_ep(int space, int fd)
{
	struct pith_fd_arg arg = { .fd = fd };

	return pith_control(space, PITH_OP_SPACE_FAULT_EP, &arg);
}

int rm_init_space(struct region_map *map, int space, struct entrypoint *ep)
{
	int fd, err;

	*map = (struct region_map){
		.size = UINT64_MAX & ~(PAGE - 1), .space = space, .ep = ep,
	};
	if (!ep)
		return 0;
	fd = ep_new_object(ep, fault_call, map, &map->badge);
	if (fd < 0)
		return fd;
	err = set_fault_ep(space, fd);
	pith_close(fd);
	if (err)
		ep_remove(ep, map->badge);
	return err;
}

/* Is @inner below @map, or @map itself? */
static bool contains(const struct region_map *map, const struct region_map *inner)
{
	const struct rm_region *r;

	if (map == inner)
		return true;
	for (r = map->regions; r; r = r->next)
		if (r->sub && contains(r->sub, inner))
			return true;
	return false;
}

static unsigned int depth_below(const struct region_map *map)
{
	const struct rm_region *r;
	unsigned int most = 0, n;

	for (r = map->regions; r; r = r->next) {
		n = r->sub ? depth_below(r->sub) : 0;
		most = n > most ? n : most;
	}
	return most + 1;
}

static unsigned int depth_above(const struct region_map *map)
{
	const struct rm_region *u;
	unsigned int most = 0, n;

	for (u = map->users; u; u = u->next_user) {
		n = depth_above(u->map);
		most = n > most ? n : most;
	}
	return most + 1;
}

/* The first gap of @size in [from, end), or RM_ANYWHERE. */
static uint64_t gap(const struct region_map *map, uint64_t size)
{
	uint64_t at = map->space >= 0 ? RM_SPACE_FIRST : 0;
	uint64_t end = map->space >= 0 ? RM_SPACE_END : map->size;
	const struct rm_region *r;

	for (r = map->regions; r; r = r->next) {
		if (end_of(r) <= at)
			continue;
		if (r->at >= at && r->at - at >= size)
			break;
		at = end_of(r);
	}
	return at <= end && end - at >= size ? at : RM_ANYWHERE;
}

/* The link after which a region at [at, at + size) belongs, or NULL. */
static struct rm_region **place(struct region_map *map, uint64_t at,
				uint64_t size)
{
	struct rm_region **p = &map->regions;

	while (*p && end_of(*p) <= at)
		p = &(*p)->next;
	return *p && (*p)->at < at + size ? NULL : p;
}

/* Is memory in @map needed once it is mapped? It is where the map may be attached
 * elsewhere, and where a fault asks whether it is still there. */
static bool keeps_memory(const struct region_map *map)
{
	return map->space < 0 || map->ep;
}

/* Bytes that there are of what is to be attached. Of memory the kernel knows, and
 * checks if it is mapped at once. */
static int64_t whole(const struct region_map *map, const struct rm_attach *a)
{
	if (a->mem < 0)
		return (int64_t)a->sub->size;
	return a->size && !keeps_memory(map) ? (int64_t)(INT64_MAX & ~(PAGE - 1)) :
					       pith_mem_size(a->mem);
}

static int check_attach(struct region_map *map, const struct rm_attach *a,
			uint64_t *size)
{
	int64_t all;

	if (a->mem < 0 && (!a->sub || a->sub->space >= 0))
		return -EINVAL;
	all = whole(map, a);
	if (all < 0)
		return all;
	if (!aligned(a->offset) || !aligned(a->size) ||
	    (a->at != RM_ANYWHERE && !aligned(a->at)) ||
	    !(a->rights & PITH_R_READ) || (a->rights & ~RIGHTS) ||
	    a->offset >= (uint64_t)all)
		return -EINVAL;
	*size = a->size ? a->size : all - a->offset;
	if (*size > all - a->offset || *size > map->size ||
	    (a->at != RM_ANYWHERE && a->at > map->size - *size))
		return -EINVAL;
	if (a->mem < 0 && (contains(a->sub, map) ||
			   depth_above(map) + depth_below(a->sub) > RM_DEPTH))
		return -EINVAL;
	return 0;
}

static void unlink_user(struct rm_region *r)
{
	struct rm_region **p;

	for (p = &r->sub->users; *p != r; p = &(*p)->next_user)
		;
	*p = r->next_user;
}

static void region_free(struct rm_region *r)
{
	if (r->sub)
		unlink_user(r);
	pith_close(r->mem);
	free(r);
}

/* Not in the map's list yet. */
static int region_new(struct region_map *map, const struct rm_attach *a,
		      uint64_t at, uint64_t size, struct rm_region **out)
{
	struct rm_region *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct rm_region){
		.map = map, .at = at, .size = size, .rights = a->rights,
		.mem = a->mem, .offset = a->offset,
	};
	if (a->mem >= 0 && keeps_memory(map)) {
		r->mem = pith_mint_range(a->mem, a->rights, a->offset, size);
		r->offset = 0;
	}
	if (a->mem >= 0 && r->mem < 0) {
		int err = r->mem;

		free(r);
		return err;
	}
	if (a->mem < 0) {
		r->sub = a->sub;
		r->next_user = r->sub->users;
		r->sub->users = r;
	}
	*out = r;
	return 0;
}

int64_t rm_attach(struct region_map *map, const struct rm_attach *a)
{
	struct rm_region *r, **p;
	uint64_t size = 0, at;
	int err = check_attach(map, a, &size);

	if (err)
		return err;
	at = a->at == RM_ANYWHERE ? gap(map, size) : a->at;
	if (at == RM_ANYWHERE)
		return -ENOSPC;
	p = place(map, at, size);
	if (!p)
		return -EEXIST;
	err = region_new(map, a, at, size, &r);
	if (err)
		return err;
	err = show(r);
	if (!keeps_memory(map))
		r->mem = -1;	/* the caller's */
	if (err) {
		region_free(r);
		return err;
	}
	r->next = *p;
	*p = r;
	resolve_all(map);
	return at;
}

int rm_detach(struct region_map *map, uint64_t at)
{
	struct rm_region *r, **p;

	for (p = &map->regions; *p && (*p)->at != at; p = &(*p)->next)
		;
	r = *p;
	if (!r)
		return -ENOENT;
	hide(r);
	*p = r->next;
	region_free(r);
	return 0;
}

void rm_destroy(struct region_map *map)
{
	while (map->users)
		rm_detach(map->users->map, map->users->at);
	while (map->regions)
		rm_detach(map, map->regions->at);
	if (map->ep) {
		set_fault_ep(map->space, -1);
		ep_remove(map->ep, map->badge);
	}
	while (map->waiting)
		answer(&map->waiting, -ECANCELED);
}

int rm_own_space(void)
{
	return rpc_get_cap(PITH_SLOT_PARENT, PARENT_SPACE, NULL, 0,
			   pith_now() + PARENT_TIMEOUT);
}
