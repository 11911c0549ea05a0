// SPDX-License-Identifier: BSD-2-Clause
/* The init under test, seen from above: its config, its children, its quota. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <pith/service.h>
#include <session/core.h>
#include <session/init_control.h>
#include "init_test.h"

#define TEXT_MAX	(1u << 20)
/* How much more of its heap may be kept for small pieces than before: that depends
 * on who was there at once. Of what was lost at each change or session there would
 * be more, after hundreds or thousands. */
#define HEAP_SLACK	(48u << 10)
#define TIMEOUT		PITH_SEC(240)

struct entrypoint ep;
struct load load;

/* --- ROM: the config ------------------------------------------------------ */

static char *text;		/* not in every child */
static size_t len;
static int rom_mem = -1, rom_sigh = -1;
static uint64_t rom_size;

void config_begin(void)
{
	if (!text)
		text = malloc(TEXT_MAX);
	if (!text)
		env_fatal("no memory for configs");
	len = 0;
}

void config_add(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + len, TEXT_MAX - len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= TEXT_MAX - len)
		env_fatal("the config is too long");
	len += (size_t)n;
}

void config_show(void)
{
	uint64_t size = (len + 4095) & ~4095ull;
	int mem = pith_mem_create(-1, size, 0), err;
	void *at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);

	if (!at)
		env_fatal("no memory for a config: %s", strerror(-err));
	memcpy(at, text, len);
	pith_unmap(at, size);
	pith_close(rom_mem);
	rom_mem = pith_mint(mem, PITH_R_READ);
	rom_size = len;
	pith_close(mem);
	if (rom_sigh >= 0)
		pith_signal(rom_sigh, 1);
}

static int rom_call(void *ctx, struct ep_request *in)
{
	struct rom_dataspace ds = { .size = rom_size };

	(void)ctx;
	if (in->method == ROM_DATASPACE) {
		if (rom_mem < 0)
			return -ENOENT;
		ep_reply_cap(in, rom_mem, 0);
		return ep_reply_data(&ep, in, &ds, sizeof(ds));
	}
	if (in->method != ROM_SIGH || in->caps[0] < 0)
		return -EINVAL;
	pith_close(rom_sigh);
	rom_sigh = ep_take_cap(in, 0);
	return 0;
}

/* --- sessions of both services -------------------------------------------- */

struct caller {
	uint64_t badge;
	bool rom;
};

static int load_call(void *ctx, struct ep_request *in)
{
	const struct load_say *req = ep_req(in, struct load_say);

	(void)ctx;
	if (in->method != LOAD_SAY || !req)
		return -EINVAL;
	load.said++;
	load.failed += req->failed != 0;
	if (req->failed)
		log_error("a child failed %llu of %llu times",
			  (unsigned long long)req->failed,
			  (unsigned long long)req->times);
	return 0;
}

static int open_session(void *ctx, const struct parent_request *req,
			void **session)
{
	struct caller *c = calloc(1, sizeof(*c));
	int fd;

	(void)req;
	if (!c)
		return -ENOMEM;
	c->rom = ctx != NULL;
	fd = ep_new_object(&ep, c->rom ? rom_call : load_call, c, &c->badge);
	if (fd < 0) {
		free(c);
		return fd;
	}
	load.open += !c->rom;
	load.opened += !c->rom;
	*session = c;
	return fd;
}

static void close_session(void *ctx, void *session)
{
	struct caller *c = session;

	(void)ctx;
	ep_remove(&ep, c->badge);
	load.open -= !c->rom;
	free(c);
}

void sub_init(void)
{
	static struct service services[] = {
		{ .name = "ROM", .open = open_session, .close = close_session,
		  .ctx = services },
		{ .name = "Load", .open = open_session, .close = close_session },
	};
	int err = service_announce(&ep, services, 2);

	if (err)
		env_fatal("cannot announce: %s", strerror(-err));
}

bool wait_for(const unsigned int *what, unsigned int wanted, bool at_least)
{
	uint64_t end = pith_now() + TIMEOUT;

	while (*what != wanted && !(at_least && *what > wanted)) {
		if (pith_now() >= end)
			return false;
		ep_dispatch(&ep, end);
	}
	return true;
}

/* --- its account ---------------------------------------------------------- */

/* The state report of the init above, from malloc(). */
static char *state(size_t *size)
{
	static struct session control = { .cap = -1 };
	struct init_state req = { .offset = 0 };
	struct init_state_reply rep = { .size = 1 };
	char *all = NULL;
	struct rpc r;

	if (control.cap < 0 && env_session(&control, "Init_control", "", "", NULL,
					   pith_now() + TIMEOUT))
		return NULL;
	while (req.offset < rep.size) {
		all = realloc(all, req.offset + PITH_MSG_BYTES);
		if (!all)
			return NULL;
		r = (struct rpc){
			.req = &req, .req_len = sizeof(req),
			.rep = &rep, .rep_len = sizeof(rep),
			.rep_tail = all + req.offset,
			.rep_tail_size = PITH_MSG_BYTES,
		};
		if (rpc_call(control.cap, INIT_STATE, &r,
			     pith_now() + TIMEOUT) || !r.rep_tail_len) {
			free(all);
			return NULL;
		}
		req.offset += r.rep_tail_len;
	}
	*size = rep.size;
	return all;
}

bool account_of(const char *child, struct account *a)
{
	const struct hid_node *root, *n;
	struct hid_error err;
	size_t size = 0;
	char *report = state(&size);
	void *arena = report ? malloc(HID_ARENA_SIZE(size)) : NULL;
	bool found = false;

	if (arena && !hid_parse(report, size, arena, HID_ARENA_SIZE(size), &root,
				&err)) {
		for (n = hid_first(root, "child"); n; n = hid_next(n, "child")) {
			if (!hid_equal(hid_attr(n, "name")->value, child))
				continue;
			*a = (struct account){
				hid_number(hid_first(n, "ram"), "quota", 0),
				hid_number(hid_first(n, "ram"), "used", 0),
				hid_number(hid_first(n, "caps"), "quota", 0),
				hid_number(hid_first(n, "caps"), "used", 0),
			};
			found = true;
		}
	}
	free(arena);
	free(report);
	return found;
}

bool account_settled(const char *child, struct account *a)
{
	uint64_t end = pith_now() + TIMEOUT;
	unsigned int alike = 0;
	struct account last = { 0 };

	while (alike < 4 && pith_now() < end) {
		uint64_t next = pith_now() + PITH_MS(250);

		if (!account_of(child, a))
			return false;
		alike = memcmp(&last, a, sizeof(last)) ? 0 : alike + 1;
		last = *a;
		while (pith_now() < next)
			ep_dispatch(&ep, next);
	}
	return alike == 4;
}

bool account_same(const struct account *before, const struct account *now)
{
	bool same = before->ram == now->ram && before->caps == now->caps &&
		    now->ram_used <= before->ram_used + HEAP_SLACK &&
		    now->caps_used <= before->caps_used;

	log_line("%s: ram %llu of %llu, caps %llu of %llu, before %llu of %llu, "
		 "%llu of %llu", same ? "same" : "FAIL: grows",
		 (unsigned long long)now->ram_used,
		 (unsigned long long)now->ram,
		 (unsigned long long)now->caps_used,
		 (unsigned long long)now->caps,
		 (unsigned long long)before->ram_used,
		 (unsigned long long)before->ram,
		 (unsigned long long)before->caps_used,
		 (unsigned long long)before->caps);
	return same;
}
