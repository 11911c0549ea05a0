/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines:
 *
 *	line	= command { (";" | "&&" | "||") command } [";"] ["#" comment]
 *	command	= word { word }
 *	word	= { character | '\' character | "'" text "'" | '"' text '"' | $? }
 *
 * As in sh: nothing is special within '...'; within "..." a backslash quotes
 * only '"', '\' and '$'; $? is the status of the last command. There are no
 * other variables, no patterns, pipes, redirections or background commands:
 * their characters are refused where sh would act on them ("*" and "?" and a
 * lone "$" are ordinary).
 */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include <stddef.h>

#define PARSE_LINE	4096	/* bytes of a line, at most */
#define PARSE_WORDS	64	/* in one command */

/* What stands before a command. */
enum parse_link {
	PARSE_SEQ,		/* nothing, or ";" */
	PARSE_AND,		/* "&&" */
	PARSE_OR,		/* "||" */
};

struct parser {
	const char *line;
	size_t len;
	size_t at;
	enum parse_link link;	/* before what comes next */
	const char *error;	/* after -1: what is wrong, and */
	size_t column;		/* where, in bytes from 1 */
};

struct command {
	enum parse_link link;
	int argc;		/* 1 .. PARSE_WORDS */
	char *argv[PARSE_WORDS + 1];	/* into @text; NULL at the end */
	char text[PARSE_LINE];
};

/* Begin with @line of @len bytes, which must stay. */
void parse_begin(struct parser *p, const char *line, size_t len);

/*
 * The next command, with $? standing for @status: 1 and *@c, 0 at the end, or -1
 * with @p->error. To run nothing of a wrong line, go through it once before.
 */
int parse_next(struct parser *p, int status, struct command *c);

#endif
