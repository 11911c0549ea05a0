// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sodium/crypto_hash_sha256.h>
#include <sys/stat.h>

#include "shell.h"
#include "text.h"

/* Of a list of files, the last failure is the status. */
static int for_each(struct shell *sh, int argc, char **argv,
		    int (*one)(struct shell *, const char *))
{
	int i, status = STATUS_OK;

	for (i = 1; i < argc; i++) {
		int s = one(sh, argv[i]);

		if (s == STATUS_INTERRUPTED || sh_interrupted(sh))
			return STATUS_INTERRUPTED;
		if (s != STATUS_OK)
			status = s;
	}
	return status;
}

/* Open @name as seen from here and give all of its content to @use. */
static int read_all(struct shell *sh, const char *command, const char *name,
		    void (*use)(void *ctx, const void *data, size_t len),
		    void *ctx)
{
	char path[FS_PATH_MAX];
	struct fs_file f;
	uint64_t offset = 0;
	const void *data;
	int n;

	if (sh_path(sh, command, name, path) < 0)
		return STATUS_FAILED;
	n = fs_open(&sh->fs, &f, path);
	if (n < 0)
		return sh_fs_error(sh, command, name, n);
	while ((n = fs_pread(&f, offset, FS_BUFFER_SIZE, &data)) > 0) {
		use(ctx, data, n);
		offset += n;
		if (n < (int)FS_BUFFER_SIZE)
			break;
		if (sh_interrupted(sh)) {
			n = -EINTR;
			break;
		}
	}
	fs_close(&f);
	return n < 0 ? sh_fs_error(sh, command, name, n) : STATUS_OK;
}

static void show(void *ctx, const void *data, size_t len)
{
	struct shell *sh = ctx;

	term_write(&sh->term, data, len);
}

static int cat(struct shell *sh, const char *name)
{
	return read_all(sh, "cat", name, show, sh);
}

int cmd_cat(struct shell *sh, int argc, char **argv)
{
	return for_each(sh, argc, argv, cat);
}

static void hash(void *ctx, const void *data, size_t len)
{
	crypto_hash_sha256_update(ctx, data, len);
}

static int sha256(struct shell *sh, const char *name)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	unsigned int i;
	int status;

	crypto_hash_sha256_init(&state);
	status = read_all(sh, "sha256", name, hash, &state);
	if (status != STATUS_OK)
		return status;
	crypto_hash_sha256_final(&state, digest);
	for (i = 0; i < sizeof(digest); i++)
		sh_printf(sh, "%02x", digest[i]);
	sh_puts(sh, "  ");
	sh_name(sh, name);
	sh_puts(sh, "\n");
	term_flush(&sh->term);
	return STATUS_OK;
}

int cmd_sha256(struct shell *sh, int argc, char **argv)
{
	return for_each(sh, argc, argv, sha256);
}

static void show_time(struct shell *sh, const char *what, int64_t seconds)
{
	char date[24];

	text_date(date, seconds, 0);
	sh_printf(sh, "%8s: %s UTC\n", what, date);
}

static int stat_one(struct shell *sh, const char *name)
{
	char path[FS_PATH_MAX], target[FS_PATH_MAX], mode[11];
	struct fs_stat st;
	int err;

	if (sh_path(sh, "stat", name, path) < 0)
		return STATUS_FAILED;
	err = fs_stat(&sh->fs, path, &st);
	if (err >= 0 && S_ISLNK(st.mode))
		err = fs_readlink(&sh->fs, path, target, sizeof(target));
	if (err < 0)
		return sh_fs_error(sh, "stat", name, err);

	sh_puts(sh, "    Path: ");
	sh_name(sh, name);
	if (S_ISLNK(st.mode)) {
		sh_puts(sh, " -> ");
		sh_name(sh, target);
	}
	text_mode(mode, st.mode);
	sh_printf(sh, "\n    Kind: %s\n    Size: %llu bytes in %llu blocks of 512\n",
		  text_kind(st.mode), (unsigned long long)st.size,
		  (unsigned long long)st.blocks);
	sh_printf(sh, "   Inode: %llu, %u links\n  Access: %s (%04o), uid %u, gid %u\n",
		  (unsigned long long)st.inode, st.links, mode,
		  st.mode & 07777, st.uid, st.gid);
	show_time(sh, "Modified", st.mtime);
	show_time(sh, "Changed", st.ctime);
	show_time(sh, "Read", st.atime);
	return STATUS_OK;
}

int cmd_stat(struct shell *sh, int argc, char **argv)
{
	return for_each(sh, argc, argv, stat_one);
}

int cmd_cd(struct shell *sh, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "/";
	char path[FS_PATH_MAX];
	struct fs_file f;
	int err;

	if (sh_path(sh, "cd", name, path) < 0)
		return STATUS_FAILED;
	path_normalise(path);
	err = fs_open(&sh->fs, &f, path);
	if (err >= 0) {
		err = S_ISDIR(f.stat.mode) ? 0 : -ENOTDIR;
		fs_close(&f);
	}
	if (err < 0)
		return sh_fs_error(sh, "cd", name, err);
	strcpy(sh->cwd, path);
	return STATUS_OK;
}

int cmd_pwd(struct shell *sh, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sh_name(sh, sh->cwd);
	sh_puts(sh, "\n");
	return STATUS_OK;
}

int cmd_df(struct shell *sh, int argc, char **argv)
{
	char size[24], used[24], free_space[24];
	struct fs_info info;
	int err = fs_info(&sh->fs, &info);

	(void)argc;
	(void)argv;
	if (err < 0)
		return sh_fs_error(sh, "df", NULL, err);
	if (info.free > info.size)
		return sh_error(sh, "df", NULL, -EPROTO);
	text_size(size, info.size);
	text_size(used, info.size - info.free);
	text_size(free_space, info.free);
	sh_printf(sh, "%-8s %10s %10s %10s  %s\n", "Type", "Size", "Used",
		  "Free", "Label, UUID");
	sh_name(sh, info.type);
	sh_printf(sh, "%*s %10s %10s %10s  ", (int)(strlen(info.type) < 8 ? 8 - strlen(info.type) : 0), "",
		  size, used, free_space);
	sh_name(sh, info.name[0] ? info.name : "-");
	sh_puts(sh, ", ");
	sh_name(sh, info.uuid);
	sh_puts(sh, "\n");
	if (!info.clean)
		sh_puts(sh, "It was not cleanly unmounted: what its journal still holds is not shown.\n");
	return STATUS_OK;
}
