// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "parse.h"

struct out {
	struct command *c;
	size_t len;
};

static int fail(struct parser *p, size_t at, const char *error)
{
	p->error = error;
	p->column = at + 1;
	return -1;
}

static int put(struct parser *p, struct out *o, char ch)
{
	if (o->len >= sizeof(o->c->text))
		return fail(p, p->at, "the command is too long");
	o->c->text[o->len++] = ch;
	return 0;
}

/* The character at @ahead from here; NUL behind the end of the line. */
static char peek(const struct parser *p, size_t ahead)
{
	return ahead < p->len - p->at ? p->line[p->at + ahead] : '\0';
}

static int at_end(const struct parser *p)
{
	return p->at == p->len;
}

static int is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

static void skip_blanks(struct parser *p)
{
	while (is_blank(peek(p, 0)))
		p->at++;
}

static int put_status(struct parser *p, struct out *o, int status)
{
	char digits[12];
	char *d;

	snprintf(digits, sizeof(digits), "%d", status);
	for (d = digits; *d; d++)
		if (put(p, o, *d) < 0)
			return -1;
	p->at += 2;
	return 0;
}

static int single_quoted(struct parser *p, struct out *o)
{
	size_t start = p->at++;

	for (; !at_end(p); p->at++) {
		if (peek(p, 0) == '\'') {
			p->at++;
			return 0;
		}
		if (put(p, o, peek(p, 0)) < 0)
			return -1;
	}
	return fail(p, start, "no closing '");
}

static int double_quoted(struct parser *p, struct out *o, int status)
{
	size_t start = p->at++;

	while (!at_end(p)) {
		char ch = peek(p, 0), second = peek(p, 1);

		if (ch == '"') {
			p->at++;
			return 0;
		}
		if (ch == '$' && second == '?') {
			if (put_status(p, o, status) < 0)
				return -1;
			continue;
		}
		if (ch == '\\' && second && strchr("\"\\$", second)) {
			p->at++;
			ch = second;
		}
		if (put(p, o, ch) < 0)
			return -1;
		p->at++;
	}
	return fail(p, start, "no closing \"");
}

static int backslash(struct parser *p, struct out *o)
{
	p->at++;
	if (at_end(p))
		return fail(p, p->at - 1, "nothing after \\");
	if (put(p, o, peek(p, 0)) < 0)
		return -1;
	p->at++;
	return 0;
}

static int ends_word(const struct parser *p)
{
	return at_end(p) || is_blank(peek(p, 0)) || strchr(";&|<>", peek(p, 0));
}

/* One word, which has at least one character, be it a quote. */
static int word(struct parser *p, struct out *o, int status)
{
	int err = 0;

	if (o->c->argc == PARSE_WORDS)
		return fail(p, p->at, "too many words");
	o->c->argv[o->c->argc++] = o->c->text + o->len;
	while (!err && !ends_word(p)) {
		char ch = peek(p, 0);

		if (ch == '\'') {
			err = single_quoted(p, o);
		} else if (ch == '"') {
			err = double_quoted(p, o, status);
		} else if (ch == '\\') {
			err = backslash(p, o);
		} else if (ch == '$' && peek(p, 1) == '?') {
			err = put_status(p, o, status);
		} else {
			err = put(p, o, ch);
			p->at++;
		}
	}
	return err ? err : put(p, o, '\0');
}

/* What ends a command; leaves it for the next one in p->link. */
static int separator(struct parser *p)
{
	char ch = peek(p, 0);

	if (at_end(p))
		return 0;
	if (ch == '<' || ch == '>')
		return fail(p, p->at, "there is no redirection; quote the character");
	if (ch == ';') {
		p->at++;
		return 0;
	}
	if (peek(p, 1) != ch)
		return fail(p, p->at, ch == '|' ?
			    "there are no pipes; quote the character" :
			    "there are no background commands; quote the character");
	p->link = ch == '&' ? PARSE_AND : PARSE_OR;
	p->at += 2;
	return 0;
}

static int check_line(struct parser *p)
{
	size_t i;

	if (p->len > PARSE_LINE - 1)
		return fail(p, PARSE_LINE - 1, "the line is too long");
	for (i = 0; i < p->len; i++)
		if ((unsigned char)p->line[i] < ' ' && p->line[i] != '\t')
			return fail(p, i, "control character");
	return 0;
}

void parse_begin(struct parser *p, const char *line, size_t len)
{
	*p = (struct parser){ .line = line, .len = len };
}

int parse_next(struct parser *p, int status, struct command *c)
{
	struct out o = { .c = c };

	if (p->at == 0 && check_line(p) < 0)
		return -1;
	skip_blanks(p);
	if (peek(p, 0) == '#')
		p->at = p->len;
	if (at_end(p))
		return p->link == PARSE_SEQ ? 0 :
		       fail(p, p->at, "a command is missing at the end");

	c->link = p->link;
	p->link = PARSE_SEQ;
	c->argc = 0;
	while (!ends_word(p)) {
		if (word(p, &o, status) < 0)
			return -1;
		skip_blanks(p);
		if (peek(p, 0) == '#')
			p->at = p->len;
	}
	if (!c->argc)
		return fail(p, p->at, "a command is missing here");
	c->argv[c->argc] = NULL;
	return separator(p) < 0 ? -1 : 1;
}
