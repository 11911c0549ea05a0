// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: world.c world_core.c ../main.c ../apply.c ../child.c
 * ../balance.c ../session.c ../parent.c ../upward.c ../local.c ../report.c
 * ../config.c ../config_route.c ../config_self.c ../route.c ../restart.c ../quota.c
 * ../../lib/hid_fill.c ../../lib/hid.c ../../lib/hid_print.c
 * ../../lib/report.c ../../lib/rpc_cap.c ../../lib/service.c ../../lib/args.c
 * ../../lib/rom.c ../../lib/id_table.c */
/* Sessions: requests, donations, deaths on both sides, hostile children. */
#include "family.h"

#define BOOK	QUOTA_SESSION_RAM	/* init takes for a record */

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
	check(differ(before, world_unused("other"), 8192 + BOOK, 4) &&
	      differ(world_limit(), init_before, BOOK, 1),
	      "the donation goes to the parent, what a record costs to init");
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

/* What a client moves out of its PD has gone back already. */
static void test_pd_session(void)
{
	struct quota client, init_limit;
	int call, pd;

	world_boot(usual);
	client = world_unused("client");
	init_limit = world_limit();
	call = ask("client", "PD", "", 65536, 9);
	pd = world_answer(call)->cap;
	check(!status(call) && differ(client, world_unused("client"), 65536 + BOOK, 10),
	      "a PD session");
	world_move(pd, "client", (struct quota){ 16384, 4 });
	check(!status(end_session("client", id_of(call))) &&
	      same(client, world_unused("client")) &&
	      same(init_limit, world_limit()),
	      "what its domain does not have comes back once");
	call = ask("client", "PD", "", 65536, 9);
	world_move(world_answer(call)->cap, "other", (struct quota){ 65536, 9 });
	check(!status(end_session("client", id_of(call))) &&
	      differ(client, world_unused("client"), 65536, 9) &&
	      same(init_limit, world_limit()), "what it gave away does not");
	call = ask("client", "PD", "", 65536, 9);
	world_move(world_answer(call)->cap, "other", (struct quota){ 4096, 0 });
	world_exit("client", 1);
	world_run(100);
	check(differ(init_limit, world_limit(), 4096 + 65536, 9),
	      "nor with the client's death");
	init_limit = world_limit();
	client = world_unused("client");
	world_fail("PD", -EDQUOT);
	check(status(ask("client", "PD", "", 65536, 9)) == -EDQUOT &&
	      same(client, world_unused("client")) &&
	      same(init_limit, world_limit()), "all of one that is refused");
}

/* What init cannot spare it owes. */
static void test_reserve(void)
{
	struct quota before;
	int64_t used;
	int call;

	world_boot(usual);
	announce("server", "Block");
	before = world_unused("client");
	call = ask("client", "IO_MEM", "", 65536, 3);
	used = (int64_t)(world_init_unused().ram - QUOTA_KEEP_RAM + 4096);
	world_init_use(used);
	check(!status(end_session("client", id_of(call))) &&
	      differ(before, world_unused("client"), 65536, 3) &&
	      world_init_unused().ram == QUOTA_KEEP_RAM + 65536 - BOOK - 4096,
	      "init's reserve is not given away");
	next("server");
	check(differ(before, world_unused("client"), 4096 + BOOK, 0),
	      "but what is above it");
	world_init_use(-used);
	next("server");
	check(same(before, world_unused("client")), "the rest is paid later");
}

/* Who does not wait for the answer has no session. */
static void test_impatient(void)
{
	struct quota before, limit;
	uint64_t caps;
	unsigned int fds;
	int call;

	world_boot(usual);
	before = world_unused("client");
	limit = world_limit();
	caps = world_init_caps();
	fds = world_fds();
	world_impatient();
	call = ask("client", "IO_MEM", "", 4096, 3);
	check(!id_of(call) && !world_answer(call)->cap &&
	      same(before, world_unused("client")) &&
	      same(limit, world_limit()), "none at the parent");
	world_impatient();
	ask("control", "Init_control", "", 0, 0);
	check(world_init_caps() == caps && world_fds() == fds, "none at init");
	check(status(ask("client", "IO_MEM", "", 4096, 2)) == -EDQUOT &&
	      status(ask("client", "IO_MEM", "", 0, 3)) == -EDQUOT &&
	      same(before, world_unused("client")),
	      "what would not pay for a session at the parent is refused");
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
	ask("b", "ROM", "y", 4096, 3);
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
	check(status(call) == 1 && differ(client, world_unused("client"),
					  16384 + BOOK, 9) && same(server, world_unused("server")),
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
	check(status(ask("client", "Block", "",
			 (client.ram - BOOK) & ~4095ull, client.caps - 1)) == 1,
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
	check(differ(client, world_unused("client"), 8192 + 3 * BOOK, 5),
	      "the open session's donation is back at once");
	check(!status(end_session("client", id)) &&
	      differ(client, world_unused("client"), 8192 + 2 * BOOK, 4),
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
	check(!status(call) && differ(client, world_unused("client"), 65536 + BOOK, 5),
	      "but not for long; the donation comes later");
	world_use("server", (int64_t)world_unused("server").ram - 4096);
	next("server");
	next("server");
	check(differ(client, world_unused("client"), 65536 + BOOK - 4096, 1),
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

static void test_hostile(void)
{
	struct parent_session req;
	struct parent_deliver d = { .id = 1, .status = -1 };
	struct parent_announce block = { .service = "Block" };
	struct quota before;
	uint64_t id, caps;
	unsigned int fds;
	int i, call[20];

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
	for (i = 0; i < 20; i++)
		call[i] = ask("other", "Nic", "flood", 0, 0);
	check(status(call[19]) == 1 && world_init_caps() == caps + 20 &&
	      differ(before, world_unused("other"), 20 * BOOK, 20),
	      "a flood of requests is paid by who asks");
	while (status(ask("other", "Nic", "flood", 0, 0)) == 1)
		i++;
	check((unsigned int)i == before.caps &&
	      status(ask("other", "IO_MEM", "", 4096, 3)) == -EDQUOT,
	      "and ends with its quota");
	check(!status(ask("client", "IO_MEM", "", 4096, 3)), "others go on");
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

/* As many sessions as quota allows; those of the dead, which a server keeps, are
 * in nobody's way. */
static void test_limits(void)
{
	static const char text[] = CONFIG_TOP
		"+ start server\n  + provides | + service Block\n" RESTART
		"+ start client | caps: 416 | ram: 2M\n"
		"+ start dying | caps: 216\n"
		"  + restart | max: 32 | within_ms: 9999999\n-\n";
	struct quota limit;
	unsigned int n;

	world_boot(text);
	limit = world_limit();
	announce("server", "Block");
	for (n = 0; status(ask("client", "Block", "", 0, 0)) == 1; n++)
		next("server");
	check(n == 400 && !world_unused("client").caps,
	      "%u sessions of a client: all that its quota pays", n);
	for (n = 0; world_runs("dying"); n++) {
		while (status(ask("dying", "Block", "", 0, 0)) == 1)
			next("server");
		world_exit("dying", 1);	/* nobody waits for these any more */
		world_run(10000);
	}
	check(n == 33 && world_logged("\"dying\" failed 33 times"),
	      "%u times those of the dead, at a server that never answers", n);
	world_exit("server", 1);
	world_run(6000);
	world_exit("client", 0);
	world_run(5000);
	check(world_limit().ram == limit.ram + (3 << 20) &&
	      world_limit().caps == limit.caps + 416 + 216, "nothing is lost");
}

/* Who does not fetch a CLOSE is ended. */
static void test_hung_server(void)
{
	uint64_t id;

	world_boot(usual);
	announce("server", "Block");
	id = open_block("client", 4096, 1);
	end_session("client", id);
	world_run(29000);
	check(world_runs("server"), "a server may be slow");
	next("server");
	world_run(29000);
	check(world_starts("server") == 1, "a CLOSE that is fetched is enough");
	next("server");
	open_block("client", 4096, 1);
	world_exit("client", 1);
	world_run(29900);
	check(world_starts("server") == 1, "for a dead client too");
	world_run(300);
	check(world_starts("server") == 2 &&
	      world_logged("\"server\" does not close sessions"),
	      "who fetches none in 30 s is killed and restarted");
	world_run(60000);
	check(world_starts("server") == 2, "once");
}

int main(void)
{
	begin();
	RUN(test_parent_session);
	RUN(test_pd_session);
	RUN(test_reserve);
	RUN(test_impatient);
	RUN(test_verbose);
	RUN(test_child_session);
	RUN(test_refusals);
	RUN(test_client_dies);
	RUN(test_server_dies);
	RUN(test_given_up);
	RUN(test_slow_server);
	RUN(test_greedy_server);
	RUN(test_limits);
	RUN(test_hung_server);
	RUN(test_hostile);
	return end();
}
