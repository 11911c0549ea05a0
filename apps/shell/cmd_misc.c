// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "text.h"

int cmd_echo(struct shell *sh, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		sh_puts(sh, i > 1 ? " " : "");
		sh_puts(sh, argv[i]);
	}
	sh_puts(sh, "\n");
	return STATUS_OK;
}

int cmd_clear(struct shell *sh, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sh_puts(sh, "\x1b[H\x1b[2J");
	return STATUS_OK;
}

static void show_command(struct shell *sh, const struct shell_command *c)
{
	char usage[40];

	snprintf(usage, sizeof(usage), "%s %s", c->name, c->arguments);
	sh_printf(sh, "%-24s %s\n", usage, c->help);
}

int cmd_help(struct shell *sh, int argc, char **argv)
{
	const struct shell_command *c;
	int found = 0;

	for (c = shell_commands; c->name; c++) {
		if (argc > 1 && strcmp(argv[1], c->name))
			continue;
		show_command(sh, c);
		found = 1;
	}
	if (!found) {
		sh_name(sh, argv[1]);
		sh_puts(sh, ": unknown command\n");
		return STATUS_FAILED;
	}
	if (argc == 1)
		sh_puts(sh, "Commands are joined with ; && and ||, quoted with '...', \"...\" and \\. ctrl-C stops one.\n");
	return STATUS_OK;
}

int cmd_time(struct shell *sh, int argc, char **argv)
{
	uint64_t start = pith_now(), ms;
	int status = shell_run(sh, argc - 1, argv + 1);

	/* What was shown belongs to it. */
	term_flush(&sh->term);
	ms = (pith_now() - start) / 1000000;
	sh_printf(sh, "%llu.%03u s\n", (unsigned long long)ms / 1000,
		  (unsigned int)(ms % 1000));
	return status;
}

int cmd_repeat(struct shell *sh, int argc, char **argv)
{
	int status = STATUS_OK;
	uint64_t n, i;

	if (text_number(argv[1], &n) < 0) {
		sh_puts(sh, "repeat: ");
		sh_name(sh, argv[1]);
		sh_puts(sh, ": not a number\n");
		return STATUS_USAGE;
	}
	for (i = 0; i < n && status == STATUS_OK; i++) {
		if (sh_interrupted(sh))
			return STATUS_INTERRUPTED;
		status = shell_run(sh, argc - 2, argv + 2);
	}
	return status;
}
