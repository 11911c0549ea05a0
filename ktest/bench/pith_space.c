// SPDX-License-Identifier: BSD-2-Clause
/* Spaces of Pith: mapping from outside, faults as messages, threads. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <pith/rpc.h>
#include "bench.h"

/* --- what runs in the space ------------------------------------------------ */

/* Where things are in it. */
#define CODE	0x400000ul
#define DATA	0x500000ul
#define REGION	0x40000000ul		/* nothing is mapped here at first */

/* Fewer than the mappings that a space may have. */
#define MAX_FAULTS	900

/* Memory that both see; the thread's stack is its end. */
struct probe {
	uint64_t count;
	uint64_t samples[MAX_FAULTS];
	char stack[4096];
};
#define PROBE_SIZE	((sizeof(struct probe) + 4095) & ~4095ul)

/*
 * A page of code of its own. It refers to nothing else, so it runs wherever it
 * is mapped. Descriptor 0 is a notification.
 */
#define ALONE __attribute__((section(".text.alone"), aligned(4096), noinline, \
			     optimize("no-stack-protector")))

static inline __attribute__((always_inline)) void alone_syscall(long nr,
								long a, long b)
{
#if defined(__x86_64__)
	__asm__ volatile ("syscall" : "+a"(nr) : "D"(a), "S"(b)
			  : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile ("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
#endif
}

/* Read one page after the other, each for the first time; tell, and end. */
static ALONE void reader(struct probe *p)
{
	for (uint64_t i = 0; p && i < p->count; i++) {
		uint64_t start = ticks();

		*(volatile char *)(REGION + i * 4096);
		p->samples[i] = ticks() - start;
	}
	alone_syscall(PITH_NR_SIGNAL, 0, 1);
	for (;;)
		alone_syscall(SYS_exit, 0, 0);
}

/* --- a space for it -------------------------------------------------------- */

static int root, ep, notif;		/* @notif is bound to @ep */
static int code = -1, data, page;	/* memory */
static struct probe *probe;

static int space_map(int space, int mem, uint32_t rights, uint64_t address,
		     uint64_t size)
{
	struct pith_map m = {
		.mem = mem, .rights = rights, .address = address, .size = size,
	};

	return pith_control(space, PITH_OP_SPACE_MAP, &m);
}

static int space_unmap(int space, uint64_t address, uint64_t size)
{
	struct pith_range r = { .address = address, .size = size };

	return pith_control(space, PITH_OP_SPACE_UNMAP, &r);
}

/* Its space, its first thread in *@thread; @exit_notif may be -1. */
static int space_new(int exit_notif, int *thread)
{
	int32_t caps[1] = { notif };
	struct pith_space_create c = {
		.exit_notif = exit_notif, .ncaps = 1, .caps = (uintptr_t)caps,
		.name = "alone",
	};
	int space = pith_control(root, PITH_OP_SPACE_CREATE, &c), err;

	if (space < 0)
		return space;
	*thread = c.thread;
	err = space_map(space, code, PITH_R_READ | PITH_R_EXEC, CODE, 4096);
	if (!err)
		err = space_map(space, data, PITH_R_READ | PITH_R_WRITE, DATA,
				PROBE_SIZE);
	if (err) {
		pith_close(*thread);
		pith_close(space);
	}
	return err ? err : space;
}

static int start(int thread, uint64_t arg)
{
	struct pith_regs r = {
		.ip = CODE, .di = arg, .sp = DATA + sizeof(struct probe) - 8,
	};
	int err = pith_control(thread, PITH_OP_THREAD_SET_REGS, &r);

	return err ? err : pith_control(thread, PITH_OP_THREAD_RESUME, NULL);
}

static int setup(void)
{
	char *p;

	ep = pith_ep_create();
	notif = pith_notif_create();
	code = pith_mem_create(-1, 4096, 0);
	data = pith_mem_create(-1, PROBE_SIZE, 0);
	page = pith_mem_create(-1, 4096, 0);
	p = pith_map(code, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, NULL);
	probe = pith_map(data, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, NULL);
	if (!p || !probe || page < 0 || pith_notif_bind(notif, ep, 1))
		return ENOMEM;
	memcpy(p, (void *)reader, 4096);
	pith_unmap(p, 4096);
	return 0;
}

/* --- mapping from outside -------------------------------------------------- */

static void remote_map(unsigned int size, const char *name)
{
	int thread, space = space_new(-1, &thread);
	int mem = pith_mem_create(-1, size, 0), err = space < 0 ? -1 : 0;

	series_start();
	for (unsigned int i = 0; !err && i < WARM_UP + rounds; i++) {
		uint64_t begin = ticks();

		err = space_map(space, mem, PITH_R_READ | PITH_R_WRITE, REGION,
				size) || space_unmap(space, REGION, size);
		series_add(ticks() - begin);
	}
	series_print("map.pith.remote_insns_%s", name);
	pith_close(mem);
	pith_close(thread);
	pith_close(space);
}

/* --- faults ---------------------------------------------------------------- */

/* Answer each fault with a page, until the reader tells that it is done. */
static int answer_faults(int space)
{
	struct pith_msg *m = rpc_header();
	const struct pith_fault *f = rpc_payload();
	uint32_t flags = PITH_WAIT;
	int got;

	while ((got = pith_reply_wait(ep, flags, pith_now() + PITH_SEC(10))) ==
	       PITH_GOT_CALL) {
		m->label = space_map(space, page, PITH_R_READ,
				     f->address & ~4095ull, 4096);
		m->len = 0;
		m->ncaps = 0;
		flags = PITH_REPLY | PITH_WAIT;
	}
	return got;
}

static void faults(int cpu)
{
	struct pith_fd_arg fault_ep = { .fd = pith_mint_badge(ep, 2) };
	/* a new thread is where its maker is: on the first CPU */
	struct pith_sched sched = { .affinity = 1ull << cpu };
	int thread, space = space_new(-1, &thread);

	if (space < 0)
		return;
	probe->count = WARM_UP + rounds;
	if (probe->count > MAX_FAULTS)
		probe->count = MAX_FAULTS;
	series_start();
	if (!pith_control(space, PITH_OP_SPACE_FAULT_EP, &fault_ep) &&
	    (!cpu || !pith_control(thread, PITH_OP_THREAD_SCHED, &sched)) &&
	    !start(thread, DATA) &&
	    answer_faults(space) == PITH_GOT_NOTIFICATION)
		for (uint64_t i = 0; i < probe->count; i++)
			series_add(probe->samples[i]);
	series_print("fault.pith.rt_insns_%s", cpu_name(cpu));
	pith_close(fault_ep.fd);
	pith_close(thread);
	pith_close(space);
}

/* --- threads and spaces ---------------------------------------------------- */

static int wait_note(void)
{
	return pith_reply_wait(ep, PITH_WAIT, PITH_NO_DEADLINE) ==
		PITH_GOT_NOTIFICATION ? 0 : EIO;
}

/* A space with a page of code and one thread, from nothing to its first signal
 * and to nothing again. */
static int space_life(void)
{
	int thread, space = space_new(-1, &thread), err;

	if (space < 0)
		return -space;
	err = -start(thread, 0);
	if (!err)
		err = wait_note();
	pith_close(thread);
	pith_close(space);
	return err;
}

/* One more thread in a space, until it runs. */
static void remote_thread(void)
{
	int first, space = space_new(-1, &first), err = space < 0 ? -1 : 0;

	series_start();
	for (unsigned int i = 0; !err && i < WARM_UP + rounds; i++) {
		uint64_t begin = ticks();
		int thread = pith_control(space, PITH_OP_SPACE_THREAD, NULL);

		err = thread < 0 || start(thread, 0) || wait_note();
		pith_close(thread);
		series_add(ticks() - begin);
	}
	series_print("thread.pith.remote_create_insns");
	pith_close(first);
	pith_close(space);
}

void pith_spaces(int domain)
{
	int err;

	root = domain;
	err = setup();
	if (!err)
		err = space_life();
	if (err) {
		missing("spaces", err);
		return;
	}
	remote_map(SMALL, "4K");
	remote_map(LARGE, "2M");
	for (int cpu = 0; cpu < cpus; cpu++)
		faults(cpu);
	remote_thread();
	measure("space.pith.create_insns", space_life);
}
