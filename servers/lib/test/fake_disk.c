// SPDX-License-Identifier: BSD-2-Clause
/* A Block server on an array of bytes: see fake_disk.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"

struct fake_disk disk;

static void requests(void *ctx, uint64_t count)
{
	struct fake_disk_session *s = ctx;
	struct block_request r;

	(void)count;
	while (block_server_next(&s->ring, &r) > 0)
		s->queue[s->queued++] = r;
}

static int call(void *ctx, struct ep_request *in)
{
	struct fake_disk_session *s = ctx;
	int err;

	if (in->method == BLOCK_INFO)
		return ep_reply_data(s->disk->ep, in, &s->disk->info,
				     sizeof(s->disk->info));
	if (in->method != BLOCK_CONNECT)
		return -EINVAL;
	err = block_server_attach(&s->ring, in);
	if (err)
		return err;
	return ep_reply_cap(in, pith_mint(s->notif, PITH_R_SIGNAL), 1);
}

static int open_session(const char *service, const char *label,
			const char *args)
{
	struct fake_disk_session *s = disk.sessions;

	(void)label;
	(void)args;
	if (strcmp(service, "Block"))
		return -ENOENT;
	if (disk.refuse)
		return -disk.refuse;
	while (s < disk.sessions + FAKE_SESSIONS && s->used)
		s++;
	if (s == disk.sessions + FAKE_SESSIONS)
		return -EDQUOT;
	memset(s, 0, sizeof(*s));
	s->used = 1;
	s->disk = &disk;
	block_server_init(&s->ring);
	s->cap = ep_new_object(disk.ep, call, s, &s->badge);
	s->notif = ep_new_notification(disk.ep, requests, s, &s->notif_badge);
	disk.opened++;
	return pith_mint(s->cap, PITH_R_CALL);
}

static void end_session(struct fake_disk_session *s)
{
	block_server_detach(&s->ring);
	ep_remove(disk.ep, s->badge);
	ep_remove(disk.ep, s->notif_badge);
	pith_close(s->cap);
	pith_close(s->notif);
	s->used = 0;
}

static void closed(int cap)
{
	struct pith_identify id, own;

	pith_identify(cap, &id);
	for (unsigned int i = 0; i < FAKE_SESSIONS; i++) {
		struct fake_disk_session *s = &disk.sessions[i];

		if (!s->used || pith_identify(s->cap, &own) < 0 ||
		    own.object != id.object)
			continue;
		end_session(s);
		return;
	}
}

void fake_disk_die(void)
{
	for (unsigned int i = 0; i < FAKE_SESSIONS; i++) {
		if (!disk.sessions[i].used)
			continue;
		fake_kill(disk.sessions[i].cap);
		end_session(&disk.sessions[i]);
	}
}

static enum block_status execute(struct fake_disk_session *s,
				 const struct block_request *r)
{
	uint64_t bytes = (uint64_t)r->count * disk.info.block_size;
	uint8_t *at = disk.bytes + r->block * disk.info.block_size;
	enum block_status status;
	uint8_t *data;

	status = block_request_check(&disk.info, s->ring.data_size, r);
	if (status || r->op == BLOCK_SYNC) {
		disk.syncs += r->op == BLOCK_SYNC;
		return status;
	}
	if (disk.bad_block >= r->block && disk.bad_block - r->block < r->count)
		return BLOCK_EIO;
	data = (uint8_t *)fake_memory(s->ring.data_mem) + r->data_offset;
	if (r->op == BLOCK_READ)
		memcpy(data, at, bytes);
	else
		memcpy(at, data, bytes);
	return BLOCK_OK;
}

/* Complete one request; 1 if the server died of it. */
static int complete_one(struct fake_disk_session *s)
{
	struct block_request r;
	unsigned int last = s->queued - 1;

	r = s->queue[disk.reverse ? last : 0];
	if (!disk.reverse)
		memmove(s->queue, s->queue + 1, last * sizeof(r));
	s->queued--;
	block_server_complete(&s->ring, r.tag, execute(s, &r));
	block_server_signal(&s->ring);
	disk.last_tag_op[disk.served++ % 64] = r.op;
	if (!disk.die_after || --disk.die_after)
		return 0;
	fake_disk_die();
	return 1;
}

static int idle(void)
{
	int busy = 0;

	for (unsigned int i = 0; i < FAKE_SESSIONS && !disk.hold; i++) {
		struct fake_disk_session *s = &disk.sessions[i];

		while (s->used && s->queued) {
			busy = 1;
			if (complete_one(s))
				return 1;
		}
	}
	return busy;
}

struct fake_disk_session *fake_disk_session(void)
{
	for (int i = FAKE_SESSIONS - 1; i >= 0; i--)
		if (disk.sessions[i].used)
			return &disk.sessions[i];
	return NULL;
}

void fake_disk_init(struct entrypoint *ep, uint64_t blocks, uint32_t bs)
{
	memset(&disk, 0, sizeof(disk));
	disk.bytes = calloc(blocks, bs);
	disk.ep = ep;
	disk.bad_block = ~0ull;
	disk.info = (struct block_info) {
		.block_count = blocks, .block_size = bs, .writeable = 1,
		.max_bytes = 128 * 1024, .align = 4,
	};
	fake_session = open_session;
	fake_session_closed = closed;
	fake_idle = idle;
}

void fake_disk_free(void)
{
	free(disk.bytes);
	disk.bytes = NULL;
}
