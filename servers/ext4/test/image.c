// SPDX-License-Identifier: BSD-2-Clause
/* Images made by mke2fs: see image.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

static char tree[64];

static void path_of(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", tree, name);
}

static void dir(const char *name)
{
	char path[600];

	path_of(path, sizeof(path), name);
	if (mkdir(path, 0755))
		exit(2);
}

static void link_to(const char *target, const char *name)
{
	char path[600];

	path_of(path, sizeof(path), name);
	if (symlink(target, path))
		exit(2);
}

/* A file of pseudo-random bytes, beginning at @hole. */
static void file(const char *name, off_t hole, size_t len)
{
	uint32_t x = len * 2654435761u + 1;
	char path[600];
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "w");
	if (!f || fseeko(f, hole, SEEK_SET))
		exit(2);
	while (len--) {
		x = x * 1664525 + 1013904223;
		fputc(x >> 24, f);
	}
	if (fclose(f))
		exit(2);
}

static void names(void)
{
	char name[400];

	dir("many");
	for (unsigned int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "many/file number %05u with a long name", i);
		file(name, 0, i % 7 ? 0 : i);
	}
	dir("small");
	file("small/a", 0, 1);
	file("small/b", 0, 100);
	dir("utf8");
	file("utf8/gr\xc3\xbc\xc3\x9f" "e", 0, 10);
	file("utf8/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 0, 20);
	file("utf8/\xf0\x9f\x90\xa7", 0, 30);
	memset(name, 'n', 255);
	name[255] = 0;
	file(name, 0, 3);
	dir("empty");
	dir("a");
	dir("a/b");
	dir("a/b/c");
	file("a/b/c/deep", 0, 77);
}

static void links(void)
{
	char target[300] = "/a/b/c/";

	link_to("file", "link");
	link_to("/a/b/c/deep", "absolute");
	link_to("../../../../../../etc/passwd", "a/escape");
	link_to("../a/b/c", "a/relative");
	link_to("loop2", "loop1");
	link_to("loop1", "loop2");
	link_to("self", "self");
	link_to("nowhere", "dangling");
	link_to("/a", "dirlink");
	link_to("a/b/", "slash");
	for (unsigned int i = 0; i < 60; i++)
		strcat(target, "./.");
	strcat(target, "/deep");
	link_to(target, "long-link");
	for (unsigned int i = 0; i < 45; i++) {
		char name[16], to[16];

		snprintf(name, sizeof(name), "chain%u", i);
		snprintf(to, sizeof(to), "chain%u", i + 1);
		link_to(i == 44 ? "file" : to, name);
	}
}

const char *tree_make(void)
{
	struct timespec t[2] = { { 4000000000, 0 }, { -1000, 0 } };
	char path[600];

	strcpy(tree, "/tmp/ext4-tree.XXXXXX");
	if (!mkdtemp(tree))
		exit(2);
	file("file", 0, 5000);
	file("empty-file", 0, 0);
	file("block", 0, 4096);
	file("big", 0, 1500000);
	file("sparse", 700000, 5000);
	file("hole-end", 0, 10);
	path_of(path, sizeof(path), "hole-end");
	if (truncate(path, 300000))
		exit(2);
	names();
	links();
	path_of(path, sizeof(path), "block");
	if (chmod(path, 04711) || utimensat(AT_FDCWD, path, t, 0))
		exit(2);
	return tree;
}

void tree_remove(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", tree);
	if (system(cmd))
		exit(2);
}

static int read_image(void *ctx, uint64_t off, void *buf, uint32_t len)
{
	struct image *im = ctx;

	im->reads++;
	if (im->fail)
		return -im->fail;
	if (off > im->size || len > im->size - off)
		abort();	/* our caller has to check */
	memcpy(buf, im->bytes + off, len);
	return 0;
}

int image_make(struct image *im, const char *options, unsigned int kib)
{
	char path[] = "/tmp/ext4-image.XXXXXX";
	int fd = mkstemp(path);
	char cmd[400];
	int ret = -1;

	memset(im, 0, sizeof(*im));
	im->size = (uint64_t)kib << 10;
	im->bytes = malloc(im->size);
	im->source = (struct source) {
		.size = im->size, .read = read_image, .ctx = im,
	};
	snprintf(cmd, sizeof(cmd),
		 "PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -U 01234567-89ab-cdef-0123-456789abcdef -L Volume %s -d %s %s %uk",
		 options, tree, path, kib);
	if (fd >= 0 && !ftruncate(fd, im->size) && !system(cmd) &&
	    pread(fd, im->bytes, im->size, 0) == (ssize_t)im->size)
		ret = 0;
	close(fd);
	unlink(path);
	return ret;
}

void image_free(struct image *im)
{
	free(im->bytes);
	im->bytes = NULL;
}
