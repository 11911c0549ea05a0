// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>
#include <pith/env.h>

#include "../../servers/lib/config_rom.h"
#include "check.h"

_Noreturn void fail(const char *what, const char *path, long err)
{
	env_fatal("FAIL: %s %s: %ld (%s)", what, path, err,
		  err < 0 ? strerror(-err) : "");
}

long must(long ret, const char *what, const char *path)
{
	if (ret < 0)
		fail(what, path, ret);
	return ret;
}

void must_be(long ret, long wanted, const char *what, const char *path)
{
	if (ret != wanted)
		fail(what, path, ret);
}

void make_content(uint8_t *content, unsigned int number, size_t size)
{
	uint32_t x = 2654435761u * (number + 1);

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = x >> 24;
	}
}

size_t size_of(unsigned int number, size_t most)
{
	return number % 7 ? (number * 2654435761u) % (most + 1) : most;
}

const struct hid_node *read_test_config(void)
{
	static struct rom rom;

	return config_read(&rom);
}
