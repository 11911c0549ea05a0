/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quota: what init keeps, what a session costs, and moving it. The arithmetic is
 * pure; the moves are one kernel operation each and exact.
 */
#ifndef INIT_QUOTA_H
#define INIT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_PAGE		4096

/* What init keeps for itself, and for its books on each child. */
#define QUOTA_INIT_RAM		(1u << 20)
#define QUOTA_INIT_CAPS		64
#define QUOTA_CHILD_RAM		(24u << 10)
#define QUOTA_CHILD_CAPS	16

/* Of that, what init never gives away: its books must go on. */
#define QUOTA_KEEP_RAM		(QUOTA_INIT_RAM / 4)
#define QUOTA_KEEP_CAPS		(QUOTA_INIT_CAPS / 4)

/* What init takes from a child while it has a session: for the record and, until
 * it is answered, the saved reply. */
#define QUOTA_SESSION_RAM	2048
#define QUOTA_SESSION_CAPS	1

struct quota {
	uint64_t ram;		/* bytes */
	uint64_t caps;
};

/* What is left of @all for @nchildren children (0 at least). */
struct quota quota_for_children(struct quota all, unsigned int nchildren);
/* a + b or a - b; false (and *@out as it was) if it does not fit. */
bool quota_add(struct quota a, struct quota b, struct quota *out);
static inline bool quota_sub(struct quota a, struct quota b, struct quota *out)
{
	if (b.ram > a.ram || b.caps > a.caps)
		return false;
	*out = (struct quota){ a.ram - b.ram, a.caps - b.caps };
	return true;
}
/* @all without @keep, 0 at least. */
struct quota quota_rest(struct quota all, struct quota keep);
/* The smaller of each. */
struct quota quota_min(struct quota a, struct quota b);
/* May a session be donated that? RAM in pages, no overflow with init's part. */
bool quota_valid(struct quota donation);

/* --- on domains ------------------------------------ */

/* What @domain does not use, or nothing on an error. */
struct quota quota_unused(int domain);
/* Move exactly @q: 0, or -EDQUOT and nothing moved. */
int quota_move(int from, int to, struct quota q);
/* What init keeps unused for itself when it pays others; 0: the usual. */
void quota_reserve(uint64_t keep_ram, uint64_t keep_caps);
/* What init's domain can give and still keep that. */
struct quota quota_spare(void);
/* Move exactly @q from init's domain to that of PD session @pd, of which our
 * domain is the account: 0, or -EDQUOT and nothing moved. */
int quota_fund(int pd, struct quota q);
/* The same from what init can spare. */
int quota_pay(int pd, struct quota q);
/* Pay as much of *@q as init can spare and take it off *@q. */
void quota_pay_some(int pd, struct quota *q);
/* Move as much of *@q as @from does not use and take it off *@q. */
void quota_move_some(int from, int to, struct quota *q);

#endif
