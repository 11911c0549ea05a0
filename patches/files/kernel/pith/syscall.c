// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls, the dispatch of control operations, and capability mode: which
 * system calls a process may make at all.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/prctl.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>
#include <uapi/linux/futex.h>
#include <asm/unistd.h>
#ifdef CONFIG_X86
#include <asm/prctl.h>
#endif
#include "pith.h"

u64 pith_boot_free;

/* --- capability mode --------------------------------------------------------------- */

/* What a component may call: it acts on itself, or on capabilities it holds. */
static const u16 pith_component_calls[] __initconst = {
	PITH_NR_CALL, PITH_NR_REPLY_WAIT, PITH_NR_SIGNAL, PITH_NR_CONTROL,
	__NR_close,		/* drop a capability */
	__NR_mmap,		/* a memory object it holds, or a new one it pays */
	__NR_munmap,
	__NR_mprotect,		/* within the rights of what is mapped */
	__NR_clone,		/* a thread of its own */
	__NR_set_tid_address,	/* libc: thread exit */
	__NR_futex,
	__NR_exit,
	__NR_exit_group,
	__NR_clock_gettime,
	__NR_clock_nanosleep,
	__NR_sched_yield,
	__NR_getrandom,		/* keys; where a program it starts has its stack */
#ifdef __NR_arch_prctl
	__NR_arch_prctl,	/* its thread pointer */
#endif
};

/* What core may call besides: to read the boot modules and to reboot. */
static const u16 pith_core_calls[] __initconst = {
	__NR_openat, __NR_read, __NR_fstat, __NR_getdents64, __NR_unlinkat,
	__NR_rt_sigaction,	/* its children leave no zombies */
	__NR_reboot,
#ifdef __NR_open
	__NR_open, __NR_unlink,
#endif
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
int pith_check_futex(int op)
{
	if (current->pith_mode != PITH_MODE_COMPONENT)
		return 0;
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAKE:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return 0;
	}
	return -ENOSYS;
}

int pith_check_arch_prctl(int option)
{
	if (current->pith_mode != PITH_MODE_COMPONENT)
		return 0;
#ifdef CONFIG_X86
	if (option == ARCH_SET_FS || option == ARCH_GET_FS)
		return 0;
#endif
	return -EPERM;
}

/* --- bootstrap ------------------------------------------------------------------------- */

/* Kept for the kernel itself: page tables, slabs, stacks. */
static u64 reserve(u64 free)
{
	return max_t(u64, 2 << 20, free / 16);
}

static struct pith_domain *root_domain(void)
{
	struct pith_domain *d = pith_domain_new(NULL);
	u64 free = (u64)global_zone_page_state(NR_FREE_PAGES) << PAGE_SHIFT;

	pith_boot_free = free;
	if (!d)
		return NULL;
	if (free > reserve(free))
		d->ram_limit = PAGE_ALIGN_DOWN(free - reserve(free));
	d->caps_limit = d->ram_limit >> 13;
	return d;
}

static int bootstrap_caps(struct pith_domain *root, struct pith_bootstrap *b)
{
	pith_get(&root->obj);
	b->domain = pith_cap_install(&root->obj, PITH_R_CHARGE | PITH_R_ADMIN);
	if (b->domain < 0)
		return b->domain;
	b->hardware = pith_hw_install();
	return b->hardware < 0 ? b->hardware : 0;
}

static int bootstrap(void __user *arg)
{
	struct pith_bootstrap b = {};
	struct pith_process *p;
	struct pith_domain *root;
	int err = -ENOMEM;

	if (!is_global_init(current) || current->pith_mode != PITH_MODE_LINUX ||
	    get_nr_threads(current) != 1)
		return -EPERM;
	root = root_domain();
	if (!root)
		return err;
	p = pith_process_new(root);
	if (!p)
		goto out;
	/* bounds the page tables that a small quota can be spread over */
	sysctl_max_map_count = PITH_MAPPINGS;
	current->signal->rlim[RLIMIT_NOFILE] =
		(struct rlimit) { PITH_CORE_TABLE, PITH_CORE_TABLE };
	current->pith_process = p;
	current->pith_mode = PITH_MODE_CORE;
	err = bootstrap_caps(root, &b);
	if (!err && copy_to_user(arg, &b, sizeof(b)))
		err = -EFAULT;
out:
	pith_put(&root->obj);
	return err;
}

/* --- control -------------------------------------------------------------------------------- */

static int control_self(u32 op, void __user *arg)
{
	if (op == PITH_OP_BOOTSTRAP)
		return bootstrap(arg);
	if (!current->pith_process)
		return -EPERM;
	switch (op) {
	case PITH_OP_BUFFER_SET:
		return pith_op_buffer_set(arg);
	case PITH_OP_EP_CREATE:
		return pith_op_ep_create();
	case PITH_OP_NOTIF_CREATE:
		return pith_op_notif_create();
	case PITH_OP_MEM_CREATE:
		return pith_op_mem_create(arg);
	}
	return -EBADF;
}

static int control_cap(struct pith_cap *cap, u32 op, void __user *arg)
{
	switch (op) {
	case PITH_OP_MINT:
		return pith_op_mint(cap, arg);
	case PITH_OP_IDENTIFY:
		return pith_op_identify(cap, arg);
	case PITH_OP_REVOKE:
		return pith_op_revoke(cap, arg);
	case PITH_OP_EP_WATCH:
		return pith_op_ep_watch(cap, arg);
	case PITH_OP_EP_SAVE_REPLY:
		return pith_op_ep_save_reply(cap);
	case PITH_OP_NOTIF_BIND:
		return pith_op_notif_bind(cap, arg);
	case PITH_OP_MEM_INFO:
		return pith_op_mem_info(cap, arg);
	case PITH_OP_DOMAIN_CREATE ... PITH_OP_SPACE_CREATE:
		return pith_domain_op(cap, op, arg);
	case PITH_OP_SPACE_MAP ... PITH_OP_SPACE_INFO:
		return pith_space_op(cap, op, arg);
	case PITH_OP_THREAD_START ... PITH_OP_THREAD_INFO:
		return pith_thread_op(cap, op, arg);
	case PITH_OP_IRQ_BIND ... PITH_OP_IRQ_ACK:
		return pith_irq_op(cap, op, arg);
	case PITH_OP_PORT_IN ... PITH_OP_PORT_OUT:
		return pith_port_op(cap, op, arg);
	}
	return pith_hw_op(cap, op, arg);
}

/* Type of object that an operation is for; 0: any. */
static u32 type_of_op(u32 op)
{
	switch (op) {
	case PITH_OP_MINT ... PITH_OP_REVOKE:
		return 0;
	case PITH_OP_EP_WATCH ... PITH_OP_EP_SAVE_REPLY:
		return PITH_T_ENDPOINT;
	case PITH_OP_NOTIF_BIND:
		return PITH_T_NOTIFICATION;
	case PITH_OP_MEM_INFO:
		return PITH_T_MEMORY;
	case PITH_OP_DOMAIN_CREATE ... PITH_OP_SPACE_CREATE:
		return PITH_T_DOMAIN;
	case PITH_OP_SPACE_MAP ... PITH_OP_SPACE_INFO:
		return PITH_T_SPACE;
	case PITH_OP_THREAD_START ... PITH_OP_THREAD_INFO:
		return PITH_T_THREAD;
	case PITH_OP_IRQ_BIND ... PITH_OP_IRQ_ACK:
		return PITH_T_IRQ;
	case PITH_OP_PORT_IN ... PITH_OP_PORT_OUT:
		return PITH_T_IO_PORT;
	}
	return PITH_T_HARDWARE;
}

SYSCALL_DEFINE3(pith_control, int, fd, u32, op, void __user *, arg)
{
	struct pith_cap *cap;
	struct fd f;
	int ret;

	if (op < PITH_OP_BOOTSTRAP || op > PITH_OP_HW_PANIC_READ)
		return -EINVAL;
	if (op <= PITH_OP_MEM_CREATE)
		return fd == -1 ? control_self(op, arg) : -EBADF;
	cap = pith_fd_cap(fd, type_of_op(op), 0, &f);
	if (IS_ERR(cap))
		return PTR_ERR(cap);
	ret = control_cap(cap, op, arg);
	fdput(f);
	return ret;
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
