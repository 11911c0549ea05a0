// SPDX-License-Identifier: BSD-2-Clause
/* File_system sessions, called as clients do, well behaved and not. */
/* test-sources: image.c ../../lib/fs_stream.c ../../lib/test/fake_pith.c ../session.c ../io.c ../volume.c ../file.c ../dir.c ../path.c */
/* test-libs: -lext2fs -lcom_err */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pith/rpc.h>

#include "../../lib/test/fake_pith.h"
#include "../../lib/fs_stream.h"
#include "../session.h"
#include "image.h"

static struct image im;
static struct volume vol;
static struct entrypoint ep;

static int mount(struct fs_server *s)
{
	return s->volume->fs ? 0 : -ENODEV;
}

static struct fs_server server = { .ep = &ep, .volume = &vol, .mount = mount };

struct client {
	void *session;
	int cap;
	/* the stream */
	int mem;
	uint8_t *data;
	struct packet_side requests, completions;
};

#define DATA	(2u << 20)

static int open_session(struct client *c, const char *args)
{
	struct parent_request req = {
		.kind = PARENT_REQ_CREATE, .caps = 8,
		.ram = FS_SESSION_RAM + FS_STREAM_COST(DATA),
	};

	snprintf(req.label, sizeof(req.label), "client");
	snprintf(req.args, sizeof(req.args), "%s", args);
	c->cap = fs_session_open(&server, &req, &c->session);
	return c->cap < 0 ? c->cap : 0;
}

static void close_session(struct client *c)
{
	fs_session_close(&server, c->session);
	pith_close(c->cap);
	if (c->data)
		pith_close(c->mem);
	c->data = NULL;
}

static int call(struct client *c, uint64_t method, const void *req,
		size_t len, void *rep, size_t rep_len)
{
	return rpc_simple(c->cap, method, req, len, rep, rep_len,
			  fake_clock + 1);
}

static int open_file(struct client *c, const char *path, uint64_t *handle)
{
	char req[8 + 512] = "";
	struct fs_handle h;
	int err;

	strcpy(req + 8, path);
	err = call(c, FS_OPEN, req, 8 + strlen(path), &h, sizeof(h));

	*handle = h.handle;
	return err;
}

static int open_stream(struct client *c, uint64_t size)
{
	int mem = pith_mem_create(-1, FS_DATA_OFFSET + size, 0), err;
	struct rpc r = { .caps = &mem, .ncaps = 1 };
	struct fs_rings *rings;

	err = rpc_call(c->cap, FS_STREAM, &r, fake_clock + 1);
	if (err) {
		pith_close(mem);
		return err;
	}
	c->mem = mem;
	rings = fake_memory(mem);
	c->data = (uint8_t *)rings + FS_DATA_OFFSET;
	c->requests = packet_side_of(&rings->requests);
	c->completions = packet_side_of(&rings->completions);
	return 0;
}

static int64_t packet(struct client *c, uint32_t op, uint64_t handle,
		      uint64_t off, uint32_t at, uint32_t len)
{
	struct fs_packet p = { handle, off, at, len, op, 7 };
	struct fs_completion done;
	int err;

	packet_put(&c->requests, &p, sizeof(p));
	err = call(c, FS_RUN, NULL, 0, NULL, 0);
	if (err)
		return err;
	if (packet_get(&c->completions, &done, sizeof(done)) != 1 ||
	    done.tag != 7)
		return -EPROTO;
	return done.status ? -(int64_t)done.status : done.count;
}

static int64_t read_file(struct client *c, uint64_t handle, uint64_t off,
			 uint64_t at, uint32_t len)
{
	return packet(c, FS_READ, handle, off, at, len);
}

static void test_files(struct client *c)
{
	struct fs_stat st, st2;
	uint64_t h, dir;

	ok(open_file(c, "/file", &h) == 0, "open");
	ok(call(c, FS_RUN, NULL, 0, NULL, 0) == -EINVAL, "run without a stream");
	ok(open_stream(c, 0) == -EINVAL &&
	   call(c, FS_STREAM, NULL, 0, NULL, 0) == -EINVAL, "no data, no memory");
	ok(open_stream(c, FS_DATA_MAX) == -EDQUOT, "more than was donated");
	ok(open_stream(c, DATA) == 0 && open_stream(c, DATA) == -EBUSY,
	   "a stream, once");
	ok(read_file(c, h, 0, 0, 1 << 20) == 5000, "read all");
	ok(read_file(c, h, 4000, 100000, 500) == 500 &&
	   !memcmp(c->data + 4000, c->data + 100000, 500), "a part of it elsewhere");
	ok(read_file(c, h, 5000, 0, 10) == 0, "at the end");
	ok(read_file(c, h, INT64_MAX - 10, 0, 10) == 0, "far behind the end");
	ok(read_file(c, h, ~0ull, 0, 10) == -EFBIG, "further than there is");
	ok(read_file(c, h, 0, 0, 0) == -EINVAL, "nothing");
	ok(packet(c, FS_WRITE, h, 0, 0, 10) == -EBADF &&
	   packet(c, FS_SYNC, h, 0, 0, 0) == 0 &&
	   packet(c, 77, h, 0, 0, 10) == -EINVAL, "write, sync, unknown");
	ok(read_file(c, h, 0, 0, (1 << 20) + 1) == -EINVAL, "too much");
	ok(read_file(c, h, 0, (2 << 20) - 9, 10) == -EINVAL, "over the data");
	ok(read_file(c, h, 0, ~0u, 10) == -EINVAL, "data offset wraps");
	ok(read_file(c, h + 1, 0, 0, 10) == -EBADF &&
	   read_file(c, h + 64, 0, 0, 10) == -EBADF &&
	   read_file(c, ~0ull, 0, 0, 10) == -EBADF, "handles that are none");
	ok(call(c, FS_FSTAT, &h, 8, &st, sizeof(st)) == 0 &&
	   call(c, FS_STAT, "/file", 5, &st2, sizeof(st2)) == 0 &&
	   !memcmp(&st, &st2, sizeof(st)) && st.size == 5000, "stat, fstat");
	ok(open_file(c, "/a", &dir) == 0 &&
	   read_file(c, dir, 0, 0, 10) == -EISDIR, "directory");
	ok(call(c, FS_CLOSE, &h, 8, NULL, 0) == 0 &&
	   call(c, FS_CLOSE, &h, 8, NULL, 0) == -EBADF &&
	   call(c, FS_FSTAT, &h, 8, &st, sizeof(st)) == -EBADF,
	   "a closed handle is stale");
	call(c, FS_CLOSE, &dir, 8, NULL, 0);
}

static void test_handles(struct client *c)
{
	uint64_t h[FS_HANDLES], x;
	unsigned int n = 0;

	while (n < FS_HANDLES && !open_file(c, "/a/b/c/deep", &h[n]))
		n++;
	ok(n == FS_HANDLES, "%u handles", n);
	ok(open_file(c, "/file", &x) == -EMFILE, "not one more");
	call(c, FS_CLOSE, &h[5], 8, NULL, 0);
	ok(open_file(c, "/file", &x) == 0 && x != h[5], "after a close, another");
	h[5] = x;
	while (n--)
		call(c, FS_CLOSE, &h[n], 8, NULL, 0);
}

static void test_readdir(struct client *c)
{
	struct { struct fs_dirents head; uint8_t data[4080]; } rep;
	struct fs_readdir r = { .position = 0 };
	unsigned int total = 0, calls = 0, bad = 0, seen[700] = { 0 };

	open_file(c, "/many", &r.handle);
	do {
		struct rpc rpc = {
			.req = &r, .req_len = sizeof(r),
			.rep = &rep.head, .rep_len = sizeof(rep.head),
			.rep_tail = rep.data, .rep_tail_size = sizeof(rep.data),
		};
		size_t off = 0;

		if (rpc_call(c->cap, FS_READDIR, &rpc, fake_clock + 1))
			break;
		for (unsigned int i = 0; i < rep.head.count; i++) {
			struct fs_dirent *d = (void *)(rep.data + off);
			char name[256] = "";
			unsigned int k;

			memcpy(name, d + 1, d->name_len);
			if (sscanf(name, "file number %u with", &k) == 1)
				seen[k]++;
			off += sizeof(*d) + ((d->name_len + 7) & ~7);
		}
		bad += off != rpc.rep_tail_len;
		total += rep.head.count;
		r.position = rep.head.next;
		calls++;
	} while (r.position);
	for (unsigned int i = 0; i < 700; i++)
		bad += seen[i] != 1;
	ok(total == 702 && !bad && calls > 8, "702 entries in %u calls", calls);
	call(c, FS_CLOSE, &r.handle, 8, NULL, 0);
}

static void test_links_and_info(struct client *c)
{
	char target[4096] = "";
	struct rpc r = {
		.tail = "/absolute", .tail_len = 9,
		.rep_tail = target, .rep_tail_size = sizeof(target),
	};
	struct fs_info info;
	struct fs_stat st;

	ok(rpc_call(c->cap, FS_READLINK, &r, fake_clock + 1) == 0 &&
	   r.rep_tail_len == 11 && !memcmp(target, "/a/b/c/deep", 11),
	   "readlink");
	ok(call(c, FS_READLINK, "/file", 5, NULL, 0) == -EINVAL, "of a file");
	ok(call(c, FS_STAT, "/absolute", 9, &st, sizeof(st)) == 0 &&
	   (st.mode & 0170000) == 0120000, "stat does not follow");
	ok(call(c, FS_INFO, NULL, 0, &info, sizeof(info)) == 0 &&
	   !strcmp(info.type, "ext4") && info.clean == 1, "info");
}

static void test_requests(struct client *c)
{
	char longest[FS_PATH_MAX + 1];
	struct fs_stat st;
	uint64_t h;

	ok(call(c, 0, NULL, 0, NULL, 0) == -ENOSYS &&
	   call(c, FS_WATCH, NULL, 0, NULL, 0) == -ENOSYS &&
	   call(c, ~0ull, NULL, 0, NULL, 0) == -ENOSYS, "unknown methods");
	ok(call(c, FS_MKDIR, "/x", 2, NULL, 0) == -EROFS &&
	   call(c, FS_TRUNCATE, NULL, 0, NULL, 0) == -EROFS &&
	   call(c, FS_OPEN, "\1\0\0\0\0\0\0\0/file", 13, &h, 8) == -EROFS,
	   "nothing can be changed");
	for (uint64_t m = FS_OPEN; m <= FS_READLINK; m++)
		ok(m == FS_RUN || m == FS_STREAM || call(c, m, "1234567", m == FS_STAT ||
		   m == FS_READLINK ? 0 : 7, NULL, 0) == -EINVAL,
		   "method %u: short request", (unsigned int)m);
	memset(longest, '/', sizeof(longest));
	ok(call(c, FS_STAT, longest, FS_PATH_MAX, NULL, 0) == -ENAMETOOLONG,
	   "long path");
	ok(call(c, FS_STAT, "/fi\0le", 6, NULL, 0) == -EINVAL, "NUL in a path");
	ok(call(c, FS_STAT, "/file\0", 6, &st, sizeof(st)) == 0, "NUL at its end");
	ok(call(c, FS_STAT, "file", 4, NULL, 0) == -EINVAL, "relative path");
}

static void test_root(void)
{
	struct { struct fs_dirents head; uint8_t data[4080]; } rep;
	struct rpc rpc = {
		.rep = &rep.head, .rep_len = sizeof(rep.head),
		.rep_tail = rep.data, .rep_tail_size = sizeof(rep.data),
	};
	struct fs_readdir r = { .position = 0 };
	struct client c = { .data = NULL };
	struct fs_stat st;
	unsigned int own = 0;

	ok(open_session(&c, "root=/nothing") == -ENOENT, "root: not there");
	ok(open_session(&c, "root=/file") == -ENOTDIR, "root: a file");
	ok(open_session(&c, "root=/a") == 0, "root: /a");
	ok(call(&c, FS_STAT, "/b/c/deep", 9, &st, sizeof(st)) == 0, "below it");
	ok(call(&c, FS_STAT, "/../file", 8, &st, sizeof(st)) == -ENOENT,
	   "beside it");
	ok(call(&c, FS_STAT, "/..", 3, &st, sizeof(st)) == 0, "above it");
	open_file(&c, "/", &r.handle);
	rpc.req = &r;
	rpc.req_len = sizeof(r);
	rpc_call(c.cap, FS_READDIR, &rpc, fake_clock + 1);
	for (size_t off = 0; off < rpc.rep_tail_len;) {
		struct fs_dirent *d = (void *)(rep.data + off);

		own += d->inode == st.inode;
		off += sizeof(*d) + ((d->name_len + 7) & ~7);
	}
	ok(own == 2, ". and .. of the root are the root");
	close_session(&c);
}

static void test_sessions(void)
{
	struct parent_request poor = { .ram = 4096, .caps = 8 };
	static struct client c[FS_SESSIONS + 1];
	void *session;
	unsigned int n = 0;

	ok(fs_session_open(&server, &poor, &session) == -EDQUOT,
	   "too little donated");
	while (n <= FS_SESSIONS && !open_session(&c[n], ""))
		n++;
	ok(n == FS_SESSIONS, "%u sessions, not more", n);
	while (n--)
		close_session(&c[n]);
	ok(server.sessions == 0, "all closed");
}

int main(void)
{
	struct client c = { .data = NULL };

	ep_init(&ep);
	ok(open_session(&c, "") == -ENODEV, "no volume: its error");
	tree_make();
	ok(!image_make(&im, "-t ext4 -b 1024", 16384) &&
	   !volume_open(&vol, &im.source), "volume");
	ok(open_session(&c, "") == 0, "session");
	test_files(&c);
	test_handles(&c);
	test_readdir(&c);
	test_links_and_info(&c);
	test_requests(&c);
	close_session(&c);
	test_root();
	test_sessions();
	ok(fake_open_fds() == 0 && fake_mappings == 0, "nothing left");
	volume_close(&vol);
	image_free(&im);
	tree_remove();
	return tap_end();
}
