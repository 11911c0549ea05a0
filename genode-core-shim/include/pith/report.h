/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports: texts for others to read, through a session to the Report service. */
#ifndef PITH_REPORT_H
#define PITH_REPORT_H

#include <pith/env.h>

struct report {
	struct session session;
	int mem;
	char *buf;		/* to be filled before report_submit() */
	uint64_t size;		/* of it, a multiple of 4096 */
};

/* A session with @label for reports of up to @size bytes; the server is donated
 * what it needs for that. 0 or a negative errno, with nothing to close. */
int report_open(struct report *r, const char *label, uint64_t size);
/* Publish the first @len bytes of @r->buf. */
int report_submit(struct report *r, uint64_t len);
/* Also if it is not open. */
void report_close(struct report *r);

#endif
