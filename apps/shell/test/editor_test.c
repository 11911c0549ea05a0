// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../editor.c */
#include "screen.h"
#include "tap.h"

static struct editor e;
static struct screen screen;
static char text[5 * EDITOR_COLUMNS];

static enum editor_event type(const char *keys)
{
	enum editor_event event = EDITOR_NONE;

	for (; *keys; keys++) {
		event = editor_input(&e, *keys);
		if (event != EDITOR_NONE && keys[1])
			editor_begin(&e, "$ ");
	}
	return event;
}

static void fresh(void)
{
	memset(&e, 0, sizeof(e));
	memset(&screen, 0, sizeof(screen));
	screen_erase(&screen);
	editor_init(&e, screen_emit, &screen);
	editor_begin(&e, "$ ");
}

/* After @keys on a new line: the line, the column of the cursor, the screen. */
static int gives(const char *keys, const char *line, unsigned int column)
{
	char expect[EDITOR_LINE + 2];

	fresh();
	type(keys);
	snprintf(expect, sizeof(expect), "$ %s", line);
	while (expect[strlen(expect) - 1] == ' ')
		expect[strlen(expect) - 1] = '\0';
	return !strcmp(e.line, line) && screen.column == column + 2 &&
	       !strcmp(screen_text(&screen, text), expect) &&
	       !screen.unknown && !screen.wrapped;
}

static void test_editing(void)
{
	ok(gives("hello", "hello", 5), "typed text");
	ok(gives("hello\x1b[D\x1b[D", "hello", 3), "cursor left");
	ok(gives("hello\x1b[D\x1b[D\x1b[C", "hello", 4), "cursor right");
	ok(gives("hllo\x01\x1b[C" "e", "hello", 2), "insert in the middle");
	ok(gives("hello\x1b[Hx", "xhello", 1), "Home (CSI H)");
	ok(gives("hello\x1bOHx", "xhello", 1), "Home (SS3 H)");
	ok(gives("hello\x1b[1~x", "xhello", 1), "Home (1~)");
	ok(gives("hello\x01\x1b[4~x", "hellox", 6), "End (4~)");
	ok(gives("hello\x01\x1b[Fx", "hellox", 6), "End (CSI F)");
	ok(gives("hello\x01\x05x", "hellox", 6), "ctrl-A, ctrl-E");
	ok(gives("hello\x7f", "hell", 4), "backspace (7f)");
	ok(gives("hello\x08", "hell", 4), "backspace (08)");
	ok(gives("hello\x01\x1b[3~", "ello", 0), "delete");
	ok(gives("hello\x01\x04", "ello", 0), "ctrl-D deletes forward");
	ok(gives("hello world\x01\x1b[C\x0b", "h", 1), "ctrl-K");
	ok(gives("hello world\x1b[D\x15", "d", 0), "ctrl-U");
	ok(gives("ls /etc  \x17", "ls ", 3), "ctrl-W takes blanks and a word");
	ok(gives("ls /etc\x17\x17\x17", "", 0) && screen.bells == 1,
	   "ctrl-W to the start, then a bell");
	ok(gives("hello\x1b[1;5D!", "hell!o", 5), "modifiers are ignored");
	ok(gives("ab\x1b[99999999999999999999~c", "abc", 3), "huge parameter");
	ok(gives("ab\x1b[15~\x1b[200~c", "abc", 3), "unknown keys are ignored");
	ok(gives("ab\x1bxc", "abc", 3), "ESC and a letter: both dropped");
	ok(gives("ab\x1b[\x01x", "xab", 1), "a control ends a sequence");
	ok(gives("ab\tc", "abc", 3) && screen.bells == 1, "tab: a bell");
	ok(gives("\x7f\x1b[3~\x1b[D\x1b[C\x0b\x15\x17", "", 0),
	   "every key on an empty line");
	ok(gives("hello\x0c", "hello", 5), "ctrl-L draws again");
}

static void test_utf8(void)
{
	ok(gives("gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e", 5),
	   "two-byte characters take one column");
	ok(gives("\xe2\x82\xac\xf0\x9f\x90\xa7", "\xe2\x82\xac\xf0\x9f\x90\xa7",
		 2), "three and four bytes");
	ok(gives("a\xc3\xbc" "b\x7f\x7f", "a", 1), "backspace takes all bytes");
	ok(gives("a\xe2\x82\xac" "b\x01\x1b[C\x1b[3~", "ab", 1),
	   "delete takes all bytes");
	ok(gives("\xe2\x82\xac\xe2\x82\xac\x1b[Dx",
		 "\xe2\x82\xacx\xe2\x82\xac", 2), "cursor by characters");
	ok(gives("a\xff\xfe\x80" "b", "ab", 2), "invalid bytes are dropped");
	ok(gives("a\xc3" "b", "ab", 2), "a cut character is dropped");
	ok(gives("a\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xf4\x90\x80\x80" "b", "ab",
		 2), "overlong, surrogate, above 10FFFF: dropped");
	ok(gives("a\xc2\x9b" "b", "ab", 2), "C1 controls are dropped");
	ok(gives("a\xe2\x82\x1b[Db", "ba", 1), "an escape ends a character");
}

static void test_events(void)
{
	fresh();
	ok(type("abc\r") == EDITOR_ENTER && !strcmp(e.line, "abc") &&
	   e.len == 3, "Enter: the line");
	editor_begin(&e, "$ ");
	ok(type("\n") == EDITOR_NONE, "LF after CR is not a second Enter");
	ok(type("x\n") == EDITOR_ENTER, "LF alone is Enter");
	editor_begin(&e, "$ ");
	ok(type("\n") == EDITOR_ENTER && !e.len, "an empty line is a line");
	editor_begin(&e, "$ ");
	ok(type("abc\x03") == EDITOR_CANCEL, "ctrl-C: cancel");
	editor_begin(&e, "$ ");
	ok(!e.len && type("\x04") == EDITOR_EOF, "ctrl-D, empty line: EOF");
	editor_begin(&e, "$ ");
	ok(type("\x1b[A") == EDITOR_NONE && !strcmp(e.line, "x"),
	   "the cancelled line is not in the history");
}

static void test_history(void)
{
	char line[16];
	unsigned int i;

	fresh();
	type("one\rtwo\rtwo\r\rdraft");
	ok(!strcmp(e.line, "draft"), "draft");
	type("\x1b[A");
	ok(!strcmp(e.line, "two") && e.cursor == 3, "up: the last line");
	type("\x1b[A");
	ok(!strcmp(e.line, "one"), "up: doubles and empty lines were left out");
	type("\x1b[A");
	ok(!strcmp(e.line, "one") && screen.bells, "up at the end: a bell");
	type("\x1b[B\x1b[B");
	ok(!strcmp(e.line, "draft"), "down: back to the draft");
	type("\x10x\x10\x0e\x0e");
	ok(!strcmp(e.line, "draft"), "an edited old line is not the draft");
	type("\x1b[A\r");
	ok(!strcmp(e.line, "two"), "an old line is entered");

	fresh();
	for (i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %u\r", i);
		type(line);
		editor_begin(&e, "$ ");
	}
	for (i = 0; i < 200; i++)
		type("\x10");
	ok(!strcmp(e.line, "line 68"), "32 lines are kept");
}

static void test_long(void)
{
	static char longest[EDITOR_LINE + 100];
	unsigned int i;

	fresh();
	for (i = 0; i < sizeof(longest) - 1; i++)
		longest[i] = 'a' + i % 26;
	type(longest);
	ok(e.len == EDITOR_LINE - 1 && !memcmp(e.line, longest, e.len) &&
	   screen.bells == 100, "a full line takes no more");
	ok(!screen.wrapped && !screen.unknown, "and never wraps");
	ok(screen_text(&screen, text)[strlen(text) - 1] == e.line[e.len - 1],
	   "its end is in sight");
	type("\x01");
	screen_text(&screen, text);
	ok(!strncmp(text, "$ abcdef", 8) && screen.column == 2,
	   "ctrl-A: its start is in sight");
	type("\x0b");
	ok(!strcmp(screen_text(&screen, text), "$"), "and gone with ctrl-K");

	fresh();
	memset(longest, 'p', sizeof(longest) - 1);
	editor_begin(&e, longest);
	type("xyz");
	ok(!strcmp(e.line, "xyz") && !screen.wrapped, "a prompt that is too long");
	fresh();
	for (i = 0; i < 60; i++)
		strcpy(longest + 3 * i, "\xe2\x82\xac");
	editor_begin(&e, longest);
	ok(!screen.unknown && strlen(e.prompt) == 63,
	   "is cut between characters");
}

/* Any bytes: screen and line agree after each key. */
static void test_random(void)
{
	static const char keys[] = "abc \xc3\xbc\xe2\x82\xac\x1b[D\x1b[C\x1b[A"
		"\x1b[B\x1b[H\x1b[F\x1b[3~\x7f\x17\x01\x05\r\x80\xff\x1bOD";
	unsigned int seed = 7, i, bad = 0;
	char expect[EDITOR_LINE + 2];

	fresh();
	for (i = 0; i < 300000; i++) {
		seed = seed * 1103515245 + 12345;
		if (editor_input(&e, keys[(seed >> 16) % (sizeof(keys) - 1)]))
			editor_begin(&e, "$ ");
		snprintf(expect, sizeof(expect), "$ %s", e.line);
		bad += e.len != strlen(e.line) || e.cursor > e.len;
		bad += screen.wrapped || screen.unknown;
		if (e.len > 70)
			continue;
		while (expect[strlen(expect) - 1] == ' ')
			expect[strlen(expect) - 1] = '\0';
		bad += !!strcmp(screen_text(&screen, text), expect);
	}
	ok(!bad, "random keys: the screen shows the line");
}

int main(void)
{
	test_editing();
	test_utf8();
	test_events();
	test_history();
	test_long();
	test_random();
	return tap_end();
}
