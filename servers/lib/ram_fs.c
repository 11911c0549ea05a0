// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nodes hang in their directory's list, in the order in which they came, and in a
 * table by parent and name. Each change takes what memory it needs first and then
 * cannot fail.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/sys.h>

#include "ram_fs.h"
#include "ram_pages.h"

#define TYPE_DIR	0040000u
#define TYPE_FILE	0100000u
#define TYPE_LINK	0120000u

#define NODE_COST	512u	/* node, its name's allocation, the table */
#define TABLE_MIN	64u

struct node {
	uint32_t mode;
	unsigned int opened;	/* handles */
	uint64_t inode, size;
	int64_t mtime;
	struct node *parent;	/* NULL: the root, or unlinked */
	char *name;
	struct node *same;	/* next with the same hash */
	/* in the parent's list; @order grows along it */
	struct node *next, *prev;
	uint64_t order;
	/* of a directory */
	struct node *first, *last;
	uint64_t orders, children;
	char *target;		/* of a link */
	struct ram_pages pages;	/* of a file */
};

struct ram_fs {
	struct fs fs;
	struct ram_pool pool;
	struct node root;
	struct node **table;
	size_t slots, nodes;	/* slots: a power of two */
	uint64_t inodes;	/* given so far */
};

static struct ram_fs *ram_of(struct fs *fs)
{
	return (struct ram_fs *)fs;	/* its first member */
}

static bool is(const struct node *n, uint32_t type)
{
	return (n->mode & 0170000) == type;
}

static void touch(struct node *n)
{
	n->mtime = pith_now() / PITH_SEC(1);
}

/* --- the table ------------------------------------------------------------------- */

static uint64_t hash(const struct node *dir, const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull ^ dir->inode;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ull;
	return h ^ h >> 32;
}

static struct node **slot_of(struct ram_fs *r, const struct node *dir,
			     const char *name, size_t len)
{
	return &r->table[hash(dir, name, len) & (r->slots - 1)];
}

static void table_add(struct ram_fs *r, struct node *n)
{
	struct node **slot = slot_of(r, n->parent, n->name, strlen(n->name));

	n->same = *slot;
	*slot = n;
}

/* A table that stays small is slower, not wrong. */
static void table_grow(struct ram_fs *r)
{
	struct node **old = r->table, *n, *next;
	size_t slots = r->slots;

	r->table = calloc(2 * slots, sizeof(*r->table));
	if (!r->table) {
		r->table = old;
		return;
	}
	r->slots = 2 * slots;
	for (size_t i = 0; i < slots; i++) {
		for (n = old[i]; n; n = next) {
			next = n->same;
			table_add(r, n);
		}
	}
	free(old);
}

static struct node *child(struct ram_fs *r, const struct node *dir,
			  const char *name, size_t len)
{
	struct node *n = *slot_of(r, dir, name, len);

	while (n && (n->parent != dir || strlen(n->name) != len ||
		     memcmp(n->name, name, len)))
		n = n->same;
	return n;
}

/* Put @n, which has a name, into @dir. */
static void attach(struct ram_fs *r, struct node *dir, struct node *n)
{
	n->parent = dir;
	n->order = ++dir->orders;
	n->next = NULL;
	n->prev = dir->last;
	*(dir->last ? &dir->last->next : &dir->first) = n;
	dir->last = n;
	dir->children++;
	touch(dir);
	table_add(r, n);
}

static void detach(struct ram_fs *r, struct node *n)
{
	struct node *dir = n->parent;
	struct node **p = slot_of(r, dir, n->name, strlen(n->name));

	while (*p != n)
		p = &(*p)->same;
	*p = n->same;
	*(n->prev ? &n->prev->next : &dir->first) = n->next;
	*(n->next ? &n->next->prev : &dir->last) = n->prev;
	dir->children--;
	touch(dir);
	n->parent = NULL;
}

/* --- nodes ------------------------------------------------------------------------ */

/* What @path names, or its directory with the last name in *@name. */
static int lookup(struct ram_fs *r, const char *path, struct node **node)
{
	struct node *n = &r->root;

	for (size_t len; *path; path += len) {
		len = strcspn(++path, "/");
		if (is(n, TYPE_LINK))
			return -ELOOP;
		if (!is(n, TYPE_DIR))
			return -ENOTDIR;
		n = child(r, n, path, len);
		if (!n)
			return -ENOENT;
	}
	*node = n;
	return 0;
}

static int lookup_dir(struct ram_fs *r, const char *path, struct node **dir,
		      const char **name)
{
	char above[FS_PATH_MAX];
	int err;

	*name = strrchr(path, '/') + 1;
	memcpy(above, path, *name - path);
	above[*name - path - 1] = 0;
	err = lookup(r, above, dir);
	if (!err && !is(*dir, TYPE_DIR))
		err = is(*dir, TYPE_LINK) ? -ELOOP : -ENOTDIR;
	return err;
}

static uint64_t cost(const struct node *n)
{
	return NODE_COST + (n->target ? strlen(n->target) : 0);
}

static void destroy(struct ram_fs *r, struct node *n)
{
	ram_pages_cut(&n->pages, 0);
	ram_pool_give(&r->pool, cost(n));
	r->nodes--;
	free(n->target);
	free(n->name);
	free(n);
}

/* Give @n, which is in no directory, back unless somebody has it open. */
static void drop(struct ram_fs *r, struct node *n)
{
	if (!n->opened)
		destroy(r, n);
}

/* A node for @dir, which it is not in yet. */
static struct node *make(struct ram_fs *r, uint32_t mode, const char *name,
			 const char *target)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->name = strdup(name);
	n->target = target ? strdup(target) : NULL;
	if (!n->name || (target && !n->target) ||
	    ram_pool_take(&r->pool, cost(n))) {
		free(n->name);
		free(n->target);
		free(n);
		return NULL;
	}
	n->mode = mode;
	n->inode = ++r->inodes;
	n->pages.pool = &r->pool;
	touch(n);
	if (++r->nodes > r->slots)
		table_grow(r);
	return n;
}

/* A new node at @path. */
static int create(struct ram_fs *r, const char *path, uint32_t mode,
		  const char *target, struct node **node)
{
	struct node *dir, *n;
	const char *name;
	int err;

	if (!*path)
		return -EEXIST;
	err = lookup_dir(r, path, &dir, &name);
	if (err)
		return err;
	if (child(r, dir, name, strlen(name)))
		return -EEXIST;
	n = make(r, mode, name, target);
	if (!n)
		return -ENOSPC;
	attach(r, dir, n);
	*node = n;
	return 0;
}

/* --- looking ------------------------------------------------------------------------ */

static void stat_node(const struct node *n, struct fs_stat *st)
{
	*st = (struct fs_stat) {
		.inode = n->inode,
		.size = is(n, TYPE_LINK) ? strlen(n->target) : n->size,
		.blocks = n->pages.pages * (RAM_PAGE / 512),
		.mode = n->mode, .links = 1,
		.mtime = n->mtime, .ctime = n->mtime, .atime = n->mtime,
	};
}

static int ram_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	struct node *n;
	int err = lookup(ram_of(fs), path, &n);

	if (!err)
		stat_node(n, st);
	return err;
}

static int ram_fstat(struct fs *fs, void *file, struct fs_stat *st)
{
	(void)fs;
	stat_node(file, st);
	return 0;
}

static int64_t ram_read(struct fs *fs, void *file, uint64_t offset, void *data,
			size_t len)
{
	struct node *n = file;

	(void)fs;
	if (!is(n, TYPE_FILE))
		return -EISDIR;
	if (offset >= n->size)
		return 0;
	if (len > n->size - offset)
		len = n->size - offset;
	ram_pages_read(&n->pages, offset, data, len);
	return len;
}

static uint8_t type_of(const struct node *n)
{
	return is(n, TYPE_DIR) ? FS_TYPE_DIR :
	       is(n, TYPE_LINK) ? FS_TYPE_LINK : FS_TYPE_FILE;
}

static int ram_readdir(struct fs *fs, void *file, uint64_t position,
		       fs_entry_fn fn, void *ctx)
{
	const struct node *dir = file, *n;

	(void)fs;
	if (!is(dir, TYPE_DIR))
		return -ENOTDIR;
	for (n = dir->first; n; n = n->next) {
		struct fs_entry e = {
			n->name, type_of(n), n->inode, n->order + 1,
		};

		if (n->order >= position && fn(ctx, &e))
			return 1;
	}
	return 0;
}

static int ram_readlink(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct node *n;
	size_t len;
	int err = lookup(ram_of(fs), path, &n);

	if (err)
		return err;
	if (!is(n, TYPE_LINK))
		return -EINVAL;
	len = strlen(n->target);
	if (len > size)
		return -ENAMETOOLONG;
	memcpy(buf, n->target, len);
	return len;
}

static void ram_info(struct fs *fs, struct fs_info *info)
{
	struct ram_fs *r = ram_of(fs);

	strcpy(info->type, "ram");
	info->size = r->pool.limit;
	info->free = r->pool.limit - r->pool.used;
	info->clean = 1;
}

/* --- changing ----------------------------------------------------------------------- */

static int ram_open(struct fs *fs, const char *path, uint32_t flags,
		    void **file)
{
	struct ram_fs *r = ram_of(fs);
	struct node *n;
	int err = lookup(r, path, &n);

	if (err == -ENOENT && flags & FS_O_CREATE)
		err = create(r, path, TYPE_FILE | 0644, NULL, &n);
	else if (!err && flags & FS_O_EXCLUSIVE)
		err = -EEXIST;
	if (err)
		return err;
	if (is(n, TYPE_LINK))
		return -ELOOP;
	if (flags & FS_O_WRITE && !is(n, TYPE_FILE))
		return -EISDIR;
	if (flags & FS_O_TRUNCATE && n->size) {
		ram_pages_cut(&n->pages, 0);
		n->size = 0;
		touch(n);
	}
	n->opened++;
	*file = n;
	return 0;
}

static void ram_close(struct fs *fs, void *file)
{
	struct ram_fs *r = ram_of(fs);
	struct node *n = file;

	if (!--n->opened && !n->parent && n != &r->root)
		destroy(r, n);
}

static int64_t ram_write(struct fs *fs, void *file, uint64_t offset,
			 const void *data, size_t len)
{
	struct node *n = file;
	size_t done;

	(void)fs;
	if (offset >= RAM_FILE_MAX)
		return -EFBIG;
	if (len > RAM_FILE_MAX - offset)
		len = RAM_FILE_MAX - offset;
	done = ram_pages_write(&n->pages, offset, data, len);
	if (!done)
		return -ENOSPC;
	if (offset + done > n->size)
		n->size = offset + done;
	touch(n);
	return done;
}

static int ram_truncate(struct fs *fs, void *file, uint64_t size)
{
	struct node *n = file;

	(void)fs;
	if (size > RAM_FILE_MAX)
		return -EFBIG;
	if (size < n->size)
		ram_pages_cut(&n->pages, size);
	n->size = size;
	touch(n);
	return 0;
}

static int ram_mkdir(struct fs *fs, const char *path)
{
	struct node *n;

	return create(ram_of(fs), path, TYPE_DIR | 0755, NULL, &n);
}

static int ram_symlink(struct fs *fs, const char *path, const char *target)
{
	struct node *n;

	return create(ram_of(fs), path, TYPE_LINK | 0777, target, &n);
}

static int ram_unlink(struct fs *fs, const char *path)
{
	struct ram_fs *r = ram_of(fs);
	struct node *n;
	int err = lookup(r, path, &n);

	if (err)
		return err;
	if (n == &r->root)
		return -EBUSY;
	if (n->children)
		return -ENOTEMPTY;
	detach(r, n);
	drop(r, n);
	return 0;
}

/* May @n take the place of @old? */
static int check_replace(const struct node *n, const struct node *old)
{
	if (is(old, TYPE_DIR))
		return !is(n, TYPE_DIR) ? -EISDIR :
		       old->children ? -ENOTEMPTY : 0;
	return is(n, TYPE_DIR) ? -ENOTDIR : 0;
}

static bool is_in(const struct node *n, const struct node *dir)
{
	while (n && n != dir)
		n = n->parent;
	return n;
}

static int ram_rename(struct fs *fs, const char *from, const char *to)
{
	struct ram_fs *r = ram_of(fs);
	struct node *n, *dir, *old;
	const char *name;
	char *copy;
	int err;

	if (!*from || !*to)
		return -EBUSY;
	err = lookup(r, from, &n);
	if (!err)
		err = lookup_dir(r, to, &dir, &name);
	if (err)
		return err;
	if (is_in(dir, n))
		return -EINVAL;
	old = child(r, dir, name, strlen(name));
	if (old == n)
		return 0;
	err = old ? check_replace(n, old) : 0;
	if (err)
		return err;
	copy = strdup(name);
	if (!copy)
		return -ENOSPC;
	if (old) {
		detach(r, old);
		drop(r, old);
	}
	detach(r, n);
	free(n->name);
	n->name = copy;
	attach(r, dir, n);
	return 0;
}

static const struct fs_ops ops = {
	.stat = ram_stat, .open = ram_open, .close = ram_close,
	.fstat = ram_fstat, .read = ram_read, .write = ram_write,
	.truncate = ram_truncate, .readdir = ram_readdir,
	.readlink = ram_readlink, .mkdir = ram_mkdir, .symlink = ram_symlink,
	.unlink = ram_unlink, .rename = ram_rename, .info = ram_info,
};

struct fs *ram_fs_new(uint64_t limit)
{
	struct ram_fs *r = calloc(1, sizeof(*r));
	struct node **table = calloc(TABLE_MIN, sizeof(*table));

	if (!r || !table) {
		free(r);
		free(table);
		return NULL;
	}
	r->fs.ops = &ops;
	r->pool.limit = limit;
	r->table = table;
	r->slots = TABLE_MIN;
	r->inodes = r->root.inode = 1;
	r->root.mode = TYPE_DIR | 0755;
	touch(&r->root);
	return &r->fs;
}
