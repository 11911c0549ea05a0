/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's terminal: buffered output, input queue, ctrl-C. A terminal server
 * that was restarted is connected to again; without one the shell ends.
 */
#ifndef SHELL_TERM_H
#define SHELL_TERM_H

#include <stdbool.h>
#include <pith/entrypoint.h>
#include <pith/env.h>

#define TERM_BUFFER	4096

struct term {
	struct entrypoint *ep;
	struct session session;
	int notif;		/* ours */
	int signal;		/* the same with SIGNAL only, for the server */
	bool event;		/* it fired */
	bool crlf;		/* show LF as CR LF */
	bool interrupted;	/* ctrl-C was typed, or output is stuck */
	size_t in_len;
	unsigned char in[TERM_BUFFER];
	size_t out_len;
	char out[TERM_BUFFER];
};

/* Open the session; ends the component if there is none. */
void term_init(struct term *t, struct entrypoint *ep, bool crlf);

/* Output. Kept until the buffer is full or term_flush(). What is written while
 * interrupted is dropped. */
void term_write(struct term *t, const void *data, size_t len);
void term_flush(struct term *t);
/* Wait until the last byte has left the device. 0 or a negative errno. */
int term_drain(struct term *t);

/* Next byte typed; waits for it. Output is flushed first. */
unsigned char term_getc(struct term *t);
/* Has ctrl-C been typed since term_resume()? What was typed before it is
 * forgotten. Does not wait. */
bool term_interrupted(struct term *t);
void term_resume(struct term *t);

#endif
