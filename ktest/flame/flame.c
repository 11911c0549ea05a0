/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What scripts/flame looks at: two processes that call and reply for ever. The
 * last argument picks what: `call`, `deadline` (the same with one far away),
 * `map`: a page mapped in the other's space and unmapped, beside another.
 */
#include <fcntl.h>
#include <stdbool.h>
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

/* Returns its space. */
static int start_server(int domain, int ep)
{
	struct loader l = {
		.name = "server", .domain = domain, .binary = load_self(),
		.exit_notif = -1, .caps = &ep, .ncaps = 1,
	};
	int err;

	err = loader_run(&l);
	return err ? err : l.space;
}

static int call(int ep, uint64_t deadline)
{
	struct pith_msg *m = rpc_header();

	m->label = 1;
	m->len = 0;
	m->ncaps = 0;
	return pith_call(ep, deadline);
}

static int map_unmap(int space)
{
	static struct pith_map m = {
		.mem = -1, .rights = PITH_R_READ, .size = 4096,
		.address = 0x10000000,
	};
	struct pith_range r = { .size = 4096 };
	int err;

	if (m.mem < 0) {
		m.mem = pith_mem_create(-1, 4096, 0);
		err = pith_control(space, PITH_OP_SPACE_MAP, &m);
		if (err)
			return err;
		m.address += 4096;
	}
	r.address = m.address;
	err = pith_control(space, PITH_OP_SPACE_MAP, &m);
	return err ? err : pith_control(space, PITH_OP_SPACE_UNMAP, &r);
}

int main(int argc, char **argv)
{
	uint64_t deadline = PITH_NO_DEADLINE;
	struct pith_bootstrap b;
	/* before it are those that the kernel does not know either */
	const char *what = argv[argc - 1];
	bool map = !strcmp(what, "map");
	int ep, space;

	if (!strcmp(argv[0], "server"))
		return rpc_thread_init() ? 2 : serve();
	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b) || rpc_thread_init())
		return 1;
	hardware = b.hardware;
	if (!strcmp(what, "deadline"))
		deadline = pith_now() + 3600000000000;
	ep = pith_ep_create();
	space = start_server(b.domain, ep);
	if (space < 0)
		return 1;
	for (unsigned long i = 0;; i++) {
		if (i == 200)
			say("flame: ready\n");
		if (map ? map_unmap(space) : call(ep, deadline))
			return 1;
	}
}
