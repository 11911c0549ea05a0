/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The content of a file in pages of RAM, found through a tree as deep as the file
 * is long. Pages that were never written take no memory and read as zeros.
 */
#ifndef RAM_PAGES_H
#define RAM_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define RAM_PAGE	4096u
#define RAM_FANOUT	(RAM_PAGE / sizeof(void *))
/* Bytes that three levels above the pages can hold: 512 GiB. */
#define RAM_FILE_MAX	((uint64_t)RAM_PAGE * RAM_FANOUT * RAM_FANOUT * \
			 RAM_FANOUT)

/* Who pays: never more than @limit bytes at a time. */
struct ram_pool {
	uint64_t limit, used;
	void *free;		/* pages that are no file's now */
};

struct ram_pages {
	struct ram_pool *pool;
	void *root;		/* a page, or the top of a tree; NULL: all zeros */
	unsigned int height;	/* 0: @root is a page of content */
	uint64_t pages;		/* taken, the tree's own included */
};

/* @bytes more (or fewer) that are no pages, but have to be paid: -ENOSPC. */
int ram_pool_take(struct ram_pool *pool, uint64_t bytes);
void ram_pool_give(struct ram_pool *pool, uint64_t bytes);

/* @offset + @len is at most RAM_FILE_MAX. */
void ram_pages_read(const struct ram_pages *p, uint64_t offset, void *data,
		    size_t len);
/* How many bytes were written: fewer than @len if the pool is exhausted. */
size_t ram_pages_write(struct ram_pages *p, uint64_t offset, const void *data,
		       size_t len);
/* Everything from @size on is zeros, and its pages are free again. */
void ram_pages_cut(struct ram_pages *p, uint64_t size);

#endif
