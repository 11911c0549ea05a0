// SPDX-License-Identifier: BSD-2-Clause
/*
 * File_system sessions: see session/file_system.h.
 *
 * Most requests read the disk, which dispatches the disk's entrypoint; a call
 * that is not answered by then would be dropped. So each call's reply is saved
 * first and answered explicitly. One request is handled at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pith/env.h>

#include "../lib/fs_stream.h"
#include "session.h"

/* An open file. The handle is index and generation: an old one finds nothing. */
struct open_file {
	struct node *node;	/* NULL: not open */
	uint32_t generation;
};

struct fs_session {
	struct fs_server *server;
	char label[PARENT_LABEL_MAX];
	uint32_t root;		/* inode of the session's root directory */
	uint64_t badge;
	struct open_file files[FS_HANDLES];
	uint64_t ram;		/* for a stream */
	struct fs_stream stream;
};

/* The answer under construction: one request at a time. */
static struct answer {
	size_t len;
	uint8_t data[PITH_MSG_BYTES] __attribute__((aligned(8)));
} answer;

static void *answer_add(size_t len)
{
	void *at = answer.data + answer.len;

	memset(at, 0, len);
	answer.len += len;
	return at;
}

/* --- handles and paths -------------------------------------------------------- */

static struct open_file *file_of(struct fs_session *s, uint64_t handle)
{
	uint64_t i = handle % FS_HANDLES;
	struct open_file *f = &s->files[i];

	return f->node && handle / FS_HANDLES == f->generation ? f : NULL;
}

static struct open_file *file_free(struct fs_session *s)
{
	for (unsigned int i = 0; i < FS_HANDLES; i++)
		if (!s->files[i].node)
			return &s->files[i];
	return NULL;
}

static void file_close(struct open_file *f)
{
	free(f->node);
	f->node = NULL;
	f->generation++;
}

/* The path after @head bytes of the request; a NUL at its end is accepted, no
 * other. */
static int get_path(const struct ep_request *in, size_t head,
		    char path[FS_PATH_MAX])
{
	size_t len = in->len - head;
	const char *p = (const char *)in->data + head;

	if (len && !p[len - 1])
		len--;
	if (len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	if (memchr(p, 0, len))
		return -EINVAL;
	memcpy(path, p, len);
	path[len] = 0;
	return 0;
}

static int resolve(struct fs_session *s, const struct ep_request *in,
		   size_t head, int follow, struct node *node)
{
	char path[FS_PATH_MAX];
	int err = get_path(in, head, path);

	if (err)
		return err;
	return path_resolve(s->server->volume, s->root, path, follow, node);
}

/* Say what is wrong with the volume, but not a thousand times. */
static void log_damage(struct fs_session *s, const char *what, int err)
{
	uint64_t now = pith_now();

	if ((err != -EUCLEAN && err != -EIO) || now < s->server->quiet_until)
		return;
	s->server->quiet_until = now + PITH_SEC(1);
	log_error("%s: %s: %s", s->label, what, volume_text(err));
}

/* --- methods -------------------------------------------------------------------- */

static int do_open(struct fs_session *s, struct ep_request *in)
{
	const struct fs_open *req = in->data;
	struct open_file *f = file_free(s);
	struct node *node;
	struct fs_handle *h;
	int err;

	if (req->flags)
		return -EROFS;
	if (!f)
		return -EMFILE;
	node = malloc(sizeof(*node));
	if (!node)
		return -ENOMEM;
	err = resolve(s, in, sizeof(*req), 1, node);
	if (err) {
		free(node);
		return err;
	}
	f->node = node;
	h = answer_add(sizeof(*h));
	h->handle = (uint64_t)f->generation * FS_HANDLES + (f - s->files);
	return 0;
}

static int do_close(struct fs_session *s, struct ep_request *in)
{
	const struct fs_handle *req = in->data;
	struct open_file *f = file_of(s, req->handle);

	if (!f)
		return -EBADF;
	file_close(f);
	return 0;
}

static int do_stat(struct fs_session *s, struct ep_request *in)
{
	struct node node;
	int err = resolve(s, in, 0, 0, &node);

	if (!err)
		node_stat(s->server->volume, &node,
			  answer_add(sizeof(struct fs_stat)));
	return err;
}

static int do_fstat(struct fs_session *s, struct ep_request *in)
{
	const struct fs_handle *req = in->data;
	struct open_file *f = file_of(s, req->handle);

	if (!f)
		return -EBADF;
	node_stat(s->server->volume, f->node,
		  answer_add(sizeof(struct fs_stat)));
	return 0;
}

/* Its capability goes out with the reply that is made here, at once. */
static int do_stream(struct fs_session *s, struct ep_request *in)
{
	return fs_stream_open(&s->stream, in, s->ram);
}

static int do_run(struct fs_session *s, struct ep_request *in)
{
	(void)in;
	return fs_stream_run(&s->stream);
}

static int64_t packet(void *ctx, const struct fs_packet *p, void *data)
{
	struct fs_session *s = ctx;
	struct open_file *f = file_of(s, p->handle);
	int64_t got;

	if (!f || p->op == FS_WRITE)
		return -EBADF;
	if (p->op == FS_SYNC)
		return 0;
	got = node_read(s->server->volume, f->node, p->offset, data, p->len);
	if (got < 0)
		log_damage(s, "read", got);
	return got;
}

struct listing {
	struct fs_session *session;
	uint32_t dir;
	struct fs_dirents *head;
};

static int list_entry(void *ctx, const struct dir_entry *e)
{
	struct listing *l = ctx;
	size_t name = (e->name_len + 7u) & ~7u;
	struct fs_dirent *d;

	if (answer.len + sizeof(*d) + name > sizeof(answer.data))
		return 1;
	d = answer_add(sizeof(*d) + name);
	d->inode = e->ino;
	d->next = e->next;
	/* What is above the session's root is not the client's business. */
	if (l->dir == l->session->root && e->name_len == 2 &&
	    !memcmp(e->name, "..", 2))
		d->inode = l->dir;
	d->type = e->type;
	d->name_len = e->name_len;
	memcpy(d + 1, e->name, e->name_len);
	l->head->count++;
	l->head->next = e->next;
	return 0;
}

static int do_readdir(struct fs_session *s, struct ep_request *in)
{
	const struct fs_readdir *r = in->data;
	struct open_file *f = file_of(s, r->handle);
	struct listing l = { .session = s };
	int ret;

	if (!f)
		return -EBADF;
	l.dir = f->node->ino;
	l.head = answer_add(sizeof(*l.head));
	ret = dir_walk(s->server->volume, f->node, r->position, list_entry, &l);
	if (ret < 0)
		return ret;
	if (!ret)
		l.head->next = 0;	/* that was all */
	return 0;
}

static int do_readlink(struct fs_session *s, struct ep_request *in)
{
	struct node node;
	int err = resolve(s, in, 0, 0, &node);

	if (err)
		return err;
	err = node_readlink(s->server->volume, &node, (char *)answer.data,
			    sizeof(answer.data));
	if (err < 0)
		return err;
	answer.len = err;
	return 0;
}

static int do_info(struct fs_session *s, struct ep_request *in)
{
	(void)in;
	volume_info(s->server->volume, answer_add(sizeof(struct fs_info)));
	return 0;
}

/* --- dispatch ----------------------------------------------------------------------- */

static const struct method {
	int (*fn)(struct fs_session *s, struct ep_request *in);
	size_t len;		/* of the request, at least */
	const char *name;
} methods[] = {
	[FS_OPEN] = { do_open, sizeof(struct fs_open) + 1, "open" },
	[FS_CLOSE] = { do_close, sizeof(struct fs_handle), "close" },
	[FS_STAT] = { do_stat, 1, "stat" },
	[FS_FSTAT] = { do_fstat, sizeof(struct fs_handle), "fstat" },
	[FS_RUN] = { do_run, 0, "run" },
	[FS_READDIR] = { do_readdir, sizeof(struct fs_readdir), "readdir" },
	[FS_READLINK] = { do_readlink, 1, "readlink" },
	[FS_INFO] = { do_info, 0, "info" },
};

static int session_call(void *ctx, struct ep_request *in)
{
	struct fs_session *s = ctx;
	const struct method *m;
	int reply, err;

	if (in->method == FS_STREAM)
		return do_stream(s, in);
	if (in->method >= FS_MKDIR && in->method <= FS_TRUNCATE)
		return -EROFS;
	if (in->method >= sizeof(methods) / sizeof(methods[0]) ||
	    !methods[in->method].fn)
		return -ENOSYS;
	m = &methods[in->method];
	if (in->len < m->len)
		return -EINVAL;
	reply = ep_save_reply(s->server->ep, in);
	if (reply < 0)
		return reply;
	answer.len = 0;
	err = m->fn(s, in);
	if (err)
		log_damage(s, m->name, err);
	ep_answer(reply, err, answer.data, err ? 0 : answer.len, -1);
	return EP_DEFERRED;
}

/* --- open and close -------------------------------------------------------------------- */

/* The directory that session argument root= names; without it, all. */
static int find_root(struct fs_server *server, const char *args, uint32_t *ino)
{
	char path[PARENT_ARGS_MAX];
	struct node node;
	int err;

	*ino = EXT2_ROOT_INO;
	if (args_get(args, "root", path, sizeof(path)) < 0)
		return 0;
	err = path_resolve(server->volume, EXT2_ROOT_INO, path, 1, &node);
	if (err)
		return err;
	*ino = node.ino;
	return node_is_dir(&node) ? 0 : -ENOTDIR;
}

int fs_session_open(void *ctx, const struct parent_request *req,
		    void **session)
{
	struct fs_server *server = ctx;
	struct fs_session *s;
	uint32_t root;
	int err;

	if (req->ram < FS_SESSION_RAM || req->caps < FS_SESSION_CAPS ||
	    server->sessions >= FS_SESSIONS)
		return -EDQUOT;
	err = server->mount(server);
	if (!err)
		err = find_root(server, req->args, &root);
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->server = server;
	memcpy(s->label, req->label, sizeof(s->label) - 1);
	s->root = root;
	s->ram = req->ram - FS_SESSION_RAM;
	fs_stream_init(&s->stream, server->ep, packet, s);
	for (unsigned int i = 0; i < FS_HANDLES; i++)
		s->files[i].generation = 1;
	err = ep_new_object(server->ep, session_call, s, &s->badge);
	if (err < 0) {
		free(s);
		return err;
	}
	server->sessions++;
	*session = s;
	return err;
}

void fs_session_close(void *ctx, void *session)
{
	struct fs_server *server = ctx;
	struct fs_session *s = session;

	ep_remove(server->ep, s->badge);
	fs_stream_close(&s->stream);
	for (unsigned int i = 0; i < FS_HANDLES; i++)
		if (s->files[i].node)
			file_close(&s->files[i]);
	server->sessions--;
	free(s);
}
