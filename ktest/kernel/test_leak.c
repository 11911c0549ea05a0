// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is done a thousand times must leave nothing behind. The runner compares
 * quota after every test; here the kernel's own memory is compared too.
 */
#include <string.h>
#include "arch.h"
#include "source.h"

#define TIMES	4000
#define RUNS	5
/*
 * Free memory moves by itself: slabs fill, and each CPU keeps free pages in
 * lists of its own that the figure leaves out (megabytes, given back over
 * seconds). So: a run to fill all that, a round of RUNS more, and time to come
 * back. Such stocks are full one day and a leak goes on: only what is short after
 * each of ROUNDS rounds is one. What is found is a leak of 105 bytes each time in
 * what runs TIMES often, of 7 KiB in a process.
 */
#define ROUNDS		4
#define TOLERANCE	(2 << 20)
#define COMES_BACK	KT_MS(20000)

static uint64_t ram_free(void)
{
	struct pith_hw_info info = { 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_INFO, &info), 0);
	return info.ram_free;
}

/* Free memory, when it does not grow any more. */
static uint64_t settled(void)
{
	uint64_t most = ram_free(), now;

	for (int quiet = 0; quiet < 15; quiet++) {
		kt_sleep(KT_MS(20));
		now = ram_free();
		if (now > most) {
			most = now;
			quiet = 0;
		}
	}
	return most;
}

/* The same, once it is @enough, or not that for long. */
static uint64_t comes_back(uint64_t enough)
{
	uint64_t end = kt_now() + COMES_BACK, now;

	do {
		now = ram_free();
		if (now >= enough)
			return now;
		kt_sleep(KT_MS(50));
	} while (kt_now() < end);
	return now;
}

/* The root's figures, once they are as before: what the last process to end
 * used comes back when it has ended. */
static struct pith_domain_info all_returned(const struct pith_domain_info *a)
{
	uint64_t end = kt_now() + COMES_BACK;
	struct pith_domain_info b;

	for (;;) {
		b = kt_domain_info(kt_root);
		if (!memcmp(&b, a, sizeof(b)) || kt_now() >= end)
			return b;
		kt_sleep(KT_MS(20));
	}
}

/* Bytes that a round took, or less than TOLERANCE. */
static int64_t round_takes(void (*turn)(void), int times)
{
	uint64_t before = settled();

	for (int i = 0; i < RUNS * times; i++)
		turn();
	return before - comes_back(before - TOLERANCE);
}

/* What @turn leaves behind of the kernel's memory. */
static void repeat_for_memory(void (*turn)(void), int times)
{
	int64_t took = 0;

	for (int n = 0; n < ROUNDS; n++) {
		took = round_takes(turn, times);
		if (took <= TOLERANCE)
			return;
	}
	KT_FAIL("%d turns took %ld KiB of RAM, each time", RUNS * times,
		(long)(took >> 10));
}

static void repeat(void (*turn)(void), int times)
{
	/* A kernel that checks itself is slow, keeps what was freed for a while
	 * and finds what nobody points to without us. */
	bool checked = kt_option("checked", 0);
	struct pith_domain_info a, b;

	if (checked)
		times = (times + 9) / 10;
	for (int n = 0; n < times; n++)
		turn();
	settled();
	a = kt_domain_info(kt_root);
	for (int n = 0; checked && n < times; n++)
		turn();
	if (!checked)
		repeat_for_memory(turn, times);
	b = all_returned(&a);
	KT_EQ(b.ram_used, a.ram_used);
	KT_EQ(b.caps_used, a.caps_used);
	KT_EQ(b.ram_limit, a.ram_limit);
	KT_EQ(b.caps_limit, a.caps_limit);
}

static void turn_objects(void)
{
	int ep = kt_ep_create(), n = kt_notif_create();
	int client = kt_mint_badge(ep, 1);

	kt_bind(n, ep, 1);
	kt_signal(n, 1);
	kt_watch(client, n);
	kt_close(ep);
	kt_close(client);
	kt_close(n);
}

KT_CORE(leak_objects)
{
	repeat(turn_objects, TIMES);
}

static void turn_memory(void)
{
	int mem = kt_mem_create(-1, 3 * KT_PAGE, 0);
	int contig = kt_mem_create(-1, 3 * KT_PAGE, PITH_MEM_CONTIG);
	int range = kt_mint_range(mem, PITH_R_READ, KT_PAGE, 0);
	uint8_t *p = kt_map(mem, 0, 3 * KT_PAGE, KT_R | KT_W);

	p[0] = p[2 * KT_PAGE] = 1;
	kt_close(mem);
	kt_close(contig);
	kt_close(range);
	kt_unmap(p, 3 * KT_PAGE);
}

KT_CORE(leak_memory)
{
	repeat(turn_memory, TIMES / 4);
}

static void turn_refused(void)
{
	int mem = kt_mem_create(-1, KT_PAGE, 0), ep = kt_ep_create();
	void *nowhere = (void *)8;

	kt_mem_create(-1, 1ull << 35, 0);
	kt_mint_range(mem, PITH_R_READ, KT_PAGE, 0);
	kt_mint(ep, PITH_R_RECV);
	kt_watch(ep, ep);
	kt_map(mem, KT_PAGE, KT_PAGE, KT_R);
	kt_control(kt_hardware, PITH_OP_HW_INFO, nowhere);
	kt_close(mem);
	kt_close(ep);
}

KT_CORE(leak_refused)
{
	repeat(turn_refused, TIMES);
}

static void turn_domain(void)
{
	int d = kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL);

	kt_transfer(kt_root, d, 4 * KT_PAGE, 4);
	kt_close(kt_mem_create(d, 4 * KT_PAGE, 0));
	kt_control(d, PITH_OP_DOMAIN_DESTROY, NULL);
	kt_close(d);
}

KT_CORE(leak_domains)
{
	repeat(turn_domain, TIMES);
}

static void turn_hardware(void)
{
	struct pith_io_mem io = { KT_UNUSED, KT_PAGE, 0, 0 };
	int fd[4] = {
		kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &io),
		source_open(),
		source_irq(),
		quiet_irq(),
	};
	void *p = kt_map(fd[0], 0, KT_PAGE, KT_R);

	KT_TRUE(!kt_is_error(p));
	kt_unmap(p, KT_PAGE);
	for (int i = 0; i < 4; i++)
		KT_EQ(kt_close(fd[i]), 0);
}

KT_CORE(leak_hardware)
{
	repeat(turn_hardware, 100);
}

/* --- messages -------------------------------------------------------------- */

enum { REPLY_CAPS = 1, SAVE, DROP, LATE, STOP };

static int leak_ep;
static volatile uint64_t gave_up;

static void leak_server(void *arg)
{
	int reply;
	uint64_t label;

	(void)arg;
	while (kt_wait(leak_ep, PITH_NO_DEADLINE) == PITH_GOT_CALL) {
		label = kt_msg->label;
		for (uint32_t i = 0; i < kt_msg->ncaps; i++)
			if (kt_msg->caps[i] >= 0 && label != REPLY_CAPS)
				kt_close(kt_msg->caps[i]);
		if (label == DROP)
			continue;
		if (label == LATE)
			kt_await_word(&gave_up, 1);
		if (label == SAVE) {
			reply = kt_control(leak_ep, PITH_OP_EP_SAVE_REPLY,
					   NULL);
			kt_close(reply);
			continue;
		}
		if (label == REPLY_CAPS) {
			int fd = kt_msg->caps[0];

			kt_reply_wait(leak_ep, PITH_REPLY, 0);
			kt_close(fd);
			continue;
		}
		kt_reply(leak_ep, 0);
		if (label == STOP)
			return;
	}
}

static long send_caps(uint64_t label, uint64_t deadline)
{
	int mem = kt_mem_create(-1, KT_PAGE, 0), n = kt_notif_create();
	long err;

	kt_prepare(label);
	kt_msg->ncaps = label == REPLY_CAPS ? 1 : 2;
	kt_msg->caps[0] = mem;
	kt_msg->caps[1] = n;
	err = kt_call(leak_ep, deadline);
	kt_close(mem);
	kt_close(n);
	return err;
}

static void turn_messages(void)
{
	KT_EQ(send_caps(REPLY_CAPS, KT_SOON), 0);
	KT_EQ(kt_close(kt_msg->caps[0]), 0);
	KT_EQ(send_caps(SAVE, KT_SOON), -EPIPE);
	KT_EQ(send_caps(DROP, KT_SOON), -EPIPE);
}

static void turn_late(void)
{
	gave_up = 0;
	KT_EQ(send_caps(LATE, kt_now() + KT_MS(1)), -ETIMEDOUT);
	gave_up = 1;
}

static void with_server(void (*turn)(void), int times)
{
	struct kt_thread t = { 0 };

	leak_ep = KT_FD(kt_ep_create());
	kt_thread_start(&t, leak_server, NULL);
	repeat(turn, times);
	KT_EQ(kt_call_label(leak_ep, STOP, KT_SOON), 0);
	kt_thread_join(&t);
	kt_close(leak_ep);
}

KT_CORE(leak_messages)
{
	with_server(turn_messages, TIMES / 4);
}

KT_CORE(leak_late_replies)
{
	with_server(turn_late, 100);
}

/* --- threads and processes ------------------------------------------------- */

static void nothing(void *arg)
{
	(void)arg;
}

static void turn_thread(void)
{
	struct kt_thread t = { 0 };

	kt_thread_start(&t, nothing, NULL);
	kt_thread_join(&t);
}

KT_CORE(leak_threads)
{
	repeat(turn_thread, 300);
}

static void turn_process(void)
{
	kt_run("exit_0", NULL, 0);
}

KT_CORE(leak_processes)
{
	repeat(turn_process, 60);
}

/* Killed while its call is queued, with capabilities in it. */
KT_ROLE(call_with_caps)
{
	kt_prepare(1);
	kt_msg->ncaps = 2;
	kt_msg->caps[0] = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	kt_msg->caps[1] = KT_FD(kt_ep_create());
	kt_report->shared[0] = 1;
	kt_call(KT_SLOT_ARG, PITH_NO_DEADLINE);
}

static void turn_killed(void)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child c;

	kt_report->shared[0] = 0;
	c = kt_start("call_with_caps", &ep, 1);
	kt_await_word(&kt_report->shared[0], 1);
	kt_sleep(KT_MS(2));
	kt_kill(&c);
	KT_EQ(kt_finish(&c), 128 + 9);
	kt_close(ep);
}

KT_CORE(leak_killed_callers)
{
	repeat(turn_killed, 30);
}

static void turn_bad_program(void)
{
	int domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	int caps[2] = { domain, kt_report_mem };

	KT_EQ(kt_load(domain, kt_report_mem, "garbage", caps, 2, -1), -ENOEXEC);
	kt_domain_end(domain);
}

KT_CORE(leak_bad_programs)
{
	repeat(turn_bad_program, 60);
}
