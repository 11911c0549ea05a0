/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzzer's program is a list of steps, and a step is data: an operation, the
 * object and the words that go into its struct. Words name descriptors and
 * addresses by what they are (see fuzz_run.c), not by number, so that a program
 * means the same in every run, and one that is changed a little still makes
 * sense. As text, which is what ktest/fuzz/corpus has, a step is a line:
 *
 *	NAME OBJECT ARGUMENT WORD...		all but the name in hex
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "attack.h"

/* What a field means, and so which values are worth trying. */
enum fuzz_kind {
	K_NONE, K_ZERO, K_FLAGS, K_RIGHTS, K_BADGE, K_TIME,
	K_PAGES,	/* bytes, mostly some pages */
	K_PAGES0,	/* the same, mostly 0 */
	K_ADDRESS,	/* in an address space */
	K_REGION,	/* a page of the caller's that programs may map */
	K_POINTER,	/* of the caller */
	K_SOON,		/* a deadline, from now */
	K_NAME, K_DEVICE, K_PORT,
	K_ANY, K_MEMORY, K_ENDPOINT, K_NOTIF, K_DOMAIN,	/* descriptors */
};

struct fuzz_field {
	uint8_t offset, size, kind;
};

#define FUZZ_ANY	99u
#define FUZZ_ARG	256	/* bytes, the largest struct and more */
#define FUZZ_WORDS	8
#define FUZZ_STEPS	24

/* Steps that are no control operation. */
enum fuzz_call {
	FUZZ_CALL = PITH_OP_HW_PANIC_READ + 1, FUZZ_RECEIVE, FUZZ_REPLY,
	FUZZ_SIGNAL, FUZZ_MMAP, FUZZ_MUNMAP, FUZZ_MPROTECT, FUZZ_CLOSE,
	FUZZ_END
};

struct fuzz_op {
	uint32_t op;
	uint32_t object;	/* type, FUZZ_ANY, 0: none */
	const char *name;
	struct fuzz_field fields[FUZZ_WORDS];
};

struct fuzz_step {
	uint32_t op;
	uint32_t object;	/* a descriptor's word */
	uint64_t arg;		/* 0: a struct of @words, else a pointer's word */
	uint64_t words[FUZZ_WORDS];
};

struct fuzz_program {
	uint64_t n;
	struct fuzz_step steps[FUZZ_STEPS];
};

/* Shared by core and the component that runs programs. */
#define FUZZ_RUNNERS	2
struct fuzz_board {
	volatile uint64_t go;			/* number of the program */
	volatile uint64_t done[FUZZ_RUNNERS];
	uint64_t steps, succeeded;
	uint64_t by_op[FUZZ_END];		/* that succeeded */
	struct fuzz_program program;
};
#define FUZZ_BOARD	(2 * KT_PAGE)
_Static_assert(sizeof(struct fuzz_board) <= FUZZ_BOARD, "the board");

/* What the component holds; a word 0 of a type means this one. */
enum fuzz_slot {
	W_BOARD = KT_SLOT_ARG, W_ENDPOINT, W_NOTIF, W_DOMAIN, W_SPACE, W_IRQ,
	W_PORT, W_HARDWARE, W_SLOTS
};

/* Words of descriptors: 0, of the type's newest 16, of all newest 16, or raw. */
#define FUZZ_NEWEST	1u
#define FUZZ_RECENT	0x100u
#define FUZZ_RAW	0x1002u		/* + the number, from -2 on */
#define FUZZ_KEPT	16u		/* newest descriptors that are known */
/* Words of pointers: into data, into the region, or as they are. */
#define FUZZ_DATA	0x4000u		/* bytes of data */
#define FUZZ_REGION	0x20000000u
#define FUZZ_REGION_PAGES 64u

/* --- fuzz_ops.c ------------------------------------------------------------- */

const struct fuzz_op *fuzz_op(uint32_t op);	/* 1 .. FUZZ_END - 1 */
/* Number of words that @op has. */
unsigned int fuzz_words(const struct fuzz_op *op);
/* One more step from a line of text. False: it is none, or there is no room. */
bool fuzz_parse(struct fuzz_program *p, const char *line);
void fuzz_print(const struct fuzz_step *s, char *text, size_t size);

/* --- fuzz_make.c ------------------------------------------------------------ */

/* A new program, or one of what @p and @other have. */
void fuzz_random(struct fuzz_program *p, uint64_t *random);
void fuzz_mutate(struct fuzz_program *p, const struct fuzz_program *other,
		 uint64_t *random);
void fuzz_remove(struct fuzz_program *p, unsigned int step);

#endif
