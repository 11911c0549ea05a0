// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/terminal.h>

#include "vfs_file.h"
#include "vfs_parts.h"

#define CONNECT_TIMEOUT	PITH_SEC(2)
#define CALL_TIMEOUT	PITH_SEC(2)
#define RETRY		PITH_SEC(1)

struct terminal {
	struct file_fs file;
	struct entrypoint *ep;
	const char *label;
	struct session session;
	uint64_t not_before;	/* to connect again */
	/* of one connection: there is something to read or to write, it died */
	int news, death;
	uint64_t news_badge, death_badge;
	struct ep_timer retry;
	size_t at, end;		/* what was typed and not read yet */
	char typed[PITH_MSG_BYTES];
	char out[PITH_MSG_BYTES];
};

static struct terminal *terminal_of(struct fs *fs)
{
	return (struct terminal *)fs;	/* its first member's first member */
}

static void drop(struct terminal *t, int notification, uint64_t badge)
{
	if (notification >= 0)
		ep_remove(t->ep, badge);
	pith_close(notification);
}

static void disconnect(struct terminal *t)
{
	drop(t, t->news, t->news_badge);
	drop(t, t->death, t->death_badge);
	t->news = t->death = -1;
	env_close(&t->session);
	t->session.cap = -1;
}

static void has_news(void *ctx, uint64_t count)
{
	struct terminal *t = ctx;

	(void)count;
	fs_tell(&t->file.fs, "");
}

static int call(struct terminal *t, uint64_t method, struct rpc *r)
{
	int err = rpc_call(t->session.cap, method, r, pith_now() + CALL_TIMEOUT);

	if (err == -EPIPE || err == -ETIMEDOUT || err == -EPROTO)
		disconnect(t);
	return err;
}

static void died(void *ctx, uint64_t count)
{
	struct terminal *t = ctx;

	(void)count;
	disconnect(t);
	ep_timer_set(t->ep, &t->retry, pith_now());
}

static int listen(struct terminal *t)
{
	int signal, err;
	struct rpc r = { .caps = &signal, .ncaps = 1 };

	t->news = ep_new_notification(t->ep, has_news, t, &t->news_badge);
	if (t->news < 0)
		return t->news;
	t->death = ep_new_notification(t->ep, died, t, &t->death_badge);
	if (t->death < 0)
		return t->death;
	err = pith_ep_watch(t->session.cap, t->death);
	if (err)
		return err;
	signal = pith_mint(t->news, PITH_R_SIGNAL);
	if (signal < 0)
		return signal;
	err = call(t, TERMINAL_SIGH, &r);
	pith_close(signal);
	return err;
}

static int connect(struct terminal *t)
{
	int err;

	if (t->session.cap >= 0)
		return 0;
	if (pith_now() < t->not_before)
		return -EIO;
	err = env_session(&t->session, "Terminal", t->label, "", NULL,
			  pith_now() + CONNECT_TIMEOUT);
	if (!err)
		err = listen(t);
	if (!err)
		return 0;
	log_error("terminal \"%s\": %s", t->label, strerror(-err));
	disconnect(t);
	t->not_before = pith_now() + RETRY;
	return -EIO;
}

/* Who waits for input learns of it from the next server as well. */
static void try_again(void *ctx)
{
	struct terminal *t = ctx;

	if (connect(t))
		ep_timer_set(t->ep, &t->retry, pith_now() + RETRY);
}

static int terminal_open(struct fs *fs, const char *path, uint32_t flags,
			 void **file)
{
	int err = file_open(fs, path, flags, file);

	return err ? err : connect(terminal_of(fs));
}

static int fetch(struct terminal *t)
{
	struct rpc r = {
		.rep_tail = t->typed, .rep_tail_size = sizeof(t->typed),
	};
	int err = connect(t);

	if (!err)
		err = call(t, TERMINAL_READ, &r);
	t->at = 0;
	t->end = err ? 0 : r.rep_tail_len;
	return err;
}

static int64_t terminal_read(struct fs *fs, void *file, uint64_t offset,
			     void *data, size_t len)
{
	struct terminal *t = terminal_of(fs);
	int err = t->at == t->end ? fetch(t) : 0;

	(void)file;
	(void)offset;
	if (err == -EPIPE)
		err = fetch(t);
	if (err)
		return -EIO;
	if (t->at == t->end)
		return -EAGAIN;
	if (len > t->end - t->at)
		len = t->end - t->at;
	memcpy(data, t->typed + t->at, len);
	t->at += len;
	return len;
}

/* The bytes are copied once, as a client can still change them. */
static int64_t terminal_write(struct fs *fs, void *file, uint64_t offset,
			      const void *data, size_t len)
{
	struct terminal *t = terminal_of(fs);
	struct terminal_count took = { 0 };
	struct rpc r = {
		.tail = t->out,
		.tail_len = len < sizeof(t->out) ? len : sizeof(t->out),
		.rep = &took, .rep_len = sizeof(took),
	};
	int err = connect(t);

	(void)file;
	(void)offset;
	memcpy(t->out, data, r.tail_len);
	if (!err)
		err = call(t, TERMINAL_WRITE, &r);
	if (err || took.count > r.tail_len)
		return -EIO;
	return took.count ? (int64_t)took.count : -EAGAIN;
}

static int terminal_sync(struct fs *fs, void *file)
{
	struct terminal *t = terminal_of(fs);
	struct rpc r = { .req = NULL };
	int err = connect(t);

	(void)file;
	if (!err)
		err = call(t, TERMINAL_DRAIN, &r);
	return err ? -EIO : 0;
}

/* Whoever watches any terminal is told of all: there is one signal. */
static int terminal_watch(struct fs *fs, const char *path, void **watch)
{
	(void)path;
	connect(terminal_of(fs));	/* later, if not now */
	*watch = fs;
	return 0;
}

static void terminal_unwatch(struct fs *fs, void *watch)
{
	(void)fs;
	(void)watch;
}

static const struct fs_ops ops = {
	.stat = file_stat, .open = terminal_open, .close = file_close,
	.fstat = file_fstat, .read = terminal_read, .write = terminal_write,
	.truncate = file_no_truncate, .sync = terminal_sync,
	.readdir = file_readdir, .info = file_info, .watch = terminal_watch,
	.unwatch = terminal_unwatch,
};

struct fs *vfs_terminal(struct entrypoint *ep, const char *label)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->file.fs.ops = &ops;
	t->file.mode = 0020666;
	t->ep = ep;
	t->label = label;
	t->session.cap = t->news = t->death = -1;
	t->retry = (struct ep_timer) {
		.at = PITH_NO_DEADLINE, .fire = try_again, .ctx = t,
	};
	return &t->file.fs;
}
