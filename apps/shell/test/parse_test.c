// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../parse.c */
#include <stdlib.h>
#include <string.h>

#include "../parse.h"
#include "tap.h"

static struct parser p;
static struct command c;

/* All of @line in one text: words in [], links as ; && ||. */
static const char *parsed(const char *line, int status)
{
	static char out[8 * PARSE_LINE];
	static const char *const links[] = { ";", "&&", "||" };
	/* A copy on the heap, so that reading behind its end is seen. */
	size_t len = strlen(line);
	char *copy = malloc(len ? len : 1);
	int more, i, first = 1;

	out[0] = '\0';
	memcpy(copy, line, len);
	parse_begin(&p, copy, len);
	while ((more = parse_next(&p, status, &c)) > 0) {
		if (!first || c.link != PARSE_SEQ)
			strcat(out, links[c.link]);
		first = 0;
		for (i = 0; i < c.argc; i++)
			sprintf(out + strlen(out), "[%s]", c.argv[i]);
		if (c.argv[c.argc])
			strcat(out, "no NULL");
	}
	if (more < 0)
		sprintf(out + strlen(out), "!%zu %s", p.column, p.error);
	free(copy);
	return out;
}

static void gives(const char *line, const char *expect)
{
	const char *got = parsed(line, 42);
	char what[200];

	snprintf(what, sizeof(what), "%.80s -> %.80s", line, expect);
	ok(!strcmp(got, expect), what);
	if (strcmp(got, expect))
		printf("# got %s\n", got);
}

static void test_limits(void)
{
	static char line[PARSE_LINE + 10];
	unsigned int i;

	for (i = 0; i < PARSE_WORDS; i++)
		strcat(line, "w ");
	ok(parsed(line, 0)[0] == '[', "64 words");
	strcat(line, "w");
	ok(!strcmp(parsed(line, 0), "!129 too many words"), "65 words");

	memset(line, 'x', sizeof(line));
	line[PARSE_LINE - 1] = '\0';
	ok(strlen(parsed(line, 0)) == PARSE_LINE + 1, "one word, 4095 bytes");
	line[PARSE_LINE - 1] = 'x';
	line[PARSE_LINE] = '\0';
	ok(strstr(parsed(line, 0), "too long") != NULL, "4096 bytes");
	for (i = 0; i + 2 < PARSE_LINE; i += 2)
		memcpy(line + i, "$?", 2);
	line[i] = '\0';
	ok(strlen(parsed(line, 42)) == i + 2, "$? as long as its value");
	ok(strstr(parsed(line, 130), "too long") != NULL,
	   "$? that makes the command too long");
}

int main(void)
{
	gives("", "");
	gives("   \t ", "");
	gives("# comment", "");
	gives("ls", "[ls]");
	gives("  ls  -l /etc ", "[ls][-l][/etc]");
	gives("ls # comment; kill x", "[ls]");
	gives("ls a#b", "[ls][a#b]");
	gives("echo 'a b' \"c d\" e\\ f", "[echo][a b][c d][e f]");
	gives("echo a'b'\"c\"d", "[echo][abcd]");
	gives("echo '' \"\"", "[echo][][]");
	gives("echo 'a\\b;\"$?'", "[echo][a\\b;\"$?]");
	gives("echo \"a\\\"b\\\\c\\d'\\$?\"", "[echo][a\"b\\c\\d'$?]");
	gives("echo $? \"<$?>\" x$?y \\$?", "[echo][42][<42>][x42y][$?]");
	gives("echo $ $HOME $", "[echo][$][$HOME][$]");
	gives("echo * ? ~ ( ) { } = ! `", "[echo][*][?][~][(][)][{][}][=][!][`]");
	gives("a;b ;c", "[a];[b];[c]");
	gives("a;", "[a]");
	gives("a&&b||c;d", "[a]&&[b]||[c];[d]");
	gives("a 'x;y' && b", "[a][x;y]&&[b]");
	gives("gr\xc3\xbc\xc3\x9f" "e", "[gr\xc3\xbc\xc3\x9f" "e]");

	gives(";", "!1 a command is missing here");
	gives("a;;b", "[a]!3 a command is missing here");
	gives("&& a", "!1 a command is missing here");
	gives("a &&", "[a]!5 a command is missing at the end");
	gives("a || # no", "[a]!10 a command is missing at the end");
	gives("a && ; b", "[a]!6 a command is missing here");
	gives("a | b", "!3 there are no pipes; quote the character");
	gives("a & b", "!3 there are no background commands; quote the character");
	gives("a > b", "!3 there is no redirection; quote the character");
	gives("a <b", "!3 there is no redirection; quote the character");
	gives("a 'b", "!3 no closing '");
	gives("a \"b\\\"", "!3 no closing \"");
	gives("a b\\", "!4 nothing after \\");
	gives("a\x01" "b", "!2 control character");
	gives("a\x1b[Db", "!2 control character");
	test_limits();
	parse_begin(&p, "a\0b", 3);
	ok(parse_next(&p, 0, &c) < 0 && p.column == 2, "NUL");
	return tap_end();
}
