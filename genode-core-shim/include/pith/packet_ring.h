/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue in memory shared with somebody who may write anything there at any
 * time. One side puts, the other gets; each keeps its own index to itself and
 * publishes, or checks, the one in the ring. There is no index of the getter: who
 * puts knows otherwise that there is room, because a request is outstanding until
 * its completion came, and there are at most PACKET_SLOTS of them. A peer that
 * does not keep to that overwrites what it put itself, and nothing else.
 */
#ifndef PITH_PACKET_RING_H
#define PITH_PACKET_RING_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define PACKET_SLOTS	64u

/* The shared part. @end runs freely, slot = index % PACKET_SLOTS. */
#define PACKET_RING(type)				\
	struct {					\
		_Alignas(64) uint32_t end;		\
		_Alignas(64) type slots[PACKET_SLOTS];	\
	}

/* One's own part. */
struct packet_side {
	uint32_t *end;
	uint8_t *slots;
	uint32_t index;		/* of the next entry that is put, or got */
};

#define packet_side_of(ring) \
	((struct packet_side) { &(ring)->end, (uint8_t *)(ring)->slots, 0 })

static inline void packet_put(struct packet_side *s, const void *entry,
			      size_t size)
{
	memcpy(s->slots + s->index++ % PACKET_SLOTS * size, entry, size);
	__atomic_store_n(s->end, s->index, __ATOMIC_RELEASE);
}

/* Copy the next entry, which is then the caller's: 1; 0: there is none; -EPROTO:
 * the peer's index is impossible. */
static inline int packet_get(struct packet_side *s, void *entry, size_t size)
{
	uint32_t end = __atomic_load_n(s->end, __ATOMIC_ACQUIRE);

	if (end == s->index)
		return 0;
	if (end - s->index > PACKET_SLOTS)
		return -EPROTO;
	memcpy(entry, s->slots + s->index++ % PACKET_SLOTS * size, size);
	/* The copy is what counts from here on. */
	__asm__ volatile("" ::: "memory");
	return 1;
}

#endif
