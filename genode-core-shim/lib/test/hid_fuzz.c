// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../hid.c ../hid_print.c */
/*
 * Any bytes are either refused with a place in them, or a tree whose printed
 * form parses again and prints the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int print(const struct hid_node *root, char *buf, size_t size)
{
	struct hid_print p;

	hid_print_begin(&p, buf, size);
	hid_print_tree(&p, root);
	return hid_print_end(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Each level adds its indentation to what the text had. */
	size_t room = (size + 4) * (2 * HID_DEPTH + 4);
	void *arena = malloc(HID_ARENA_SIZE(size));
	void *arena2 = malloc(HID_ARENA_SIZE(room));
	char *one = malloc(room), *two = malloc(room);
	const struct hid_node *root, *again;
	struct hid_error err;
	int len, ret;

	if (!arena || !arena2 || !one || !two)
		abort();
	ret = hid_parse((const char *)data, size, arena, HID_ARENA_SIZE(size),
			&root, &err);
	if (ret) {
		/* never for want of memory; a place in the text */
		if (ret != -EINVAL || !err.line || !err.col || !err.text[0] ||
		    err.line > size + 1 || err.col > size + 1)
			abort();
	} else {
		len = print(root, one, room);
		if (len <= 0 || hid_parse(one, (size_t)len, arena2,
					  HID_ARENA_SIZE(room), &again, &err))
			abort();
		if (print(again, two, room) != len || memcmp(one, two, (size_t)len))
			abort();
	}
	free(arena);
	free(arena2);
	free(one);
	free(two);
	return 0;
}
