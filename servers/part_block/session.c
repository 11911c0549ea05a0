// SPDX-License-Identifier: BSD-2-Clause
/* Block sessions on partitions: see session.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "../lib/block_client.h"
#include "../lib/block_server.h"
#include "policy.h"
#include "session.h"

#define OPEN_TIMEOUT	PITH_SEC(20)

struct part_session;

struct part_request {
	struct part_session *session;
	uint64_t tag;		/* the client's */
	int busy;
};

struct part_session {
	struct part_server *server;
	char label[PARENT_LABEL_MAX];
	struct block_info info;		/* of the partition */
	uint64_t first;			/* its first block on the disk */
	uint64_t badge, notif_badge;
	int notif;			/* client signals new requests */
	struct block_server client;
	struct block_client disk;
	struct part_request requests[BLOCK_RING_SIZE];
};

/* --- requests --------------------------------------------------------------- */

static enum block_status to_status(int err)
{
	switch (err) {
	case 0:
		return BLOCK_OK;
	case -EINVAL:
		return BLOCK_EINVAL;
	case -EROFS:
		return BLOCK_EROFS;
	default:
		return BLOCK_EIO;
	}
}

static void request_done(void *ctx, int status)
{
	struct part_request *r = ctx;

	r->busy = 0;
	block_server_complete(&r->session->client, r->tag, to_status(status));
}

static void batch_done(void *ctx)
{
	struct part_session *s = ctx;

	block_server_signal(&s->client);
}

static struct part_request *request_free(struct part_session *s)
{
	for (unsigned int i = 0; i < BLOCK_RING_SIZE; i++)
		if (!s->requests[i].busy)
			return &s->requests[i];
	return NULL;
}

/* Pass @req on to the driver, or say why not. */
static enum block_status forward(struct part_session *s,
				 const struct block_request *req)
{
	struct part_request *r = request_free(s);
	enum block_status status;
	int sync = req->op == BLOCK_SYNC;
	int err;

	status = block_request_check(&s->info, s->client.data_size, req);
	if (status)
		return status;
	if (!r)		/* cannot be: the ring allows no more */
		return BLOCK_EIO;
	err = block_client_submit(&s->disk, req->op,
				  sync ? 0 : s->first + req->block,
				  sync ? 0 : req->count,
				  sync ? 0 : req->data_offset,
				  request_done, r);
	if (err)
		return BLOCK_EIO;
	r->session = s;
	r->tag = req->tag;
	r->busy = 1;
	return BLOCK_OK;
}

static void requests_added(void *ctx, uint64_t count)
{
	struct part_session *s = ctx;
	struct block_request req;
	enum block_status status;
	int refused = 0;
	int got;

	(void)count;
	while ((got = block_server_next(&s->client, &req)) > 0) {
		status = forward(s, &req);
		if (status) {
			block_server_complete(&s->client, req.tag, status);
			refused = 1;
		}
	}
	block_client_kick(&s->disk);
	if (refused)
		block_server_signal(&s->client);
	if (got < 0)
		log_error("%s: dropped: impossible ring index", s->label);
}

/* --- calls ----------------------------------------------------------------------- */

/* The table was read from this disk; is it still the same one? */
static int same_disk(const struct part_session *s)
{
	const struct block_info *a = &s->disk.info, *b = &s->server->disk;

	return a->block_size == b->block_size &&
	       a->block_count == b->block_count;
}

/*
 * A second CONNECT replaces the first one, whose requests have ended. Opening
 * the session at the driver may wait for a driver that is being restarted; all
 * our clients wait for that driver anyway.
 */
static int session_connect(struct part_session *s, struct ep_request *in)
{
	static const struct session_quota quota = {
		.ram = PART_DISK_RAM, .caps = PART_DISK_CAPS,
	};
	struct block_client_args a = {
		.quota = &quota, .label = s->label, .args = s->server->disk_args,
		.batch = batch_done, .batch_ctx = s,
	};
	int err;

	err = block_server_attach(&s->client, in);
	if (err)
		return err;
	block_client_close(&s->disk);
	a.data_mem = s->client.data_mem;
	err = block_client_open(&s->disk, s->server->ep, &a,
				pith_now() + OPEN_TIMEOUT);
	if (err)
		goto detach;
	err = -EIO;
	if (!same_disk(s))
		goto close;
	err = pith_mint(s->notif, PITH_R_SIGNAL);
	if (err < 0)
		goto close;
	return ep_reply_cap(in, err, 1);

close:
	block_client_close(&s->disk);
detach:
	block_server_detach(&s->client);
	return err;
}

static int session_call(void *ctx, struct ep_request *in)
{
	struct part_session *s = ctx;

	switch (in->method) {
	case BLOCK_INFO:
		return ep_reply_data(s->server->ep, in, &s->info,
				     sizeof(s->info));
	case BLOCK_CONNECT:
		return session_connect(s, in);
	default:
		return -ENOSYS;
	}
}

/* --- open and close ---------------------------------------------------------------- */

static struct part_session *session_new(struct part_server *server,
					const struct parent_request *req,
					const struct grant *grant)
{
	const struct partition *p = &server->table->parts[grant->number];
	struct part_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->server = server;
	memcpy(s->label, req->label, sizeof(s->label) - 1);
	s->info = server->disk;
	s->info.block_count = p->count;
	s->info.writeable = server->disk.writeable && grant->writeable;
	s->first = p->first;
	block_server_init(&s->client);
	return s;
}

int part_session_open(void *ctx, const struct parent_request *req,
		      void **session)
{
	struct part_server *server = ctx;
	struct part_session *s;
	struct grant grant;
	int err;

	err = part_policy_decide(server->config, server->table, req->label,
			    req->args, &grant);
	if (err)
		return err;
	if (req->ram < PART_SESSION_RAM || req->caps < PART_SESSION_CAPS ||
	    server->sessions >= PART_SESSIONS)
		return -EDQUOT;
	s = session_new(server, req, &grant);
	if (!s)
		return -ENOMEM;
	s->notif = ep_new_notification(server->ep, requests_added, s,
				       &s->notif_badge);
	err = s->notif;
	if (err < 0)
		goto free_session;
	err = ep_new_object(server->ep, session_call, s, &s->badge);
	if (err < 0)
		goto close_notif;
	server->sessions++;
	*session = s;
	return err;

close_notif:
	ep_remove(server->ep, s->notif_badge);
	pith_close(s->notif);
free_session:
	free(s);
	return err;
}

void part_session_close(void *ctx, void *session)
{
	struct part_server *server = ctx;
	struct part_session *s = session;

	/* First the driver's session, then the memory it used. */
	block_client_close(&s->disk);
	block_server_detach(&s->client);
	ep_remove(server->ep, s->badge);
	ep_remove(server->ep, s->notif_badge);
	pith_close(s->notif);
	server->sessions--;
	free(s);
}
