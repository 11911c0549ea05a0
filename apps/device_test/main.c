// SPDX-License-Identifier: BSD-2-Clause
/* device_test: who holds a device of core, and until when. See README.md. */
#include <errno.h>
#include <stdbool.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/core.h>
#include <session/file_system.h>

#define FREE_MEMORY	"base=0xc0000000, size=8192"	/* a hole of QEMU's PC */
#define FREE_PORTS	"base=0x300, size=8"

static int failures;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	log_error("FAIL: %s", what);
	failures++;
}

static uint32_t rights(int cap)
{
	struct pith_identify id = { 0 };

	return pith_identify(cap, &id) ? 0 : id.rights;
}

/* The capability that a session to core is for, or an error. */
static int get(struct session *s, const char *service, const char *args,
	       uint64_t method, size_t rep_len)
{
	uint64_t deadline = pith_now() + PITH_SEC(5);
	uint64_t rep[4];
	struct rpc r = { .rep = rep, .rep_len = rep_len };
	int cap = -1, err;

	err = env_session(s, service, "", args, NULL, deadline);
	if (err)
		return err;
	r.rep_caps = &cap;
	r.nrep_caps = 1;
	err = rpc_call(s->cap, method, &r, deadline);
	return err ? err : cap;
}

static void device(const char *service, const char *args, uint64_t method,
		   size_t rep_len, uint32_t all)
{
	struct session first, second;
	struct pith_identify id;
	int cap = get(&first, service, args, method, rep_len), again, copy;

	log_line("%s", service);
	expect(rights(cap) == all, "exactly the rights of its session");
	expect(pith_revoke(cap) == -EPERM, "a client cannot revoke it");
	expect(pith_mint(cap, all | PITH_R_REVOKE) == -EPERM,
	       "nor get the right");
	copy = pith_mint(cap, all);
	expect(copy >= 0, "it can be passed on");
	env_close(&first);
	expect(pith_identify(cap, &id) == -EPIPE, "gone with its session");
	expect(pith_identify(copy, &id) == -EPIPE, "and all copies of it");
	again = get(&second, service, args, method, rep_len);
	expect(rights(again) == all, "it can be had again meanwhile");
	env_close(&second);
	pith_close(again);
	pith_close(copy);
	pith_close(cap);
}

static void memory(void)
{
	int mem = pith_mem_create(-1, 4096, 0);

	expect(rights(mem) == (PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC),
	       "memory of one's own cannot be revoked");
	expect(pith_revoke(mem) == -EPERM, "not even by its maker");
	pith_close(mem);
}

static void module(void)
{
	struct session s;
	int mem = get(&s, "ROM", "", ROM_DATASPACE,
		      sizeof(struct rom_dataspace));

	expect(!(rights(mem) & ~(PITH_R_READ | PITH_R_EXEC)),
	       "a module is read only");
	expect(pith_revoke(mem) == -EPERM, "a module cannot be revoked");
	env_close(&s);
	pith_close(mem);
}

/* A server that maps a device would die when core takes that away. */
static void lend(void)
{
	struct session device_session, fs;
	int mem = get(&device_session, "IO_MEM", FREE_MEMORY, IO_MEM_DATASPACE, 0);
	struct rpc r = { .caps = &mem, .ncaps = 1 };
	int err = env_session(&fs, "File_system", "", "",
			      &(struct session_quota) { 65536, 16 },
			      pith_now() + PITH_SEC(5));

	expect(!err && mem >= 0, "a device and a server");
	expect(rpc_call(fs.cap, FS_STREAM, &r, pith_now() + PITH_SEC(5)) ==
	       -EINVAL, "a server does not take a device for memory");
	env_close(&device_session);
	pith_close(mem);
	mem = pith_mem_create(-1, 2 * FS_DATA_OFFSET, 0);
	expect(!rpc_call(fs.cap, FS_STREAM, &r, pith_now() + PITH_SEC(5)),
	       "and is still there");
	env_close(&fs);
	pith_close(mem);
}

int component_main(void)
{
	device("IO_MEM", FREE_MEMORY, IO_MEM_DATASPACE, 0,
	       PITH_R_READ | PITH_R_WRITE);
	device("IO_PORT", FREE_PORTS, IO_PORT_CAP, 0,
	       PITH_R_READ | PITH_R_WRITE);
	device("IRQ", "type=msi", IRQ_CAP, sizeof(struct irq_reply),
	       PITH_R_MANAGE);
	memory();
	module();
	lend();
	log_line("device_test: %s", failures ? "FAIL" : "PASS");
	return !!failures;
}
