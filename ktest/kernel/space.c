// SPDX-License-Identifier: BSD-2-Clause
/* What the tests of spaces, threads and faults have in common. */
#include <string.h>
#include "space.h"

#define CODE_SIZE	KT_PAGE

void ks_open(struct ks *s, const int *caps, unsigned int ncaps)
{
	ks_open_in(s, kt_domain(KS_RAM, KS_CAPS), caps, ncaps);
}

void ks_open_in(struct ks *s, int domain, const int *caps, unsigned int ncaps)
{
	struct pith_space_create c = { .name = "space", .ncaps = ncaps,
				       .caps = (uintptr_t)caps };

	s->domain = domain;
	s->ep = KT_FD(kt_ep_create());
	s->notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(s->notif, s->ep, KS_EXIT), 0);
	c.exit_notif = s->notif;
	s->space = KT_FD(kt_control(s->domain, PITH_OP_SPACE_CREATE, &c));
	KT_NEED(s->space >= 0);
	s->thread = c.thread;
	s->vdso = c.vdso;
	s->code = KT_FD(kt_mem_create(-1, CODE_SIZE, 0));
	s->data = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
	s->word = kt_map(s->data, 0, KT_PAGE, KT_R | KT_W);
	KT_EQ(ks_map(s, s->code, 0, KS_CODE, CODE_SIZE,
		     PITH_R_READ | PITH_R_EXEC), 0);
	KT_EQ(ks_map(s, s->data, 0, KS_DATA, KT_PAGE,
		     PITH_R_READ | PITH_R_WRITE), 0);
	KT_EQ(ks_fault_ep(s->space, PITH_OP_SPACE_FAULT_EP, s->ep), 0);
}

long ks_fault_ep(int fd, uint32_t op, int ep)
{
	struct pith_fd_arg arg = { -1, 0 };
	long err;

	if (ep < 0)
		return kt_control(fd, op, &arg);
	arg.fd = KT_FD(kt_mint_badge(ep, KS_FAULT));
	err = kt_control(fd, op, &arg);
	kt_close(arg.fd);
	return err;
}

void ks_close(struct ks *s)
{
	ks_end(s);
	kt_domain_empties(s->domain);
	kt_domain_end(s->domain);
}

void ks_end(struct ks *s)
{
	KT_EQ(kt_control(s->space, PITH_OP_SPACE_KILL, NULL), 0);
	kt_close(s->thread);
	kt_close(s->space);
	kt_unmap((void *)s->word, KT_PAGE);
	kt_close(s->data);
	kt_close(s->code);
	kt_close(s->notif);
	kt_close(s->ep);
}

/* What follows the code in this program is copied too, and never reached. */
void ks_load(struct ks *s, uint64_t offset, const uint8_t *code)
{
	uint8_t *p = kt_map(s->code, 0, CODE_SIZE, KT_R | KT_W);

	KT_NEED(!kt_is_error(p));
	memcpy(p + offset, code, KS_PIECE);
	kt_unmap(p, CODE_SIZE);
}

long ks_start(int thread, uint64_t ip, uint64_t arg)
{
	struct pith_regs r = { .ip = ip, .sp = KS_DATA + KT_PAGE };
	long err;

	KS_ARGUMENT(&r) = arg;
	err = kt_control(thread, PITH_OP_THREAD_SET_REGS, &r);

	return err ? err : kt_control(thread, PITH_OP_THREAD_RESUME, NULL);
}

void ks_run(struct ks *s, const uint8_t *code, uint64_t arg)
{
	ks_load(s, 0, code);
	KT_EQ(ks_start(s->thread, KS_CODE, arg), 0);
}

long ks_map(struct ks *s, int mem, uint64_t offset, uint64_t at, uint64_t size,
	    uint32_t rights)
{
	struct pith_map m = { mem, rights, at, offset, size };

	return kt_control(s->space, PITH_OP_SPACE_MAP, &m);
}

long ks_unmap(struct ks *s, uint64_t at, uint64_t size)
{
	struct pith_range r = { at, size, 0, 0 };

	return kt_control(s->space, PITH_OP_SPACE_UNMAP, &r);
}

long ks_protect(struct ks *s, uint64_t at, uint64_t size, uint32_t rights)
{
	struct pith_range r = { at, size, rights, 0 };

	return kt_control(s->space, PITH_OP_SPACE_PROTECT, &r);
}

struct pith_space_info ks_info(struct ks *s)
{
	struct pith_space_info info = { 0 };

	KT_EQ(kt_control(s->space, PITH_OP_SPACE_INFO, &info), 0);
	return info;
}

struct pith_thread_info ks_thread_info(int thread)
{
	struct pith_thread_info info = { 0 };

	KT_EQ(kt_control(thread, PITH_OP_THREAD_INFO, &info), 0);
	return info;
}

struct pith_regs ks_regs(int thread)
{
	struct pith_regs r = { 0 };

	KT_EQ(kt_control(thread, PITH_OP_THREAD_GET_REGS, &r), 0);
	return r;
}

int ks_status(struct ks *s)
{
	struct pith_space_info info;

	if (!kt_wait_note(s->ep, KS_EXIT, 1))
		return -1;
	info = ks_info(s);
	KT_EQ(info.exited, 1);
	KT_EQ(info.threads, 0);
	return info.status;
}

struct pith_fault ks_fault(void)
{
	struct pith_fault f;

	memcpy(&f, kt_data, sizeof(f));
	return f;
}

bool ks_wait_fault(struct ks *s, uint32_t type, uint64_t address)
{
	struct pith_fault f;

	if (!kt_wait_call(s->ep))
		return false;
	f = ks_fault();
	return KT_EQ(kt_msg->badge, KS_FAULT) &&
	       KT_EQ(kt_msg->label, PITH_FAULT) &&
	       KT_EQ(kt_msg->len, sizeof(f)) && KT_EQ(kt_msg->ncaps, 0) &&
	       KT_EQ(f.type, type) && KT_EQ(f.address, address);
}

void ks_answer(struct ks *s, uint64_t label)
{
	KT_EQ(kt_reply(s->ep, label), 0);
}

void ks_pause(int thread)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_PAUSE, NULL), 0);
}

void ks_resume(int thread)
{
	KT_EQ(kt_control(thread, PITH_OP_THREAD_RESUME, NULL), 0);
}

void ks_await_change(volatile uint64_t *word, uint64_t from)
{
	uint64_t end = KT_SOON;

	while (*word == from && kt_now() < end)
		kt_sleep(KT_MS(1));
	KT_TRUE(*word != from);
}
