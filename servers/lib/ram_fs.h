/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system in RAM. */
#ifndef RAM_FS_H
#define RAM_FS_H

#include "fs.h"

/* One that takes at most @limit bytes, pages, names and all; NULL: no memory. It
 * stays as long as the component. */
struct fs *ram_fs_new(uint64_t limit);

#endif
