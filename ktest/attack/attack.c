// SPDX-License-Identifier: BSD-2-Clause
/* What surrounds an attack: the bystander, the attackers, the checks. */
#include <string.h>
#include "attack.h"

#define STOP		(~0ull)
#define CANARY_PAGES	16
#define MAKER_PAGES	64

/* Shared by core and the bystander only. */
struct board {
	volatile uint64_t rounds;
	volatile uint64_t wrong;	/* what the server saw that cannot be */
	volatile uint64_t stop;
};

static struct board *board;

/* --- bystander ---------------------------------------------------------------- */

enum { B_EP = KT_SLOT_ARG, B_CLIENT, B_BOARD };

static void close_received(void)
{
	for (uint32_t i = 0; i < kt_msg->ncaps && i < PITH_MSG_CAPS; i++)
		if (kt_msg->caps[i] >= 0)
			kt_close(kt_msg->caps[i]);
}

static bool possible(void)
{
	return kt_msg->len <= PITH_MSG_BYTES &&
	       kt_msg->ncaps <= PITH_MSG_CAPS &&
	       (kt_msg->badge == A_BADGE_CLIENT ||
		kt_msg->badge == A_BADGE_ATTACKER);
}

static void bystander_serve(void *arg)
{
	long got = kt_wait(B_EP, PITH_NO_DEADLINE);
	uint64_t label;

	(void)arg;
	for (;;) {
		label = kt_msg->label;
		if (got != PITH_GOT_CALL || !possible())
			board->wrong++;
		close_received();
		kt_prepare(label + 1);
		if (label == STOP)
			break;
		got = kt_reply_wait(B_EP, PITH_REPLY | PITH_WAIT,
				    PITH_NO_DEADLINE);
	}
	KT_EQ(kt_reply_wait(B_EP, PITH_REPLY, 0), 0);
}

/* A caller in the same endpoint's queue as the attacker. */
static void round_trip(uint64_t n)
{
	if (kt_call_label(B_CLIENT, n, PITH_NO_DEADLINE) ||
	    kt_msg->label != n + 1 || kt_msg->len || kt_msg->ncaps)
		board->wrong++;
	board->rounds++;
}

static bool intact(const uint64_t *canary)
{
	for (uint64_t i = 0; i < CANARY_PAGES * KT_PAGE / 8; i++)
		if (canary[i] != i)
			return false;
	return true;
}

KT_ROLE(bystander)
{
	int mem = KT_FD(kt_mem_create(-1, CANARY_PAGES * KT_PAGE, 0));
	uint64_t *canary = kt_map(mem, 0, CANARY_PAGES * KT_PAGE, KT_R | KT_W);
	struct kt_thread server = { 0 };

	board = kt_map(B_BOARD, 0, KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(board) && !kt_is_error(canary));
	for (uint64_t i = 0; i < CANARY_PAGES * KT_PAGE / 8; i++)
		canary[i] = i;
	kt_thread_start(&server, bystander_serve, NULL);
	while (!board->stop) {
		for (int i = 0; i < 8; i++)
			round_trip(board->rounds);
		kt_sleep(300000);
	}
	KT_TRUE(intact(canary));
	KT_EQ(kt_call_label(B_CLIENT, STOP, PITH_NO_DEADLINE), 0);
	kt_thread_join(&server);
}

/* --- attackers ---------------------------------------------------------------- */

_Noreturn void attack_ready(void)
{
	kt_report->shared[A_WORD_READY] = 1;
	for (;;)
		kt_sleep(KT_MS(1000));
}

void attack_together(unsigned int n, void (*fn)(void *), void *arg)
{
	struct kt_thread t[16];

	KT_NEED(n <= COUNT(t));
	memset(t, 0, sizeof(t));
	for (unsigned int i = 0; i < n; i++)
		kt_thread_start(&t[i], fn, arg);
	for (unsigned int i = 0; i < n; i++)
		kt_thread_join(&t[i]);
}

void attack_use_irq(void *arg)
{
	const volatile uint64_t *over = arg;
	int n = KT_FD(kt_notif_create());
	struct pith_fd_arg a = { n, 0 };

	while (!*over) {
		kt_control(A_IRQ, PITH_OP_IRQ_BIND, &a);
		kt_control(A_IRQ, PITH_OP_IRQ_ACK, NULL);
	}
	kt_close(n);
}

void attack_victim_answers(void)
{
	KT_EQ(kt_call_label(A_VICTIM, 41, KT_SOON), 0);
	KT_EQ(kt_msg->label, 42);
}

enum { MAKE_SPACE = MAKER_PAGES + 1, MAKE_IO };

static int made(uint64_t what)
{
	KT_EQ(kt_call_label(A_MAKER, what, KT_SOON), 0);
	KT_NEED(kt_msg->ncaps == 1 && kt_msg->caps[0] >= 0);
	return kt_msg->caps[0];
}

int attack_memory(uint64_t pages)
{
	return made(pages);
}

int attack_own_space(void)
{
	return made(MAKE_SPACE);
}

int attack_io_memory(void)
{
	return made(MAKE_IO);
}

/* --- core ---------------------------------------------------------------------- */

struct scene {
	struct kt_child bystander, by, with;
	struct kt_thread maker;
	volatile bool started;		/* @by is valid */
	int board_mem, maker_ep;
	int args[A_SLOTS - KT_SLOT_ARG];
};

static void *map_new(int mem, uint64_t size)
{
	void *p = kt_map(mem, 0, size, KT_R | KT_W);

	KT_NEED(!kt_is_error(p));
	return p;
}

static void bystander_start(struct scene *s)
{
	int ep = KT_FD(kt_ep_create()), args[3];

	s->board_mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	board = map_new(s->board_mem, KT_PAGE);
	args[0] = ep;
	args[1] = KT_FD(kt_mint_badge(ep, A_BADGE_CLIENT));
	args[2] = s->board_mem;
	s->bystander = kt_start("bystander", args, 3);
	s->args[A_VICTIM - KT_SLOT_ARG] =
		KT_FD(kt_mint_badge(ep, A_BADGE_ATTACKER));
	kt_close(args[1]);
	kt_close(ep);
}

/* @more round trips, soon. */
static bool goes_on(uint64_t more)
{
	uint64_t enough = board->rounds + more, end = KT_SOON;

	while (board->rounds < enough && kt_now() < end)
		kt_sleep(KT_MS(1));
	return board->rounds >= enough;
}

static void bystander_stop(struct scene *s)
{
	KT_TRUE(goes_on(24));
	KT_EQ(board->wrong, 0);
	board->stop = 1;
	KT_EQ(kt_finish(&s->bystander), 0);
	kt_unmap(board, KT_PAGE);
	kt_close(s->board_mem);
}

static long make(struct scene *s, uint64_t what)
{
	struct pith_io_mem io = { .base = 0xc0000000, .size = KT_PAGE };

	if (what == MAKE_IO)
		return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &io);
	if (what <= MAKER_PAGES)
		return kt_mem_create(-1, what * KT_PAGE, 0);
	while (what == MAKE_SPACE && !s->started)
		kt_sleep(KT_MS(1));
	return what == MAKE_SPACE ? kt_mint(s->by.space, PITH_R_MANAGE) : -1;
}

/* Until core itself calls. */
static void maker_serve(void *arg)
{
	struct scene *s = arg;
	uint64_t what;
	long fd;

	while (kt_wait(s->maker_ep, PITH_NO_DEADLINE) == PITH_GOT_CALL &&
	       kt_msg->badge == A_BADGE_ATTACKER) {
		what = kt_msg->label;
		close_received();
		fd = make(s, what);
		kt_prepare(0);
		kt_msg->ncaps = 1;
		kt_msg->caps[0] = fd < 0 ? PITH_CAP_NONE : fd;
		kt_reply_wait(s->maker_ep, PITH_REPLY, 0);
		kt_close(fd);
	}
	kt_reply(s->maker_ep, 0);
}

static void set_slot(struct scene *s, enum attack_slot slot, long fd)
{
	s->args[slot - KT_SLOT_ARG] = KT_FD(fd);
}

static void arm(struct scene *s)
{
	struct pith_io_port port = { 0x300, 8 };
	struct pith_msi msi = { 0 };
	int mem = KT_FD(kt_mem_create(-1, 2 * KT_PAGE, 0));
	int n = KT_FD(kt_notif_create());

	set_slot(s, A_ROM, kt_mint(mem, PITH_R_READ));
	set_slot(s, A_BELL, kt_mint(n, PITH_R_SIGNAL));
	set_slot(s, A_IRQ, kt_control(kt_hardware, PITH_OP_HW_MSI, &msi));
	set_slot(s, A_PORT, kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &port));
	set_slot(s, A_PEER, kt_ep_create());
	set_slot(s, A_SHARED, kt_mem_create(-1, 2 * KT_PAGE, 0));
	kt_close(mem);
	kt_close(n);
	set_slot(s, A_OWN, kt_domain(A_OWN_RAM, A_OWN_CAPS));
	s->maker_ep = KT_FD(kt_ep_create());
	set_slot(s, A_MAKER,
		 kt_mint_badge(s->maker_ep, A_BADGE_ATTACKER));
	kt_thread_start(&s->maker, maker_serve, s);
}

static void disarm(struct scene *s)
{
	KT_EQ(kt_call_label(s->maker_ep, 0, KT_SOON), 0);
	kt_thread_join(&s->maker);
	kt_close(s->maker_ep);
	kt_control(s->args[A_OWN - KT_SLOT_ARG], PITH_OP_DOMAIN_DESTROY, NULL);
	for (unsigned int i = 0; i < COUNT(s->args); i++)
		kt_close(s->args[i]);
}

static void check_end(const char *name, int status, enum attack_end end)
{
	bool fine = end == A_DIES || status == (end == A_KILLED ? 128 + 9 : 0);

	if (!fine)
		KT_FAIL("%s ended with status %d", name, status);
}

/* The bystander's share of the time since @since, when it had @rounds. */
static void check_share(uint64_t since, uint64_t rounds)
{
	uint64_t ms = (kt_now() - since) / 1000000;
	uint64_t done = board->rounds - rounds;

	if (done < ms / 200)
		KT_FAIL("%lu round trips of the bystander in %lu ms", done, ms);
}

static void fight(struct scene *s, const char *name, const char *with,
		  enum attack_end end)
{
	if (with)
		s->with = kt_start(with, s->args, COUNT(s->args));
	s->started = false;
	s->by = kt_start(name, s->args, COUNT(s->args));
	s->started = true;
	if (end == A_KILLED) {
		kt_await_word(&kt_report->shared[A_WORD_READY], 1);
		kt_sleep(KT_MS(20));
		kt_kill(&s->by);
	}
	check_end(name, kt_finish(&s->by), end);
	if (with && end == A_KILLED)
		kt_kill(&s->with);
	if (with)
		check_end(with, kt_finish(&s->with), end);
}

void attack_run(const char *name, const char *with, const char *what,
		enum attack_end end)
{
	int runs = end == A_DIES ? 4 : 1;
	uint64_t since, rounds;
	struct scene s;

	memset(&s, 0, sizeof(s));
	kt_console("# %s", what);
	bystander_start(&s);
	arm(&s);
	KT_TRUE(goes_on(8));
	since = kt_now();
	rounds = board->rounds;
	for (int i = 0; i < runs; i++) {
		kt_report->shared[A_WORD_RUN] = i;
		kt_report->shared[A_WORD_SEED] = kt_option("seed", 1);
		fight(&s, name, with, end);
	}
	check_share(since, rounds);
	disarm(&s);
	bystander_stop(&s);
}

void attack_quota_back(const struct pith_domain_info *before)
{
	struct pith_domain_info now = kt_domain_info(KT_SLOT_DOMAIN);

	for (int i = 0; i < 100 && (now.ram_used != before->ram_used ||
				    now.caps_used != before->caps_used); i++) {
		kt_sleep(KT_MS(10));
		now = kt_domain_info(KT_SLOT_DOMAIN);
	}
	KT_EQ(now.ram_used, before->ram_used);
	KT_EQ(now.caps_used, before->caps_used);
}
