/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Report: texts that a component publishes, each under the label of its session.
 * The client owns and pays the buffer; the server copies what is submitted.
 */
#ifndef SESSION_REPORT_H
#define SESSION_REPORT_H

#include <stdint.h>

enum report_method {
	/* BUFFER: cap 0: memory (READ), which the client writes its reports to ->
	 * nothing. Replaces the one before. */
	REPORT_BUFFER = 1,
	/* SUBMIT: struct report_submit -> nothing. The first @size bytes of the
	 * buffer are the report now. EDQUOT: more than the session's donation
	 * pays for. */
	REPORT_SUBMIT,
};

struct report_submit {
	uint64_t size;		/* bytes, within the buffer */
};

#endif
