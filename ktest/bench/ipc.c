/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cost of one call and reply between two processes on one CPU. Runs as the
 * first process under `-icount shift=0`, where a nanosecond is an instruction:
 * prints `ipc.pith.rt_insns_<bytes>B <count>` for each message size, and
 * `ipc.null_call_insns_0B <count>` for a system call that fails at once. Copies
 * look dear: TCG counts each byte of a `rep movsb`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <fcntl.h>
#include <unistd.h>
#include <pith/rpc.h>

#define ROUNDS	2000

static int hardware;

static void say(const char *name, unsigned int size, uint64_t n)
{
	char line[80];
	struct pith_text t = { .text = (uintptr_t)line };

	t.len = snprintf(line, sizeof(line), "%s%uB %lu", name, size, n);
	pith_control(hardware, PITH_OP_HW_CONSOLE, &t);
}

/* The server: a component whose descriptor 0 is the endpoint. */
static int serve(void)
{
	struct pith_msg *m = rpc_header();
	uint32_t flags = PITH_WAIT;

	while (pith_reply_wait(0, flags, PITH_NO_DEADLINE) == PITH_GOT_CALL) {
		m->label = 0;
		flags = PITH_REPLY | PITH_WAIT;
	}
	return 1;
}

static int load_self(void)
{
	int fd = open("/init", O_RDONLY), mem, err;
	char *at;
	ssize_t n;

	mem = pith_mem_create(-1, 1 << 20, 0);
	at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	while (at && (n = read(fd, at, 65536)) > 0)
		at += n;
	close(fd);
	return at ? mem : err;
}

static int start_server(int domain, int ep)
{
	int32_t caps[1] = { ep };
	struct pith_spawn s = {
		.binary = load_self(), .exit_notif = -1,
		.caps = (uintptr_t)caps, .ncaps = 1, .stack = 65536,
		.charge = 131072, .name = "server",
	};

	return pith_control(domain, PITH_OP_SPAWN, &s);
}

static void measure(int ep, unsigned int size)
{
	struct pith_msg *m = rpc_header();
	uint64_t start = 0;

	for (int i = -100; i < ROUNDS; i++) {
		if (!i)
			start = pith_now();
		m->label = 1;
		m->len = size;
		m->ncaps = 0;
		if (pith_call(ep, PITH_NO_DEADLINE))
			return;
	}
	say("ipc.pith.rt_insns_", size, (pith_now() - start) / ROUNDS);
}

static uint64_t null_call(void)
{
	uint64_t start = pith_now();

	for (int i = 0; i < ROUNDS; i++)
		pith_signal(-1, 0);
	return (pith_now() - start) / ROUNDS;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 0, 64, 1024, 4096 };
	struct pith_bootstrap b;
	int ep;

	(void)argc;
	if (!strcmp(argv[0], "server"))
		return rpc_thread_init() ? 2 : serve();
	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b) || rpc_thread_init())
		return 1;
	hardware = b.hardware;
	say("ipc.null_call_insns_", 0, null_call());
	ep = pith_ep_create();
	if (start_server(b.domain, ep) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		measure(ep, sizes[i]);
	reboot(RB_AUTOBOOT);
	return 0;
}
