// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "editor.h"

#define CTRL(c)		((c) & 0x1f)
#define ESC		0x1b
#define DEL		0x7f
#define CSI_MAX		9999	/* parameters saturate here */

/* --- UTF-8 ----------------------------------------------------------------- */

/* Bytes of the character that starts with @lead, 0 if none can. */
static unsigned int utf8_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

static int is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_char(const unsigned char *s, size_t len)
{
	unsigned int need = len ? utf8_length(s[0]) : 0, i;

	if (!need || need > len)
		return 0;
	for (i = 1; i < need; i++)
		if (!is_continuation(s[i]))
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) ||	/* overlong */
	    (s[0] == 0xed && s[1] > 0x9f) ||	/* surrogates */
	    (s[0] == 0xf0 && s[1] < 0x90) ||	/* overlong */
	    (s[0] == 0xf4 && s[1] > 0x8f))	/* above 10FFFF */
		return 0;
	return need;
}

static size_t previous(const char *line, size_t at)
{
	while (at && is_continuation(line[--at]))
		;
	return at;
}

static size_t next(const char *line, size_t at, size_t len)
{
	if (at < len)
		at++;
	while (at < len && is_continuation(line[at]))
		at++;
	return at;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += !is_continuation(s[i]);
	return n;
}

/* --- showing --------------------------------------------------------------- */

static void emit(struct editor *e, const char *s)
{
	e->emit(e->ctx, s, strlen(s));
}

static void bell(struct editor *e)
{
	emit(e, "\a");
}

/* Columns for the line. The last column stays free, as terminals wrap there, and
 * two for the ^C. A prompt has at most 63 columns. */
static size_t room(const struct editor *e)
{
	return EDITOR_COLUMNS - 3 - columns(e->prompt, strlen(e->prompt));
}

_Static_assert(EDITOR_COLUMNS - 3 - (EDITOR_PROMPT - 1) >= 10, "no room");

/* Move the shown part so that the cursor is in it, a third from an end. */
static void scroll(struct editor *e)
{
	size_t width = room(e), back;

	if (columns(e->line, e->len) < width)
		e->first = 0;
	if (e->first <= e->cursor &&
	    columns(e->line + e->first, e->cursor - e->first) < width)
		return;
	e->first = e->cursor;
	for (back = 2 * width / 3; back && e->first; back--)
		e->first = previous(e->line, e->first);
}

static size_t shown_end(const struct editor *e)
{
	size_t end = e->first, width;

	for (width = room(e); width && end < e->len; width--)
		end = next(e->line, end, e->len);
	return end;
}

static void refresh(struct editor *e)
{
	char move[24];
	size_t column;

	scroll(e);
	emit(e, "\r");
	emit(e, e->prompt);
	e->emit(e->ctx, e->line + e->first, shown_end(e) - e->first);
	emit(e, "\x1b[K\r");
	column = columns(e->prompt, strlen(e->prompt)) +
		 columns(e->line + e->first, e->cursor - e->first);
	if (column) {
		snprintf(move, sizeof(move), "\x1b[%zuC", column);
		emit(e, move);
	}
}

/* --- changing the line ------------------------------------------------------- */

static void insert(struct editor *e, const unsigned char *s, size_t n)
{
	if (n >= EDITOR_LINE - e->len) {
		bell(e);
		return;
	}
	memmove(e->line + e->cursor + n, e->line + e->cursor,
		e->len - e->cursor + 1);
	memcpy(e->line + e->cursor, s, n);
	e->len += n;
	e->cursor += n;
	/* The common case needs no redrawing. */
	if (e->cursor == e->len &&
	    columns(e->line + e->first, e->len - e->first) < room(e))
		e->emit(e->ctx, (const char *)s, n);
	else
		refresh(e);
}

static void erase(struct editor *e, size_t from, size_t to)
{
	if (from == to) {
		bell(e);
		return;
	}
	memmove(e->line + from, e->line + to, e->len - to + 1);
	e->len -= to - from;
	e->cursor = from;
	refresh(e);
}

static size_t word_start(const struct editor *e)
{
	size_t at = e->cursor;

	while (at && e->line[at - 1] == ' ')
		at--;
	while (at && e->line[at - 1] != ' ')
		at--;
	return at;
}

static void move_to(struct editor *e, size_t at)
{
	if (at == e->cursor)
		return;
	e->cursor = at;
	refresh(e);
}

static void set_line(struct editor *e, const char *text)
{
	snprintf(e->line, sizeof(e->line), "%s", text);
	e->len = strlen(e->line);
	e->cursor = e->len;
	e->first = 0;
	refresh(e);
}

/* --- history ----------------------------------------------------------------- */

static char *history_line(struct editor *e, unsigned int back)
{
	return e->history[(e->history_next - back) % EDITOR_HISTORY];
}

static void remember(struct editor *e)
{
	if (!e->len)
		return;
	if (e->history_next && !strcmp(history_line(e, 1), e->line))
		return;
	memcpy(e->history[e->history_next++ % EDITOR_HISTORY], e->line,
	       e->len + 1);
}

static void history_go(struct editor *e, unsigned int back)
{
	unsigned int have = e->history_next < EDITOR_HISTORY ?
			    e->history_next : EDITOR_HISTORY;

	if (back > have) {
		bell(e);
		return;
	}
	if (!e->history_back)
		memcpy(e->draft, e->line, e->len + 1);
	e->history_back = back;
	set_line(e, back ? history_line(e, back) : e->draft);
}

static void older(struct editor *e)
{
	history_go(e, e->history_back + 1);
}

static void newer(struct editor *e)
{
	if (e->history_back)
		history_go(e, e->history_back - 1);
	else
		bell(e);
}

/* --- keys -------------------------------------------------------------------- */

/* Cursor and editing keys, by the last byte of their sequence. */
static void special_key(struct editor *e, unsigned char key)
{
	switch (key) {
	case 'A':	older(e); break;
	case 'B':	newer(e); break;
	case 'C':	move_to(e, next(e->line, e->cursor, e->len)); break;
	case 'D':	move_to(e, previous(e->line, e->cursor)); break;
	case 'H':	move_to(e, 0); break;
	case 'F':	move_to(e, e->len); break;
	}
}

/* ESC [ number ~ */
static void tilde_key(struct editor *e, unsigned int number)
{
	switch (number) {
	case 1: case 7:
		move_to(e, 0);
		break;
	case 3:
		erase(e, e->cursor, next(e->line, e->cursor, e->len));
		break;
	case 4: case 8:
		move_to(e, e->len);
		break;
	}
}

static void csi_byte(struct editor *e, unsigned char byte)
{
	if (byte >= '0' && byte <= '9') {
		if (e->csi < CSI_MAX)
			e->csi = e->csi * 10 + (byte - '0');
		return;
	}
	/* ';' and other parameter bytes: modifiers, of no meaning here */
	if (byte >= 0x20 && byte <= 0x3f)
		return;
	e->state = EDITOR_TEXT;
	if (byte == '~')
		tilde_key(e, e->csi);
	else
		special_key(e, byte);
}

static enum editor_event enter(struct editor *e)
{
	remember(e);
	emit(e, "\n");
	return EDITOR_ENTER;
}

static enum editor_event cancel(struct editor *e)
{
	emit(e, "^C\n");
	return EDITOR_CANCEL;
}

static enum editor_event ctrl_d(struct editor *e)
{
	if (!e->len) {
		emit(e, "\n");
		return EDITOR_EOF;
	}
	erase(e, e->cursor, next(e->line, e->cursor, e->len));
	return EDITOR_NONE;
}

static void control_key(struct editor *e, unsigned char byte)
{
	switch (byte) {
	case CTRL('A'):	move_to(e, 0); break;
	case CTRL('E'):	move_to(e, e->len); break;
	case CTRL('B'):	special_key(e, 'D'); break;
	case CTRL('F'):	special_key(e, 'C'); break;
	case CTRL('P'):	older(e); break;
	case CTRL('N'):	newer(e); break;
	case CTRL('K'):	erase(e, e->cursor, e->len); break;
	case CTRL('U'):	erase(e, 0, e->cursor); break;
	case CTRL('W'):	erase(e, word_start(e), e->cursor); break;
	case CTRL('H'):
	case DEL:	erase(e, previous(e->line, e->cursor), e->cursor); break;
	case CTRL('L'):	emit(e, "\x1b[H\x1b[2J"); refresh(e); break;
	case ESC:	e->state = EDITOR_ESC; break;
	default:	bell(e); break;
	}
}

/* A byte of a character: keep it until the character is complete. */
static void text_byte(struct editor *e, unsigned char byte)
{
	if (e->state != EDITOR_UTF8) {
		e->utf8_need = utf8_length(byte);
		e->utf8_have = 0;
		if (!e->utf8_need)
			return;
		e->state = EDITOR_UTF8;
	}
	e->utf8[e->utf8_have++] = byte;
	if (e->utf8_have < e->utf8_need)
		return;
	e->state = EDITOR_TEXT;
	/* C1 controls (80 .. 9f) would reach the terminal as commands. */
	if (e->utf8[0] == 0xc2 && e->utf8[1] < 0xa0)
		return;
	if (utf8_char(e->utf8, e->utf8_have))
		insert(e, e->utf8, e->utf8_have);
}

static enum editor_event plain_byte(struct editor *e, unsigned char byte)
{
	int after_cr = e->after_cr;

	e->after_cr = byte == '\r';
	switch (byte) {
	case '\n':
		if (after_cr)
			return EDITOR_NONE;
		return enter(e);
	case '\r':
		return enter(e);
	case CTRL('C'):
		return cancel(e);
	case CTRL('D'):
		return ctrl_d(e);
	}
	if (byte < 0x20 || byte == DEL)
		control_key(e, byte);
	else
		text_byte(e, byte);
	return EDITOR_NONE;
}

enum editor_event editor_input(struct editor *e, unsigned char byte)
{
	/* A control character ends any sequence that it interrupts. */
	if (e->state != EDITOR_TEXT && (byte < 0x20 || byte == DEL))
		e->state = EDITOR_TEXT;
	if (e->state == EDITOR_UTF8 && !is_continuation(byte))
		e->state = EDITOR_TEXT;

	switch (e->state) {
	case EDITOR_ESC:
		e->csi = 0;
		e->state = byte == '[' ? EDITOR_CSI :
			   byte == 'O' ? EDITOR_SS3 : EDITOR_TEXT;
		return EDITOR_NONE;
	case EDITOR_CSI:
		csi_byte(e, byte);
		return EDITOR_NONE;
	case EDITOR_SS3:
		e->state = EDITOR_TEXT;
		special_key(e, byte);
		return EDITOR_NONE;
	case EDITOR_UTF8:
	case EDITOR_TEXT:
		break;
	}
	return plain_byte(e, byte);
}

void editor_init(struct editor *e, void (*out)(void *, const char *, size_t),
		 void *ctx)
{
	e->emit = out;
	e->ctx = ctx;
}

void editor_begin(struct editor *e, const char *prompt)
{
	/* A cut prompt must not end within a character. */
	snprintf(e->prompt, sizeof(e->prompt), "%s", prompt);
	if (strlen(prompt) >= sizeof(e->prompt)) {
		size_t last = previous(e->prompt, strlen(e->prompt));

		if (!utf8_char((unsigned char *)e->prompt + last,
			       strlen(e->prompt) - last))
			e->prompt[last] = '\0';
	}
	e->line[0] = '\0';
	e->len = 0;
	e->cursor = 0;
	e->first = 0;
	e->history_back = 0;
	e->state = EDITOR_TEXT;
	emit(e, e->prompt);
}
