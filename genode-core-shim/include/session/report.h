/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Report: texts that a component publishes, each under the label of its session.
 * The buffer is the server's, so that no client can take it away while it is
 * read; the donation pays for it.
 */
#ifndef SESSION_REPORT_H
#define SESSION_REPORT_H

#include <stdint.h>

enum report_method {
	/* BUFFER: struct report_size -> cap: memory of that size (READ|WRITE),
	 * where the client writes its reports. Once: EBUSY. EDQUOT: more than a
	 * third of the donation less 8 KiB. */
	REPORT_BUFFER = 1,
	/* SUBMIT: struct report_size -> nothing. The first @size bytes of the
	 * buffer are the report now. */
	REPORT_SUBMIT,
};

struct report_size {
	uint64_t size;		/* bytes; BUFFER: a multiple of 4096 */
};

#endif
