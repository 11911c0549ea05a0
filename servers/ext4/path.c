// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths. The way from the root to where we are is kept as a list of inodes, and
 * ".." goes back on it: what the volume has as ".." is never used, so nothing
 * leads out of the session's root.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume.h"

#define REST_MAX	4096	/* of a path with links put in, with the NUL */

struct walk {
	struct volume *v;
	uint32_t dirs[DEPTH_MAX];	/* dirs[0] is the root */
	unsigned int depth;		/* of the directory we are in */
	unsigned int links;
	char rest[REST_MAX];		/* what is still to be walked */
	char target[REST_MAX];
};

/* Put the target of @link in front of what is left: "" or a '/' and more. */
static int follow_link(struct walk *w, struct node *link, const char *rest)
{
	size_t rest_len = strlen(rest);
	int len;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	len = node_readlink(w->v, link, w->target, sizeof(w->target));
	if (len < 0)
		return len;
	if (len + rest_len + 1 > REST_MAX)
		return -ENAMETOOLONG;
	if (w->target[0] == '/')
		w->depth = 0;
	/* @rest is part of w->rest: move it to its place first. */
	memmove(w->rest + len, rest, rest_len + 1);
	memcpy(w->rest, w->target, len);
	return 0;
}

/* Enter @name, which is neither "." nor "..". @rest: what follows it. */
static int step(struct walk *w, const char *name, size_t len, const char *rest,
		int follow, struct node *node, int *done)
{
	struct node dir;
	uint32_t ino;
	int err;

	err = node_load(w->v, w->dirs[w->depth], &dir);
	if (!err)
		err = dir_lookup(w->v, &dir, name, len, &ino);
	if (!err)
		err = node_load(w->v, ino, node);
	if (err)
		return err;
	*done = 0;
	/* With a slash behind it, even the last link is followed. */
	if (node_is_link(node) && (*rest || follow))
		return follow_link(w, node, rest);
	if (node_is_dir(node)) {
		if (w->depth + 1 >= DEPTH_MAX)
			return -ENAMETOOLONG;
		w->dirs[++w->depth] = ino;
	} else if (*rest) {
		return -ENOTDIR;
	} else {
		*done = 1;
	}
	memmove(w->rest, rest, strlen(rest) + 1);
	return 0;
}

static int walk_path(struct walk *w, int follow, struct node *node)
{
	for (;;) {
		char *name = w->rest + strspn(w->rest, "/");
		size_t len = strcspn(name, "/");
		const char *rest = name + len;
		int done, err;

		if (!len)	/* nothing left: the directory we are in */
			return node_load(w->v, w->dirs[w->depth], node);
		if ((len == 1 && name[0] == '.') ||
		    (len == 2 && !memcmp(name, "..", 2))) {
			if (len == 2 && w->depth)
				w->depth--;
			memmove(w->rest, rest, strlen(rest) + 1);
			continue;
		}
		err = step(w, name, len, rest, follow, node, &done);
		if (err || done)
			return err;
	}
}

int path_resolve(struct volume *v, uint32_t root, const char *path, int follow,
		 struct node *node)
{
	struct walk *w;
	int err;

	if (path[0] != '/')
		return path[0] ? -EINVAL : -ENOENT;
	if (strlen(path) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	v->work = 0;
	w->v = v;
	w->dirs[0] = root;
	w->depth = w->links = 0;
	strcpy(w->rest, path);
	err = walk_path(w, follow, node);
	free(w);
	return err;
}
