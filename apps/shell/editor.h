/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line editor: bytes from the terminal in, events and bytes for the terminal
 * out, LF meaning a new line there. It knows nothing else of the outside.
 *
 * The line is always valid UTF-8 without control characters; what is not is
 * dropped. Each code point takes one column. A line longer than the terminal is
 * shown in part, around the cursor.
 */
#ifndef SHELL_EDITOR_H
#define SHELL_EDITOR_H

#include <stddef.h>
#include <stdint.h>

#define EDITOR_LINE	1024	/* bytes, with the NUL */
#define EDITOR_HISTORY	32	/* lines */
#define EDITOR_PROMPT	64	/* bytes, with the NUL */
#define EDITOR_COLUMNS	80

enum editor_event {
	EDITOR_NONE,
	EDITOR_ENTER,		/* the line is in editor.line */
	EDITOR_CANCEL,		/* ctrl-C: the line was thrown away */
	EDITOR_EOF,		/* ctrl-D on an empty line */
};

/* What the bytes so far are the beginning of. */
enum editor_state {
	EDITOR_TEXT,
	EDITOR_UTF8,		/* inside of a character */
	EDITOR_ESC,		/* after ESC */
	EDITOR_CSI,		/* after ESC [ */
	EDITOR_SS3,		/* after ESC O */
};

struct editor {
	void (*emit)(void *ctx, const char *bytes, size_t len);
	void *ctx;
	char prompt[EDITOR_PROMPT];
	char line[EDITOR_LINE];
	size_t len, cursor;	/* bytes; the cursor is at a character's start */
	size_t first;		/* first byte shown */

	enum editor_state state;
	unsigned char utf8[4];
	unsigned int utf8_have, utf8_need;
	unsigned int csi;	/* numeric parameter, saturated */
	int after_cr;		/* the LF of a CR LF is not a second Enter */

	char history[EDITOR_HISTORY][EDITOR_LINE];
	unsigned int history_next;	/* lines remembered since start */
	unsigned int history_back;	/* how far back we are; 0: at the draft */
	char draft[EDITOR_LINE];
};

/* @e is zeroed memory. @emit gets what is to be shown. */
void editor_init(struct editor *e, void (*emit)(void *, const char *, size_t),
		 void *ctx);

/* Start a new, empty line behind @prompt (cut to EDITOR_PROMPT - 1 bytes). */
void editor_begin(struct editor *e, const char *prompt);

/* One byte from the terminal. After an event other than NONE, begin again. */
enum editor_event editor_input(struct editor *e, unsigned char byte);

/* Length in bytes of the valid UTF-8 character at @s of @len bytes, 0 if there
 * is none: no overlong forms, surrogates, or code points above 10FFFF. */
size_t utf8_char(const unsigned char *s, size_t len);

#endif
