// SPDX-License-Identifier: BSD-2-Clause
/* The two ways to run: at a prompt, or through the text of ROM "commands". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "text.h"

static struct shell shell;

static void emit(void *ctx, const char *bytes, size_t len)
{
	struct shell *sh = ctx;

	term_write(&sh->term, bytes, len);
}

static int is_interrupted(void *ctx)
{
	struct shell *sh = ctx;

	return sh_interrupted(sh);
}

static void start(struct shell *sh, bool interactive)
{
	sh->interactive = interactive;
	sh->control.cap = -1;
	sh->trace.cap = -1;
	sh->system.cap = -1;
	strcpy(sh->cwd, "/");
	fs_init(&sh->fs, is_interrupted, sh);
	term_init(&sh->term, &sh->ep, interactive);
}

/* "pith:/dir$ ", with the end of a long path and the status of a failure. */
static void prompt(const struct shell *sh, char out[EDITOR_PROMPT])
{
	char cwd[FS_PATH_MAX], status[16] = "";
	const char *tail = text_printable(cwd, sizeof(cwd), sh->cwd);

	while (strlen(tail) > 40)
		tail++;
	/* not into the middle of a character */
	while ((*tail & 0xc0) == 0x80)
		tail++;
	if (sh->status)
		snprintf(status, sizeof(status), " [%d]", sh->status);
	snprintf(out, EDITOR_PROMPT, "pith:%s%s%s$ ", tail == cwd ? "" : "...",
		 tail, status);
}

static void read_line(struct shell *sh)
{
	char text[EDITOR_PROMPT];
	enum editor_event event;

	prompt(sh, text);
	editor_begin(&sh->editor, text);
	do {
		event = editor_input(&sh->editor, term_getc(&sh->term));
	} while (event == EDITOR_NONE);
	if (event == EDITOR_ENTER)
		shell_line(sh, sh->editor.line, sh->editor.len);
	else if (event == EDITOR_EOF)
		sh_puts(sh, "There is nothing to go back to; poweroff switches the machine off.\n");
	else
		sh->status = STATUS_INTERRUPTED;
	term_resume(&sh->term);
}

static _Noreturn void run_prompt(struct shell *sh)
{
	editor_init(&sh->editor, emit, sh);
	sh_printf(sh, "\nPith: type help. The shell was started %llu ms after the kernel.\n",
		  (unsigned long long)pith_now() / 1000000);
	for (;;)
		read_line(sh);
}

/* Each line of @text in turn. ctrl-C ends a line, not the text. */
static void run_lines(struct shell *sh, const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		shell_line(sh, text, n);
		text += end ? n + 1 : n;
		len -= end ? n + 1 : n;
	}
}

/* Returns only if the machine cannot be switched off. */
static int run_commands(struct shell *sh, const struct rom *commands)
{
	char *off[] = { "poweroff", NULL };
	int err;

	run_lines(sh, commands->data, commands->size);
	err = term_drain(&sh->term);
	if (err < 0)
		log_error("commands: output may be incomplete: %s",
			  strerror(-err));
	log_line("commands: exit status %d", sh->failed);
	cmd_poweroff(sh, 1, off);
	term_flush(&sh->term);
	log_error("the machine cannot be switched off");
	return sh->failed;
}

int component_main(void)
{
	struct shell *sh = &shell;
	struct rom commands;
	int err = ep_init(&sh->ep);

	if (err < 0)
		env_fatal("no entrypoint: %s", strerror(-err));
	err = rom_open(&commands, "commands");
	if (err < 0 && err != -ENOENT)
		log_error("ROM commands: %s; going on with a prompt",
			  strerror(-err));
	start(sh, err < 0);
	if (err < 0)
		run_prompt(sh);
	return run_commands(sh, &commands);
}
