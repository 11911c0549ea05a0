/* SPDX-License-Identifier: BSD-2-Clause */
/* Images made by mke2fs from a generated tree, as a struct source. */
#ifndef EXT4_TEST_IMAGE_H
#define EXT4_TEST_IMAGE_H

#include "../volume.h"

struct image {
	uint8_t *bytes;
	uint64_t size;
	unsigned int reads;
	int fail;		/* errno of every read */
	struct source source;
};

/* Generate the tree; its path, to be removed with tree_remove(). */
const char *tree_make(void);
void tree_remove(void);

/* Run "mke2fs OPTIONS -d TREE" on a new image of @kib KiB. 0 or -1. */
int image_make(struct image *im, const char *options, unsigned int kib);
void image_free(struct image *im);

#endif
