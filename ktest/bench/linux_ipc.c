// SPDX-License-Identifier: BSD-2-Clause
/*
 * Round trips of Linux, between two processes; each is written as one would who
 * wants it fast: blocking calls, no poll() before them, nothing between.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

/* --- processes ------------------------------------------------------------ */

static void use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int linux_child(int cpu, void (*body)(void *), void *arg)
{
	int pid = fork();

	if (!pid) {
		use_cpu(cpu);
		body(arg);
		_exit(1);
	}
	return pid;
}

void linux_kill(int pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void *linux_shared(unsigned long size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static char buffer[MAX_BYTES];

/* --- pair of pipes -------------------------------------------------------- */

/* A pipe carries no empty message: one byte is its least. */
static size_t at_least_one(const struct shape *s)
{
	return s->bytes ? s->bytes : 1;
}

static int there[2], back[2];

static int pipe_open(void)
{
	if (pipe(there))
		return errno;
	return pipe(back) ? errno : 0;
}

static void pipe_serve(const struct shape *s)
{
	ssize_t n;

	(void)s;
	while ((n = read(there[0], buffer, sizeof(buffer))) > 0)
		if (write(back[1], buffer, n) != n)
			return;
}

static int pipe_round(const struct shape *s)
{
	ssize_t n = at_least_one(s);

	return write(there[1], buffer, n) == n &&
		read(back[0], buffer, sizeof(buffer)) == n ? 0 : EIO;
}

static void pipe_close(void)
{
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
}

/* libc has no function for it. */
static int policy(int number)
{
	struct sched_param none = { 0 };

	return syscall(SYS_sched_setscheduler, 0, number, &none) ? errno : 0;
}

/* A wake-up does not preempt the one who wakes and is about to wait anyway. */
static int batch(void)
{
	return policy(SCHED_BATCH);
}

static void pipe_batch_close(void)
{
	policy(SCHED_OTHER);
	pipe_close();
}

/* --- SOCK_SEQPACKET, descriptors by SCM_RIGHTS ---------------------------- */

static int pair[2];

static int socket_open(void)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) ? errno : 0;
}

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(MAX_CAPS * sizeof(int))];
};

/* One who expects no descriptors receives without room for them. */
static ssize_t receive_caps(int fd)
{
	union control c;
	struct iovec iov = { buffer, sizeof(buffer) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = c.room, .msg_controllen = sizeof(c.room),
	};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	size_t got = h ? (h->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	int fds[MAX_CAPS];

	if (got)
		memcpy(fds, CMSG_DATA(h), got * sizeof(int));
	for (size_t i = 0; i < got; i++)
		close(fds[i]);
	return n;
}

static ssize_t send_caps(int fd, const struct shape *s)
{
	union control c = { .room = { 0 } };
	struct iovec iov = { buffer, s->bytes };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.room,
		.msg_controllen = CMSG_SPACE(s->caps * sizeof(int)),
	};
	int *fds = (int *)CMSG_DATA(&c.align);

	c.align.cmsg_level = SOL_SOCKET;
	c.align.cmsg_type = SCM_RIGHTS;
	c.align.cmsg_len = CMSG_LEN(s->caps * sizeof(int));
	for (unsigned int i = 0; i < s->caps; i++)
		fds[i] = there[0];
	return sendmsg(fd, &m, 0);
}

static void socket_serve(const struct shape *s)
{
	ssize_t n;

	for (;;) {
		n = s->caps ? receive_caps(pair[1]) :
			recv(pair[1], buffer, sizeof(buffer), 0);
		if (n != s->bytes || send(pair[1], buffer, n, 0) != n)
			return;
	}
}

static int socket_round(const struct shape *s)
{
	ssize_t n = s->bytes;
	ssize_t sent = s->caps ? send_caps(pair[0], s) :
		send(pair[0], buffer, n, 0);

	return sent == n && recv(pair[0], buffer, sizeof(buffer), 0) == n ?
		0 : EIO;
}

static void socket_close(void)
{
	close(pair[0]);
	close(pair[1]);
}

/* What is sent: any descriptor, the reading end of a pipe. */
static int socket_open_caps(void)
{
	int err = pipe_open();

	return err ? err : socket_open();
}

static void socket_close_caps(void)
{
	socket_close();
	pipe_close();
}

/* --- pair of eventfds ----------------------------------------------------- */

static int event_open(void)
{
	there[0] = eventfd(0, 0);
	back[0] = there[0] < 0 ? -1 : eventfd(0, 0);
	return back[0] < 0 ? errno : 0;
}

static int event_post(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : EIO;
}

static int event_wait(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? 0 : EIO;
}

static void event_serve(const struct shape *s)
{
	(void)s;
	while (!event_wait(there[0]) && !event_post(back[0]))
		;
}

static int event_round(const struct shape *s)
{
	(void)s;
	return event_post(there[0]) || event_wait(back[0]) ? EIO : 0;
}

static void event_close(void)
{
	close(there[0]);
	close(back[0]);
}

/* --- futex on shared memory ----------------------------------------------- */

/* Whose turn it is, and when a message was sent. */
struct turn {
	uint32_t server;		/* 1: the server's turn */
	uint32_t pad;
	uint64_t sent, took;
};

static struct turn *turn;

static int futex_open(void)
{
	turn = linux_shared(4096);
	return turn ? 0 : errno;
}

static void futex_give(uint32_t to)
{
	__atomic_store_n(&turn->server, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, &turn->server, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int futex_await(uint32_t mine)
{
	while (__atomic_load_n(&turn->server, __ATOMIC_ACQUIRE) != mine)
		if (syscall(SYS_futex, &turn->server, FUTEX_WAIT, !mine, NULL,
			    NULL, 0) < 0 && errno != EAGAIN && errno != EINTR)
			return errno;
	return 0;
}

static void futex_serve(const struct shape *s)
{
	(void)s;
	while (!futex_await(1))
		futex_give(0);
}

static int futex_round(const struct shape *s)
{
	(void)s;
	futex_give(1);
	return futex_await(0);
}

static void futex_close(void)
{
	munmap(turn, 4096);
}

/* --- from the post to the one that wakes ---------------------------------- */

static int wake_event_open(void)
{
	int err = event_open();

	return err ? err : futex_open();
}

static void wake_event_close(void)
{
	event_close();
	futex_close();
}

static void wake_event_serve(const struct shape *s)
{
	(void)s;
	while (!event_wait(there[0])) {
		turn->took = ticks() - turn->sent;
		event_post(back[0]);
	}
}

static int wake_event_round(const struct shape *s)
{
	turn->sent = ticks();
	return event_round(s);
}

static void wake_futex_serve(const struct shape *s)
{
	(void)s;
	while (!futex_await(1)) {
		turn->took = ticks() - turn->sent;
		futex_give(0);
	}
}

static int wake_futex_round(const struct shape *s)
{
	turn->sent = ticks();
	return futex_round(s);
}

/* --- all of them ---------------------------------------------------------- */

static const struct channel channels[] = {
	{ "pipe", MAX_BYTES, 0, pipe_open, NULL, pipe_serve, NULL, pipe_round,
	  pipe_close },
	{ "pipe_batch", MAX_BYTES, 0, pipe_open, batch, pipe_serve, batch,
	  pipe_round, pipe_batch_close },
	{ "seqpacket", MAX_BYTES, MAX_CAPS, socket_open_caps, NULL,
	  socket_serve, NULL, socket_round, socket_close_caps },
	{ "eventfd", 0, 0, event_open, NULL, event_serve, NULL, event_round,
	  event_close },
	{ "futex", 0, 0, futex_open, NULL, futex_serve, NULL, futex_round,
	  futex_close },
};

static const struct channel wakers[] = {
	{ "eventfd", 0, 0, wake_event_open, NULL, wake_event_serve, NULL,
	  wake_event_round, wake_event_close },
	{ "futex", 0, 0, futex_open, NULL, wake_futex_serve, NULL,
	  wake_futex_round, futex_close },
};

struct service {
	const struct channel *c;
	const struct shape *s;
};

static void serve(void *arg)
{
	struct service *service = arg;
	const struct channel *c = service->c;

	if (!c->serve_start || !c->serve_start())
		c->serve(service->s);
}

/* Samples of one channel and shape; 0 or an errno. */
static int sample(const struct channel *c, const struct shape *s, int cpu,
		  bool one_way)
{
	struct service service = { c, s };
	int pid, err = c->open();

	if (err)
		return err;
	pid = linux_child(cpu, serve, &service);
	if (c->round_start)
		err = c->round_start();
	series_start();
	for (unsigned int i = 0; !err && i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		err = c->round(s);
		series_add(one_way ? turn->took : ticks() - start);
	}
	linux_kill(pid);
	c->close();
	return err;
}

static void round_trips(const struct channel *c, int cpu)
{
	for (unsigned int i = 0; i < nshapes; i++) {
		const struct shape *s = &shapes[i];
		int err;

		if (s->bytes > c->max_bytes || s->caps > c->max_caps)
			continue;
		err = sample(c, s, cpu, false);
		if (err) {
			missing(c->name, err);
			return;
		}
		series_print("ipc.%s.rt_insns_%s_%s", c->name, shape_name(s),
			     cpu_name(cpu));
	}
}

static void wake_up(const struct channel *c, int cpu)
{
	int err = sample(c, &shapes[0], cpu, true);

	if (err)
		missing(c->name, err);
	else
		series_print("signal.%s.wake_insns_%s", c->name, cpu_name(cpu));
}

static void posts(void)
{
	if (event_open())
		return;
	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		event_post(there[0]);
		series_add(ticks() - start);
	}
	series_print("signal.eventfd.post_insns");
	event_close();
}

void linux_ipc(void)
{
	use_cpu(0);
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++)
			round_trips(&channels[i], cpu);
		round_trips(&binder_channel, cpu);
		for (size_t i = 0; i < sizeof(wakers) / sizeof(*wakers); i++)
			wake_up(&wakers[i], cpu);
	}
	posts();
}
