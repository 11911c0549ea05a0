/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What scripts/flame looks at: two processes that call and reply for ever. The
 * first argument picks what: `call`, `deadline` (the same with one far away).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <pith/loader.h>
#include <pith/rpc.h>

static int hardware;

static void say(const char *text)
{
	struct pith_text t = { .text = (uintptr_t)text, .len = strlen(text) };

	pith_control(hardware, PITH_OP_HW_CONSOLE, &t);
}

/* A component whose descriptor 0 is the endpoint. */
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
	struct loader l = {
		.name = "server", .domain = domain, .binary = load_self(),
		.exit_notif = -1, .caps = &ep, .ncaps = 1,
	};

	return loader_run(&l);
}

int main(int argc, char **argv)
{
	uint64_t deadline = PITH_NO_DEADLINE;
	struct pith_bootstrap b;
	struct pith_msg *m;
	int ep;

	if (!strcmp(argv[0], "server"))
		return rpc_thread_init() ? 2 : serve();
	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b) || rpc_thread_init())
		return 1;
	hardware = b.hardware;
	if (argc > 1 && !strcmp(argv[1], "deadline"))
		deadline = pith_now() + 3600000000000;
	ep = pith_ep_create();
	if (start_server(b.domain, ep) < 0)
		return 1;
	m = rpc_header();
	for (unsigned long i = 0;; i++) {
		if (i == 200)
			say("flame: ready\n");
		m->label = 1;
		m->len = 0;
		m->ncaps = 0;
		if (pith_call(ep, deadline))
			return 1;
	}
}
