/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spaces that run a few instructions, for the tests of spaces, threads, faults.
 */
#ifndef KT_SPACE_H
#define KT_SPACE_H

#include "arch.h"
#include "code.h"
#include "kt.h"

/* Where each space has the code and its data page. */
#define KS_CODE		0x10000000ull
#define KS_DATA		0x20000000ull
/* Free for the tests. */
#define KS_AT		0x30000000ull

#define KS_RAM		(4u << 20)
#define KS_CAPS		400u

/* Badges at the endpoint of a space. */
#define KS_EXIT		1
#define KS_FAULT	2

/* A piece of code: what follows it is copied, too. */
#define KS_PIECE	256
#define KS_ASM(name, text)						\
	__asm__(".pushsection .rodata\n\t.balign 16\n"			\
		"ks_" #name ":\n" text "\n\t.popsection");		\
	extern const uint8_t ks_##name[]

struct ks {
	int domain, space, thread, ep, notif;
	int code, data;			/* memory */
	volatile uint64_t *word;	/* its data page, mapped here too */
	uint64_t vdso;
};

/* A space in a domain of its own, whose faults go to its endpoint. @caps are
 * what it is born with; NULL, 0: none. */
void ks_open(struct ks *s, const int *caps, unsigned int ncaps);
/* The same in @domain, which stays: from a component, too. */
void ks_open_in(struct ks *s, int domain, const int *caps, unsigned int ncaps);
void ks_end(struct ks *s);
/* Kill it, and check that nothing is left. Its exit must be read before. */
void ks_close(struct ks *s);
/* Copy a piece of code to @offset of the code page. */
void ks_load(struct ks *s, uint64_t offset, const uint8_t *code);
/* Start a thread that never ran. */
long ks_start(int thread, uint64_t ip, uint64_t arg);
/* ks_load() it at 0 and start the first thread with it. */
void ks_run(struct ks *s, const uint8_t *code, uint64_t arg);
long ks_map(struct ks *s, int mem, uint64_t offset, uint64_t at, uint64_t size,
	    uint32_t rights);
long ks_unmap(struct ks *s, uint64_t at, uint64_t size);
long ks_protect(struct ks *s, uint64_t at, uint64_t size, uint32_t rights);
long ks_fault_ep(int fd, uint32_t op, int ep);
struct pith_space_info ks_info(struct ks *s);
struct pith_thread_info ks_thread_info(int thread);
struct pith_regs ks_regs(int thread);
void ks_pause(int thread);
void ks_resume(int thread);
/* Wait until it is another one than @from. */
void ks_await_change(volatile uint64_t *word, uint64_t from);
/* The exit status, once the notification has come. */
int ks_status(struct ks *s);
/* Receive a fault of @type at @address. */
bool ks_wait_fault(struct ks *s, uint32_t type, uint64_t address);
struct pith_fault ks_fault(void);
/* Answer it. */
void ks_answer(struct ks *s, uint64_t label);

#endif
