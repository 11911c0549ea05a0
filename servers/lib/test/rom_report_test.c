// SPDX-License-Identifier: BSD-2-Clause
/* ROM and Report sessions: nothing that a client keeps is memory of the server's. */
/* test-sources: fake_pith.c ../rom_server.c ../report_server.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <session/core.h>
#include <session/report.h>

#include "fake_pith.h"
#include "../report_server.h"
#include "../rom_server.h"

static struct entrypoint ep;
static unsigned int told;

static void tell(void *ctx, uint64_t count)
{
	(void)ctx;
	told += !!count;
}

static unsigned int news(void)
{
	unsigned int n;

	fake_run(&ep);
	n = told;
	told = 0;
	return n;
}

/* --- ROM ------------------------------------------------------------------------ */

static struct rom_source source;

static int rom_session_of(void **session, uint64_t ram)
{
	struct parent_request req = { .ram = ram };

	return rom_client_open(&ep, &source, &req, session);
}

/* DATASPACE with @mem: the size, or a negative errno. */
static int64_t get(int cap, int mem)
{
	struct rom_dataspace ds = { 12345 };
	int got;
	struct rpc r = {
		.caps = &mem, .ncaps = mem >= 0, .rep = &ds,
		.rep_len = sizeof(ds), .rep_caps = &got, .nrep_caps = 1,
	};
	int err = rpc_call(cap, ROM_DATASPACE, &r, fake_clock + 1);

	return err ? err : got >= 0 ? -EPROTO : (int64_t)ds.size;
}

static int set_sigh(int cap, int notif)
{
	struct rpc r = { .caps = &notif, .ncaps = notif >= 0 };

	return rpc_call(cap, ROM_SIGH, &r, fake_clock + 1);
}

static void test_rom(void)
{
	int mem = pith_mem_create(-1, 8192, 0), small, device, ro, cap;
	char *at = fake_memory(mem);
	static char big[5000];
	void *session;

	ok(rom_session_of(&session, ROM_CLIENT_BOOKS - 1) == -EDQUOT,
	   "too little donated");
	cap = rom_session_of(&session, ROM_CLIENT_BOOKS);
	ok(cap >= 0 && get(cap, mem) == -ENOENT, "no content");
	rom_source_set(&source, "hello", 5);
	memset(at, 'x', 8192);
	ok(get(cap, -1) == 5 && at[0] == 'x', "without memory: how much there is");
	ok(get(cap, mem) == 5 && !strcmp(at, "hello") && !at[4095] &&
	   at[4096] == 'x', "copied, zeros to the end of the page");
	memset(big, 'b', sizeof(big));
	rom_source_set(&source, big, sizeof(big));
	small = pith_mem_create(-1, 4096, 0);
	ok(!strcmp(at, "hello"), "what a client has stays as it was");
	ok(get(cap, small) == 5000 && !((char *)fake_memory(small))[0],
	   "it does not fit: nothing is copied");
	ok(get(cap, mem) == 5000 && at[4999] == 'b' && !at[5000], "now it does");
	ro = pith_mint(mem, PITH_R_READ);
	device = pith_mem_create(-1, 8192, 0);
	fake_make_device(device);
	ok(get(cap, ro) == -EACCES && get(cap, device) == -EINVAL &&
	   get(cap, cap) == -EINVAL,
	   "memory that cannot be written, or can be taken away, or is none");
	rom_source_set(&source, "", 0);
	ok(get(cap, mem) == 0 && !at[0], "empty is not absent");
	rom_source_set(&source, NULL, 0);
	ok(get(cap, mem) == -ENOENT && rpc_simple(cap, 7, NULL, 0, NULL, 0,
	   fake_clock + 1) == -ENOSYS, "gone");
	rom_client_close(NULL, session);
	ok(get(cap, mem) == -EPIPE && !fake_mappings,
	   "closed: the server has nothing of the client's, nor the other way");
	pith_close(cap);
	pith_close(mem);
	pith_close(ro);
	pith_close(device);
	pith_close(small);
}

static void test_rom_signals(void)
{
	uint64_t badge;
	int notif = ep_new_notification(&ep, tell, NULL, &badge);
	int mem = pith_mem_create(-1, 4096, 0), cap;
	void *session;

	cap = rom_session_of(&session, 16384);
	ok(set_sigh(cap, -1) == -EINVAL && set_sigh(cap, mem) == -EINVAL,
	   "what is no notification");
	ok(!set_sigh(cap, notif) && news(), "there is content that it has not seen");
	rom_source_set(&source, "a", 1);
	ok(news() && get(cap, -1) == 1 && !set_sigh(cap, notif) && news(),
	   "to hear of it is not to have it");
	ok(get(cap, mem) == 1 && !set_sigh(cap, notif) && !news(), "it has it");
	rom_source_set(&source, "b", 1);
	rom_source_set(&source, "c", 1);
	ok(news() == 1 && get(cap, mem) == 1 && *(char *)fake_memory(mem) == 'c',
	   "twice newer: told once, the newest");
	rom_client_close(NULL, session);
	rom_source_set(&source, "d", 1);
	ok(!news(), "closed: told no more");
	pith_close(cap);
	pith_close(mem);
	ep_remove(&ep, badge);
	pith_close(notif);
}

/* --- Report ---------------------------------------------------------------------- */

static char *last;
static uint64_t last_len;
static int answer;

static int submitted(void *ctx, char *text, uint64_t len)
{
	(void)ctx;
	free(last);
	last = text;
	last_len = len;
	return answer;
}

static int buffer(int cap, int mem)
{
	struct rpc r = { .caps = &mem, .ncaps = mem >= 0 };

	return rpc_call(cap, REPORT_BUFFER, &r, fake_clock + 1);
}

static int submit(int cap, uint64_t size)
{
	return rpc_simple(cap, REPORT_SUBMIT, &size, sizeof(size), NULL, 0,
			  fake_clock + 1);
}

static void test_report(void)
{
	int mem = pith_mem_create(-1, 8192, 0), device, large, none, cap;
	struct parent_request req = { .ram = REPORT_BOOKS - 1 };
	char *at = fake_memory(mem);
	struct report_client *c;

	ok(report_client_open(&ep, submitted, NULL, &req, &c) == -EDQUOT,
	   "too little donated");
	req.ram = REPORT_BOOKS + 2 * 8192;
	cap = report_client_open(&ep, submitted, NULL, &req, &c);
	large = pith_mem_create(-1, 12288, 0);
	device = pith_mem_create(-1, 8192, 0);
	fake_make_device(device);
	none = pith_mint(mem, PITH_R_WRITE);
	ok(submit(cap, 0) == -EINVAL && buffer(cap, -1) == -EINVAL &&
	   buffer(cap, cap) == -EINVAL && buffer(cap, device) == -EINVAL &&
	   buffer(cap, large) == -EDQUOT && buffer(cap, none) == -EACCES,
	   "buffers that are none");
	ok(!buffer(cap, mem) && buffer(cap, mem) == -EBUSY, "one");
	strcpy(at, "report");
	ok(!submit(cap, 6) && last_len == 6 && !memcmp(last, "report", 6),
	   "a report");
	strcpy(at, "change");
	ok(!memcmp(last, "report", 6), "is a copy");
	ok(!submit(cap, 8192) && last_len == 8192 && !submit(cap, 0) && !last_len &&
	   submit(cap, 8193) == -EINVAL && submit(cap, ~0ull) == -EINVAL,
	   "of any size that there is");
	answer = -ENOSPC;
	ok(submit(cap, 1) == -ENOSPC, "who takes it may say no");
	ok(rpc_simple(cap, REPORT_SUBMIT, at, 4, NULL, 0, fake_clock + 1) ==
	   -EINVAL && rpc_simple(cap, 9, NULL, 0, NULL, 0, fake_clock + 1) ==
	   -ENOSYS, "malformed");
	report_client_close(c);
	ok(submit(cap, 1) == -EPIPE && !fake_mappings, "closed");
	pith_close(cap);
	pith_close(mem);
	pith_close(large);
	pith_close(device);
	pith_close(none);
	free(last);
}

int main(void)
{
	ep_init(&ep);
	test_rom();
	test_rom_signals();
	test_report();
	ok(!fake_open_fds() && !fake_mappings, "nothing is left");
	return tap_end();
}
