// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>

#include "fs_content.h"
#include "hid_text.h"
#include "policy.h"

static int make_all(struct fs *fs, const char *dir, const struct hid_node *node,
		    struct hid_error *err);

static int failed(const struct hid_node *n, const char *what, int ret,
		  struct hid_error *err)
{
	if (ret < 0)
		hid_refuse(err, n->line, n->col, "cannot make %s: %s", what,
			     strerror(-ret));
	return ret;
}

/* The path of @n in @dir, its last name being attribute @tag. */
static int path_of(const char *dir, const struct hid_node *n, const char *tag,
		   char path[FS_PATH_MAX], struct hid_error *err)
{
	const struct hid_attr *a = hid_attr(n, tag);
	size_t len = strlen(dir);

	if (!a || !a->value.len || a->value.len >= FS_NAME_MAX ||
	    memchr(a->value.s, '/', a->value.len) ||
	    hid_equal(a->value, ".") || hid_equal(a->value, "..") ||
	    len + 1 + a->value.len >= FS_PATH_MAX)
		return hid_refuse(err, n->line, n->col,
				    "expected a name without /");
	memcpy(path, dir, len);
	path[len] = '/';
	memcpy(path + len + 1, a->value.s, a->value.len);
	path[len + 1 + a->value.len] = 0;
	return 0;
}

static int make_file(struct fs *fs, const char *path, const char *data,
		     size_t len)
{
	int64_t n = 0;
	void *file;
	int err = fs->ops->open(fs, path, FS_O_WRITE | FS_O_CREATE |
				FS_O_EXCLUSIVE, &file);

	if (err)
		return err;
	for (size_t done = 0; done < len && n >= 0; done += n)
		n = fs->ops->write(fs, file, done, data + done, len - done);
	fs->ops->close(fs, file);
	return n < 0 ? n : 0;
}

static int make_inline(struct fs *fs, const char *path,
		       const struct hid_node *n)
{
	size_t len;
	char *text = hid_text_of(n, &len);
	int err = text ? make_file(fs, path, text, len) : -ENOMEM;

	free(text);
	return err;
}

static int make_rom(struct fs *fs, const char *path, const struct hid_node *n)
{
	char name[FS_NAME_MAX];
	struct rom rom;
	int err;

	hid_string(n, "name", name, sizeof(name), "");
	err = rom_open(&rom, name);
	if (err)
		return err;
	err = make_file(fs, path, rom.data, rom.size);
	rom_close(&rom);
	return err;
}

static int make_link(struct fs *fs, const char *path, const struct hid_node *n)
{
	char target[FS_PATH_MAX];

	if (hid_string(n, "target", target, sizeof(target), "") <= 0)
		return -EINVAL;
	return fs->ops->symlink ? fs->ops->symlink(fs, path, target) : -EROFS;
}

static int make_one(struct fs *fs, const char *dir, const struct hid_node *n,
		    struct hid_error *err)
{
	const char *tag = hid_is(n, "rom") && hid_attr(n, "as") ? "as" : "name";
	char path[FS_PATH_MAX];
	int ret = path_of(dir, n, tag, path, err);

	if (ret)
		return ret;
	if (hid_is(n, "inline"))
		return failed(n, path, make_inline(fs, path, n), err);
	if (hid_is(n, "rom"))
		return failed(n, path, make_rom(fs, path, n), err);
	if (hid_is(n, "symlink"))
		return failed(n, path, make_link(fs, path, n), err);
	if (!hid_is(n, "dir"))
		return hid_refuse(err, n->line, n->col,
				    "expected dir, inline, rom or symlink");
	ret = failed(n, path, fs->ops->mkdir(fs, path), err);
	return ret ? ret : make_all(fs, path, n, err);
}

static int make_all(struct fs *fs, const char *dir, const struct hid_node *node,
		    struct hid_error *err)
{
	int ret = 0;

	for (node = hid_first(node, NULL); node && !ret;
	     node = hid_next(node, NULL))
		ret = make_one(fs, dir, node, err);
	return ret;
}

int fs_content_make(struct fs *fs, const struct hid_node *node,
		    struct hid_error *err)
{
	return make_all(fs, "", node, err);
}
