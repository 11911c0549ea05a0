// SPDX-License-Identifier: BSD-2-Clause
/* Spaces and threads that come and go, faults, and memory taken back. */
#include <string.h>
#include <sys/syscall.h>
#include <pith/rpc.h>
#include "latency.h"

/* Where things are in a space. */
#define CODE	0x400000ul
#define DATA	0x500000ul
#define REGION	0x40000000ul

#define PAGES	512u
#define SIZE	(PAGES * 4096u)

/*
 * A page of code of its own, which runs wherever it is mapped: write to all
 * pages of the region, signal descriptor 0, again @rounds times, and end.
 */
static __attribute__((section(".text.alone"), aligned(4096), noinline,
		      optimize("no-stack-protector")))
void toucher(uint64_t rounds)
{
	while (rounds--) {
		long nr = PITH_NR_SIGNAL;

		for (uint64_t i = 0; i < PAGES; i++)
			*(volatile char *)(REGION + i * 4096) = 1;
		__asm__ volatile ("syscall" : "+a"(nr) : "D"(0), "S"(1)
				  : "rcx", "r11", "memory");
	}
	for (;;) {
		long nr = SYS_exit;

		__asm__ volatile ("syscall" : "+a"(nr) : "D"(0)
				  : "rcx", "r11", "memory");
	}
}

static int code = -1, ep, notif;

static void setup(void)
{
	char *p;

	if (code >= 0)
		return;
	ep = pith_ep_create();
	notif = pith_notif_create();
	code = pith_mem_create(-1, 4096, 0);
	p = pith_map(code, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, NULL);
	need(p && !pith_notif_bind(notif, ep, 1), "code");
	memcpy(p, (void *)toucher, 4096);
	pith_unmap(p, 4096);
}

static int space_map(int space, int mem, uint32_t rights, uint64_t address,
		     uint64_t size)
{
	struct pith_map m = {
		.mem = mem, .rights = rights, .address = address, .size = size,
	};

	return pith_control(space, PITH_OP_SPACE_MAP, &m);
}

static int thread_start(int thread, uint64_t rounds)
{
	struct pith_regs r = { .ip = CODE, .di = rounds };
	int err = pith_control(thread, PITH_OP_THREAD_SET_REGS, &r);

	return err ? err : pith_control(thread, PITH_OP_THREAD_RESUME, NULL);
}

/* A space of @domain with its first thread. */
static int space_new(int domain, int *thread)
{
	int32_t caps[1] = { notif };
	struct pith_space_create c = {
		.exit_notif = -1, .ncaps = 1, .caps = (uintptr_t)caps,
		.name = "toucher",
	};
	int space = pith_control(domain, PITH_OP_SPACE_CREATE, &c);

	need(space >= 0 && !space_map(space, code, PITH_R_READ | PITH_R_EXEC,
				      CODE, 4096), "space");
	*thread = c.thread;
	return space;
}

/* @n signals more. */
static void await(uint64_t n)
{
	struct pith_msg *m = rpc_header();

	while (n && pith_reply_wait(ep, PITH_WAIT, PITH_NO_DEADLINE) ==
	       PITH_GOT_NOTIFICATION)
		n -= m->count < n ? m->count : n;
}

/* --- come and go ------------------------------------------------------------------ */

static _Noreturn int spaces(void)
{
	int mem, space, thread;

	setup();
	mem = pith_mem_create(-1, SIZE, 0);
	for (;;) {
		space = space_new(FD_DOMAIN, &thread);
		need(!space_map(space, mem, RW, REGION, SIZE) &&
		     !thread_start(thread, 1), "region");
		await(1);
		pith_close(thread);
		pith_close(space);
	}
}

/* A crowd of threads at once. */
static _Noreturn int births(void)
{
	int mem, space, first, thread[40];

	setup();
	mem = pith_mem_create(-1, SIZE, 0);
	space = space_new(FD_DOMAIN, &first);
	need(!space_map(space, mem, RW, REGION, SIZE), "region");
	for (;;) {
		unsigned int n = 0;

		while (n < 40) {
			thread[n] = pith_control(space, PITH_OP_SPACE_THREAD,
						 NULL);
			if (thread[n] < 0 || thread_start(thread[n], 1))
				break;
			n++;
		}
		await(n);
		while (n)
			pith_close(thread[--n]);
	}
}

/* --- faults ------------------------------------------------------------------------ */

/* The first touch of each page is a message; then all are unmapped again. */
static int faults(void)
{
	struct pith_range all = { .address = REGION, .size = SIZE };
	const struct pith_fault *f = rpc_payload();
	struct pith_msg *m = rpc_header();
	struct pith_fd_arg fault_ep;
	uint32_t flags = PITH_WAIT;
	int mem, space, thread, got;

	setup();
	mem = pith_mem_create(-1, SIZE, 0);
	space = space_new(FD_DOMAIN, &thread);
	fault_ep = (struct pith_fd_arg) { .fd = pith_mint_badge(ep, 2) };
	need(!pith_control(space, PITH_OP_SPACE_FAULT_EP, &fault_ep) &&
	     !thread_start(thread, ~0ull), "faults");
	while ((got = pith_reply_wait(ep, flags, PITH_NO_DEADLINE)) > 0) {
		flags = PITH_WAIT;
		if (got == PITH_GOT_NOTIFICATION) {
			pith_control(space, PITH_OP_SPACE_UNMAP, &all);
			continue;
		}
		m->label = space_map(space, mem, RW, f->address & ~4095ull,
				     4096);
		m->len = 0;
		m->ncaps = 0;
		flags |= PITH_REPLY;
	}
	return 1;
}

const struct role life_roles[] = {
	{ "spaces", spaces }, { "births", births }, { "faults", faults }, { 0 }
};

/* --- revocation --------------------------------------------------------------------- */

#define HOLDERS	16

/* Memory that all of many spaces have touched all of goes from all of them. */
void core_revoke(void)
{
	static int space[HOLDERS], thread[HOLDERS];
	struct pith_revoke all = { 0 };
	int mem;

	setup();
	mem = pith_mem_create(-1, SIZE, 0);
	for (unsigned int i = 0; i < HOLDERS; i++) {
		space[i] = space_new(root, &thread[i]);
		need(!space_map(space[i], mem, RW, REGION, SIZE) &&
		     !thread_start(thread[i], 1), "holder");
	}
	await(HOLDERS);
	need(!pith_control(mem, PITH_OP_REVOKE, &all), "revoke");
	for (unsigned int i = 0; i < HOLDERS; i++) {
		pith_close(thread[i]);
		pith_close(space[i]);
	}
	pith_close(mem);
}
