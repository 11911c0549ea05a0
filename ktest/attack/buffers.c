// SPDX-License-Identifier: BSD-2-Clause
/* Message buffers: taken away, shared, written while the kernel reads them. */
#include <string.h>
#include "attack.h"

static volatile uint64_t over;

ATTACK(buffer_unmapped, "unmap and close the buffer, and go on calling")
{
	int mem = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));
	struct pith_msg *m = kt_map(mem, 0, PITH_BUFFER_SIZE, KT_R | KT_W);

	KT_NEED(!kt_is_error(m));
	m->label = 9;
	m->len = m->ncaps = 0;
	KT_EQ(kt_buffer_set(mem, 0), 0);
	kt_unmap(m, PITH_BUFFER_SIZE);
	kt_close(mem);
	for (int i = 0; i < 100; i++)
		KT_EQ(kt_syscall(PITH_NR_CALL, A_VICTIM, KT_SOON, 0, 0, 0, 0),
		      0);
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	attack_victim_answers();
}

ATTACK(buffer_readonly, "a buffer of memory that one may not write, or no memory")
{
	int less = KT_FD(kt_mint(A_SHARED, PITH_R_WRITE));

	KT_EQ(kt_buffer_set(A_ROM, 0), -EPERM);
	KT_EQ(kt_buffer_set(less, 0), -EPERM);
	KT_EQ(kt_buffer_set(A_BELL, 0), -EBADF);
	KT_EQ(kt_buffer_set(A_PORT, 0), -EBADF);
	KT_EQ(kt_buffer_set(-1, 0), -EBADF);
	/* mapped read-only by the owner: its right counts, not its mapping */
	KT_EQ(kt_protect(kt_buf.msg, PITH_BUFFER_SIZE, KT_R), 0);
	KT_EQ(kt_call(A_VICTIM, KT_SOON), 0);
	KT_EQ(kt_protect(kt_buf.msg, PITH_BUFFER_SIZE, KT_R | KT_W), 0);
	kt_close(less);
	attack_victim_answers();
}

ATTACK(buffer_edges, "offsets at and beyond the end, odd ones, huge ones")
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int range = KT_FD(kt_mint_range(mem, PITH_R_READ | PITH_R_WRITE,
					KT_PAGE, 2 * KT_PAGE));
	static const uint64_t bad[] = { 1, 8, 4095, 4097, 3 * KT_PAGE,
		4 * KT_PAGE, 5 * KT_PAGE, 1ull << 31, 1ull << 32, 1ull << 63,
		~0ull, ~0xfffull, ~0x1fffull, ~0x2fffull };

	for (unsigned int i = 0; i < COUNT(bad); i++) {
		KT_EQ(kt_buffer_set(mem, bad[i]), -EINVAL);
		KT_EQ(kt_buffer_set(range, bad[i]), -EINVAL);
	}
	KT_EQ(kt_buffer_set(range, KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(range, 0), 0);
	KT_EQ(kt_call(A_VICTIM, KT_SOON), 0);	/* zeroes: an empty message */
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	kt_close(range);
	kt_close(mem);
}

ATTACK(buffer_moved, "a new buffer before every call, the old one freed")
{
	for (int i = 0; i < 300; i++) {
		int mem = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));

		KT_EQ(kt_buffer_set(mem, 0), 0);
		kt_close(mem);
		KT_EQ(kt_call(A_VICTIM, KT_SOON), 0);
	}
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
}

/* Sizes and descriptors change while they are checked and used. */
static void scribble(struct pith_msg *m)
{
	static const uint32_t lens[] = { 0, 4096, 4097, ~0u, 0x80000000u };
	uint64_t random = (uintptr_t)&random | 1;

	while (!over) {
		uint64_t r = attack_random(&random);

		m->len = lens[r % COUNT(lens)];
		m->ncaps = r >> 8 & 15;
		m->caps[r >> 16 & 7] = (r >> 20) % 12 - 2;
		m->badge = r;
		m->cap_badges[r >> 12 & 7] = r;
	}
}

static void scribbler(void *arg)
{
	scribble(arg);
}

static void close_arrived(struct pith_msg *m)
{
	/* only what may be new: slots and own buffer stay */
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		if (m->caps[i] > kt_buf.mem + 2)
			kt_close(m->caps[i]);
}

ATTACK(buffer_scribbled, "a thread writes the header of a message being sent")
{
	struct kt_thread t[2] = { 0 };

	over = 0;
	for (int i = 0; i < 2; i++)
		kt_thread_start(&t[i], scribbler, kt_buf.msg);
	for (int i = 0; i < 4000; i++) {
		long err = kt_call(A_VICTIM, KT_SOON);

		KT_TRUE(err == 0 || err == -EINVAL || err == -EBADF);
	}
	over = 1;
	for (int i = 0; i < 2; i++)
		kt_thread_join(&t[i]);
	attack_victim_answers();
}

static void server_of_scribbled(void *arg)
{
	int ep = *(int *)arg;

	while (kt_wait(ep, PITH_NO_DEADLINE) == PITH_GOT_CALL &&
	       kt_msg->label != 99) {
		close_arrived(kt_msg);
		kt_prepare(1);
		kt_msg->ncaps = 1;
		kt_msg->caps[0] = A_ROM;
		kt_reply_wait(ep, PITH_REPLY, 0);
	}
	kt_reply(ep, 0);
}

/* What arrives is written over too: descriptors are lost sight of, no more. */
ATTACK(buffer_scribbled_reply, "the same where a reply with capabilities arrives")
{
	struct kt_thread server = { 0 }, t = { .no_buffer = true };
	int ep = KT_FD(kt_ep_create());

	over = 0;
	kt_thread_start(&server, server_of_scribbled, &ep);
	kt_thread_start(&t, scribbler, kt_buf.msg);
	for (int i = 0; i < 300; i++) {
		long err = kt_call(ep, KT_SOON);

		KT_TRUE(err == 0 || err == -EINVAL || err == -EBADF);
		for (int fd = kt_buf.mem + 8; fd < 80; fd++)
			kt_close(fd);
	}
	over = 1;
	kt_thread_join(&t);
	kt_call_label(ep, 99, KT_SOON);
	kt_thread_join(&server);
	kt_close(ep);
}

KT_ROLE(buffer_shared_with)
{
	struct pith_msg *m = kt_map(A_SHARED, 0, KT_PAGE, KT_R | KT_W);
	uint64_t end = kt_now() + KT_MS(400), random = 77;

	KT_NEED(!kt_is_error(m));
	while (kt_now() < end)
		for (int i = 0; i < 1000; i++) {
			m->len = attack_random(&random);
			m->ncaps = attack_random(&random) % 16;
			m->caps[i % 8] = attack_random(&random) % 16;
		}
}

ATTACK_WITH(buffer_shared, "another component writes the buffer during calls")
{
	uint64_t end = kt_now() + KT_MS(400);

	KT_EQ(kt_buffer_set(A_SHARED, 0), 0);
	while (kt_now() < end) {
		long err = kt_call(A_VICTIM, KT_SOON);

		KT_TRUE(err == 0 || err == -EINVAL || err == -EBADF);
	}
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
	attack_victim_answers();
}

static int shared_ep;

static void call_shared(void *arg)
{
	(void)arg;
	KT_EQ(kt_buffer_set(A_SHARED, 0), 0);
	for (int i = 0; i < 500; i++)
		kt_call(A_VICTIM, KT_SOON);
	for (int i = 0; i < 20; i++) {
		kt_call(shared_ep, kt_now() + 100000);
		kt_wait(shared_ep, kt_now() + 100000);
	}
	KT_EQ(kt_buffer_set(kt_buf.mem, 0), 0);
}

ATTACK(buffer_of_all, "four threads with one buffer call, receive and reply")
{
	shared_ep = KT_FD(kt_ep_create());
	attack_together(4, call_shared, NULL);
	kt_close(shared_ep);
	attack_victim_answers();
}

static void no_buffer_calls(void *arg)
{
	(void)arg;
	if (kt_call(A_VICTIM, 0) != -EINVAL ||
	    kt_wait(A_PEER, 0) != -EINVAL ||
	    kt_control(A_PEER, PITH_OP_EP_SAVE_REPLY, NULL) != -EINVAL)
		KT_FAIL("a thread without a buffer got somewhere");
}

ATTACK(buffer_none, "call, receive, save a reply without any buffer")
{
	struct kt_thread t = { .no_buffer = true };

	kt_thread_start(&t, no_buffer_calls, NULL);
	kt_thread_join(&t);
}
