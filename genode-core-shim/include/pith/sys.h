/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel interface as C functions, one per operation of <linux/pith.h>,
 * which documents rights and errors. All return >= 0 or a negative errno.
 */
#ifndef PITH_SYS_H
#define PITH_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <linux/pith.h>

long pith_syscall4(long nr, long a, long b, long c, long d);

static inline int pith_call(int ep, uint64_t deadline)
{
	return pith_syscall4(PITH_NR_CALL, ep, deadline, 0, 0);
}

static inline int pith_reply_wait(int fd, uint32_t flags, uint64_t deadline)
{
	return pith_syscall4(PITH_NR_REPLY_WAIT, fd, flags, deadline, 0);
}

static inline int pith_signal(int notif, uint64_t count)
{
	return pith_syscall4(PITH_NR_SIGNAL, notif, count, 0, 0);
}

static inline int pith_control(int fd, uint32_t op, void *arg)
{
	return pith_syscall4(PITH_NR_CONTROL, fd, op, (long)arg, 0);
}

/* --- objects -------------------------------------------------------------- */

int pith_ep_create(void);
int pith_ep_watch(int ep, int notif);
int pith_ep_save_reply(int ep);
int pith_notif_create(void);
/* Deliver @notif at @ep with @badge; @ep -1 unbinds. */
int pith_notif_bind(int notif, int ep, uint64_t badge);

/* @domain -1: the caller's own pays. @flags: PITH_MEM_* */
int pith_mem_create(int domain, uint64_t size, uint32_t flags);
/* Bytes reachable through @mem, or a negative errno. */
int64_t pith_mem_size(int mem);
/* The same of memory that somebody lent, to map it: -EINVAL of device memory, which
 * core takes back when its session ends, mapped or not. */
int64_t pith_mem_lent(int mem);

int pith_mint(int fd, uint32_t rights);
int pith_mint_badge(int ep, uint64_t badge);
int pith_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size);
int pith_identify(int fd, struct pith_identify *id);
/* The object behind @fd, for everybody: an endpoint, or with right REVOKE. */
int pith_revoke(int fd);

int pith_domain_create(int parent);
int pith_domain_transfer(int from, int to, uint64_t ram, uint64_t caps);
int pith_domain_info(int domain, struct pith_domain_info *info);
int pith_domain_destroy(int domain);

int pith_irq_bind(int irq, int notif);
int pith_irq_ack(int irq);

/* @width 1, 2 or 4 bytes. in: the value (< 2^32) or a negative errno. */
int64_t pith_port_in(int port, uint32_t offset, uint32_t width);
int pith_port_out(int port, uint32_t offset, uint32_t width, uint32_t value);

/* Close @fd if it is >= 0; for tidy error paths. */
void pith_close(int fd);

/* --- mapping and time ----------------------------------------------------- */

#define PITH_MAP_READ	1u
#define PITH_MAP_WRITE	2u
#define PITH_MAP_EXEC	4u

/*
 * Map @size bytes (0: all) of memory object @mem from byte @offset, both page
 * aligned. Returns the address or NULL with the negative errno in *@err (which
 * may be NULL).
 */
void *pith_map(int mem, uint64_t offset, uint64_t size, unsigned int prot,
	       int *err);
int pith_unmap(void *addr, uint64_t size);

/* CLOCK_MONOTONIC now, in ns; deadlines are pith_now() + timeout. */
uint64_t pith_now(void);

#define PITH_MS(n)	((uint64_t)(n) * 1000000)
#define PITH_SEC(n)	((uint64_t)(n) * 1000000000)

#endif
