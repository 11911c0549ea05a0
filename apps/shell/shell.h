/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the shell share. */
#ifndef SHELL_H
#define SHELL_H

#include <stdbool.h>

#include <pith/fs_client.h>
#include "editor.h"
#include "parse.h"
#include "term.h"

/* Statuses of commands, as in sh. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,	/* also: the line cannot be parsed */
	STATUS_UNKNOWN = 127,	/* no such command */
	STATUS_INTERRUPTED = 130,
};

struct shell {
	struct entrypoint ep;
	struct term term;
	struct fs_client fs;
	struct editor editor;
	struct session control, trace, system;	/* opened when needed */
	char cwd[FS_PATH_MAX];
	bool interactive;
	int status;		/* of the last command: $? */
	int failed;		/* of the last list that failed, 0: none did */
	struct command command;	/* being run */
};

struct shell_command {
	const char *name;
	int (*run)(struct shell *sh, int argc, char **argv);
	int min, max;		/* arguments; max -1: any number */
	const char *arguments;
	const char *help;
};

/* --- exec.c --- */

/* Run a line: all of it is parsed before its first command runs. */
void shell_line(struct shell *sh, const char *line, size_t len);
/* Run one command: its status. */
int shell_run(struct shell *sh, int argc, char **argv);
/* All commands, ended by one without a name. */
extern const struct shell_command shell_commands[];

/* --- out.c --- */

void sh_puts(struct shell *sh, const char *text);
/* At most 511 bytes; longer texts go piecewise. */
void sh_printf(struct shell *sh, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A name from a disk or from a peer: nothing that the terminal would act on. */
void sh_name(struct shell *sh, const char *name);
/* "command: what: error text". @what may be NULL. @err is positive or negative.
 * Returns the status for it. */
int sh_error(struct shell *sh, const char *command, const char *what, int err);
/* The same for an operation on @service: without a session (not @connected) the
 * error tells why there is none. @what may be NULL. */
int sh_service_error(struct shell *sh, const char *command, const char *what,
		     const char *service, bool connected, int err);
int sh_fs_error(struct shell *sh, const char *command, const char *path,
		int err);
/* ctrl-C? To be asked between the chunks of whatever can take long. */
bool sh_interrupted(struct shell *sh);
/* path_join() to the working directory, with the error reported. */
int sh_path(struct shell *sh, const char *command, const char *path,
	    char out[FS_PATH_MAX]);

/*
 * Call @method of @service, whose session is opened when needed. If the server
 * died, or dies meanwhile, @again says whether to connect and ask once more.
 * 0 or a negative errno.
 */
int sh_call(struct session *s, const char *service, uint64_t method,
	    struct rpc *r, uint64_t timeout, bool again);

/* --- cmd_*.c --- */

int cmd_cat(struct shell *sh, int argc, char **argv);
int cmd_cd(struct shell *sh, int argc, char **argv);
int cmd_clear(struct shell *sh, int argc, char **argv);
int cmd_df(struct shell *sh, int argc, char **argv);
int cmd_echo(struct shell *sh, int argc, char **argv);
int cmd_help(struct shell *sh, int argc, char **argv);
int cmd_kill(struct shell *sh, int argc, char **argv);
int cmd_log(struct shell *sh, int argc, char **argv);
int cmd_ls(struct shell *sh, int argc, char **argv);
int cmd_poweroff(struct shell *sh, int argc, char **argv);
int cmd_ps(struct shell *sh, int argc, char **argv);
int cmd_pwd(struct shell *sh, int argc, char **argv);
int cmd_reboot(struct shell *sh, int argc, char **argv);
int cmd_repeat(struct shell *sh, int argc, char **argv);
int cmd_sessions(struct shell *sh, int argc, char **argv);
int cmd_sha256(struct shell *sh, int argc, char **argv);
int cmd_stat(struct shell *sh, int argc, char **argv);
int cmd_threads(struct shell *sh, int argc, char **argv);
int cmd_time(struct shell *sh, int argc, char **argv);
int cmd_top(struct shell *sh, int argc, char **argv);
int cmd_trace(struct shell *sh, int argc, char **argv);
int cmd_uptime(struct shell *sh, int argc, char **argv);

#endif
