/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/core.h>
#include <session/parent.h>

#define PARENT_TIMEOUT	PITH_SEC(10)	/* a parent that answers at once */
#define LOG_TIMEOUT	PITH_SEC(2)

/* Enough for a server to keep its books on a session. */
static const struct session_quota usual_quota = { .ram = 16384, .caps = 8 };

static int copy_name(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(to, from, len + 1);
	return 0;
}

int env_session(struct session *s, const char *service, const char *label,
		const char *args, const struct session_quota *quota,
		uint64_t deadline)
{
	return env_session_with(s, service, label, args, quota, -1, deadline);
}

int env_session_with(struct session *s, const char *service, const char *label,
		     const char *args, const struct session_quota *quota,
		     int cap, uint64_t deadline)
{
	struct parent_session req = { .ram = 0 };
	struct parent_session_reply rep;
	struct rpc r = {
		.req = &req, .req_len = sizeof(req),
		.caps = &cap, .ncaps = cap >= 0,
		.rep = &rep, .rep_len = sizeof(rep),
		.rep_caps = &s->cap, .nrep_caps = 1,
	};
	int err;

	*s = (struct session) { .cap = -1 };
	if (copy_name(req.service, sizeof(req.service), service) ||
	    copy_name(req.label, sizeof(req.label), label) ||
	    copy_name(req.args, sizeof(req.args), args))
		return -ENAMETOOLONG;
	quota = quota ? quota : &usual_quota;
	req.ram = quota->ram;
	req.caps = quota->caps;
	err = rpc_call(PITH_SLOT_PARENT, PARENT_SESSION, &r, deadline);
	if (err)
		return err;
	s->id = rep.id;
	if (s->cap >= 0)
		return 0;
	err = s->cap == PITH_CAP_LOST ? -EDQUOT : -EPROTO;
	env_close(s);
	return err;
}

void env_close(struct session *s)
{
	struct parent_id req = { .id = s->id };

	pith_close(s->cap);
	if (s->id)
		rpc_simple(PITH_SLOT_PARENT, PARENT_CLOSE, &req, sizeof(req),
			   NULL, 0, pith_now() + PARENT_TIMEOUT);
	*s = (struct session) { .cap = -1 };
}

static int rom_map(struct rom *rom, uint64_t deadline)
{
	int err = rom_content(rom, -1, deadline);

	if (!err)
		rom->data = pith_map(rom->mem, 0, 0, PITH_MAP_READ, &err);
	return err;
}

static void rom_unmap(struct rom *rom)
{
	if (rom->data)
		pith_unmap((void *)rom->data, pith_mem_size(rom->mem));
	if (!rom->own)
		rom_free(rom);
	rom->data = NULL;
	rom->size = 0;
}

int rom_watch(struct rom *rom, int notification)
{
	int signal = pith_mint(notification, PITH_R_SIGNAL), err;

	if (signal < 0)
		return signal;
	err = rpc_give_cap(rom->session.cap, ROM_SIGH, NULL, 0, signal,
			   pith_now() + PARENT_TIMEOUT);
	pith_close(signal);
	return err;
}

int rom_update(struct rom *rom)
{
	int err;

	rom_unmap(rom);
	err = rom_map(rom, pith_now() + PARENT_TIMEOUT);
	if (err) {
		rom_unmap(rom);
		rom_free(rom);
	}
	return err;
}

int rom_session(struct rom *rom, const char *name)
{
	*rom = (struct rom) { .mem = -1, .session.cap = -1 };
	return env_session(&rom->session, "ROM", name, "", NULL,
			   pith_now() + PARENT_TIMEOUT);
}

int rom_open(struct rom *rom, const char *name)
{
	int err = rom_session(rom, name);

	if (!err)
		err = rom_update(rom);
	if (err)
		rom_close(rom);
	return err;
}

void rom_close(struct rom *rom)
{
	rom_unmap(rom);
	rom_free(rom);
	env_close(&rom->session);
	*rom = (struct rom) { .mem = -1, .session.cap = -1 };
}

/* --- log ------------------------------------------------------------------------ */

static void vlog(const char *prefix, const char *fmt, va_list args)
{
	char line[LOG_MAX];
	struct rpc r = { .req = line };
	int n = snprintf(line, sizeof(line) - 1, "%s", prefix), m;

	m = vsnprintf(line + n, sizeof(line) - 1 - n, fmt, args);
	if (m < 0)
		return;
	n = n + m < (int)sizeof(line) - 2 ? n + m : (int)sizeof(line) - 2;
	line[n++] = '\n';
	r.req_len = n;
	rpc_call(PITH_SLOT_LOG, LOG_WRITE, &r, pith_now() + LOG_TIMEOUT);
}

void log_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vlog("", fmt, args);
	va_end(args);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vlog("error: ", fmt, args);
	va_end(args);
}

void env_fatal(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vlog("fatal: ", fmt, args);
	va_end(args);
	_Exit(1);
}
