/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every component starts with, and how it asks its parent for more.
 *
 * A component is a C program whose main() is component_main(). It begins with
 * three capabilities at fixed descriptors and no others; all else comes from
 * env_session().
 */
#ifndef PITH_ENV_H
#define PITH_ENV_H

#include <pith/sys.h>

enum pith_slot {
	PITH_SLOT_PARENT = 0,	/* badged endpoint of the parent */
	PITH_SLOT_DOMAIN = 1,	/* own protection domain, right CHARGE */
	PITH_SLOT_LOG = 2,	/* LOG session, or empty */
	PITH_SLOTS
};

/* Entry of a component. The return value is its exit code. */
int component_main(void);

/* What a session costs its client: moved to the server until it is closed. */
struct session_quota {
	uint64_t ram;		/* bytes, a multiple of 4096 */
	uint64_t caps;
};

/* An open session of this component. */
struct session {
	int cap;		/* badged endpoint of the server, -1: not open */
	uint64_t id;		/* parent's name for it, for env_close() */
};

/*
 * Ask the parent for a session to @service.
 * @label: what in the service (a ROM's name, a partition, ...), may be ""
 * @args:  "tag=value, tag=value", may be ""
 * @quota: NULL for the service's usual cost
 * @deadline: absolute; the parent answers when the server does.
 * Errors: ENOENT (no route), EACCES (denied by policy or server), EDQUOT (own
 * or donated quota too small), ETIMEDOUT, EPIPE (server died meanwhile).
 */
int env_session(struct session *s, const char *service, const char *label,
		const char *args, const struct session_quota *quota,
		uint64_t deadline);

/* The same, with capability @cap (-1: none) for the server: a PD's account. */
int env_session_with(struct session *s, const char *service, const char *label,
		     const char *args, const struct session_quota *quota,
		     int cap, uint64_t deadline);

/* Close @s (nothing happens if it is not open) and take its quota back. */
void env_close(struct session *s);

/* Open ROM @name and map it read-only. 0 or a negative errno. @size: of the
 * content in bytes; the mapping is followed by zeros to the end of its page.
 * Content that changes is copied into memory of the component's own. */
struct rom {
	struct session session;
	int mem;
	uint32_t own;		/* 1: @mem was made here */
	const void *data;
	uint64_t size;
};
int rom_open(struct rom *rom, const char *name);
/* Open it and map nothing: for one that may have no content yet. */
int rom_session(struct rom *rom, const char *name);
void rom_close(struct rom *rom);
/* Have @notification signalled when there is newer content. -ENOSYS: this ROM
 * never changes. */
int rom_watch(struct rom *rom, int notification);
/* Map the newest content. On an error there is none: @data is NULL, @size 0. */
int rom_update(struct rom *rom);
/* Only have it in rom->mem, which @domain (-1: the own) pays for if it is @own.
 * -EAGAIN: it grows and grows. Whatever the result, rom_free() lets go of it. */
int rom_content(struct rom *rom, int domain, uint64_t deadline);
void rom_free(struct rom *rom);

/* Write one line to the LOG session (and nowhere, if there is none). A newline
 * is added; at most 230 bytes of text reach the log. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* End the component at once, with a last line in the log. */
_Noreturn void env_fatal(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Find "tag=value" in session args; copies the value (NUL terminated, < size)
 * and returns its length, or -1 if there is none or it does not fit. */
int args_get(const char *args, const char *tag, char *value, size_t size);
/* Number with optional K, M or G suffix; @fallback if absent or malformed. */
uint64_t args_number(const char *args, const char *tag, uint64_t fallback);
/* @args without @tag, to @out: 0, or -1 if that is too small. */
int args_drop(const char *args, const char *tag, char *out, size_t size);

#endif
