// SPDX-License-Identifier: BSD-2-Clause
/* Memory on Linux: files of memory, mappings, faults that a process answers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "bench.h"

/* --- mappings ------------------------------------------------------------- */

/* @size bytes of memory; the first page is committed. */
static int memory(unsigned int size)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd >= 0 && (ftruncate(fd, size) || pwrite(fd, "", 1, 0) != 1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Populated in one go, less than a fault for each page; the rounds to warm up
 * commit the memory. */
static void map_cost(unsigned int size, const char *name)
{
	int fd = memory(size);
	char *p = NULL;

	if (fd < 0) {
		missing("memfd", errno);
		return;
	}
	series_start();
	for (unsigned int i = 0; p != MAP_FAILED && i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, 0);
		if (p == MAP_FAILED)
			break;
		touch(p, size);
		munmap(p, size);
		series_add(ticks() - start);
	}
	series_print("map.memfd.insns_%s", name);
	close(fd);
}

static void memory_cost(void)
{
	int fd = 0;

	series_start();
	for (unsigned int i = 0; fd >= 0 && i < WARM_UP + rounds; i++) {
		uint64_t start = ticks();

		fd = memory(SMALL);
		if (fd < 0)
			return;
		close(fd);
		series_add(ticks() - start);
	}
	series_print("memory.memfd.create_insns_4K");
}

/* --- faults answered by another process ----------------------------------- */

/*
 * Faults of reading: the pager maps the page of zeroes, the least it can do; it
 * neither allocates nor copies.
 */
struct fault {
	int fd;
	char *at;
	size_t size;
};

static void pager(void *arg)
{
	struct fault *f = arg;
	struct uffd_msg m;

	while (read(f->fd, &m, sizeof(m)) == sizeof(m)) {
		struct uffdio_zeropage zero = {
			.range = { m.arg.pagefault.address & ~4095ull, 4096 },
		};

		if (ioctl(f->fd, UFFDIO_ZEROPAGE, &zero))
			return;
	}
}

static int fault_open(struct fault *f)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	f->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (f->fd < 0)
		return errno;
	f->at = mmap(NULL, f->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r.range.start = (uintptr_t)f->at;
	r.range.len = f->size;
	if (f->at == MAP_FAILED || ioctl(f->fd, UFFDIO_API, &api) ||
	    ioctl(f->fd, UFFDIO_REGISTER, &r))
		return errno;
	return 0;
}

static void each_page(char *at)
{
	series_start();
	for (unsigned int i = 0; i < WARM_UP + rounds; i++, at += 4096) {
		uint64_t start = ticks();

		*(volatile char *)at;
		series_add(ticks() - start);
	}
}

static void fault_cost(int cpu)
{
	struct fault f = { .size = (WARM_UP + rounds) * 4096ul };
	int pid, err = fault_open(&f);

	if (err) {
		missing("userfaultfd", err);
		return;
	}
	pid = linux_child(cpu, pager, &f);
	each_page(f.at);
	series_print("fault.userfaultfd.rt_insns_%s", cpu_name(cpu));
	linux_kill(pid);
	munmap(f.at, f.size);
	close(f.fd);
}

/* --- faults answered by the process itself -------------------------------- */

static void allow(int sig, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~4095ul;

	(void)sig;
	(void)context;
	if (mprotect((void *)page, 4096, PROT_READ | PROT_WRITE))
		_exit(1);
}

static void signal_cost(void)
{
	struct sigaction a = { .sa_sigaction = allow, .sa_flags = SA_SIGINFO };
	size_t size = (WARM_UP + rounds) * 4096ul;
	char *p = linux_shared(size);

	if (!p || sigaction(SIGSEGV, &a, NULL) || mprotect(p, size, PROT_NONE)) {
		missing("SIGSEGV handler", errno);
		return;
	}
	each_page(p);
	series_print("fault.sigsegv.rt_insns_same_cpu");
	munmap(p, size);
	a.sa_handler = SIG_DFL;
	sigaction(SIGSEGV, &a, NULL);
}

void linux_memory(void)
{
	memory_cost();
	map_cost(SMALL, "4K");
	map_cost(LARGE, "2M");
	for (int cpu = 0; cpu < cpus; cpu++)
		fault_cost(cpu);
	signal_cost();
}
