// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../config.c ../../../genode-core-shim/lib/hid.c */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../config.h"

static unsigned int tests, failures;

static void ok(int good, const char *what)
{
	tests++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tests, what);
}

static struct uart_config config;
static char error[160];

static int parse(const char *text)
{
	config = (struct uart_config){ 1, 2, 3 };
	error[0] = 0;
	return uart_config_parse(&config, text, strlen(text), error,
				 sizeof(error));
}

static int refused(const char *text, const char *with)
{
	return parse(text) == -EINVAL && strstr(error, with) &&
	       config.base == 1 && config.irq == 2 && config.baud == 3;
}

int main(void)
{
	static char big[2000];

	ok(!parse("config\n-\n") && config.base == 1 && config.baud == 3,
	   "an empty config keeps the defaults");
	ok(!parse("config | base: 0x2f8 | irq: 3 | baud: 9600\n-\n") &&
	   config.base == 0x2f8 && config.irq == 3 && config.baud == 9600,
	   "all three set");
	ok(refused("config | baud: fast\n-\n", "baud: expected a number"),
	   "not a number");
	ok(refused("config | irq: 3 | base: 0x10000\n-\n", "65528"),
	   "port out of range; what came before it is not applied");
	ok(refused("config | baud: 0\n-\n", "from 1 to 115200"), "baud 0");
	ok(refused("config | bauds: 1\n-\n", "config:1:10: expected base, irq or baud, found bauds"),
	   "unknown attribute: place and name");
	ok(refused("config\n", "config:"), "not HID");
	ok(refused("config\n+ route\n-\n", "config:2:1: expected attributes"),
	   "a sub node");
	memset(big, 'a', sizeof(big) - 1);
	ok(refused(big, "longer than"), "too long");
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
