/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks: what a component in capability mode may try against the kernel and
 * its neighbours. Each has a name and a line that says what it tries:
 *
 *   ATTACK(name, "what") { ... }		from one component
 *   ATTACK_WITH(name, "what") { ... }		with a second one, whose part is
 *	KT_ROLE(name_with) { ... }		this
 *   ATTACK_KILLED(name, "what") { ... }	stands still after attack_ready()
 *						and is killed there
 *
 * Meanwhile a bystander of two threads calls itself and serves the attacker.
 * From outside it is checked that its round trips go on during and after the
 * attack, that it saw only badges and sizes that can be, that the attacker ended
 * as expected, and that all quota is back; from the log, that the kernel is well.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "kt.h"

/* What an attacker holds, besides KT_SLOT_DOMAIN and KT_SLOT_REPORT. */
enum attack_slot {
	A_VICTIM = KT_SLOT_ARG,	/* CALL of the bystander's endpoint */
	A_ROM,			/* memory, two pages, READ */
	A_BELL,			/* core's notification, SIGNAL */
	A_IRQ,			/* of a vector that nothing uses, MANAGE */
	A_PORT,			/* 8 ports where no device is */
	A_PEER,			/* endpoint, RECV|CALL; the accomplice's too */
	A_SHARED,		/* memory, two pages, READ|WRITE; likewise */
	A_MAKER,		/* CALL of core: see attack_memory() */
	A_OWN,			/* a domain for spaces, CHARGE|ADMIN */
	A_SLOTS
};

/* Badges of callers of the victim. */
#define A_BADGE_CLIENT		1
#define A_BADGE_ATTACKER	666

/* What the domain A_OWN has. */
#define A_OWN_RAM		(6ull << 20)
#define A_OWN_CAPS		200

/* Words of kt_report->shared. */
enum { A_WORD_READY, A_WORD_RUN, A_WORD_SEED, A_WORD_AT };

enum attack_end { A_ENDS, A_KILLED, A_DIES };

void attack_run(const char *name, const char *with, const char *what,
		enum attack_end end);

/*
 * The attacker's domain uses again what it used in @before: checked, within a
 * second, as a thread that was joined gives its message buffer back a little
 * later, when it has ended.
 */
void attack_quota_back(const struct pith_domain_info *before);

#define ATTACK_AS(fn, what, with, end)					\
	KT_CORE(fn)							\
	{								\
		attack_run(#fn "_by", with, what, end);			\
	}								\
	KT_ROLE(fn##_by)

#define ATTACK(fn, what)	ATTACK_AS(fn, what, NULL, A_ENDS)
#define ATTACK_KILLED(fn, what)	ATTACK_AS(fn, what, NULL, A_KILLED)
/* Ends as it likes, by a signal too; several times, see A_WORD_RUN. */
#define ATTACK_DIES(fn, what)	ATTACK_AS(fn, what, NULL, A_DIES)
#define ATTACK_WITH(fn, what)	ATTACK_AS(fn, what, #fn "_with", A_ENDS)
#define ATTACK_WITH_KILLED(fn, what) \
	ATTACK_AS(fn, what, #fn "_with", A_KILLED)

/* Let core kill this component soon; does not return. */
_Noreturn void attack_ready(void);

/* --- helpers ---------------------------------------------------------------- */

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* Run @fn in @n threads at once with the same argument; they end first. */
void attack_together(unsigned int n, void (*fn)(void *), void *arg);

/* Bind and acknowledge A_IRQ until *@over, a uint64_t, is set. */
void attack_use_irq(void *over);

struct ks;
/* Where user space ends in a space made in A_OWN. */
uint64_t attack_top(struct ks *s);

/* New memory of core's, of so many pages, that can be revoked: what an attacker
 * makes itself cannot. */
int attack_memory(uint64_t pages);
/* What a careless parent may hand out: the attacker's own space, MANAGE; a page
 * of device memory where no device is. */
int attack_own_space(void);
int attack_io_memory(void);

/* A call to the victim that must be answered. */
void attack_victim_answers(void);

/* xorshift64*; @state is not 0. */
static inline uint64_t attack_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline void attack_count(uint64_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}

#endif
