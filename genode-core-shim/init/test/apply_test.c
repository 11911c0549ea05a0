// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: world.c world_core.c ../main.c ../apply.c ../child.c
 * ../balance.c ../session.c ../parent.c ../upward.c ../local.c ../report.c
 * ../config.c ../config_route.c ../config_self.c ../route.c ../restart.c
 * ../quota.c ../../lib/hid_fill.c ../../lib/hid.c ../../lib/hid_print.c
 * ../../lib/report.c ../../lib/rpc_cap.c ../../lib/service.c
 * ../../lib/args.c ../../lib/rom.c ../../lib/id_table.c */
/* A config that changes while init runs; quota up and down; heartbeats. */
#include <session/core.h>
#include "family.h"

#define SERVER	"+ start server | + provides | + service Block\n"
#define CLIENT	"+ start client\n  + route\n" \
		"    + service Block | + child server | label: l\n" \
		"    + any-service | + parent\n"

static void test_same(void)
{
	struct quota limit;
	uint64_t id, caps;
	unsigned int fds;

	world_boot(CONFIG_TOP SERVER CLIENT "+ start other\n-\n");
	announce("server", "Block");
	id = open_block("client", 4096, 2);
	limit = world_limit();
	caps = world_init_caps();
	fds = world_fds();
	world_config(CONFIG_TOP ". a comment\n+ start other\n" CLIENT SERVER "-\n");
	world_run(2000);
	check(world_starts("server") == 1 && world_starts("client") == 1 &&
	      world_starts("other") == 1, "who does not change goes on");
	check(same(limit, world_limit()) && caps == world_init_caps() &&
	      fds == world_fds(), "and nothing moves");
	check(status(end_session("client", id)) == 1 &&
	      next("server").kind == PARENT_REQ_CLOSE,
	      "sessions are the same as before, in another order");
}

static void test_wrong(void)
{
	world_boot(CONFIG_TOP SERVER "-\n");
	world_config(CONFIG_TOP "+ start new\n+ start bad | ram: x\n-\n");
	check(world_logged("14:15: expected a number for ram, found 'x'") &&
	      !world_runs("new") && world_runs("server"),
	      "a wrong config is refused as a whole");
	world_config(CONFIG_TOP SERVER "+ start big | ram: 1G\n-\n");
	check(world_logged("found 1073741824") && !world_runs("big") &&
	      world_runs("server"), "so is one that needs too much");
	world_config(CONFIG_TOP SERVER "+ start new\n-\n");
	check(world_runs("new") && world_starts("server") == 1,
	      "the next one is taken");
}

static void test_cpu(void)
{
	world_boot(CONFIG_TOP "+ start a | + resource CPU | quantum: 30\n"
		   "+ start b\n-\n");
	check(world_cpu("a") == PITH_MS(30) && !world_cpu("b"),
	      "CPU time of a start node, or no limit");
	world_config(CONFIG_TOP "+ start a | + resource CPU | quantum: 150\n"
		     "+ start b | + resource CPU | quantum: 5\n-\n");
	check(world_cpu("a") == PITH_MS(150) && world_cpu("b") == PITH_MS(5) &&
	      world_starts("a") == 1 && world_starts("b") == 1,
	      "it changes while they run");
	world_config(CONFIG_TOP "+ start a | + resource CPU | quantum: 10\n"
		     "+ start b | + resource CPU | quantum: 5\n-\n");
	check(world_cpu("a") == PITH_MS(150), "but not at any rate, as a budget "
	      "that is set begins anew");
	world_config(CONFIG_TOP "+ start a | + resource CPU | quantum: 150\n"
		     "+ start b | + resource CPU | quantum: 5\n-\n");
	world_run(1100);
	world_config(CONFIG_TOP "+ start a\n+ start b | + resource CPU "
		     "| quantum: 6401\n-\n");
	check(world_cpu("a") == PITH_MS(150) && world_cpu("b") == PITH_MS(5) &&
	      world_logged("6401"), "more than there can be is refused");
	world_config(CONFIG_TOP "+ start a\n+ start b\n-\n");
	check(!world_cpu("a") && !world_cpu("b"), "and taken back");
}

#define CPU_SERVER(quantum) "+ start server | + resource CPU | quantum: " quantum \
	"\n  + provides | + service Block\n"
#define CPU_CLIENT(quantum) "+ start a | + resource CPU | quantum: " quantum "\n"

static struct parent_resources resources(void);

/* An open session of "a" with that much CPU time, or 0. */
static uint64_t open_with(const char *args)
{
	int call = ask_with("a", "Block", "x", args, 0, 0);
	struct parent_request r = next("server");

	if (r.kind != PARENT_REQ_CREATE || strcmp(r.args, args) ||
	    deliver("server", r.id, 0, world_endpoint()))
		return 0;
	return id_of(call);
}

static bool cpus(uint64_t a, uint64_t server)
{
	world_run(1100);
	return world_cpu("a") == PITH_MS(a) && world_cpu("server") == PITH_MS(server);
}

/* A session moves CPU time to its server, until it is over however it ends. */
static void test_cpu_trade(void)
{
	uint64_t one, two;
	int call;

	world_boot(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("40") "-\n");
	announce("server", "Block");
	check(cpus(40, 10), "before");
	one = open_with("cpu_quota=25");
	check(one && cpus(15, 35), "the server has it, the client not");
	check(status(ask_with("a", "Block", "x", "cpu_quota=15", 0, 0)) == -EDQUOT &&
	      status(ask_with("a", "Block", "x", "cpu_quota=6401", 0, 0)) ==
	      -EDQUOT, "all or more is refused");
	two = open_with("buf=4K, cpu_quota=14");
	check(two && cpus(1, 49), "a percent stays");
	call = end_session("a", one);
	check(next("server").kind == PARENT_REQ_CLOSE && cpus(1, 49),
	      "closing takes until the server has closed");
	next("server");
	check(!status(call) && cpus(26, 24), "then it is back");
	world_exit("server", 1);
	world_run(1100);
	check(world_cpu("a") == PITH_MS(40), "or if the server dies");
}

static void test_cpu_client_dies(void)
{
	world_boot(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("40") "-\n");
	announce("server", "Block");
	check(open_with("cpu_quota=25") && cpus(15, 35), "a session");
	world_exit("a", 1);
	check(next("server").kind == PARENT_REQ_CLOSE, "whose client dies");
	next("server");
	world_run(1100);
	check(world_cpu("server") == PITH_MS(10), "leaves its server nothing");
}

/* However often sessions come and go, budgets are set once a second. */
static void test_cpu_rate(void)
{
	uint64_t before;
	bool good = true;
	int i;

	world_boot(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("40") "-\n");
	announce("server", "Block");
	world_run(1100);
	before = world_cpu_sets("a");
	for (i = 0; i < 200; i++) {
		int call = end_session("a", open_with("cpu_quota=25"));

		next("server");
		next("server");
		good = good && !status(call);
		world_run(20);
	}
	check(good, "sessions that come and go");
	check(world_cpu_sets("a") - before <= 6, "do not refill a budget");
	check(cpus(40, 10), "which is right at the end");
}

/* Less than what was given away: told, and had when sessions are closed. */
static void test_cpu_yield(void)
{
	struct parent_sigh sigh = { .signal = PARENT_SIGNAL_RESOURCES };
	struct parent_quota more = { .cpu = 20 };
	int n = world_notification();
	uint64_t id;

	world_boot(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("40") "-\n");
	announce("server", "Block");
	world_call("a", PARENT_SIGH, &sigh, sizeof(sigh), n);
	id = open_with("cpu_quota=25");
	check(cpus(15, 35) && resources().assigned.cpu == 40 &&
	      !resources().wanted.cpu && !world_signals(n), "a session");
	world_config(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("20") "-\n");
	check(cpus(1, 35) && world_signals(n) == 1 &&
	      resources().assigned.cpu == 20 && resources().wanted.cpu == 6,
	      "less is assigned: what is missing is wanted back");
	end_session("a", id);
	next("server");
	next("server");
	check(cpus(20, 10) && !resources().wanted.cpu, "and comes back");
	check(!status(world_call("a", PARENT_RESOURCE_REQUEST, &more,
				 sizeof(more), 0)) &&
	      world_logged("requests resources: ram 0, caps 0, cpu 20"),
	      "more is asked for");
	world_config(CONFIG_TOP CPU_SERVER("10") CPU_CLIENT("40") "-\n");
	check(cpus(40, 10) && world_signals(n) == 2 &&
	      resources().assigned.cpu == 40, "and given");
}

static void test_remove(void)
{
	struct quota empty;
	unsigned int fds, i;
	uint64_t caps;
	int waiting;

	world_boot(CONFIG_TOP "+ start other\n-\n");
	empty = world_limit();
	caps = world_init_caps();
	fds = world_fds();
	for (i = 0; i < 50; i++) {
		world_config(CONFIG_TOP "+ start other\n" SERVER CLIENT "-\n");
		announce("server", "Block");
		if (i % 2)
			open_block("client", 8192, 4);
		waiting = ask("client", "Block", "y", 4096, 1);
		if (i % 3 == 2)
			next("server");
		world_config(CONFIG_TOP "+ start other\n-\n");
		world_run(3000);
		if (world_runs("server") || world_runs("client") ||
		    !world_answer(waiting)->done || !same(empty, world_limit()) ||
		    caps != world_init_caps() || fds != world_fds())
			break;
	}
	check(i == 50, "50 times two children come and go, all is given back");
	check(world_starts("other") == 1, "and a third never notices");
}

/* The client's route leads elsewhere. */
static void test_route(void)
{
	uint64_t id;

	world_boot(CONFIG_TOP SERVER "+ start second | + provides | + service Block\n"
		   CLIENT "+ start other\n-\n");
	announce("server", "Block");
	announce("second", "Block");
	id = open_block("client", 4096, 2);
	world_config(CONFIG_TOP SERVER
		     "+ start second | + provides | + service Block\n"
		     "+ start client\n  + route\n"
		     "    + service Block | + child second | label: l\n"
		     "    + any-service | + parent\n"
		     "+ start other\n-\n");
	world_run(2000);
	check(id && world_starts("client") == 2 && world_starts("server") == 1 &&
	      world_starts("second") == 1 && world_logged("its routes changed"),
	      "a child with a session that now leads elsewhere is restarted");
	ask("client", "Block", "x", 4096, 2);
	check(next("second").kind == PARENT_REQ_CREATE, "and comes there");
	world_logged("");
	world_config(CONFIG_TOP "+ start second | + provides | + service Block\n"
		     CLIENT "+ start other\n-\n");
	check(world_logged(": no start node 'server' yet"),
	      "a route to a child that is gone is told of");
	world_run(2000);
	next("second");
	world_run(2000);
	check(!world_runs("server") && world_starts("client") == 3,
	      "who used to have a session elsewhere is restarted");
}

static void test_restart(void)
{
	static const char *const changes[] = {
		"+ start a | version: 2\n-\n",
		"+ start a | version: 2 | + binary b\n-\n",
		"+ start a | version: 2 | priority: -1 | + binary b\n-\n",
		"+ start a | version: 2 | managing_system: yes | priority: -1\n"
		"  + binary b\n-\n",
	};
	char config[2000];
	unsigned int i;

	world_boot(CONFIG_TOP "+ start a | + provides | + service X\n-\n");
	for (i = 0; i < 4; i++) {
		snprintf(config, sizeof(config), "%s%s", CONFIG_TOP, changes[i]);
		world_config(config);
		world_config(config);
		world_run(2000);
		check(world_runs("a") && world_starts("a") == i + 2,
		      "one restart for change %u", i);
	}
	check(!strcmp(world_last_label("ROM"), "b"), "with the new program");
	world_exit("a", 3);
	world_run(1000);
	world_config(CONFIG_TOP "+ start a | version: 2 | managing_system: yes\n"
		     "  + binary b\n-\n");
	world_run(1000);
	check(world_runs("a"), "who has exited starts with a new start node");
}

static void test_failed(void)
{
	world_boot(CONFIG_TOP "+ start a | + binary missing\n-\n");
	check(!world_runs("a"), "a start that fails");
	world_config(CONFIG_TOP "+ start a\n-\n");
	world_run(1000);
	check(world_runs("a"), "is tried again with the next config");
}

static void test_config_rom(void)
{
	int call, n = world_notification(), rom;
	uint64_t id;

	world_boot(CONFIG_TOP "+ start a\n  + config | mode: one\n-\n");
	call = ask("a", "ROM", "config", 0, 0);
	id = id_of(call);
	rom = world_answer(call)->cap;
	check(id && !status(world_invoke_cap("a", rom, ROM_SIGH, n)),
	      "a child watches its config");
	call = world_invoke("a", rom, ROM_DATASPACE, NULL, 0);
	check(!strcmp(world_memory(world_answer(call)->cap),
		      "config | mode: one\n-\n"), "reads it");
	world_config(CONFIG_TOP "+ start a\n  + config | mode: one\n-\n");
	check(!world_signals(n), "is not told when it is the same");
	world_config(CONFIG_TOP "+ start a\n  + config | mode: two\n-\n");
	check(world_signals(n) == 1 && world_starts("a") == 1, "is told of another");
	call = world_invoke("a", rom, ROM_DATASPACE, NULL, 0);
	check(!strcmp(world_memory(world_answer(call)->cap),
		      "config | mode: two\n-\n"), "and reads that");
	world_config(CONFIG_TOP "+ start a\n-\n");
	world_run(1000);
	check(world_starts("a") == 2, "a config that vanishes is another route");
}

static void test_services(void)
{
	int waiting;

	world_boot(CONFIG_TOP SERVER "+ start client\n-\n");
	announce("server", "Block");
	world_config(CONFIG_TOP "+ start server\n  + provides\n"
		     "    + service Nic\n    + service Block\n+ start client\n-\n");
	check(announce("server", "Nic") > 0 && world_starts("server") == 1,
	      "a service is added to a child that runs");
	waiting = ask("client", "Block", "", 0, 0);
	check(next("server").kind == PARENT_REQ_CREATE && status(waiting) == 1,
	      "the announced one stays, at another place");
	world_config(CONFIG_TOP "+ start server\n  + provides | + service Nic\n"
		     "+ start client\n-\n");
	world_run(3000);
	check(world_starts("server") == 2 && world_starts("client") == 2,
	      "a service taken away restarts both sides");
}

static void set(const char *quota)
{
	char config[1000];

	snprintf(config, sizeof(config), CONFIG_TOP "+ start a | %s\n-\n", quota);
	world_config(config);
}

static struct parent_resources resources(void)
{
	int call = world_call("a", PARENT_RESOURCES, NULL, 0, 0);
	struct parent_resources r = { .wanted = { 99, 99, 99 } };

	if (!status(call))
		memcpy(&r, world_answer(call)->data, sizeof(r));
	return r;
}

static void test_quota(void)
{
	struct parent_sigh sigh = { .signal = PARENT_SIGNAL_RESOURCES };
	struct parent_quota more = { .ram = 4 << 20, .caps = 7 };
	int n = world_notification();
	struct quota before, init;
	struct parent_resources r;

	world_boot(CONFIG_TOP "+ start a\n-\n");
	check(!status(world_call("a", PARENT_SIGH, &sigh, sizeof(sigh), n)),
	      "a child wants to know of its quota");
	before = world_assigned("a");
	init = world_limit();
	check(!status(world_call("a", PARENT_RESOURCE_REQUEST, &more,
				 sizeof(more), 0)) &&
	      world_logged("requests resources: ram 4194304, caps 7"),
	      "and says what it lacks");
	set("ram: 2M | caps: 150");
	check(differ(world_assigned("a"), before, 1 << 20, 50) &&
	      differ(init, world_limit(), 1 << 20, 50) && world_signals(n) == 1,
	      "more is given at once");
	set("ram: 1M | caps: 100");
	check(same(world_assigned("a"), before) && same(init, world_limit()) &&
	      world_signals(n) == 2, "what is unused is taken back at once");
	set("ram: 2M | caps: 150");
	world_use("a", (int64_t)world_unused("a").ram - (256 << 10));
	set("ram: 1M | caps: 100");
	r = resources();
	check(world_unused("a").ram == 16384 && r.wanted.ram &&
	      r.wanted.ram == (1 << 20) - (240 << 10) && !r.wanted.caps &&
	      r.assigned.ram == (1 << 20) + r.wanted.ram,
	      "of what it uses, it is told how much is wanted back");
	world_use("a", -(int64_t)r.wanted.ram);
	check(!status(world_call("a", PARENT_YIELD_RESPONSE, NULL, 0, 0)) &&
	      !resources().wanted.ram && same(world_assigned("a"), before) &&
	      same(init, world_limit()), "what it lets go of is taken");
	check(world_starts("a") == 1, "it ran all the time");
}

/* An upgrade that must wait for a downgrade. */
static void test_quota_waits(void)
{
	world_boot(CONFIG_TOP "+ start a | ram: 60M\n+ start b\n-\n");
	world_use("a", (int64_t)world_unused("a").ram);
	world_config(CONFIG_TOP "+ start a\n+ start b | ram: 50M\n-\n");
	check(world_assigned("b").ram < 5 << 20, "there is not enough yet");
	world_use("a", -(59 << 20));
	world_call("a", PARENT_YIELD_RESPONSE, NULL, 0, 0);
	check(world_assigned("b").ram > 49 << 20 && world_assigned("a").ram < 1 << 20,
	      "what one lets go of the other gets");
}

static void answer_beat(void)
{
	world_call("a", PARENT_HEARTBEAT_RESPONSE, NULL, 0, 0);
}

static void test_heartbeat(void)
{
	struct parent_sigh sigh = { .signal = PARENT_SIGNAL_HEARTBEAT };
	int n = world_notification(), i;

	world_boot(CONFIG_TOP "+ heartbeat | rate_ms: 100\n"
		   "+ start a | + heartbeat | restart_after_skipped: 3\n"
		   "+ start quiet\n-\n");
	world_call("a", PARENT_SIGH, &sigh, sizeof(sigh), n);
	for (i = 0; i < 20; i++) {
		world_run(100);
		answer_beat();
	}
	check(world_signals(n) == 20 && world_starts("a") == 1,
	      "a heartbeat each 100 ms");
	world_run(350);
	answer_beat();
	world_run(250);
	check(world_starts("a") == 1, "two skipped ones are forgiven");
	world_run(300);
	check(world_starts("a") == 2 && world_logged("skipped 3 heartbeats") &&
	      world_starts("quiet") == 1, "the third restarts who should answer");
	world_config(CONFIG_TOP "+ start a\n+ start quiet\n-\n");
	world_run(2000);
	check(world_starts("a") == 2, "without a rate there are none");
}

int main(void)
{
	begin();
	RUN(test_same);
	RUN(test_wrong);
	RUN(test_cpu);
	RUN(test_cpu_trade);
	RUN(test_cpu_client_dies);
	RUN(test_cpu_rate);
	RUN(test_cpu_yield);
	RUN(test_remove);
	RUN(test_route);
	RUN(test_restart);
	RUN(test_failed);
	RUN(test_config_rom);
	RUN(test_services);
	RUN(test_quota);
	RUN(test_quota_waits);
	RUN(test_heartbeat);
	return end();
}
