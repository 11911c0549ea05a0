// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports for processes. */
#include <linux/console.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/slab.h>
#include <asm/serial.h>
#include "../../../kernel/pith/pith.h"

/* What objects have, none of it twice. */
static struct resource port_claims = DEFINE_RES_IO(0, 0x10000);

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
		return pith_overlap(base, size, early_serial_base, 8);
#endif
	return false;
}

int pith_op_hw_io_port(struct pith_cap *cap, void *arg)
{
	struct pith_io_port *a = arg;
	struct pith_ports *p;
	int i, err;

	if (!a->size || a->base > 0xffff ||
	    a->size > 0x10000 - a->base)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(kernel_ports); i++)
		if (pith_overlap(a->base, a->size, kernel_ports[i].first,
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
