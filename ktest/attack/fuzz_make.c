// SPDX-License-Identifier: BSD-2-Clause
/* New programs of the fuzzer, and changed ones. */
#include <string.h>
#include "fuzz.h"

static uint64_t edge(uint64_t *r)
{
	static const uint64_t edges[] = { 0, 1, 2, 63, 64, 65, 4095, 4096, 4097,
		0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7ffffffff000, 1ull << 47, 1ull << 63, ~0ull,
		~0xfffull };

	return edges[attack_random(r) % COUNT(edges)];
}

static uint64_t some_descriptor(uint64_t *r)
{
	uint64_t n = attack_random(r);

	switch (n % 8) {
	case 0:
		return FUZZ_RAW - 2 + (n >> 8 & 63);
	case 1:
		return FUZZ_RECENT + (n >> 8) % FUZZ_KEPT;
	case 2 ... 4:
		return 0;
	}
	return FUZZ_NEWEST + (n >> 8) % 3;
}

static uint64_t some_pointer(uint64_t *r)
{
	uint64_t n = attack_random(r);

	if (n % 16 == 0)
		return edge(r);
	if (n % 16 < 4)
		return FUZZ_REGION + (n >> 8) % (FUZZ_REGION_PAGES * KT_PAGE);
	return (n >> 8) % FUZZ_DATA / 8 * 8;
}

static uint64_t some_device(uint64_t n)
{
	static const uint64_t bases[] = { 0xc0000000, 0xc0001000, 0xc0002000,
		0, 0x100000, 0xfec00000, 0xfee00000, ~0xfffull };

	return bases[n % COUNT(bases)];
}

/* Nothing that switches the machine off. */
static uint64_t some_port(uint64_t n)
{
	static const uint32_t bases[] = { 0x308, 0x310, 0x318, 0x20, 0x40, 0x80,
		0x2f8, 0x10000 };

	return bases[n % COUNT(bases)];
}

/* In a space: code starts at 0x400000, in steps of 256 bytes. */
static uint64_t some_address(uint64_t n)
{
	return 0x400000 + (n % 2 ? n / 2 % 16 * KT_PAGE : n / 2 % 4 * 256);
}

static uint64_t some_number(uint64_t *r, uint32_t kind)
{
	uint64_t n = attack_random(r) >> 8;

	switch (kind) {
	case K_FLAGS:
		return n % 5;
	case K_RIGHTS:
		return n % 3 ? 1u << n / 3 % 10 : n / 3 & 0x3ff;
	case K_BADGE:
		return n % 4;
	case K_TIME:
		return n % 3000 * 10000;
	case K_PAGES:
		return (n % 8 + 1) * KT_PAGE;
	case K_PAGES0:
		return n % 3 ? 0 : n / 3 % 4 * KT_PAGE;
	case K_ADDRESS:
		return some_address(n);
	case K_REGION:
		return n % FUZZ_REGION_PAGES;
	case K_SOON:
		return n % 4 ? n % 100000 : 0;
	case K_NAME:
		return 'f';
	}
	return 0;
}

static uint64_t some_word(uint64_t *r, uint32_t kind)
{
	uint64_t n = attack_random(r);

	if (kind >= K_ANY)
		return some_descriptor(r);
	if (kind == K_DEVICE)
		return some_device(n);
	if (kind == K_PORT)
		return some_port(n);
	if (kind == K_POINTER)
		return some_pointer(r);
	return n % 12 ? some_number(r, kind) : edge(r);
}

/* What says much, or leaves nothing to work with. */
static bool rare(uint32_t op)
{
	return op == PITH_OP_HW_CONSOLE || op == PITH_OP_REVOKE ||
	       op == PITH_OP_DOMAIN_DESTROY || op == PITH_OP_SPACE_KILL;
}

static void random_step(struct fuzz_step *s, uint64_t *r)
{
	const struct fuzz_op *op;

	memset(s, 0, sizeof(*s));
	do {
		uint64_t n = attack_random(r);

		s->op = n & 0x100 ? FUZZ_CALL + (n >> 16) %
				    (FUZZ_END - FUZZ_CALL) :
				    1 + (n >> 16) % (FUZZ_CALL - 1);
	} while (rare(s->op) && attack_random(r) % 8);
	op = fuzz_op(s->op);
	if (op->object)
		s->object = some_descriptor(r);
	if (attack_random(r) % 32 == 0)
		s->arg = some_pointer(r);
	for (unsigned int i = 0; i < fuzz_words(op); i++)
		s->words[i] = some_word(r, op->fields[i].kind);
}

void fuzz_random(struct fuzz_program *p, uint64_t *r)
{
	p->n = FUZZ_STEPS;
	for (unsigned int i = 0; i < p->n; i++)
		random_step(&p->steps[i], r);
}

void fuzz_remove(struct fuzz_program *p, unsigned int step)
{
	p->n--;
	memmove(&p->steps[step], &p->steps[step + 1],
		(p->n - step) * sizeof(p->steps[0]));
}

static void insert(struct fuzz_program *p, unsigned int at,
		   const struct fuzz_step *s)
{
	if (p->n == FUZZ_STEPS)
		return;
	memmove(&p->steps[at + 1], &p->steps[at],
		(p->n - at) * sizeof(p->steps[0]));
	p->steps[at] = *s;
	p->n++;
}

static void mutate_word(struct fuzz_step *s, uint64_t *r)
{
	const struct fuzz_op *op = fuzz_op(s->op);
	unsigned int words = fuzz_words(op);
	uint64_t n = attack_random(r), *w;

	if (!words || n % 4 == 0) {
		s->object = some_descriptor(r);
		return;
	}
	w = &s->words[n / 4 % words];
	switch (n / 64 % 8) {
	case 0:
		*w ^= 1ull << n / 1024 % 64;
		break;
	case 1:
		*w += n & 1024 ? 1 : -1ull;
		break;
	case 2:
		*w += n & 1024 ? KT_PAGE : -KT_PAGE;
		break;
	case 3:
		*w = edge(r);
		break;
	default:
		*w = some_word(r, op->fields[n / 4 % words].kind);
	}
}

static void mutate_once(struct fuzz_program *p, const struct fuzz_program *other,
			uint64_t *r)
{
	uint64_t n = attack_random(r);
	unsigned int at = (n >> 8) % (p->n + 1);
	struct fuzz_step s;

	if (p->n && n % 8 < 4) {
		mutate_word(&p->steps[at % p->n], r);
	} else if (p->n > 1 && n % 8 == 4) {
		fuzz_remove(p, at % p->n);
	} else if (p->n > 1 && n % 8 == 5) {
		s = p->steps[at % p->n];
		p->steps[at % p->n] = p->steps[(n >> 32) % p->n];
		p->steps[(n >> 32) % p->n] = s;
	} else if (n % 8 == 6) {
		random_step(&s, r);
		insert(p, at, &s);
	} else {
		for (unsigned int i = 0; i < other->n; i++)
			insert(p, p->n, &other->steps[i]);
	}
}

void fuzz_mutate(struct fuzz_program *p, const struct fuzz_program *other,
		 uint64_t *r)
{
	uint64_t n = attack_random(r) % 4 + 1;

	while (n--)
		mutate_once(p, other, r);
}
