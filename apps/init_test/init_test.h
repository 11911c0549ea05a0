/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of an init below this one's: sub.c is its config ROM and the service that
 * its children call in at, main.c the tests, child.c what those children do.
 */
#ifndef INIT_TEST_H
#define INIT_TEST_H

#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>

/* --- Load: the service that children call in at -------------------------- */

enum load_method {
	LOAD_SAY = 1,		/* struct load_say -> nothing */
};
struct load_say {
	uint64_t failed;	/* of what the child does; 0: it went well */
	uint64_t times;
};

/* --- sub.c ---------------------------------------------------------------- */

extern struct entrypoint ep;

/* What the children have done so far. */
extern struct load {
	unsigned int open;	/* sessions */
	unsigned int opened;	/* in all */
	unsigned int said, failed;
} load;

void sub_init(void);
/* Text of the next config: begin, add, and show it to the init. */
void config_begin(void);
void config_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void config_show(void);
/* Dispatch until *@what is @wanted (or above it, with @at_least): false if that
 * takes longer than four minutes. */
bool wait_for(const unsigned int *what, unsigned int wanted, bool at_least);

/* What "sub" has been given and uses, as the init above it says. */
struct account {
	uint64_t ram, ram_used, caps, caps_used;
};
bool account_of(const char *child, struct account *a);
/* The same once it does not change any more, for a second; false: it does. */
bool account_settled(const char *child, struct account *a);
/* Does nothing of it grow with @test? Else it says what does. */
bool account_same(const struct account *before, const struct account *now);

/* --- child.c -------------------------------------------------------------- */

_Noreturn void child(const struct hid_node *config);

#endif
