// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/fs_client.h>
#include <pith/rpc.h>

#define CONNECT_TIMEOUT	PITH_SEC(10)
#define CALL_TIMEOUT	PITH_SEC(35)	/* the server itself gives up at 30 s */
#define READ_SLICE	PITH_SEC(1)	/* first wait of a read */
#define ATTEMPTS	4		/* connections tried for one operation */

void fs_init(struct fs_client *fs, int (*interrupted)(void *ctx), void *ctx)
{
	*fs = (struct fs_client){
		.session = { .cap = -1 },
		.label = "", .args = "",
		.mem = -1,
		.connect_timeout = CONNECT_TIMEOUT,
		.call_timeout = CALL_TIMEOUT,
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

void fs_disconnect(struct fs_client *fs)
{
	env_close(&fs->session);
	fs->session.cap = -1;
	if (fs->base)
		pith_unmap(fs->base, FS_DATA_OFFSET + FS_BUFFER_SIZE);
	pith_close(fs->mem);
	fs->base = NULL;
	fs->mem = -1;
	fs->outstanding = 0;
}

/* A call that timed out may still have taken effect (an open file): only a new
 * session is known to be clean. */
static int call(struct fs_client *fs, uint64_t method, struct rpc *r)
{
	int err = rpc_call(fs->session.cap, method, r,
			   pith_now() + fs->call_timeout);

	if (is_dead(err) || err == -ETIMEDOUT)
		fs_disconnect(fs);
	return err;
}

/* Memory for rings and data. */
static int make_stream(struct fs_client *fs)
{
	struct fs_rings *rings;
	int err;

	fs->mem = pith_mem_create(-1, FS_DATA_OFFSET + FS_BUFFER_SIZE, 0);
	if (fs->mem < 0)
		return fs->mem;
	fs->base = pith_map(fs->mem, 0, FS_DATA_OFFSET + FS_BUFFER_SIZE,
			    PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (!fs->base)
		return err;
	rings = (struct fs_rings *)fs->base;
	fs->requests = packet_side_of(&rings->requests);
	fs->completions = packet_side_of(&rings->completions);
	return 0;
}

/* Other memory each time: a server that was given up may still write to the old. */
static int open_stream(struct fs_client *fs)
{
	int err = make_stream(fs), shared;
	struct rpc r = { .caps = &shared, .ncaps = 1 };

	if (err)
		return err;
	shared = pith_mint(fs->mem, PITH_R_READ | PITH_R_WRITE);
	if (shared < 0)
		return shared;
	err = call(fs, FS_STREAM, &r);
	pith_close(shared);
	return err;
}

int fs_connect(struct fs_client *fs)
{
	static const struct session_quota quota = {
		FS_CLIENT_RAM, FS_CLIENT_CAPS,
	};
	int err;

	if (fs_connected(fs))
		return 0;
	err = env_session(&fs->session, "File_system", fs->label, fs->args,
			  &quota, pith_now() + fs->connect_timeout);
	if (err < 0) {
		fs->session.cap = -1;
		return err;
	}
	err = open_stream(fs);
	if (err < 0) {
		fs_disconnect(fs);
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

static int close_handle(struct fs_client *fs, uint64_t handle)
{
	struct fs_handle req = { handle };
	struct rpc r = { .req = &req, .req_len = sizeof(req) };

	return call(fs, FS_CLOSE, &r);
}

/* Open f->path on the present connection. */
static int open_handle(struct fs_file *f, struct fs_stat *st)
{
	struct fs_client *fs = f->fs;
	struct fs_open how = { .flags = f->flags };
	struct fs_handle h;
	struct rpc open = { .req = &how, .req_len = sizeof(how),
			    .tail = f->path, .tail_len = strlen(f->path),
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
	int err = fs_connect(f->fs);

	if (err < 0 || f->generation == f->fs->generation)
		return err;
	if (f->flags || !f->generation)
		return -ESTALE;
	err = open_handle(f, &st);
	if (err < 0)
		return err;
	if (same_file(&st, &f->stat))
		return 0;
	close_handle(f->fs, f->handle);
	f->generation = 0;
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
		fs_disconnect(fs);
	}
	return err;
}

/* For what must not be done twice. */
static int once(struct fs_client *fs, operation op, void *arg)
{
	int err = interrupted(fs) ? -EINTR : op(fs, arg);

	if (is_dead(err))
		fs_disconnect(fs);
	return err;
}

struct simple {
	uint64_t method;
	struct rpc rpc;
};

static int simple_op(struct fs_client *fs, void *arg)
{
	struct simple *s = arg;
	int err = fs_connect(fs);

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
	int err = fs_connect(fs);

	return err < 0 ? err : open_handle(f, &f->stat);
}

int fs_open_flags(struct fs_client *fs, struct fs_file *f, const char *path,
		  uint32_t flags)
{
	int err;

	*f = (struct fs_file) { .fs = fs, .flags = flags };
	if (strlen(path) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	f->path = strdup(path);
	if (!f->path)
		return -ENOMEM;
	err = flags ? once(fs, open_op, f) : insist(fs, open_op, f);
	if (err < 0) {
		free(f->path);
		f->path = NULL;
	}
	return err;
}

int fs_open(struct fs_client *fs, struct fs_file *f, const char *path)
{
	return fs_open_flags(fs, f, path, 0);
}

int fs_close(struct fs_file *f)
{
	int err = 0;

	if (fs_connected(f->fs) && f->generation == f->fs->generation)
		err = close_handle(f->fs, f->handle);
	else if (f->generation)
		err = -EPIPE;
	f->generation = 0;
	free(f->path);
	f->path = NULL;
	return f->flags ? err : 0;
}

/* --- content ---------------------------------------------------------------------- */

/* Waits in growing slices so that the user can give up. Asking again is safe: what
 * was carried out meanwhile is in the ring. */
static int run(struct fs_client *fs)
{
	uint64_t now = pith_now(), end = now + fs->call_timeout;
	uint64_t slice = READ_SLICE;
	struct rpc r = { .req = NULL };
	int err;

	for (;; slice *= 2) {
		err = rpc_call(fs->session.cap, FS_RUN, &r,
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
		fs_disconnect(fs);
	return err;
}

/* Take completions up to that of the last packet; older ones are of packets that
 * somebody gave up waiting for. */
static int take(struct fs_client *fs, uint32_t len)
{
	struct fs_completion c;

	while (fs->outstanding) {
		if (packet_get(&fs->completions, &c, sizeof(c)) != 1 ||
		    c.tag != fs->tag - --fs->outstanding || c.status >= 4096 ||
		    (!fs->outstanding && c.count > len)) {
			fs_disconnect(fs);
			return -EPROTO;
		}
		if (!fs->outstanding)
			return c.status ? -(int)c.status : (int)c.count;
	}
	return 0;
}

/* What was given up must be over before the data area is used again. */
static int settle(struct fs_client *fs)
{
	int err = fs->outstanding ? run(fs) : 0;

	return err < 0 ? err : take(fs, UINT32_MAX) == -EPROTO ? -EPROTO : 0;
}

/* One packet of @f, with its bytes at the begin of the data area. */
struct io {
	struct fs_file *f;
	struct fs_packet p;
	const void *from;	/* to write, else NULL */
};

static int io_op(struct fs_client *fs, void *arg)
{
	struct io *io = arg;
	int err = revive(io->f);

	if (!err)
		err = settle(fs);
	if (err < 0)
		return err;
	io->p.handle = io->f->handle;
	io->p.tag = ++fs->tag;
	if (io->from)
		memcpy(fs->base + FS_DATA_OFFSET, io->from, io->p.len);
	packet_put(&fs->requests, &io->p, sizeof(io->p));
	fs->outstanding = 1;
	err = run(fs);
	return err < 0 ? err : take(fs, io->p.len);
}

static uint32_t in_buffer(size_t len)
{
	return len < FS_BUFFER_SIZE ? len : FS_BUFFER_SIZE;
}

int fs_pread(struct fs_file *f, uint64_t offset, size_t len, const void **data)
{
	struct io io = { .f = f, .p = { .op = FS_READ, .offset = offset,
					.len = in_buffer(len) } };
	int got;

	if (!len)
		return 0;
	got = f->flags ? once(f->fs, io_op, &io) : insist(f->fs, io_op, &io);
	*data = got < 0 ? NULL : f->fs->base + FS_DATA_OFFSET;
	return got;
}

int fs_pwrite(struct fs_file *f, uint64_t offset, const void *data, size_t len)
{
	struct io io = { .f = f, .from = data,
			 .p = { .op = FS_WRITE, .offset = offset,
				.len = in_buffer(len) } };

	return len ? once(f->fs, io_op, &io) : 0;
}

int fs_write_all(struct fs_file *f, uint64_t offset, const void *data,
		 size_t len)
{
	const uint8_t *from = data;
	int n;

	for (; len; len -= n, from += n, offset += n) {
		n = fs_pwrite(f, offset, from, len);
		if (n <= 0)
			return n < 0 ? n : -EPROTO;
	}
	return 0;
}

int fs_sync(struct fs_file *f)
{
	struct io io = { .f = f, .p = { .op = FS_SYNC } };

	return once(f->fs, io_op, &io);
}

/* --- changing names ----------------------------------------------------------------- */

static int change(struct fs_client *fs, uint64_t method, const void *req,
		  size_t req_len, const void *tail, size_t tail_len)
{
	struct simple s = { .method = method,
			    .rpc = { .req = req, .req_len = req_len,
				     .tail = tail, .tail_len = tail_len } };

	return once(fs, simple_op, &s);
}

static int change_path(struct fs_client *fs, uint64_t method, const char *path)
{
	size_t len = strlen(path);

	return len >= FS_PATH_MAX ? -ENAMETOOLONG :
	       change(fs, method, NULL, 0, path, len);
}

static int change_two(struct fs_client *fs, uint64_t method, const char *a,
		      const char *b)
{
	struct fs_two req = { .first_len = strlen(a) };
	char both[2 * FS_PATH_MAX];
	size_t b_len = strlen(b);

	if (strlen(a) >= FS_PATH_MAX || b_len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(both, a, req.first_len);
	memcpy(both + req.first_len, b, b_len);
	return change(fs, method, &req, sizeof(req), both,
		      req.first_len + b_len);
}

int fs_mkdir(struct fs_client *fs, const char *path)
{
	return change_path(fs, FS_MKDIR, path);
}

int fs_unlink(struct fs_client *fs, const char *path)
{
	return change_path(fs, FS_UNLINK, path);
}

int fs_rename(struct fs_client *fs, const char *from, const char *to)
{
	return change_two(fs, FS_RENAME, from, to);
}

int fs_symlink(struct fs_client *fs, const char *path, const char *target)
{
	return change_two(fs, FS_SYMLINK, path, target);
}

struct fstat {
	struct fs_file *f;
	struct fs_stat *st;
};

static int fstat_op(struct fs_client *fs, void *arg)
{
	struct fstat *op = arg;
	struct fs_handle req;
	struct rpc r = { .req = &req, .req_len = sizeof(req),
			 .rep = op->st, .rep_len = sizeof(*op->st) };
	int err = revive(op->f);

	req.handle = op->f->handle;
	return err < 0 ? err : call(fs, FS_FSTAT, &r);
}

int fs_fstat(struct fs_file *f, struct fs_stat *st)
{
	struct fstat op = { f, st };

	return f->flags ? once(f->fs, fstat_op, &op) :
			  insist(f->fs, fstat_op, &op);
}

int fs_truncate(struct fs_file *f, uint64_t size)
{
	struct fs_truncate req = { .size = size };
	int err = revive(f);

	if (err < 0)
		return err;
	req.handle = f->handle;
	return change(f->fs, FS_TRUNCATE, &req, sizeof(req), NULL, 0);
}

int fs_watch(struct fs_client *fs, const char *path, int notification,
	     uint64_t *handle)
{
	int signal = pith_mint(notification, PITH_R_SIGNAL), err;
	struct fs_handle h = { 0 };
	struct simple s = { .method = FS_WATCH,
			    .rpc = { .tail = path, .tail_len = strlen(path),
				     .rep = &h, .rep_len = sizeof(h),
				     .caps = &signal, .ncaps = 1 } };

	if (signal < 0)
		return signal;
	err = once(fs, simple_op, &s);
	pith_close(signal);
	*handle = h.handle;
	return err;
}

void fs_unwatch(struct fs_client *fs, uint64_t handle)
{
	if (fs_connected(fs))
		close_handle(fs, handle);
}

/* --- directories -------------------------------------------------------------------- */

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

int fs_dirent_get(struct fs_dir *d, struct fs_dirent *e, char name[FS_NAME_MAX])
{
	size_t left = d->len - d->at, padded;

	if (!d->count)
		return 0;
	if (left < sizeof(*e))
		return -EPROTO;
	memcpy(e, d->data + d->at, sizeof(*e));
	padded = (e->name_len + 7u) & ~7u;
	if (!e->name_len || !e->next || padded > left - sizeof(*e))
		return -EPROTO;
	memcpy(name, d->data + d->at + sizeof(*e), e->name_len);
	name[e->name_len] = '\0';
	if (strlen(name) != e->name_len || strchr(name, '/'))
		return -EPROTO;
	d->at += sizeof(*e) + padded;
	d->count--;
	return 1;
}

int fs_dirent_next(struct fs_dir *d, uint8_t *type, char name[FS_NAME_MAX])
{
	struct fs_dirent e;
	int ret = fs_dirent_get(d, &e, name);

	if (ret > 0)
		*type = e.type;
	return ret;
}
