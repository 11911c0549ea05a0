/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rest of the kernel calls in kernel/pith. */
#ifndef _LINUX_PITH_H
#define _LINUX_PITH_H

#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/pith_mm.h>
#include <linux/types.h>

struct file;
struct kernel_clone_args;
struct mm_struct;
struct pith_screen;
struct task_struct;

enum pith_mode {
	PITH_MODE_LINUX,	/* before the first process took its authority */
	PITH_MODE_CORE,
	PITH_MODE_COMPONENT,	/* capability mode */
	PITH_MODES
};

#ifdef CONFIG_PITH

#define PITH_CALLS	512	/* system call numbers that a mode may allow */

extern unsigned long pith_calls[PITH_MODES][BITS_TO_LONGS(PITH_CALLS)];

/* One bit test on the system-call path; @nr is in range of the call table. */
#define pith_call_allowed(nr) \
	test_bit(nr, pith_calls[current->pith_mode])

/* The number that a component may see for thread @task instead of @nr. */
#define pith_tid(task, nr) \
	((task)->pith_mode == PITH_MODE_COMPONENT ? (task)->pith_tid : (nr))

/* mmap() of a process that has a domain: what to map instead, with @flags; NULL:
 * as it was asked for; or an error. */
struct file *pith_mmap_file(unsigned long addr, unsigned long len,
			    unsigned long *flags);
/* -EPERM unless a component only adds a thread to itself, -EDQUOT unless that can
 * be paid for. What is paid comes back when the thread has ended, or failed. */
int pith_check_clone(const struct kernel_clone_args *args);
void pith_clone_failed(const struct kernel_clone_args *args);
/* -ENOSYS for a component's futex operation that reaches beyond itself. */
int pith_check_futex(int op);
/* -EPERM for a component's change of anything but its own thread pointer. */
int pith_check_arch_prctl(int option);
/* The memory that a new task shares. */
struct mm_struct *pith_fork_mm(const struct kernel_clone_args *args);
void pith_fork(struct task_struct *child, const struct kernel_clone_args *args);
/* The caller's thread group ends with @code. */
void pith_group_exit(int code);
/* The caller met an exception in user mode: true if no signal is needed. */
bool pith_fault(void);
/* The log is not told that @task is about to get a signal for an exception. */
bool pith_fault_unsaid(struct task_struct *task);
/* Before a dying thread closes its files. */
void pith_thread_exit(struct task_struct *task);
/* After it closed them and gave its memory back. */
void pith_exit(struct task_struct *task);

/* At boot, as soon as RAM is known: keep what is needed at a fixed place. */
void pith_reserve(void);
/* Wake @next, which sleeps in @state, and sleep: kernel/sched/core.c. */
void pith_switch_to(struct task_struct *next, unsigned int state);
/* The priority of a task that has @prio, considering its callers. */
int pith_effective_prio(struct task_struct *task, int prio);

DECLARE_STATIC_KEY_FALSE(pith_budgets);
/* Under the lock of its run queue: @task has run for @ns. */
void pith_account(struct task_struct *task, u64 ns);
void __pith_switch_in(struct task_struct *task);
void __pith_resume_user(void);

/* Under the lock of its run queue: @task gets the CPU. */
static inline void pith_switch_in(struct task_struct *task)
{
	if (static_branch_unlikely(&pith_budgets))
		__pith_switch_in(task);
}

/* On the way to user mode, after TIF_NOTIFY_RESUME. */
static inline void pith_resume_user(void)
{
	if (static_branch_unlikely(&pith_budgets))
		__pith_resume_user();
}

/* Physical address of the ACPI root pointer, 0 if none was found. */
extern u64 pith_acpi_rsdp;
/* What the firmware shows its picture on. */
extern struct pith_screen pith_screen;

#else

#define pith_call_allowed(nr)	true
#define pith_tid(task, nr)	(nr)

static inline struct file *pith_mmap_file(unsigned long addr,
					  unsigned long len,
					  unsigned long *flags)
{
	return NULL;
}
static inline int pith_check_clone(const struct kernel_clone_args *args)
{
	return 0;
}
static inline void pith_clone_failed(const struct kernel_clone_args *args) { }
static inline int pith_check_futex(int op) { return 0; }
static inline int pith_check_arch_prctl(int option) { return 0; }
#define pith_fork_mm(args)	(current->mm)
static inline void pith_fork(struct task_struct *child,
			     const struct kernel_clone_args *args) { }
static inline void pith_group_exit(int code) { }
static inline bool pith_fault(void) { return false; }
static inline bool pith_fault_unsaid(struct task_struct *task)
{
	return false;
}
static inline void pith_thread_exit(struct task_struct *task) { }
static inline void pith_exit(struct task_struct *task) { }
static inline void pith_reserve(void) { }
static inline int pith_effective_prio(struct task_struct *task, int prio)
{
	return prio;
}
static inline void pith_account(struct task_struct *task, u64 ns) { }
static inline void pith_switch_in(struct task_struct *task) { }
static inline void pith_resume_user(void) { }

#endif
#endif
