/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Region maps: which memory is where. One stands for a space, a child's or the
 * component's own; others are managed memory, which is attached to maps as
 * memory objects are, at any number of places and inside each other. A change
 * to a map is seen at once wherever it is attached.
 *
 * A thread that meets a page where nothing is, or not with that right, waits
 * while the map that the page belongs to is asked: its handler attaches what is
 * missing, now or later, or refuses, which ends the space.
 *
 * All of this is bookkeeping of one component over SPACE_MAP and fault endpoints:
 * who holds the space decides, nobody else is asked. The maps of a component and
 * the entrypoint that gets their faults belong to one thread. In one's own space
 * that must be another thread than those whose faults it handles.
 */
#ifndef PITH_REGION_MAP_H
#define PITH_REGION_MAP_H

#include <stdbool.h>
#include <pith/entrypoint.h>

#define RM_ANYWHERE	UINT64_MAX
#define RM_DEPTH	16	/* maps inside each other, the space included */
/* Where a space has room for what is attached anywhere: above programs, below
 * stacks and what the program itself maps. */
#define RM_SPACE_FIRST	(1ull << 38)
#define RM_SPACE_END	(RM_SPACE_FIRST + (1ull << 37))

struct region_map;

/*
 * @map lacks something at @offset, which is in the page at @offset & ~4095:
 * @type is PITH_FAULT_READ, WRITE or EXEC, or EXCEPTION, of which only the map
 * of a space hears. 0: the thread waits until that is there, which it may be
 * already. A negative errno ends the space.
 */
typedef int (*rm_fault_fn)(void *ctx, struct region_map *map,
			   const struct pith_fault *fault, uint64_t offset);

struct rm_region {		/* private */
	struct rm_region *next;	/* by @at */
	struct region_map *map;	/* it is in */
	uint64_t at, size;
	uint32_t rights;
	int mem;		/* own capability, -1: @sub, or none is needed */
	struct region_map *sub;
	uint64_t offset;	/* in @sub or @mem */
	struct rm_region *next_user;	/* of @sub */
};

struct rm_waiting {		/* private */
	struct rm_waiting *next;
	int reply;
	struct pith_fault fault;
};

/* Initialised by rm_init() or rm_init_space(); all is private but the handler. */
struct region_map {
	rm_fault_fn fault;	/* NULL: the map around is asked; in the end the
				 * space is ended */
	void *ctx;
	uint64_t size;
	int space;		/* of which it is the map; -1: managed memory */
	struct rm_region *regions;
	struct rm_region *users;	/* where it is attached */
	struct rm_waiting *waiting;	/* faults of the space */
	struct entrypoint *ep;
	uint64_t badge;
};

/* Managed memory of @size bytes, a multiple of 4096. */
int rm_init(struct region_map *map, uint64_t size);
/*
 * The map of @space (right MANAGE; stays the caller's, and open), in which other
 * things may be mapped as well. Its faults come to @ep from now on; NULL: they
 * end it, as before. 0 or a negative errno.
 */
int rm_init_space(struct region_map *map, int space, struct entrypoint *ep);
/* Detach all from it and it from all. Threads that wait are ended with their
 * space. */
void rm_destroy(struct region_map *map);

/*
 * Attach @size bytes (0: all that follow) from @offset of memory @mem or, if that
 * is -1, of map @sub at @at, all page aligned, with @rights (PITH_R_READ, and
 * WRITE or EXEC), which are limited by those of the maps around. @mem may be closed
 * then: what is mapped stays, and but for a space without faults to handle the map
 * has a capability of its own. A map can be changed while attached.
 */
struct rm_attach {
	int mem;
	struct region_map *sub;
	uint64_t offset, size;
	uint64_t at;		/* or RM_ANYWHERE */
	uint32_t rights;
};

/*
 * The address in @map, or a negative errno with nothing changed: EINVAL (out of
 * range, not aligned; @sub is @map or @map is in it, or too deep), EEXIST
 * (something is there, in one of the spaces), ENOSPC (no room), EPERM (@mem lacks
 * a right), EDQUOT, EMFILE, ENOMEM, EPIPE (a space has ended, @mem was revoked).
 */
int64_t rm_attach(struct region_map *map, const struct rm_attach *a);
/* What was attached at @at is in no space any more. 0 or -ENOENT. */
int rm_detach(struct region_map *map, uint64_t at);

/* A capability to the component's own space, from its parent, or -errno. */
int rm_own_space(void);

#endif
