// SPDX-License-Identifier: BSD-2-Clause
/* A File_system server that lies. Its label says how. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/label.h>
#include <pith/service.h>
#include <session/file_system.h>

#include "../fs_test/check.h"
#include "vfs_test.h"

enum lie {
	SILENT,		/* never answers a RUN */
	AHEAD,		/* completions that were never asked for */
	TAGS, COUNTS, STATUSES,
	DOTS,		/* "." without end */
	NAMES,		/* with slashes */
	ENDLESS,	/* no names, but more to come */
	NOISE,		/* whatever it is asked, random bytes */
	LIES
};
static const char *const names[] = {
	"silent", "ahead", "tags", "counts", "statuses", "dots", "names",
	"endless", "noise",
};

struct liar {
	enum lie lie;
	uint64_t badge;
	struct fs_rings *rings;
	struct packet_side requests, completions;
};

static int take_stream(struct liar *l, struct ep_request *in)
{
	int kick = pith_notif_create(), err;

	l->rings = pith_map(in->caps[0], 0, 0, PITH_MAP_READ | PITH_MAP_WRITE,
			    &err);
	if (!l->rings)
		return err;
	l->requests = packet_side_of(&l->rings->requests);
	l->completions = packet_side_of(&l->rings->completions);
	return ep_reply_cap(in, kick, 1);
}

static int do_run(struct liar *l, struct ep_request *in)
{
	struct fs_packet p;

	if (l->lie == SILENT) {
		ep_save_reply(&ep, in);
		return EP_DEFERRED;
	}
	while (l->rings && packet_get(&l->requests, &p, sizeof(p)) == 1) {
		struct fs_completion c = { .tag = p.tag, .count = p.len };

		c.tag += l->lie == TAGS;
		c.count += (l->lie == COUNTS) * 0x10000000u;
		c.status = (l->lie == STATUSES) * 0xfffffffu;
		packet_put(&l->completions, &c, sizeof(c));
	}
	if (l->rings && l->lie == AHEAD)
		l->rings->completions.end += 1000;
	return 0;
}

static int do_readdir(struct liar *l, struct ep_request *in)
{
	struct {
		struct fs_dirents all;
		struct fs_dirent first;
		char name[8];
	} rep = {
		{ 1, 1, 0 }, { 1, 1, FS_TYPE_DIR, 1, { 0 } }, ".",
	};

	if (l->lie == NAMES) {
		rep.first.name_len = 8;
		memcpy(rep.name, "../../x", 8);
	}
	if (l->lie == ENDLESS)
		rep.all.count = 0;
	return ep_reply_data(&ep, in, &rep, l->lie == ENDLESS ?
			     sizeof(rep.all) : sizeof(rep));
}

static int noise(struct ep_request *in)
{
	static unsigned int number;
	uint8_t bytes[2000];

	make_content(bytes, ++number, sizeof(bytes));
	return ep_reply_data(&ep, in, bytes, bytes[0] * 7);
}

static int call(void *ctx, struct ep_request *in)
{
	struct liar *l = ctx;
	struct fs_stat st = { .mode = 0100644, .size = 1000 };
	struct fs_handle h = { 1 };

	switch (in->method) {
	case FS_STREAM:
		return take_stream(l, in);
	case FS_OPEN:
		return ep_reply_data(&ep, in, &h, sizeof(h));
	case FS_RUN:
		return do_run(l, in);
	case FS_READDIR:
		return l->lie == NOISE ? noise(in) : do_readdir(l, in);
	case FS_STAT:
	case FS_FSTAT:
		return l->lie == NOISE ? noise(in) :
		       ep_reply_data(&ep, in, &st, sizeof(st));
	case FS_READLINK:
		return l->lie == NOISE ? noise(in) : -EINVAL;
	}
	return l->lie == NOISE ? noise(in) : 0;
}

static int open_liar(void *ctx, const struct parent_request *req, void **session)
{
	struct liar *l = calloc(1, sizeof(*l));

	(void)ctx;
	if (!l)
		return -ENOMEM;
	while (l->lie < LIES && strcmp(names[l->lie], label_last(req->label)))
		l->lie++;
	*session = l;
	return l->lie < LIES ? ep_new_object(&ep, call, l, &l->badge) : -EACCES;
}

static void close_liar(void *ctx, void *session)
{
	struct liar *l = session;

	(void)ctx;
	ep_remove(&ep, l->badge);
	if (l->rings)
		pith_unmap(l->rings, FS_DATA_OFFSET);
	free(l);
}

void be_a_liar(void)
{
	static struct service file_system = {
		.name = "File_system", .open = open_liar, .close = close_liar,
	};

	must(service_announce(&ep, &file_system, 1), "announce", "");
	ep_run(&ep);
}
