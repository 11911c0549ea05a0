/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading tar archives in memory: POSIX ustar, with long names of GNU and pax. */
#ifndef TAR_H
#define TAR_H

#include <stdint.h>

#define TAR_NAME_MAX	256	/* with the NUL */

enum tar_type {
	TAR_FILE = '0', TAR_LINK = '2', TAR_DIR = '5',
	TAR_OTHER = 0,		/* devices, hard links, ... */
};

struct tar {
	const uint8_t *data;	/* the archive, which nobody changes meanwhile */
	uint64_t size, pos;
};

struct tar_entry {
	/* "a/b": without "." and empty elements, "" for the archive's root */
	char name[TAR_NAME_MAX];
	char target[TAR_NAME_MAX];	/* of a link */
	enum tar_type type;
	const uint8_t *data;
	uint64_t size;
	uint32_t mode;			/* permissions, 0 .. 07777 */
	int64_t mtime;			/* seconds since 1970 */
};

/*
 * The next entry: 1; 0 at the end; -EUCLEAN if this is no tar archive, or damaged
 * (checksum, numbers, content that is not there). Entries whose names are too long
 * or have ".." in them are left out.
 */
int tar_next(struct tar *t, struct tar_entry *e);

#endif
