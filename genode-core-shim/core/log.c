/* SPDX-License-Identifier: BSD-2-Clause */
/* The system log, which is the kernel's: LOG sessions write it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include "core.h"

#define PANIC_SHOWN	8192u
#define MAX_LINES	4	/* of one write: each gets a label of its own */

/* One line, no newline in it, text of any bytes. */
static void emit(const char *label, const char *text, size_t len)
{
	char line[PARENT_LABEL_MAX + LOG_MAX + 16];
	struct pith_text t = { .text = (uintptr_t)line };
	int n = snprintf(line, sizeof(line), "[%s] ", label);

	len = len < LOG_MAX ? len : LOG_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		line[n++] = c < ' ' || c == 0x7f ? '.' : c;
	}
	line[n++] = '\n';
	t.len = n;
	pith_control(core.hardware, PITH_OP_HW_CONSOLE, &t);
}

void core_log(const char *label, const char *text, size_t len)
{
	for (int lines = 0; len && lines < MAX_LINES;) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;

		if (n) {
			emit(label, text, n);
			lines++;
		}
		n += nl != NULL;
		text += n;
		len -= n;
	}
}

void core_say(const char *fmt, ...)
{
	char text[LOG_MAX];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		core_log("core", text, n < LOG_MAX ? n : LOG_MAX - 1);
}

int core_flush(void)
{
	struct pith_text nothing = { .len = 0 };

	return pith_control(core.hardware, PITH_OP_HW_CONSOLE, &nothing);
}

void core_stop(int how)
{
	core_flush();
	reboot(how);
}

void core_show_panic(void)
{
	static char text[PANIC_SHOWN];
	struct pith_text t = { .text = (uintptr_t)text, .len = sizeof(text) };
	int n = pith_control(core.hardware, PITH_OP_HW_PANIC_READ, &t);

	if (n <= 0)
		return;
	core_say("the boot before this one panicked; the end of its log:");
	for (const char *line = text, *end = text + n; line < end;) {
		const char *nl = memchr(line, '\n', end - line);
		size_t len = (nl ? nl : end) - line;

		if (len)
			emit("core: before", line, len);
		line += len + 1;
	}
	core_say("end of the log of the boot before");
}

/* --- LOG ------------------------------------------------------------------ */

static int log_open(struct core_session *s, const char *args)
{
	(void)s;
	(void)args;
	return 0;
}

static int log_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;

	if (in->method != LOG_WRITE)
		return -ENOSYS;
	if (!in->len || in->len > LOG_MAX)
		return -EINVAL;
	core_log(s->label, in->data, in->len);
	return 0;
}

const struct core_service log_service = { "LOG", log_open, log_call, NULL };
