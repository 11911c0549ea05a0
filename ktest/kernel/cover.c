// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a program of the fuzzer ran of kernel/pith: on a kernel of the profile
 * `coverage`, a helper that stays a process of Linux reads the counters of
 * CONFIG_GCOV_KERNEL from debugfs when core asks. A counter is a word of these
 * files that has changed; nothing else in them does.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core.h"

#define FILES	64
#define WORDS	(1u << 17)		/* of all files */

enum ask { ASK_NOTHING, ASK_BASE, ASK_NEW, ASK_AGAIN };

struct cover {
	volatile uint32_t ask;
	uint32_t answer, seen;
	/* the helper's */
	unsigned int nfiles;
	char files[FILES][256];
	uint32_t now[WORDS], base[WORDS];
	uint8_t ran[WORDS], wanted[WORDS];
};

static struct cover *cover;

static void find(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char path[256];

	while (dir && (e = readdir(dir))) {
		int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    n >= (int)sizeof(path))
			continue;
		if (e->d_type == DT_DIR)
			find(path);
		else if (!strcmp(path + n - 5, ".gcda") &&
			 cover->nfiles < FILES)
			strcpy(cover->files[cover->nfiles++], path);
	}
	if (dir)
		closedir(dir);
}

static void look(void)
{
	uint8_t *to = (uint8_t *)cover->now;
	uint8_t *end = to + sizeof(cover->now);
	long n;

	for (unsigned int i = 0; i < cover->nfiles; i++) {
		int fd = open(cover->files[i], O_RDONLY);

		while (fd >= 0 && (n = read(fd, to, end - to)) > 0)
			to += n;
		close(fd);
	}
}

static uint32_t answer(uint32_t ask)
{
	uint32_t fresh = 0, again = 1;

	look();
	for (unsigned int i = 0; i < WORDS; i++) {
		bool ran = cover->now[i] != cover->base[i];

		cover->base[i] = cover->now[i];
		if (ask == ASK_BASE)
			continue;
		if (ask == ASK_NEW)
			cover->wanted[i] = ran && !cover->ran[i];
		fresh += ran && !cover->ran[i];
		again &= ran || !cover->wanted[i];
		cover->ran[i] |= ran;
	}
	cover->seen += fresh;
	return ask == ASK_AGAIN ? again : fresh;
}

void cover_open(const char *debugfs)
{
	char path[64];
	void *p = mmap(NULL, sizeof(*cover), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	cover = p;
	snprintf(path, sizeof(path), "%s/gcov", debugfs);
	find(path);
	if (fork())
		return;
	for (;;) {
		while (!cover->ask)
			usleep(100);
		cover->answer = answer(cover->ask);
		__atomic_store_n(&cover->ask, ASK_NOTHING, __ATOMIC_SEQ_CST);
	}
}

static uint32_t ask(uint32_t what)
{
	if (!cover)
		return 0;
	__atomic_store_n(&cover->ask, what, __ATOMIC_SEQ_CST);
	while (cover->ask)
		kt_sleep(100000);
	return cover->answer;
}

bool cover_on(void)
{
	return cover;
}

void cover_base(void)
{
	ask(ASK_BASE);
}

uint32_t cover_new(void)
{
	return ask(ASK_NEW);
}

bool cover_again(void)
{
	return ask(ASK_AGAIN);
}

uint32_t cover_seen(void)
{
	return cover ? cover->seen : 0;
}
