// SPDX-License-Identifier: BSD-2-Clause
/*
 * File_system sessions. Each method checks all that the client said, makes the
 * path canonical, and only then asks the file system.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

#include "fs_server.h"
#include "fs_stream.h"
#include "policy.h"

#define HANDLE_COST	64u	/* besides the path: what malloc() takes */

enum handle_kind {
	HANDLE_FREE,
	HANDLE_FILE,		/* @file is open */
	HANDLE_WATCH,		/* @sigh is signalled */
};

/* What a handle stands for. The number is index and generation: an old one finds
 * nothing. */
struct handle {
	enum handle_kind kind;
	uint32_t generation;
	char *path;		/* canonical; NULL: it was renamed, see there */
	uint64_t cost;
	void *file;		/* or what the file system has of a watch */
	bool writeable, dirty;	/* dirty: watchers have not been told yet */
	int sigh;
};

struct fs_session {
	struct fs_server *server;
	struct fs_session *next;
	uint64_t badge;
	uint64_t ram, caps;	/* what the client can still make us keep */
	bool writeable;
	char root[FS_PATH_MAX];	/* canonical */
	struct fs_stream stream;
	struct handle handles[FS_SERVER_HANDLES];
};

_Static_assert(sizeof(struct fs_session) <= FS_SERVER_BOOKS - 4096,
	       "the books are paid for");

/* --- who is told --------------------------------------------------------------- */

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

void fs_server_changed(struct fs_server *server, const char *path)
{
	for (struct fs_session *s = server->sessions; s; s = s->next)
		for (unsigned int i = 0; i < FS_SERVER_HANDLES; i++)
			if (s->handles[i].kind == HANDLE_WATCH &&
			    fs_concerns(path, s->handles[i].path))
				pith_signal(s->handles[i].sigh, 1);
}

static void tell(struct fs_session *s, struct handle *h)
{
	if (h->dirty && h->path)
		fs_server_changed(s->server, h->path);
	h->dirty = false;
}

/* --- handles --------------------------------------------------------------------- */

static struct handle *handle_of(struct fs_session *s, uint64_t number)
{
	struct handle *h = &s->handles[number % FS_SERVER_HANDLES];

	return h->kind != HANDLE_FREE &&
	       number / FS_SERVER_HANDLES == h->generation ? h : NULL;
}

static struct handle *file_of(struct fs_session *s, uint64_t number)
{
	struct handle *h = handle_of(s, number);

	return h && h->kind == HANDLE_FILE ? h : NULL;
}

/* A free handle that keeps @path; it is not taken until its kind is set. */
static int handle_new(struct fs_session *s, const char *path,
		      struct handle **handle)
{
	size_t len = strlen(path) + 1;
	uint64_t cost = (len + HANDLE_COST) * (1 + s->server->fs->weight);
	struct handle *h = s->handles;

	while (h < s->handles + FS_SERVER_HANDLES && h->kind != HANDLE_FREE)
		h++;
	if (h == s->handles + FS_SERVER_HANDLES)
		return -EMFILE;
	if (cost > s->ram)
		return -EDQUOT;
	h->path = malloc(len);
	if (!h->path)
		return -ENOMEM;
	memcpy(h->path, path, len);
	h->cost = cost;
	h->sigh = -1;
	h->file = NULL;
	h->dirty = h->writeable = false;
	*handle = h;
	return 0;
}

static int handle_take(struct fs_session *s, struct handle *h,
		       enum handle_kind kind, struct ep_request *in)
{
	struct fs_handle rep = {
		(uint64_t)h->generation * FS_SERVER_HANDLES + (h - s->handles),
	};

	h->kind = kind;
	s->ram -= h->cost;
	return ep_reply_data(s->server->ep, in, &rep, sizeof(rep));
}

static void handle_close(struct fs_session *s, struct handle *h)
{
	struct fs *fs = s->server->fs;

	if (h->kind == HANDLE_FILE) {
		fs->ops->close(fs, h->file);
	} else {
		if (fs->ops->unwatch)
			fs->ops->unwatch(fs, h->file);
		s->caps++;
	}
	tell(s, h);
	pith_close(h->sigh);
	free(h->path);
	s->ram += h->cost;
	h->kind = HANDLE_FREE;
	h->generation++;
}

/* --- paths ------------------------------------------------------------------------- */

/* @len bytes at @p as a text; a NUL at the end is accepted. */
static int get_text(const char *p, size_t len, char out[FS_PATH_MAX])
{
	if (len && !p[len - 1])
		len--;
	if (len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	if (memchr(p, 0, len))
		return -EINVAL;
	memcpy(out, p, len);
	out[len] = 0;
	return 0;
}

static int resolve(struct fs_session *s, const char *p, size_t len,
		   unsigned int how, char path[FS_PATH_MAX])
{
	char text[FS_PATH_MAX];
	int err = get_text(p, len, text);

	return err ? err : fs_resolve(s->server->fs, s->root, text, how, path);
}

/* The path that is all of the request after its struct of @head bytes. */
static int path_after(struct fs_session *s, struct ep_request *in, size_t head,
		      unsigned int how, char path[FS_PATH_MAX])
{
	return resolve(s, (const char *)in->data + head, in->len - head, how,
		       path);
}

/* The same to change something there: not the session's root. */
static int path_to_change(struct fs_session *s, const char *p, size_t len,
			  char path[FS_PATH_MAX])
{
	int err = s->writeable ? resolve(s, p, len, 0, path) : -EROFS;

	return err || strcmp(path, s->root) ? err : -EBUSY;
}

/* --- methods ------------------------------------------------------------------------ */

static int check_flags(struct fs_session *s, const struct fs_open *req)
{
	const uint32_t all = FS_O_WRITE | FS_O_CREATE | FS_O_EXCLUSIVE |
			     FS_O_TRUNCATE;

	if (req->flags & ~all || req->zero ||
	    (req->flags && !(req->flags & FS_O_WRITE)) ||
	    (req->flags & FS_O_EXCLUSIVE && !(req->flags & FS_O_CREATE)))
		return -EINVAL;
	if (req->flags && (!s->writeable || !s->server->fs->ops->write))
		return -EROFS;
	return 0;
}

/* Will opening it with @flags change what others see? */
static bool changes(struct fs *fs, const char *path, uint32_t flags)
{
	struct fs_stat st;

	return flags & FS_O_TRUNCATE ||
	       (flags & FS_O_CREATE && fs->ops->stat(fs, path, &st));
}

static int do_open(struct fs_session *s, struct ep_request *in)
{
	const struct fs_open *req = in->data;
	struct fs *fs = s->server->fs;
	char path[FS_PATH_MAX];
	struct handle *h;
	bool changed;
	int err = check_flags(s, req);

	if (!err)
		err = path_after(s, in, sizeof(*req),
				 req->flags & FS_O_EXCLUSIVE ? 0 : FS_FOLLOW, path);
	if (!err)
		err = handle_new(s, path, &h);
	if (err)
		return err;
	changed = changes(fs, path, req->flags);
	err = fs->ops->open(fs, path, req->flags, &h->file);
	if (err) {
		free(h->path);
		return err;
	}
	h->writeable = req->flags & FS_O_WRITE;
	if (changed)
		fs_server_changed(s->server, path);
	return handle_take(s, h, HANDLE_FILE, in);
}

static int do_close(struct fs_session *s, struct ep_request *in)
{
	const struct fs_handle *req = in->data;
	struct handle *h = handle_of(s, req->handle);

	if (!h)
		return -EBADF;
	handle_close(s, h);
	return 0;
}

static int do_stat(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	struct fs_stat st = { 0 };
	char path[FS_PATH_MAX];
	int err = path_after(s, in, 0, 0, path);

	if (!err)
		err = fs->ops->stat(fs, path, &st);
	return err ? err : ep_reply_data(s->server->ep, in, &st, sizeof(st));
}

static int do_fstat(struct fs_session *s, struct ep_request *in)
{
	const struct fs_handle *req = in->data;
	struct fs *fs = s->server->fs;
	struct handle *h = file_of(s, req->handle);
	struct fs_stat st = { 0 };
	int err;

	if (!h)
		return -EBADF;
	err = fs->ops->fstat(fs, h->file, &st);
	return err ? err : ep_reply_data(s->server->ep, in, &st, sizeof(st));
}

static int do_stream(struct fs_session *s, struct ep_request *in)
{
	int err = fs_stream_open(&s->stream, in, s->ram);

	if (!err)
		s->ram -= FS_STREAM_COST(s->stream.size);
	return err;
}

static int do_run(struct fs_session *s, struct ep_request *in)
{
	(void)in;
	return fs_stream_run(&s->stream);
}

static int64_t packet(void *ctx, const struct fs_packet *p, void *data)
{
	struct fs_session *s = ctx;
	struct fs *fs = s->server->fs;
	struct handle *h = file_of(s, p->handle);
	int64_t got;

	if (!h || (p->op == FS_WRITE && !h->writeable))
		return -EBADF;
	switch (p->op) {
	case FS_READ:
		return fs->ops->read(fs, h->file, p->offset, data, p->len);
	case FS_WRITE:
		got = fs->ops->write(fs, h->file, p->offset, data, p->len);
		h->dirty |= got > 0;
		return got;
	default:
		tell(s, h);
		return fs->ops->sync ? fs->ops->sync(fs, h->file) : 0;
	}
}

/* Entries go straight into the reply, whose head is completed at the end. */
struct listing {
	struct entrypoint *ep;
	struct ep_request *in;
	struct fs_dirents head;
};

static bool list_entry(void *ctx, const struct fs_entry *e)
{
	struct listing *l = ctx;
	size_t len = strlen(e->name), padded = (len + 7) & ~(size_t)7;
	struct fs_dirent d = {
		e->inode, e->next, e->type, (uint8_t)len, { 0 },
	};
	char name[FS_NAME_MAX + 8] = "";

	if (sizeof(d) + padded > PITH_MSG_BYTES - l->in->rep_len)
		return true;
	memcpy(name, e->name, len);
	ep_reply_data(l->ep, l->in, &d, sizeof(d));
	ep_reply_data(l->ep, l->in, name, padded);
	l->head.next = e->next;
	l->head.count++;
	return false;
}

static int do_readdir(struct fs_session *s, struct ep_request *in)
{
	const struct fs_readdir *req = in->data;
	struct fs *fs = s->server->fs;
	struct handle *h = file_of(s, req->handle);
	struct listing l = { .ep = s->server->ep, .in = in };
	int ret;

	if (!h)
		return -EBADF;
	ret = ep_reply_data(l.ep, in, &l.head, sizeof(l.head));
	if (!ret)
		ret = fs->ops->readdir(fs, h->file, req->position, list_entry,
				       &l);
	if (ret < 0)
		return ret;
	if (!ret)
		l.head.next = 0;
	memcpy(l.ep->reply, &l.head, sizeof(l.head));
	return 0;
}

static int do_readlink(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	char path[FS_PATH_MAX], target[FS_PATH_MAX];
	struct fs_stat st;
	int ret = path_after(s, in, 0, 0, path);

	if (ret)
		return ret;
	if (!fs->ops->readlink) {
		ret = fs->ops->stat(fs, path, &st);
		return ret ? ret : -EINVAL;
	}
	ret = fs->ops->readlink(fs, path, target, sizeof(target));
	return ret < 0 ? ret : ep_reply_data(s->server->ep, in, target, ret);
}

static int do_info(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	struct fs_info info = { .clean = 1 };

	fs->ops->info(fs, &info);
	return ep_reply_data(s->server->ep, in, &info, sizeof(info));
}

static int do_mkdir(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	char path[FS_PATH_MAX];
	int err = path_to_change(s, in->data, in->len, path);

	if (err)
		return err == -EBUSY ? -EEXIST : err;
	err = fs->ops->mkdir ? fs->ops->mkdir(fs, path) : -EROFS;
	if (!err)
		fs_server_changed(s->server, path);
	return err;
}

static int do_unlink(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	char path[FS_PATH_MAX];
	int err = path_to_change(s, in->data, in->len, path);

	if (!err)
		err = fs->ops->unlink ? fs->ops->unlink(fs, path) : -EROFS;
	if (!err)
		fs_server_changed(s->server, path);
	return err;
}

/* The two texts of a struct fs_two. */
struct two {
	const char *a, *b;
	size_t a_len, b_len;
};

static int get_two(struct ep_request *in, struct two *t)
{
	const struct fs_two *req = in->data;
	size_t len = in->len - sizeof(*req);

	if (req->zero || req->first_len > len)
		return -EINVAL;
	t->a = (const char *)(req + 1);
	t->a_len = req->first_len;
	t->b = t->a + t->a_len;
	t->b_len = len - t->a_len;
	return 0;
}

static int do_symlink(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	char path[FS_PATH_MAX], target[FS_PATH_MAX];
	struct two t;
	int err = get_two(in, &t);

	if (!err)
		err = path_to_change(s, t.a, t.a_len, path);
	if (!err)
		err = get_text(t.b, t.b_len, target);
	if (err)
		return err == -EBUSY ? -EEXIST : err;
	if (!target[0])
		return -EINVAL;
	err = fs->ops->symlink ? fs->ops->symlink(fs, path, target) : -EROFS;
	if (!err)
		fs_server_changed(s->server, path);
	return err;
}

/* What was open at or below @from is now at or below @to. Where the new path
 * cannot be kept, changes through the handle are told to nobody any more. */
static void rename_handle(struct handle *h, const char *from, const char *to)
{
	const char *rest = h->path + strlen(from);
	size_t len = strlen(to) + strlen(rest) + 1;
	char *path = len <= FS_PATH_MAX ? malloc(len) : NULL;

	if (path) {
		memcpy(path, to, strlen(to));
		memcpy(path + strlen(to), rest, strlen(rest) + 1);
	}
	free(h->path);
	h->path = path;
}

static void rename_handles(struct fs_server *server, const char *from,
			   const char *to)
{
	for (struct fs_session *s = server->sessions; s; s = s->next) {
		for (unsigned int i = 0; i < FS_SERVER_HANDLES; i++) {
			struct handle *h = &s->handles[i];

			if (h->kind == HANDLE_FILE && h->path &&
			    (!strcmp(h->path, from) || is_below(h->path, from)))
				rename_handle(h, from, to);
		}
	}
}

static int do_rename(struct fs_session *s, struct ep_request *in)
{
	struct fs *fs = s->server->fs;
	char from[FS_PATH_MAX], to[FS_PATH_MAX];
	struct two t;
	int err = get_two(in, &t);

	if (!err)
		err = path_to_change(s, t.a, t.a_len, from);
	if (!err)
		err = path_to_change(s, t.b, t.b_len, to);
	if (!err)
		err = fs->ops->rename ? 0 : -EROFS;
	if (!err)
		err = is_below(to, from) ? -EINVAL :
		      fs->ops->rename(fs, from, to);
	if (err || !strcmp(from, to))
		return err;
	rename_handles(s->server, from, to);
	fs_server_changed(s->server, from);
	fs_server_changed(s->server, to);
	return 0;
}

static int do_truncate(struct fs_session *s, struct ep_request *in)
{
	const struct fs_truncate *req = in->data;
	struct fs *fs = s->server->fs;
	struct handle *h = file_of(s, req->handle);
	int err;

	if (!h || !h->writeable)
		return -EBADF;
	if (req->size > INT64_MAX)
		return -EFBIG;
	err = fs->ops->truncate ? fs->ops->truncate(fs, h->file, req->size) :
				  -EROFS;
	if (!err) {
		h->dirty = true;
		tell(s, h);
	}
	return err;
}

static int watch_below(struct fs *fs, const char *path, void **watch)
{
	return fs->ops->watch ? fs->ops->watch(fs, path, watch) : 0;
}

static int do_watch(struct fs_session *s, struct ep_request *in)
{
	struct pith_identify id;
	char path[FS_PATH_MAX];
	struct handle *h;
	int err;

	if (!in->ncaps || pith_identify(in->caps[0], &id) ||
	    id.type != PITH_T_NOTIFICATION || !(id.rights & PITH_R_SIGNAL))
		return -EINVAL;
	if (!s->caps)
		return -EDQUOT;
	err = path_after(s, in, 0, FS_FOLLOW | FS_MISSING, path);
	if (!err)
		err = handle_new(s, path, &h);
	if (err)
		return err;
	err = watch_below(s->server->fs, path, &h->file);
	if (err) {
		free(h->path);
		return err;
	}
	h->sigh = ep_take_cap(in, 0);
	s->caps--;
	return handle_take(s, h, HANDLE_WATCH, in);
}

static const struct method {
	int (*fn)(struct fs_session *s, struct ep_request *in);
	size_t len;		/* of the request, at least */
} methods[] = {
	[FS_OPEN] = { do_open, sizeof(struct fs_open) + 1 },
	[FS_CLOSE] = { do_close, sizeof(struct fs_handle) },
	[FS_STAT] = { do_stat, 1 },
	[FS_FSTAT] = { do_fstat, sizeof(struct fs_handle) },
	[FS_STREAM] = { do_stream, 0 },
	[FS_RUN] = { do_run, 0 },
	[FS_READDIR] = { do_readdir, sizeof(struct fs_readdir) },
	[FS_READLINK] = { do_readlink, 1 },
	[FS_INFO] = { do_info, 0 },
	[FS_MKDIR] = { do_mkdir, 1 },
	[FS_SYMLINK] = { do_symlink, sizeof(struct fs_two) + 2 },
	[FS_UNLINK] = { do_unlink, 1 },
	[FS_RENAME] = { do_rename, sizeof(struct fs_two) + 2 },
	[FS_TRUNCATE] = { do_truncate, sizeof(struct fs_truncate) },
	[FS_WATCH] = { do_watch, 1 },
};

/* The same for a file system that waits: the reply that is owed is saved first. */
static int call_later(struct fs_session *s, const struct method *m,
		      struct ep_request *in)
{
	struct entrypoint *ep = s->server->ep;
	int reply = ep_save_reply(ep, in), cap = -1, ret;

	if (reply < 0)
		return reply;
	ret = m->fn(s, in);
	if (!ret && in->rep_ncaps)
		cap = in->rep_caps[0];	/* no method has more */
	ep_answer(reply, ret, ep->reply, ret ? 0 : in->rep_len, cap);
	if (in->rep_close)
		pith_close(in->rep_caps[0]);
	return EP_DEFERRED;
}

static int session_call(void *ctx, struct ep_request *in)
{
	struct fs_session *s = ctx;
	const struct method *m;

	if (in->method >= sizeof(methods) / sizeof(*methods) ||
	    !methods[in->method].fn)
		return -ENOSYS;
	m = &methods[in->method];
	if (in->len < m->len)
		return -EINVAL;
	return s->server->fs->waits ? call_later(s, m, in) : m->fn(s, in);
}

/* --- open and close -------------------------------------------------------------------- */

int fs_server_check(const struct hid_node *config, struct hid_error *err)
{
	const struct hid_attr *root;
	const struct hid_node *n;
	bool writeable;
	int ret = 0;

	for (n = hid_first(config, NULL); n && !ret; n = hid_next(n, NULL)) {
		if (!hid_is(n, "policy") && !hid_is(n, "default-policy"))
			continue;
		ret = policy_check(n, err);
		if (!ret)
			ret = config_attrs(n, POLICY_SELECTORS
					   " root writeable", err);
		if (!ret)
			ret = config_bool(n, "writeable", false, &writeable,
					  err);
		root = hid_attr(n, "root");
		if (!ret && root && (!root->value.len ||
				     root->value.s[0] != '/' ||
				     root->value.len >= FS_PATH_MAX))
			ret = hid_refuse(err, root->line, root->col,
					   "expected a path from / on");
	}
	return ret;
}

/* The session's root: @dir, which must be there, below the one so far. */
static int enter(struct fs_session *s, const char *dir)
{
	struct fs *fs = s->server->fs;
	char root[FS_PATH_MAX];
	struct fs_stat st;
	int err = fs_resolve(fs, s->root, dir, FS_FOLLOW, root);

	if (!err)
		err = fs->ops->stat(fs, root, &st);
	if (err)
		return err;
	if ((st.mode & 0170000) != 0040000)
		return -ENOTDIR;
	strcpy(s->root, root);
	return 0;
}

/* What the policy allows and the args ask for. */
static int confine(struct fs_session *s, const struct hid_node *policy,
		   const char *args)
{
	char path[FS_PATH_MAX], no[8];
	int err;

	s->writeable = hid_bool(policy, "writeable", false) &&
		       !(args_get(args, "writeable", no, sizeof(no)) >= 0 &&
			 !strcmp(no, "no"));
	err = hid_string(policy, "root", path, sizeof(path), "/");
	err = err < 0 ? err : enter(s, path);
	if (!err && args_get(args, "root", path, sizeof(path)) >= 0)
		err = enter(s, path);
	return err;
}

static void changed(void *ctx, const char *path)
{
	fs_server_changed(ctx, path);
}

void fs_server_init(struct fs_server *server, struct entrypoint *ep,
		    struct fs *fs, const struct hid_node *config)
{
	*server = (struct fs_server) { .ep = ep, .fs = fs, .config = config };
	fs->changed = changed;
	fs->changed_ctx = server;
}

int fs_server_open(void *ctx, const struct parent_request *req, void **session)
{
	struct fs_server *server = ctx;
	const struct hid_node *policy = policy_find(server->config, req->label);
	struct fs_session *s;
	int ret;

	if (!policy)
		return -EACCES;
	if (req->ram < FS_SERVER_BOOKS || req->caps < FS_SERVER_CAPS)
		return -EDQUOT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->server = server;
	s->ram = req->ram - FS_SERVER_BOOKS;
	s->caps = req->caps - FS_SERVER_CAPS;
	fs_stream_init(&s->stream, server->ep, packet, s);
	for (unsigned int i = 0; i < FS_SERVER_HANDLES; i++)
		s->handles[i].generation = 1;
	ret = confine(s, policy, req->args);
	if (!ret)
		ret = ep_new_object(server->ep, session_call, s, &s->badge);
	if (ret < 0) {
		free(s);
		return ret;
	}
	s->next = server->sessions;
	server->sessions = s;
	*session = s;
	return ret;
}

void fs_server_close(void *ctx, void *session)
{
	struct fs_server *server = ctx;
	struct fs_session *s = session, **p;

	for (p = &server->sessions; *p != s; p = &(*p)->next)
		;
	*p = s->next;
	ep_remove(server->ep, s->badge);
	fs_stream_close(&s->stream);
	for (unsigned int i = 0; i < FS_SERVER_HANDLES; i++)
		if (s->handles[i].kind != HANDLE_FREE)
			handle_close(s, &s->handles[i]);
	free(s);
}
