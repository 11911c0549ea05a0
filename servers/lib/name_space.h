/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a component's own name space, in the manner of POSIX: open, read, write,
 * and so on, over a file system in the component itself, as a rule one that vfs.c
 * puts together as the config says:
 *
 *	root = vfs_make(hid_first(config, "vfs"), &ep, &err);
 *	ns_init(&ns, root);
 *	fd = ns_open(&ns, "/etc/motd", O_RDONLY);
 *
 * Paths are absolute; ".." stays at the root. All functions return 0 or more, or a
 * negative errno: those of session/file_system.h, EMFILE and EBADF of descriptors.
 * Nothing blocks but what a part of the name space waits for (vfs_parts.h): a device
 * that has nothing to read gives EAGAIN, and ns_watch() tells when to try again.
 */
#ifndef NAME_SPACE_H
#define NAME_SPACE_H

#include <fcntl.h>
#include <sys/types.h>

#include "fs.h"

#define NS_FILES	128	/* open at a time */
#define NS_WATCHES	32

struct ns_file;

struct name_space {
	struct fs *fs;
	struct ns_file *files[NS_FILES];
	struct ns_watch {
		char *path;	/* canonical; NULL: free */
		void *below;	/* what the file system has of it */
		void (*fn)(void *ctx);
		void *ctx;
	} watches[NS_WATCHES];
};

/* @fs stays, and is used by nobody else. */
void ns_init(struct name_space *ns, struct fs *fs);

/*
 * A descriptor, the lowest that is free. @flags: O_RDONLY, O_WRONLY or O_RDWR, with
 * O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW; EINVAL for others.
 */
int ns_open(struct name_space *ns, const char *path, int flags);
int ns_close(struct name_space *ns, int fd);

/* How many bytes; of a read 0: the file ends there. */
ssize_t ns_read(struct name_space *ns, int fd, void *buf, size_t len);
ssize_t ns_write(struct name_space *ns, int fd, const void *buf, size_t len);
ssize_t ns_pread(struct name_space *ns, int fd, void *buf, size_t len,
		 off_t offset);
ssize_t ns_pwrite(struct name_space *ns, int fd, const void *buf, size_t len,
		  off_t offset);
/* SEEK_SET, SEEK_CUR, SEEK_END: where the next read or write begins. */
off_t ns_lseek(struct name_space *ns, int fd, off_t offset, int whence);
int ns_ftruncate(struct name_space *ns, int fd, off_t size);
int ns_fsync(struct name_space *ns, int fd);

int ns_fstat(struct name_space *ns, int fd, struct fs_stat *st);
int ns_stat(struct name_space *ns, const char *path, struct fs_stat *st);
int ns_lstat(struct name_space *ns, const char *path, struct fs_stat *st);

/* Entries of directory @fd from where the last call ended, without "." and "..": how
 * many, 0 at the end. ns_lseek() to 0 begins again. */
struct ns_dirent {
	uint64_t inode;
	uint8_t type;		/* FS_TYPE_* */
	char name[FS_NAME_MAX];
};
int ns_readdir(struct name_space *ns, int fd, struct ns_dirent *entries,
	       unsigned int most);

int ns_mkdir(struct name_space *ns, const char *path);
int ns_rmdir(struct name_space *ns, const char *path);	/* ENOTDIR: no directory */
int ns_unlink(struct name_space *ns, const char *path);	/* EISDIR: a directory */
int ns_rename(struct name_space *ns, const char *from, const char *to);
int ns_symlink(struct name_space *ns, const char *target, const char *path);
/* Target into @buf, without NUL: its length. */
ssize_t ns_readlink(struct name_space *ns, const char *path, char *buf,
		    size_t size);

/*
 * Have @fn called when something changes at @path that was not done through @ns: a
 * device has something to read, another client of a server behind wrote. A number for
 * ns_unwatch(); EMFILE.
 */
int ns_watch(struct name_space *ns, const char *path, void (*fn)(void *ctx),
	     void *ctx);
int ns_unwatch(struct name_space *ns, int watch);

#endif
