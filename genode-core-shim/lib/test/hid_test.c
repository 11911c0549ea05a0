// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../hid.c ../hid_print.c */
/*
 * HID parser, lookups and printer. corpus/bad: each NAME.hid is refused with the
 * place and words in expected.txt; corpus/good: each NAME.hid prints as NAME.out.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>

static unsigned int tests, failures;

static void check(bool ok, const char *name)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, name);
	failures += !ok;
}

/* --- corpus ------------------------------------ */

static void corpus_path(char *path, size_t size, const char *dir,
			const char *file)
{
	const char *slash = strrchr(__FILE__, '/');

	snprintf(path, size, "%.*s/corpus/%s/%s",
		 slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".",
		 dir, file);
}

/* The file in memory of exactly its size, so that overruns are seen. */
static char *load(const char *dir, const char *file, size_t *len)
{
	char path[512], buf[65536], *text;
	FILE *f;

	corpus_path(path, sizeof(path), dir, file);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	*len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	text = malloc(*len ? *len : 1);
	memcpy(text, buf, *len);
	return text;
}

static void bad_one(const char *line)
{
	char name[64], file[80], got[300], title[320];
	const struct hid_node *root;
	struct hid_error err;
	void *arena;
	size_t len;
	char *text;
	int ret;

	if (sscanf(line, "%63s", name) != 1)
		return;
	snprintf(file, sizeof(file), "%s.hid", name);
	text = load("bad", file, &len);
	if (!text) {
		check(false, file);
		return;
	}
	arena = malloc(HID_ARENA_SIZE(len));
	ret = hid_parse(text, len, arena, HID_ARENA_SIZE(len), &root, &err);
	snprintf(got, sizeof(got), "%s %u:%u: %s", name, err.line, err.col,
		 err.text);
	snprintf(title, sizeof(title), "bad: %s", got);
	check(ret == -EINVAL && !root && !strcmp(got, line), title);
	free(arena);
	free(text);
}

static void test_bad(void)
{
	unsigned int before = tests;
	char *text, *line, *save;
	size_t len;

	text = load("bad", "expected.txt", &len);
	if (text) {
		text = realloc(text, len + 1);
		text[len] = '\0';
		for (line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			bad_one(line);
	}
	free(text);
	check(tests - before >= 40, "bad corpus is there");
}

static bool prints_as(const char *text, size_t len, const char *want,
		      size_t want_len)
{
	void *arena = malloc(HID_ARENA_SIZE(len));
	char out[65536];
	const struct hid_node *root;
	struct hid_error err;
	struct hid_print p;
	bool ok = false;

	if (!hid_parse(text, len, arena, HID_ARENA_SIZE(len), &root, &err)) {
		hid_print_begin(&p, out, sizeof(out));
		hid_print_tree(&p, root);
		ok = hid_print_end(&p) == (int)want_len &&
		     !memcmp(out, want, want_len);
	}
	free(arena);
	return ok;
}

static void good_one(const char *file)
{
	size_t len, want_len;
	char title[300], *text, *want;

	snprintf(title, sizeof(title), "%.*s.out",
		 (int)(strlen(file) - 4), file);
	text = load("good", file, &len);
	want = load("good", title, &want_len);
	snprintf(title, sizeof(title), "good: %s", file);
	check(text && want && prints_as(text, len, want, want_len), title);
	snprintf(title, sizeof(title), "good: output of %s again", file);
	check(want && prints_as(want, want_len, want, want_len), title);
	free(text);
	free(want);
}

static void test_good(void)
{
	unsigned int before = tests;
	struct dirent *e;
	char path[512];
	DIR *d;

	corpus_path(path, sizeof(path), "good", ".");
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (strlen(e->d_name) > 4 &&
		    !strcmp(e->d_name + strlen(e->d_name) - 4, ".hid"))
			good_one(e->d_name);
	if (d)
		closedir(d);
	check(tests - before >= 20, "good corpus is there");
}

/* --- tree and lookups ------------------------------------ */

static char arena_mem[8192];
static struct hid_error last_error;

static const struct hid_node *parse(const char *text)
{
	const struct hid_node *root;

	hid_parse(text, strlen(text), arena_mem, sizeof(arena_mem), &root,
		  &last_error);
	return root;
}

static void test_tree(void)
{
	const struct hid_node *root = parse(
		"config | a: 1\n+ s one\n  + p\nx s off\n+ t\n+ s two | k: v\n"
		": q1\n: q2\n-\n"), *s;

	check(root && hid_is(root, "config"), "top node");
	s = hid_first(root, "s");
	check(s && hid_equal(hid_attr(s, "name")->value, "one"), "first of type");
	check(s && s->line == 2 && s->col == 1 && s->parent == root, "position");
	check(hid_first(s, "p") && !hid_first(s, "q"), "sub node");
	s = hid_next(s, "s");
	check(s && hid_equal(hid_attr(s, "name")->value, "two"),
	      "next of type leaves out disabled ones");
	check(s && !hid_next(s, NULL), "no next one");
	check(s && s->quotes && hid_equal(s->quotes->text, "q1") &&
	      hid_equal(s->quotes->next->text, "q2"), "quotes in order");
	check(!hid_attr(s, "z") && !hid_attr(NULL, "z") &&
	      !hid_first(NULL, NULL), "absent ones are NULL");
	check(hid_attr(s, "k")->line == 6 && hid_attr(s, "k")->col == 11,
	      "attribute position");
}

static struct hid_str str(const char *s)
{
	return (struct hid_str){ s, (uint32_t)strlen(s) };
}

static bool number_is(const char *s, uint64_t want)
{
	uint64_t v;

	return !hid_parse_number(str(s), &v) && v == want;
}

static bool no_number(const char *s)
{
	uint64_t v;

	return hid_parse_number(str(s), &v) == -EINVAL;
}

static void test_numbers(void)
{
	check(number_is("0", 0) && number_is("007", 7) &&
	      number_is("18446744073709551615", UINT64_MAX), "decimal");
	check(number_is("8K", 8192) && number_is("3M", 3 << 20) &&
	      number_is("5G", 5ull << 30), "suffixes");
	check(number_is("0x3f8", 0x3f8) && number_is("0xFFFFffffFFFFffff",
						     UINT64_MAX), "hex");
	check(no_number("18446744073709551616") &&
	      no_number("0x10000000000000000"), "too large");
	check(number_is("17179869183G", 17179869183ull << 30) &&
	      no_number("17179869184G") && no_number("99999999999999999999K"),
	      "too large with suffix");
	check(no_number("") && no_number("K") && no_number("0x") &&
	      no_number("1k") && no_number("1KK") && no_number("-1") &&
	      no_number("+1") && no_number(" 1") && no_number("1 M") &&
	      no_number("1.5M") && no_number("0x1K") && no_number("a"),
	      "malformed");
}

static void test_signed_bool(void)
{
	int64_t i;
	bool b;

	check(!hid_parse_signed(str("-3"), &i) && i == -3, "signed");
	check(!hid_parse_signed(str("-9223372036854775807"), &i) &&
	      i == -INT64_MAX && hid_parse_signed(str("9223372036854775808"),
						  &i), "signed limits");
	check(hid_parse_signed(str("-"), &i) && hid_parse_signed(str("--1"), &i)
	      && hid_parse_signed(str("1M"), &i), "signed malformed");
	check(!hid_parse_bool(str("yes"), &b) && b &&
	      !hid_parse_bool(str("true"), &b) && b &&
	      !hid_parse_bool(str("off"), &b) && !b, "bool");
	check(hid_parse_bool(str("Yes"), &b) && hid_parse_bool(str(""), &b) &&
	      hid_parse_bool(str("yess"), &b), "bool malformed");
}

static void test_copies(void)
{
	const struct hid_node *n = parse("a\nn: 4K\nb: yes\ns: abc\nw: z\n-\n");
	char buf[4];

	check(hid_number(n, "n", 1) == 4096 && hid_number(n, "m", 1) == 1 &&
	      hid_number(n, "w", 2) == 2, "number with fallback");
	check(hid_bool(n, "b", false) && hid_bool(n, "m", true) &&
	      !hid_bool(n, "w", false), "bool with fallback");
	check(hid_string(n, "s", buf, 4, NULL) == 3 && !strcmp(buf, "abc"),
	      "string");
	check(hid_string(n, "s", buf, 3, NULL) == -ENAMETOOLONG && !*buf,
	      "string too long");
	check(hid_string(n, "m", buf, 4, NULL) == -ENOENT && !*buf &&
	      hid_string(n, "m", buf, 4, "xy") == 2 && !strcmp(buf, "xy") &&
	      hid_string(n, "m", buf, 4, "wxyz") == -ENAMETOOLONG,
	      "string with fallback");
}

/* Every arena smaller than needed gives -ENOMEM and is not overrun. */
static void test_arena(void)
{
	static const char text[] = "a b\n+ c d | e: f\n: g\n-\n";
	const struct hid_node *root;
	struct hid_error err;
	bool ok = true;
	size_t size;
	void *mem;
	int ret = -ENOMEM;

	for (size = 0; ret == -ENOMEM && size < 4096; size++) {
		mem = malloc(size + 1);
		/* also from an odd address */
		ret = hid_parse(text, sizeof(text) - 1, (char *)mem + 1, size,
				&root, &err);
		ok = ok && (ret == 0 || (ret == -ENOMEM && !root && *err.text));
		free(mem);
	}
	check(ok && !ret && size <= HID_ARENA_SIZE(sizeof(text) - 1),
	      "arena of any size");
}

static void test_limits(void)
{
	const struct hid_node *root;
	struct hid_error err;

	check(hid_parse("", HID_TEXT_MAX + 1ul, NULL, 0, &root, &err) ==
	      -EINVAL && err.line == 1, "text too long is not read");
	check(hid_parse(NULL, 0, NULL, 0, &root, &err) == -EINVAL,
	      "no text");
}

/* --- printer ------------------------------------ */

static void report(struct hid_print *p, char *buf, size_t size)
{
	hid_print_begin(p, buf, size);
	hid_print_node(p, "state", NULL);
	hid_print_number(p, "version", 7);
	hid_print_node(p, "child", "a|b\n");
	hid_print_attr(p, "label", "x\x1b \xc3\xa4\xff");
	hid_print_attr(p, "empty", "");
	hid_print_bool(p, "ok", true);
	hid_print_quote(p, "q | \tr\n");
	hid_print_node(p, "ram", NULL);
	hid_print_close(p);
	hid_print_close(p);
	hid_print_close(p);
}

static const char report_text[] =
	"state | version: 7\n"
	"+ child a?b? | label: x? \xc3\xa4? | empty: | ok: yes\n"
	"  : q | \tr?\n"
	"  + ram\n"
	"-\n";

static void test_print(void)
{
	char buf[sizeof(report_text)];
	struct hid_print p;
	bool ok = true;
	size_t size;
	char *exact;

	report(&p, buf, sizeof(buf));
	check(hid_print_end(&p) == sizeof(report_text) - 1 &&
	      !strcmp(buf, report_text), "report");
	check(parse(buf), "report is HID");
	for (size = 0; size < sizeof(report_text); size++) {
		exact = malloc(size ? size : 1);
		report(&p, exact, size);
		ok = ok && hid_print_end(&p) == -EMSGSIZE;
		free(exact);
	}
	check(ok, "report in every buffer that is too small");
}

static int misused(int how)
{
	struct hid_print p;
	char buf[4096];
	int i;

	hid_print_begin(&p, buf, sizeof(buf));
	if (how == 0)
		return hid_print_end(&p);
	hid_print_node(&p, "a", NULL);
	switch (how) {
	case 1:		/* attribute after a sub node */
		hid_print_node(&p, "b", NULL);
		hid_print_close(&p);
		hid_print_attr(&p, "c", "d");
		break;
	case 2:		/* quote after a sub node */
		hid_print_node(&p, "b", NULL);
		hid_print_close(&p);
		hid_print_quote(&p, "d");
		break;
	case 3:		/* attribute after a quote */
		hid_print_quote(&p, "d");
		hid_print_attr(&p, "c", "d");
		break;
	case 4:		/* left open */
		return hid_print_end(&p);
	case 5:		/* closed twice, as below */
		hid_print_close(&p);
		break;
	case 6:		/* second top node */
		hid_print_close(&p);
		hid_print_node(&p, "b", NULL);
		break;
	case 7:		/* too deep */
		for (i = 1; i <= HID_DEPTH; i++)
			hid_print_node(&p, "b", NULL);
		for (i = 1; i <= HID_DEPTH; i++)
			hid_print_close(&p);
		break;
	}
	hid_print_close(&p);
	return hid_print_end(&p);
}

static void test_misuse(void)
{
	bool ok = true;
	int i;

	for (i = 0; i <= 7; i++)
		ok = ok && misused(i) == -EINVAL;
	check(ok, "misuse is reported");
}

static void test_subtree(void)
{
	const struct hid_node *root = parse(
		"config\n+ start a\n  + config | k: v\n    + sub | x: y\n"
		"      : z\n  + route\n-\n");
	struct hid_print p;
	char buf[256];

	hid_print_begin(&p, buf, sizeof(buf));
	hid_print_tree(&p, hid_first(hid_first(root, "start"), "config"));
	check(hid_print_end(&p) > 0 && !strcmp(buf,
	      "config | k: v\n+ sub | x: y\n  : z\n-\n"), "sub tree as a text");
}

int main(void)
{
	test_bad();
	test_good();
	test_tree();
	test_numbers();
	test_signed_bool();
	test_copies();
	test_arena();
	test_limits();
	test_print();
	test_misuse();
	test_subtree();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
