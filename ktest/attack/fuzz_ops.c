// SPDX-License-Identifier: BSD-2-Clause
/* What the fuzzer knows of each control operation: its object and its struct. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define F(type, member, kind)						\
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), \
	  kind }
#define W(kind)	{ 0, 8, kind }
#define CALL(op, object, ...)						\
	{ FUZZ_##op, object, #op, { __VA_ARGS__ } }
#define OP(op, object, ...)						\
	{ PITH_OP_##op, object, #op, { __VA_ARGS__ } }

static const struct fuzz_op ops[] = {
	OP(BOOTSTRAP, 0),
	OP(BUFFER_SET, 0, F(pith_buffer, mem, K_MEMORY),
	   F(pith_buffer, zero, K_ZERO), F(pith_buffer, offset, K_PAGES)),
	OP(EP_CREATE, 0),
	OP(NOTIF_CREATE, 0),
	OP(MEM_CREATE, 0, F(pith_mem_create, size, K_PAGES),
	   F(pith_mem_create, flags, K_FLAGS),
	   F(pith_mem_create, domain, K_DOMAIN)),
	OP(MINT, FUZZ_ANY, F(pith_mint, rights, K_RIGHTS),
	   F(pith_mint, zero, K_ZERO), F(pith_mint, badge, K_BADGE),
	   F(pith_mint, offset, K_PAGES0), F(pith_mint, size, K_PAGES0)),
	OP(IDENTIFY, FUZZ_ANY),
	OP(REVOKE, FUZZ_ANY, F(pith_revoke, badge, K_ZERO),
	   F(pith_revoke, flags, K_FLAGS), F(pith_revoke, zero, K_ZERO)),
	OP(EP_WATCH, PITH_T_ENDPOINT, F(pith_fd_arg, fd, K_NOTIF),
	   F(pith_fd_arg, zero, K_ZERO)),
	OP(EP_SAVE_REPLY, PITH_T_ENDPOINT),
	OP(NOTIF_BIND, PITH_T_NOTIFICATION, F(pith_bind, endpoint, K_ENDPOINT),
	   F(pith_bind, zero, K_ZERO), F(pith_bind, badge, K_BADGE)),
	OP(MEM_INFO, PITH_T_MEMORY),
	OP(DOMAIN_CREATE, PITH_T_DOMAIN),
	OP(DOMAIN_TRANSFER, PITH_T_DOMAIN, F(pith_transfer, to, K_DOMAIN),
	   F(pith_transfer, zero, K_ZERO), F(pith_transfer, ram, K_PAGES0),
	   F(pith_transfer, caps, K_FLAGS)),
	OP(DOMAIN_INFO, PITH_T_DOMAIN),
	OP(DOMAIN_DESTROY, PITH_T_DOMAIN),
	OP(DOMAIN_CPU, PITH_T_DOMAIN, F(pith_cpu_budget, budget, K_TIME),
	   F(pith_cpu_budget, period, K_TIME)),
	OP(SPACE_CREATE, PITH_T_DOMAIN, F(pith_space_create, exit_notif, K_NOTIF),
	   F(pith_space_create, ncaps, K_FLAGS),
	   F(pith_space_create, caps, K_POINTER),
	   F(pith_space_create, zero, K_ZERO),
	   F(pith_space_create, name, K_NAME)),
	OP(SPACE_MAP, PITH_T_SPACE, F(pith_map, mem, K_MEMORY),
	   F(pith_map, rights, K_RIGHTS), F(pith_map, address, K_ADDRESS),
	   F(pith_map, offset, K_PAGES0), F(pith_map, size, K_PAGES)),
	OP(SPACE_UNMAP, PITH_T_SPACE, F(pith_range, address, K_ADDRESS),
	   F(pith_range, size, K_PAGES), F(pith_range, rights, K_ZERO),
	   F(pith_range, zero, K_ZERO)),
	OP(SPACE_PROTECT, PITH_T_SPACE, F(pith_range, address, K_ADDRESS),
	   F(pith_range, size, K_PAGES), F(pith_range, rights, K_RIGHTS),
	   F(pith_range, zero, K_ZERO)),
	OP(SPACE_FAULT_EP, PITH_T_SPACE, F(pith_fd_arg, fd, K_ENDPOINT),
	   F(pith_fd_arg, zero, K_ZERO)),
	OP(SPACE_THREAD, PITH_T_SPACE),
	OP(SPACE_KILL, PITH_T_SPACE),
	OP(SPACE_INFO, PITH_T_SPACE),
	OP(THREAD_PAUSE, PITH_T_THREAD),
	OP(THREAD_RESUME, PITH_T_THREAD),
	OP(THREAD_GET_REGS, PITH_T_THREAD),
	OP(THREAD_SET_REGS, PITH_T_THREAD, F(pith_regs, ip, K_ADDRESS),
	   F(pith_regs, sp, K_ADDRESS), F(pith_regs, flags, K_BADGE),
	   F(pith_regs, tls, K_ADDRESS), F(pith_regs, di, K_ADDRESS)),
	OP(THREAD_FAULT_EP, PITH_T_THREAD, F(pith_fd_arg, fd, K_ENDPOINT),
	   F(pith_fd_arg, zero, K_ZERO)),
	/* no real time: a thread that spins would be all that runs */
	OP(THREAD_SCHED, PITH_T_THREAD, F(pith_sched, priority, K_ZERO),
	   F(pith_sched, nice, K_FLAGS), F(pith_sched, affinity, K_FLAGS)),
	OP(THREAD_INFO, PITH_T_THREAD),
	OP(IRQ_BIND, PITH_T_IRQ, F(pith_fd_arg, fd, K_NOTIF),
	   F(pith_fd_arg, zero, K_ZERO)),
	OP(IRQ_ACK, PITH_T_IRQ),
	OP(PORT_IN, PITH_T_IO_PORT, F(pith_port, offset, K_FLAGS),
	   F(pith_port, width, K_FLAGS), F(pith_port, zero, K_ZERO)),
	OP(PORT_OUT, PITH_T_IO_PORT, F(pith_port, offset, K_FLAGS),
	   F(pith_port, width, K_FLAGS), F(pith_port, value, K_BADGE),
	   F(pith_port, zero, K_ZERO)),
	OP(HW_INFO, PITH_T_HARDWARE),
	OP(HW_CONSOLE, PITH_T_HARDWARE, F(pith_text, text, K_POINTER),
	   F(pith_text, len, K_FLAGS), F(pith_text, zero, K_ZERO)),
	OP(HW_IO_MEM, PITH_T_HARDWARE, F(pith_io_mem, base, K_DEVICE),
	   F(pith_io_mem, size, K_PAGES), F(pith_io_mem, cache, K_FLAGS),
	   F(pith_io_mem, zero, K_ZERO)),
	OP(HW_IO_PORT, PITH_T_HARDWARE, F(pith_io_port, base, K_PORT),
	   F(pith_io_port, size, K_FLAGS)),
	OP(HW_IRQ, PITH_T_HARDWARE, F(pith_irq, gsi, K_FLAGS),
	   F(pith_irq, level, K_ZERO), F(pith_irq, low, K_ZERO),
	   F(pith_irq, zero, K_ZERO)),
	OP(HW_MSI, PITH_T_HARDWARE),
	OP(HW_MEM_PHYS, PITH_T_HARDWARE, F(pith_mem_phys, mem, K_MEMORY),
	   F(pith_mem_phys, count, K_FLAGS), F(pith_mem_phys, first, K_FLAGS),
	   F(pith_mem_phys, addresses, K_POINTER)),
	OP(HW_LOG_READ, PITH_T_HARDWARE, F(pith_log_read, seq, K_FLAGS),
	   F(pith_log_read, text, K_POINTER),
	   F(pith_log_read, len, K_PAGES)),
	OP(HW_PANIC_READ, PITH_T_HARDWARE, F(pith_text, text, K_POINTER),
	   F(pith_text, len, K_FLAGS), F(pith_text, zero, K_ZERO)),
	CALL(CALL, PITH_T_ENDPOINT, W(K_BADGE), W(K_FLAGS), W(K_FLAGS),
	     W(K_MEMORY), W(K_ENDPOINT), W(K_ANY), W(K_ANY), W(K_SOON)),
	CALL(RECEIVE, PITH_T_ENDPOINT, W(K_BADGE), W(K_FLAGS), W(K_FLAGS),
	     W(K_MEMORY), W(K_ENDPOINT), W(K_ANY), W(K_FLAGS), W(K_SOON)),
	CALL(REPLY, PITH_T_REPLY, W(K_BADGE), W(K_FLAGS)),
	CALL(SIGNAL, PITH_T_NOTIFICATION, W(K_FLAGS)),
	CALL(MMAP, PITH_T_MEMORY, W(K_REGION), W(K_PAGES0), W(K_PAGES),
	     W(K_FLAGS)),
	CALL(MUNMAP, 0, W(K_REGION), W(K_PAGES)),
	CALL(MPROTECT, 0, W(K_REGION), W(K_PAGES), W(K_FLAGS)),
	CALL(CLOSE, FUZZ_ANY),
};

_Static_assert(COUNT(ops) == FUZZ_END - 1, "every operation");

const struct fuzz_op *fuzz_op(uint32_t op)
{
	return &ops[op - 1];
}

unsigned int fuzz_words(const struct fuzz_op *op)
{
	unsigned int n = 0;

	while (n < FUZZ_WORDS && op->fields[n].size)
		n++;
	return n;
}

static bool next_number(const char **at, uint64_t *value)
{
	char *end;

	*value = strtoull(*at, &end, 16);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

bool fuzz_parse(struct fuzz_program *p, const char *line)
{
	struct fuzz_step *s = &p->steps[p->n];
	size_t len = strcspn(line, " ");
	const char *at = line + len;
	uint64_t object;

	if (p->n == FUZZ_STEPS)
		return false;
	memset(s, 0, sizeof(*s));
	for (uint32_t op = 1; op < FUZZ_END; op++)
		if (!strncmp(ops[op - 1].name, line, len) &&
		    !ops[op - 1].name[len])
			s->op = op;
	if (!s->op || !next_number(&at, &object) || !next_number(&at, &s->arg))
		return false;
	s->object = object;
	for (unsigned int i = 0; i < FUZZ_WORDS; i++)
		if (!next_number(&at, &s->words[i]))
			break;
	p->n++;
	return true;
}

void fuzz_print(const struct fuzz_step *s, char *text, size_t size)
{
	unsigned int words = fuzz_words(fuzz_op(s->op));
	int n = snprintf(text, size, "%s %x %lx", fuzz_op(s->op)->name,
			 s->object, s->arg);

	while (words && !s->words[words - 1])
		words--;
	for (unsigned int i = 0; i < words; i++)
		n += snprintf(text + n, size - n, " %lx", s->words[i]);
}
