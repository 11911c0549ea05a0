// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log, for core to read, and the panic report: the end of the log,
 * left in RAM that no boot uses for anything else, where the next one finds it.
 */
#include <linux/init.h>
#include <linux/jhash.h>
#include <linux/kmsg_dump.h>
#include <linux/memblock.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cacheflush.h>
#include "pith.h"

/* --- reading the log ------------------------------------------------------------- */

#define LINE_BYTES	2048	/* all that printk makes of one record */
#define READ_MIN	256
#define READ_MAX	SZ_64K

/* One record at a time, while they fit; @a tells how far it came. */
static int read_records(struct pith_log_read *a, char *line)
{
	struct kmsg_dump_iter iter = { .cur_seq = a->seq };
	u64 lost = 0;
	u32 done = 0;
	size_t len;

	while (kmsg_dump_get_line(&iter, false, line, LINE_BYTES, &len)) {
		if (len > a->len - done) {
			if (done)
				break;
			len = a->len;	/* cut: it would never fit */
			line[len - 1] = '\n';
		}
		if (copy_to_user(u64_to_user_ptr(a->text + done), line, len))
			return -EFAULT;
		/* the log may have moved on from the record asked for */
		lost += iter.cur_seq - 1 - a->seq;
		a->seq = iter.cur_seq;
		done += len;
	}
	a->lost = min_t(u64, lost, U32_MAX);
	return done;
}

int pith_op_hw_log_read(struct pith_cap *cap, void *arg)
{
	struct pith_log_read *a = arg;
	char *line __free(kfree) = kmalloc(LINE_BYTES, GFP_KERNEL);

	if (a->len < READ_MIN || a->len > READ_MAX)
		return -EINVAL;
	return line ? read_records(a, line) : -ENOMEM;
}

/* --- the panic report --------------------------------------------------------------- */

#define AREA_SIZE	SZ_32K
#define MAGIC		0x21636e6168746970ULL

struct area {
	u64 magic;
	u32 hash;	/* of what follows, as far as @len says */
	u32 boots;	/* since the memory was last without power */
	u32 len;	/* of the report; 0: no panic */
	char text[AREA_SIZE - 20];
} __packed;

static phys_addr_t reserved __initdata;
static struct area *area;	/* NULL: the machine has no RAM there */
static struct area *report;	/* of an earlier boot, until it was read */

static u32 area_hash(const struct area *a)
{
	return jhash(&a->boots, offsetof(struct area, text) -
		     offsetof(struct area, boots) + a->len, 0);
}

static void area_seal(u32 len)
{
	area->len = len;
	area->hash = area_hash(area);
	/* a reset may drop what is in the caches only */
#ifdef CONFIG_X86
	clflush_cache_range(area, AREA_SIZE);
#else
	dcache_clean_inval_poc((unsigned long)area,
			       (unsigned long)area + AREA_SIZE);
#endif
}

static void dump(struct kmsg_dumper *dumper, struct kmsg_dump_detail *detail)
{
	struct kmsg_dump_iter iter;
	size_t len = 0;

	kmsg_dump_rewind(&iter);
	kmsg_dump_get_buffer(&iter, false, area->text, sizeof(area->text), &len);
	area_seal(len);
}

static struct kmsg_dumper dumper = {
	.dump		= dump,
	.max_reason	= KMSG_DUMP_PANIC,
};

/*
 * Loaders of x86 put their parts lower and at the end of memory, and the kernel
 * itself, at a place it draws anew in each boot, starts at 16 MiB or higher. On
 * others memory begins anywhere, and they put theirs near its begin.
 */
static phys_addr_t __init area_base(void)
{
	if (IS_ENABLED(CONFIG_X86))
		return 0xc00000;
	return PAGE_ALIGN_DOWN(memblock_end_of_DRAM()) - AREA_SIZE;
}

void __init pith_reserve(void)
{
	phys_addr_t base = area_base();

	if (memblock_is_region_memory(base, AREA_SIZE) &&
	    !memblock_is_region_reserved(base, AREA_SIZE) &&
	    !memblock_reserve(base, AREA_SIZE))
		reserved = base;
}

/*
 * What is there may be anything: memory without power, or what a device still
 * writes to that an earlier boot had set up. So it is copied, then checked.
 */
static int __init panic_report_init(void)
{
	struct area *found;
	bool valid;

	if (!reserved)
		return 0;
	area = phys_to_virt(reserved);
	found = kmemdup(area, AREA_SIZE, GFP_KERNEL);
	valid = found && found->magic == MAGIC &&
		found->len <= sizeof(found->text) &&
		found->hash == area_hash(found);
	area->magic = MAGIC;
	area->boots = valid ? found->boots + 1 : 1;
	area_seal(0);
	pr_info("pith: boot %u since power came\n", area->boots);
	if (valid && found->len)
		report = found;
	else
		kfree(found);
	return kmsg_dump_register(&dumper);
}
core_initcall(panic_report_init);

int pith_op_hw_panic_read(struct pith_cap *cap, void *arg)
{
	struct pith_text *t = arg;
	struct area *r;
	u32 len;

	if (!t->len)
		return -EINVAL;
	r = xchg(&report, NULL);
	if (!r)
		return 0;
	len = min(t->len, r->len);
	if (copy_to_user(u64_to_user_ptr(t->text), r->text + r->len - len, len)) {
		WRITE_ONCE(report, r);
		return -EFAULT;
	}
	kfree(r);
	return len;
}
