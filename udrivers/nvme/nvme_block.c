// SPDX-License-Identifier: BSD-2-Clause
/* Block sessions on the controller: see nvme_block.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "../../servers/lib/policy.h"
#include "../lib/platform_client.h"
#include "nvme_block.h"

#define SESSION_RAM	4096u	/* bookkeeping, at least to be donated */
#define SESSION_CAPS	8u
#define PASSES		BLOCK_RING_SIZE	/* of the pump, before others come */

struct nvme_client {
	struct nvme_driver *d;
	uint64_t badge, kick_badge;
	int kick;		/* client signals it: requests were added */
	struct block_info info;
	uint32_t nsid;
	uint64_t ram;		/* donated, for the list of pages */
	/* the connection */
	struct block_server ring;
	uint64_t *pages;	/* bus addresses of the data area */
	uint64_t dma;		/* handle at the platform driver */
	uint8_t closing;	/* the session is gone; waits for the last end */
	uint8_t signal;		/* completions were added */
	uint8_t more;		/* the last look found a request */
};

/* --- data area ------------------------------------------------------------ */

static void unmap_data(struct nvme_client *c)
{
	if (!c->pages)
		return;
	platform_dma_unmap(&c->d->platform, c->dma);
	free(c->pages);
	c->pages = NULL;
}

/* The client pays for the list of its pages. */
static int map_data(struct nvme_client *c, const struct block_server *ring,
		    uint64_t **pages, uint64_t *dma)
{
	uint64_t n = ring->data_size / NVME_PAGE;
	int err;

	if (n > (c->ram - SESSION_RAM) / sizeof(**pages))
		return -EDQUOT;
	*pages = malloc(n * sizeof(**pages));
	if (!*pages)
		return -ENOMEM;
	err = platform_dma_map(&c->d->platform, c->d->device, ring->data_mem,
			       *pages, n, dma);
	if (err)
		free(*pages);
	return err;
}

/* --- calls ---------------------------------------------------------------- */

/* Nothing of the old connection changes until the new one is complete. */
static int do_connect(struct nvme_client *c, struct ep_request *in)
{
	struct block_server ring;
	uint64_t *pages, dma;
	int err, kick;

	if (c->ring.outstanding)
		return -EBUSY;
	block_server_init(&ring);
	err = block_server_attach(&ring, in);
	if (err)
		return err;
	err = map_data(c, &ring, &pages, &dma);
	if (err)
		goto err_detach;
	kick = pith_mint(c->kick, PITH_R_SIGNAL);
	if (kick < 0) {
		err = kick;
		goto err_unmap;
	}
	unmap_data(c);
	block_server_detach(&c->ring);
	c->ring = ring;
	c->pages = pages;
	c->dma = dma;
	return ep_reply_cap(in, kick, 1);

err_unmap:
	platform_dma_unmap(&c->d->platform, dma);
	free(pages);
err_detach:
	block_server_detach(&ring);
	return err;
}

static int client_call(void *ctx, struct ep_request *in)
{
	struct nvme_client *c = ctx;

	switch (in->method) {
	case BLOCK_INFO:
		return ep_reply_data(&c->d->ep, in, &c->info, sizeof(c->info));
	case BLOCK_CONNECT:
		return do_connect(c, in);
	default:
		return -ENOSYS;
	}
}

static void client_kick(void *ctx, uint64_t count)
{
	struct nvme_client *c = ctx;

	(void)count;
	nvme_block_pump(c->d);
}

/* --- requests ------------------------------------------------------------- */

static const uint8_t opcodes[] = {
	[BLOCK_READ] = NVME_CMD_READ,
	[BLOCK_WRITE] = NVME_CMD_WRITE,
	[BLOCK_SYNC] = NVME_CMD_FLUSH,
};

static void complete(struct nvme_client *c, uint64_t tag,
		     enum block_status status)
{
	block_server_complete(&c->ring, tag, status);
	c->signal = 1;
}

void nvme_block_done(void *ctx, void *owner, uint64_t tag, int status)
{
	(void)ctx;
	complete(owner, tag, !status ? BLOCK_OK :
		 status == -EROFS ? BLOCK_EROFS : BLOCK_EIO);
}

static void start(struct nvme_client *c, const struct block_request *req)
{
	struct nvme_io io = { .nsid = c->nsid, .pages = c->pages };
	enum block_status status = block_request_check(&c->info,
						       c->ring.data_size, req);

	if (status != BLOCK_OK) {
		complete(c, req->tag, status);
		return;
	}
	io.opcode = opcodes[req->op];
	if (req->op != BLOCK_SYNC) {
		io.lba = req->block;
		io.blocks = req->count;
		io.bytes = req->count * c->info.block_size;
		io.offset = req->data_offset;
	}
	if (nvme_submit(&c->d->nvme, &io, c, req->tag) < 0)
		complete(c, req->tag, BLOCK_EIO);
}

/* One request of one client. */
static void take_turn(struct nvme_client *c)
{
	struct block_request req;
	int ret;

	c->more = 0;
	if (c->closing)
		return;
	ret = block_server_next(&c->ring, &req);
	if (ret < 0)
		log_error("a client's ring is broken; it is served no more");
	if (ret <= 0)
		return;
	c->more = 1;
	start(c, &req);
}

/* Each client in turn gets one command in, as long as there is room. */
static int one_pass(struct nvme_driver *d)
{
	unsigned int i, found = 0;

	for (i = 0; i < NVME_SESSIONS && nvme_ready(&d->nvme); i++) {
		struct nvme_client *c = d->clients[d->turn];

		d->turn = (d->turn + 1) % NVME_SESSIONS;
		if (!c)
			continue;
		take_turn(c);
		found += c->more;
	}
	return found;
}

static void free_client(struct nvme_client *c)
{
	unmap_data(c);
	block_server_detach(&c->ring);
	free(c);
}

/* Tell clients what has ended, and let go of those who only waited for that. A
 * client that keeps the pump busy is made to come again. */
static void settle(struct nvme_driver *d, int again)
{
	unsigned int i;

	for (i = 0; i < NVME_SESSIONS; i++) {
		struct nvme_client *c = d->clients[i];

		if (!c)
			continue;
		if (c->closing && !c->ring.outstanding) {
			d->clients[i] = NULL;
			free_client(c);
			continue;
		}
		if (c->signal)
			block_server_signal(&c->ring);
		c->signal = 0;
		if (again && c->more && !c->closing)
			pith_signal(c->kick, 1);
	}
}

void nvme_block_pump(struct nvme_driver *d)
{
	unsigned int before = d->nvme.outstanding;
	int pass = 0, found = 1;

	while (found && pass++ < PASSES)
		found = one_pass(d);
	if (d->nvme.outstanding != before)
		nvme_kick(&d->nvme);
	settle(d, found && nvme_ready(&d->nvme));
	if (d->nvme.dead)
		env_fatal("the controller is out of order");
	if (!d->nvme.outstanding) {
		ep_timer_cancel(&d->ep, &d->tick);
		d->tick.at = PITH_NO_DEADLINE;
	} else if (d->tick.at == PITH_NO_DEADLINE) {
		ep_timer_set(&d->ep, &d->tick, pith_now() + NVME_TICK_NS);
	}
}

/* --- sessions ------------------------------------------------------------- */

/* What policy gives to a label; without any policy: all namespaces, read-only.
 * -EACCES: there are policies, and none for it. */
static int decide(const struct nvme_driver *d, const char *label, uint64_t *nsid,
		  bool *writeable)
{
	const struct hid_node *c = d->config;
	const struct hid_node *n = c ? policy_find(c, label) : NULL;

	if (!n && c && hid_first(c, "policy"))
		return -EACCES;
	*nsid = n ? hid_number(n, "namespace", 0) : 0;
	*writeable = n && hid_bool(n, "writeable", false);
	return 0;
}

static const struct nvme_namespace *find_namespace(const struct nvme *nvme,
						   uint64_t id)
{
	unsigned int i;

	if (!id)
		return nvme->namespaces ? &nvme->ns[0] : NULL;
	for (i = 0; i < nvme->namespaces; i++)
		if (nvme->ns[i].id == id)
			return &nvme->ns[i];
	return NULL;
}

static void fill_info(struct nvme_client *c, const struct nvme_namespace *ns,
		      bool writeable)
{
	c->nsid = ns->id;
	c->info.block_count = ns->blocks;
	c->info.block_size = ns->block_size;
	c->info.writeable = writeable && !ns->read_only;
	c->info.max_bytes = c->d->nvme.max_bytes;
	c->info.align = 4;	/* [Base] 4.3: PRP1 may begin at any dword */
}

static int add_endpoints(struct nvme_client *c)
{
	int cap;

	c->kick = ep_new_notification(&c->d->ep, client_kick, c,
				      &c->kick_badge);
	if (c->kick < 0)
		return c->kick;
	cap = ep_new_object(&c->d->ep, client_call, c, &c->badge);
	if (cap < 0) {
		ep_remove(&c->d->ep, c->kick_badge);
		pith_close(c->kick);
	}
	return cap;
}

int nvme_block_open(void *ctx, const struct parent_request *req, void **session)
{
	struct nvme_driver *d = ctx;
	const struct nvme_namespace *ns;
	struct nvme_client *c;
	unsigned int slot = 0;
	bool writeable;
	uint64_t nsid;
	int cap = decide(d, req->label, &nsid, &writeable);

	if (cap < 0)
		return cap;
	if (!nsid)
		nsid = args_number(req->args, "namespace", 0);
	ns = find_namespace(&d->nvme, nsid);
	if (!ns)
		return -ENOENT;
	while (slot < NVME_SESSIONS && d->clients[slot])
		slot++;
	if (slot == NVME_SESSIONS)
		return -EBUSY;
	if (req->ram < SESSION_RAM || req->caps < SESSION_CAPS)
		return -EDQUOT;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->d = d;
	c->ram = req->ram;
	block_server_init(&c->ring);
	fill_info(c, ns, writeable);
	cap = add_endpoints(c);
	if (cap < 0) {
		free(c);
		return cap;
	}
	d->clients[slot] = c;
	*session = c;
	return cap;
}

/* Commands under way go on: their memory stays mapped until they have ended. */
void nvme_block_close(void *ctx, void *session)
{
	struct nvme_driver *d = ctx;
	struct nvme_client *c = session;

	ep_remove(&d->ep, c->badge);
	ep_remove(&d->ep, c->kick_badge);
	pith_close(c->kick);
	c->kick = -1;
	c->closing = 1;
	nvme_block_pump(d);
}
