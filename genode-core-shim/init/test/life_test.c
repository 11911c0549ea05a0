// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: world.c world_core.c ../main.c ../apply.c ../child.c
 * ../balance.c ../session.c ../parent.c ../upward.c ../local.c ../report.c
 * ../config.c ../config_route.c ../config_self.c ../route.c ../restart.c ../quota.c
 * ../../lib/hid_fill.c ../../lib/hid.c ../../lib/hid_print.c
 * ../../lib/report.c ../../lib/rpc_cap.c ../../lib/service.c ../../lib/args.c
 * ../../lib/rom.c ../../lib/id_table.c */
/* Children: start, exit, restart, what init serves itself, wrong configs. */
#include <pith/hid.h>
#include <session/core.h>
#include <session/init_control.h>
#include "family.h"

static void test_boot(void)
{
	struct quota q;

	world_boot(usual);
	check(world_runs("server") && world_runs("client") &&
	      world_runs("other") && world_runs("control"), "all children run");
	q = world_assigned("server");
	check(q.ram == (1 << 20) - 2 * 16384 && q.caps == 100 - 2 * 8,
	      "a child's CPU and LOG sessions are paid from its quota");
	q = world_assigned("control");
	check(q.ram == (1 << 20) - 16384 && q.caps == 100 - 8 &&
	      world_logged("\"control\" starts without a log"),
	      "without a route to LOG there is none");
	check(!strcmp(world_last_label("LOG"), "other") &&
	      !strcmp(world_last_label("ROM"), "control") &&
	      !strcmp(world_last_args("CPU"), "priority=0, affinity=0"),
	      "labels and args at core");
	world_exit("server", 1);
	world_run(100);
	check(!strcmp(world_last_args("CPU"), "priority=16384, affinity=0") &&
	      world_starts("server") == 2, "priority of level -1");
	check(!strcmp(world_last_args("PD"), ""), "no managing_system for server");
	world_exit("client", 1);
	world_run(100);
	check(!strcmp(world_last_args("PD"), "managing_system=yes"),
	      "managing_system for who may");
}

static void test_too_often(void)
{
	int waiting, i;

	world_boot(CONFIG_TOP
		   "+ start server\n"
		   "  + provides | + service Block\n"
		   "  + restart | max: 3 | within_ms: 60000 | backoff_ms: 50\n"
		   "+ start client\n"
		   "-\n");
	waiting = ask("client", "Block", "", 0, 0);
	for (i = 0; i < 3; i++) {
		world_exit("server", 1);
		world_run(40ull << i);
		check(!world_runs("server"), "back-off %d", i);
		world_run(20ull << i);
		check(world_runs("server"), "restart %d", i);
	}
	check(status(waiting) == 1, "the client still waits");
	world_exit("server", 1);
	world_run(10000);
	check(!world_runs("server") && status(waiting) == -EPIPE &&
	      world_logged("stays down"), "then it stays down");
	check(status(ask("client", "Block", "", 0, 0)) == -EPIPE,
	      "who asks later hears so at once");
}

static void test_exits(void)
{
	int waiting;

	world_boot(CONFIG_TOP
		   "+ start done\n"
		   "  + provides | + service Block\n" RESTART
		   "+ start crash\n"
		   "+ start gone | + binary missing\n" RESTART
		   "+ start last | + exit | propagate: yes\n"
		   "-\n");
	check(!world_runs("gone") && world_logged("no ROM module \"missing\""),
	      "a program that does not exist");
	waiting = ask("crash", "Block", "", 0, 0);
	world_exit("done", 0);
	world_run(10000);
	check(!world_runs("done") && status(waiting) == -EPIPE,
	      "who ends with 0 stays ended");
	world_exit("crash", 139);
	world_run(10000);
	check(!world_runs("crash") && world_starts("crash") == 1 &&
	      world_starts("gone") == 0, "no policy, no restart");
	check(world_ended() == -1, "init goes on");
	world_exit("last", 7);
	world_run(10);
	check(world_ended() == 7, "and ends with the child it is bound to");
}

static void test_start_fails(void)
{
	static const char *const services[] = { "PD", "CPU", "ROM",
						"SCHED", "LOG" };
	struct quota limit;
	uint64_t caps;
	unsigned int fds, i;

	world_boot(usual);
	world_run(10);
	limit = world_limit();
	caps = world_init_caps();
	fds = world_fds();
	for (i = 0; i < 5; i++) {
		world_exit("server", 1);
		world_fail(services[i], -EDQUOT);
		world_run(60);
		check(world_runs("server") == (i == 4), "start without %s",
		      services[i]);
		world_run(500);
		check(world_runs("server") && world_init_caps() == caps &&
		      world_fds() == fds, "and another try");
		if (i != 4)
			check(same(limit, world_limit()), "with the same quota");
	}
}

/* Without descriptors for one more, a child waits for its turn. */
static void test_few_descriptors(void)
{
	struct quota limit;
	unsigned int fds;

	world_boot(usual);
	world_run(10);
	limit = world_limit();
	fds = world_fds();
	world_few_fds(100);
	world_exit("server", 1);
	world_exit("client", 1);
	world_run(10000);
	check(!world_runs("server") && !world_runs("client") &&
	      world_starts("server") == 1, "nobody starts");
	check(world_runs("other"), "who runs goes on");
	world_few_fds(0);
	world_run(600);
	check(world_runs("server") && world_runs("client") &&
	      same(limit, world_limit()) && world_fds() == fds,
	      "all do when there are some again, as if nothing had been");
	world_few_fds(100);
	world_exit("server", 1);
	world_run(1000);
	world_config(CONFIG_TOP "+ start late\n-\n");
	world_run(2000);
	check(!world_runs("late") && !world_runs("other"),
	      "one in line that is removed, and a new one");
	world_few_fds(0);
	world_run(600);
	check(world_runs("late") && world_starts("server") == 2,
	      "of which the new one starts");
}

static void test_log_of_child(void)
{
	struct parent_request r;

	world_boot(CONFIG_TOP
		   "+ start logger | + provides | + service LOG\n"
		   "  + route | + service LOG | + parent\n"
		   "+ start a\n  + route | + service LOG | + child logger\n"
		   RESTART
		   "+ start b\n  + route | + service LOG | + child logger\n"
		   "-\n");
	check(world_runs("logger") && !world_runs("a") && !world_runs("b"),
	      "children wait for the LOG that another serves");
	announce("logger", "LOG");
	r = next("logger");
	check(r.kind == PARENT_REQ_CREATE && !strcmp(r.label, "a"),
	      "init asks for it");
	check(!deliver("logger", r.id, 0, world_endpoint()) && world_runs("a") &&
	      !world_runs("b"), "with it the child starts");
	check(world_assigned("a").ram == (1 << 20) - 2 * 16384,
	      "its quota pays for it");
	check(status(end_session("a", r.id)) == -ENOENT,
	      "it cannot be closed by the child");
	r = next("logger");
	check(!deliver("logger", r.id, EACCES, 0) && world_runs("b") &&
	      world_logged("\"b\" starts without a log: Permission denied"),
	      "if it is refused there is none");
	check(world_assigned("b").ram == (1 << 20) - 16384 &&
	      world_assigned("b").caps == 100 - 8, "and it costs nothing");
	world_exit("a", 1);
	check(next("logger").kind == PARENT_REQ_CLOSE, "closed with the child");
	next("logger");
	world_run(100);
	check(!world_runs("a"), "and asked for again");
	world_exit("logger", 0);
	world_run(2000);
	check(world_runs("a"), "nobody to serve it: without");
}

#define LOGGER \
	"+ start logger | + provides | + service LOG\n" \
	"  + route | + service LOG | + parent\n" \
	"+ start a\n  + route | + service LOG | + child logger\n" \
	"  + restart | max: 2 | within_ms: 60000 | backoff_ms: 50\n" \
	"+ start control\n" \
	"  + route | + service Init_control | + local\n-\n"

static void test_log_too_late(void)
{
	struct parent_request r;

	world_boot(CONFIG_TOP LOGGER);
	world_run(4900);
	check(!world_runs("a"), "a LOG server has its time to announce");
	world_run(200);
	check(world_runs("a") && world_logged("a log: Connection timed out") &&
	      world_assigned("a").ram == (1 << 20) - 16384, "and no more");
	announce("logger", "LOG");
	check(next("logger").kind == PARENT_REQ_NONE, "then nobody asks");
	world_exit("a", 1);
	world_run(60);
	r = next("logger");
	check(r.kind == PARENT_REQ_CREATE && !world_runs("a"),
	      "the next time it fetches");
	world_run(5100);
	check(world_runs("a") && deliver("logger", r.id, 0, world_endpoint()) ==
	      -ENOENT && next("logger").kind == PARENT_REQ_NONE,
	      "and answers too late");
	world_exit("a", 1);
	world_run(110);
	r = next("logger");
	check(!deliver("logger", r.id, 0, world_endpoint()) && world_runs("a"),
	      "then in time");
	world_run(10000);
	check(world_starts("a") == 3, "which ends the wait");
}

static void test_kill_starting(void)
{
	struct parent_request r;
	struct quota limit;
	int control;

	world_boot(CONFIG_TOP LOGGER);
	world_run(100);
	limit = world_limit();
	control = world_answer(ask("control", "Init_control", "", 0, 0))->cap;
	check(!status(world_invoke("control", control, INIT_KILL, "a", 1)) &&
	      world_logged("\"a\" cannot be started: Operation canceled"),
	      "kill of a child that waits for its LOG");
	check(status(world_invoke("control", control, INIT_KILL, "a", 1)) ==
	      -ESRCH, "once");
	announce("logger", "LOG");
	check(next("logger").kind == PARENT_REQ_NONE, "it asks no more");
	world_run(60);
	r = next("logger");
	check(r.kind == PARENT_REQ_CREATE && !status(world_invoke("control",
		control, INIT_KILL, "a", 1)), "restarted, killed again");
	check(deliver("logger", r.id, 0, world_endpoint()) == -ENOENT,
	      "its server is told");
	next("logger");
	world_run(200);
	r = next("logger");
	check(!deliver("logger", r.id, 0, world_endpoint()) && world_runs("a") &&
	      world_limit().ram == limit.ram - (1 << 20) + QUOTA_SESSION_RAM,
	      "and it starts with all that it should have");
}

/* What returns from elsewhere during a start is not the child's. */
static void test_cost(void)
{
	world_boot(usual);
	world_return(64 << 10);
	world_exit("server", 1);
	world_run(100);
	check(world_assigned("server").ram == (1 << 20) - 2 * 16384 &&
	      world_assigned("server").caps == 100 - 2 * 8,
	      "quota that returns during a start changes no price");
}

/* One that waits for quota tries often and says so once. */
static void test_waits_silently(void)
{
	int64_t used;

	world_boot(CONFIG_TOP "+ start a | ram: 1M\n  + route | + any-service | "
		   "+ any-child\n" RESTART "-\n");
	world_exit("a", 1);
	used = (int64_t)world_init_unused().ram - QUOTA_KEEP_RAM - (64 << 10);
	world_init_use(used);
	world_run(600);
	check(world_logged("waits for quota"), "a start that lacks quota");
	world_run(5000);
	check(!world_runs("a") && !world_logged("child \"a\""),
	      "is tried again without a word");
	world_init_use(-used);
	world_run(600);
	check(world_runs("a"), "and goes on");
}

static void test_config_rom(void)
{
	struct rom_dataspace ds = { .size = 0 };
	struct quota before;
	int call, got;
	uint64_t caps;

	world_boot(usual);
	caps = world_init_caps();
	before = world_unused("client");
	call = ask("client", "ROM", "config", 4096, 2);
	check(!status(call) && world_answer(call)->cap, "ROM config is init's");
	got = world_invoke("client", world_answer(call)->cap, ROM_DATASPACE, NULL,
			   0);
	check(!status(got) && world_answer(got)->cap, "with its content");
	memcpy(&ds, world_answer(got)->data, sizeof(ds));
	check(ds.size && !strcmp(world_memory(world_answer(got)->cap),
				 "config | mode: fast\n+ sub a\n-\n") &&
	      ds.size == strlen(world_memory(world_answer(got)->cap)),
	      "the config node as a text");
	check(differ(before, world_unused("client"), 8192 + QUOTA_SESSION_RAM, 3),
	      "the client pays for it");
	got = world_invoke("client", world_answer(call)->cap, 2, NULL, 0);
	check(status(got) == -EINVAL, "no other method");
	check(!status(end_session("client", id_of(call))), "closed");
	check(!status(ask("client", "ROM", "config", 4096, 2)), "opened again");
	check(status(ask("other", "ROM", "config", 4096, 3)) == -ENOENT &&
	      status(ask("other", "ROM", "x -> config", 4096, 3)) == -ENOENT &&
	      status(ask("client", "ROM", "x -> config", 4096, 3)) == -ENOENT &&
	      strcmp(world_last_label("ROM"), "other -> config"),
	      "nobody gets init's own");
	check(!status(ask("other", "ROM", "config2", 4096, 3)) &&
	      !strcmp(world_last_label("ROM"), "other -> config2"),
	      "other modules are free");
	world_exit("client", 1);
	world_run(60);
	check(world_init_caps() == caps, "nothing of it stays");
}

static void test_config_relabel(void)
{
	world_boot("config\n+ parent-provides | + service ROM\n"
		   "+ start a | ram: 1M | caps: 100\n"
		   "  + route\n"
		   "    + service ROM | label: config | + parent "
		   "| label: a.config\n"
		   "    + service ROM | label: own | + parent | label: config\n"
		   "+ start config | ram: 1M | caps: 100\n"
		   "  + route | + service ROM | + parent\n-\n");
	check(!status(ask("a", "ROM", "config", 4096, 3)) &&
	      !strcmp(world_last_label("ROM"), "a.config"),
	      "a config from a module that the route names");
	check(!status(ask("a", "ROM", "own", 4096, 3)) &&
	      !strcmp(world_last_label("ROM"), "config"),
	      "init's own only if the route says so");
	check(status(ask("config", "ROM", "", 4096, 3)) == -ENOENT,
	      "a child's name does not help");
}

/* The child's node in the state report, which is read in parts. */
static const struct hid_node *state_of(const char *name, int control)
{
	static char text[256 << 10], arena[4 << 20];
	struct init_state req = { .offset = 0 };
	const struct hid_node *root, *n;
	struct init_state_reply rep = { .size = 1 };
	struct hid_error err;
	int call;

	while (req.offset < rep.size) {
		call = world_invoke("control", control, INIT_STATE, &req,
				    sizeof(req));
		if (status(call) || world_answer(call)->len <= sizeof(rep))
			return NULL;
		memcpy(&rep, world_answer(call)->data, sizeof(rep));
		memcpy(text + req.offset, world_answer(call)->data + sizeof(rep),
		       world_answer(call)->len - sizeof(rep));
		req.offset += world_answer(call)->len - sizeof(rep);
	}
	if (hid_parse(text, rep.size, arena, sizeof(arena), &root, &err))
		return NULL;
	for (n = hid_first(root, "child"); n; n = hid_next(n, "child"))
		if (hid_equal(hid_attr(n, "name")->value, name))
			return n;
	return NULL;
}

/* Its first own session: before it comes the LOG that it starts with. */
static const struct hid_node *own_session(const char *name, int control)
{
	const struct hid_node *n = state_of(name, control);

	n = hid_first(n, "session");
	return n ? hid_next(n, "session") : NULL;
}

static bool says(const struct hid_node *n, const char *tag, const char *value)
{
	return n && hid_attr(n, tag) && hid_equal(hid_attr(n, tag)->value, value);
}

static void test_control(void)
{
	struct init_state past = { .offset = 1 << 20 };
	const struct hid_node *n;
	int call, control, i, many[2];

	world_boot(usual);
	announce("server", "Block");
	open_block("client", 4096, 1);
	call = ask("control", "Init_control", "", 0, 0);
	control = world_answer(call)->cap;
	check(!status(call) && control, "Init_control");
	check(status(world_invoke("control", control, INIT_STATE, &past,
				  sizeof(past))) == -EINVAL &&
	      status(world_invoke("control", control, INIT_STATE, "", 1)) ==
	      -EINVAL && status(world_invoke("control", control, 9, "", 0)) ==
	      -EINVAL, "wrong requests");
	for (i = 0; i < 40; i++)
		ask("other", "IO_MEM", "0123456789012345678901234567890123456789",
		    0, 0);
	n = state_of("server", control);
	check(says(n, "state", "running") && says(n, "binary", "server") &&
	      says(n, "restarts", "0") && says(n, "cpu_ms", "5") &&
	      !hid_attr(n, "exited") && says(hid_first(n, "ram"), "assigned",
					     "1048576") &&
	      says(hid_first(n, "caps"), "quota", "85"), "state of a child");
	n = own_session("client", control);
	check(says(n, "name", "Block") && says(n, "label", "client -> x") &&
	      says(n, "server", "server") && says(n, "state", "open") &&
	      hid_number(n, "id", 0), "its sessions");
	check(status(world_invoke("control", control, INIT_KILL, "nobody", 6)) ==
	      -ENOENT && status(world_invoke("control", control, INIT_KILL, "", 0))
	      == -ENOENT, "no such child");
	check(!status(world_invoke("control", control, INIT_KILL, "server", 6)),
	      "kill");
	world_run(10);
	check(!world_runs("server") && status(world_invoke("control", control,
		INIT_KILL, "server", 7)) == -ESRCH, "killed");
	check(says(state_of("server", control), "state", "restarting"),
	      "restarting");
	world_run(60);
	n = state_of("server", control);
	check(says(n, "restarts", "1") && says(n, "exited", "137") &&
	      says(n, "state", "running"), "restarted");
	n = own_session("client", control);
	check(says(n, "state", "lost"), "its session is lost");
	for (i = 0; i < 2; i++)
		many[i] = ask("control", "Init_control", "", 0, 0);
	check(!status(many[0]) && status(many[1]) == -EBUSY,
	      "a bounded number of sessions");
	check(!status(end_session("control", id_of(many[0]))) &&
	      !status(ask("control", "Init_control", "", 0, 0)),
	      "which can be used again");
	check(status(world_invoke("control", world_answer(many[0])->cap,
				  INIT_STATE, &past, sizeof(past))) == -EBADF,
	      "a closed one is dead");
}

/* Clients with as many sessions as they may have, of long names. */
static void crowd(unsigned int nclients)
{
	static char config[8192];
	char name[16], label[140], service[PARENT_SERVICE_MAX + 8];
	unsigned int i, j;

	strcpy(config, "config\n+ default | caps: 80 | ram: 512K\n"
	       "+ default-route | + any-service | + any-child\n"
	       "+ start control\n  + route\n"
	       "    + service Init_control | + local\n"
	       "    + any-service | + any-child\n");
	for (i = 0; i < 4; i++)
		sprintf(config + strlen(config), "+ start the_server_of_a_service"
			"_%u\n  + provides | + service A_service_of_a_long_name_%u"
			"\n", i, i);
	for (i = 0; i < nclients; i++)
		sprintf(config + strlen(config), "+ start c%u\n", i);
	strcat(config, "-\n");
	world_boot(config);
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	for (i = 0; i < nclients; i++) {
		sprintf(name, "c%u", i);
		for (j = 0; j < 64; j++) {
			sprintf(service, "A_service_of_a_long_name_%u", j / 16);
			if (status(ask(name, service, label, 0, 0)) != 1)
				abort();
		}
	}
}

static void test_report_size(void)
{
	const struct hid_node *n;
	int control;

	crowd(3);
	control = world_answer(ask("control", "Init_control", "", 0, 0))->cap;
	n = state_of("c2", control);
	check(says(n, "state", "running") && hid_first(n, "session"),
	      "a report with room for the sessions");
}

static void test_large_report(void)
{
	const struct hid_node *n;
	int control;

	crowd(8);
	control = world_answer(ask("control", "Init_control", "", 0, 0))->cap;
	n = state_of("c7", control);
	check(says(n, "state", "running") && hid_first(n, "ram") &&
	      !hid_first(n, "session"), "without it the sessions are left out");
}

/* Restarts in all states of sessions leave nothing behind. */
static void test_soak(void)
{
	struct quota limit;
	uint64_t caps = 0, id, failed = 0;
	unsigned int fds = 0;
	int i;

	world_boot(usual);
	ask("control", "Init_control", "", 0, 0);
	limit = world_limit();
	for (i = 0; i < 3000; i++) {
		announce("server", "Block");
		announce("server", "Nic");
		ask("client", "ROM", "config", 4096, 1);
		ask("client", "IO_MEM", "", 4096, 3);
		ask("client", "Nic", "queued", 4096, 1);
		id = open_block("client", 8192, 2);
		ask("client", "Block", "pending", 4096, 1);
		next("server");
		if (i % 3)
			end_session("client", id);
		if (i % 5 == 0)
			next("server");
		if (i % 7 == 0)
			world_run(1500);
		world_exit(i & 1 ? "client" : "server", 1);
		if (i % 4 == 0 && world_runs("client"))
			world_exit("client", 1);
		if (i % 8 == 7 && world_runs("server"))
			world_exit("server", 1);
		world_run(1300);
		if (world_runs("client") && world_runs("server")) {
			world_exit("server", 1);
			world_exit("client", 1);
		}
		world_run(1300);
		if (i == 20) {
			limit = world_limit();
			caps = world_init_caps();
			fds = world_fds();
		}
		failed += !world_runs("client") || !world_runs("server");
		failed += i > 20 && (!same(limit, world_limit()) ||
				     world_init_caps() != caps ||
				     world_fds() != fds);
	}
	check(!failed, "3000 rounds of deaths, %llu not as before",
	      (unsigned long long)failed);
	check(world_starts("server") + world_starts("client") > 6000,
	      "with %u starts",
	      world_starts("server") + world_starts("client"));
}

static void test_wrong_config(void)
{
	world_boot(CONFIG_TOP "+ start a\n+ start b\n  + route\n"
		   "    + service ROM | + parnt\n-\n");
	check(!world_starts("a") && !world_starts("b") &&
	      world_logged("config:16:21: expected parent, child, any-child or "
			   "local, found 'parnt'"),
	      "a wrong config starts nothing");
	world_run(10000);
	check(world_ended() == -1 && !world_starts("a"), "and init stays idle");
}

static void test_too_large(void)
{
	world_boot(CONFIG_TOP "+ start a | ram: 60M\n+ start b | ram: 4M\n-\n");
	check(!world_starts("a") && world_logged("config:14:1: expected at most "
		"3096576 ram for 'b' (of 66011136 in all), found 4194304"),
	      "quotas that do not fit start nothing");
}

/* Programs whose server copies them: the child pays, and nothing stays. */
static void test_copied(void)
{
	unsigned int fds = 0;

	world_boot(CONFIG_TOP "+ start a | + binary copied\n" RESTART
		   "+ start b | + binary copied-endless\n"
		   "+ start c\n-\n");
	check(world_runs("a") && world_runs("c"), "a program that is copied");
	check(!world_runs("b") && world_logged("\"b\" cannot be started: Exec"),
	      "one that grows for ever is not waited for");
	world_run(1000);
	for (unsigned int i = 0; i < 2; i++) {
		fds = i ? fds : world_fds();
		world_exit("a", 1);
		world_run(3000);
	}
	check(world_starts("a") == 3 && world_fds() == fds,
	      "its memory is let go of");
}

int main(void)
{
	begin();
	RUN(test_boot);
	RUN(test_too_often);
	RUN(test_exits);
	RUN(test_start_fails);
	RUN(test_few_descriptors);
	RUN(test_log_of_child);
	RUN(test_log_too_late);
	RUN(test_kill_starting);
	RUN(test_cost);
	RUN(test_waits_silently);
	RUN(test_config_rom);
	RUN(test_config_relabel);
	RUN(test_control);
	RUN(test_report_size);
	RUN(test_large_report);
	RUN(test_soak);
	RUN(test_wrong_config);
	RUN(test_too_large);
	RUN(test_copied);
	return end();
}
