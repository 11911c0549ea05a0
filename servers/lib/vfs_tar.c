// SPDX-License-Identifier: BSD-2-Clause
/*
 * The nodes are an array in the order of their directory's path, then of their name:
 * what is in a directory lies side by side, and everything is found by halving.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tar.h"
#include "vfs_parts.h"

struct node {
	char *path;		/* "/a/b" */
	size_t dir;		/* bytes of it that are the directory's */
	const uint8_t *data;	/* of a file */
	char *target;		/* of a link */
	uint64_t size;
	uint32_t mode;		/* with the type */
	int64_t mtime;
	size_t order;		/* of the entry; those that were not in it: last */
};

struct tar_fs {
	struct fs fs;
	struct node root;
	size_t n;
	uint64_t bytes;		/* of all files */
	struct node nodes[];
};

static struct tar_fs *tar_of(struct fs *fs)
{
	return (struct tar_fs *)fs;	/* its first member */
}

static bool is(const struct node *n, uint32_t type)
{
	return (n->mode & 0170000) == type;
}

/* --- finding --------------------------------------------------------------------- */

/* As strcmp() of the directory @dir of @len bytes, then of @name, with @n's. */
static int compare(const char *dir, size_t len, const char *name,
		   const struct node *n)
{
	size_t least = len < n->dir ? len : n->dir;
	int diff = memcmp(dir, n->path, least);

	if (!diff)
		diff = (len > n->dir) - (len < n->dir);
	return diff ? diff : strcmp(name, n->path + n->dir + 1);
}

/* The first node that is not before that. */
static size_t place(const struct tar_fs *t, const char *dir, size_t len,
		    const char *name)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(dir, len, name, &t->nodes[mid]) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The node at @path, which is not the root's, or NULL. */
static struct node *exact(struct tar_fs *t, const char *path)
{
	const char *name = strrchr(path, '/');
	size_t i = place(t, path, name - path, name + 1);

	return i < t->n && !strcmp(t->nodes[i].path, path) ? &t->nodes[i] : NULL;
}

/* Why there is nothing at @path: what the first thing above it is. */
static int why_not(struct tar_fs *t, const char *path)
{
	char above[FS_PATH_MAX];
	struct node *n = NULL;

	strcpy(above, path);
	do
		*strrchr(above, '/') = 0;
	while (*above && !(n = exact(t, above)));
	return !n || is(n, 0040000) ? -ENOENT :
	       is(n, 0120000) ? -ELOOP : -ENOTDIR;
}

static int find(struct tar_fs *t, const char *path, struct node **node)
{
	*node = *path ? exact(t, path) : &t->root;
	return *node ? 0 : why_not(t, path);
}

/* --- functions of a file system ------------------------------------------------------- */

static void fill(const struct tar_fs *t, const struct node *n,
		 struct fs_stat *st)
{
	*st = (struct fs_stat) {
		.inode = n == &t->root ? 1 : n - t->nodes + 2,
		.size = n->size, .blocks = (n->size + 511) / 512,
		.mode = n->mode, .links = 1,
		.mtime = n->mtime, .ctime = n->mtime, .atime = n->mtime,
	};
}

static int tar_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	struct node *n;
	int err = find(tar_of(fs), path, &n);

	if (!err)
		fill(tar_of(fs), n, st);
	return err;
}

static int tar_open(struct fs *fs, const char *path, uint32_t flags,
		    void **file)
{
	struct node *n;
	int err = find(tar_of(fs), path, &n);

	if (err == -ENOENT && flags & FS_O_CREATE)
		return -EROFS;
	if (err)
		return err;
	if (flags & FS_O_EXCLUSIVE)
		return -EEXIST;
	if (is(n, 0120000))
		return -ELOOP;
	if (flags)
		return is(n, 0040000) ? -EISDIR : -EROFS;
	*file = n;
	return 0;
}

static void tar_close(struct fs *fs, void *file)
{
	(void)fs;
	(void)file;
}

static int tar_fstat(struct fs *fs, void *file, struct fs_stat *st)
{
	fill(tar_of(fs), file, st);
	return 0;
}

static int64_t tar_read(struct fs *fs, void *file, uint64_t offset, void *data,
			size_t len)
{
	const struct node *n = file;

	(void)fs;
	if (is(n, 0040000))
		return -EISDIR;
	if (offset >= n->size)
		return 0;
	if (len > n->size - offset)
		len = n->size - offset;
	memcpy(data, n->data + offset, len);
	return len;
}

static uint8_t type_of(const struct node *n)
{
	return is(n, 0040000) ? FS_TYPE_DIR :
	       is(n, 0120000) ? FS_TYPE_LINK : FS_TYPE_FILE;
}

static int tar_readdir(struct fs *fs, void *file, uint64_t position,
		       fs_entry_fn fn, void *ctx)
{
	const struct node *dir = file, *n;
	struct tar_fs *t = tar_of(fs);
	const char *path = dir == &t->root ? "" : dir->path;
	size_t len = strlen(path), i;

	if (!is(dir, 0040000))
		return -ENOTDIR;
	i = place(t, path, len, "");
	for (i = i > position ? i : position; i < t->n; i++) {
		struct fs_entry e = { .inode = i + 2, .next = i + 1 };

		n = &t->nodes[i];
		if (n->dir != len || memcmp(n->path, path, len))
			break;
		e.name = n->path + len + 1;
		e.type = type_of(n);
		if (fn(ctx, &e))
			return 1;
	}
	return 0;
}

static int tar_readlink(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct node *n;
	int err = find(tar_of(fs), path, &n);

	if (err)
		return err;
	if (!is(n, 0120000))
		return -EINVAL;
	if (n->size > size)
		return -ENAMETOOLONG;
	memcpy(buf, n->target, n->size);
	return n->size;
}

static void tar_info(struct fs *fs, struct fs_info *info)
{
	strcpy(info->type, "tar");
	info->size = tar_of(fs)->bytes;
	info->clean = 1;
}

static const struct fs_ops ops = {
	.stat = tar_stat, .open = tar_open, .close = tar_close,
	.fstat = tar_fstat, .read = tar_read, .readdir = tar_readdir,
	.readlink = tar_readlink, .info = tar_info,
};

/* --- reading the archive ---------------------------------------------------------------- */

static bool wanted(const struct tar_entry *e)
{
	return e->name[0] && e->type != TAR_OTHER;
}

/* How many nodes there are at most: an entry and what is above it. */
static int count(struct tar tar, size_t *n, uint64_t *where)
{
	struct tar_entry e;
	int got;

	*n = 0;
	while ((got = tar_next(&tar, &e)) > 0) {
		*n += wanted(&e);
		for (const char *c = e.name; wanted(&e) && *c; c++)
			*n += *c == '/';
	}
	*where = tar.pos;
	return got;
}

/* A node at the first @len bytes of @name; NULL: no memory. */
static struct node *add(struct tar_fs *t, const char *name, size_t len,
			uint32_t mode)
{
	struct node *n = &t->nodes[t->n];

	n->path = malloc(len + 2);
	if (!n->path)
		return NULL;
	n->path[0] = '/';
	memcpy(n->path + 1, name, len);
	n->path[1 + len] = 0;
	n->dir = strrchr(n->path, '/') - n->path;
	n->mode = mode;
	n->order = t->n++;
	return n;
}

static int add_entry(struct tar_fs *t, const struct tar_entry *e)
{
	static const uint32_t types[] = {
		[TAR_FILE] = 0100000, [TAR_LINK] = 0120000, [TAR_DIR] = 0040000,
	};
	struct node *n = add(t, e->name, strlen(e->name),
			     types[e->type] | e->mode);

	if (!n)
		return -ENOMEM;
	n->mtime = e->mtime;
	if (e->type == TAR_LINK) {
		n->target = strdup(e->target);
		n->size = strlen(e->target);
		return n->target ? 0 : -ENOMEM;
	}
	if (e->type == TAR_FILE) {
		n->data = e->data;
		n->size = e->size;
		t->bytes += e->size;
	}
	return 0;
}

/* What is above the entries, of an order after all of them: what has something
 * below it is a directory, whatever else it is said to be. */
static int add_above(struct tar_fs *t, size_t entries)
{
	for (size_t i = 0; i < entries; i++) {
		const char *name = t->nodes[i].path + 1, *c;

		for (c = strchr(name, '/'); c; c = strchr(c + 1, '/'))
			if (!add(t, name, c - name, 0040755))
				return -ENOMEM;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int diff = compare(x->path, x->dir, x->path + x->dir + 1, y);

	return diff ? diff : (x->order > y->order) - (x->order < y->order);
}

/* Of those with one path the last stays; a directory that was in the archive keeps
 * what was said of it there. */
static void unite(struct tar_fs *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct node *last = n ? &t->nodes[n - 1] : NULL;
		struct node *next = &t->nodes[i];

		if (!last || strcmp(last->path, next->path)) {
			t->nodes[n++] = *next;
			continue;
		}
		free(is(last, 0040000) && is(next, 0040000) ? next->path :
							      last->path);
		if (!is(last, 0040000) || !is(next, 0040000)) {
			free(last->target);
			*last = *next;
		}
	}
	t->n = n;
}

static int read_all(struct tar_fs *t, struct tar tar)
{
	struct tar_entry e;
	int err = 0;

	while (!err && tar_next(&tar, &e) > 0)
		if (wanted(&e))
			err = add_entry(t, &e);
	if (!err)
		err = add_above(t, t->n);
	if (!err) {
		qsort(t->nodes, t->n, sizeof(*t->nodes), by_place);
		unite(t);
	}
	return err;
}

int vfs_tar(const void *data, size_t size, struct fs **fs, uint64_t *where)
{
	struct tar tar = { data, size, 0 };
	struct tar_fs *t;
	size_t n;
	int err = count(tar, &n, where);

	if (err)
		return err;
	t = calloc(1, sizeof(*t) + n * sizeof(*t->nodes));
	if (!t)
		return -ENOMEM;
	t->fs.ops = &ops;
	t->root.mode = 0040755;
	err = read_all(t, tar);
	if (err) {
		for (size_t i = 0; i < t->n; i++) {
			free(t->nodes[i].path);
			free(t->nodes[i].target);
		}
		free(t);
		return err;
	}
	*fs = &t->fs;
	return 0;
}
