// SPDX-License-Identifier: BSD-2-Clause
/*
 * What kernels that check themselves have found, from debugfs. It is mounted by
 * the first process while that is an ordinary one of Linux:
 *	coverage=1	the counters of CONFIG_GCOV_KERNEL go to the log
 *	guided=1	the fuzzer asks for them: cover.c
 *	nomem=1		allocations fail on purpose: nomem.c
 *	leaks=1		a helper, which stays one of Linux, has kmemleak scan
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core.h"

#define DEBUGFS		"/debug"

/* --- coverage -------------------------------------------------------------- */

#define GCDA_CHUNK	200	/* bytes per line */

static void print_hex(const char *name, long at, const uint8_t *p, long n)
{
	char hex[2 * GCDA_CHUNK + 1];

	for (long i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	kt_console("# gcda %s %ld %s", name, at, hex);
}

static void print_gcda(const char *path, const char *name)
{
	uint8_t chunk[GCDA_CHUNK];
	int fd = open(path, O_RDONLY);
	long n, at = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		print_hex(name, at, chunk, n);
		at += n;
		if (at % (20 * GCDA_CHUNK) == 0)
			console_flush();
	}
	close(fd);
}

static void coverage_print(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char path[512];

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (len > 5 && !strcmp(e->d_name + len - 5, ".gcda"))
			print_gcda(path, e->d_name);
		else if (e->d_type == DT_DIR)
			coverage_print(path);
	}
	if (dir)
		closedir(dir);
}

/* --- leaks ----------------------------------------------------------------- */

#define LEAK_AGE	6	/* s; kmemleak reports nothing that is younger */

struct leaks {
	volatile uint32_t scan, done;
	volatile int32_t bytes;		/* of text, -1: no kmemleak */
	char text[4096 * 4];
};

static struct leaks *leaks;

/* Twice: what the first scan finds may only just have been moved. */
static void scan(int fd)
{
	int32_t n = -1;

	for (int i = 0; i < 2; i++) {
		sleep(LEAK_AGE);
		if (write(fd, "scan", 4) != 4)
			goto out;
	}
	n = read(fd, leaks->text, sizeof(leaks->text) - 1);
out:
	leaks->bytes = n;
	leaks->done = 1;
}

static void leaks_open(void)
{
	int fd = open(DEBUGFS "/kmemleak", O_RDWR);
	void *p = mmap(NULL, sizeof(*leaks), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	leaks = p;
	if (fork())
		return;
	while (!leaks->scan)
		usleep(100000);
	scan(fd);
	_exit(0);
}

static void leaks_report(void)
{
	char *line = leaks->text, *end;

	leaks->scan = 1;
	for (int i = 0; i < 3000 && !leaks->done; i++)
		kt_sleep(KT_MS(100));
	if (!leaks->done || leaks->bytes < 0) {
		kt_console("BUG: kmemleak does not scan");
		return;
	}
	kt_console("# kmemleak has scanned");
	if (leaks->bytes)
		kt_console("BUG: kmemleak has found what nobody refers to");
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		kt_console("# %s", line);
		line = end + 1;
	}
}

/* --- both ------------------------------------------------------------------ */

void checkers_open(void)
{
	if (!kt_option("coverage", 0) && !kt_option("leaks", 0) &&
	    !kt_option("guided", 0) && !kt_option("nomem", 0))
		return;
	mkdir(DEBUGFS, 0700);
	mount("none", DEBUGFS, "debugfs", 0, NULL);
	if (kt_option("guided", 0))
		cover_open(DEBUGFS);
	if (kt_option("nomem", 0))
		nomem_open(DEBUGFS);
	if (kt_option("leaks", 0))
		leaks_open();
}

void checkers_report(void)
{
	if (kt_option("coverage", 0))
		coverage_print(DEBUGFS "/gcov");
	if (leaks)
		leaks_report();
}
