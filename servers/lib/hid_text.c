// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "hid_text.h"

static char *lines(const struct hid_quote *first, size_t *len)
{
	const struct hid_quote *q;
	char *text, *at;

	*len = 0;
	for (q = first; q; q = q->next)
		*len += q->text.len + 1;
	at = text = *len <= HID_TEXT_OF_MAX ? malloc(*len + 1) : NULL;
	for (q = first; text && q; q = q->next) {
		memcpy(at, q->text.s, q->text.len);
		at += q->text.len;
		*at++ = '\n';
	}
	return text;
}

static char *tree(const struct hid_node *node, size_t *len)
{
	char *text = malloc(HID_TEXT_OF_MAX), *fit;
	struct hid_print p;
	int printed;

	if (!text)
		return NULL;
	hid_print_begin(&p, text, HID_TEXT_OF_MAX);
	hid_print_tree(&p, node);
	printed = hid_print_end(&p);
	if (printed < 0) {
		free(text);
		return NULL;
	}
	*len = printed;
	fit = realloc(text, *len + 1);
	return fit ? fit : text;
}

char *hid_text_of(const struct hid_node *node, size_t *len)
{
	return node->quotes || !node->first ? lines(node->quotes, len) :
					      tree(node->first, len);
}
