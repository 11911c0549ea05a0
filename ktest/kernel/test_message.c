// SPDX-License-Identifier: BSD-2-Clause
/* Messages: what arrives is what was sent, and nothing else can be sent. */
#include <string.h>
#include "kt.h"

/* A server thread that answers what it gets until label STOP comes. */
enum { ECHO = 100, WHAT_CAPS, OWN_CAPS, STOP };

struct server {
	int ep;
	struct kt_thread thread;
	unsigned long calls;
	/* of the last call */
	uint64_t badge;
	uint32_t ncaps;
	int32_t caps[PITH_MSG_CAPS];
	uint64_t cap_badges[PITH_MSG_CAPS];
	uint64_t objects[PITH_MSG_CAPS];
	uint32_t rights[PITH_MSG_CAPS];
};

static void note_caps(struct server *s)
{
	s->ncaps = kt_msg->ncaps;
	for (uint32_t i = 0; i < s->ncaps && i < PITH_MSG_CAPS; i++) {
		s->caps[i] = kt_msg->caps[i];
		s->cap_badges[i] = kt_msg->cap_badges[i];
		s->objects[i] = s->caps[i] >= 0 ? kt_object(s->caps[i]) : 0;
		s->rights[i] = s->caps[i] >= 0 ? kt_rights(s->caps[i]) : 0;
	}
}

static void close_noted(struct server *s)
{
	for (uint32_t i = 0; i < s->ncaps; i++)
		if (s->caps[i] >= 0)
			KT_EQ(kt_close(s->caps[i]), 0);
}

static void serve(void *arg)
{
	struct server *s = arg;
	uint64_t label;

	do {
		if (!kt_wait_call(s->ep))
			return;
		label = kt_msg->label;
		s->calls++;
		s->badge = kt_msg->badge;
		note_caps(s);
		if (label == ECHO)
			kt_msg->ncaps = 0;
		else
			kt_prepare(label);
		KT_EQ(kt_reply_wait(s->ep, PITH_REPLY, 0), 0);
		close_noted(s);
	} while (label != STOP);
}

static void server_start(struct server *s)
{
	memset(s, 0, sizeof(*s));
	s->ep = KT_FD(kt_ep_create());
	kt_thread_start(&s->thread, serve, s);
}

static void server_stop(struct server *s)
{
	KT_EQ(kt_call_label(s->ep, STOP, KT_SOON), 0);
	kt_thread_join(&s->thread);
	kt_close(s->ep);
}

static uint8_t pattern(uint32_t len, uint32_t i)
{
	return len * 31 + i * 7 + (i >> 8);
}

static void echo(int ep, uint32_t len)
{
	uint32_t i;

	kt_prepare(ECHO);
	for (i = 0; i < len; i++)
		kt_data[i] = pattern(len, i);
	kt_msg->len = len;
	if (!KT_EQ(kt_call(ep, KT_SOON), 0))
		return;
	KT_EQ(kt_msg->label, ECHO);
	KT_EQ(kt_msg->len, len);
	KT_EQ(kt_msg->ncaps, 0);
	for (i = 0; i < len; i++)
		if (kt_data[i] != pattern(len, i))
			break;
	KT_EQ(i, len);
}

KT_COMPONENT(message_sizes)
{
	static const uint32_t sizes[] = { 0, 1, 2, 7, 8, 9, 63, 64, 65, 255,
		1000, 2047, 2048, 4095, 4096 };
	struct server s;

	server_start(&s);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		echo(s.ep, sizes[i]);
	server_stop(&s);
}

/* Bytes behind the payload are not touched at the receiver. */
KT_COMPONENT(message_only_its_length)
{
	struct server s;

	server_start(&s);
	memset(kt_data, 0xa5, PITH_MSG_BYTES);
	echo(s.ep, 10);
	KT_EQ(kt_data[10], 0xa5);
	KT_EQ(kt_data[PITH_MSG_BYTES - 1], 0xa5);
	server_stop(&s);
}

static void refuse(struct server *s, uint32_t len, uint32_t ncaps, long err)
{
	unsigned long before = s->calls;

	kt_prepare(ECHO);
	kt_msg->len = len;
	kt_msg->ncaps = ncaps;
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		kt_msg->caps[i] = PITH_CAP_NONE;
	KT_EQ(kt_call(s->ep, KT_SOON), err);
	KT_EQ(kt_msg->label, ECHO);
	KT_EQ(kt_msg->len, len);
	KT_EQ(kt_msg->ncaps, ncaps);
	KT_EQ(s->calls, before);
}

KT_COMPONENT(message_too_large)
{
	static const uint32_t bad[] = { 1, 4, 4096, 0x7fffffff, 0x80000000u,
		0xffffefffu };
	struct server s;

	server_start(&s);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		refuse(&s, PITH_MSG_BYTES + bad[i], 0, -EINVAL);
		refuse(&s, 0, PITH_MSG_CAPS + bad[i], -EINVAL);
	}
	echo(s.ep, 4096);
	server_stop(&s);
}

/* A reply that is refused can be sent again, corrected. */
static void bad_replies(void *arg)
{
	int ep = *(int *)arg;

	if (!kt_wait_call(ep))
		return;
	kt_prepare(7);
	kt_msg->len = PITH_MSG_BYTES + 1;
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EINVAL);
	kt_msg->len = 0;
	kt_msg->ncaps = PITH_MSG_CAPS + 1;
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EINVAL);
	kt_msg->ncaps = 1;
	kt_msg->caps[0] = 4000;
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EBADF);
	KT_EQ(kt_reply(ep, 8), 0);
}

KT_COMPONENT(message_bad_reply)
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create());

	kt_thread_start(&t, bad_replies, &ep);
	KT_EQ(kt_call_label(ep, 1, KT_SOON), 0);
	KT_EQ(kt_msg->label, 8);
	kt_thread_join(&t);
	kt_close(ep);
}

KT_COMPONENT(message_badges)
{
	static const uint64_t badges[] = { 0, 1, 0x123456789abcdef0, ~0ull };
	struct server s;
	int fd;

	server_start(&s);
	for (int i = 0; i < 4; i++) {
		fd = KT_FD(kt_mint_badge(s.ep, badges[i]));
		KT_EQ(kt_call_label(fd, ECHO, KT_SOON), 0);
		KT_EQ(s.badge, badges[i]);
		kt_close(fd);
	}
	/* the creator's own capability has badge 0, and none can be forged */
	kt_msg->badge = 42;
	KT_EQ(kt_call_label(s.ep, ECHO, KT_SOON), 0);
	KT_EQ(s.badge, 0);
	server_stop(&s);
}

/* --- capabilities ---------------------------------------------------------- */

static void send(struct server *s, uint64_t label, const int *fds,
		 unsigned int n)
{
	kt_prepare(label);
	kt_msg->ncaps = n;
	for (unsigned int i = 0; i < n; i++)
		kt_msg->caps[i] = fds[i];
	KT_EQ(kt_call(s->ep, KT_SOON), 0);
	KT_EQ(s->ncaps, n);
}

KT_COMPONENT(message_caps)
{
	int fds[PITH_MSG_CAPS];
	struct server s;

	server_start(&s);
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		fds[i] = KT_FD(i % 2 ? kt_notif_create() :
			       kt_mem_create(-1, KT_PAGE, 0));
	for (int n = 0; n <= PITH_MSG_CAPS; n++) {
		send(&s, WHAT_CAPS, fds, n);
		for (int i = 0; i < n; i++) {
			KT_TRUE(s.caps[i] >= 0);
			KT_EQ(s.objects[i], kt_object(fds[i]));
			KT_EQ(s.rights[i], kt_rights(fds[i]));
			KT_EQ(s.cap_badges[i], 0);
		}
	}
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		KT_EQ(kt_close(fds[i]), 0);
	server_stop(&s);
}

KT_COMPONENT(message_cap_holes)
{
	int fds[PITH_MSG_CAPS];
	struct server s;

	server_start(&s);
	for (int i = 0; i < PITH_MSG_CAPS; i++)
		fds[i] = i % 3 ? PITH_CAP_NONE : KT_FD(kt_notif_create());
	send(&s, WHAT_CAPS, fds, PITH_MSG_CAPS);
	for (int i = 0; i < PITH_MSG_CAPS; i++) {
		if (i % 3)
			KT_EQ(s.caps[i], PITH_CAP_NONE);
		else
			KT_EQ(s.objects[i], kt_object(fds[i]));
		if (fds[i] >= 0)
			kt_close(fds[i]);
	}
	server_stop(&s);
}

/* One bad descriptor and the message is not sent at all. */
KT_COMPONENT(message_bad_cap)
{
	static const int bad[] = { 4000, 1 << 20, -2, -3, -100, 0x7fffffff };
	struct server s;
	int good = KT_FD(kt_notif_create());

	server_start(&s);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		kt_prepare(WHAT_CAPS);
		kt_msg->ncaps = 3;
		kt_msg->caps[0] = kt_msg->caps[2] = good;
		kt_msg->caps[1] = bad[i];
		KT_EQ(kt_call(s.ep, KT_SOON), -EBADF);
	}
	KT_EQ(s.calls, 0);
	kt_close(good);
	server_stop(&s);
}

/* A server that gets its own capability sees whose it is, not a descriptor. */
KT_COMPONENT(message_own_cap)
{
	struct server s;
	int fds[4], other = KT_FD(kt_ep_create());

	server_start(&s);
	fds[0] = KT_FD(kt_mint_badge(s.ep, 77));
	fds[1] = s.ep;
	fds[2] = KT_FD(kt_mint_badge(other, 77));
	fds[3] = KT_FD(kt_mint_badge(s.ep, ~0ull));
	send(&s, OWN_CAPS, fds, 4);
	KT_EQ(s.caps[0], PITH_CAP_OWN);
	KT_EQ(s.cap_badges[0], 77);
	KT_EQ(s.caps[1], PITH_CAP_OWN);
	KT_EQ(s.cap_badges[1], 0);
	KT_TRUE(s.caps[2] >= 0);
	KT_EQ(s.objects[2], kt_object(other));
	KT_EQ(s.cap_badges[2], 0);
	KT_EQ(s.caps[3], PITH_CAP_OWN);
	KT_EQ(s.cap_badges[3], ~0ull);
	server_stop(&s);
	kt_close(fds[0]);
	kt_close(fds[2]);
	kt_close(fds[3]);
	kt_close(other);
}

static void reply_caps(void *arg)
{
	int ep = *(int *)arg;
	int fd = KT_FD(kt_notif_create());

	if (!kt_wait_call(ep))
		return;
	kt_prepare(kt_object(fd));
	kt_msg->ncaps = 3;
	kt_msg->caps[0] = fd;
	kt_msg->caps[1] = PITH_CAP_NONE;
	kt_msg->caps[2] = ep;	/* in a reply it is a capability like others */
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), 0);
	kt_close(fd);
}

KT_COMPONENT(message_caps_in_reply)
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create());

	kt_thread_start(&t, reply_caps, &ep);
	KT_EQ(kt_call_label(ep, 1, KT_SOON), 0);
	kt_thread_join(&t);
	KT_EQ(kt_msg->ncaps, 3);
	KT_TRUE(kt_msg->caps[0] >= 0);
	KT_EQ(kt_object(kt_msg->caps[0]), kt_msg->label);
	KT_EQ(kt_msg->caps[1], PITH_CAP_NONE);
	KT_EQ(kt_object(kt_msg->caps[2]), kt_object(ep));
	kt_close(kt_msg->caps[0]);
	kt_close(kt_msg->caps[2]);
	kt_close(ep);
}

/* A capability that a message passed on keeps its object alive. */
KT_COMPONENT(message_cap_outlives_sender)
{
	struct kt_thread t = { 0 };
	int ep = KT_FD(kt_ep_create()), fd;

	kt_thread_start(&t, reply_caps, &ep);
	KT_EQ(kt_call_label(ep, 1, KT_SOON), 0);
	kt_thread_join(&t);
	fd = kt_msg->caps[0];
	kt_close(kt_msg->caps[2]);
	KT_EQ(kt_bind(fd, ep, 5), 0);
	KT_EQ(kt_signal(fd, 3), 0);
	kt_wait_note(ep, 5, 3);
	kt_close(fd);
	kt_close(ep);
}

/* --- a full table ---------------------------------------------------------- */

#define TABLE	4096

KT_ROLE(fill_table)
{
	int ep = KT_SLOT_ARG, n = 0;
	long fd;

	while ((fd = kt_mint(KT_SLOT_REPORT, 0)) >= 0)
		n++;
	KT_EQ(fd, -EMFILE);
	KT_TRUE(n > 1000);
	/* the message arrives, the capability does not */
	if (!kt_wait_call(ep))
		return;
	KT_EQ(kt_msg->ncaps, 2);
	KT_EQ(kt_msg->caps[0], PITH_CAP_LOST);
	KT_EQ(kt_msg->caps[1], PITH_CAP_LOST);
	KT_EQ(kt_reply(ep, n), 0);
}

KT_CORE(message_table_full)
{
	int ep = KT_FD(kt_ep_create());
	int domain = kt_domain(KT_CHILD_RAM, TABLE + 100);
	struct kt_child c = kt_start_in(domain, "fill_table", &ep, 1);

	kt_prepare(1);
	kt_msg->ncaps = 2;
	kt_msg->caps[0] = kt_msg->caps[1] = kt_report_mem;
	KT_EQ(kt_call(ep, KT_LATER), 0);
	KT_EQ(kt_finish(&c), 0);
	kt_close(ep);
}

/* --- the buffer ------------------------------------------------------------ */

static void call_without(void *arg)
{
	int ep = *(int *)arg;

	KT_EQ(kt_call(ep, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, PITH_WAIT, 0), -EINVAL);
	KT_EQ(kt_reply_wait(ep, PITH_REPLY, 0), -EINVAL);
}

KT_COMPONENT(buffer_none)
{
	struct kt_thread t = { .no_buffer = true };
	int ep = KT_FD(kt_ep_create());

	kt_thread_start(&t, call_without, &ep);
	kt_thread_join(&t);
	kt_close(ep);
}

KT_COMPONENT(buffer_bad)
{
	int mem = KT_FD(kt_mem_create(-1, 4 * KT_PAGE, 0));
	int small = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	int ro = KT_FD(kt_mint(mem, PITH_R_READ));
	int wo = KT_FD(kt_mint(mem, PITH_R_WRITE | PITH_R_EXEC));
	int range = KT_FD(kt_mint_range(mem, PITH_R_READ | PITH_R_WRITE,
					2 * KT_PAGE, 2 * KT_PAGE));
	int notif = KT_FD(kt_notif_create());
	struct pith_buffer odd = { mem, 1, 0 };
	struct server s;

	KT_EQ(kt_buffer_set(mem, 1), -EINVAL);
	KT_EQ(kt_buffer_set(mem, 2048), -EINVAL);
	KT_EQ(kt_buffer_set(mem, 3 * KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(mem, 4 * KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(mem, -(uint64_t)KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(mem, 1ull << 63), -EINVAL);
	KT_EQ(kt_buffer_set(small, 0), -EINVAL);
	KT_EQ(kt_buffer_set(range, KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(range, 2 * KT_PAGE), -EINVAL);
	KT_EQ(kt_buffer_set(ro, 0), -EPERM);
	KT_EQ(kt_buffer_set(wo, 0), -EPERM);
	KT_EQ(kt_buffer_set(notif, 0), -EBADF);
	KT_EQ(kt_buffer_set(-1, 0), -EBADF);
	KT_EQ(kt_buffer_set(4000, 0), -EBADF);
	KT_EQ(kt_control(-1, PITH_OP_BUFFER_SET, &odd), -EINVAL);
	KT_EQ(kt_control(-1, PITH_OP_BUFFER_SET, (void *)8), -EFAULT);
	server_start(&s);
	echo(s.ep, 100);	/* the old one stands */
	server_stop(&s);
}

KT_COMPONENT(buffer_in_a_range)
{
	struct kt_buffer old = kt_buf;
	int mem = KT_FD(kt_mem_create(-1, 6 * KT_PAGE, 0));
	int range = KT_FD(kt_mint_range(mem, PITH_R_READ | PITH_R_WRITE,
					2 * KT_PAGE, 4 * KT_PAGE));
	uint8_t *p = kt_map(mem, 0, 6 * KT_PAGE, KT_R | KT_W);
	struct server s;

	KT_NEED(!kt_is_error(p));
	server_start(&s);
	KT_EQ(kt_buffer_set(range, KT_PAGE), 0);
	kt_buf.msg = (struct pith_msg *)(p + 3 * KT_PAGE);
	kt_buf.data = p + 4 * KT_PAGE;
	echo(s.ep, 4096);
	/* pages in front and behind are as they were */
	for (int i = 0; i < 3 * KT_PAGE; i++)
		if (p[i] || (i < KT_PAGE && p[5 * KT_PAGE + i])) {
			KT_FAIL("byte %d was written", i);
			break;
		}
	server_stop(&s);
	KT_EQ(kt_buffer_set(old.mem, 0), 0);
	kt_buf = old;
}

/* The kernel holds the buffer whatever its owner does with map and handle. */
KT_COMPONENT(buffer_unmapped)
{
	struct kt_buffer old = kt_buf;
	int mem = KT_FD(kt_mint(old.mem, PITH_R_READ | PITH_R_WRITE));
	struct server s;

	server_start(&s);
	kt_prepare(ECHO);
	KT_EQ(kt_unmap(old.msg, PITH_BUFFER_SIZE), 0);
	KT_EQ(kt_close(old.mem), 0);
	KT_EQ(kt_call(s.ep, KT_SOON), 0);
	KT_EQ(s.calls, 1);
	kt_buf.mem = mem;
	kt_buf.msg = kt_map(mem, 0, PITH_BUFFER_SIZE, KT_R | KT_W);
	KT_NEED(!kt_is_error(kt_msg));
	kt_buf.data = (uint8_t *)kt_buf.msg + PITH_MSG_DATA;
	KT_EQ(kt_msg->label, ECHO);
	echo(s.ep, 9);
	server_stop(&s);
}

/* Two threads with one and the same buffer: garbage, but no harm. */
static void same_buffer(void *arg)
{
	struct server *s = arg;

	kt_buf = (struct kt_buffer) { 0 };
	KT_EQ(kt_buffer_set(kt_report->shared[0], 0), 0);
	for (int i = 0; i < 2000; i++)
		kt_call(s->ep, KT_SOON);
}

KT_COMPONENT(buffer_shared_by_threads)
{
	struct kt_thread t = { .no_buffer = true };
	struct server s;

	server_start(&s);
	kt_report->shared[0] = kt_buf.mem;
	kt_thread_start(&t, same_buffer, &s);
	for (int i = 0; i < 2000; i++) {
		kt_prepare(ECHO);
		kt_msg->len = i % 4200;
		kt_msg->ncaps = i % 10;
		for (int k = 0; k < PITH_MSG_CAPS; k++)
			kt_msg->caps[k] = KT_SLOT_REPORT;
		kt_call(s.ep, KT_SOON);
	}
	kt_thread_join(&t);
	server_stop(&s);
}
