// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: world.c ../main.c ../child.c ../session.c ../parent.c ../local.c ../report.c ../config.c ../config_route.c ../route.c ../restart.c ../quota.c ../../lib/hid.c ../../lib/hid_print.c ../../lib/args.c */
/*
 * init as a whole, in a played world: each group boots it anew in a process of
 * its own, whose end also looks for lost memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pith/hid.h>
#include <session/core.h>
#include <session/init_control.h>
#include "world.h"
#include "tap.h"

#define CONFIG_TOP \
	"config | prio_levels: 4\n" \
	"+ parent-provides\n" \
	"  + service ROM\n" \
	"  + service LOG\n" \
	"  + service PD\n" \
	"  + service CPU\n" \
	"  + service IO_MEM\n" \
	"+ default | caps: 100 | ram: 1M\n" \
	"+ default-route\n" \
	"  + any-service\n" \
	"    + parent\n" \
	"    + any-child\n"

#define RESTART "  + restart | max: 32 | within_ms: 1 | backoff_ms: 50\n"

static const char usual[] = CONFIG_TOP
	"+ start server | priority: -1\n"
	"  + provides\n"
	"    + service Block\n"
	"    + service Nic\n"
	RESTART
	"+ start client | managing_system: yes\n"
	"  + config | mode: fast\n"
	"    + sub a\n"
	RESTART
	"+ start other\n"
	"+ start control\n"
	"  + route\n"
	"    + service Init_control | + local\n"
	"    + any-service          | + any-child\n"
	"-\n";

/* --- short forms ------------------------------------------------------------------- */

static int ask(const char *child, const char *service, const char *label,
	       uint64_t ram, uint64_t caps)
{
	struct parent_session req = { .ram = ram, .caps = caps };

	strncpy(req.service, service, sizeof(req.service));
	strncpy(req.label, label, sizeof(req.label));
	return world_call(child, PARENT_SESSION, &req, sizeof(req), 0);
}

static int status(int call)
{
	const struct answer *a = world_answer(call);

	return a->done ? a->status : 1;		/* 1: it still waits */
}

static uint64_t id_of(int call)
{
	const struct answer *a = world_answer(call);
	struct parent_session_reply rep = { .id = 0 };

	if (a->done && !a->status && a->len == sizeof(rep))
		memcpy(&rep, a->data, sizeof(rep));
	return rep.id;
}

static int end_session(const char *child, uint64_t id)
{
	struct parent_id req = { .id = id };

	return world_call(child, PARENT_CLOSE, &req, sizeof(req), 0);
}

static int announce(const char *child, const char *service)
{
	struct parent_announce req = { .service = "" };
	int n = world_notification();

	strncpy(req.service, service, sizeof(req.service));
	return status(world_call(child, PARENT_ANNOUNCE, &req, sizeof(req), n)) ?
	       -1 : n;
}

static struct parent_request next(const char *child)
{
	struct parent_request req = { .kind = 99 };
	int call = world_call(child, PARENT_NEXT_REQUEST, NULL, 0, 0);

	if (!status(call))
		memcpy(&req, world_answer(call)->data, sizeof(req));
	return req;
}

static int deliver(const char *child, uint64_t id, int how, int cap)
{
	struct parent_deliver req = { .id = id, .status = how };

	return status(world_call(child, PARENT_DELIVER, &req, sizeof(req), cap));
}

/* An open Block session of @client at "server", which is announced. */
static uint64_t open_block(const char *client, uint64_t ram, uint64_t caps)
{
	int call = ask(client, "Block", "x", ram, caps);
	struct parent_request r = next("server");

	if (r.kind != PARENT_REQ_CREATE ||
	    deliver("server", r.id, 0, world_endpoint()))
		return 0;
	return id_of(call);
}

static bool same(struct quota a, struct quota b)
{
	return a.ram == b.ram && a.caps == b.caps;
}

static bool differ(struct quota more, struct quota less, uint64_t ram,
		   uint64_t caps)
{
	return more.ram == less.ram + ram && more.caps == less.caps + caps;
}

/* --- groups ------------------------------------------------------------------------- */

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
	      !strcmp(world_last_args("CPU"), "priority=0"),
	      "labels and args at core");
	world_exit("server", 1);
	world_run(100);
	check(!strcmp(world_last_args("CPU"), "priority=16384") &&
	      world_starts("server") == 2, "priority of level -1");
	check(!strcmp(world_last_args("PD"), ""), "no managing_system for server");
	world_exit("client", 1);
	world_run(100);
	check(!strcmp(world_last_args("PD"), "managing_system=yes"),
	      "managing_system for who may");
}

static void test_parent_session(void)
{
	struct parent_session req = { .service = "PD", .ram = 4096, .caps = 1 };
	struct quota before, init_before;
	int call;

	world_boot(usual);
	before = world_unused("other");
	init_before = world_limit();
	call = ask("other", "IO_MEM", "fb", 8192, 3);
	check(!status(call) && id_of(call) && world_answer(call)->cap &&
	      !strcmp(world_last_label("IO_MEM"), "other -> fb"),
	      "session at the parent");
	check(differ(before, world_unused("other"), 8192, 4) &&
	      differ(world_limit(), init_before, 0, 1),
	      "the donation goes to the parent, one capability to init");
	check(!status(end_session("other", id_of(call))) &&
	      same(before, world_unused("other")) &&
	      same(init_before, world_limit()), "and comes back");
	check(status(end_session("other", id_of(call))) == -ENOENT,
	      "closed once only");
	world_fail("IO_MEM", -EACCES);
	check(status(ask("other", "IO_MEM", "", 8192, 3)) == -EACCES &&
	      same(before, world_unused("other")), "refused by the parent");
	strcpy(req.args, "managing_system=yes");
	check(!status(world_call("other", PARENT_SESSION, &req, sizeof(req), 0)) &&
	      !strcmp(world_last_args("PD"), ""),
	      "managing_system is taken from who may not have it");
	check(!status(world_call("client", PARENT_SESSION, &req, sizeof(req), 0)) &&
	      !strcmp(world_last_args("PD"), "managing_system=yes"),
	      "and left to who may");
}

static void test_verbose(void)
{
	world_boot("config | verbose: yes\n"
		   "+ parent-provides | + service ROM\n"
		   "+ start a | ram: 1M | caps: 100\n"
		   "  + provides | + service Block\n"
		   "+ start b | ram: 1M | caps: 100\n"
		   "  + route\n"
		   "    + service ROM   | + parent\n"
		   "    + service Block | + child a\n-\n");
	ask("b", "Block", "x", 0, 0);
	check(world_logged("child \"b\": Block \"b -> x\" goes to a"),
	      "verbose tells of requests");
	ask("b", "ROM", "y", 0, 0);
	check(world_logged("child \"b\": ROM \"b -> y\" goes to parent"),
	      "and where they go");
}

static void test_child_session(void)
{
	struct quota client, server;
	struct parent_request r;
	int call, n, closing;

	world_boot(usual);
	client = world_unused("client");
	server = world_unused("server");
	call = ask("client", "Block", "disk", 16384, 8);
	check(status(call) == 1 && differ(client, world_unused("client"), 16384,
					  9) && same(server, world_unused("server")),
	      "a request waits for the server to announce");
	check(next("server").kind == PARENT_REQ_NONE,
	      "nothing to fetch before the service is announced");
	n = announce("server", "Block");
	check(n > 0 && world_signals(n) == 1, "announced, and told at once");
	r = next("server");
	check(r.kind == PARENT_REQ_CREATE && !strcmp(r.service, "Block") &&
	      !strcmp(r.label, "client -> disk") && r.ram == 16384 && r.caps == 8
	      && differ(world_unused("server"), server, 16384, 8),
	      "the request with its donation");
	check(next("server").kind == PARENT_REQ_NONE && status(call) == 1,
	      "fetched once");
	check(deliver("server", r.id, 0, 0) == -EINVAL && status(call) == 1,
	      "an answer without a capability is none");
	check(!deliver("server", r.id, 0, world_endpoint()) && !status(call) &&
	      id_of(call) == r.id && world_answer(call)->cap, "delivered");
	check(deliver("server", r.id, 0, world_endpoint()) == -ENOENT,
	      "delivered once only");
	closing = end_session("client", r.id);
	check(status(closing) == 1 && world_signals(n) == 2,
	      "close waits for the server");
	check(status(end_session("client", r.id)) == -ENOENT,
	      "a session that is being closed cannot be closed again");
	r = next("server");
	check(r.kind == PARENT_REQ_CLOSE && r.id == id_of(call) &&
	      status(closing) == 1, "the server fetches the close");
	check(next("server").kind == PARENT_REQ_NONE && !status(closing) &&
	      same(client, world_unused("client")) &&
	      same(server, world_unused("server")),
	      "and is done with it when it asks again: all is given back");
}

static void test_refusals(void)
{
	struct quota client, server;
	struct parent_request r;
	int call;

	world_boot(usual);
	announce("server", "Block");
	client = world_unused("client");
	server = world_unused("server");
	call = ask("client", "Block", "", 4096, 1);
	r = next("server");
	check(!deliver("server", r.id, EBUSY, 0) && status(call) == -EBUSY &&
	      same(client, world_unused("client")) &&
	      same(server, world_unused("server")),
	      "the server's refusal and the donation reach the client");
	check(status(ask("client", "Block", "", 1 << 20, 0)) == -EDQUOT &&
	      status(ask("client", "Block", "", 0, client.caps)) == -EDQUOT &&
	      same(client, world_unused("client")),
	      "a donation that is not there changes nothing");
	check(status(ask("client", "Block", "", client.ram, client.caps - 1)) == 1,
	      "all that is there can be donated");
	check(status(ask("other", "Block", "", 4095, 0)) == -EINVAL &&
	      status(ask("other", "Block", "", 0, UINT64_MAX)) == -EINVAL,
	      "donations that cannot be");
	check(status(ask("control", "IO_MEM", "", 0, 0)) == -ENOENT &&
	      world_logged("no route to service IO_MEM"), "no route");
	check(status(ask("other", "Init_control", "", 0, 0)) == -ENOENT,
	      "Init_control is for who has the route");
}

static void test_client_dies(void)
{
	struct quota server, init_limit;
	struct parent_request r;
	uint64_t id, pending;

	world_boot(usual);
	announce("server", "Block");
	server = world_unused("server");
	world_run(10);
	init_limit = world_limit();
	id = open_block("client", 4096, 1);
	ask("client", "Block", "second", 4096, 1);
	pending = next("server").id;
	ask("client", "Block", "third", 4096, 1);
	world_exit("client", 139);
	check(world_logged("child \"client\" exited with exit value 139"),
	      "the exit is logged");
	world_run(300);
	check(!world_runs("client"), "no restart while servers close");
	r = next("server");
	check(r.kind == PARENT_REQ_CLOSE && r.id == id,
	      "the dead client's session is to be closed");
	check(next("server").kind == PARENT_REQ_NONE,
	      "what was not fetched is not heard of");
	check(deliver("server", pending, 0, world_endpoint()) == -ENOENT,
	      "the client has given up");
	next("server");
	check(same(server, world_unused("server")), "the server gives all back");
	world_run(60);
	check(world_runs("client") && same(init_limit, world_limit()),
	      "restarted with what it had");
	open_block("client", 4096, 1);
	world_exit("client", 1);
	world_run(1200);
	check(world_starts("client") == 3, "a server that sleeps is not waited for");
	ask("client", "Block", "new", 4096, 1);
	check(next("server").kind == PARENT_REQ_CLOSE &&
	      next("server").kind == PARENT_REQ_CREATE,
	      "the old session's close comes before the new one");
}

static void test_server_dies(void)
{
	struct quota client;
	struct parent_request r;
	int pending, queued;
	uint64_t id;

	world_boot(usual);
	client = world_unused("client");
	announce("server", "Block");
	id = open_block("client", 4096, 1);
	pending = ask("client", "Block", "p", 4096, 1);
	r = next("server");
	queued = ask("client", "Block", "q", 4096, 1);
	world_exit("server", 137);
	check(status(pending) == 1 && status(queued) == 1, "requests stay");
	check(differ(client, world_unused("client"), 8192, 5),
	      "the open session's donation is back at once");
	check(!status(end_session("client", id)) &&
	      differ(client, world_unused("client"), 8192, 4),
	      "a lost session is closed at once");
	check(next("client").kind == PARENT_REQ_NONE, "others have no requests");
	world_run(60);
	check(world_runs("server") && next("server").kind == PARENT_REQ_NONE,
	      "the new one has not announced yet");
	announce("server", "Block");
	r = next("server");
	check(r.kind == PARENT_REQ_CREATE && !strcmp(r.label, "client -> p"),
	      "the request that was being handled comes again");
	check(!deliver("server", r.id, 0, world_endpoint()) && !status(pending),
	      "and is answered");
	r = next("server");
	check(!strcmp(r.label, "client -> q") && !deliver("server", r.id, EIO, 0)
	      && status(queued) == -EIO, "then the other");
	id = open_block("client", 4096, 1);
	end_session("client", id);
	check(next("server").kind == PARENT_REQ_CLOSE, "a close is being handled");
	world_exit("server", 1);
	check(status(end_session("client", id)) == -ENOENT,
	      "its end is the end of the session");
	world_run(60);
	end_session("client", id_of(pending));
	check(same(client, world_unused("client")), "all came back");
}

static void test_given_up(void)
{
	struct quota client;
	struct parent_request r;
	int call;

	world_boot(usual);
	announce("server", "Block");
	client = world_unused("client");
	call = ask("client", "Block", "", 8192, 2);
	world_give_up(call);
	r = next("server");
	check(deliver("server", r.id, 0, world_endpoint()) == -ENOENT,
	      "the server is told that nobody waits");
	check(next("server").kind == PARENT_REQ_NONE &&
	      same(client, world_unused("client")),
	      "and the donation comes back");
}

static void test_slow_server(void)
{
	struct quota client;
	uint64_t id;
	int call;

	world_boot(usual);
	announce("server", "Block");
	client = world_unused("client");
	id = open_block("client", 65536, 4);
	call = end_session("client", id);
	world_run(900);
	check(status(call) == 1, "close waits");
	world_run(200);
	check(!status(call) && differ(client, world_unused("client"), 65536, 5),
	      "but not for long; the donation comes later");
	world_use("server", (int64_t)world_unused("server").ram - 4096);
	next("server");
	next("server");
	check(differ(client, world_unused("client"), 65536 - 4096, 1),
	      "what the server does not use comes first");
	world_use("server", -131072);
	next("server");
	check(same(client, world_unused("client")), "the rest when it can");
}

/* A server keeps a dead client's donation: others do not suffer from that. */
static void test_greedy_server(void)
{
	uint64_t total, i;

	world_boot(CONFIG_TOP
		   "+ start server | ram: 16M | caps: 200\n"
		   "  + provides | + service Block\n"
		   "+ start client | ram: 40M | caps: 400\n"
		   "  + restart | max: 3 | within_ms: 600000\n"
		   "+ start other\n" RESTART "-\n");
	announce("server", "Block");
	open_block("client", 36 << 20, 10);
	world_use("server", (int64_t)world_unused("server").ram);
	world_exit("client", 9);
	next("server");
	next("server");
	world_run(2000);
	check(!world_runs("client") && world_logged("waits for quota"),
	      "without its quota the client does not start");
	total = world_limit().ram;
	for (i = 0; i < 5; i++) {
		world_exit("other", 1);
		world_run(200);
	}
	check(world_runs("other") && world_limit().ram == total,
	      "the others do");
	world_use("server", -(40 << 20));
	next("server");
	world_run(600);
	check(world_runs("client"), "once the server lets go it starts");
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
	static const char *const services[] = { "PD", "CPU", "ROM", "LOG" };
	struct quota limit;
	uint64_t caps;
	unsigned int fds, i;

	world_boot(usual);
	world_run(10);
	limit = world_limit();
	caps = world_init_caps();
	fds = world_fds();
	for (i = 0; i < 4; i++) {
		world_exit("server", 1);
		world_fail(services[i], -EDQUOT);
		world_run(60);
		check(world_runs("server") == (i == 3), "start without %s",
		      services[i]);
		world_run(500);
		check(world_runs("server") && world_init_caps() == caps &&
		      world_fds() == fds - (i == 3), "and another try");
		if (i != 3)
			check(same(limit, world_limit()), "with the same quota");
	}
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
	      world_logged("\"b\" starts without a log"),
	      "if it is refused there is none");
	world_exit("a", 1);
	check(next("logger").kind == PARENT_REQ_CLOSE, "closed with the child");
	next("logger");
	world_run(100);
	check(!world_runs("a"), "and asked for again");
	world_exit("logger", 0);
	world_run(2000);
	check(world_runs("a"), "nobody to serve it: without");
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
	check(differ(before, world_unused("client"), 8192, 3),
	      "the client pays for it");
	got = world_invoke("client", world_answer(call)->cap, 2, NULL, 0);
	check(status(got) == -EINVAL, "no other method");
	check(!status(end_session("client", id_of(call))), "closed");
	check(!status(ask("client", "ROM", "config", 4096, 2)), "opened again");
	check(!status(ask("other", "ROM", "config", 0, 0)) &&
	      !strcmp(world_last_label("ROM"), "other -> config"),
	      "who has no config node asks the parent");
	world_exit("client", 1);
	world_run(60);
	check(world_init_caps() == caps, "nothing of it stays");
}

/* The child's node in the state report, which is read in parts. */
static const struct hid_node *state_of(const char *name, int control)
{
	static char text[65536], arena[262144];
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

static bool says(const struct hid_node *n, const char *tag, const char *value)
{
	return n && hid_attr(n, tag) && hid_equal(hid_attr(n, tag)->value, value);
}

static void test_control(void)
{
	struct init_state past = { .offset = 1 << 20 };
	const struct hid_node *n;
	int call, control, i, many[9];

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
	n = hid_first(state_of("client", control), "session");
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
	n = hid_first(state_of("client", control), "session");
	check(says(n, "state", "lost"), "its session is lost");
	for (i = 0; i < 9; i++)
		many[i] = ask("control", "Init_control", "", 0, 0);
	check(!status(many[6]) && status(many[7]) == -EBUSY &&
	      status(many[8]) == -EBUSY, "a bounded number of sessions");
	check(!status(end_session("control", id_of(many[0]))) &&
	      !status(ask("control", "Init_control", "", 0, 0)),
	      "which can be used again");
	check(status(world_invoke("control", world_answer(many[0])->cap,
				  INIT_STATE, &past, sizeof(past))) == -EBADF,
	      "a closed one is dead");
}

static void test_hostile(void)
{
	struct parent_session req;
	struct parent_deliver d = { .id = 1, .status = -1 };
	struct parent_announce block = { .service = "Block" };
	struct quota before;
	uint64_t id, caps;
	unsigned int fds;
	int i, call[80];

	world_boot(usual);
	announce("server", "Block");
	before = world_unused("other");
	caps = world_init_caps();
	fds = world_fds();
	memset(&req, 'A', sizeof(req));
	req.ram = req.caps = 0;
	check(status(world_call("other", PARENT_SESSION, &req, sizeof(req), 0)) ==
	      -EINVAL, "nothing terminated");
	req = (struct parent_session){ .service = "Block", .label = "a\nb" };
	check(status(world_call("other", PARENT_SESSION, &req, sizeof(req), 0)) ==
	      -EINVAL, "control characters");
	req = (struct parent_session){ .service = "Block", .args = "a|b" };
	check(status(world_call("other", PARENT_SESSION, &req, sizeof(req), 0)) ==
	      -EINVAL, "delimiters");
	req = (struct parent_session){ .service = "" };
	check(status(world_call("other", PARENT_SESSION, &req, sizeof(req), 0)) ==
	      -EINVAL, "no service");
	check(status(world_call("other", PARENT_SESSION, &req, sizeof(req) - 1,
				0)) == -EINVAL &&
	      status(world_call("other", PARENT_CLOSE, "", 0, 0)) == -EINVAL &&
	      status(world_call("other", PARENT_ANNOUNCE, "", 0, 0)) == -EINVAL &&
	      status(world_call("other", PARENT_DELIVER, "", 0, 0)) == -EINVAL,
	      "short requests");
	check(status(world_call("other", 0, "", 0, 0)) == -EINVAL &&
	      status(world_call("other", 1ull << 63, "", 0, 0)) == -EINVAL,
	      "methods that do not exist");
	check(announce("other", "Block") < 0 && announce("server", "LOG") < 0 &&
	      announce("server", "") < 0, "services that are not its own");
	check(status(world_call("server", PARENT_ANNOUNCE, &block, sizeof(block),
				world_endpoint())) == -EINVAL &&
	      status(world_call("server", PARENT_ANNOUNCE, &block, sizeof(block),
				0)) == -EINVAL,
	      "announcement without a notification");
	call[0] = ask("client", "Block", "", 4096, 1);
	id = next("server").id;
	check(deliver("other", id, 0, world_endpoint()) == -ENOENT &&
	      status(call[0]) == 1, "another server's request");
	check(status(world_call("server", PARENT_DELIVER, &d, sizeof(d), 0)) ==
	      -EINVAL && deliver("server", id, 4096, 0) == -EINVAL &&
	      status(call[0]) == 1, "a status that is none");
	check(status(end_session("client", id)) == -ENOENT,
	      "a session that does not exist yet");
	deliver("server", id, 0, world_endpoint());
	check(status(end_session("other", id)) == -ENOENT &&
	      status(end_session("other", 0)) == -ENOENT &&
	      status(end_session("other", ~0ull)) == -ENOENT,
	      "other children's sessions");
	check(same(before, world_unused("other")) && world_init_caps() == caps &&
	      world_fds() == fds, "all that changed nothing");
	for (i = 0; i < 80; i++)
		call[i] = ask("other", "Nic", "flood", 0, 0);
	check(status(call[63]) == 1 && status(call[64]) == -EDQUOT &&
	      status(call[79]) == -EDQUOT, "a flood of requests is bounded");
	check(world_init_caps() == caps + 64 &&
	      differ(before, world_unused("other"), 0, 64),
	      "and paid by who asks");
	check(!status(ask("client", "IO_MEM", "", 4096, 1)), "others go on");
	world_logged("");
	for (i = 0; i < 1000; i++)
		world_call("other", 77, "", 0, 0);
	check(world_logged("(no more of this)"), "complaints are bounded");
	world_call("other", 77, "", 0, 0);
	check(!world_logged("calls method"), "and end");
	world_exit("other", 1);
	world_run(10);
	check(world_init_caps() < caps && status(call[0]) == -EPIPE,
	      "its end ends all that");
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
		ask("client", "IO_MEM", "", 4096, 1);
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
		"3014656 ram for 'b' (of 65929216 in all), found 4194304"),
	      "quotas that do not fit start nothing");
}

/* --- each in a process of its own --------------------------------------------------------- */

static struct {
	unsigned int tests, failures;
} *shared;

static void run(void (*group)(void), const char *name)
{
	int how;

	fflush(stdout);
	if (!fork()) {
		tap_tests = shared->tests;
		group();
		shared->tests = tap_tests;
		shared->failures += tap_failures;
		exit(0);
	}
	wait(&how);
	tap_tests = shared->tests;
	check(WIFEXITED(how) && !WEXITSTATUS(how), "%s ends and loses no memory",
	      name);
	shared->tests = tap_tests;
}

#define RUN(group) run(group, #group)

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	RUN(test_boot);
	RUN(test_parent_session);
	RUN(test_verbose);
	RUN(test_child_session);
	RUN(test_refusals);
	RUN(test_client_dies);
	RUN(test_server_dies);
	RUN(test_given_up);
	RUN(test_slow_server);
	RUN(test_greedy_server);
	RUN(test_too_often);
	RUN(test_exits);
	RUN(test_start_fails);
	RUN(test_log_of_child);
	RUN(test_config_rom);
	RUN(test_control);
	RUN(test_hostile);
	RUN(test_soak);
	RUN(test_wrong_config);
	RUN(test_too_large);
	tap_failures += shared->failures;
	return tap_end();
}
