// SPDX-License-Identifier: BSD-2-Clause
/*
 * Android's binder: a transaction and its reply. One ioctl sends and waits, the
 * received buffer is freed together with the next send, as Android's own
 * library does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/android/binder.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

#define DEVICE	"/binder/binder"
#define WINDOW	(64u << 10)	/* where the kernel puts what we receive */

static int device, up[2], sent_fd;
static void *window;

/* What follows in one write to the device. */
struct __attribute__((packed)) batch {
	uint32_t free;
	binder_uintptr_t buffer;
	uint32_t send;
	struct binder_transaction_data data;
};

static struct batch out;
static char payload[MAX_BYTES];
static struct binder_fd_object objects[MAX_CAPS];
static binder_size_t offsets[MAX_CAPS];
static binder_uintptr_t received;	/* not freed yet, 0: none */

static int binder_open(void)
{
	mkdir("/binder", 0700);
	if (access(DEVICE, F_OK) &&
	    mount("binder", "/binder", "binder", 0, NULL))
		return errno;
	sent_fd = open("/", O_RDONLY | O_DIRECTORY);
	return pipe(up) ? errno : 0;
}

static int attach(void)
{
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return errno;
	window = mmap(NULL, WINDOW, PROT_READ, MAP_PRIVATE, device, 0);
	return window == MAP_FAILED ? errno : 0;
}

static int io(const void *write, size_t len, void *read, size_t *got)
{
	struct binder_write_read rw = {
		.write_size = len, .write_buffer = (uintptr_t)write,
		.read_size = *got, .read_buffer = (uintptr_t)read,
	};

	if (ioctl(device, BINDER_WRITE_READ, &rw))
		return errno;
	*got = rw.read_consumed;
	return 0;
}

/* Send @n bytes at @p, unless @n is 0, and wait for command @wanted. */
static int exchange(const void *p, size_t n, uint32_t wanted,
		    struct binder_transaction_data *t)
{
	char in[256];
	int err;

	for (;;) {
		size_t got = sizeof(in), at = 0;
		uint32_t command;

		err = io(p, n, in, &got);
		if (err)
			return err;
		n = 0;
		while (at + sizeof(command) <= got) {
			memcpy(&command, in + at, sizeof(command));
			at += sizeof(command);
			if (command == wanted) {
				memcpy(t, in + at, sizeof(*t));
				return 0;
			}
			if (command == BR_DEAD_REPLY ||
			    command == BR_FAILED_REPLY)
				return EIO;
			at += _IOC_SIZE(command);
		}
	}
}

/* Free what was received last and send, in one write. */
static int send_and_wait(uint32_t send, uint32_t wanted,
			 struct binder_transaction_data *t)
{
	bool first = !received;
	int err;

	out.free = BC_FREE_BUFFER;
	out.buffer = received;
	out.send = send;
	err = exchange(first ? (char *)&out.send : (char *)&out,
		       sizeof(out) - (first ? offsetof(struct batch, send) : 0),
		       wanted, t);
	received = err ? 0 : t->data.ptr.buffer;
	return err;
}

static int serve_start(void)
{
	struct flat_binder_object manager = {
		.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
	};
	uint32_t enter = BC_ENTER_LOOPER;
	size_t none = 0;
	int err = attach();

	if (err)
		return err;
	if (ioctl(device, BINDER_SET_CONTEXT_MGR_EXT, &manager))
		return errno;
	err = io(&enter, sizeof(enter), NULL, &none);
	return err || write(up[1], "u", 1) != 1 ? EIO : 0;
}

static void close_received(const struct binder_transaction_data *t)
{
	const binder_size_t *at = (void *)(uintptr_t)t->data.ptr.offsets;

	for (size_t i = 0; i < t->offsets_size / sizeof(*at); i++) {
		const struct binder_fd_object *o =
			(void *)(uintptr_t)(t->data.ptr.buffer + at[i]);

		close(o->fd);
	}
}

static void serve(const struct shape *s)
{
	struct binder_transaction_data t;
	int err = exchange(NULL, 0, BR_TRANSACTION, &t);

	while (!err) {
		close_received(&t);
		received = t.data.ptr.buffer;
		out.data = (struct binder_transaction_data) {
			.data_size = s->bytes,
			.data.ptr.buffer = (uintptr_t)payload,
		};
		err = send_and_wait(BC_REPLY, BR_TRANSACTION, &t);
	}
}

static int round_start(void)
{
	char c;

	close(up[1]);		/* else a server that failed is waited for */
	if (read(up[0], &c, 1) != 1)
		return ENODEV;
	received = 0;
	return attach();
}

/* Payload and descriptors of a request; objects lie in the payload. */
static void fill(const struct shape *s)
{
	out.data = (struct binder_transaction_data) {
		.code = 1, .flags = TF_ACCEPT_FDS, .data_size = s->bytes,
		.data.ptr.buffer = (uintptr_t)payload,
	};
	if (!s->caps)
		return;
	for (unsigned int i = 0; i < s->caps; i++) {
		objects[i] = (struct binder_fd_object) {
			.hdr.type = BINDER_TYPE_FD, .fd = sent_fd,
		};
		offsets[i] = i * sizeof(objects[0]);
	}
	out.data.data.ptr.buffer = (uintptr_t)objects;
	out.data.data_size = s->caps * sizeof(objects[0]);
	out.data.data.ptr.offsets = (uintptr_t)offsets;
	out.data.offsets_size = s->caps * sizeof(offsets[0]);
}

static int binder_round(const struct shape *s)
{
	struct binder_transaction_data t;

	fill(s);
	return send_and_wait(BC_TRANSACTION, BR_REPLY, &t);
}

static void binder_close(void)
{
	munmap(window, WINDOW);
	close(device);
	close(up[0]);
	close(sent_fd);
}

const struct channel binder_channel = {
	"binder", MAX_BYTES, MAX_CAPS, binder_open, serve_start, serve,
	round_start, binder_round, binder_close,
};
