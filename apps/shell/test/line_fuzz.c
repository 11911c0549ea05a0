// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../editor.c ../parse.c ../text.c */
/* Bytes typed at the terminal, through editor, parser and path functions. */
#include <stdlib.h>
#include <string.h>

#include "../parse.h"
#include "../text.h"
#include "screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct editor e;
static struct screen screen;
static struct command c;

static void check(int good)
{
	if (!good)
		abort();
}

static void use_word(const char *word)
{
	char path[64], shown[64];

	check(text_columns(text_printable(shown, sizeof(shown), word)) <= 63);
	if (path_join(path, sizeof(path), "/cwd", word) < 0)
		return;
	path_normalise(path);
	check(path[0] == '/' && !strstr(path, "//") && !strstr(path, "/../"));
}

static void use_line(const char *line, size_t len)
{
	struct parser p;
	int more, i;

	parse_begin(&p, line, len);
	while ((more = parse_next(&p, 130, &c)) > 0) {
		check(c.argc > 0 && c.argc <= PARSE_WORDS && !c.argv[c.argc]);
		for (i = 0; i < c.argc; i++)
			use_word(c.argv[i]);
	}
	check(more == 0 || (p.error && p.column));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t i;

	memset(&e, 0, sizeof(e));
	memset(&screen, 0, sizeof(screen));
	editor_init(&e, screen_emit, &screen);
	editor_begin(&e, "$ ");
	for (i = 0; i < size; i++) {
		enum editor_event event = editor_input(&e, data[i]);

		check(e.cursor <= e.len && strlen(e.line) == e.len);
		check(!screen.wrapped && !screen.unknown);
		if (event == EDITOR_ENTER)
			use_line(e.line, e.len);
		if (event != EDITOR_NONE)
			editor_begin(&e, "$ ");
	}
	/* The same bytes as a line of the ROM, which no editor has seen. */
	use_line((const char *)data, size);
	return 0;
}
