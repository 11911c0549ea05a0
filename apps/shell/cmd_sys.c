// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <session/core.h>
#include <session/init_control.h>
#include <session/platform.h>

#include "shell.h"
#include "text.h"

#define CALL_TIMEOUT	PITH_SEC(10)

static int call_error(struct shell *sh, const char *command,
		      const struct session *s, const char *service, int err)
{
	return sh_service_error(sh, command, NULL, service, s->cap >= 0, err);
}

int cmd_kill(struct shell *sh, int argc, char **argv)
{
	struct rpc r = { .tail = argv[1], .tail_len = strlen(argv[1]) };
	int err;

	(void)argc;
	if (!r.tail_len || r.tail_len > PITH_MSG_BYTES)
		return sh_error(sh, "kill", argv[1], EINVAL);
	err = sh_call(&sh->control, "Init_control", INIT_KILL, &r,
		      CALL_TIMEOUT, false);
	if (err == -ENOENT && sh->control.cap >= 0) {
		sh_puts(sh, "kill: ");
		sh_name(sh, argv[1]);
		sh_puts(sh, ": no such component\n");
		return STATUS_FAILED;
	}
	return err < 0 ? call_error(sh, "kill", &sh->control, "Init_control",
				    err) : STATUS_OK;
}

/* --- log ----------------------------------------------------------------------- */

struct log_text {
	struct trace_log_reply at;
	char text[PITH_MSG_BYTES];
	size_t len;
};

/* One piece of the log from record *@at on, which moves behind it. 1, 0 at the
 * end, or a negative errno. */
static int log_piece(struct shell *sh, uint64_t *at, struct log_text *log)
{
	struct trace_log_read req = { *at };
	struct rpc r = { .req = &req, .req_len = sizeof(req),
			 .rep = &log->at, .rep_len = sizeof(log->at),
			 .rep_tail = log->text,
			 .rep_tail_size = sizeof(log->text) };
	int err;

	if (sh_interrupted(sh))
		return -EINTR;
	err = sh_call(&sh->trace, "TRACE", TRACE_LOG_READ, &r, CALL_TIMEOUT,
		      true);
	if (err < 0)
		return err;
	log->len = r.rep_tail_len;
	if (!log->len)
		return 0;
	if (log->at.next <= *at)
		return -EPROTO;
	*at = log->at.next;
	return 1;
}

static uint64_t count_lines(const char *text, size_t len)
{
	uint64_t n = 0;

	while (len)
		n += text[--len] == '\n';
	return n;
}

/* The part of @log that follows after *@skip more lines. */
static size_t skip_lines(const struct log_text *log, uint64_t *skip)
{
	size_t at = 0;

	while (*skip && at < log->len)
		*skip -= log->text[at++] == '\n';
	return at;
}

/* The log can be larger than the shell: go through it twice rather than keep it.
 * What is logged after the first time belongs to a later `log`. */
static int show_log(struct shell *sh, uint64_t last)
{
	static struct log_text log;
	uint64_t at = 0, end, lines = 0, skip;
	size_t from;
	int more;

	while ((more = log_piece(sh, &at, &log)) > 0)
		lines += count_lines(log.text, log.len);
	end = at;
	skip = lines > last ? lines - last : 0;
	for (at = 0; more >= 0 && at < end;) {
		more = log_piece(sh, &at, &log);
		if (more <= 0)
			break;
		from = skip_lines(&log, &skip);
		term_write(&sh->term, log.text + from, log.len - from);
	}
	return more < 0 ? call_error(sh, "log", &sh->trace, "TRACE", more) :
			  STATUS_OK;
}

int cmd_log(struct shell *sh, int argc, char **argv)
{
	uint64_t last = UINT64_MAX;

	if (argc == 2 || (argc == 3 && (strcmp(argv[1], "-n") ||
					text_number(argv[2], &last) < 0))) {
		sh_puts(sh, "usage: log [-n N]\n");
		return STATUS_USAGE;
	}
	return show_log(sh, last);
}

/* --- time and power -------------------------------------------------------------- */

int cmd_uptime(struct shell *sh, int argc, char **argv)
{
	uint64_t ms = pith_now() / 1000000, s = ms / 1000;

	(void)argc;
	(void)argv;
	sh_printf(sh, "up %llu days %02u:%02u:%02u.%03u\n",
		  (unsigned long long)s / 86400, (unsigned int)(s / 3600 % 24),
		  (unsigned int)(s / 60 % 60), (unsigned int)(s % 60),
		  (unsigned int)(ms % 1000));
	return STATUS_OK;
}

/* A call that does not return if it works. What was shown shall be seen. */
static int power(struct shell *sh, const char *command, uint64_t method)
{
	struct rpc r = { 0 };
	int err;

	term_drain(&sh->term);
	err = sh_call(&sh->system, "System", method, &r, CALL_TIMEOUT, true);
	return call_error(sh, command, &sh->system, "System",
			  err < 0 ? err : -EIO);
}

int cmd_poweroff(struct shell *sh, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return power(sh, "poweroff", SYSTEM_POWEROFF);
}

int cmd_reboot(struct shell *sh, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return power(sh, "reboot", SYSTEM_REBOOT);
}
