// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "fs.h"

struct walk {
	struct fs *fs;
	char *out;
	size_t root, len;	/* of @out: the root's, all */
	unsigned int links;
	char rest[2 * FS_PATH_MAX];	/* what is still to be walked */
	char target[FS_PATH_MAX];
};

/* Put the target of the link at @out in front of @rest, which is in w->rest. */
static int follow_link(struct walk *w, const char *rest, size_t parent, int len)
{
	size_t rest_len = strlen(rest);

	if (++w->links > FS_LINKS_MAX)
		return -ELOOP;
	if (!len || memchr(w->target, 0, len))
		return -EINVAL;
	if (len + rest_len >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + len, rest, rest_len + 1);
	memcpy(w->rest, w->target, len);
	w->len = w->target[0] == '/' ? w->root : parent;
	w->out[w->len] = 0;
	return 0;
}

/* One name, "." or "..", of @len bytes. */
static int step(struct walk *w, const char *name, size_t len, unsigned int how)
{
	const char *rest = name + len;
	size_t parent = w->len;
	int target;

	if (len == 1 && name[0] == '.')
		goto next;
	if (len == 2 && !memcmp(name, "..", 2)) {
		while (w->len > w->root && w->out[--w->len] != '/')
			;
		w->out[w->len] = 0;
		goto next;
	}
	if (len >= FS_NAME_MAX || w->len + 1 + len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	w->out[w->len] = '/';
	memcpy(w->out + w->len + 1, name, len);
	w->len += 1 + len;
	w->out[w->len] = 0;
	if (w->fs->ops->readlink && (*rest || how & FS_FOLLOW)) {
		target = w->fs->ops->readlink(w->fs, w->out, w->target,
					      sizeof(w->target));
		if (target >= 0)
			return follow_link(w, rest, parent, target);
		/* The last name may be one that is to be made. */
		if (target != -EINVAL && !(how & FS_MISSING) &&
		    (target != -ENOENT || rest[strspn(rest, "/")]))
			return target;
	}
next:
	memmove(w->rest, rest, strlen(rest) + 1);
	return 0;
}

int fs_resolve(struct fs *fs, const char *root, const char *path,
	       unsigned int how, char out[FS_PATH_MAX])
{
	struct walk w = { .fs = fs, .out = out, .root = strlen(root) };
	size_t len = strlen(path), skip;
	int err = 0;

	if (path[0] != '/')
		return len ? -EINVAL : -ENOENT;
	if (len >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(out, root, w.root + 1);
	w.len = w.root;
	memcpy(w.rest, path, len + 1);
	while (!err) {
		skip = strspn(w.rest, "/");
		len = strcspn(w.rest + skip, "/");
		if (!len)
			break;
		err = step(&w, w.rest + skip, len, how);
	}
	return err;
}

/* Is a change at @path one at @watched: there, in it, or above it? */
bool fs_concerns(const char *path, const char *watched)
{
	const char *last = strrchr(path, '/');
	size_t parent = last ? (size_t)(last - path) : 0, len = strlen(path);

	return !strcmp(path, watched) ||
	       (!strncmp(watched, path, len) && watched[len] == '/') ||
	       (last && strlen(watched) == parent &&
		!memcmp(path, watched, parent));
}
