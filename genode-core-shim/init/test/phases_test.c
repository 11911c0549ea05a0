// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: world.c world_core.c ../main.c ../apply.c ../child.c
 * ../balance.c ../session.c ../parent.c ../upward.c ../local.c ../report.c
 * ../config.c ../config_route.c ../config_self.c ../route.c ../restart.c
 * ../quota.c ../../lib/hid_fill.c ../../lib/hid.c
 * ../../lib/hid_print.c ../../lib/report.c ../../lib/rpc_cap.c ../../lib/service.c
 * ../../lib/args.c ../../lib/rom.c ../../lib/id_table.c */
/*
 * One init, one config after the other, each a change of a kind of its own, as a
 * user of Genode's init would make them; who was started anew is known by its id.
 * What is forwarded for the parent's clients: ktest/scenarios/init_nested.
 */
#include <pith/hid.h>
#include <session/core.h>
#include <session/init_control.h>
#include "family.h"

#define VIEWER "+ start viewer\n  + route\n" \
	"    + service Init_control | + local\n    + any-service | + parent\n"

static int control;

/* The state report. */
static const char *report(void)
{
	static char text[65536];
	struct init_state req = { .offset = 0 };
	struct init_state_reply rep = { .size = 1 };
	const struct answer *a;

	if (!control)
		control = world_answer(ask("viewer", "Init_control", "", 0,
					   0))->cap;
	while (req.offset < rep.size && req.offset + 4096 < sizeof(text)) {
		a = world_answer(world_invoke("viewer", control, INIT_STATE, &req,
					      sizeof(req)));
		if (a->status || a->len <= sizeof(rep))
			return "";
		memcpy(&rep, a->data, sizeof(rep));
		memcpy(text + req.offset, a->data + sizeof(rep),
		       a->len - sizeof(rep));
		req.offset += a->len - sizeof(rep);
	}
	text[req.offset] = '\0';
	return text;
}

/* What the report says of @child from @tag on, or "". */
static const char *of(const char *child, const char *tag)
{
	char node[64];
	const char *at, *end;

	snprintf(node, sizeof(node), "+ child %s |", child);
	at = strstr(report(), node);
	end = at ? strstr(at + 1, "\n+ child") : NULL;
	at = at ? strstr(at, tag) : NULL;
	return at && (!end || at < end) ? at : "";
}

static unsigned long id(const char *child)
{
	return strtoul(of(child, "| id: ") + 5, NULL, 10);
}

static bool says(const char *child, const char *text)
{
	return *of(child, text) != '\0';
}

static void test_states(void)
{
	world_boot(CONFIG_TOP VIEWER "+ start a | ram: 2M\n-\n");
	check(says("a", "state: running") && says("a", "assigned: 2097152"),
	      "1: the state report");
	world_exit("a", 42);
	world_run(10);
	check(says("a", "state: exited") && says("a", "exited: 42"),
	      "2: the exit value");
}

static void test_log_route(void)
{
	struct parent_request r;
	unsigned long was;

	world_boot(CONFIG_TOP VIEWER "+ start logger | + provides | + service LOG\n"
		   "  + route | + service LOG | + parent\n+ start a\n-\n");
	was = id("logger");
	announce("logger", "LOG");
	world_config(CONFIG_TOP VIEWER
		     "+ start logger | + provides | + service LOG\n"
		     "  + route | + service LOG | + parent\n+ start a\n"
		     "  + route\n    + service LOG | + child logger\n"
		     "    + any-service | + parent\n-\n");
	world_run(100);
	r = next("logger");
	check(r.kind == PARENT_REQ_CREATE && !strcmp(r.label, "a") &&
	      says("a", "state: starting"), "3: LOG goes to a child");
	world_config(CONFIG_TOP VIEWER
		     "+ start logger | + provides | + service LOG\n"
		     "  + route | + service LOG | + parent\n-\n");
	check(!says("a", "state"), "17: removed while its LOG is asked for");
	check(deliver("logger", r.id, 0, world_endpoint()) == -ENOENT &&
	      id("logger") == was && next("logger").kind == PARENT_REQ_NONE,
	      "whose server is told, and goes on");
}

#define CHAIN(first) CONFIG_TOP VIEWER \
	"+ start src1 | + provides | + service Block\n" \
	"+ start src2 | + provides | + service Block\n" \
	"+ start mid | + provides | + service Nic\n  + route\n" \
	"    + service Block | + child " first "\n" \
	"    + any-service | + parent\n" \
	"+ start end\n  + route\n    + service Nic | + child mid\n" \
	"    + any-service | + parent\n-\n"

/* @client's session of @service at @server, which answers. */
static int served(const char *client, const char *server, const char *service)
{
	int call;

	announce(server, service);
	call = ask(client, service, "", 0, 0);
	deliver(server, next(server).id, 0, world_endpoint());
	return call;
}

static void test_indirect(void)
{
	unsigned long src1, mid, end;
	int nic;

	world_boot(CHAIN("src1"));
	check(!status(served("mid", "src1", "Block")), "a chain of servers");
	nic = served("end", "mid", "Nic");
	src1 = id("src1");
	mid = id("mid");
	end = id("end");
	world_config(CHAIN("src2"));
	world_run(2000);
	next("src1");
	world_run(100);
	check(id("src1") == src1 && id("mid") != mid && id("end") == end,
	      "4: who is routed elsewhere is restarted, and nobody else");
	check(world_logged("\"mid\" restarts: its routes changed") &&
	      !status(end_session("end", id_of(nic))),
	      "its client closes the session that was lost");
	check(!status(served("end", "mid", "Nic")) &&
	      !status(served("mid", "src2", "Block")), "and all is there again");
}

#define PROVIDES(services, more) CONFIG_TOP VIEWER \
	"+ start a" more "\n  + provides\n" services "-\n"

static void test_services(void)
{
	unsigned long was;

	world_boot(PROVIDES("    + service Block\n", ""));
	announce("a", "Block");
	was = id("a");
	check(announce("a", "Nic") < 0, "a service it may not have");
	world_config(PROVIDES("    + service Nic\n    + service Block\n", ""));
	check(announce("a", "Nic") > 0 && id("a") == was &&
	      says("a", "service Block | announced: yes"),
	      "5: a service more is no reason to restart");
	world_config(PROVIDES("    + service Nic\n", ""));
	world_run(100);
	check(id("a") != was, "a service less is");
	was = id("a");
	world_config(PROVIDES("    + service Nic\n", " | + binary b"));
	world_run(100);
	check(id("a") != was && says("a", "binary: b"), "7: another program");
}

#define LABELLED(label) CONFIG_TOP VIEWER \
	"+ start s | + provides | + service Block\n" \
	"+ start a\n  + config | text: x\n  + route\n" \
	"    + service Block | + child s" label "\n" \
	"    + any-service | + parent\n-\n"

static void test_labels(void)
{
	unsigned long was;
	int call;

	world_boot(LABELLED(""));
	served("a", "s", "Block");
	was = id("a");
	world_config(LABELLED(" | resource: disk"));
	world_run(2000);
	next("s");
	world_run(100);
	check(id("a") != was, "7: a label that is rewritten");
	call = ask("a", "Block", "", 0, 0);
	check(!strcmp(next("s").label, "a -> disk") && status(call) == 1,
	      "is what the server sees");
}

#define SIZES(top, quota) CONFIG_TOP top VIEWER "+ start a" quota "\n-\n"

static void test_quota(void)
{
	struct quota was;

	world_boot(SIZES("", " | ram: 2M | caps: 200"));
	was = world_assigned("a");
	world_config(SIZES("+ resource RAM | preserve: 63M\n",
			   " | ram: 2M | caps: 200"));
	check(world_logged("expected at most") && same(was, world_assigned("a")),
	      "8: what init shall keep is not there to be assigned");
	world_config(SIZES("", " | ram: 4M | caps: 200"));
	check(differ(world_assigned("a"), was, 2 << 20, 0), "9: more RAM");
	world_config(SIZES("", " | ram: 2M | caps: 200"));
	check(same(world_assigned("a"), was), "less");
	world_config(SIZES("", " | ram: 2M | caps: 300"));
	check(differ(world_assigned("a"), was, 0, 100), "10: more capabilities");
	world_config(SIZES("", " | ram: 2M | caps: 150"));
	check(differ(was, world_assigned("a"), 0, 50), "less");
	world_config(SIZES("+ affinity-space | width: 2\n",
			   "\n  + affinity | xpos: 2"));
	check(world_logged("expected xpos of 0 to 1, found 2") &&
	      world_runs("a"), "18: CPUs outside of the affinity space");
}

static void test_any_child(void)
{
	static const char one[] = CONFIG_TOP VIEWER
		"+ start s1 | + provides | + service Block\n+ start a\n-\n";
	static const char two[] = CONFIG_TOP VIEWER
		"+ start s1 | + provides | + service Block\n"
		"+ start s2 | + provides | + service Block\n+ start a\n-\n";
	unsigned long was;

	world_boot(one);
	check(!status(served("a", "s1", "Block")), "any child that provides it");
	was = id("a");
	world_config(two);
	world_run(2000);
	next("s1");
	world_run(100);
	check(id("a") != was && status(ask("a", "Block", "", 0, 0)) == -ENOENT &&
	      world_logged("several children provide it"),
	      "14: is none if there are two");
	was = id("a");
	world_config(one);
	check(id("a") == was && !status(served("a", "s1", "Block")),
	      "and is again, without a restart");
}

static void test_stalled(void)
{
	int call;

	world_boot(CONFIG_TOP VIEWER
		   "+ start s | + provides | + service Block\n+ start a\n-\n");
	call = ask("a", "Block", "", 4096, 1);
	world_run(60000);
	check(status(call) == 1, "12: a request waits for who will announce");
	announce("s", "Block");
	check(!deliver("s", next("s").id, 0, world_endpoint()) && !status(call),
	      "however late that is");
	call = end_session("a", id_of(call));
	check(status(call) == 1, "a close waits too");
	world_config(CONFIG_TOP VIEWER
		     "+ start s | + provides | + service Block\n-\n");
	world_run(2000);
	check(!world_runs("a") && world_runs("s") &&
	      next("s").kind == PARENT_REQ_CLOSE &&
	      next("s").kind == PARENT_REQ_NONE,
	      "19: its client is removed meanwhile");
}

#define WAITS "+ start a\n  + route\n    + service Block | + child s\n" \
	"    + any-service | + parent\n"
#define COMES "+ start s | + provides | + service Block\n"

static void test_future(void)
{
	struct quota limit;
	unsigned long was;
	int call, call2;

	world_boot(CONFIG_TOP VIEWER "-\n");
	report();
	limit = world_limit();
	world_config(CONFIG_TOP VIEWER WAITS "-\n");
	was = id("a");
	check(world_logged("no start node 's' yet"), "a route to who is to come");
	call = ask("a", "Block", "x", 4096, 1);
	world_run(60000);
	check(status(call) == 1 && says("a", "server: later"),
	      "12: a request waits for a start node");
	world_config(CONFIG_TOP VIEWER WAITS "+ start other\n-\n");
	check(status(call) == 1 && id("a") == was, "as long as that takes");
	world_config(CONFIG_TOP VIEWER WAITS COMES "-\n");
	check(status(call) == 1 && id("a") == was && says("a", "server: s"),
	      "it is there, and has announced nothing");
	announce("s", "Block");
	check(!strcmp(next("s").label, "a -> x") && next("s").kind ==
	      PARENT_REQ_NONE, "it gets the request that has waited");
	world_exit("s", 1);
	world_config(CONFIG_TOP VIEWER WAITS "-\n");
	world_run(2000);
	check(id("a") != was || status(call) == -EPIPE,
	      "it goes, and so does the request");
	call = ask("a", "Block", "x", 4096, 1);
	call2 = ask("a", "Block", "y", 4096, 1);
	world_give_up(call2);
	check(status(call) == 1, "the next one waits again");
	world_config(CONFIG_TOP VIEWER WAITS COMES "-\n");
	announce("s", "Block");
	check(!deliver("s", next("s").id, 0, world_endpoint()) && !status(call),
	      "and is answered");
	check(deliver("s", next("s").id, 0, world_endpoint()) == -ENOENT,
	      "whose client has given up is told so");
	next("s");
	world_config(CONFIG_TOP VIEWER WAITS "-\n");
	world_run(2000);
	call = ask("a", "Block", "x", 4096, 1);
	check(status(call) == 1, "once more");
	world_config(CONFIG_TOP VIEWER "-\n");
	world_run(2000);
	check(!world_runs("a") && same(limit, world_limit()),
	      "a client that waits is removed, and all comes back");
}

/* The LOG of a child may be served by one that is to come, too. */
static void test_future_log(void)
{
	static const char config[] = CONFIG_TOP VIEWER "+ start a\n"
		"  + route\n    + service LOG | + child logger\n"
		"    + any-service | + parent\n";
	char text[1024];

	snprintf(text, sizeof(text), "%s-\n", config);
	world_boot(text);
	check(!world_runs("a"), "a child waits for a logger that is to come");
	snprintf(text, sizeof(text), "%s+ start logger | + provides | + service "
		 "LOG\n  + route | + service LOG | + parent\n-\n", config);
	world_config(text);
	announce("logger", "LOG");
	check(!deliver("logger", next("logger").id, 0, world_endpoint()) &&
	      world_runs("a"), "and starts with its log");
	snprintf(text, sizeof(text), "%s-\n", config);
	world_config(text);
	world_run(2000);
	check(!world_runs("a"), "which is gone: a new start waits");
	world_run(5000);
	check(world_runs("a"), "for its time, and goes without");
}

int main(void)
{
	begin();
	RUN(test_states);
	RUN(test_log_route);
	RUN(test_indirect);
	RUN(test_services);
	RUN(test_labels);
	RUN(test_quota);
	RUN(test_any_child);
	RUN(test_stalled);
	RUN(test_future);
	RUN(test_future_log);
	return end();
}
