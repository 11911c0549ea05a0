/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File systems of the VFS that need others: an archive, a File_system, Terminal or
 * Block session. Sessions are opened when they are first used. When their server
 * dies they are opened anew; what that means for what is open says each of them.
 * While there is no server, everything is EIO.
 */
#ifndef VFS_PARTS_H
#define VFS_PARTS_H

#include <pith/entrypoint.h>

#include "fs.h"

/*
 * What is in a tar archive, read-only. @data stays. The last entry of a name counts;
 * directories that are not in it but above what is are there all the same, and what
 * has something below it is a directory. 0; -ENOMEM; -EUCLEAN: it is no archive, or
 * is damaged at byte *@where.
 */
int vfs_tar(const void *data, size_t size, struct fs **fs, uint64_t *where);

/*
 * A File_system session with @label and @args, which stay. What is open to read
 * survives the death of its server, if it is the same file afterwards; what is open
 * to write is ESTALE from then on, and EIO says that nobody knows whether a change
 * that was under way was made. What the session holds has no more than 64 handles.
 */
struct fs *vfs_fs(struct entrypoint *ep, const char *label, const char *args,
		  bool writeable);

/* The characters of a Terminal session. Who reads first has them. */
struct fs *vfs_terminal(struct entrypoint *ep, const char *label);

/*
 * The bytes of a Block session, from any offset on; parts of blocks are read before
 * they are written. Waits for the disk. Open files survive the death of its server;
 * they are ESTALE if a disk of another size comes after it.
 */
struct fs *vfs_block(const char *label, const char *args, bool writeable);

#endif
