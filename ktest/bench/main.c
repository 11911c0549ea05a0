// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage (kernel command line, after `--`): [rounds=N] [PART...]
 * Parts: linux, pith, curves; without any, linux and pith.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/reboot.h>
#include <unistd.h>
#include <pith/rpc.h>
#include "bench.h"

int cpus = 1;

const struct shape shapes[] = {
	{ 0, 0 }, { 64, 0 }, { 1024, 0 }, { 4096, 0 }, { 0, 1 }, { 0, 4 },
};
const unsigned int nshapes = sizeof(shapes) / sizeof(shapes[0]);

const char *shape_name(const struct shape *s)
{
	static char name[24];

	if (s->caps)
		snprintf(name, sizeof(name), "%ucap%s", s->caps,
			 s->caps > 1 ? "s" : "");
	else
		snprintf(name, sizeof(name), "%uB", s->bytes);
	return name;
}

static bool asked(int argc, char **argv, const char *part, bool by_default)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], part))
			return true;
		any |= !strchr(argv[i], '=');
	}
	return by_default && !any;
}

static void options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "rounds=", 7))
			rounds = atoi(argv[i] + 7);
}

/* This process stays on the first CPU; its partners go where they are put. */
static void look_at_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		cpus = 2;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void as_core(int argc, char **argv)
{
	struct pith_bootstrap b;

	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b)) {
		say("bench: this cannot be core");
		return;
	}
	hardware = b.hardware;
	if (rpc_thread_init()) {
		say("bench: no message buffer");
		return;
	}
	if (asked(argc, argv, "pith", true)) {
		pith_ipc(b.domain);
		pith_objects(b.domain);
		pith_spaces(b.domain);
		pith_device(b.domain);
	}
	if (asked(argc, argv, "curves", false))
		curves(b.domain);
	say("bench: done");
}

int main(int argc, char **argv)
{
	int status;

	if (pith_component(argv[0], &status))
		return status;
	options(argc, argv);
	look_at_cpus();
	if (asked(argc, argv, "linux", true)) {
		linux_ipc();
		linux_memory();
		linux_process();
	}
	as_core(argc, argv);
	pith_control(hardware, PITH_OP_HW_CONSOLE, &(struct pith_text) { 0 });
	reboot(RB_AUTOBOOT);
	return 0;
}
