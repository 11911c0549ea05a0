// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls, the dispatch of control operations, and capability mode: which
 * system calls a process may make at all.
 */
#include <linux/fdtable.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pith_calls.h>
#include <linux/prctl.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>
#include <uapi/linux/futex.h>
#include "pith.h"

u64 pith_boot_free;

/* --- capability mode --------------------------------------------------------------- */

#define NUMBER(number, entry) number,

static const u16 pith_component_calls[] __initconst = {
	PITH_COMPONENT_CALLS(NUMBER)
};

static const u16 pith_core_calls[] __initconst = {
	PITH_CORE_CALLS(NUMBER)
};

unsigned long pith_calls[PITH_MODES][BITS_TO_LONGS(PITH_CALLS)] __ro_after_init;

static int __init pith_calls_init(void)
{
	unsigned int i;

	BUILD_BUG_ON(NR_syscalls > PITH_CALLS);
	bitmap_fill(pith_calls[PITH_MODE_LINUX], PITH_CALLS);
	for (i = 0; i < ARRAY_SIZE(pith_component_calls); i++) {
		__set_bit(pith_component_calls[i], pith_calls[PITH_MODE_CORE]);
		__set_bit(pith_component_calls[i],
			  pith_calls[PITH_MODE_COMPONENT]);
	}
	for (i = 0; i < ARRAY_SIZE(pith_core_calls); i++)
		__set_bit(pith_core_calls[i], pith_calls[PITH_MODE_CORE]);
	return 0;
}
pure_initcall(pith_calls_init);

/*
 * Waiting and waking by address, in the component's own memory. The operations
 * with priority inheritance and robust lists name threads by global numbers.
 */
#define FUTEX_OPS	(BIT(FUTEX_WAIT) | BIT(FUTEX_WAKE) |		\
			 BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAKE_BITSET) | \
			 BIT(FUTEX_REQUEUE) | BIT(FUTEX_CMP_REQUEUE))

int pith_check_futex(int op)
{
	u32 cmd = op & FUTEX_CMD_MASK;

	return current->pith_mode != PITH_MODE_COMPONENT ||
	       (cmd < 32 && (FUTEX_OPS & BIT(cmd))) ? 0 : -ENOSYS;
}

/* --- bootstrap ------------------------------------------------------------------------- */

static struct pith_domain *root_domain(void)
{
	struct pith_domain *d = pith_domain_new(NULL);
	u64 free = (u64)global_zone_page_state(NR_FREE_PAGES) << PAGE_SHIFT;
	/* for the kernel itself: page tables, slabs, stacks */
	u64 reserve = max_t(u64, min_t(u64, 2 << 20, free / 4), free / 16);

	pith_boot_free = free;
	if (IS_ERR(d))
		return d;
	if (free > reserve)
		d->ram_limit = PAGE_ALIGN_DOWN(free - reserve);
	d->caps_limit = d->ram_limit >> 13;
	return d;
}

static int pith_op_bootstrap(struct pith_cap *cap, void *arg)
{
	struct pith_bootstrap *b = arg;
	struct pith_process *p;
	struct pith_domain *root;
	int err;

	if (!is_global_init(current) || current->pith_mode != PITH_MODE_LINUX ||
	    get_nr_threads(current) != 1)
		return -EPERM;
	root = root_domain();
	if (IS_ERR(root))
		return PTR_ERR(root);
	p = pith_process_new(root, 0);
	err = PTR_ERR_OR_ZERO(p);
	if (err)
		goto out;
	/* bounds the page tables that a small quota can be spread over */
	sysctl_max_map_count = PITH_MAPPINGS;
	pid_max = pid_max_max;
	current->signal->rlim[RLIMIT_NOFILE] =
		(struct rlimit) { PITH_CORE_TABLE, PITH_CORE_TABLE };
	current->pith_process = p;
	current->pith_mode = PITH_MODE_CORE;
	pith_get(&root->obj);
	b->domain = pith_cap_install(&root->obj, PITH_R_CHARGE | PITH_R_ADMIN);
	b->hardware = pith_hw_install();
	err = min3(0, b->domain, b->hardware);
out:
	pith_put(&root->obj);
	return err;
}

/* --- control -------------------------------------------------------------------------------- */

/* Instead of a type: on no object at all, on any. */
#define PITH_T_NONE	~0u
#define PITH_T_ANY	0u

struct op {
	u32 type;		/* of the object */
	u32 rights;		/* that the capability must have, all of them */
	pith_op_fn *run;
	u16 size;		/* of the argument */
	u16 zero;		/* where it has a u32 that must be 0, if not at 0 */
	bool in, out;		/* it is copied from the caller; and back */
};

#define OP(op, name, object, right, ...)				\
	[PITH_OP_##op] = { PITH_T_##object, right, pith_op_##name, __VA_ARGS__ }
#define SIZE(arg)	.size = sizeof(struct arg) +			\
	BUILD_BUG_ON_ZERO(sizeof(struct arg) > sizeof(struct pith_regs))
#define IN(arg)		SIZE(arg), .in = true
#define IN_ZERO(arg)	IN(arg), .zero = offsetof(struct arg, zero)
#define OUT(arg)	SIZE(arg), .out = true
#define INOUT_ZERO(arg)	IN_ZERO(arg), .out = true

static const struct op ops[] = {
	OP(BOOTSTRAP, bootstrap, NONE, 0, OUT(pith_bootstrap)),
	OP(BUFFER_SET, buffer_set, NONE, 0, IN_ZERO(pith_buffer)),
	OP(EP_CREATE, ep_create, NONE, 0),
	OP(NOTIF_CREATE, notif_create, NONE, 0),
	OP(MEM_CREATE, mem_create, NONE, 0, IN(pith_mem_create)),

	OP(MINT, mint, ANY, 0, IN_ZERO(pith_mint)),
	OP(IDENTIFY, identify, ANY, 0, OUT(pith_identify)),
	OP(REVOKE, revoke, ANY, 0, IN_ZERO(pith_revoke)),

	OP(EP_WATCH, ep_watch, ENDPOINT, 0, IN_ZERO(pith_fd_arg)),
	OP(EP_SAVE_REPLY, ep_save_reply, ENDPOINT, PITH_R_RECV),

	OP(NOTIF_BIND, notif_bind, NOTIFICATION, PITH_R_MANAGE,
	   IN_ZERO(pith_bind)),

	OP(MEM_INFO, mem_info, MEMORY, 0, OUT(pith_mem_info)),

	OP(DOMAIN_CREATE, domain_create, DOMAIN, PITH_R_ADMIN),
	OP(DOMAIN_TRANSFER, domain_transfer, DOMAIN, PITH_R_ADMIN,
	   IN_ZERO(pith_transfer)),
	OP(DOMAIN_INFO, domain_info, DOMAIN, 0, OUT(pith_domain_info)),
	OP(DOMAIN_DESTROY, domain_destroy, DOMAIN, PITH_R_ADMIN),
	OP(DOMAIN_CPU, domain_cpu, DOMAIN, PITH_R_ADMIN, IN(pith_cpu_budget)),
	OP(SPACE_CREATE, space_create, DOMAIN, PITH_R_ADMIN,
	   INOUT_ZERO(pith_space_create)),

	OP(SPACE_MAP, space_map, SPACE, PITH_R_MANAGE, IN(pith_map)),
	OP(SPACE_UNMAP, space_unmap, SPACE, PITH_R_MANAGE, IN_ZERO(pith_range)),
	OP(SPACE_PROTECT, space_protect, SPACE, PITH_R_MANAGE,
	   IN_ZERO(pith_range)),
	OP(SPACE_FAULT_EP, space_fault_ep, SPACE, PITH_R_MANAGE,
	   IN_ZERO(pith_fd_arg)),
	OP(SPACE_THREAD, space_thread, SPACE, PITH_R_MANAGE),
	OP(SPACE_KILL, space_kill, SPACE, PITH_R_MANAGE),
	OP(SPACE_INFO, space_info, SPACE, 0, OUT(pith_space_info)),

	OP(THREAD_PAUSE, thread_pause, THREAD, PITH_R_MANAGE),
	OP(THREAD_RESUME, thread_resume, THREAD, PITH_R_MANAGE),
	OP(THREAD_GET_REGS, thread_get_regs, THREAD, PITH_R_MANAGE,
	   OUT(pith_regs)),
	OP(THREAD_SET_REGS, thread_set_regs, THREAD, PITH_R_MANAGE,
	   IN(pith_regs)),
	OP(THREAD_FAULT_EP, thread_fault_ep, THREAD, PITH_R_MANAGE,
	   IN_ZERO(pith_fd_arg)),
	OP(THREAD_SCHED, thread_sched, THREAD, PITH_R_MANAGE, IN(pith_sched)),
	OP(THREAD_INFO, thread_info, THREAD, 0, OUT(pith_thread_info)),

	OP(IRQ_BIND, irq_bind, IRQ, PITH_R_MANAGE, IN_ZERO(pith_fd_arg)),
	OP(IRQ_ACK, irq_ack, IRQ, PITH_R_MANAGE),

#ifdef CONFIG_PITH_PORTS
	OP(PORT_IN, port_in, IO_PORT, PITH_R_READ, INOUT_ZERO(pith_port)),
	OP(PORT_OUT, port_out, IO_PORT, PITH_R_WRITE, IN_ZERO(pith_port)),
#endif

	OP(HW_INFO, hw_info, HARDWARE, 0, OUT(pith_hw_info)),
	OP(HW_CONSOLE, hw_console, HARDWARE, 0, IN_ZERO(pith_text)),
	OP(HW_IO_MEM, hw_io_mem, HARDWARE, 0, IN_ZERO(pith_io_mem)),
#ifdef CONFIG_PITH_PORTS
	OP(HW_IO_PORT, hw_io_port, HARDWARE, 0, IN(pith_io_port)),
#endif
	OP(HW_IRQ, hw_irq, HARDWARE, 0, IN(pith_irq)),
#ifdef CONFIG_PITH_MSI
	OP(HW_MSI, hw_msi, HARDWARE, 0, OUT(pith_msi)),
#endif
	OP(HW_MEM_PHYS, hw_mem_phys, HARDWARE, 0, IN(pith_mem_phys)),
	OP(HW_LOG_READ, hw_log_read, HARDWARE, 0, IN(pith_log_read),
	   .out = true),
	OP(HW_PANIC_READ, hw_panic_read, HARDWARE, 0, IN_ZERO(pith_text)),
};

static int run(const struct op *op, struct pith_cap *cap, void __user *user)
{
	struct pith_regs arg = {};	/* no argument is larger */
	int ret;

	/* what cannot be told must not be done: written as it was, for a try */
	if ((op->in || op->out) && copy_from_user(&arg, user, op->size))
		return -EFAULT;
	if (op->out && copy_to_user(user, &arg, op->size))
		return -EFAULT;
	if (!op->in)
		memset(&arg, 0, sizeof(arg));
	if (op->zero && *(u32 *)((void *)&arg + op->zero))
		return -EINVAL;
	ret = op->run(cap, &arg);
	if (ret >= 0 && op->out && copy_to_user(user, &arg, op->size))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE3(pith_control, int, fd, u32, nr, void __user *, arg)
{
	const struct op *op;

	if (nr >= ARRAY_SIZE(ops) || !ops[nr].run)
		return -EINVAL;
	op = &ops[array_index_nospec(nr, ARRAY_SIZE(ops))];
	if (op->type == PITH_T_NONE) {
		if (fd != -1)
			return -EBADF;
		if (!current->pith_process && nr != PITH_OP_BOOTSTRAP)
			return -EPERM;
		return run(op, NULL, arg);
	}
	CLASS(pith_fd, f)(fd, op->type, op->rights);
	return IS_ERR(f.cap) ? PTR_ERR(f.cap) : run(op, f.cap, arg);
}

SYSCALL_DEFINE2(pith_call, int, ep, u64, deadline)
{
	return pith_do_call(ep, deadline);
}

SYSCALL_DEFINE3(pith_reply_wait, int, fd, u32, flags, u64, deadline)
{
	return pith_do_reply_wait(fd, flags, deadline);
}

SYSCALL_DEFINE2(pith_signal, int, fd, u64, count)
{
	struct pith_notif *n;

	if (!count)
		return -EINVAL;
	n = pith_fd_notif(fd, PITH_R_SIGNAL);
	if (IS_ERR(n))
		return PTR_ERR(n);
	pith_notif_signal(n, count);
	pith_put(&n->obj);
	return 0;
}
