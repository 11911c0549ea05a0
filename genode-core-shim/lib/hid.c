// SPDX-License-Identifier: BSD-2-Clause
/*
 * HID parser and lookups. The parser walks the text once, line by line and
 * segment by segment, with a stack of the nodes that are still open; it makes
 * no copies of text. Needs nothing but a C library's string functions, so that
 * the host tools use it as well.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <pith/hid.h>

/* An open node: where it stands and where its next parts are to be linked. */
struct level {
	struct hid_node *node;
	int col;		/* from 0; the top node stands at -2 */
	const struct hid_attr **attr_end;
	const struct hid_quote **quote_end;
	const struct hid_node **child_end;
};

struct parser {
	const char *pos;	/* next character */
	const char *eol;	/* end of the current line */
	const char *end;	/* of the text */
	uint32_t line;		/* from 1 */
	int col;		/* of pos, from 0, in characters */
	char *mem;
	size_t mem_left;
	struct level levels[HID_DEPTH];
	int depth;		/* used entries of levels */
	struct hid_error *err;
};

/* --- errors ------------------------------------ */

/* Length of the UTF-8 sequence at @s, 0 if it is broken; its code point. */
static unsigned int utf8_decode(const char *s, const char *end, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*s;
	unsigned int len, i;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || (size_t)(end - s) < len)
		return 0;
	*cp = c & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static void describe(struct parser *p, char *buf, size_t size)
{
	uint32_t cp;

	if (p->pos >= p->end)
		snprintf(buf, size, "end of text");
	else if (p->pos >= p->eol)
		snprintf(buf, size, "end of line");
	else if (!utf8_decode(p->pos, p->eol, &cp))
		snprintf(buf, size, "broken UTF-8 (byte 0x%02x)",
			 (unsigned char)*p->pos);
	else if (cp == '\t')
		snprintf(buf, size, "tab");
	else if (cp == '\r')
		snprintf(buf, size, "carriage return");
	else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		snprintf(buf, size, "control character 0x%02x", (unsigned)cp);
	else if (cp >= 0x80)
		snprintf(buf, size, "U+%04X", (unsigned)cp);
	else
		snprintf(buf, size, "'%c'", (char)cp);
}

/* "expected @what, found" what is at the position. */
static int expected(struct parser *p, const char *what)
{
	char found[48];

	describe(p, found, sizeof(found));
	p->err->line = p->line;
	p->err->col = p->col + 1;
	snprintf(p->err->text, sizeof(p->err->text), "expected %s, found %s",
		 what, found);
	return -EINVAL;
}

static int error_at(struct parser *p, int code, int col, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int error_at(struct parser *p, int code, int col, const char *fmt, ...)
{
	va_list ap;

	p->err->line = p->line;
	p->err->col = col + 1;
	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
	va_end(ap);
	return code;
}

/* --- characters ------------------------------------ */

static void skip(struct parser *p)
{
	do
		p->pos++;
	while (p->pos < p->eol && ((unsigned char)*p->pos & 0xc0) == 0x80);
	p->col++;
}

static bool at_space(const struct parser *p)
{
	return p->pos < p->eol && *p->pos == ' ';
}

static bool at_space_or_end(const struct parser *p)
{
	return p->pos >= p->eol || *p->pos == ' ';
}

static void skip_spaces(struct parser *p)
{
	while (at_space(p))
		skip(p);
}

/* Does the line hold only UTF-8 without control characters but tab? */
static int check_line(struct parser *p)
{
	const char *start = p->pos;
	unsigned int n;
	uint32_t cp;

	for (; p->pos < p->eol; skip(p)) {
		n = utf8_decode(p->pos, p->eol, &cp);
		if (!n || (cp < 0x20 && cp != '\t') ||
		    (cp >= 0x7f && cp < 0xa0))
			return expected(p, "a printable character");
	}
	p->pos = start;
	p->col = 0;
	return 0;
}

/* Set eol for the line that begins at pos. */
static void start_line(struct parser *p)
{
	const char *nl = memchr(p->pos, '\n', p->end - p->pos);

	p->eol = nl ? nl : p->end;
	p->line++;
	p->col = 0;
}

/* --- the arena ------------------------------------ */

static void *take(struct parser *p, size_t size)
{
	void *mem = p->mem;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > p->mem_left) {
		error_at(p, -ENOMEM, p->col,
			 "expected less text, found no memory left for it");
		return NULL;
	}
	p->mem += size;
	p->mem_left -= size;
	return memset(mem, 0, size);
}

static struct level *top(struct parser *p)
{
	return &p->levels[p->depth - 1];
}

static int add_attr(struct parser *p, struct hid_str tag, struct hid_str value,
		    int col)
{
	struct level *l = top(p);
	const struct hid_attr *old;
	unsigned int count = 0;
	struct hid_attr *a;

	for (old = l->node->attrs; old; old = old->next, count++)
		if (old->tag.len == tag.len &&
		    !memcmp(old->tag.s, tag.s, tag.len))
			return error_at(p, -EINVAL, col, "expected a tag once "
					"per node, found '%.*s' again (line %u)",
					tag.len > 40 ? 40 : (int)tag.len, tag.s,
					old->line);
	if (count == HID_ATTRS)
		return error_at(p, -EINVAL, col, "expected at most %d "
				"attributes in a node, found more", HID_ATTRS);
	a = take(p, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct hid_attr){ .tag = tag, .value = value, .line = p->line,
				.col = col + 1 };
	*l->attr_end = a;
	l->attr_end = &a->next;
	return 0;
}

/* Open a node at @col; a disabled one is not linked to its parent. */
static int add_node(struct parser *p, struct hid_str type, int col, bool link)
{
	struct level *parent = p->depth ? top(p) : NULL, *l;
	struct hid_node *n;

	if (p->depth == HID_DEPTH)
		return error_at(p, -EINVAL, col,
				"expected at most %d levels of nodes, found more",
				HID_DEPTH);
	n = take(p, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->type = type;
	n->line = p->line;
	n->col = (col < 0 ? 0 : col) + 1;
	if (parent) {
		n->parent = parent->node;
		if (link) {
			*parent->child_end = n;
			parent->child_end = &n->next;
		}
	}
	l = &p->levels[p->depth++];
	*l = (struct level){ .node = n, .col = col, .attr_end = &n->attrs,
			     .quote_end = &n->quotes, .child_end = &n->first };
	return 0;
}

/* --- segments ------------------------------------ */

/* A node type or a tag: [a-z][a-z0-9_-]* */
static int parse_word(struct parser *p, const char *what, struct hid_str *word)
{
	const char *start = p->pos;

	if (p->pos >= p->eol || *p->pos < 'a' || *p->pos > 'z')
		return expected(p, what);
	while (p->pos < p->eol &&
	       ((*p->pos >= 'a' && *p->pos <= 'z') ||
		(*p->pos >= '0' && *p->pos <= '9') ||
		*p->pos == '_' || *p->pos == '-'))
		skip(p);
	word->s = start;
	word->len = (uint32_t)(p->pos - start);
	return 0;
}

/* Is there a delimiter at pos, which holds a '|'? */
static int check_bar(struct parser *p, const char *line_start)
{
	bool before = p->pos == line_start || p->pos[-1] == ' ';
	bool after = p->pos + 1 >= p->eol || p->pos[1] == ' ';

	if (!before)
		return expected(p, "a space before '|'");
	if (!after) {
		skip(p);
		return expected(p, "a space after '|'");
	}
	return 0;
}

/* A name or value: up to the delimiter or the end of the line, trimmed. */
static int parse_value(struct parser *p, struct hid_str *value)
{
	const char *start, *last;
	int ret;

	skip_spaces(p);
	start = last = p->pos;
	for (; p->pos < p->eol; skip(p)) {
		if (*p->pos == '|') {
			ret = check_bar(p, NULL);
			if (ret)
				return ret;
			break;
		}
		if (*p->pos == '\t')
			return expected(p, "a printable character");
		if (*p->pos != ' ')
			last = p->pos;
	}
	if (start < p->pos)
		do
			last++;
		while (last < p->pos && ((unsigned char)*last & 0xc0) == 0x80);
	value->s = start;
	value->len = (uint32_t)(last - start);
	return 0;
}

/* Type and optional name, pos being at the type. */
static int parse_head(struct parser *p, int col, bool link)
{
	static const struct hid_str name_tag = { "name", 4 };
	struct hid_str type, name;
	int ret, name_col;

	ret = parse_word(p, "a node type", &type);
	if (ret)
		return ret;
	if (!at_space_or_end(p))
		return expected(p, "a space or a character of [a-z0-9_-]");
	ret = add_node(p, type, col, link);
	if (ret)
		return ret;
	skip_spaces(p);
	name_col = p->col;
	ret = parse_value(p, &name);
	if (ret || !name.len)
		return ret;
	return add_attr(p, name_tag, name, name_col);
}

/* "+ type name" or "x type name" */
static int parse_node(struct parser *p)
{
	bool link = *p->pos == '+';
	int col = p->col;

	skip(p);
	if (!at_space(p))
		return expected(p, "a space and a node type");
	skip_spaces(p);
	while (top(p)->col + 1 > col)
		p->depth--;
	if (top(p)->col + 1 == col)
		return error_at(p, -EINVAL, col, "expected column %d or from %d "
				"on, found a node in column %d", col,
				col + 2, col + 1);
	return parse_head(p, col, link);
}

/* Close the nodes that stand right of @col. */
static void close_right_of(struct parser *p, int col)
{
	while (top(p)->col > col)
		p->depth--;
}

static int parse_attr(struct parser *p)
{
	struct hid_str tag, value;
	int col = p->col, ret;

	ret = parse_word(p, "'+', 'x', '.', ':' or a tag", &tag);
	if (ret)
		return ret;
	if (p->pos >= p->eol || *p->pos != ':')
		return expected(p, "':' after the tag");
	skip(p);
	if (!at_space_or_end(p))
		return expected(p, "a space after ':'");
	ret = parse_value(p, &value);
	if (ret)
		return ret;
	close_right_of(p, col);
	return add_attr(p, tag, value, col);
}

/* ": text", to the end of the line */
static int parse_quote(struct parser *p)
{
	struct hid_quote *q;

	close_right_of(p, p->col);
	skip(p);
	if (!at_space_or_end(p))
		return expected(p, "a space after ':'");
	if (p->pos < p->eol)
		skip(p);
	q = take(p, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->text = (struct hid_str){ p->pos, (uint32_t)(p->eol - p->pos) };
	*top(p)->quote_end = q;
	top(p)->quote_end = &q->next;
	p->pos = p->eol;
	return 0;
}

/* ". text", to the end of the line */
static int parse_comment(struct parser *p)
{
	skip(p);
	if (p->pos < p->eol && *p->pos != ' ' && *p->pos != '\t')
		return expected(p, "a space after '.'");
	p->pos = p->eol;
	return 0;
}

static int parse_segment(struct parser *p)
{
	bool one = p->pos + 1 >= p->eol || p->pos[1] == ' ';

	switch (*p->pos) {
	case '+':
		return parse_node(p);
	case '.':
		return parse_comment(p);
	case ':':
		return parse_quote(p);
	case '\t':
		return expected(p, "spaces as indentation");
	case 'x':
		if (one)
			return parse_node(p);
		/* fall through */
	default:
		return parse_attr(p);
	}
}

/* The segments from pos, which is at a segment's start, to the end of the line. */
static int parse_segments(struct parser *p, const char *line_start)
{
	int ret;

	for (;;) {
		skip_spaces(p);
		if (p->pos >= p->eol)
			return 0;
		if (*p->pos == '|') {
			ret = check_bar(p, line_start);
			skip(p);
		} else {
			ret = parse_segment(p);
		}
		if (ret)
			return ret;
	}
}

/* --- lines ------------------------------------ */

/* After "-": nothing but blank lines. */
static int parse_end(struct parser *p)
{
	skip(p);
	for (;;) {
		skip_spaces(p);
		if (p->pos < p->eol)
			return expected(p, "nothing after the closing '-'");
		if (p->pos >= p->end)
			return 0;
		p->pos++;
		start_line(p);
	}
}

/* All lines after the first. */
static int parse_lines(struct parser *p)
{
	int ret;

	for (;;) {
		if (p->eol >= p->end) {
			p->pos = p->end;
			return expected(p, "'-' on a line of its own");
		}
		p->pos = p->eol + 1;
		start_line(p);
		ret = check_line(p);
		if (ret)
			return ret;
		if (p->pos < p->eol && *p->pos == '-')
			return parse_end(p);
		ret = parse_segments(p, p->pos);
		if (ret)
			return ret;
	}
}

int hid_parse(const char *text, size_t len, void *arena, size_t arena_size,
	      const struct hid_node **root, struct hid_error *err)
{
	const char *start = len ? text : "";
	struct parser p = {
		.pos = start, .end = start + len, .err = err,
	};
	size_t gap = -(uintptr_t)arena & (alignof(max_align_t) - 1);
	int ret;

	*root = NULL;
	memset(err, 0, sizeof(*err));
	if (len > HID_TEXT_MAX) {
		p.line = 1;
		return error_at(&p, -EINVAL, 0, "expected at most %u bytes of "
				"text, found %zu", HID_TEXT_MAX, len);
	}
	if (arena_size > gap) {
		p.mem = (char *)arena + gap;
		p.mem_left = arena_size - gap;
	}
	start_line(&p);
	ret = check_line(&p);
	if (!ret)
		ret = parse_head(&p, -2, true);
	if (!ret)
		ret = parse_segments(&p, start);
	if (!ret)
		ret = parse_lines(&p);
	if (!ret)
		*root = p.levels[0].node;
	return ret;
}

/* --- looking up ------------------------------------ */

bool hid_equal(struct hid_str a, const char *b)
{
	return strlen(b) == a.len && !memcmp(a.s, b, a.len);
}

bool hid_is(const struct hid_node *node, const char *type)
{
	return hid_equal(node->type, type);
}

bool hid_same_text(struct hid_str a, struct hid_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

static bool same_head(const struct hid_node *a, const struct hid_node *b)
{
	const struct hid_attr *x = a->attrs, *y = b->attrs;
	const struct hid_quote *p = a->quotes, *q = b->quotes;

	for (; x && y; x = x->next, y = y->next)
		if (!hid_same_text(x->tag, y->tag) || !hid_same_text(x->value, y->value))
			return false;
	for (; p && q; p = p->next, q = q->next)
		if (!hid_same_text(p->text, q->text))
			return false;
	return !x && !y && !p && !q && hid_same_text(a->type, b->type);
}

bool hid_same(const struct hid_node *a, const struct hid_node *b)
{
	if (!a || !b)
		return a == b;
	if (!same_head(a, b))
		return false;
	for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
		if (!hid_same(a, b))	/* at most HID_DEPTH deep */
			return false;
	return a == b;
}

static const struct hid_node *find_type(const struct hid_node *n,
					const char *type)
{
	while (n && type && !hid_is(n, type))
		n = n->next;
	return n;
}

const struct hid_node *hid_first(const struct hid_node *node, const char *type)
{
	return node ? find_type(node->first, type) : NULL;
}

const struct hid_node *hid_next(const struct hid_node *node, const char *type)
{
	return find_type(node->next, type);
}

const struct hid_attr *hid_attr(const struct hid_node *node, const char *tag)
{
	const struct hid_attr *a;

	if (!node)
		return NULL;
	for (a = node->attrs; a; a = a->next)
		if (hid_equal(a->tag, tag))
			return a;
	return NULL;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int parse_digits(struct hid_str s, unsigned int base, uint64_t *value)
{
	uint64_t v = 0;
	uint32_t i;
	int d;

	if (!s.len)
		return -EINVAL;
	for (i = 0; i < s.len; i++) {
		d = digit_value(s.s[i]);
		if (d >= (int)base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return -EINVAL;
	}
	*value = v;
	return 0;
}

int hid_parse_number(struct hid_str s, uint64_t *value)
{
	unsigned int shift = 0;
	uint64_t v;

	if (s.len > 2 && s.s[0] == '0' && s.s[1] == 'x') {
		s.s += 2;
		s.len -= 2;
		return parse_digits(s, 16, value);
	}
	if (!s.len)
		return -EINVAL;
	switch (s.s[s.len - 1]) {
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	}
	if (shift)
		s.len--;
	if (parse_digits(s, 10, &v) || v > UINT64_MAX >> shift)
		return -EINVAL;
	*value = v << shift;
	return 0;
}

int hid_parse_signed(struct hid_str s, int64_t *value)
{
	bool negative = s.len && s.s[0] == '-';
	uint64_t v;

	if (negative) {
		s.s++;
		s.len--;
	}
	if (parse_digits(s, 10, &v) || v > INT64_MAX)
		return -EINVAL;
	*value = negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

int hid_parse_bool(struct hid_str s, bool *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (hid_equal(s, yes[i]) || hid_equal(s, no[i])) {
			*value = hid_equal(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

uint64_t hid_number(const struct hid_node *node, const char *tag,
		    uint64_t fallback)
{
	const struct hid_attr *a = hid_attr(node, tag);
	uint64_t value;

	return a && !hid_parse_number(a->value, &value) ? value : fallback;
}

bool hid_bool(const struct hid_node *node, const char *tag, bool fallback)
{
	const struct hid_attr *a = hid_attr(node, tag);
	bool value;

	return a && !hid_parse_bool(a->value, &value) ? value : fallback;
}

int hid_copy(struct hid_str s, char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	if (s.len >= size)
		return -ENAMETOOLONG;
	memcpy(buf, s.s, s.len);
	buf[s.len] = '\0';
	return (int)s.len;
}

int hid_string(const struct hid_node *node, const char *tag, char *buf,
	       size_t size, const char *fallback)
{
	const struct hid_attr *a = hid_attr(node, tag);

	if (a)
		return hid_copy(a->value, buf, size);
	if (fallback)
		return hid_copy((struct hid_str){ fallback,
				(uint32_t)strlen(fallback) }, buf, size);
	if (size)
		buf[0] = '\0';
	return -ENOENT;
}
