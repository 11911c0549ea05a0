/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of the shell, in its own process: parent, Terminal, File_system,
 * Init_control, TRACE and System, with a clock that stands still unless somebody
 * waits. A world ends (longjmp to end) when the machine is switched off, the
 * shell waits for input that will not come, or it gives up.
 */
#ifndef SHELL_FAKE_H
#define SHELL_FAKE_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

enum fake_end { FAKE_POWEROFF = 1, FAKE_REBOOT, FAKE_IDLE, FAKE_FATAL };

enum fake_lie {
	LIE_READ_MORE = 1,	/* more bytes than were asked for */
	LIE_TAG,		/* a completion of another packet */
	LIE_STATUS,		/* no errno */
	LIE_NOTHING,		/* no completion */
	LIE_RING,		/* an index that cannot be */
	LIE_STAT_SHORT,
	LIE_DIR_CUT,		/* an entry's head does not fit */
	LIE_NAME_CUT,		/* its name does not fit */
	LIE_NAME_EMPTY,
	LIE_NAME_SLASH,
	LIE_NAME_NUL,
	LIE_DIR_COUNT,		/* fewer entries than said */
	LIE_DIR_ENDLESS,	/* none, but more to come */
	LIE_LINK_LONG,
	LIES,
};

struct fake {
	/* what the test sets */
	const char *commands;		/* ROM "commands", NULL: none */
	const char *input;		/* typed when the shell waits for input */
	const char *typed_early;	/* typed at once */
	size_t term_room;		/* taken by one WRITE; 0: all */
	int term_stuck;			/* never takes anything */
	unsigned int interrupt_at;	/* ctrl-C at this FS_RUN */
	unsigned int fs_die_at;		/* the server dies at this call, */
	unsigned int fs_die_again;	/* and then every so many calls */
	unsigned int fs_slow_at;	/* this RUN is answered after 3 s */
	int fs_absent, fs_hangs;
	unsigned int fs_lies;		/* enum fake_lie */
	int fs_changed;			/* after a restart /big is another file */
	unsigned int term_die_at;	/* the Terminal dies at this WRITE */
	int no_power;			/* System returns an error */
	unsigned int log_lines;
	unsigned int threads;		/* that TRACE tells of */
	int trace_lies;			/* ids that do not grow */

	/* what happened */
	jmp_buf end;
	char out[1 << 20];
	size_t out_len;
	char log[4096];
	char killed[64];
	uint64_t now;
	unsigned int fs_calls, fs_reads, fs_sessions, term_writes;
	unsigned int open_handles, bad_calls, drained;
};

extern struct fake fake;

void fake_reset(void);
/* Byte @i of /big, whose size is FAKE_BIG. */
uint8_t fake_big(size_t i);
#define FAKE_BIG	(5u * 128 * 1024 + 77)

#endif
