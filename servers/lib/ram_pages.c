// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages come in blocks from the system and stay: they go back to a list for the
 * next file. So a pool that was once granted memory cannot lose it to the books
 * of sessions.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "ram_pages.h"

#define BLOCK_PAGES	16u

/* --- the pool ---------------------------------------------------------------- */

int ram_pool_take(struct ram_pool *pool, uint64_t bytes)
{
	if (bytes > pool->limit - pool->used)
		return -ENOSPC;
	pool->used += bytes;
	return 0;
}

void ram_pool_give(struct ram_pool *pool, uint64_t bytes)
{
	pool->used -= bytes;
}

static void put_free(struct ram_pool *pool, void *page)
{
	*(void **)page = pool->free;
	pool->free = page;
}

static void grow(struct ram_pool *pool)
{
	unsigned int n = BLOCK_PAGES;
	uint8_t *at;

	do {
		at = mmap(NULL, (size_t)n * RAM_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	} while (at == MAP_FAILED && (n /= 4));
	while (at != MAP_FAILED && n--)
		put_free(pool, at + (size_t)n * RAM_PAGE);
}

static void *page_new(struct ram_pages *p)
{
	struct ram_pool *pool = p->pool;
	void *page;

	if (ram_pool_take(pool, RAM_PAGE))
		return NULL;
	if (!pool->free)
		grow(pool);
	page = pool->free;
	if (!page) {
		ram_pool_give(pool, RAM_PAGE);
		return NULL;
	}
	pool->free = *(void **)page;
	memset(page, 0, RAM_PAGE);
	p->pages++;
	return page;
}

static void page_free(struct ram_pages *p, void *page)
{
	put_free(p->pool, page);
	ram_pool_give(p->pool, RAM_PAGE);
	p->pages--;
}

/* --- the tree ------------------------------------------------------------------ */

/* Pages below one entry of a node that is @height above the content. */
static uint64_t span(unsigned int height)
{
	uint64_t n = 1;

	while (--height)
		n *= RAM_FANOUT;
	return n;
}

/* Page @index, or NULL if there is none. */
static uint8_t *find(const struct ram_pages *p, uint64_t index)
{
	void *at = p->root;

	if (index >= (p->height ? span(p->height) * RAM_FANOUT : 1))
		return NULL;
	for (unsigned int h = p->height; h && at; h--)
		at = ((void **)at)[index / span(h) % RAM_FANOUT];
	return at;
}

/* Make the tree as high as page @index needs. */
static int heighten(struct ram_pages *p, uint64_t index)
{
	void **top;

	while (index >= (p->height ? span(p->height) * RAM_FANOUT : 1)) {
		if (p->root) {
			top = page_new(p);
			if (!top)
				return -ENOSPC;
			top[0] = p->root;
			p->root = top;
		}
		p->height++;
	}
	return 0;
}

/* Page @index, made if there was none; NULL: no space. */
static uint8_t *make(struct ram_pages *p, uint64_t index)
{
	void **at = &p->root;

	if (heighten(p, index))
		return NULL;
	for (unsigned int h = p->height;; h--) {
		if (!*at)
			*at = page_new(p);
		if (!*at || !h)
			return *at;
		at = (void **)*at + index / span(h) % RAM_FANOUT;
	}
}

/* Free all pages from @first on at and below @node. */
static void cut(struct ram_pages *p, void **node, unsigned int height,
	       uint64_t first)
{
	uint64_t below;

	if (!*node)
		return;
	if (height) {
		below = span(height);
		for (uint64_t i = first / below; i < RAM_FANOUT; i++)
			cut(p, (void **)*node + i, height - 1,
			    i == first / below ? first % below : 0);
	}
	if (first)
		return;
	page_free(p, *node);
	*node = NULL;
}

/* --- content --------------------------------------------------------------------- */

static size_t in_page(uint64_t offset, size_t len)
{
	size_t left = RAM_PAGE - offset % RAM_PAGE;

	return len < left ? len : left;
}

void ram_pages_read(const struct ram_pages *p, uint64_t offset, void *data,
		    size_t len)
{
	uint8_t *to = data;
	const uint8_t *page;
	size_t n;

	for (; len; len -= n, to += n, offset += n) {
		n = in_page(offset, len);
		page = find(p, offset / RAM_PAGE);
		if (page)
			memcpy(to, page + offset % RAM_PAGE, n);
		else
			memset(to, 0, n);
	}
}

size_t ram_pages_write(struct ram_pages *p, uint64_t offset, const void *data,
		       size_t len)
{
	const uint8_t *from = data;
	size_t done = 0, n;
	uint8_t *page;

	for (; done < len; done += n) {
		n = in_page(offset + done, len - done);
		page = make(p, (offset + done) / RAM_PAGE);
		if (!page)
			break;
		memcpy(page + (offset + done) % RAM_PAGE, from + done, n);
	}
	return done;
}

void ram_pages_cut(struct ram_pages *p, uint64_t size)
{
	uint64_t first = (size + RAM_PAGE - 1) / RAM_PAGE;
	uint8_t *last = size % RAM_PAGE ? find(p, size / RAM_PAGE) : NULL;

	if (last)
		memset(last + size % RAM_PAGE, 0, RAM_PAGE - size % RAM_PAGE);
	if (p->height ? first < span(p->height) * RAM_FANOUT : !first)
		cut(p, &p->root, p->height, first);
	for (; p->height && first <= span(p->height); p->height--) {
		void *top = p->root;

		p->root = top ? *(void **)top : NULL;
		if (top)
			page_free(p, top);
	}
}
