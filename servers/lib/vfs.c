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
#include <session/parent.h>

#include "hid_text.h"
#include "policy.h"
#include "ram_fs.h"
#include "vfs.h"
#include "vfs_file.h"
#include "vfs_parts.h"

#define PARTS		64u	/* in one directory */
#define PART_BITS	6	/* of a position or inode number, lowest: the part */

struct part {
	char *name;		/* "": all of the directory */
	struct fs *fs;
	struct vfs *vfs;	/* that it is in */
};

struct vfs {
	struct fs fs;
	unsigned int n;
	struct part parts[];
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

/* A number that part @i has given, as one of the directory. They nest: each level
 * adds some bits, and of an inode number the highest may get lost. */
static uint64_t outer(uint64_t inner, unsigned int i)
{
	return inner << PART_BITS | i;
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
		st->inode = outer(st->inode, i);
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
	int err;

	if (!o->part)
		return vfs_stat(fs, o->path, st);
	err = o->part->fs->ops->fstat(o->part->fs, o->file, st);
	st->inode = outer(st->inode, o->part - vfs_of(fs)->parts);
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

static int vfs_sync(struct fs *fs, void *file)
{
	struct open *o = file;

	(void)fs;
	if (!o->part || !o->part->fs->ops->sync)
		return 0;
	return o->part->fs->ops->sync(o->part->fs, o->file);
}

/* --- directories ------------------------------------------------------------------ */

struct listing {
	struct vfs *v;
	const char *path;	/* of the directory */
	unsigned int i;		/* part that is being listed */
	fs_entry_fn fn;
	void *ctx;
	int err;
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
	if (e->next >> (64 - PART_BITS)) {	/* cannot be said further up */
		l->err = -EIO;
		return true;
	}
	mine.inode = outer(e->inode, l->i);
	mine.next = outer(e->next, l->i);
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
	ret = inner ? p->fs->ops->open(p->fs, inner, 0, &file) : -ENOENT;
	if (!ret) {
		ret = p->fs->ops->readdir(p->fs, file, position, list_entry, l);
		p->fs->ops->close(p->fs, file);
	}
	return ret == -ENOENT || ret == -ENOTDIR || ret == -ELOOP ? 0 : ret;
}

static int vfs_readdir(struct fs *fs, void *file, uint64_t position,
		       fs_entry_fn fn, void *ctx)
{
	struct open *o = file;
	struct listing l = {
		.v = vfs_of(fs), .path = o->path, .fn = fn, .ctx = ctx,
		.i = position & (PARTS - 1),
	};
	int ret = 0;

	if (o->part)
		return -ENOTDIR;
	position >>= PART_BITS;
	for (; l.i < l.v->n && !ret; l.i++, position = 0)
		ret = list_part(&l, position);
	return l.err ? l.err : ret;
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

/* --- what changes by itself ------------------------------------------------------------ */

/* What each part has of a watch, in order; a part that it is not for has nothing. */
static void vfs_unwatch(struct fs *fs, void *watch)
{
	struct vfs *v = vfs_of(fs);
	void **of = watch;

	for (unsigned int i = 0; i < v->n; i++)
		if (of[i])
			v->parts[i].fs->ops->unwatch(v->parts[i].fs, of[i]);
	free(of);
}

static int vfs_watch(struct fs *fs, const char *path, void **watch)
{
	struct vfs *v = vfs_of(fs);
	void **of = calloc(v->n + 1, sizeof(*of));
	int err = of ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < v->n && !err; i++) {
		struct fs *part = v->parts[i].fs;
		const char *inner = path_in(&v->parts[i], path);

		if (inner && part->ops->watch)
			err = part->ops->watch(part, inner, &of[i]);
	}
	if (err && of)
		vfs_unwatch(fs, of);
	else
		*watch = of;
	return err;
}

static void part_changed(void *ctx, const char *path)
{
	struct part *p = ctx;
	char all[FS_PATH_MAX];
	int len = snprintf(all, sizeof(all), "%s%s%s", *p->name ? "/" : "",
			   p->name, path);

	if (len < (int)sizeof(all))	/* else nobody can watch it */
		fs_tell(&p->vfs->fs, all);
}

static const struct fs_ops vfs_ops = {
	.stat = vfs_stat, .open = vfs_open, .close = vfs_close,
	.fstat = vfs_fstat, .read = vfs_read, .write = vfs_write,
	.truncate = vfs_truncate, .sync = vfs_sync, .readdir = vfs_readdir,
	.readlink = vfs_readlink, .mkdir = vfs_mkdir, .symlink = vfs_symlink,
	.unlink = vfs_unlink, .rename = vfs_rename, .info = vfs_info,
	.watch = vfs_watch, .unwatch = vfs_unwatch,
};

/* --- from a config -------------------------------------------------------------------- */

/* A copy of attribute @tag, "" if it is absent, that stays; NULL: no memory. */
static char *text_of(const struct hid_node *n, const char *tag)
{
	const struct hid_attr *a = hid_attr(n, tag);

	return a ? strndup(a->value.s, a->value.len) : strdup("");
}

static struct fs *wrong(struct hid_error *err, const struct hid_node *n,
			const char *what)
{
	hid_refuse(err, n->line, n->col, "expected %s", what);
	return NULL;
}

static struct fs *make_dir(const struct hid_node *n, struct entrypoint *ep,
			   struct hid_error *err)
{
	return vfs_make(n, ep, err);
}

static struct fs *make_ram(const struct hid_node *n, struct entrypoint *ep,
			   struct hid_error *err)
{
	const struct hid_attr *size = hid_attr(n, "size");
	uint64_t limit;

	(void)ep;
	if (!size || hid_parse_number(size->value, &limit))
		return wrong(err, n, "size");
	return ram_fs_new(limit);
}

static struct fs *make_inline(const struct hid_node *n, struct entrypoint *ep,
			      struct hid_error *err)
{
	size_t len;
	char *text = hid_text_of(n, &len);

	(void)ep;
	(void)err;
	return text ? vfs_file_data(text, len) : NULL;
}

/* ROM @name, which stays open. */
static int open_rom(const struct hid_node *n, struct rom *rom,
		    struct hid_error *err)
{
	char name[FS_NAME_MAX];
	int ret;

	hid_string(n, "name", name, sizeof(name), "");
	ret = rom_open(rom, name);
	return ret ? hid_refuse(err, n->line, n->col, "no ROM %s: %s", name,
				  strerror(-ret)) : 0;
}

static struct fs *make_rom(const struct hid_node *n, struct entrypoint *ep,
			   struct hid_error *err)
{
	struct rom rom;

	(void)ep;
	return open_rom(n, &rom, err) ? NULL :
	       vfs_file_data(rom.data, rom.size);
}

static struct fs *make_tar(const struct hid_node *n, struct entrypoint *ep,
			   struct hid_error *err)
{
	struct fs *fs;
	struct rom rom;
	uint64_t at;
	int ret;

	(void)ep;
	if (open_rom(n, &rom, err))
		return NULL;
	ret = vfs_tar(rom.data, rom.size, &fs, &at);
	if (!ret)
		return fs;
	if (ret == -EUCLEAN)
		hid_refuse(err, n->line, n->col, "no tar archive, or damaged "
			     "at byte %llu", (unsigned long long)at);
	rom_close(&rom);
	return NULL;
}

static struct fs *make_link(const struct hid_node *n, struct entrypoint *ep,
			    struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "target");
	char *target;

	(void)ep;
	if (!a || !a->value.len || a->value.len >= FS_PATH_MAX)
		return wrong(err, n, "target");
	target = text_of(n, "target");
	return target ? vfs_file_link(target) : NULL;
}

/* The arguments of a File_system session, into @args of PARENT_ARGS_MAX bytes. */
static int fs_args(const struct hid_node *n, char *args, bool *writeable,
		   struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "root");
	struct hid_str root = a ? a->value : (struct hid_str) { "/", 1 };

	if (config_bool(n, "writeable", true, writeable, err))
		return -EINVAL;
	if (!root.len || root.s[0] != '/' || memchr(root.s, ',', root.len) ||
	    snprintf(args, PARENT_ARGS_MAX, "root=%.*s, writeable=%s",
		     (int)root.len, root.s, *writeable ? "yes" : "no") >=
	    PARENT_ARGS_MAX)
		return hid_refuse(err, a->line, a->col, "expected a path from "
				    "/ on of up to 130 bytes, without a comma");
	return 0;
}

static struct fs *make_fs(const struct hid_node *n, struct entrypoint *ep,
			  struct hid_error *err)
{
	char args[PARENT_ARGS_MAX], *label, *kept;
	bool writeable;

	if (fs_args(n, args, &writeable, err))
		return NULL;
	label = text_of(n, "label");
	kept = strdup(args);
	return label && kept ? vfs_fs(ep, label, kept, writeable) : NULL;
}

static struct fs *make_terminal(const struct hid_node *n, struct entrypoint *ep,
				struct hid_error *err)
{
	char *label = text_of(n, "label");

	(void)err;
	return label ? vfs_terminal(ep, label) : NULL;
}

static struct fs *make_block(const struct hid_node *n, struct entrypoint *ep,
			     struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, "partition");
	char args[40] = "", *label, *kept;
	uint64_t partition;
	bool writeable;

	(void)ep;
	if (config_bool(n, "writeable", false, &writeable, err))
		return NULL;
	if (a && hid_parse_number(a->value, &partition))
		return wrong(err, n, "the number of a partition");
	if (a)
		snprintf(args, sizeof(args), "partition=%llu",
			 (unsigned long long)partition);
	label = text_of(n, "label");
	kept = strdup(args);
	return label && kept ? vfs_block(label, kept, writeable) : NULL;
}

static struct fs *make_null(const struct hid_node *n, struct entrypoint *ep,
			    struct hid_error *err)
{
	(void)ep;
	(void)err;
	return hid_is(n, "null") ? vfs_file_null() :
	       hid_is(n, "zero") ? vfs_file_zero() : vfs_file_log();
}

static const struct kind {
	const char *type;
	struct fs *(*make)(const struct hid_node *n, struct entrypoint *ep,
			   struct hid_error *err);
	const char *attrs;
	bool fills;		/* its directory, and has no name in it */
	bool holds;		/* other nodes */
} kinds[] = {
	{ "block", make_block, "name label partition writeable", false, false },
	{ "dir", make_dir, "name", false, true },
	{ "fs", make_fs, "label root writeable", true, false },
	{ "inline", make_inline, "name", false, true },
	{ "log", make_null, "name", false, false },
	{ "null", make_null, "name", false, false },
	{ "ram", make_ram, "size", true, false },
	{ "rom", make_rom, "name as", false, false },
	{ "symlink", make_link, "name target", false, false },
	{ "tar", make_tar, "name", true, false },
	{ "terminal", make_terminal, "name label", false, false },
	{ "zero", make_null, "name", false, false },
};

static const struct kind *kind_of(const struct hid_node *n,
				  struct hid_error *err)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (hid_is(n, kinds[i].type))
			return config_attrs(n, kinds[i].attrs, err) ? NULL :
			       &kinds[i];
	hid_refuse(err, n->line, n->col, "expected block, dir, fs, inline, "
		     "log, null, ram, rom, symlink, tar, terminal or zero");
	return NULL;
}

/* The name that @n stands at; NULL with the reason in *@err. */
static char *name_of(const struct hid_node *n, const struct kind *kind,
		     struct hid_error *err)
{
	char name[FS_NAME_MAX] = "";

	if (!kind->fills &&
	    (hid_string(n, hid_attr(n, "as") ? "as" : "name", name,
			sizeof(name), NULL) <= 0 || strchr(name, '/') ||
	     !strcmp(name, ".") || !strcmp(name, ".."))) {
		wrong(err, n, "a name without /");
		return NULL;
	}
	return strdup(name);
}

static int make_part(struct vfs *v, const struct hid_node *n,
		     struct entrypoint *ep, struct hid_error *err)
{
	const struct kind *kind = kind_of(n, err);
	struct part *p = &v->parts[v->n];

	if (!kind)
		return -EINVAL;
	if (!kind->holds && hid_first(n, NULL))
		return hid_refuse(err, hid_first(n, NULL)->line,
				    hid_first(n, NULL)->col,
				    "expected nothing in %s", kind->type);
	hid_refuse(err, n->line, n->col, "no memory");
	p->name = name_of(n, kind, err);
	p->fs = p->name ? kind->make(n, ep, err) : NULL;
	if (!p->fs) {
		free(p->name);
		return -EINVAL;
	}
	p->vfs = v;
	p->fs->changed = part_changed;
	p->fs->changed_ctx = p;
	if (v->fs.weight < p->fs->weight + 1)
		v->fs.weight = p->fs->weight + 1;
	v->fs.waits |= p->fs->waits;
	v->n++;
	return 0;
}

struct fs *vfs_make(const struct hid_node *node, struct entrypoint *ep,
		    struct hid_error *err)
{
	const struct hid_node *n;
	unsigned int parts = 0;
	struct vfs *v;

	for (n = hid_first(node, NULL); n; n = hid_next(n, NULL))
		if (++parts > PARTS) {
			hid_refuse(err, n->line, n->col,
				     "expected at most 64 nodes");
			return NULL;
		}
	hid_refuse(err, node->line, node->col, "no memory");
	v = calloc(1, sizeof(*v) + parts * sizeof(*v->parts));
	if (!v)
		return NULL;
	v->fs.ops = &vfs_ops;
	v->fs.weight = 1;
	n = hid_first(node, NULL);
	while (n && !make_part(v, n, ep, err))
		n = hid_next(n, NULL);
	if (!n)
		return &v->fs;
	free(v);		/* its parts stay: who has a wrong config ends */
	return NULL;
}
