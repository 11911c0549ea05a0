// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fuzzer of the four system calls: programs of random steps that know what each
 * operation takes, run by two threads of a component that holds a capability of
 * every type. A program is a list of genes; a gene is a step, and the same gene
 * always the same step, so that what was found is run again by its numbers
 * (`seed=`). Core makes the programs, restarts a component that has died or
 * hangs, and checks that the bystander goes on.
 */
#include <string.h>
#include <sys/syscall.h>
#include "fuzz.h"

#define GENES		24
#define RUNNERS		2
#define PER_WORKER	150	/* programs, then a new one */
#define HANG		KT_MS(20000)

struct board {
	volatile uint64_t go;			/* number of the program */
	volatile uint64_t done[RUNNERS];
	uint64_t steps, succeeded;
	uint64_t genes[GENES];
	uint64_t by_op[PITH_OP_HW_PANIC_READ + 1];	/* that succeeded */
};

enum {
	W_BOARD = KT_SLOT_ARG, W_ENDPOINT, W_NOTIF, W_DOMAIN, W_SPACE, W_IRQ,
	W_PORT, W_HARDWARE, W_SLOTS
};

static struct board *board;

/* --- in the component ------------------------------------------------------------ */

#define REGION		((uint8_t *)0x20000000)
#define REGION_SIZE	(64 * KT_PAGE)
#define RECENT		16
#define PSEUDO		8	/* steps that are no control operation */

static uint8_t data[4 * KT_PAGE] __attribute__((aligned(4096)));
static volatile int recent[RECENT];
static volatile uint32_t nrecent;
static int own_memory, first_free;

static const int slot_of[] = {
	[PITH_T_ENDPOINT] = W_ENDPOINT, [PITH_T_NOTIFICATION] = W_NOTIF,
	[PITH_T_DOMAIN] = W_DOMAIN, [PITH_T_SPACE] = W_SPACE,
	[PITH_T_IRQ] = W_IRQ, [PITH_T_IO_PORT] = W_PORT,
	[PITH_T_HARDWARE] = W_HARDWARE,
};

static int some_fd(uint64_t *r, uint32_t type)
{
	uint64_t n = attack_random(r);

	if (n % 8 == 0)
		return (int)(n >> 8 & 63) - 2;
	if (n % 8 < 4 && type == PITH_T_MEMORY)
		return own_memory;
	if (n % 8 < 4 && type < COUNT(slot_of) && slot_of[type])
		return slot_of[type];
	/* the newest of that type, or any that is new */
	for (unsigned int i = 0; i < RECENT && n % 8 < 7; i++) {
		int fd = recent[(nrecent - 1 - i) % RECENT];

		if (fd > 0 && kt_type(fd) == type)
			return fd;
	}
	return recent[n >> 8 & (RECENT - 1)];
}

static uint64_t edge(uint64_t *r)
{
	static const uint64_t edges[] = { 0, 1, 2, 63, 64, 65, 4095, 4096, 4097,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ull << 47,
		1ull << 63, ~0ull, ~0xfffull };

	return edges[attack_random(r) % COUNT(edges)];
}

static uint64_t some_pointer(uint64_t *r)
{
	uint64_t n = attack_random(r);

	if (n % 16 == 0)
		return edge(r);
	if (n % 16 < 4)
		return (uintptr_t)REGION + (n >> 8) % REGION_SIZE;
	return (uintptr_t)data + (n >> 8) % sizeof(data) / 8 * 8;
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

static uint64_t some_value(uint64_t *r, uint32_t kind)
{
	static const uint32_t types[] = { PITH_T_MEMORY, PITH_T_ENDPOINT,
		PITH_T_NOTIFICATION, PITH_T_DOMAIN };
	uint64_t n = attack_random(r);

	if (kind >= K_MEMORY)
		return some_fd(r, types[kind - K_MEMORY]);
	if (kind != K_DEVICE && kind != K_PORT && n % 12 == 0)
		return edge(r);
	n >>= 8;
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
		return 0x400000 + n % 16 * KT_PAGE;
	case K_POINTER:
		return some_pointer(r);
	case K_NAME:
		return 'f';
	case K_DEVICE:
		return some_device(n);
	case K_PORT:
		return some_port(n);
	}
	return 0;
}

static void remember(long fd)
{
	if (fd > first_free && fd < 4096)
		recent[__atomic_fetch_add(&nrecent, 1, __ATOMIC_RELAXED) %
		       RECENT] = fd;
}

static void fill(const struct fuzz_op *op, uint8_t *arg, uint64_t *r)
{
	for (unsigned int i = 0; i < COUNT(op->fields); i++) {
		const struct fuzz_field *f = &op->fields[i];
		uint64_t value;

		if (!f->size)
			break;
		value = some_value(r, f->kind);
		memcpy(arg + f->offset, &value, f->size < 8 ? f->size : 8);
	}
}

static void step_control(uint64_t gene, uint64_t *r)
{
	const struct fuzz_op *op = fuzz_op(gene);
	uint64_t arg[FUZZ_ARG / 8] = { 0 };
	uint32_t type = op->object;
	int fd = -1;
	long ret;

	/* what says much, or leaves nothing to work with */
	if ((op->op == PITH_OP_HW_CONSOLE || op->op == PITH_OP_REVOKE ||
	     op->op == PITH_OP_DOMAIN_DESTROY) && attack_random(r) % 8)
		return;
	if (type == FUZZ_ANY)
		type = attack_random(r) % PITH_T_THREAD + 1;
	if (type)
		fd = some_fd(r, type);
	fill(op, (uint8_t *)arg, r);
	ret = kt_control(fd, op->op, attack_random(r) % 32 ? arg :
			 (void *)some_pointer(r));
	if (ret >= 0) {
		attack_count(&board->succeeded);
		attack_count(&board->by_op[op->op]);
		remember(ret);
		if (op->op == PITH_OP_SPACE_CREATE)
			remember(((struct pith_space_create *)arg)->thread);
	}
}

static void prepare(uint64_t *r)
{
	kt_msg->label = attack_random(r);
	kt_msg->len = some_value(r, K_FLAGS);
	kt_msg->ncaps = some_value(r, K_FLAGS);
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		kt_msg->caps[i] = some_fd(r, i % PITH_T_THREAD + 1);
}

static uint64_t soon(uint64_t *r)
{
	uint64_t n = attack_random(r);

	return n % 4 ? kt_now() + n % 100000 : 0;
}

static void *in_region(uint64_t *r)
{
	return REGION + attack_random(r) % 48 * KT_PAGE;
}

static void received(long got)
{
	if (got == PITH_GOT_CALL)
		for (uint32_t i = 0; i < kt_msg->ncaps && i < PITH_MSG_CAPS; i++)
			remember(kt_msg->caps[i]);
}

static void step_pseudo(uint64_t which, uint64_t *r)
{
	uint64_t pages = attack_random(r) % 8 + 1;
	int prot = attack_random(r) % 4;

	switch (which) {
	case 0:
		prepare(r);
		kt_call(some_fd(r, PITH_T_ENDPOINT), soon(r));
		break;
	case 1:
		received(kt_reply_wait(some_fd(r, PITH_T_ENDPOINT),
				       attack_random(r) % 8 ?: PITH_WAIT,
				       soon(r)));
		break;
	case 2:
		kt_reply_wait(some_fd(r, PITH_T_REPLY), PITH_REPLY, 0);
		break;
	case 3:
		kt_signal(some_fd(r, PITH_T_NOTIFICATION),
			  some_value(r, K_FLAGS));
		break;
	case 4:
		kt_map_at(in_region(r), some_fd(r, PITH_T_MEMORY),
			  some_value(r, K_PAGES0), pages * KT_PAGE, prot,
			  KT_MAP_FIXED);
		break;
	case 5:
		kt_unmap(in_region(r), pages * KT_PAGE);
		break;
	case 6:
		kt_protect(in_region(r), pages * KT_PAGE, prot);
		break;
	case 7:
		kt_close(recent[attack_random(r) % RECENT]);
	}
}

static void step(uint64_t gene)
{
	uint64_t random = gene | 1;

	attack_random(&random);
	if (gene >> 32 & 1)
		step_control(gene >> 40, &random);
	else
		step_pseudo(gene >> 40 & (PSEUDO - 1), &random);
	attack_count(&board->steps);
}

static void run_genes(unsigned int which)
{
	for (unsigned int i = 0; i < GENES; i++)
		step(board->genes[(i + which * GENES / 3) % GENES]);
}

/* Wait for the number of a program after @last. */
static uint64_t next_program(uint64_t last)
{
	while (board->go == last)
		kt_sleep(50000);
	return board->go;
}

static void second_runner(void *arg)
{
	uint64_t n = 0;

	*(volatile bool *)arg = true;
	for (;;) {
		n = next_program(n);
		run_genes(1);
		kt_buffer_set(kt_buf.mem, 0);
		board->done[1] = n;
	}
}

static void clean(void)
{
	for (int fd = first_free; fd < 400; fd++)
		kt_close(fd);
	kt_unmap(REGION, REGION_SIZE);
	kt_buffer_set(kt_buf.mem, 0);
	memset((void *)recent, 0, sizeof(recent));
	while (kt_wait(W_ENDPOINT, 0) > 0)
		;
}

KT_ROLE(fuzz_worker)
{
	static struct kt_thread second;
	static volatile bool ready;
	uint64_t n = 0;

	board = kt_map(W_BOARD, 0, KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(board));
	own_memory = KT_FD(kt_mem_create(-1, 16 * KT_PAGE, 0));
	kt_thread_start(&second, second_runner, (void *)&ready);
	while (!ready)
		kt_sleep(KT_MS(1));
	first_free = KT_FD(kt_ep_create());
	kt_close(first_free);
	for (;;) {
		n = next_program(n);
		run_genes(0);
		kt_await_word(&board->done[1], n);
		clean();
		board->done[0] = n;
	}
}

/* --- in core ----------------------------------------------------------------------- */

struct fuzz {
	uint64_t random, programs, restarts;
	struct kt_child worker, sleeper;
	int board_mem;
	int args[W_SLOTS - KT_SLOT_ARG];
};

static void set_slot(struct fuzz *f, int slot, long fd)
{
	f->args[slot - KT_SLOT_ARG] = KT_FD(fd);
}

KT_ROLE(fuzz_sleeper)
{
	kt_sleep(KT_MS(3600000));
}

static void worker_start(struct fuzz *f)
{
	struct pith_io_port port = { 0x300, 8 };
	struct pith_msi msi = { 0 };

	board->go = board->done[0] = board->done[1] = 0;
	f->sleeper = kt_start("fuzz_sleeper", NULL, 0);
	set_slot(f, W_BOARD, kt_mint(f->board_mem, PITH_R_READ | PITH_R_WRITE));
	set_slot(f, W_ENDPOINT, kt_ep_create());
	set_slot(f, W_NOTIF, kt_notif_create());
	set_slot(f, W_DOMAIN, kt_domain(2 << 20, 60));
	set_slot(f, W_SPACE, kt_mint(f->sleeper.space, PITH_R_MANAGE));
	set_slot(f, W_IRQ, kt_control(kt_hardware, PITH_OP_HW_MSI, &msi));
	set_slot(f, W_PORT, kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &port));
	set_slot(f, W_HARDWARE, kt_mint(kt_hardware, 0));
	f->worker = kt_start("fuzz_worker", f->args, COUNT(f->args));
}

static void worker_stop(struct fuzz *f)
{
	kt_kill(&f->worker);
	kt_finish(&f->worker);
	kt_kill(&f->sleeper);
	kt_finish(&f->sleeper);
	kt_control(f->args[W_DOMAIN - KT_SLOT_ARG], PITH_OP_DOMAIN_DESTROY,
		   NULL);
	for (unsigned int i = 0; i < COUNT(f->args); i++)
		kt_close(f->args[i]);
}

static bool worker_runs(struct fuzz *f, uint64_t n)
{
	uint64_t end = kt_now() + HANG;

	board->go = n;
	while (board->done[0] != n) {
		if (kt_space_info(f->worker.space).exited)
			return false;
		if (kt_now() > end) {
			KT_FAIL("program %lu does not end", f->programs);
			return false;
		}
		kt_sleep(50000);
	}
	return true;
}

static void fuzz_until(struct fuzz *f, uint64_t end)
{
	while (kt_now() < end) {
		worker_start(f);
		for (int n = 1; n <= PER_WORKER && kt_now() < end; n++) {
			for (int i = 0; i < GENES; i++)
				board->genes[i] = attack_random(&f->random);
			f->programs++;
			if (!worker_runs(f, n)) {
				f->restarts++;
				break;
			}
		}
		worker_stop(f);
	}
}

static void fuzz_report(struct fuzz *f)
{
	kt_console("# %lu programs, %lu steps, %lu operations succeeded, %lu "
		   "components died", f->programs, board->steps,
		   board->succeeded, f->restarts);
	for (uint32_t op = 1; op < COUNT(board->by_op); op++)
		if (!board->by_op[op])
			kt_console("# never succeeded: %s",
				   fuzz_op(op - 1)->name);
}

KT_CORE(fuzz_control)
{
	uint64_t seed = kt_option("seed", 1);
	struct fuzz f = { .random = seed * 0x9e3779b97f4a7c15 | 1 };
	int mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));

	kt_console("# seed=%lu", seed);
	f.board_mem = mem;
	board = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(board));
	fuzz_until(&f, kt_now() + KT_MS(1000) * kt_option("seconds", 10));
	fuzz_report(&f);
	KT_TRUE(board->succeeded > 100);
	kt_unmap(board, KT_PAGE);
	kt_close(mem);
}
