// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware capability and what is made with it: device memory, physical
 * addresses for DMA, the console, figures about the machine.
 */
#include <linux/console.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>
#include "pith.h"

/* What memory objects have, none of it twice. */
static struct resource mem_claims = DEFINE_RES_MEM(0, U64_MAX);

void pith_unclaim(struct resource *claim)
{
	if (claim->parent)
		release_resource(claim);
}

/* --- device memory ------------------------------------------------------------------ */

static int io_mem_check(struct pith_io_mem *a)
{
	if (a->cache > PITH_IO_CACHED || !a->size ||
	    !PAGE_ALIGNED(a->base) || !PAGE_ALIGNED(a->size) ||
	    a->base >= pith_phys_limit() ||
	    a->size > pith_phys_limit() - a->base)
		return -EINVAL;
	if (pith_kernel_range(a->base, a->size) ||
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

/* --- the rest -------------------------------------------------------------------------- */

/* set by the architecture where its firmware tells of one */
struct pith_screen pith_screen __ro_after_init;

int pith_op_hw_info(struct pith_cap *cap, void *arg)
{
	*(struct pith_hw_info *)arg = (struct pith_hw_info) {
		.rsdp = IS_ENABLED(CONFIG_PITH_MADT) ? pith_acpi_rsdp : 0,
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
