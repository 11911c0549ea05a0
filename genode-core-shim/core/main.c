/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <pith/loader.h>
#include "core.h"

#define CORE_RAM	(4u << 20)	/* kept for core's own books, at most, */
#define CORE_SHARE	4		/* or this part of a small machine's RAM */

struct core core = { .hardware = -1, .root = -1, .init_domain = -1 };

_Noreturn static void die(const char *what, int err)
{
	core_say("fatal: %s: error %d", what, err);
	core_stop(RB_AUTOBOOT);
	_Exit(1);
}

static void take_authority(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct pith_bootstrap b;

	/* children are told about by notifications; leave no zombies */
	sigaction(SIGCHLD, &ignore, NULL);
	if (pith_control(-1, PITH_OP_BOOTSTRAP, &b))
		_Exit(1);
	core.hardware = b.hardware;
	core.root = b.domain;
	if (rpc_thread_init() || ep_init(&core.ep))
		_Exit(1);
}

static void say_machine(void)
{
	struct pith_hw_info info;

	if (pith_control(core.hardware, PITH_OP_HW_INFO, &info))
		return;
	core.boot_ram_free = info.boot_ram_free;
	core_say("boot: RAM total %llu KiB, free at first process %llu KiB",
		 info.ram_total >> 10, info.boot_ram_free >> 10);
	core_say("boot: %u CPUs, %llu ms since the clock started", info.cpus,
		 (unsigned long long)(pith_now() / 1000000));
	core_say("boot: ACPI tables from %#llx", info.rsdp);
	if (info.screen.base)
		core_say("boot: screen of %u x %u, %u bits, %u bytes a row, at %#llx",
			 info.screen.width, info.screen.height,
			 info.screen.depth, info.screen.pitch,
			 info.screen.base);
}

/* All that core does not need for itself becomes init's. */
static int make_init_domain(void)
{
	struct pith_domain_info d;
	uint64_t ram, caps;
	int err = pith_domain_info(core.root, &d);

	if (err)
		return err;
	ram = d.ram_limit - d.ram_used;
	caps = d.caps_limit - d.caps_used;
	ram -= ram / CORE_SHARE < CORE_RAM ? ram / CORE_SHARE : CORE_RAM;
	caps /= 2;	/* core holds some for each session */
	core.init_domain = pith_domain_create(core.root);
	if (core.init_domain < 0)
		return core.init_domain;
	return pith_domain_transfer(core.root, core.init_domain,
				    ram & ~4095ull, caps);
}

static void init_ended(void *ctx, uint64_t count)
{
	struct loader *l = ctx;
	struct pith_space_info info = { .status = 0 };

	(void)count;
	pith_control(l->space, PITH_OP_SPACE_INFO, &info);
	die("init ended with status", info.status);
}

static int start_init(void)
{
	static struct loader l;
	uint64_t size, badge;
	int caps[3], err;

	l = (struct loader) {
		.name = "init", .domain = core.init_domain,
		.binary = rom_find("init", &size),
		.caps = caps, .ncaps = 3, .stack = 256 << 10,
	};
	caps[0] = parent_init();
	caps[1] = core.init_domain;
	caps[2] = parent_log_cap("init");
	l.exit_notif = ep_new_notification(&core.ep, init_ended, &l, &badge);
	if (caps[0] < 0 || caps[2] < 0 || l.exit_notif < 0)
		return -ENOMEM;
	err = loader_load(&l);
	if (!err)
		err = cpu_adopt("init", pith_mint(l.thread, 0));
	core.init_space = l.space;
	return err ? err : loader_start(&l);
}

int main(void)
{
	int err;

	take_authority();
	say_machine();
	core_show_panic();
	err = rom_load("/rom");
	if (err < 0)
		die("boot modules", err);
	err = make_init_domain();
	if (err)
		die("init's domain", err);
	err = start_init();
	if (err < 0)
		die("start of init", err);
	ep_run(&core.ep);
}
