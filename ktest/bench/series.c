// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

#define MAX_SAMPLES	4000

unsigned int rounds = 1000;
int hardware = -1;

static uint64_t samples[MAX_SAMPLES];
static unsigned int nsamples, warm;

/* Until this is core, the log is a device. */
static void log_device(const char *line, size_t len)
{
	static int fd = -1;

	if (fd < 0) {
		mknod("/kmsg", S_IFCHR | 0200, makedev(1, 11));
		fd = open("/kmsg", O_WRONLY | O_CLOEXEC);
	}
	if (write(fd, line, len) < 0)
		fd = -1;
}

void say(const char *fmt, ...)
{
	char line[200];
	struct pith_text t = { .text = (uintptr_t)line };
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	t.len = n;
	if (hardware < 0)
		log_device(line, n);
	else
		pith_control(hardware, PITH_OP_HW_CONSOLE, &t);
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

void missing(const char *what, int error)
{
	say("bench: no %s: %s", what, strerror(error));
}

void series_start(void)
{
	nsamples = 0;
	warm = 0;
}

void series_add(uint64_t sample)
{
	if (warm < WARM_UP)
		warm++;
	else if (nsamples < MAX_SAMPLES)
		samples[nsamples++] = sample;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t series_median(void)
{
	qsort(samples, nsamples, sizeof(samples[0]), compare);
	return nsamples ? samples[nsamples / 2] : 0;
}

void series_print(const char *fmt, ...)
{
	char key[100];
	va_list ap;

	if (!nsamples)
		return;
	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	series_median();
	say("bench: %s %lu %lu", key, samples[nsamples / 2], samples[0]);
	sleep_ms(20);	/* the console follows the log, and takes time */
}
