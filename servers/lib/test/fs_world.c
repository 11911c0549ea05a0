// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pith/rpc.h>

#include "fake_pith.h"
#include "fs_world.h"

int raw_open(struct raw *r, struct fs_server *server, const char *label,
	     const char *args, uint64_t ram, uint64_t caps)
{
	struct parent_request req = {
		.kind = PARENT_REQ_CREATE, .ram = ram, .caps = caps,
	};

	*r = (struct raw) { .server = server, .mem = -1, .kick = -1 };
	snprintf(req.label, sizeof(req.label), "%s", label);
	snprintf(req.args, sizeof(req.args), "%s", args);
	r->cap = fs_server_open(server, &req, &r->session);
	return r->cap < 0 ? r->cap : 0;
}

void raw_close(struct raw *r)
{
	fs_server_close(r->server, r->session);
	pith_close(r->cap);
	pith_close(r->mem);
	pith_close(r->kick);
}

int raw_call(struct raw *r, uint64_t method, const void *req, size_t len,
	     void *rep, size_t rep_len)
{
	return rpc_simple(r->cap, method, req, len, rep, rep_len,
			  fake_clock + 1);
}

int raw_path(struct raw *r, uint64_t method, const char *path)
{
	return raw_call(r, method, path, strlen(path), NULL, 0);
}

int raw_two(struct raw *r, uint64_t method, const char *a, const char *b)
{
	struct {
		struct fs_two head;
		char text[2 * FS_PATH_MAX];
	} req = { .head.first_len = strlen(a) };

	snprintf(req.text, sizeof(req.text), "%s%s", a, b);
	return raw_call(r, method, &req, sizeof(req.head) + strlen(req.text),
			NULL, 0);
}

int64_t raw_file(struct raw *r, const char *path, uint32_t flags)
{
	struct {
		struct fs_open head;
		char text[FS_PATH_MAX];
	} req = { .head.flags = flags };
	struct fs_handle h;
	int err;

	snprintf(req.text, sizeof(req.text), "%s", path);
	err = raw_call(r, FS_OPEN, &req, sizeof(req.head) + strlen(path), &h,
		       sizeof(h));
	return err ? err : (int64_t)h.handle;
}

int raw_shut(struct raw *r, int64_t handle)
{
	struct fs_handle h = { handle };

	return raw_call(r, FS_CLOSE, &h, sizeof(h), NULL, 0);
}

int64_t raw_watch(struct raw *r, const char *path, int notification)
{
	struct fs_handle h;
	struct rpc rpc = { .tail = path, .tail_len = strlen(path),
			   .caps = &notification, .ncaps = 1,
			   .rep = &h, .rep_len = sizeof(h) };
	int err = rpc_call(r->cap, FS_WATCH, &rpc, fake_clock + 1);

	return err ? err : (int64_t)h.handle;
}

int raw_stat(struct raw *r, const char *path, struct fs_stat *st)
{
	return raw_call(r, FS_STAT, path, strlen(path), st, sizeof(*st));
}

int raw_stream(struct raw *r, uint64_t size, int sigh)
{
	int mem = pith_mem_create(-1, FS_DATA_OFFSET + size, 0), kick, err;
	int caps[2] = { mem, sigh };
	struct rpc rpc = { .caps = caps, .ncaps = 1 + (sigh >= 0),
			   .rep_caps = &kick, .nrep_caps = 1 };

	if (mem < 0)
		return mem;
	err = rpc_call(r->cap, FS_STREAM, &rpc, fake_clock + 1);
	if (err) {
		pith_close(mem);
		return err;
	}
	r->mem = mem;
	r->kick = kick;
	r->rings = fake_memory(r->mem);
	r->data = (uint8_t *)r->rings + FS_DATA_OFFSET;
	r->requests = packet_side_of(&r->rings->requests);
	r->completions = packet_side_of(&r->rings->completions);
	return 0;
}

void raw_put(struct raw *r, uint32_t op, uint64_t handle, uint64_t offset,
	     uint32_t data, uint32_t len)
{
	struct fs_packet p = { handle, offset, data, len, op, ++r->tag };

	packet_put(&r->requests, &p, sizeof(p));
}

int raw_run(struct raw *r)
{
	return raw_call(r, FS_RUN, NULL, 0, NULL, 0);
}

int64_t raw_get(struct raw *r, uint32_t tag)
{
	struct fs_completion c;

	if (packet_get(&r->completions, &c, sizeof(c)) != 1 || c.tag != tag ||
	    c.zero || (c.status && c.count))
		return -EPROTO;
	return c.status ? -(int64_t)c.status : c.count;
}

int64_t raw_io(struct raw *r, uint32_t op, uint64_t handle, uint64_t offset,
	       uint32_t len)
{
	int err;

	raw_put(r, op, handle, offset, 0, len);
	err = raw_run(r);
	return err ? err : raw_get(r, r->tag);
}

int64_t raw_write(struct raw *r, uint64_t handle, uint64_t offset,
		  const char *text)
{
	memcpy(r->data, text, strlen(text));
	return raw_io(r, FS_WRITE, handle, offset, strlen(text));
}

bool raw_reads(struct raw *r, uint64_t handle, const char *text)
{
	return raw_io(r, FS_READ, handle, 0, 4096) == (int64_t)strlen(text) &&
	       !memcmp(r->data, text, strlen(text));
}

static int list_some(struct raw *r, struct fs_readdir *req, char *out,
		     size_t size)
{
	struct { struct fs_dirents head; uint8_t data[PITH_MSG_BYTES]; } rep;
	struct rpc rpc = { .req = req, .req_len = sizeof(*req),
			   .rep = &rep.head, .rep_len = sizeof(rep.head),
			   .rep_tail = rep.data, .rep_tail_size = sizeof(rep.data) };
	int err = rpc_call(r->cap, FS_READDIR, &rpc, fake_clock + 1);
	size_t at = 0;

	if (err)
		return err;
	for (unsigned int i = 0; i < rep.head.count; i++) {
		struct fs_dirent *d = (void *)(rep.data + at);
		size_t len = strlen(out);

		snprintf(out + len, size - len, "%.*s ", d->name_len,
			 (const char *)(d + 1));
		at += sizeof(*d) + ((d->name_len + 7u) & ~7u);
	}
	req->position = rep.head.next;
	return at == rpc.rep_tail_len ? 0 : -EPROTO;
}

const char *raw_list(struct raw *r, const char *path)
{
	static char out[65536];
	int64_t dir = raw_file(r, path, 0);
	struct fs_readdir req = { .handle = dir };
	int err;

	out[0] = 0;
	if (dir < 0)
		return "?";
	do {
		err = list_some(r, &req, out, sizeof(out));
	} while (!err && req.position);
	raw_shut(r, dir);
	return err ? "?" : out;
}
