// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hardware capability, on QEMU's machines: device memory and ports that are
 * exclusive and never the kernel's, interrupts that are real.
 */
#include <string.h>
#include "arch.h"
#include "source.h"

#define COM1		0x3f8
#define UNUSED		KT_UNUSED

static long io_mem(uint64_t base, uint64_t size, uint32_t cache)
{
	struct pith_io_mem a = { base, size, cache, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &a);
}

static long io_port(uint32_t base, uint32_t size)
{
	struct pith_io_port a = { base, size };

	return kt_control(kt_hardware, PITH_OP_HW_IO_PORT, &a);
}

static long hw_irq(uint32_t gsi, int level, int low)
{
	struct pith_irq a = { gsi, level, low, 0 };

	return kt_control(kt_hardware, PITH_OP_HW_IRQ, &a);
}

static long hw_msi(struct pith_msi *a)
{
	memset(a, 0, sizeof(*a));
	return kt_control(kt_hardware, PITH_OP_HW_MSI, a);
}

static void expect_refused(long fd, long err)
{
	KT_EQ(fd, err);
	if (fd >= 0)
		kt_close(fd);
}

static void expect_made(long fd)
{
	KT_FD(fd);
	if (fd >= 0)
		kt_close(fd);
}

KT_CORE(hw_info)
{
	struct pith_hw_info i = { 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_INFO, &i), 0);
	KT_TRUE(i.ram_total > 64 << 20);
	KT_TRUE(i.ram_free > 0 && i.ram_free <= i.ram_total);
	KT_TRUE(i.boot_ram_free > 0 && i.boot_ram_free <= i.ram_total);
	KT_TRUE(i.cpus >= 1 && i.cpus <= 64);
	KT_EQ(i.rsdp != 0, KT_HAS_RSDP);
	KT_EQ(i.zero, 0);
	KT_TRUE(i.screen.pitch * (__u64)i.screen.height == i.screen.size);
	KT_TRUE(!i.screen.base == !i.screen.size);
	KT_EQ(i.screen.zero, 0);
	kt_console("# %u CPUs, %llu KiB of RAM, %llu KiB free at start", i.cpus,
		   i.ram_total >> 10, i.boot_ram_free >> 10);
}

KT_CORE(hw_console_args)
{
	char text[600] = "# from a test\n";
	struct pith_text t = { (uintptr_t)text, 0, 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), 0);
	t.len = 513;
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), -EINVAL);
	t.len = ~0u;
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), -EINVAL);
	t = (struct pith_text){ KT_KERNEL_ADDRESS, 16, 0 };
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), -EFAULT);
	t = (struct pith_text){ (uintptr_t)text, 14, 1 };
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), -EINVAL);
	t.zero = 0;
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), 0);
	memset(text, '#', sizeof(text));
	t.len = 512;
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &t), 0);
}

/* --- device memory --------------------------------------------------------- */

KT_CORE(io_mem_args)
{
	struct pith_io_mem odd = { UNUSED, KT_PAGE, 0, 1 };

	KT_EQ(io_mem(UNUSED + 1, KT_PAGE, 0), -EINVAL);
	KT_EQ(io_mem(UNUSED, 1, 0), -EINVAL);
	KT_EQ(io_mem(UNUSED, 0, 0), -EINVAL);
	KT_EQ(io_mem(UNUSED, KT_PAGE, 3), -EINVAL);
	KT_EQ(io_mem(UNUSED, KT_PAGE, ~0u), -EINVAL);
	KT_EQ(io_mem(-(uint64_t)KT_PAGE, KT_PAGE, 0), -EINVAL);
	KT_EQ(io_mem(-(uint64_t)KT_PAGE, 2 * KT_PAGE, 0), -EINVAL);
	KT_EQ(io_mem(1ull << 63, 1ull << 63, 0), -EINVAL);
	KT_EQ(io_mem(1ull << 60, KT_PAGE, 0), -EINVAL);
	KT_EQ(io_mem(UNUSED, -UNUSED, 0), -EINVAL);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_IO_MEM, &odd), -EINVAL);
}

/* The kernel's own: RAM, its image, interrupt controllers. */
KT_CORE(io_mem_refused)
{
	static const uint64_t ram[] = KT_RAM, own[][2] = KT_OWN;
	uint64_t phys[1];
	struct pith_mem_phys a = { kt_report_mem, 1, 0, (uintptr_t)phys };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &a), 0);
	for (uint32_t cache = 0; cache <= PITH_IO_CACHED; cache++) {
		for (unsigned int i = 0; i < sizeof(ram) / sizeof(*ram); i++)
			expect_refused(io_mem(ram[i], KT_PAGE, cache), -EPERM);
		expect_refused(io_mem(phys[0], KT_PAGE, cache), -EPERM);
		for (unsigned int i = 0; i < sizeof(own) / sizeof(*own); i++)
			expect_refused(io_mem(own[i][0], own[i][1], cache),
				       -EPERM);
	}
}

KT_CORE(io_mem_exclusive)
{
	int a = KT_FD(io_mem(UNUSED, 4 * KT_PAGE, 0)), copy;
	uint64_t *p;

	KT_EQ(io_mem(UNUSED, 4 * KT_PAGE, 0), -EBUSY);
	KT_EQ(io_mem(UNUSED + KT_PAGE, KT_PAGE, 0), -EBUSY);
	KT_EQ(io_mem(UNUSED - KT_PAGE, 2 * KT_PAGE, 0), -EBUSY);
	KT_EQ(io_mem(UNUSED + 3 * KT_PAGE, 2 * KT_PAGE, 0), -EBUSY);
	KT_EQ(io_mem(UNUSED - KT_PAGE, 8 * KT_PAGE, 0), -EBUSY);
	expect_made(io_mem(UNUSED + 4 * KT_PAGE, KT_PAGE, 0));
	/* free only once the last capability and mapping are gone */
	copy = KT_FD(kt_mint_range(a, PITH_R_READ, KT_PAGE, KT_PAGE));
	kt_close(a);
	KT_EQ(io_mem(UNUSED, KT_PAGE, 0), -EBUSY);
	p = kt_map(copy, 0, KT_PAGE, KT_R);
	KT_NEED(!kt_is_error(p));
	kt_close(copy);
	KT_EQ(io_mem(UNUSED, KT_PAGE, 0), -EBUSY);
	kt_unmap(p, KT_PAGE);
	for (int i = 0; i < 100; i++) {
		a = io_mem(UNUSED, 4 * KT_PAGE, 0);
		if (a != -EBUSY)
			break;
		kt_sleep(KT_MS(10));
	}
	KT_FD(a);
	kt_close(a);
}

KT_CORE(io_mem_rights)
{
	struct pith_mem_info info;
	uint64_t phys[1];
	int a = KT_FD(io_mem(UNUSED, 2 * KT_PAGE, PITH_IO_UNCACHED));
	int c = KT_FD(io_mem(KT_ROM, KT_PAGE, PITH_IO_CACHED));
	struct pith_mem_phys m = { a, 1, 0, (uintptr_t)phys };
	uint8_t *p;

	KT_EQ(kt_rights(a), PITH_R_READ | PITH_R_WRITE | PITH_R_REVOKE);
	KT_EQ(kt_rights(c), PITH_R_READ | PITH_R_REVOKE);
	KT_EQ(kt_control(a, PITH_OP_MEM_INFO, &info), 0);
	KT_EQ(info.io, 1);
	KT_EQ(info.size, 2 * KT_PAGE);
	KT_EQ((long)kt_map(a, 0, KT_PAGE, KT_R | KT_X), -EACCES);
	KT_EQ((long)kt_map(c, 0, KT_PAGE, KT_R | KT_W), -EACCES);
	KT_EQ((long)kt_map(a, 0, 3 * KT_PAGE, KT_R), -EINVAL);
	KT_EQ((long)kt_map(a, 2 * KT_PAGE, KT_PAGE, KT_R), -EINVAL);
	p = kt_map(c, 0, KT_PAGE, KT_R);
	KT_NEED(!kt_is_error(p));
	KT_EQ(kt_protect(p, KT_PAGE, KT_R | KT_W), -EACCES);
	kt_unmap(p, KT_PAGE);
	/* device memory is no message buffer, no DMA memory, no program */
	KT_EQ(kt_buffer_set(a, 0), -EINVAL);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_MEM_PHYS, &m), -EINVAL);
	kt_close(c);
	kt_close(a);
}

/* --- ports ----------------------------------------------------------------- */

KT_CORE(io_port_args)
{
	if (!KT_HAS_PORTS)
		return kt_skip("I/O ports");
	KT_EQ(io_port(COM1, 0), -EINVAL);
	KT_EQ(io_port(0x10000, 1), -EINVAL);
	KT_EQ(io_port(0xffff, 2), -EINVAL);
	KT_EQ(io_port(1, 0xffffffff), -EINVAL);
	KT_EQ(io_port(0xffffffff, 2), -EINVAL);
	expect_made(io_port(0xffff, 1));
}

KT_CORE(io_port_refused)
{
	static const uint32_t own[] = { 0x20, 0x21, 0x40, 0x43, 0xa0, 0xa1,
		0x4d0, 0x4d1 };

	if (!KT_HAS_PORTS)
		return kt_skip("I/O ports");
	for (unsigned int i = 0; i < sizeof(own) / sizeof(*own); i++)
		expect_refused(io_port(own[i], 1), -EPERM);
	expect_refused(io_port(0x1f, 2), -EPERM);
	expect_refused(io_port(0x22, 0x30), -EPERM);
	expect_refused(io_port(0, 0x10000), -EPERM);
}

/* The second serial port is the kernel's log: not for anybody else. */
KT_CORE(io_port_of_the_log)
{
	if (!KT_HAS_PORTS)
		return kt_skip("I/O ports");
	expect_refused(io_port(0x2f8, 8), -EPERM);
	expect_refused(io_port(0x2fd, 1), -EPERM);
}

static long port_do(int fd, uint32_t op, uint32_t offset, uint32_t width,
		    uint32_t *value)
{
	struct pith_port a = { offset, width, *value, 0 };
	long ret = kt_control(fd, op, &a);

	*value = a.value;
	return ret;
}

static long in(int fd, uint32_t offset, uint32_t width)
{
	uint32_t v = 0;
	long ret = port_do(fd, PITH_OP_PORT_IN, offset, width, &v);

	return ret ? ret : (long)v;
}

static long out(int fd, uint32_t offset, uint32_t width, uint32_t value)
{
	return port_do(fd, PITH_OP_PORT_OUT, offset, width, &value);
}

KT_CORE(io_port_exclusive)
{
	struct pith_port odd = { 0, 1, 0, 1 };
	int a;

	if (!KT_HAS_PORTS)
		return kt_skip("I/O ports");
	a = KT_FD(io_port(COM1, 8));
	KT_EQ(io_port(COM1, 8), -EBUSY);
	KT_EQ(io_port(COM1 + 7, 1), -EBUSY);
	KT_EQ(io_port(COM1 - 1, 2), -EBUSY);
	expect_made(io_port(COM1 + 8, 1));
	/* the scratch register keeps what it was told (PC16550D 8.9) */
	KT_EQ(out(a, 7, 1, 0x5a), 0);
	KT_EQ(in(a, 7, 1), 0x5a);
	KT_EQ(out(a, 7, 1, 0xa5), 0);
	KT_EQ(in(a, 7, 1), 0xa5);
	/* not beyond the end, not by other widths */
	KT_EQ(in(a, 8, 1), -EINVAL);
	KT_EQ(in(a, 7, 2), -EINVAL);
	KT_EQ(in(a, 5, 4), -EINVAL);
	KT_EQ(in(a, ~0u, 1), -EINVAL);
	KT_EQ(in(a, ~0u - 1, 2), -EINVAL);
	KT_EQ(in(a, 0, 0), -EINVAL);
	KT_EQ(in(a, 0, 3), -EINVAL);
	KT_EQ(in(a, 0, 8), -EINVAL);
	KT_EQ(out(a, 8, 1, 0), -EINVAL);
	KT_EQ(kt_control(a, PITH_OP_PORT_IN, &odd), -EINVAL);
	kt_close(a);
	a = KT_FD(io_port(COM1, 8));
	kt_close(a);
}

/* --- interrupts ------------------------------------------------------------ */

static long irq_bind(int irq, int notif)
{
	struct pith_fd_arg a = { notif, 0 };

	return kt_control(irq, PITH_OP_IRQ_BIND, &a);
}

static long irq_ack(int irq)
{
	return kt_control(irq, PITH_OP_IRQ_ACK, NULL);
}

KT_CORE(irq_args)
{
	struct pith_irq odd = { KT_GSI, 0, 0, 1 };
	int irq, n = KT_FD(kt_notif_create()), ep = KT_FD(kt_ep_create());
	int manage = KT_FD(kt_mint(n, PITH_R_MANAGE));

	KT_EQ(hw_irq(KT_NO_GSI, 0, 0), -EINVAL);
	KT_EQ(hw_irq(0x7fffffff, 0, 0), -EINVAL);
	KT_EQ(hw_irq(~0u, 0, 0), -EINVAL);
	KT_EQ(hw_irq(KT_GSI, 2, 0), -EINVAL);
	KT_EQ(hw_irq(KT_GSI, 0, 2), -EINVAL);
	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_IRQ, &odd), -EINVAL);
	irq = KT_FD(hw_irq(KT_GSI, 0, 0));
	KT_EQ(kt_rights(irq), PITH_R_MANAGE | PITH_R_REVOKE);
	KT_EQ(hw_irq(KT_GSI, 0, 0), -EBUSY);
	KT_EQ(hw_irq(KT_GSI, 1, KT_GSI_LOW), -EBUSY);
	KT_EQ(irq_bind(irq, ep), -EBADF);
	KT_EQ(irq_bind(irq, -1), -EBADF);
	KT_EQ(irq_bind(irq, manage), -EPERM);
	KT_EQ(irq_ack(irq), 0);		/* nothing to acknowledge: no harm */
	kt_close(irq);
	for (int i = 0; i < 20; i++) {
		irq = KT_FD(source_irq());
		kt_close(irq);
	}
	kt_close(manage);
	kt_close(ep);
	kt_close(n);
}

/* The kernel's own timer stays the kernel's. */
KT_CORE(irq_of_the_timer)
{
	long fd = hw_irq(KT_TIMER_GSI, 0, 0);

	KT_TRUE(fd == -EBUSY || fd == -EPERM || fd == KT_TIMER_ERROR);
	if (fd >= 0)
		kt_close(fd);
}

KT_CORE(irq_is_delivered)
{
	int port = KT_FD(source_open()), irq = KT_FD(source_irq());
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 3), 0);
	KT_EQ(irq_bind(irq, n), 0);
	for (int i = 0; i < 50; i++) {
		source_interrupt(port);
		if (!kt_wait_note(ep, 3, 1))
			break;
		source_quiet(port);
		KT_EQ(irq_ack(irq), 0);
	}
	source_quiet(port);
	kt_close(irq);
	kt_close(port);
	kt_close(n);
	kt_close(ep);
}

/* Until it is acknowledged, an interrupt is not signalled again. */
KT_CORE(irq_masked_until_ack)
{
	int port = KT_FD(source_open()), irq = KT_FD(source_irq());
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 3), 0);
	KT_EQ(irq_bind(irq, n), 0);
	source_interrupt(port);
	kt_wait_note(ep, 3, 1);
	for (int i = 0; i < 20; i++)
		source_interrupt(port);
	KT_EQ(kt_wait(ep, KT_NOT_SOON), -ETIMEDOUT);
	/* an edge that came meanwhile is not lost */
	KT_EQ(irq_ack(irq), 0);
	kt_wait_note(ep, 3, 1);
	source_quiet(port);
	KT_EQ(irq_ack(irq), 0);
	KT_EQ(kt_wait(ep, KT_NOT_SOON), -ETIMEDOUT);
	kt_close(irq);
	kt_close(port);
	kt_close(n);
	kt_close(ep);
}

/* A driver that died with its line masked: the next one gets interrupts. */
KT_CORE(irq_claimed_again)
{
	int port = KT_FD(source_open()), irq;
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());

	KT_EQ(kt_bind(n, ep, 3), 0);
	for (int i = 0; i < 10; i++) {
		irq = KT_FD(source_irq());
		KT_EQ(irq_bind(irq, n), 0);
		source_interrupt(port);
		kt_wait_note(ep, 3, 1);
		source_quiet(port);
		kt_close(irq);
	}
	kt_close(port);
	kt_close(n);
	kt_close(ep);
}

/* --- message-signalled ----------------------------------------------------- */

#define MANY	4096

static int msi_fd[MANY];
static struct pith_msi msi[MANY];

static int take_all_vectors(void)
{
	int n = 0;
	long fd = -1;

	while (n < MANY && (fd = hw_msi(&msi[n])) >= 0)
		msi_fd[n++] = fd;
	KT_EQ(fd, -EBUSY);
	return n;
}

KT_CORE(msi_vectors)
{
	int n, again;

	if (!KT_HAS_MSI)
		return kt_skip("message-signalled interrupts");
	n = take_all_vectors();
	KT_TRUE(n >= 32);
	for (int i = 0; i < n; i++) {
		KT_EQ(msi[i].address >> 20, 0xfee);
		KT_TRUE((msi[i].data & 0xff) >= 0x20);
		KT_EQ(msi[i].zero, 0);
		for (int k = 0; k < i; k++)
			if (msi[i].address == msi[k].address &&
			    msi[i].data == msi[k].data)
				KT_FAIL("vectors %d and %d are the same", k, i);
	}
	for (int i = 0; i < n; i++)
		KT_EQ(kt_close(msi_fd[i]), 0);
	kt_sleep(KT_MS(50));
	again = take_all_vectors();
	KT_EQ(again, n);
	while (again)
		kt_close(msi_fd[--again]);
	kt_console("# %d vectors", n);
}
