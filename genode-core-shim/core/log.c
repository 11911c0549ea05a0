/* SPDX-License-Identifier: BSD-2-Clause */
/* The system log: LOG sessions write it, TRACE sessions read it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core.h"

#define RING_SIZE	65536u
#define READ_MAX	3072u
#define MAX_LINES	4	/* of one write: each gets a label of its own */

static struct {
	char text[RING_SIZE];
	uint64_t end;		/* bytes ever written */
} ring;

static void ring_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring.text[ring.end++ % RING_SIZE] = text[i];
}

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
	ring_write(line, n);
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

/* --- LOG ------------------------------------------------------------------------ */

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

/* --- TRACE ---------------------------------------------------------------------- */

/* The oldest line that is still whole. */
static uint64_t oldest(void)
{
	uint64_t at = ring.end > RING_SIZE ? ring.end - RING_SIZE : 0;

	if (!at)
		return 0;
	while (at < ring.end && ring.text[at % RING_SIZE] != '\n')
		at++;
	return at < ring.end ? at + 1 : at;
}

static int log_read(struct ep_request *in)
{
	const struct trace_log_read *req = ep_req(in, struct trace_log_read);
	struct trace_log_reply rep = { .end = ring.end };
	char text[READ_MAX];
	uint64_t n = 0;
	int err;

	if (!req || req->offset > ring.end)
		return -EINVAL;
	rep.offset = req->offset > oldest() ? req->offset : oldest();
	for (; n < READ_MAX && rep.offset + n < ring.end; n++)
		text[n] = ring.text[(rep.offset + n) % RING_SIZE];
	err = ep_reply_data(&core.ep, in, &rep, sizeof(rep));
	return err ? err : ep_reply_data(&core.ep, in, text, n);
}

static int trace_call(void *ctx, struct ep_request *in)
{
	(void)ctx;
	return in->method == TRACE_LOG_READ ? log_read(in) : -ENOSYS;
}

const struct core_service trace_service = {
	"TRACE", log_open, trace_call, NULL
};
