/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <pith/sys.h>

#if defined(__x86_64__)
long pith_syscall4(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile ("syscall"
			  : "=a"(ret)
			  : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			  : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
long pith_syscall4(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile ("svc 0"
			  : "+r"(x0)
			  : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			  : "memory");
	return x0;
}
#else
#error "no system call sequence for this architecture"
#endif

int pith_ep_create(void)
{
	return pith_control(-1, PITH_OP_EP_CREATE, NULL);
}

int pith_ep_watch(int ep, int notif)
{
	struct pith_fd_arg a = { .fd = notif };

	return pith_control(ep, PITH_OP_EP_WATCH, &a);
}

int pith_ep_save_reply(int ep)
{
	return pith_control(ep, PITH_OP_EP_SAVE_REPLY, NULL);
}

int pith_notif_create(void)
{
	return pith_control(-1, PITH_OP_NOTIF_CREATE, NULL);
}

int pith_notif_bind(int notif, int ep, uint64_t badge)
{
	struct pith_bind a = { .endpoint = ep, .badge = badge };

	return pith_control(notif, PITH_OP_NOTIF_BIND, &a);
}

int pith_mem_create(int domain, uint64_t size, uint32_t flags)
{
	struct pith_mem_create a = {
		.size = size, .flags = flags, .domain = domain,
	};

	return pith_control(-1, PITH_OP_MEM_CREATE, &a);
}

int64_t pith_mem_size(int mem)
{
	struct pith_mem_info info;
	int err = pith_control(mem, PITH_OP_MEM_INFO, &info);

	return err ? err : (int64_t)info.size;
}

int64_t pith_mem_lent(int mem)
{
	struct pith_mem_info info;
	int err = pith_control(mem, PITH_OP_MEM_INFO, &info);

	return err ? err : info.io ? -EINVAL : (int64_t)info.size;
}

static int mint(int fd, struct pith_mint *m)
{
	return pith_control(fd, PITH_OP_MINT, m);
}

int pith_mint(int fd, uint32_t rights)
{
	return mint(fd, &(struct pith_mint) { .rights = rights });
}

int pith_mint_badge(int ep, uint64_t badge)
{
	return mint(ep, &(struct pith_mint) {
		.rights = PITH_R_CALL, .badge = badge });
}

int pith_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size)
{
	return mint(mem, &(struct pith_mint) {
		.rights = rights, .offset = offset, .size = size });
}

int pith_revoke(int fd)
{
	struct pith_revoke a = { .flags = 0 };

	return pith_control(fd, PITH_OP_REVOKE, &a);
}

int pith_identify(int fd, struct pith_identify *id)
{
	return pith_control(fd, PITH_OP_IDENTIFY, id);
}

int pith_domain_create(int parent)
{
	return pith_control(parent, PITH_OP_DOMAIN_CREATE, NULL);
}

int pith_domain_transfer(int from, int to, uint64_t ram, uint64_t caps)
{
	struct pith_transfer a = { .to = to, .ram = ram, .caps = caps };

	return pith_control(from, PITH_OP_DOMAIN_TRANSFER, &a);
}

int pith_domain_info(int domain, struct pith_domain_info *info)
{
	return pith_control(domain, PITH_OP_DOMAIN_INFO, info);
}

int pith_domain_destroy(int domain)
{
	return pith_control(domain, PITH_OP_DOMAIN_DESTROY, NULL);
}

int pith_irq_bind(int irq, int notif)
{
	struct pith_fd_arg a = { .fd = notif };

	return pith_control(irq, PITH_OP_IRQ_BIND, &a);
}

int pith_irq_ack(int irq)
{
	return pith_control(irq, PITH_OP_IRQ_ACK, NULL);
}

int64_t pith_port_in(int port, uint32_t offset, uint32_t width)
{
	struct pith_port a = { .offset = offset, .width = width };
	int err = pith_control(port, PITH_OP_PORT_IN, &a);

	return err ? err : (int64_t)a.value;
}

int pith_port_out(int port, uint32_t offset, uint32_t width, uint32_t value)
{
	struct pith_port a = {
		.offset = offset, .width = width, .value = value,
	};

	return pith_control(port, PITH_OP_PORT_OUT, &a);
}

void pith_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void *pith_map(int mem, uint64_t offset, uint64_t size, unsigned int prot,
	       int *err)
{
	int p = PROT_NONE, ignored;
	int64_t all;
	void *addr;

	err = err ? err : &ignored;
	*err = 0;
	if (!size) {
		all = pith_mem_size(mem);
		if (all < 0 || offset >= (uint64_t)all) {
			*err = all < 0 ? (int)all : -EINVAL;
			return NULL;
		}
		size = all - offset;
	}
	p |= prot & PITH_MAP_READ ? PROT_READ : 0;
	p |= prot & PITH_MAP_WRITE ? PROT_WRITE : 0;
	p |= prot & PITH_MAP_EXEC ? PROT_EXEC : 0;
	addr = mmap(NULL, size, p, MAP_SHARED, mem, offset);
	if (addr != MAP_FAILED)
		return addr;
	*err = -errno;
	return NULL;
}

int pith_unmap(void *addr, uint64_t size)
{
	return munmap(addr, size) ? -errno : 0;
}

uint64_t pith_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return PITH_SEC(t.tv_sec) + t.tv_nsec;
}
