// SPDX-License-Identifier: BSD-2-Clause
/*
 * A File_system session as a part of the VFS. fs_client.c does the work: it outlives
 * the server and checks all that it says. Here that is turned into what those are
 * told who know nothing of a server behind, and watches are carried over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/fs_client.h>

#include "vfs_parts.h"

#define CONNECT_TIMEOUT	PITH_SEC(3)
#define CALL_TIMEOUT	PITH_SEC(10)
#define RETRY		PITH_SEC(2)
#define CHUNKS		4096u	/* of a directory, in one call */

/* Of a client of ours; made again in each session of the server's. */
struct watch {
	struct watch *next;
	uint64_t handle, generation;
	char path[];
};

struct part {
	struct fs fs;
	struct fs_client client;
	struct entrypoint *ep;
	uint64_t not_before;	/* to connect again */
	uint64_t seen;		/* the session that these are of: */
	int death;
	uint64_t death_badge;
	int news;		/* something that is watched has changed */
	uint64_t news_badge;
	struct watch *watches;
	struct ep_timer retry;
};

static struct part *part_of(struct fs *fs)
{
	return (struct part *)fs;	/* its first member */
}

static const char *at(const char *path)
{
	return *path ? path : "/";
}

/* --- the session ----------------------------------------------------------------- */

static void died(void *ctx, uint64_t count);

/* Be told of the death of the present session's server. */
static int watch_death(struct part *p)
{
	if (p->death >= 0)
		ep_remove(p->ep, p->death_badge);
	pith_close(p->death);
	p->death = ep_new_notification(p->ep, died, p, &p->death_badge);
	return p->death < 0 ? p->death :
	       pith_ep_watch(p->client.session.cap, p->death);
}

/* Make @w in the present session. 0 as well if that is gone meanwhile: it is made in
 * the next. */
static int watch_again(struct part *p, struct watch *w)
{
	int err = fs_watch(&p->client, at(w->path), p->news, &w->handle);

	if (!err)
		w->generation = p->client.generation;
	return fs_connected(&p->client) ? err : 0;
}

/* The session is another than it was: what was watched may be, too. */
static void attach(struct part *p)
{
	int err = watch_death(p);

	if (err)
		log_error("file system \"%s\": cannot watch it: %s",
			  p->client.label, strerror(-err));
	p->seen = p->client.generation;
	for (struct watch *w = p->watches; w; w = w->next)
		if (watch_again(p, w))
			log_error("file system \"%s\": cannot watch %s",
				  p->client.label, w->path);
	if (p->watches)
		pith_signal(p->news, 1);
}

/* After the client has done something with result @ret: what others are told. */
static int64_t done(struct part *p, int64_t ret)
{
	if (fs_connected(&p->client)) {
		if (p->client.generation != p->seen)
			attach(p);
	} else if (ret < 0 && ret != -EPIPE && ret != -ECONNRESET) {
		log_error("file system \"%s\": %s", p->client.label,
			  strerror(-ret));
		p->not_before = pith_now() + RETRY;
		return -EIO;
	}
	return ret == -EPIPE || ret == -ECONNRESET || ret == -ETIMEDOUT ||
	       ret == -EPROTO || ret == -ENOSYS ? -EIO : ret;
}

/* Before: is there any use in asking? */
static int begin(struct part *p)
{
	if (fs_connected(&p->client))
		return 0;
	return pith_now() < p->not_before ? -EIO : done(p, fs_connect(&p->client));
}

static void tell_watchers(void *ctx, uint64_t count)
{
	struct part *p = ctx;

	(void)count;
	for (struct watch *w = p->watches; w; w = w->next)
		fs_tell(&p->fs, w->path);
}

/* Nobody is waited for here unless somebody waits for news. */
static void died(void *ctx, uint64_t count)
{
	struct part *p = ctx;

	(void)count;
	if (fs_connected(&p->client) && p->client.generation == p->seen)
		fs_disconnect(&p->client);
	if (p->watches)
		ep_timer_set(p->ep, &p->retry, pith_now());
}

static void try_again(void *ctx)
{
	struct part *p = ctx;

	if (p->watches && begin(p))
		ep_timer_set(p->ep, &p->retry, pith_now() + RETRY);
}

/* --- nodes ------------------------------------------------------------------------- */

static int part_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_stat(&p->client, at(path), st));
}

static int part_open(struct fs *fs, const char *path, uint32_t flags,
		     void **file)
{
	struct part *p = part_of(fs);
	struct fs_file *f;
	int err = begin(p);

	if (err)
		return err;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	err = done(p, fs_open_flags(&p->client, f, at(path), flags));
	if (err)
		free(f);
	else
		*file = f;
	return err;
}

static void part_close(struct fs *fs, void *file)
{
	done(part_of(fs), fs_close(file));
	free(file);
}

static int part_fstat(struct fs *fs, void *file, struct fs_stat *st)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_fstat(file, st));
}

static int64_t part_read(struct fs *fs, void *file, uint64_t offset, void *data,
			 size_t len)
{
	struct part *p = part_of(fs);
	size_t sum = 0;
	const void *from;
	int n = begin(p);

	while (!n && sum < len) {
		size_t asked = len - sum < FS_BUFFER_SIZE ? len - sum :
							    FS_BUFFER_SIZE;

		n = fs_pread(file, offset + sum, asked, &from);
		if (n < 0)
			return done(p, n);
		memcpy((uint8_t *)data + sum, from, n);
		sum += n;
		n = n < (int)asked;
	}
	return n < 0 ? n : done(p, sum);
}

static int64_t part_write(struct fs *fs, void *file, uint64_t offset,
			  const void *data, size_t len)
{
	struct part *p = part_of(fs);
	size_t sum = 0;
	int n = begin(p);

	while (!n && sum < len) {
		n = fs_pwrite(file, offset + sum, (const uint8_t *)data + sum,
			      len - sum);
		if (n <= 0)
			return sum ? done(p, sum) : done(p, n ? n : -EIO);
		sum += n;
		n = 0;
	}
	return n < 0 ? n : done(p, sum);
}

static int part_truncate(struct fs *fs, void *file, uint64_t size)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_truncate(file, size));
}

static int part_sync(struct fs *fs, void *file)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_sync(file));
}

/* Entries of one reply: 1: @fn had enough. */
static int list(struct fs_dir *d, fs_entry_fn fn, void *ctx)
{
	char name[FS_NAME_MAX];
	struct fs_dirent got;
	int n;

	while ((n = fs_dirent_get(d, &got, name)) > 0) {
		struct fs_entry e = { name, got.type, got.inode, got.next };

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		if (fn(ctx, &e))
			return 1;
	}
	return n;
}

static int part_readdir(struct fs *fs, void *file, uint64_t position,
			fs_entry_fn fn, void *ctx)
{
	struct part *p = part_of(fs);
	struct fs_dir d = { .position = position };
	int ret = begin(p);

	for (unsigned int i = 0; !ret; i++) {
		ret = fs_readdir(file, &d);
		if (ret == -ECONNRESET)		/* positions are of the old one */
			ret = -ESTALE;
		if (!ret)
			ret = i < CHUNKS ? list(&d, fn, ctx) : -EPROTO;
		if (!d.position)
			break;
	}
	return done(p, ret);
}

static int part_readlink(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct part *p = part_of(fs);
	char target[FS_PATH_MAX];
	int len = begin(p);

	if (!len)
		len = done(p, fs_readlink(&p->client, at(path), target,
					  sizeof(target)));
	if (len < 0)
		return len;
	if ((size_t)len > size)
		return -ENAMETOOLONG;
	memcpy(buf, target, len);
	return len;
}

static int part_mkdir(struct fs *fs, const char *path)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_mkdir(&p->client, at(path)));
}

static int part_symlink(struct fs *fs, const char *path, const char *target)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_symlink(&p->client, at(path), target));
}

static int part_unlink(struct fs *fs, const char *path)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_unlink(&p->client, at(path)));
}

static int part_rename(struct fs *fs, const char *from, const char *to)
{
	struct part *p = part_of(fs);
	int err = begin(p);

	return err ? err : done(p, fs_rename(&p->client, at(from), at(to)));
}

static void part_info(struct fs *fs, struct fs_info *info)
{
	struct part *p = part_of(fs);
	struct fs_info theirs;

	if (!begin(p) && !done(p, fs_info(&p->client, &theirs)))
		*info = theirs;
}

/* --- watches ------------------------------------------------------------------------ */

static int part_watch(struct fs *fs, const char *path, void **watch)
{
	struct part *p = part_of(fs);
	struct watch *w = calloc(1, sizeof(*w) + strlen(path) + 1);
	int err = 0;

	if (!w)
		return -ENOMEM;
	strcpy(w->path, path);
	if (!begin(p))
		err = watch_again(p, w);
	if (err && err != -ENOSYS) {	/* there nothing ever changes */
		free(w);
		return done(p, err);
	}
	w->next = p->watches;
	p->watches = w;
	if (!fs_connected(&p->client))
		ep_timer_set(p->ep, &p->retry, pith_now() + RETRY);
	*watch = w;
	return 0;
}

static void part_unwatch(struct fs *fs, void *watch)
{
	struct part *p = part_of(fs);
	struct watch *w = watch, **at_w = &p->watches;

	while (*at_w != w)
		at_w = &(*at_w)->next;
	*at_w = w->next;
	if (w->generation && w->generation == p->client.generation)
		fs_unwatch(&p->client, w->handle);
	free(w);
}

#define READ_OPS .stat = part_stat, .open = part_open, .close = part_close, \
		 .fstat = part_fstat, .read = part_read, \
		 .readdir = part_readdir, .readlink = part_readlink, \
		 .info = part_info, .watch = part_watch, .unwatch = part_unwatch

static const struct fs_ops read_only = { READ_OPS };
static const struct fs_ops writeable = {
	READ_OPS, .write = part_write, .truncate = part_truncate,
	.sync = part_sync, .mkdir = part_mkdir, .symlink = part_symlink,
	.unlink = part_unlink, .rename = part_rename,
};

struct fs *vfs_fs(struct entrypoint *ep, const char *label, const char *args,
		  bool can_write)
{
	struct part *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->news = ep_new_notification(ep, tell_watchers, p, &p->news_badge);
	if (p->news < 0) {
		free(p);
		return NULL;
	}
	p->fs.ops = can_write ? &writeable : &read_only;
	p->fs.weight = 3;
	p->ep = ep;
	p->death = -1;
	p->retry = (struct ep_timer) {
		.at = PITH_NO_DEADLINE, .fire = try_again, .ctx = p,
	};
	fs_init(&p->client, NULL, NULL);
	p->client.label = label;
	p->client.args = args;
	p->client.connect_timeout = CONNECT_TIMEOUT;
	p->client.call_timeout = CALL_TIMEOUT;
	return &p->fs;
}
