// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "name_space.h"

struct ns_file {
	void *file;
	int flags;		/* O_* */
	bool directory;
	uint64_t offset;	/* in a directory a position */
	bool ended;		/* of a directory: there is no more */
};

#define FLAGS	(O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | \
		 O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool is_dir(const struct fs_stat *st)
{
	return (st->mode & 0170000) == 0040000;
}

static struct ns_file *file_of(struct name_space *ns, int fd)
{
	return fd >= 0 && fd < NS_FILES ? ns->files[fd] : NULL;
}

static int resolve(struct name_space *ns, const char *path, unsigned int how,
		   char out[FS_PATH_MAX])
{
	return fs_resolve(ns->fs, "", path, how, out);
}

/* --- open and close -------------------------------------------------------------- */

/* What the file system is asked for. EINVAL: it makes no sense. */
static int fs_flags(int flags, uint32_t *out)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	*out = 0;
	if (flags & ~FLAGS || (flags & O_ACCMODE) == O_ACCMODE ||
	    (flags & O_TRUNC && !writes) ||
	    (flags & O_EXCL && !(flags & O_CREAT)) ||
	    (flags & O_DIRECTORY && (writes || flags & O_CREAT)))
		return -EINVAL;
	if (writes || flags & O_CREAT)
		*out |= FS_O_WRITE;
	if (flags & O_CREAT)
		*out |= FS_O_CREATE;
	if (flags & O_EXCL)
		*out |= FS_O_EXCLUSIVE;
	if (flags & O_TRUNC)
		*out |= FS_O_TRUNCATE;
	return 0;
}

static int open_file(struct name_space *ns, const char *path, uint32_t how,
		     struct ns_file *f)
{
	const struct fs_ops *ops = ns->fs->ops;
	struct fs_stat st = { 0 };
	int err = -ENOENT;

	/* Only to be there: what is there already need not be writeable. */
	if (f->flags & O_CREAT && !(f->flags & O_EXCL) &&
	    (f->flags & O_ACCMODE) == O_RDONLY)
		err = ops->open(ns->fs, path, 0, &f->file);
	if (err == -ENOENT)
		err = how && !ops->write ? -EROFS :
		      ops->open(ns->fs, path, how, &f->file);
	if (err)
		return err;
	err = ns->fs->ops->fstat(ns->fs, f->file, &st);
	f->directory = is_dir(&st);
	if (!err && f->flags & O_DIRECTORY && !f->directory)
		err = -ENOTDIR;
	if (err)
		ns->fs->ops->close(ns->fs, f->file);
	return err;
}

int ns_open(struct name_space *ns, const char *path, int flags)
{
	bool follow = !(flags & (O_EXCL | O_NOFOLLOW));
	char full[FS_PATH_MAX];
	struct ns_file *f;
	uint32_t how;
	int fd = 0, err = fs_flags(flags, &how);

	while (fd < NS_FILES && ns->files[fd])
		fd++;
	if (!err && fd == NS_FILES)
		err = -EMFILE;
	if (!err)
		err = resolve(ns, path, follow ? FS_FOLLOW : 0, full);
	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->flags = flags;
	err = open_file(ns, full, how, f);
	if (err) {
		free(f);
		return err;
	}
	ns->files[fd] = f;
	return fd;
}

int ns_close(struct name_space *ns, int fd)
{
	struct ns_file *f = file_of(ns, fd);

	if (!f)
		return -EBADF;
	ns->fs->ops->close(ns->fs, f->file);
	ns->files[fd] = NULL;
	free(f);
	return 0;
}

/* --- content ------------------------------------------------------------------------ */

/* @fd for reading (O_RDONLY) or writing (O_WRONLY) @len bytes at @offset. */
static int check(struct name_space *ns, int fd, int access, uint64_t offset,
		 size_t len, struct ns_file **file)
{
	struct ns_file *f = file_of(ns, fd);
	int mode = f ? f->flags & O_ACCMODE : 0;

	if (!f || (mode != O_RDWR && mode != access))
		return -EBADF;
	if (f->directory)
		return -EISDIR;
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -EINVAL;
	*file = f;
	return 0;
}

ssize_t ns_pread(struct name_space *ns, int fd, void *buf, size_t len,
		 off_t offset)
{
	struct ns_file *f;
	int err = check(ns, fd, O_RDONLY, offset, len, &f);

	return err || !len ? err :
	       ns->fs->ops->read(ns->fs, f->file, offset, buf, len);
}

ssize_t ns_pwrite(struct name_space *ns, int fd, const void *buf, size_t len,
		  off_t offset)
{
	struct ns_file *f;
	int err = check(ns, fd, O_WRONLY, offset, len, &f);

	return err || !len ? err :
	       ns->fs->ops->write(ns->fs, f->file, offset, buf, len);
}

ssize_t ns_read(struct name_space *ns, int fd, void *buf, size_t len)
{
	struct ns_file *f = file_of(ns, fd);
	ssize_t n = ns_pread(ns, fd, buf, len, f ? f->offset : 0);

	if (n > 0)
		f->offset += n;
	return n;
}

static int size_of(struct name_space *ns, struct ns_file *f, uint64_t *size)
{
	struct fs_stat st = { 0 };
	int err = ns->fs->ops->fstat(ns->fs, f->file, &st);

	*size = st.size;
	return err ? err : st.size > INT64_MAX ? -EIO : 0;
}

ssize_t ns_write(struct name_space *ns, int fd, const void *buf, size_t len)
{
	struct ns_file *f = file_of(ns, fd);
	int err = f && f->flags & O_APPEND ? size_of(ns, f, &f->offset) : 0;
	ssize_t n;

	if (err)
		return err;
	n = ns_pwrite(ns, fd, buf, len, f ? f->offset : 0);
	if (n > 0)
		f->offset += n;
	return n;
}

off_t ns_lseek(struct name_space *ns, int fd, off_t offset, int whence)
{
	struct ns_file *f = file_of(ns, fd);
	uint64_t base = 0;
	int err = 0;

	if (!f)
		return -EBADF;
	if (f->directory && (offset || whence != SEEK_SET))
		return -EINVAL;
	if (whence == SEEK_CUR)
		base = f->offset;
	else if (whence == SEEK_END)
		err = size_of(ns, f, &base);
	else if (whence != SEEK_SET)
		err = -EINVAL;
	if (err)
		return err;
	if (offset < -(off_t)base || offset > (off_t)(INT64_MAX - base))
		return -EINVAL;
	f->ended = false;
	f->offset = base + offset;
	return f->offset;
}

int ns_ftruncate(struct name_space *ns, int fd, off_t size)
{
	struct ns_file *f;
	int err = check(ns, fd, O_WRONLY, size, 0, &f);

	if (err)
		return err;
	return ns->fs->ops->truncate ?
	       ns->fs->ops->truncate(ns->fs, f->file, size) : -EROFS;
}

int ns_fsync(struct name_space *ns, int fd)
{
	struct ns_file *f = file_of(ns, fd);

	if (!f)
		return -EBADF;
	return ns->fs->ops->sync ? ns->fs->ops->sync(ns->fs, f->file) : 0;
}

/* --- nodes --------------------------------------------------------------------------- */

int ns_fstat(struct name_space *ns, int fd, struct fs_stat *st)
{
	struct ns_file *f = file_of(ns, fd);

	return f ? ns->fs->ops->fstat(ns->fs, f->file, st) : -EBADF;
}

static int stat_path(struct name_space *ns, const char *path, unsigned int how,
		     struct fs_stat *st)
{
	char full[FS_PATH_MAX];
	int err = resolve(ns, path, how, full);

	return err ? err : ns->fs->ops->stat(ns->fs, full, st);
}

int ns_stat(struct name_space *ns, const char *path, struct fs_stat *st)
{
	return stat_path(ns, path, FS_FOLLOW, st);
}

int ns_lstat(struct name_space *ns, const char *path, struct fs_stat *st)
{
	return stat_path(ns, path, 0, st);
}

struct listing {
	struct ns_file *f;
	struct ns_dirent *entries;
	unsigned int n, most;
};

static bool list_entry(void *ctx, const struct fs_entry *e)
{
	struct listing *l = ctx;
	struct ns_dirent *d = &l->entries[l->n];

	if (l->n == l->most)
		return true;
	d->inode = e->inode;
	d->type = e->type;
	strcpy(d->name, e->name);
	l->f->offset = e->next;
	l->n++;
	return false;
}

int ns_readdir(struct name_space *ns, int fd, struct ns_dirent *entries,
	       unsigned int most)
{
	struct listing l = { file_of(ns, fd), entries, 0, most };
	int ret;

	if (!l.f)
		return -EBADF;
	if (!l.f->directory)
		return -ENOTDIR;
	if (!most || most > INT32_MAX)
		return -EINVAL;
	if (l.f->ended)
		return 0;
	ret = ns->fs->ops->readdir(ns->fs, l.f->file, l.f->offset, list_entry,
				   &l);
	l.f->ended = !ret;
	return ret < 0 ? ret : (int)l.n;
}

/* --- changing names --------------------------------------------------------------------- */

/* A path at which something is to be made or removed: not the root. */
static int to_change(struct name_space *ns, const char *path,
		     char out[FS_PATH_MAX])
{
	int err = resolve(ns, path, 0, out);

	return err || *out ? err : -EBUSY;
}

int ns_mkdir(struct name_space *ns, const char *path)
{
	char full[FS_PATH_MAX];
	int err = to_change(ns, path, full);

	if (err)
		return err == -EBUSY ? -EEXIST : err;
	return ns->fs->ops->mkdir ? ns->fs->ops->mkdir(ns->fs, full) : -EROFS;
}

static int remove_node(struct name_space *ns, const char *path, bool directory)
{
	char full[FS_PATH_MAX];
	struct fs_stat st;
	int err = to_change(ns, path, full);

	if (!err)
		err = ns->fs->ops->stat(ns->fs, full, &st);
	if (err)
		return err;
	if (is_dir(&st) != directory)
		return directory ? -ENOTDIR : -EISDIR;
	return ns->fs->ops->unlink ? ns->fs->ops->unlink(ns->fs, full) : -EROFS;
}

int ns_rmdir(struct name_space *ns, const char *path)
{
	return remove_node(ns, path, true);
}

int ns_unlink(struct name_space *ns, const char *path)
{
	return remove_node(ns, path, false);
}

int ns_rename(struct name_space *ns, const char *from, const char *to)
{
	char a[FS_PATH_MAX], b[FS_PATH_MAX];
	int err = to_change(ns, from, a);

	if (!err)
		err = to_change(ns, to, b);
	if (err)
		return err;
	if (!strncmp(b, a, strlen(a)) && b[strlen(a)] == '/')
		return -EINVAL;		/* into itself */
	return ns->fs->ops->rename ? ns->fs->ops->rename(ns->fs, a, b) : -EROFS;
}

int ns_symlink(struct name_space *ns, const char *target, const char *path)
{
	char full[FS_PATH_MAX];
	int err = to_change(ns, path, full);

	if (err)
		return err == -EBUSY ? -EEXIST : err;
	if (!*target)
		return -EINVAL;
	if (strlen(target) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	return ns->fs->ops->symlink ?
	       ns->fs->ops->symlink(ns->fs, full, target) : -EROFS;
}

ssize_t ns_readlink(struct name_space *ns, const char *path, char *buf,
		    size_t size)
{
	char full[FS_PATH_MAX];
	struct fs_stat st;
	int err = resolve(ns, path, 0, full);

	if (err)
		return err;
	if (ns->fs->ops->readlink)
		return ns->fs->ops->readlink(ns->fs, full, buf, size);
	err = ns->fs->ops->stat(ns->fs, full, &st);
	return err ? err : -EINVAL;
}

/* --- watches ------------------------------------------------------------------------------ */

static void changed(void *ctx, const char *path)
{
	struct name_space *ns = ctx;

	for (unsigned int i = 0; i < NS_WATCHES; i++)
		if (ns->watches[i].path && fs_concerns(path, ns->watches[i].path))
			ns->watches[i].fn(ns->watches[i].ctx);
}

int ns_watch(struct name_space *ns, const char *path, void (*fn)(void *ctx),
	     void *ctx)
{
	struct ns_watch *w = ns->watches;
	char full[FS_PATH_MAX];
	int err = resolve(ns, path, FS_FOLLOW | FS_MISSING, full);

	while (w < ns->watches + NS_WATCHES && w->path)
		w++;
	if (!err && w == ns->watches + NS_WATCHES)
		err = -EMFILE;
	if (err)
		return err;
	*w = (struct ns_watch) { strdup(full), NULL, fn, ctx };
	if (!w->path)
		return -ENOMEM;
	if (ns->fs->ops->watch)
		err = ns->fs->ops->watch(ns->fs, full, &w->below);
	if (!err)
		return w - ns->watches;
	free(w->path);
	w->path = NULL;
	return err;
}

int ns_unwatch(struct name_space *ns, int watch)
{
	struct ns_watch *w = ns->watches;

	if (watch < 0 || watch >= NS_WATCHES || !w[watch].path)
		return -EBADF;
	w += watch;
	if (ns->fs->ops->unwatch)
		ns->fs->ops->unwatch(ns->fs, w->below);
	free(w->path);
	w->path = NULL;
	return 0;
}

void ns_init(struct name_space *ns, struct fs *fs)
{
	*ns = (struct name_space) { .fs = fs };
	fs->changed = changed;
	fs->changed_ctx = ns;
}
