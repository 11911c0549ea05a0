// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"
#include "text.h"

#define CONNECT_TIMEOUT	PITH_SEC(10)

void sh_puts(struct shell *sh, const char *text)
{
	term_write(&sh->term, text, strlen(text));
}

void sh_printf(struct shell *sh, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sh_puts(sh, text);
}

void sh_name(struct shell *sh, const char *name)
{
	char text[PARSE_LINE];

	sh_puts(sh, text_printable(text, sizeof(text), name));
}

int sh_error(struct shell *sh, const char *command, const char *what, int err)
{
	char text[80];

	if (abs(err) == EINTR)
		return STATUS_INTERRUPTED;
	sh_printf(sh, "%s: ", command);
	if (what) {
		sh_name(sh, what);
		sh_puts(sh, ": ");
	}
	sh_puts(sh, text_error(text, sizeof(text), abs(err)));
	sh_puts(sh, "\n");
	return STATUS_FAILED;
}

/* Why there is no session to @service. */
static const char *no_session(int err)
{
	switch (-err) {
	case ENOENT:	return "nothing provides it to the shell";
	case EACCES:	return "access denied";
	case ETIMEDOUT:	return "it does not answer";
	case EPIPE:	return "it keeps dying";
	default:	return NULL;
	}
}

int sh_service_error(struct shell *sh, const char *command, const char *what,
		     const char *service, bool connected, int err)
{
	const char *why = no_session(err);

	if (connected || !why)
		return sh_error(sh, command, what ? what : service, err);
	sh_printf(sh, "%s: ", command);
	if (what) {
		sh_name(sh, what);
		sh_puts(sh, ": ");
	}
	sh_printf(sh, "no %s: %s\n", service, why);
	return STATUS_FAILED;
}

int sh_fs_error(struct shell *sh, const char *command, const char *path,
		int err)
{
	return sh_service_error(sh, command, path, "File_system",
				fs_connected(&sh->fs), err);
}

bool sh_interrupted(struct shell *sh)
{
	return term_interrupted(&sh->term);
}

int sh_path(struct shell *sh, const char *command, const char *path,
	    char out[FS_PATH_MAX])
{
	int err = path_join(out, FS_PATH_MAX, sh->cwd, path);

	if (err < 0)
		sh_error(sh, command, path, err);
	return err;
}

int sh_call(struct session *s, const char *service, uint64_t method,
	    struct rpc *r, uint64_t timeout, bool again)
{
	int err;

	for (;;) {
		err = 0;
		if (s->cap < 0)
			err = env_session(s, service, "", "", NULL,
					  pith_now() + CONNECT_TIMEOUT);
		if (err < 0) {
			s->cap = -1;
			return err;
		}
		err = rpc_call(s->cap, method, r, pith_now() + timeout);
		if (err != -EPIPE && err != -ETIMEDOUT)
			return err;
		env_close(s);
		s->cap = -1;
		if (err != -EPIPE || !again)
			return err;
		again = false;
	}
}
