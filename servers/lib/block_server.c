// SPDX-License-Identifier: BSD-2-Clause
/* Server side of a Block connection: see block_server.h. */
#include <errno.h>
#include <string.h>

#include "block_server.h"

void block_server_init(struct block_server *s)
{
	memset(s, 0, sizeof(*s));
	s->data_mem = -1;
	s->ring_mem = -1;
	s->client_notif = -1;
}

void block_server_detach(struct block_server *s)
{
	if (s->ring)
		pith_unmap(s->ring, BLOCK_RING_BYTES);
	pith_close(s->ring_mem);
	pith_close(s->data_mem);
	pith_close(s->client_notif);
	block_server_init(s);
}

static int has_rights(int fd, uint32_t type, uint32_t rights)
{
	struct pith_identify id;

	return pith_identify(fd, &id) >= 0 && id.type == type &&
	       (id.rights & rights) == rights;
}

static int map_ring(struct block_server *s)
{
	const uint32_t rw = PITH_R_READ | PITH_R_WRITE;
	int64_t size;
	int err;

	if (!has_rights(s->ring_mem, PITH_T_MEMORY, rw) ||
	    !has_rights(s->data_mem, PITH_T_MEMORY, rw) ||
	    !has_rights(s->client_notif, PITH_T_NOTIFICATION, PITH_R_SIGNAL))
		return -EINVAL;
	if (pith_mem_lent(s->ring_mem) < BLOCK_RING_BYTES)
		return -EINVAL;
	size = pith_mem_size(s->data_mem);
	if (size < 0)
		return -EINVAL;
	s->data_size = size;
	s->ring = pith_map(s->ring_mem, 0, BLOCK_RING_BYTES,
			   PITH_MAP_READ | PITH_MAP_WRITE, &err);
	return s->ring ? 0 : err;
}

int block_server_attach(struct block_server *s, struct ep_request *in)
{
	struct block_server new;
	int err;

	if (s->outstanding)
		return -EBUSY;
	if (in->ncaps < 3)
		return -EINVAL;
	block_server_init(&new);
	new.ring_mem = ep_take_cap(in, 0);
	new.data_mem = ep_take_cap(in, 1);
	new.client_notif = ep_take_cap(in, 2);
	err = map_ring(&new);
	if (err) {
		block_server_detach(&new);
		return err;
	}
	block_server_detach(s);
	*s = new;
	return 0;
}

int block_server_next(struct block_server *s, struct block_request *req)
{
	uint32_t end;

	if (!s->ring || s->broken)
		return 0;
	end = __atomic_load_n(&s->ring->submitted, __ATOMIC_ACQUIRE);
	/* What is waiting and what is in work must fit the ring together. */
	if (end - s->taken > BLOCK_RING_SIZE - s->outstanding) {
		s->broken = 1;
		return -EPROTO;
	}
	if (end == s->taken)
		return 0;
	memcpy(req, &s->ring->requests[s->taken % BLOCK_RING_SIZE],
	       sizeof(*req));
	/* The copy is what counts: keep the compiler from reading again. */
	__asm__ volatile("" ::: "memory");
	s->taken++;
	s->outstanding++;
	return 1;
}

void block_server_complete(struct block_server *s, uint64_t tag,
			   enum block_status status)
{
	struct block_completion *c;

	if (!s->ring || !s->outstanding)
		return;
	c = &s->ring->completions[s->completed % BLOCK_RING_SIZE];
	c->tag = tag;
	c->status = status;
	c->zero = 0;
	s->outstanding--;
	s->completed++;
	__atomic_store_n(&s->ring->completed, s->completed, __ATOMIC_RELEASE);
}

void block_server_signal(struct block_server *s)
{
	if (s->client_notif >= 0)
		pith_signal(s->client_notif, 1);
}

enum block_status block_request_check(const struct block_info *info,
				      uint64_t data_size,
				      const struct block_request *req)
{
	uint64_t bytes = (uint64_t)req->count * info->block_size;

	if (req->op == BLOCK_SYNC)
		return BLOCK_OK;
	if (req->op != BLOCK_READ && req->op != BLOCK_WRITE)
		return BLOCK_EINVAL;
	if (req->op == BLOCK_WRITE && !info->writeable)
		return BLOCK_EROFS;
	if (!req->count || bytes > info->max_bytes)
		return BLOCK_EINVAL;
	if (req->block > info->block_count ||
	    req->count > info->block_count - req->block)
		return BLOCK_EINVAL;
	if (req->data_offset & (info->align - 1))
		return BLOCK_EINVAL;
	if (req->data_offset > data_size ||
	    bytes > data_size - req->data_offset)
		return BLOCK_EINVAL;
	return BLOCK_OK;
}
