// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <pith/rpc.h>

#include "fs_client.h"

#define CONNECT_TIMEOUT	PITH_SEC(10)
#define CALL_TIMEOUT	PITH_SEC(35)	/* the server itself gives up at 30 s */
#define READ_SLICE	PITH_SEC(1)	/* first wait of a read */
#define ATTEMPTS	4		/* connections tried for one operation */

void fs_init(struct fs_client *fs, int (*interrupted)(void *ctx), void *ctx)
{
	*fs = (struct fs_client){
		.session = { .cap = -1 },
		.mem = -1,
		.shared = -1,
		.interrupted = interrupted,
		.ctx = ctx,
	};
}

int fs_connected(const struct fs_client *fs)
{
	return fs->session.cap >= 0;
}

static int interrupted(struct fs_client *fs)
{
	return fs->interrupted && fs->interrupted(fs->ctx);
}

/* The session is of no use any more, whoever's fault it is. */
static int is_dead(int err)
{
	return err == -EPIPE || err == -ECONNRESET;
}

/* --- connection --------------------------------------------------------------- */

static int make_buffer(struct fs_client *fs)
{
	int err;

	if (fs->buffer)
		return 0;
	fs->mem = pith_mem_create(-1, FS_BUFFER_SIZE, 0);
	if (fs->mem < 0)
		return fs->mem;
	err = fs->shared = pith_mint(fs->mem, PITH_R_READ | PITH_R_WRITE);
	if (fs->shared < 0)
		goto close_mem;
	fs->buffer = pith_map(fs->mem, 0, FS_BUFFER_SIZE, PITH_MAP_READ, &err);
	if (!fs->buffer)
		goto close_shared;
	return 0;

close_shared:
	pith_close(fs->shared);
close_mem:
	pith_close(fs->mem);
	return err;
}

static void disconnect(struct fs_client *fs)
{
	env_close(&fs->session);
	fs->session.cap = -1;
}

/* A call that timed out may still have taken effect (an open file): only a new
 * session is known to be clean. */
static int call(struct fs_client *fs, uint64_t method, struct rpc *r)
{
	int err = rpc_call(fs->session.cap, method, r,
			   pith_now() + CALL_TIMEOUT);

	if (is_dead(err) || err == -ETIMEDOUT)
		disconnect(fs);
	return err;
}

static int connect(struct fs_client *fs)
{
	struct rpc r = { .caps = &fs->shared, .ncaps = 1 };
	int err;

	if (fs_connected(fs))
		return 0;
	err = make_buffer(fs);
	if (err < 0)
		return err;
	err = env_session(&fs->session, "File_system", "", "", NULL,
			  pith_now() + CONNECT_TIMEOUT);
	if (err < 0) {
		fs->session.cap = -1;
		return err;
	}
	err = call(fs, FS_BUFFER, &r);
	if (err < 0) {
		disconnect(fs);
		return err;
	}
	fs->generation++;
	return 0;
}

/* --- files --------------------------------------------------------------------- */

static int same_file(const struct fs_stat *a, const struct fs_stat *b)
{
	return a->inode == b->inode && a->size == b->size &&
	       a->mode == b->mode && a->mtime == b->mtime;
}

static void close_handle(struct fs_client *fs, uint64_t handle)
{
	struct fs_handle req = { handle };
	struct rpc r = { .req = &req, .req_len = sizeof(req) };

	call(fs, FS_CLOSE, &r);
}

/* Open f->path on the present connection. */
static int open_handle(struct fs_file *f, struct fs_stat *st)
{
	struct fs_client *fs = f->fs;
	struct fs_handle h;
	struct rpc open = { .tail = f->path, .tail_len = strlen(f->path),
			    .rep = &h, .rep_len = sizeof(h) };
	struct rpc stat = { .req = &h, .req_len = sizeof(h),
			    .rep = st, .rep_len = sizeof(*st) };
	int err;

	err = call(fs, FS_OPEN, &open);
	if (err < 0)
		return err;
	err = call(fs, FS_FSTAT, &stat);
	if (err < 0) {
		if (fs_connected(fs))
			close_handle(fs, h.handle);
		return err;
	}
	f->handle = h.handle;
	f->generation = fs->generation;
	return 0;
}

/* Make sure that @f is open on a live connection. */
static int revive(struct fs_file *f)
{
	struct fs_stat st;
	int err = connect(f->fs);

	if (err < 0 || f->generation == f->fs->generation)
		return err;
	err = open_handle(f, &st);
	if (err < 0)
		return err;
	if (same_file(&st, &f->stat))
		return 0;
	fs_close(f);
	return -ESTALE;
}

/* One way to do an operation, and again on a new connection if that died. */
typedef int (*operation)(struct fs_client *fs, void *arg);

static int insist(struct fs_client *fs, operation op, void *arg)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ATTEMPTS; i++) {
		if (interrupted(fs))
			return -EINTR;
		err = op(fs, arg);
		if (!is_dead(err))
			break;
		disconnect(fs);
	}
	return err;
}

struct simple {
	uint64_t method;
	struct rpc rpc;
};

static int simple_op(struct fs_client *fs, void *arg)
{
	struct simple *s = arg;
	int err = connect(fs);

	return err < 0 ? err : call(fs, s->method, &s->rpc);
}

static int path_call(struct fs_client *fs, uint64_t method, const char *path,
		     struct simple *s)
{
	if (strlen(path) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	s->method = method;
	s->rpc.tail = path;
	s->rpc.tail_len = strlen(path);
	return insist(fs, simple_op, s);
}

int fs_stat(struct fs_client *fs, const char *path, struct fs_stat *st)
{
	struct simple s = { .rpc = { .rep = st, .rep_len = sizeof(*st) } };

	return path_call(fs, FS_STAT, path, &s);
}

int fs_readlink(struct fs_client *fs, const char *path, char *buf, size_t size)
{
	struct simple s = { .rpc = { .rep_tail = buf,
				     .rep_tail_size = size - 1 } };
	int err = path_call(fs, FS_READLINK, path, &s);

	if (err < 0)
		return err;
	buf[s.rpc.rep_tail_len] = '\0';
	return s.rpc.rep_tail_len;
}

int fs_info(struct fs_client *fs, struct fs_info *info)
{
	struct simple s = { .method = FS_INFO,
			    .rpc = { .rep = info, .rep_len = sizeof(*info) } };
	int err = insist(fs, simple_op, &s);

	if (err < 0)
		return err;
	info->type[sizeof(info->type) - 1] = '\0';
	info->name[sizeof(info->name) - 1] = '\0';
	info->uuid[sizeof(info->uuid) - 1] = '\0';
	return 0;
}

static int open_op(struct fs_client *fs, void *arg)
{
	struct fs_file *f = arg;
	int err = connect(fs);

	return err < 0 ? err : open_handle(f, &f->stat);
}

int fs_open(struct fs_client *fs, struct fs_file *f, const char *path)
{
	size_t len = strlen(path);

	if (len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	f->fs = fs;
	f->generation = 0;
	memcpy(f->path, path, len + 1);
	return insist(fs, open_op, f);
}

void fs_close(struct fs_file *f)
{
	if (fs_connected(f->fs) && f->generation == f->fs->generation)
		close_handle(f->fs, f->handle);
	f->generation = 0;
}

/* --- reading --------------------------------------------------------------------- */

struct pread {
	struct fs_file *f;
	struct fs_read req;
	struct fs_count rep;
};

/* Waits in growing slices so that the user can give up. Asking again is safe:
 * the server does one call after the other. */
static int sliced_call(struct fs_client *fs, uint64_t method, struct rpc *r)
{
	uint64_t now = pith_now(), end = now + CALL_TIMEOUT, slice = READ_SLICE;
	int err;

	for (;; slice *= 2) {
		err = rpc_call(fs->session.cap, method, r,
			       now + slice < end ? now + slice : end);
		if (err != -ETIMEDOUT)
			break;
		now = pith_now();
		if (now >= end)
			break;
		if (interrupted(fs))
			return -EINTR;
	}
	if (is_dead(err) || err == -ETIMEDOUT)
		disconnect(fs);
	return err;
}

static int pread_op(struct fs_client *fs, void *arg)
{
	struct pread *p = arg;
	struct rpc r = { .req = &p->req, .req_len = sizeof(p->req),
			 .rep = &p->rep, .rep_len = sizeof(p->rep) };
	int err = revive(p->f);

	if (err < 0)
		return err;
	p->req.handle = p->f->handle;
	return sliced_call(fs, FS_READ, &r);
}

int fs_pread(struct fs_file *f, uint64_t offset, size_t len, const void **data)
{
	struct pread p = { .f = f, .req = { .offset = offset } };
	int err;

	p.req.len = len < FS_BUFFER_SIZE ? len : FS_BUFFER_SIZE;
	if (!p.req.len)
		return 0;
	err = insist(f->fs, pread_op, &p);
	if (err < 0)
		return err;
	if (p.rep.count > p.req.len)
		return -EPROTO;
	*data = f->fs->buffer;
	return p.rep.count;
}

struct readdir {
	struct fs_file *f;
	struct fs_dir *d;
	struct fs_dirents rep;
};

static int readdir_op(struct fs_client *fs, void *arg)
{
	struct readdir *rd = arg;
	struct fs_dir *d = rd->d;
	uint64_t generation = rd->f->generation;
	struct fs_readdir req = { .position = d->position };
	struct rpc r = { .req = &req, .req_len = sizeof(req),
			 .rep = &rd->rep, .rep_len = sizeof(rd->rep),
			 .rep_tail = d->data, .rep_tail_size = sizeof(d->data) };
	int err = revive(rd->f);

	if (err < 0)
		return err;
	/* A position means something only to the server that gave it. */
	if (d->position && generation != rd->f->generation)
		return -ESTALE;
	req.handle = rd->f->handle;
	err = call(fs, FS_READDIR, &r);
	if (err < 0)
		return err;
	d->len = r.rep_tail_len;
	return 0;
}

int fs_readdir(struct fs_file *f, struct fs_dir *d)
{
	struct readdir rd = { .f = f, .d = d };
	uint64_t generation = f->generation;
	int err = insist(f->fs, readdir_op, &rd);

	if (err == -ESTALE && generation != f->generation && d->position)
		return -ECONNRESET;
	if (err < 0)
		return err;
	/* An empty part that claims to go on would loop for ever. */
	if (rd.rep.next && !rd.rep.count)
		return -EPROTO;
	d->position = rd.rep.next;
	d->count = rd.rep.count;
	d->at = 0;
	return 0;
}

int fs_dirent_next(struct fs_dir *d, uint8_t *type, char name[FS_NAME_MAX])
{
	struct fs_dirent e;
	size_t left = d->len - d->at, padded;

	if (!d->count)
		return 0;
	if (left < sizeof(e))
		return -EPROTO;
	memcpy(&e, d->data + d->at, sizeof(e));
	padded = (e.name_len + 7u) & ~7u;
	if (!e.name_len || padded > left - sizeof(e))
		return -EPROTO;
	memcpy(name, d->data + d->at + sizeof(e), e.name_len);
	name[e.name_len] = '\0';
	if (strlen(name) != e.name_len || strchr(name, '/'))
		return -EPROTO;
	*type = e.type;
	d->at += sizeof(e) + padded;
	d->count--;
	return 1;
}
