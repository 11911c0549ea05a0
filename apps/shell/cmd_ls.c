// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shell.h"
#include "text.h"

#define LINE_COLUMNS	80
#define GAP		2

struct ls {
	struct shell *sh;
	bool details, all;
	bool shown;		/* something, so the next title needs a gap */
	int status;
	/* names of the directory being listed */
	char **names;
	size_t count, room;
};

static void fail(struct ls *ls, const char *what, int err)
{
	int status = sh_fs_error(ls->sh, "ls", what, err);

	if (ls->status != STATUS_INTERRUPTED)
		ls->status = status;
}

/* --- names ---------------------------------------------------------------------- */

static void drop_names(struct ls *ls)
{
	while (ls->count)
		free(ls->names[--ls->count]);
	free(ls->names);
	ls->names = NULL;
	ls->room = 0;
}

static int add_name(struct ls *ls, const char *name)
{
	char *copy;

	if (ls->count == ls->room) {
		size_t room = ls->room ? 2 * ls->room : 64;
		char **names = realloc(ls->names, room * sizeof(*names));

		if (!names)
			return -ENOMEM;
		ls->names = names;
		ls->room = room;
	}
	copy = malloc(strlen(name) + 1);
	if (!copy)
		return -ENOMEM;
	ls->names[ls->count++] = strcpy(copy, name);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of one reply. */
static int add_entries(struct ls *ls, struct fs_dir *dir)
{
	char name[FS_NAME_MAX];
	uint8_t type;
	int n;

	while ((n = fs_dirent_next(dir, &type, name)) > 0) {
		if (name[0] == '.' && !ls->all)
			continue;
		n = add_name(ls, name);
		if (n < 0)
			break;
	}
	return n;
}

static int read_names(struct ls *ls, struct fs_file *f)
{
	static struct fs_dir dir;
	int err;

	dir.position = 0;
	do {
		if (sh_interrupted(ls->sh))
			return -EINTR;
		err = fs_readdir(f, &dir);
		if (err == -ECONNRESET) {
			drop_names(ls);
			dir.position = 0;
			err = fs_readdir(f, &dir);
		}
		if (err < 0)
			return err;
		err = add_entries(ls, &dir);
	} while (err >= 0 && dir.position);
	if (err >= 0 && ls->count)
		qsort(ls->names, ls->count, sizeof(*ls->names), compare);
	return err;
}

/* --- showing -------------------------------------------------------------------- */

static void show_details(struct ls *ls, const char *name, const char *path)
{
	char mode[11], date[24], target[FS_PATH_MAX];
	struct shell *sh = ls->sh;
	struct fs_stat st;
	int err = fs_stat(&sh->fs, path, &st);

	if (err < 0) {
		fail(ls, path, err);
		return;
	}
	text_mode(mode, st.mode);
	text_date(date, st.mtime, 1);
	sh_printf(sh, "%s %3u %5u %5u %10llu %s ", mode, st.links, st.uid,
		  st.gid, (unsigned long long)st.size, date);
	sh_name(sh, name);
	if (S_ISLNK(st.mode)) {
		err = fs_readlink(&sh->fs, path, target, sizeof(target));
		sh_puts(sh, " -> ");
		sh_name(sh, err < 0 ? "?" : target);
	}
	sh_puts(sh, "\n");
	if (S_ISLNK(st.mode) && err < 0)
		fail(ls, path, err);
}

static void show_dir_details(struct ls *ls, const char *dir)
{
	char path[FS_PATH_MAX];
	size_t i;
	int err;

	for (i = 0; i < ls->count; i++) {
		if (sh_interrupted(ls->sh)) {
			ls->status = STATUS_INTERRUPTED;
			return;
		}
		err = path_join(path, sizeof(path), dir, ls->names[i]);
		if (err < 0)
			fail(ls, ls->names[i], err);
		else
			show_details(ls, ls->names[i], path);
	}
}

static size_t longest(const struct ls *ls)
{
	char text[FS_NAME_MAX];
	size_t max = 0, i;

	for (i = 0; i < ls->count; i++) {
		size_t n = text_columns(text_printable(text, sizeof(text),
						       ls->names[i]));

		max = n > max ? n : max;
	}
	return max;
}

/* Down the columns, as many as fit; one if nobody looks at it. */
static void show_columns(struct ls *ls)
{
	struct shell *sh = ls->sh;
	size_t width = longest(ls) + GAP, per_line, lines, i, j;
	char text[FS_NAME_MAX];

	per_line = sh->interactive && width < LINE_COLUMNS ?
		   (LINE_COLUMNS + GAP - 1) / width : 1;
	lines = (ls->count + per_line - 1) / per_line;
	for (i = 0; i < lines; i++) {
		for (j = i; j < ls->count; j += lines) {
			text_printable(text, sizeof(text), ls->names[j]);
			sh_puts(sh, text);
			if (j + lines < ls->count)
				sh_printf(sh, "%*s",
					  (int)(width - text_columns(text)), "");
		}
		sh_puts(sh, "\n");
	}
}

static void list_dir(struct ls *ls, struct fs_file *f, const char *name)
{
	int err = read_names(ls, f);

	/* A directory that is damaged half way: what is there, and why no more */
	if (ls->count && err != -EINTR) {
		if (ls->details)
			show_dir_details(ls, f->path);
		else
			show_columns(ls);
	}
	if (err < 0)
		fail(ls, name, err);
	drop_names(ls);
}

/* @path itself, not what is in it. */
static void show_node(struct ls *ls, const char *name, const char *path)
{
	if (ls->details) {
		show_details(ls, name, path);
	} else {
		sh_name(ls->sh, name);
		sh_puts(ls->sh, "\n");
	}
	ls->shown = true;
}

static bool is_link(struct ls *ls, const char *path)
{
	struct fs_stat st;

	return path[strlen(path) - 1] != '/' &&
	       fs_stat(&ls->sh->fs, path, &st) >= 0 && S_ISLNK(st.mode);
}

static void list(struct ls *ls, const char *name, bool title)
{
	struct shell *sh = ls->sh;
	char path[FS_PATH_MAX];
	struct fs_file f;
	int err;

	if (sh_path(sh, "ls", name, path) < 0) {
		ls->status = STATUS_FAILED;
		return;
	}
	/* A link that is named is followed, unless its details are asked for
	 * or it leads nowhere. */
	if (ls->details && is_link(ls, path)) {
		show_node(ls, name, path);
		return;
	}
	err = fs_open(&sh->fs, &f, path);
	if (err == -ENOENT && is_link(ls, path)) {
		show_node(ls, name, path);
		return;
	}
	if (err < 0) {
		fail(ls, name, err);
		return;
	}
	if (S_ISDIR(f.stat.mode)) {
		if (title) {
			sh_puts(sh, ls->shown ? "\n" : "");
			sh_name(sh, name);
			sh_puts(sh, ":\n");
		}
		list_dir(ls, &f, name);
		ls->shown = true;
	} else {
		show_node(ls, name, path);
	}
	fs_close(&f);
}

/* "-la" or "-l -a"; "--" ends the options. Index of the first path, or -1. */
static int options(struct ls *ls, int argc, char **argv)
{
	int i;
	char *o;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--"))
			return i + 1;
		for (o = argv[i] + 1; *o; o++) {
			if (*o != 'l' && *o != 'a')
				return -1;
			ls->details |= *o == 'l';
			ls->all |= *o == 'a';
		}
	}
	return i;
}

int cmd_ls(struct shell *sh, int argc, char **argv)
{
	struct ls ls = { .sh = sh };
	int first = options(&ls, argc, argv), i;

	if (first < 0) {
		sh_puts(sh, "usage: ls [-l] [-a] [PATH...]\n");
		return STATUS_USAGE;
	}
	if (first >= argc)
		list(&ls, sh->cwd, false);
	for (i = first; i < argc; i++) {
		list(&ls, argv[i], argc - first > 1);
		if (sh_interrupted(sh))
			return STATUS_INTERRUPTED;
	}
	return ls.status;
}
