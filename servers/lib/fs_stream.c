// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory is the client's, which pays for it as long as anybody has it; it cannot
 * take it away. Packets are copied before they are looked at; the data is not: what
 * a client changes meanwhile is its own file's content.
 */
#include <errno.h>

#include "fs_stream.h"

void fs_stream_init(struct fs_stream *s, struct entrypoint *ep,
		    fs_packet_fn fn, void *ctx)
{
	*s = (struct fs_stream) {
		.ep = ep, .fn = fn, .ctx = ctx, .kick = -1, .sigh = -1,
	};
}

/* Everything that can be wrong with @p but its handle. */
static int check(const struct fs_stream *s, const struct fs_packet *p)
{
	if (p->op == FS_SYNC)
		return p->len ? -EINVAL : 0;
	if (p->op != FS_READ && p->op != FS_WRITE)
		return -EINVAL;
	if (!p->len || p->len > FS_PACKET_MAX || p->data > s->size ||
	    p->len > s->size - p->data)
		return -EINVAL;
	return p->offset > (uint64_t)INT64_MAX - p->len ? -EFBIG : 0;
}

static void complete(struct fs_stream *s, const struct fs_packet *p)
{
	struct fs_completion c = { .tag = p->tag };
	int64_t got = check(s, p);

	if (!got)
		got = s->fn(s->ctx, p, s->base + FS_DATA_OFFSET +
			    (p->op == FS_SYNC ? 0 : p->data));
	if (got < 0)
		c.status = -got;
	else
		c.count = got;
	packet_put(&s->completions, &c, sizeof(c));
}

/* No more than a ring full at a time, however fast a client adds. */
int fs_stream_run(struct fs_stream *s)
{
	struct fs_packet p;
	int got = 0;

	if (!s->base)
		return -EINVAL;
	if (s->broken)
		return -EPROTO;
	for (unsigned int i = 0; i < PACKET_SLOTS; i++) {
		got = packet_get(&s->requests, &p, sizeof(p));
		if (got <= 0)
			break;
		complete(s, &p);
	}
	s->broken = got < 0;
	return got < 0 ? got : 0;
}

static void kicked(void *ctx, uint64_t count)
{
	struct fs_stream *s = ctx;

	(void)count;
	fs_stream_run(s);
	if (s->sigh >= 0)
		pith_signal(s->sigh, 1);
}

static int make(struct fs_stream *s, int mem, uint64_t size)
{
	struct fs_rings *rings;
	int err;

	s->base = pith_map(mem, 0, FS_DATA_OFFSET + size,
			   PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!s->base)
		return err;
	s->size = size;
	rings = (struct fs_rings *)s->base;
	s->requests = packet_side_of(&rings->requests);
	s->completions = packet_side_of(&rings->completions);
	s->kick = ep_new_notification(s->ep, kicked, s, &s->badge);
	return s->kick < 0 ? s->kick : 0;
}

static int give(struct fs_stream *s, struct ep_request *in)
{
	int kick = pith_mint(s->kick, PITH_R_SIGNAL);

	return kick < 0 ? kick : ep_reply_cap(in, kick, 1);
}

static int is_signal(int fd)
{
	struct pith_identify id;

	return !pith_identify(fd, &id) && id.type == PITH_T_NOTIFICATION &&
	       id.rights & PITH_R_SIGNAL;
}

int fs_stream_open(struct fs_stream *s, struct ep_request *in, uint64_t ram)
{
	int64_t all = in->ncaps ? pith_mem_lent(in->caps[0]) : -1;
	uint64_t size = all - FS_DATA_OFFSET;
	int sigh = in->ncaps > 1, err;

	if (all <= FS_DATA_OFFSET || all % 4096 || size > FS_DATA_MAX ||
	    (sigh && !is_signal(in->caps[1])))
		return -EINVAL;
	if (s->base)
		return -EBUSY;
	if (FS_STREAM_COST(size) > ram)
		return -EDQUOT;
	err = make(s, in->caps[0], size);
	if (!err)
		err = give(s, in);
	if (err)
		fs_stream_close(s);
	else if (sigh)
		s->sigh = ep_take_cap(in, 1);
	return err;
}

void fs_stream_close(struct fs_stream *s)
{
	if (s->kick >= 0)
		ep_remove(s->ep, s->badge);
	if (s->base)
		pith_unmap(s->base, FS_DATA_OFFSET + s->size);
	pith_close(s->kick);
	pith_close(s->sigh);
	fs_stream_init(s, s->ep, s->fn, s->ctx);
}
