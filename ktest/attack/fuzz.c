// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fuzzer of the four system calls: core makes programs of random steps that know
 * what each operation takes, a component that holds a capability of every type
 * runs them with two threads. First of all come the programs of the corpus. On a
 * kernel that counts (`make fuzz-kernel`) those that ran what none before them
 * did are cut down to what that needs, written to the log, and changed further.
 * Core restarts a component that has died or hangs.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "core.h"
#include "fuzz.h"

#define PER_WORKER	150	/* programs, then a new one */
#define HANG		KT_MS(20000)
#define POOL		2048	/* programs that are kept */
#define CORPUS		"/rom/corpus"
#define CORPUS_BYTES	(1u << 20)

struct fuzz {
	uint64_t random, programs, restarts, found;
	uint64_t run;		/* by this worker; 0: there is none */
	bool spent;		/* what the worker holds is revoked or dead */
	struct fuzz_board *board;
	struct fuzz_program *pool;
	uint64_t npool;
	struct kt_child worker, sleeper;
	int board_mem, pool_mem;
	int args[W_SLOTS - KT_SLOT_ARG];
};

/* --- the component ---------------------------------------------------------- */

static void set_slot(struct fuzz *f, enum fuzz_slot slot, long fd)
{
	f->args[slot - KT_SLOT_ARG] = KT_FD(fd);
}

KT_ROLE(fuzz_sleeper)
{
	kt_sleep(KT_MS(3600000));
}

static void worker_start(struct fuzz *f)
{
	struct fuzz_board *board = f->board;
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
	f->spent = false;
	cover_base();
}

static void worker_stop(struct fuzz *f)
{
	if (!f->run)
		return;
	kt_kill(&f->worker);
	kt_finish(&f->worker);
	kt_kill(&f->sleeper);
	kt_finish(&f->sleeper);
	kt_control(f->args[W_DOMAIN - KT_SLOT_ARG], PITH_OP_DOMAIN_DESTROY,
		   NULL);
	for (unsigned int i = 0; i < COUNT(f->args); i++)
		kt_close(f->args[i]);
	f->run = 0;
}

static bool worker_runs(struct fuzz *f)
{
	uint64_t end = kt_now() + HANG;

	f->board->go = f->run;
	while (f->board->done[0] != f->run) {
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

/* Does @p end what the component was born with? */
static bool spends(const struct fuzz_program *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->steps[i].op == PITH_OP_REVOKE ||
		    p->steps[i].op == PITH_OP_DOMAIN_DESTROY ||
		    p->steps[i].op == PITH_OP_SPACE_KILL)
			return true;
	return false;
}

static void run(struct fuzz *f, const struct fuzz_program *p)
{
	if (f->run >= PER_WORKER || f->spent)
		worker_stop(f);
	if (!f->run++)
		worker_start(f);
	f->board->program = *p;
	f->spent = spends(p);
	f->programs++;
	if (!worker_runs(f)) {
		f->restarts++;
		f->spent = true;
	}
}

/* --- programs that are worth keeping ---------------------------------------- */

/* Leave out what is not needed to run what it was the first to run. */
static void cut(struct fuzz *f, struct fuzz_program *p)
{
	for (unsigned int i = p->n; i-- && p->n > 1;) {
		struct fuzz_program less = *p;

		fuzz_remove(&less, i);
		run(f, &less);
		if (cover_again())
			*p = less;
	}
}

static void keep(struct fuzz *f, const struct fuzz_program *p)
{
	uint64_t at = f->npool < POOL ? f->npool++ :
					attack_random(&f->random) % POOL;

	f->pool[at] = *p;
}

static void tell(struct fuzz *f, const struct fuzz_program *p)
{
	char text[200];

	for (unsigned int i = 0; i < p->n; i++) {
		fuzz_print(&p->steps[i], text, sizeof(text));
		kt_console("# corpus %lu %s", f->found, text);
	}
	f->found++;
	if (f->found % 4 == 0)
		console_flush();
}

static void try_one(struct fuzz *f)
{
	struct fuzz_program p;

	if (f->npool && attack_random(&f->random) % 8) {
		p = f->pool[attack_random(&f->random) % f->npool];
		fuzz_mutate(&p, &f->pool[attack_random(&f->random) % f->npool],
			    &f->random);
	} else {
		fuzz_random(&p, &f->random);
	}
	run(f, &p);
	if (cover_new()) {
		cut(f, &p);
		keep(f, &p);
		tell(f, &p);
	}
}

/* --- corpus ----------------------------------------------------------------- */

static void replay(struct fuzz *f, const char *name,
		   const struct fuzz_program *p)
{
	if (!p->n)
		return;
	run(f, p);
	keep(f, p);
	if (cover_on() && !cover_new())
		kt_console("# corpus idle %s", name);
}

/* A line is "program NAME" or a step. */
static void replay_text(struct fuzz *f, char *line)
{
	struct fuzz_program p = { 0 };
	char *end, *name = "";

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (!strncmp(line, "program ", 8)) {
			replay(f, name, &p);
			name = line + 8;
			p.n = 0;
		} else if (!fuzz_parse(&p, line)) {
			KT_FAIL("corpus %s: %s", name, line);
		}
	}
	replay(f, name, &p);
}

static void replay_corpus(struct fuzz *f)
{
	int fd = open(CORPUS, O_RDONLY), mem;
	uint64_t used = 0;
	char *text;
	long n;

	mem = KT_FD(kt_mem_create(-1, CORPUS_BYTES, 0));
	text = kt_map(mem, 0, CORPUS_BYTES, KT_R | KT_W);
	KT_NEED(!kt_is_error(text) && fd >= 0);
	while ((n = read(fd, text + used, CORPUS_BYTES - 1 - used)) > 0)
		used += n;
	close(fd);
	replay_text(f, text);
	kt_console("# %lu programs of the corpus", f->programs);
	kt_unmap(text, CORPUS_BYTES);
	kt_close(mem);
}

/* --- all of it -------------------------------------------------------------- */

static void *map_new(int *mem, uint64_t size)
{
	void *p;

	*mem = KT_FD(kt_mem_create(-1, size, 0));
	p = kt_map(*mem, 0, size, KT_R | KT_W);
	KT_NEED(!kt_is_error(p));
	return p;
}

#define POOL_BYTES	((POOL * sizeof(struct fuzz_program) + 4095) & ~4095ul)

static void report(struct fuzz *f)
{
	kt_console("# %lu programs, %lu steps, %lu operations succeeded, %lu "
		   "components died", f->programs, f->board->steps,
		   f->board->succeeded, f->restarts);
	if (cover_on())
		kt_console("# %u counters of kernel/pith ran, %lu programs "
			   "found more than the corpus", cover_seen(), f->found);
	for (uint32_t op = 1; op < FUZZ_END; op++)
		if (!f->board->by_op[op])
			kt_console("# never succeeded: %s", fuzz_op(op)->name);
}

KT_CORE(fuzz_control)
{
	uint64_t seed = kt_option("seed", 1);
	uint64_t end = KT_MS(1000) * kt_option("seconds", 10);
	struct fuzz f = { .random = seed * 0x9e3779b97f4a7c15 | 1 };

	kt_console("# seed=%lu", seed);
	f.board = map_new(&f.board_mem, FUZZ_BOARD);
	f.pool = map_new(&f.pool_mem, POOL_BYTES);
	replay_corpus(&f);
	end += kt_now();
	while (kt_now() < end)
		try_one(&f);
	worker_stop(&f);
	report(&f);
	KT_TRUE(f.board->succeeded > 100);
	kt_unmap(f.board, FUZZ_BOARD);
	kt_unmap(f.pool, POOL_BYTES);
	kt_close(f.board_mem);
	kt_close(f.pool_mem);
}
