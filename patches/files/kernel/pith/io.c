// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware capability and what is made with it: device memory, I/O ports,
 * physical addresses for DMA, the console, figures about the machine.
 */
#include <linux/console.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>
#ifdef CONFIG_X86
#include <asm/hpet.h>
#include <asm/io_apic.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/serial.h>
#endif
#include "pith.h"

/* What objects have, none of it twice. */
static struct resource mem_claims = DEFINE_RES_MEM(0, U64_MAX);
static struct resource port_claims = DEFINE_RES_IO(0, 0x10000);

void pith_unclaim(struct resource *claim)
{
	if (claim->parent)
		release_resource(claim);
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* --- device memory ------------------------------------------------------------------ */

#ifdef CONFIG_X86

#define MSI_WINDOW	0xfee00000ULL	/* also where the local APICs are */
#define MSI_WINDOW_SIZE	0x100000ULL

static u64 phys_limit(void)
{
	return 1ULL << boot_cpu_data.x86_phys_bits;
}

/* Interrupt controllers and the kernel's clock. */
static bool kernel_range(u64 base, u64 size)
{
	u64 lapic;
	int i;

	rdmsrl(MSR_IA32_APICBASE, lapic);
	if (overlap(base, size, MSI_WINDOW, MSI_WINDOW_SIZE) ||
	    overlap(base, size, lapic & PAGE_MASK & (phys_limit() - 1),
		    PAGE_SIZE))
		return true;
	for (i = 0; i < nr_ioapics; i++)
		if (overlap(base, size, mpc_ioapic_addr(i), PAGE_SIZE))
			return true;
#ifdef CONFIG_HPET_TIMER
	if (hpet_address && overlap(base, size, hpet_address, PAGE_SIZE))
		return true;
#endif
	return false;
}
#endif

static int io_mem_check(struct pith_io_mem *a)
{
	if (a->cache > PITH_IO_CACHED || !a->size ||
	    !PAGE_ALIGNED(a->base) || !PAGE_ALIGNED(a->size) ||
	    a->base >= phys_limit() || a->size > phys_limit() - a->base)
		return -EINVAL;
	if (kernel_range(a->base, a->size) ||
	    region_intersects(a->base, a->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EPERM;
	return 0;
}

int pith_op_hw_io_mem(struct pith_cap *cap, void *arg)
{
	struct pith_io_mem *a = arg;
	struct pith_mem *mem;
	u32 rights = PITH_R_READ | PITH_R_REVOKE;
	int err = io_mem_check(a);

	if (err)
		return err;
	mem = pith_mem_io(a->base, a->size, a->cache);
	if (IS_ERR(mem))
		return PTR_ERR(mem);
	err = request_resource(&mem_claims, &mem->claim);
	if (err) {
		pith_put(&mem->obj);
		return err;
	}
	if (a->cache != PITH_IO_CACHED)
		rights |= PITH_R_WRITE;
	return pith_cap_install(&mem->obj, rights);
}

/* --- I/O ports ------------------------------------------------------------------------ */

struct pith_ports {
	struct pith_object obj;
	struct resource claim;
};

/* PIC, PIT, DMA controllers, FPU error, ELCR: the kernel's or nobody's. */
static const struct { u16 first, last; } kernel_ports[] = {
	{ 0x00, 0x21 }, { 0x40, 0x43 }, { 0x80, 0x8f }, { 0xa0, 0xa1 },
	{ 0xc0, 0xdf }, { 0xf0, 0xff }, { 0x4d0, 0x4d1 },
};

static void ports_revoke(struct pith_object *obj)
{
	struct pith_ports *p = container_of(obj, struct pith_ports, obj);

	WRITE_ONCE(obj->dead, true);
	synchronize_rcu();	/* who found it alive is done */
	pith_unclaim(&p->claim);
}

static void ports_free(struct pith_object *obj)
{
	struct pith_ports *p = container_of(obj, struct pith_ports, obj);

	pith_unclaim(&p->claim);
	kfree(p);
}

/* The port that the kernel's log goes to. */
static bool log_port(u32 base, u32 size)
{
#ifdef CONFIG_EARLY_PRINTK
	if (early_console && !strcmp(early_console->name, "earlyser"))
		return overlap(base, size, early_serial_base, 8);
#endif
	return false;
}

int pith_op_hw_io_port(struct pith_cap *cap, void *arg)
{
	struct pith_io_port *a = arg;
	struct pith_ports *p;
	int i, err;

	if (!IS_ENABLED(CONFIG_HAS_IOPORT) || !a->size || a->base > 0xffff ||
	    a->size > 0x10000 - a->base)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(kernel_ports); i++)
		if (overlap(a->base, a->size, kernel_ports[i].first,
			    kernel_ports[i].last - kernel_ports[i].first + 1))
			return -EPERM;
	if (log_port(a->base, a->size))
		return -EPERM;
	p = pith_object_new(pith_current_domain(), PITH_T_IO_PORT, sizeof(*p),
			    0, ports_free);
	if (IS_ERR(p))
		return PTR_ERR(p);
	p->obj.revoke = ports_revoke;
	p->claim = (struct resource) DEFINE_RES_IO(a->base, a->size);
	err = request_resource(&port_claims, &p->claim);
	if (err) {
		pith_put(&p->obj);
		return err;
	}
	return pith_cap_install(&p->obj,
				PITH_R_READ | PITH_R_WRITE | PITH_R_REVOKE);
}

static u32 port_in(u16 port, u32 width)
{
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

static void port_out(u16 port, u32 width, u32 value)
{
	if (width == 1)
		outb(value, port);
	else if (width == 2)
		outw(value, port);
	else
		outl(value, port);
}

static int port_access(struct pith_cap *cap, bool out, struct pith_port *a)
{
	struct pith_ports *p = pith_cap_to(cap, struct pith_ports);
	u64 size = resource_size(&p->claim);
	u16 port = p->claim.start + a->offset;

	if ((a->width != 1 && a->width != 2 && a->width != 4) ||
	    a->offset > size || a->width > size - a->offset)
		return -EINVAL;
	guard(rcu)();	/* see ports_revoke() */
	if (READ_ONCE(p->obj.dead))
		return -EPIPE;
	if (out)
		port_out(port, a->width, a->value);
	else
		a->value = port_in(port, a->width);
	return 0;
}

int pith_op_port_in(struct pith_cap *cap, void *arg)
{
	return port_access(cap, false, arg);
}

int pith_op_port_out(struct pith_cap *cap, void *arg)
{
	return port_access(cap, true, arg);
}

/* --- the rest -------------------------------------------------------------------------- */

int pith_op_hw_info(struct pith_cap *cap, void *arg)
{
	*(struct pith_hw_info *)arg = (struct pith_hw_info) {
		.rsdp = pith_acpi_rsdp,
		.ram_total = (u64)totalram_pages() << PAGE_SHIFT,
		.ram_free = (u64)global_zone_page_state(NR_FREE_PAGES) << PAGE_SHIFT,
		.boot_ram_free = pith_boot_free,
		.cpus = num_online_cpus(),
		.screen = pith_screen,
	};
	return 0;
}

#define FLUSH_MS	1000

int pith_op_hw_console(struct pith_cap *cap, void *arg)
{
	struct pith_text *t = arg;
	char text[513];

	if (t->len >= sizeof(text))
		return -EINVAL;
	if (!t->len)
		return pr_flush(FLUSH_MS, true) ? 0 : -ETIMEDOUT;
	if (copy_from_user(text, u64_to_user_ptr(t->text), t->len))
		return -EFAULT;
	if (text[t->len - 1] == '\n')
		t->len--;
	text[t->len] = 0;
	pr_info("%s\n", text);
	return 0;
}

static int mem_phys(struct pith_cap *cap, struct pith_mem_phys *a)
{
	struct pith_mem *mem = pith_cap_to(cap, struct pith_mem);
	u64 __user *out = u64_to_user_ptr(a->addresses);
	u64 pages = cap->size >> PAGE_SHIFT;
	u64 first = (cap->offset >> PAGE_SHIFT) + a->first;
	u32 i;

	if (!mem->pages || a->first > pages || a->count > pages - a->first)
		return -EINVAL;
	for (i = 0; i < a->count; i++) {
		struct page *page = pith_mem_page(mem, first + i);

		if (!page)
			return -EPIPE;
		put_page(page);		/* the object keeps it */
		if (put_user(page_to_phys(page), out + i))
			return -EFAULT;
	}
	return 0;
}

int pith_op_hw_mem_phys(struct pith_cap *cap, void *arg)
{
	struct pith_mem_phys *a = arg;

	if (!a->count || a->count > 512)
		return -EINVAL;
	CLASS(pith_fd, mem)(a->mem, PITH_T_MEMORY, 0);
	return IS_ERR(mem.cap) ? PTR_ERR(mem.cap) : mem_phys(mem.cap, a);
}

static void hw_free(struct pith_object *obj)
{
	kfree(obj);
}

int pith_hw_install(void)
{
	struct pith_object *hw = pith_object_new(NULL, PITH_T_HARDWARE,
						 sizeof(*hw), 0, hw_free);

	if (IS_ERR(hw))
		return PTR_ERR(hw);
	return pith_cap_install(hw, 0);
}
