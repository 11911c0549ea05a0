// SPDX-License-Identifier: BSD-2-Clause
/*
 * On a kernel with CONFIG_FAULT_INJECTION a helper that stays a process of Linux
 * makes the n-th allocation of core's first thread fail: procfs has the number,
 * debugfs which allocations count. `nomem=1` asks for it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core.h"

#define PROCFS		"/proc"

enum ask { ASK_NOTHING, ASK_ARM, ASK_LEFT };

static struct nomem {
	volatile uint32_t ask, n;
	volatile bool works;
} *nomem;

static void put(const char *debugfs, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", debugfs, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		nomem->works = false;
	close(fd);
}

/* All allocations, and without a word in the log. */
static void all_may_fail(const char *debugfs)
{
	put(debugfs, "failslab/ignore-gfp-wait", "N");
	put(debugfs, "failslab/verbose", "0");
	put(debugfs, "fail_page_alloc/ignore-gfp-wait", "N");
	put(debugfs, "fail_page_alloc/ignore-gfp-highmem", "N");
	put(debugfs, "fail_page_alloc/min-order", "0");
	put(debugfs, "fail_page_alloc/verbose", "0");
}

/* What is left of the last number; then @n. */
static uint32_t exchange(int fd, uint32_t n)
{
	char text[16] = "";
	uint32_t left;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		nomem->works = false;
	left = strtoul(text, NULL, 10);
	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		nomem->works = false;
	return left;
}

void nomem_open(const char *debugfs)
{
	void *p = mmap(NULL, sizeof(*nomem), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (p == MAP_FAILED)
		return;
	nomem = p;
	nomem->works = true;
	all_may_fail(debugfs);
	mkdir(PROCFS, 0700);
	mount("none", PROCFS, "proc", 0, NULL);
	fd = open(PROCFS "/1/fail-nth", O_RDWR);
	if (fork())
		return;
	for (;;) {
		while (!nomem->ask)
			usleep(50);
		nomem->n = exchange(fd, nomem->ask == ASK_ARM ? nomem->n : 0);
		__atomic_store_n(&nomem->ask, ASK_NOTHING, __ATOMIC_SEQ_CST);
	}
}

static uint32_t ask(uint32_t what, uint32_t n)
{
	nomem->n = n;
	__atomic_store_n(&nomem->ask, what, __ATOMIC_SEQ_CST);
	while (nomem->ask)
		kt_sleep(50000);
	return nomem->n;
}

bool nomem_on(void)
{
	return nomem && nomem->works;
}

void nomem_arm(uint32_t n)
{
	ask(ASK_ARM, n);
}

bool nomem_failed(void)
{
	return !ask(ASK_LEFT, 0);
}
