/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte ring of one thread. Indices run freely; the size is a power of two. */
#ifndef UART_RING_H
#define UART_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *data;
	uint32_t size;
	uint32_t head;		/* next byte to take */
	uint32_t tail;		/* next place to fill */
};

static inline uint32_t ring_used(const struct ring *r)
{
	return r->tail - r->head;
}

static inline uint32_t ring_room(const struct ring *r)
{
	return r->size - ring_used(r);
}

/* Both need used > 0 or room > 0, which the caller has looked at. */
static inline void ring_put(struct ring *r, uint8_t byte)
{
	r->data[r->tail++ & (r->size - 1)] = byte;
}

static inline uint8_t ring_take(struct ring *r)
{
	return r->data[r->head++ & (r->size - 1)];
}

static inline void ring_clear(struct ring *r)
{
	r->head = r->tail;
}

#endif
