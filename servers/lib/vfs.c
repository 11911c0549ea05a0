// SPDX-License-Identifier: BSD-2-Clause
/*
 * A directory of the VFS is a list of parts: some stand at a name in it, some fill
 * all of it. A path is handed to each part that could have it, in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

#include "hid_text.h"
#include "policy.h"
#include "ram_fs.h"
#include "vfs.h"
#include "vfs_file.h"

#define PARTS	64u		/* in one directory */
#define PART_SHIFT	56	/* of a position: the part above, its own below */
#define INODE_SHIFT	48	/* of an inode number, likewise */

struct part {
	char name[FS_NAME_MAX];	/* "": all of the directory */
	struct fs *fs;
};

struct vfs {
	struct fs fs;
	unsigned int n;
	struct part parts[PARTS];
};

/* What is open: a file of a part, or a directory, which several may have. */
struct open {
	struct part *part;	/* NULL: a directory */
	void *file;
	char path[];
};

static struct vfs *vfs_of(struct fs *fs)
{
	return (struct vfs *)fs;	/* its first member */
}

/* What @path is for @p; NULL: it cannot be there. */
static const char *path_in(const struct part *p, const char *path)
{
	size_t len = strlen(p->name);

	if (!len)
		return path;
	if (path[0] != '/' || strncmp(path + 1, p->name, len) ||
	    (path[1 + len] && path[1 + len] != '/'))
		return NULL;
	return path + 1 + len;
}

/* The first part that has @path: 0, or a negative errno. */
static int find(struct vfs *v, const char *path, struct part **part,
		const char **inner, struct fs_stat *st)
{
	for (unsigned int i = 0; i < v->n; i++) {
		struct part *p = &v->parts[i];
		int err = -ENOENT;

		*inner = path_in(p, path);
		if (*inner)
			err = p->fs->ops->stat(p->fs, *inner, st);
		if (err == -ENOENT)
			continue;
		*part = p;
		st->inode += (uint64_t)(i + 1) << INODE_SHIFT;
		return err;
	}
	return -ENOENT;
}

static void stat_root(struct fs_stat *st)
{
	*st = (struct fs_stat) { .inode = 1, .mode = 0040755, .links = 1 };
}

static int vfs_stat(struct fs *fs, const char *path, struct fs_stat *st)
{
	struct part *p;
	const char *inner;

	if (*path)
		return find(vfs_of(fs), path, &p, &inner, st);
	stat_root(st);
	return 0;
}

/* Why no part made @path: its directory is not there, or takes nothing. */
static int not_made(struct vfs *v, const char *path)
{
	char above[FS_PATH_MAX];
	struct fs_stat st;
	size_t len = strrchr(path, '/') - path;
	int err;

	memcpy(above, path, len);
	above[len] = 0;
	err = vfs_stat(&v->fs, above, &st);
	return err ? err : (st.mode & 0170000) == 0040000 ? -EROFS : -ENOTDIR;
}

/* --- open files ----------------------------------------------------------------- */

/* A part that makes a new file at @path: the first that does. */
static int create(struct vfs *v, const char *path, uint32_t flags,
		  struct part **part, void **file)
{
	int ret = -ENOENT, err;

	for (unsigned int i = 0; i < v->n; i++) {
		struct part *p = &v->parts[i];
		const char *inner = path_in(p, path);

		if (!inner)
			continue;
		err = !p->fs->ops->write ? -EROFS :
		      p->fs->ops->open(p->fs, inner, flags, file);
		if (!err)
			*part = p;
		if (err != -ENOENT)
			ret = err;
		if (err != -ENOENT && err != -EROFS)
			break;
	}
	return ret == -ENOENT ? not_made(v, path) : ret;
}

static int open_found(struct part *p, const char *inner, uint32_t flags,
		      struct fs_stat *st, struct open *o)
{
	if ((st->mode & 0170000) == 0040000)
		return flags & FS_O_EXCLUSIVE ? -EEXIST :
		       flags ? -EISDIR : 0;
	o->part = p;
	if (flags & FS_O_EXCLUSIVE)
		return -EEXIST;
	if (flags && !p->fs->ops->write)
		return -EROFS;
	return p->fs->ops->open(p->fs, inner, flags, &o->file);
}

static int vfs_open(struct fs *fs, const char *path, uint32_t flags,
		    void **file)
{
	struct open *o = calloc(1, sizeof(*o) + strlen(path) + 1);
	struct part *p;
	const char *inner;
	struct fs_stat st;
	int err = 0;

	if (!o)
		return -ENOMEM;
	strcpy(o->path, path);
	if (*path)
		err = find(vfs_of(fs), path, &p, &inner, &st);
	else if (flags)
		err = -EISDIR;
	if (!err && *path)
		err = open_found(p, inner, flags, &st, o);
	else if (err == -ENOENT && flags & FS_O_CREATE)
		err = create(vfs_of(fs), path, flags, &o->part, &o->file);
	if (err)
		free(o);
	else
		*file = o;
	return err;
}

static void vfs_close(struct fs *fs, void *file)
{
	struct open *o = file;

	(void)fs;
	if (o->part)
		o->part->fs->ops->close(o->part->fs, o->file);
	free(o);
}

static int vfs_fstat(struct fs *fs, void *file, struct fs_stat *st)
{
	struct open *o = file;
	uint64_t above;
	int err;

	if (!o->part)
		return vfs_stat(fs, o->path, st);
	err = o->part->fs->ops->fstat(o->part->fs, o->file, st);
	above = o->part - vfs_of(fs)->parts + 1;
	st->inode += above << INODE_SHIFT;
	return err;
}

static int64_t vfs_read(struct fs *fs, void *file, uint64_t offset, void *data,
			size_t len)
{
	struct open *o = file;

	(void)fs;
	return o->part ? o->part->fs->ops->read(o->part->fs, o->file, offset,
						data, len) : -EISDIR;
}

/* Only what was opened to write comes here: the part has these functions. */
static int64_t vfs_write(struct fs *fs, void *file, uint64_t offset,
			 const void *data, size_t len)
{
	struct open *o = file;

	(void)fs;
	return o->part->fs->ops->write(o->part->fs, o->file, offset, data, len);
}

static int vfs_truncate(struct fs *fs, void *file, uint64_t size)
{
	struct open *o = file;

	(void)fs;
	return o->part->fs->ops->truncate(o->part->fs, o->file, size);
}

/* --- directories ------------------------------------------------------------------ */

struct listing {
	struct vfs *v;
	const char *path;	/* of the directory */
	unsigned int i;		/* part that is being listed */
	fs_entry_fn fn;
	void *ctx;
};

/* Does a part before this one have @name? Then that was listed. */
static bool hidden(const struct listing *l, const char *name)
{
	char path[FS_PATH_MAX];
	struct fs_stat st;

	if (snprintf(path, sizeof(path), "%s/%s", l->path, name) >=
	    (int)sizeof(path))
		return true;
	for (unsigned int i = 0; i < l->i; i++) {
		struct part *p = &l->v->parts[i];
		const char *inner = path_in(p, path);

		if (inner && !p->fs->ops->stat(p->fs, inner, &st))
			return true;
	}
	return false;
}

static bool list_entry(void *ctx, const struct fs_entry *e)
{
	struct listing *l = ctx;
	struct fs_entry mine = *e;

	if (hidden(l, e->name))
		return false;
	mine.inode += (uint64_t)(l->i + 1) << INODE_SHIFT;
	mine.next += (uint64_t)l->i << PART_SHIFT;
	return l->fn(l->ctx, &mine);
}

static uint8_t type_of(uint32_t mode)
{
	switch (mode & 0170000) {
	case 0040000:
		return FS_TYPE_DIR;
	case 0100000:
		return FS_TYPE_FILE;
	case 0120000:
		return FS_TYPE_LINK;
	}
	return FS_TYPE_CHAR;
}

/* The entries that part @l->i has: as fs_ops.readdir. */
static int list_part(struct listing *l, uint64_t position)
{
	struct part *p = &l->v->parts[l->i];
	const char *inner = path_in(p, l->path);
	struct fs_entry e = { .name = p->name, .next = 1 };
	struct fs_stat st;
	void *file;
	int ret;

	if (p->name[0] && !*l->path) {		/* it is an entry itself */
		if (position || p->fs->ops->stat(p->fs, "", &st))
			return 0;
		e.type = type_of(st.mode);
		e.inode = st.inode;
		return list_entry(l, &e);
	}
	if (!inner || p->fs->ops->open(p->fs, inner, 0, &file))
		return 0;
	ret = p->fs->ops->readdir(p->fs, file, position, list_entry, l);
	p->fs->ops->close(p->fs, file);
	return ret == -ENOTDIR ? 0 : ret;
}

static int vfs_readdir(struct fs *fs, void *file, uint64_t position,
		       fs_entry_fn fn, void *ctx)
{
	struct open *o = file;
	struct listing l = {
		.v = vfs_of(fs), .path = o->path, .fn = fn, .ctx = ctx,
		.i = position >> PART_SHIFT,
	};
	int ret = 0;

	if (o->part)
		return -ENOTDIR;
	position &= (1ull << PART_SHIFT) - 1;
	for (; l.i < l.v->n && !ret; l.i++, position = 0)
		ret = list_part(&l, position);
	return ret;
}

static int vfs_readlink(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct part *p;
	const char *inner;
	struct fs_stat st;
	int err = *path ? find(vfs_of(fs), path, &p, &inner, &st) : -EINVAL;

	if (err)
		return err;
	return p->fs->ops->readlink ?
	       p->fs->ops->readlink(p->fs, inner, buf, size) : -EINVAL;
}

/* --- changing names ----------------------------------------------------------------- */

/* A new name, by the first part that takes it; @target: of a link, else NULL. */
static int add_name(struct vfs *v, const char *path, const char *target)
{
	const struct fs_ops *ops;
	struct part *p;
	const char *inner;
	struct fs_stat st;
	int ret = find(v, path, &p, &inner, &st), err;

	if (ret != -ENOENT)
		return ret ? ret : -EEXIST;
	for (unsigned int i = 0; i < v->n; i++) {
		p = &v->parts[i];
		ops = p->fs->ops;
		inner = path_in(p, path);
		if (!inner)
			continue;
		if (target)
			err = ops->symlink ? ops->symlink(p->fs, inner, target)
					   : -EROFS;
		else
			err = ops->mkdir ? ops->mkdir(p->fs, inner) : -EROFS;
		if (err != -ENOENT)
			ret = err;
		if (err != -ENOENT && err != -EROFS)
			break;
	}
	return ret == -ENOENT ? not_made(v, path) : ret;
}

static int vfs_mkdir(struct fs *fs, const char *path)
{
	return *path ? add_name(vfs_of(fs), path, NULL) : -EEXIST;
}

static int vfs_symlink(struct fs *fs, const char *path, const char *target)
{
	return *path ? add_name(vfs_of(fs), path, target) : -EEXIST;
}

static int vfs_unlink(struct fs *fs, const char *path)
{
	struct part *p;
	const char *inner;
	struct fs_stat st;
	int err = *path ? find(vfs_of(fs), path, &p, &inner, &st) : -EBUSY;

	if (err)
		return err;
	if (!*inner)		/* the config says that it is there */
		return -EBUSY;
	return p->fs->ops->unlink ? p->fs->ops->unlink(p->fs, inner) : -EROFS;
}

static int vfs_rename(struct fs *fs, const char *from, const char *to)
{
	struct part *p, *other;
	const char *a, *b;
	struct fs_stat st;
	int err = *from && *to ? find(vfs_of(fs), from, &p, &a, &st) : -EBUSY;

	if (err)
		return err;
	if (!*a)
		return -EBUSY;
	err = find(vfs_of(fs), to, &other, &b, &st);
	if (err && err != -ENOENT)
		return err;
	if (!err && other != p)
		return -EXDEV;
	b = path_in(p, to);
	if (!b)
		return -EXDEV;
	if (!*b)
		return -EBUSY;
	return p->fs->ops->rename ? p->fs->ops->rename(p->fs, a, b) : -EROFS;
}

static void vfs_info(struct fs *fs, struct fs_info *info)
{
	struct vfs *v = vfs_of(fs);
	uint64_t size = 0, room = 0;

	for (unsigned int i = 0; i < v->n; i++) {
		struct fs_info one = { .clean = 1 };

		v->parts[i].fs->ops->info(v->parts[i].fs, &one);
		size += one.size;
		room += one.free;
	}
	*info = (struct fs_info) {
		.type = "vfs", .size = size, .free = room, .clean = 1,
	};
}

static const struct fs_ops vfs_ops = {
	.stat = vfs_stat, .open = vfs_open, .close = vfs_close,
	.fstat = vfs_fstat, .read = vfs_read, .write = vfs_write,
	.truncate = vfs_truncate, .readdir = vfs_readdir,
	.readlink = vfs_readlink, .mkdir = vfs_mkdir, .symlink = vfs_symlink,
	.unlink = vfs_unlink, .rename = vfs_rename, .info = vfs_info,
};

/* --- from a config -------------------------------------------------------------------- */

static struct fs *make_ram(const struct hid_node *n, struct hid_error *err)
{
	const struct hid_attr *size = hid_attr(n, "size");
	uint64_t limit;

	if (!size || hid_parse_number(size->value, &limit)) {
		config_wrong(err, n->line, n->col, "expected size");
		return NULL;
	}
	return ram_fs_new(limit);
}

static struct fs *make_inline(const struct hid_node *n)
{
	size_t len;
	char *text = hid_text_of(n, &len);

	return text ? vfs_file_data(text, len) : NULL;
}

static struct fs *make_rom(const struct hid_node *n, struct hid_error *err)
{
	char name[FS_NAME_MAX];
	struct rom rom;		/* stays open */
	int ret;

	hid_string(n, "name", name, sizeof(name), "");
	ret = rom_open(&rom, name);
	if (!ret)
		return vfs_file_data(rom.data, rom.size);
	config_wrong(err, n->line, n->col, "no ROM %s: %s", name,
		     strerror(-ret));
	return NULL;
}

static struct fs *make_link(const struct hid_node *n, struct hid_error *err)
{
	char *target = malloc(FS_PATH_MAX);

	if (target && hid_string(n, "target", target, FS_PATH_MAX, "") > 0)
		return vfs_file_link(target);
	free(target);
	config_wrong(err, n->line, n->col, "expected target");
	return NULL;
}

static struct fs *make_part(const struct hid_node *n, struct hid_error *err)
{
	if (hid_is(n, "dir"))
		return vfs_make(n, err);
	if (hid_is(n, "ram"))
		return make_ram(n, err);
	if (hid_is(n, "inline"))
		return make_inline(n);
	if (hid_is(n, "rom"))
		return make_rom(n, err);
	if (hid_is(n, "symlink"))
		return make_link(n, err);
	if (hid_is(n, "null"))
		return vfs_file_null();
	if (hid_is(n, "zero"))
		return vfs_file_zero();
	if (hid_is(n, "log"))
		return vfs_file_log();
	config_wrong(err, n->line, n->col, "expected dir, inline, log, null, "
		     "ram, rom, symlink or zero");
	return NULL;
}

/* The name that @n stands at, "" for one that fills its directory. */
static int name_of(const struct hid_node *n, char name[FS_NAME_MAX],
		   struct hid_error *err)
{
	const char *tag = hid_is(n, "rom") && hid_attr(n, "as") ? "as" : "name";

	name[0] = 0;
	if (hid_is(n, "ram"))
		return 0;
	if (hid_string(n, tag, name, FS_NAME_MAX, NULL) > 0 && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, ".."))
		return 0;
	return config_wrong(err, n->line, n->col, "expected a name without /");
}

struct fs *vfs_make(const struct hid_node *node, struct hid_error *err)
{
	struct vfs *v = calloc(1, sizeof(*v));
	const struct hid_node *n;
	struct part *p;

	if (!v)
		return NULL;
	v->fs.ops = &vfs_ops;
	for (n = hid_first(node, NULL); n; n = hid_next(n, NULL), v->n++) {
		p = &v->parts[v->n];
		config_wrong(err, n->line, n->col, v->n < PARTS ? "no memory" :
			     "expected at most 64 nodes");
		if (v->n == PARTS || name_of(n, p->name, err))
			break;
		p->fs = make_part(n, err);
		if (!p->fs)
			break;
	}
	if (!n)
		return &v->fs;
	free(v);		/* its parts stay: who has a wrong config ends */
	return NULL;
}
