/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Report: texts that a component publishes, each under the label of its session.
 * The buffer is the client's, who pays for it as long as anybody has it; nobody
 * but core could take it away while it is read. The donation pays for the copy
 * that the server makes of each report.
 */
#ifndef SESSION_REPORT_H
#define SESSION_REPORT_H

#include <stdint.h>

enum report_method {
	/* BUFFER: cap 0: memory (READ), where the client writes its reports ->
	 * nothing. Once: EBUSY. EINVAL: no memory. EDQUOT: larger than the half
	 * of the donation less REPORT_BOOKS. */
	REPORT_BUFFER = 1,
	/* SUBMIT: struct report_size -> nothing. The first @size bytes of the
	 * buffer are the report now. */
	REPORT_SUBMIT,
};

struct report_size {
	uint64_t size;		/* bytes, no more than the buffer's */
};

/* Bytes of the donation that are for the session itself; the rest is for the report
 * and for the one that follows it, while both are there. */
#define REPORT_BOOKS	8192u

#endif
