// SPDX-License-Identifier: BSD-2-Clause
/* A Block session as a source of bytes: see disk.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pith/env.h>

#include "disk.h"

#define REOPEN_TIMEOUT	PITH_SEC(20)
#define REOPEN_PAUSE	PITH_SEC(1)

/* --- slots ------------------------------------------------------------------- */

static int slot_holds(const struct slot *s, uint64_t off)
{
	return s->state != SLOT_EMPTY && off >= s->off && off - s->off < s->len;
}

static struct slot *slot_find(struct disk *d, uint64_t off)
{
	for (unsigned int i = 0; i < DISK_SLOTS; i++)
		if (slot_holds(&d->slots[i], off))
			return &d->slots[i];
	return NULL;
}

/* A slot to fill: an empty one or the oldest, but none that is being filled or
 * holds bytes of [@from, @to), which are still wanted. */
static struct slot *slot_free(struct disk *d, uint64_t from, uint64_t to)
{
	struct slot *best = NULL;

	for (unsigned int i = 0; i < DISK_SLOTS; i++) {
		struct slot *s = &d->slots[i];

		if (s->state == SLOT_EMPTY)
			return s;
		if (s->state == SLOT_READING ||
		    (s->off < to && from < s->off + s->len))
			continue;
		if (!best || s->used < best->used)
			best = s;
	}
	return best;
}

/* What failed for an earlier read, or ahead of one, is tried again. */
static void forget_failures(struct disk *d)
{
	for (unsigned int i = 0; i < DISK_SLOTS; i++)
		if (d->slots[i].state == SLOT_FAILED)
			d->slots[i].state = SLOT_EMPTY;
}

static void slot_done(void *ctx, int status)
{
	struct slot *s = ctx;

	s->state = status ? SLOT_FAILED : SLOT_READY;
	s->err = status;
}

static uint8_t *slot_data(struct disk *d, const struct slot *s)
{
	return d->client.data + (s - d->slots) * DISK_SLOT_BYTES;
}

/* Ask for the blocks that hold [@off, @end), or the first of them, into @s. */
static int slot_fill(struct disk *d, struct slot *s, uint64_t off, uint64_t end)
{
	uint32_t bs = d->info.block_size;
	uint64_t most = d->info.max_bytes < DISK_SLOT_BYTES ?
			d->info.max_bytes : DISK_SLOT_BYTES;
	uint64_t first = off / bs;
	uint64_t count = (end - 1) / bs - first + 1;
	int err;

	if (count > most / bs)
		count = most / bs;
	err = block_client_submit(&d->client, BLOCK_READ, first, count,
				  slot_data(d, s) - d->client.data,
				  slot_done, s);
	if (err)
		return err;
	s->state = SLOT_READING;
	s->off = first * bs;
	s->len = count * bs;
	s->used = ++d->now;
	return 0;
}

/*
 * Have requests on their way for [@off, @end) as far as slots allow. @wanted:
 * where the bytes begin that must not be thrown out. Returns up to where.
 */
static int64_t fill_ahead(struct disk *d, uint64_t wanted, uint64_t off,
			  uint64_t end, unsigned int slots)
{
	while (off < end && slots--) {
		struct slot *s = slot_find(d, off);
		int err = 0;

		if (!s) {
			s = slot_free(d, wanted, off);
			if (!s)
				break;
			err = slot_fill(d, s, off, end);
		}
		if (err == -EAGAIN)
			break;
		if (err)
			return err;
		off = s->off + s->len;
	}
	block_client_kick(&d->client);
	return off;
}

/* --- the connection ------------------------------------------------------------- */

static int dispatch(struct disk *d)
{
	/* Bounded by the deadline of the requests. */
	return ep_dispatch(&d->ep, PITH_NO_DEADLINE) < 0 ? -EIO : 0;
}

static int connect_disk(struct disk *d, uint64_t deadline)
{
	struct block_client_args a = {
		.args = d->args, .data_mem = -1,
		.data_size = DISK_SLOTS * DISK_SLOT_BYTES,
	};

	memset(d->slots, 0, sizeof(d->slots));
	return block_client_open(&d->client, &d->ep, &a, deadline);
}

/* After a failure for good: once more from the begin, with new memory. */
static int reconnect(struct disk *d)
{
	const struct block_info *i = &d->client.info;
	uint64_t now = pith_now();
	int err;

	if (d->client.state == BLOCK_CLIENT_CONNECTED ||
	    d->client.state == BLOCK_CLIENT_LOST)
		return 0;
	block_client_close(&d->client);
	if (now < d->retry_at)
		return -EIO;
	err = connect_disk(d, now + REOPEN_TIMEOUT);
	if (!err && (i->block_size != d->info.block_size ||
		     i->block_count != d->info.block_count))
		err = -EIO;
	if (!err)
		return 0;
	log_error("disk is gone: %s", strerror(-err));
	block_client_close(&d->client);
	d->retry_at = pith_now() + REOPEN_PAUSE;
	return -EIO;
}

/* --- source ------------------------------------------------------------------------ */

/* The slot with byte @off once it is there; NULL: ask for it again. */
static int wait_for(struct disk *d, uint64_t off, struct slot **slot)
{
	struct slot *s = *slot = slot_find(d, off);

	if (!s)		/* all slots are busy: one will become free */
		return d->client.outstanding ? dispatch(d) : -EIO;
	while (s->state == SLOT_READING)
		if (dispatch(d))
			return -EIO;
	if (s->state == SLOT_FAILED)
		return s->err;
	s->used = ++d->now;
	*slot = s;
	return 0;
}

static int disk_read(void *ctx, uint64_t off, void *buf, uint32_t len)
{
	struct disk *d = ctx;
	uint64_t end = off + len;
	int64_t ahead = off;
	uint8_t *to = buf;
	int err = reconnect(d);

	forget_failures(d);
	while (!err && off < end) {
		struct slot *s = NULL;
		uint64_t n;

		ahead = fill_ahead(d, off, ahead, end, DISK_AHEAD);
		err = ahead < 0 ? ahead : wait_for(d, off, &s);
		if (err)
			break;
		if (!s) {
			ahead = off;
			continue;
		}
		n = s->off + s->len - off;
		if (n > end - off)
			n = end - off;
		memcpy(to, slot_data(d, s) + (off - s->off), n);
		to += n;
		off += n;
	}
	return err;
}

static void disk_prefetch(void *ctx, uint64_t off, uint32_t len)
{
	struct disk *d = ctx;

	if (d->client.state == BLOCK_CLIENT_CONNECTED)
		fill_ahead(d, off, off, off + len, 2);
}

int disk_init(struct disk *d)
{
	memset(d, 0, sizeof(*d));
	return ep_init(&d->ep);
}

int disk_open(struct disk *d, unsigned int number, uint64_t deadline)
{
	int err;

	snprintf(d->args, sizeof(d->args), "partition=%u", number);
	err = connect_disk(d, deadline);
	if (err)
		return err;
	d->info = d->client.info;
	d->retry_at = 0;
	d->source = (struct source) {
		.size = d->info.block_count * d->info.block_size,
		.read = disk_read, .prefetch = disk_prefetch, .ctx = d,
	};
	return 0;
}

void disk_close(struct disk *d)
{
	block_client_close(&d->client);
}
