// SPDX-License-Identifier: BSD-2-Clause
/* The kernel's log as core reads it. The panic report is in panic.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "space.h"

static long log_read(uint64_t *seq, char *text, uint32_t len, uint32_t *lost)
{
	struct pith_log_read a = { *seq, (uintptr_t)text, len, ~0u };
	long n = kt_control(kt_hardware, PITH_OP_HW_LOG_READ, &a);

	*seq = a.seq;
	*lost = a.lost;
	return n;
}

/* Number of the record that comes next. */
static uint64_t log_end(void)
{
	static char text[65536];
	uint64_t seq = 0;
	uint32_t lost;

	while (log_read(&seq, text, sizeof(text), &lost) > 0)
		;
	return seq;
}

KT_CORE(log_what_was_said)
{
	uint64_t start = log_end(), seq = start;
	uint32_t lost;
	char text[256];

	kt_console("# log: first");
	kt_console("# log: second");
	KT_EQ(log_read(&seq, text, sizeof(text), &lost), 13 + 14);
	KT_TRUE(!memcmp(text, "# log: first\n# log: second\n", 27));
	KT_EQ(seq, start + 2);
	KT_EQ(lost, 0);
	KT_EQ(log_read(&seq, text, sizeof(text), &lost), 0);
	KT_EQ(seq, start + 2);
	KT_EQ(lost, 0);
}

/* With any size of buffer the same text comes, in whole lines. */
KT_CORE(log_whole_lines)
{
	static const uint32_t sizes[] = { 256, 257, 300, 511, 1000, 4096 };
	uint64_t start = log_end(), seq, end;
	static char whole[65536], part[4096];
	uint32_t lost;
	long all, n, at;

	for (int i = 0; i < 60; i++)
		kt_console("# log %.*s", 1 + i * 4, "0123456789abcdefghijklmnopqr"
			"stuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghij"
			"klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab"
			"cdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123"
			"456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL");
	seq = start;
	all = log_read(&seq, whole, sizeof(whole), &lost);
	KT_EQ(seq, start + 60);
	end = seq;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		seq = start;
		for (at = 0; at < all; at += n) {
			n = log_read(&seq, part, sizes[i], &lost);
			if (n <= 0 || n > sizes[i] || part[n - 1] != '\n' ||
			    lost || memcmp(part, whole + at, n)) {
				KT_FAIL("size %u, at %ld: %ld, lost %u",
					sizes[i], at, n, lost);
				return;
			}
		}
		KT_EQ(at, all);
		KT_EQ(seq, end);
	}
}

/* A line that is longer than the buffer is cut, and does not stop the reader. */
KT_CORE(log_long_line)
{
	uint64_t start = log_end(), seq = start;
	char text[512], line[500];
	uint32_t lost;
	struct pith_text t = { (uintptr_t)line, sizeof(line), 0 };
	long n;

	memset(line, 'x', sizeof(line));
	line[0] = '#';
	memset(text, 'y', sizeof(text));
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), 0);
	n = log_read(&seq, text, 256, &lost);
	KT_TRUE(n > 200 && n <= 256);
	KT_EQ(text[n - 1], '\n');
	KT_EQ(text[n - 2], 'x');
	KT_EQ(text[256], 'y');
	KT_EQ(seq, start + 1);
}

/* More than the log holds: what is lost and what is left are all there was. */
#define MANY	6000

KT_CORE(log_lost_exact)
{
	uint64_t start = log_end(), seq = start, lines = 0;
	static char text[4096];
	uint32_t lost, sum = 0, first = ~0u;
	char *line;
	long n;

	for (int i = 0; i < MANY; i++)
		kt_console("#%d", i);
	while ((n = log_read(&seq, text, sizeof(text) - 1, &lost)) > 0) {
		text[n] = '\0';
		sum += lost;
		for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			/* the number of a line is that of its record */
			if (atol(line + 1) != (long)(sum + lines)) {
				KT_FAIL("line %lu after %u lost: %s", lines,
					sum, line);
				return;
			}
			if (first == ~0u)
				first = sum;
			lines++;
		}
	}
	KT_EQ(sum + lines, MANY);
	KT_EQ(seq, start + MANY);
	KT_TRUE(first > 0 && first != ~0u);
	/* asking for the first again finds as many lost */
	seq = start;
	KT_TRUE(log_read(&seq, text, 256, &lost) > 0);
	KT_TRUE(lost >= first);
}

KT_CORE(log_arguments)
{
	static const uint32_t bad[] = { 0, 1, 255, 65537, 1u << 31, ~0u };
	uint64_t end = log_end(), seq;
	struct pith_log_read a;
	static char text[65536];
	uint32_t lost;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		seq = 0;
		KT_EQ(log_read(&seq, text, bad[i], &lost), -EINVAL);
	}
	seq = end + 1000;
	KT_EQ(log_read(&seq, text, 256, &lost), 0);
	KT_EQ(seq, end + 1000);
	KT_EQ(lost, 0);
	seq = ~0ull;
	KT_EQ(log_read(&seq, text, 256, &lost), 0);
	seq = 0;
	KT_EQ(log_read(&seq, NULL, 256, &lost), -EFAULT);
	KT_EQ(log_read(&seq, (char *)KT_KERNEL_ADDRESS, 65536, &lost),
	      -EFAULT);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_LOG_READ, NULL), -EFAULT);
	a = (struct pith_log_read) { 0, (uintptr_t)text, 256, 0 };
	KT_EQ(kt_control(kt_root, PITH_OP_HW_LOG_READ, &a), -EBADF);
}

static void die_in(int domain)
{
	struct ks s;

	ks_open_in(&s, domain, NULL, 0);
	KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, -1), 0);
	ks_run(&s, ks_undefined, 0);
	KT_EQ(ks_status(&s), 128 + 4);
	ks_end(&s);
}

static unsigned int deaths_said(uint64_t *seq)
{
	static char text[4096];
	unsigned int found = 0;
	uint32_t lost;
	char *at;
	long n;

	while ((n = log_read(seq, text, sizeof(text) - 1, &lost)) > 0) {
		text[n] = '\0';
		for (at = text; (at = strstr(at, " space[")); at++)
			found++;
	}
	return found;
}

/* However often spaces of one domain die, there is room for what others do. */
KT_CORE(log_deaths_in_a_domain)
{
	int domain, other;
	uint64_t seq;

	if (!KT_SAYS_DEATHS)
		return kt_skip("lines about deaths");
	domain = kt_domain(KS_RAM, KS_CAPS);
	other = kt_domain(KS_RAM, KS_CAPS);
	seq = log_end();
	kt_sleep(KT_MS(5100));	/* Linux' limit, of 10 in 5 s, begins anew */
	for (int i = 0; i < 9; i++)
		die_in(domain);
	KT_EQ(deaths_said(&seq), 4);
	die_in(other);
	KT_EQ(deaths_said(&seq), 1);
	kt_domain_end(domain);
	kt_domain_end(other);
}

/* No boot before this one panicked; what is asked for is checked all the same. */
KT_CORE(log_no_panic_report)
{
	char text[256];
	struct pith_text a = { (uintptr_t)text, sizeof(text), 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_PANIC_READ, &a), 0);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_PANIC_READ, NULL), -EFAULT);
	KT_EQ(kt_control(kt_root, PITH_OP_HW_PANIC_READ, &a), -EBADF);
	a.zero = 1;
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_PANIC_READ, &a), -EINVAL);
	a = (struct pith_text) { (uintptr_t)text, 0, 0 };
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_PANIC_READ, &a), -EINVAL);
}
