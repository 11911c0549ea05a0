// SPDX-License-Identifier: BSD-2-Clause
/* Sessions used by hand: many packets at a time, and such as no decent client makes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pith/env.h>
#include <pith/entrypoint.h>
#include <pith/fs_client.h>

#include "check.h"
#include "raw.h"

#define SLICE	4096u		/* of the data area, for each packet */
#define DATA	(PACKET_SLOTS * SLICE)

struct raw {
	struct session session;
	int mem, kick;
	struct fs_rings *rings;
	uint8_t *data;
	struct packet_side requests, completions;
	uint32_t tag;
};

static struct entrypoint ep;
static int notif;

static void signalled(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
}

static void start(void)
{
	uint64_t badge;

	if (notif)
		return;
	must(ep_init(&ep), "entrypoint", "");
	notif = must(ep_new_notification(&ep, signalled, NULL, &badge),
		     "notification", "");
}

static int call(struct raw *r, uint64_t method, const void *req, size_t len,
		const char *tail, void *rep, size_t rep_len)
{
	struct rpc rpc = {
		.req = req, .req_len = len, .tail = tail,
		.tail_len = strlen(tail), .rep = rep, .rep_len = rep_len,
	};

	return rpc_call(r->session.cap, method, &rpc, pith_now() + PITH_SEC(10));
}

static int stream(struct raw *r, uint32_t rights)
{
	int caps[2] = { pith_mint(r->mem, rights), pith_mint(notif, PITH_R_SIGNAL) };
	int kick;
	struct rpc rpc = {
		.caps = caps, .ncaps = 2, .rep_caps = &kick, .nrep_caps = 1,
	};
	int err = rpc_call(r->session.cap, FS_STREAM, &rpc,
			   pith_now() + PITH_SEC(10));

	pith_close(caps[0]);
	pith_close(caps[1]);
	r->kick = err ? r->kick : kick;
	return err;
}

static void raw_open(struct raw *r, const char *label)
{
	static const struct session_quota quota = { 65536, 20 };
	int err;

	start();
	*r = (struct raw) { .kick = -1 };
	must(env_session(&r->session, "File_system", label, "", &quota,
			 pith_now() + PITH_SEC(10)), "session", label);
	r->mem = must(pith_mem_create(-1, FS_DATA_OFFSET + DATA, 0), "memory", "");
	r->rings = pith_map(r->mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	must(err, "map", "");
	r->data = (uint8_t *)r->rings + FS_DATA_OFFSET;
	r->requests = packet_side_of(&r->rings->requests);
	r->completions = packet_side_of(&r->rings->completions);
	must_be(stream(r, PITH_R_READ), -EACCES, "stream that is read-only", "");
	must(stream(r, PITH_R_READ | PITH_R_WRITE), "stream", "");
	must_be(stream(r, PITH_R_READ | PITH_R_WRITE), -EBUSY, "two streams", "");
}

static void raw_close(struct raw *r)
{
	env_close(&r->session);
	pith_unmap(r->rings, FS_DATA_OFFSET + DATA);
	pith_close(r->mem);
	pith_close(r->kick);
}

static uint64_t open_file(struct raw *r, const char *path, uint32_t flags)
{
	struct fs_open how = { .flags = flags };
	struct fs_handle h = { 0 };

	must(call(r, FS_OPEN, &how, sizeof(how), path, &h, sizeof(h)), "open",
	     path);
	return h.handle;
}

static void put(struct raw *r, struct fs_packet p)
{
	p.tag = ++r->tag;
	packet_put(&r->requests, &p, sizeof(p));
}

/* The next completion, which must be of packet @tag: a count or an error. */
static long get(struct raw *r, uint32_t tag)
{
	struct fs_completion c;

	must_be(packet_get(&r->completions, &c, sizeof(c)), 1, "completion", "");
	must_be(c.tag, tag, "order", "");
	return c.status ? -(long)c.status : (long)c.count;
}

/* Signal, and be signalled when all of them are done. */
static void run(struct raw *r, bool wait)
{
	if (!wait) {
		must(call(r, FS_RUN, NULL, 0, "", NULL, 0), "run", "");
		return;
	}
	pith_signal(r->kick, 1);
	do		/* a signal may be one of an earlier session */
		must_be(ep_dispatch(&ep, pith_now() + PITH_SEC(10)), 1,
			"no signal", "");
	while (__atomic_load_n(r->completions.end, __ATOMIC_ACQUIRE) != r->tag);
}

/* --- many packets ------------------------------------------------------------------ */

static uint32_t len_of(unsigned int round, unsigned int i)
{
	return 1 + (round * PACKET_SLOTS + i) * 2654435761u % SLICE;
}

/* All of a ring with packets of @op, each with content of its own; checked when they
 * are done. Returns how many bytes they were. */
static uint64_t ring_full(struct raw *r, uint32_t op, uint64_t handle,
			  unsigned int round, uint64_t offset)
{
	static uint8_t wanted[SLICE];
	uint64_t sum = 0;
	uint32_t tag = r->tag;

	for (unsigned int i = 0; i < PACKET_SLOTS; i++) {
		uint32_t len = len_of(round, i);

		if (op == FS_WRITE)
			make_content(r->data + i * SLICE, round + i, len);
		else
			memset(r->data + i * SLICE, 0, SLICE);
		put(r, (struct fs_packet) { handle, offset + sum, i * SLICE,
					    len, op, 0 });
		sum += len;
	}
	run(r, round % 2);
	for (unsigned int i = 0; i < PACKET_SLOTS; i++) {
		uint32_t len = len_of(round, i);

		must_be(get(r, ++tag), len, "packet", "");
		make_content(wanted, round + i, len);
		if (memcmp(wanted, r->data + i * SLICE, len))
			fail("content", "", i);
	}
	return sum;
}

void packets(const char *label, unsigned int rounds)
{
	uint64_t at = 0, start_at = pith_now(), handle;
	struct raw r;

	raw_open(&r, label);
	handle = open_file(&r, "/packets", FS_O_WRITE | FS_O_CREATE);
	for (unsigned int i = 0; i < rounds; i++)
		at += ring_full(&r, FS_WRITE, handle, i, at);
	at = 0;
	for (unsigned int i = 0; i < rounds; i++)
		at += ring_full(&r, FS_READ, handle, i, at);
	put(&r, (struct fs_packet) { handle, at, 0, SLICE, FS_READ, 0 });
	put(&r, (struct fs_packet) { handle, 0, 0, 0, FS_SYNC, 0 });
	run(&r, true);
	must_be(get(&r, r.tag - 1), 0, "the end", "");
	must_be(get(&r, r.tag), 0, "sync", "");
	log_line("%u packets, %llu bytes each way, %llu ms", 2 * rounds *
		 PACKET_SLOTS, (unsigned long long)at,
		 (unsigned long long)(pith_now() - start_at) / 1000000);
	must(call(&r, FS_UNLINK, NULL, 0, "/packets", NULL, 0), "unlink", "");
	raw_close(&r);
}

/* --- a hostile client ---------------------------------------------------------------- */

/* The stream ends, the session does not. */
static void bad_index(const char *label, uint32_t ahead)
{
	struct fs_stat st;
	struct raw r;

	raw_open(&r, label);
	*r.requests.end += ahead;
	pith_signal(r.kick, 1);
	must_be(call(&r, FS_RUN, NULL, 0, "", NULL, 0), -EPROTO, "index", "");
	*r.requests.end = 0;
	must_be(call(&r, FS_RUN, NULL, 0, "", NULL, 0), -EPROTO, "index", "");
	must(call(&r, FS_STAT, NULL, 0, "/", &st, sizeof(st)), "stat", "/");
	raw_close(&r);
}

static void bad_packets(const char *label)
{
	const uint64_t none = ~0ull;
	static const struct { uint32_t data, len, op; long status; } wrong[] = {
		{ 0, 0, FS_READ, -EINVAL }, { 0, ~0u, FS_READ, -EINVAL },
		{ DATA, 1, FS_WRITE, -EINVAL }, { ~0u, 1, FS_WRITE, -EINVAL },
		{ 1, DATA, FS_READ, -EINVAL }, { 0, 1, 0, -EINVAL },
		{ 0, 1, 99, -EINVAL }, { 0, 1, FS_SYNC, -EINVAL },
		{ 0, FS_PACKET_MAX + 1, FS_WRITE, -EINVAL },
	};
	const unsigned int n = sizeof(wrong) / sizeof(*wrong);
	struct raw r;
	uint64_t h;

	raw_open(&r, label);
	h = open_file(&r, "/hostile", FS_O_WRITE | FS_O_CREATE);
	for (unsigned int i = 0; i < n; i++)
		put(&r, (struct fs_packet) { h, 0, wrong[i].data, wrong[i].len,
					     wrong[i].op, 0 });
	put(&r, (struct fs_packet) { none, 0, 0, 1, FS_READ, 0 });
	put(&r, (struct fs_packet) { h, none, 0, 1, FS_WRITE, 0 });
	run(&r, true);
	for (unsigned int i = 0; i < n; i++)
		must_be(get(&r, i + 1), wrong[i].status, "packet", "");
	must_be(get(&r, n + 1), -EBADF, "handle", "");
	must_be(get(&r, n + 2), -EFBIG, "offset", "");
	must(call(&r, FS_UNLINK, NULL, 0, "/hostile", NULL, 0), "unlink", "");
	raw_close(&r);
}

/* What is in the memory changes all the time; the server reads each thing once. */
static void restless(const char *label)
{
	struct raw r;
	uint64_t h;

	raw_open(&r, label);
	h = open_file(&r, "/hostile", FS_O_WRITE | FS_O_CREATE);
	for (unsigned int i = 0; i < 2000; i++) {
		put(&r, (struct fs_packet) { h, 0, 0, 64, FS_WRITE, 0 });
		pith_signal(r.kick, 1);
		make_content((uint8_t *)r.rings, i, i % FS_DATA_OFFSET);
	}
	raw_close(&r);
}

static void bad_paths(const char *label)
{
	static char path[PITH_MSG_BYTES];
	struct fs_stat st, root;
	struct raw r;

	raw_open(&r, label);
	must(call(&r, FS_STAT, NULL, 0, "/", &root, sizeof(root)), "stat", "/");
	must(call(&r, FS_STAT, NULL, 0, "/../../..", &st, sizeof(st)), "stat",
	     "/../../..");
	must_be(st.inode, root.inode, "above the root", "");
	memset(path, 'x', 1100);
	path[0] = '/';
	must_be(call(&r, FS_STAT, NULL, 0, path, &st, sizeof(st)),
		-ENAMETOOLONG, "path", "");
	path[257] = 0;
	must_be(call(&r, FS_MKDIR, NULL, 0, path, NULL, 0), -ENAMETOOLONG,
		"name", "");
	for (unsigned int i = 0; i < 1000; i++)
		path[i] = i % 2 ? 'd' : '/';
	path[1000] = 0;
	must_be(call(&r, FS_STAT, NULL, 0, path, &st, sizeof(st)), -ENOENT,
		"500 directories", "");
	must_be(call(&r, FS_STAT, NULL, 0, "none", &st, sizeof(st)), -EINVAL,
		"relative", "");
	raw_close(&r);
}

void hostile(const char *label)
{
	log_line("indices that cannot be");
	bad_index(label, PACKET_SLOTS + 1);
	bad_index(label, 0x80000000u);
	bad_index(label, ~0u);
	log_line("packets that make no sense");
	bad_packets(label);
	log_line("memory that changes");
	restless(label);
	log_line("paths");
	bad_paths(label);
}
