// SPDX-License-Identifier: BSD-2-Clause
/* What a component takes that only waits, and how little one can be given. */
#include <stdio.h>
#include <stdlib.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "bench.h"

#define FEW		8
#define MANY		24
#define SETTLE		PITH_SEC(5)	/* for a config to be so, and reported */
#define RAM_MAX		(1u << 20)
#define CAPS_MAX	100

struct use {
	uint64_t ram, caps;
};

static struct rom state;
static void *arena;
static int pd;

/* --- the state report ---------------------------------------------------------- */

static const struct hid_node *read_state(void)
{
	const struct hid_node *root;
	struct hid_error e;

	need(rom_update(&state), "ROM state");
	free(arena);
	arena = malloc(HID_ARENA_SIZE(state.size));
	if (!arena || hid_parse(state.data, state.size, arena,
				HID_ARENA_SIZE(state.size), &root, &e))
		env_fatal("the state is not understood");
	return root;
}

static const struct hid_node *child(const struct hid_node *root,
				    const char *name)
{
	const struct hid_node *n;

	for (n = hid_first(root, "child"); n; n = hid_next(n, "child"))
		if (hid_equal(hid_attr(n, "name")->value, name))
			return n;
	env_fatal("no child %s in the state", name);
}

static uint64_t figure(const struct hid_node *n, const char *account,
		       const char *tag)
{
	return hid_number(hid_first(n, account), tag, 0);
}

static struct use used(const struct hid_node *n)
{
	return (struct use){ figure(n, "ram", "used"), figure(n, "caps", "used") };
}

/* --- of the machine --------------------------------------------------------------- */

static uint64_t machine_free(void)
{
	struct pith_hw_info info;

	need(rpc_simple(pd, PD_HW_INFO, NULL, 0, &info, sizeof(info),
			pith_now() + PITH_SEC(5)), "HW_INFO");
	return info.ram_free;
}

/* --- an idle one -------------------------------------------------------------------- */

static struct use sub_use(unsigned int n, uint64_t *machine)
{
	struct members m = { .n = n, .report = true };

	members_set(&m);
	idle(SETTLE);
	*machine = machine_free();
	return used(hid_first(read_state(), "init"));
}

static void idle_one(void)
{
	const struct hid_node *m;
	struct use few, many, own;
	uint64_t before, after;

	few = sub_use(FEW, &before);
	many = sub_use(MANY, &after);
	m = child(read_state(), "m0");
	own = used(m);
	say_one("idle.pith.ram_bytes", -1, own.ram);
	say_one("idle.pith.caps", -1, own.caps);
	/* what its init keeps, and what that gave to core for it */
	say_one("idle.pith.init_ram_bytes", -1,
		(many.ram - few.ram) / (MANY - FEW));
	say_one("idle.pith.init_caps", -1, (many.caps - few.caps) / (MANY - FEW));
	say_one("idle.pith.core_ram_bytes", -1, figure(m, "ram", "assigned") -
		figure(m, "ram", "quota"));
	say_one("idle.pith.core_caps", -1, figure(m, "caps", "assigned") -
		figure(m, "caps", "quota"));
	say_one("idle.pith.machine_ram_bytes", -1,
		(before - after) / (MANY - FEW));
}

/* --- the least one ------------------------------------------------------------------- */

/* Does hello run, and end as it should, with that? */
static bool runs(uint64_t ram, uint64_t caps)
{
	static unsigned int version;
	struct members m = {
		.report = true, .least = "hello", .ram = ram, .caps = caps,
		.least_version = ++version,
	};
	const struct hid_node *n;
	char is[16];

	members_set(&m);
	idle(SETTLE);
	n = child(read_state(), "least");
	hid_string(n, "state", is, sizeof(is), "");
	return hid_number(n, "version", 0) == version &&
	       hid_equal(hid_text(is), "exited") &&
	       hid_number(n, "exited", 1) == 0;
}

static void least_one(void)
{
	uint64_t low = 0, high = RAM_MAX / 4096, mid;

	while (high - low > 1) {
		mid = (low + high) / 2;
		if (runs(mid * 4096, CAPS_MAX))
			high = mid;
		else
			low = mid;
	}
	say_one("least.hello.ram_bytes", -1, high * 4096);
	low = 0;
	high = CAPS_MAX;
	while (high - low > 1) {
		mid = (low + high) / 2;
		if (runs(RAM_MAX, mid))
			high = mid;
		else
			low = mid;
	}
	say_one("least.hello.caps", -1, high);
}

void cost(void)
{
	static const struct session_quota donation = { .ram = 16384, .caps = 8 };
	struct session s;

	need(env_session(&s, "PD", "machine", "managing_system=yes", &donation,
			 pith_now() + PITH_SEC(5)), "PD");
	pd = s.cap;
	need(rom_session(&state, "state"), "ROM state");
	idle_one();
	least_one();
	members_set(&(struct members){ .n = 0 });
	idle(SETTLE);
	rom_close(&state);
	env_close(&s);
}
