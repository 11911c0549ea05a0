// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "shell.h"

const struct shell_command shell_commands[] = {
	{ "cat", cmd_cat, 1, -1, "PATH...", "show files" },
	{ "cd", cmd_cd, 0, 1, "[PATH]", "change the working directory (to /)" },
	{ "clear", cmd_clear, 0, 0, "", "clear the screen" },
	{ "df", cmd_df, 0, 0, "", "the file system: type, size, free" },
	{ "echo", cmd_echo, 0, -1, "[WORD...]", "show words" },
	{ "help", cmd_help, 0, 1, "[COMMAND]", "this list, or one command" },
	{ "kill", cmd_kill, 1, 1, "NAME", "end a component; its restart policy decides what follows" },
	{ "log", cmd_log, 0, 2, "[-n N]", "the system log, or its last N lines" },
	{ "ls", cmd_ls, 0, -1, "[-l] [-a] [PATH...]", "list directories; -l: details, -a: also .names" },
	{ "poweroff", cmd_poweroff, 0, 0, "", "switch the machine off" },
	{ "ps", cmd_ps, 0, 0, "", "components with RAM, capabilities and CPU time" },
	{ "pwd", cmd_pwd, 0, 0, "", "the working directory" },
	{ "reboot", cmd_reboot, 0, 0, "", "restart the machine" },
	{ "repeat", cmd_repeat, 2, -1, "N COMMAND...", "run a command N times, until it fails" },
	{ "sessions", cmd_sessions, 1, 1, "NAME", "whom a component can reach" },
	{ "sha256", cmd_sha256, 1, -1, "PATH...", "SHA-256 of files, as sha256sum shows it" },
	{ "stat", cmd_stat, 1, -1, "PATH...", "all about files; not through symbolic links" },
	{ "threads", cmd_threads, 0, 0, "", "threads with what they did so far" },
	{ "time", cmd_time, 1, -1, "COMMAND...", "run a command and say how long it took" },
	{ "top", cmd_top, 0, 1, "[SECONDS]", "threads by their share of a second" },
	{ "trace", cmd_trace, 1, 2, "NAME [SECONDS]", "what the threads of a component do in each second" },
	{ "uptime", cmd_uptime, 0, 0, "", "time since the kernel started" },
	{ 0 },
};

static const struct shell_command *find(const char *name)
{
	const struct shell_command *c;

	for (c = shell_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

int shell_run(struct shell *sh, int argc, char **argv)
{
	const struct shell_command *c = find(argv[0]);

	if (!c) {
		sh_name(sh, argv[0]);
		sh_puts(sh, ": unknown command, try help\n");
		return STATUS_UNKNOWN;
	}
	if (argc - 1 < c->min || (c->max >= 0 && argc - 1 > c->max)) {
		sh_printf(sh, "usage: %s %s\n", c->name, c->arguments);
		return STATUS_USAGE;
	}
	return c->run(sh, argc, argv);
}

static void report_syntax(struct shell *sh, const struct parser *p)
{
	sh_printf(sh, "column %zu: %s\n", p->column, p->error);
	sh->status = STATUS_USAGE;
	sh->failed = STATUS_USAGE;
}

/* Nothing of a line runs if any of it is wrong. */
static bool line_is_good(struct shell *sh, const char *line, size_t len)
{
	struct parser p;
	int more;

	parse_begin(&p, line, len);
	do {
		more = parse_next(&p, 0, &sh->command);
	} while (more > 0);
	if (more < 0)
		report_syntax(sh, &p);
	return more == 0;
}

static bool skipped(const struct shell *sh, const struct command *c)
{
	return (c->link == PARSE_AND && sh->status) ||
	       (c->link == PARSE_OR && !sh->status);
}

static void run_commands(struct shell *sh, const char *line, size_t len)
{
	struct command *c = &sh->command;
	struct parser p;
	int list = 0;		/* status of the list so far */
	int more;

	parse_begin(&p, line, len);
	while ((more = parse_next(&p, sh->status, c)) > 0) {
		if (c->link == PARSE_SEQ && list)
			sh->failed = list;
		if (skipped(sh, c))
			continue;
		sh->status = shell_run(sh, c->argc, c->argv);
		if (sh_interrupted(sh))
			sh->status = STATUS_INTERRUPTED;
		list = sh->status;
		if (list == STATUS_INTERRUPTED)
			break;
	}
	if (list)
		sh->failed = list;
	/* $? can make a command longer than it was in the check. */
	if (more < 0)
		report_syntax(sh, &p);
}

void shell_line(struct shell *sh, const char *line, size_t len)
{
	if (line_is_good(sh, line, len))
		run_commands(sh, line, len);
	if (sh->term.interrupted) {
		term_resume(&sh->term);
		sh_puts(sh, "^C\n");
	}
	term_flush(&sh->term);
}
