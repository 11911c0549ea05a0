/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls that processes may make, X(number, entry) each: the bitmaps
 * of the modes come from here, and without CONFIG_LINUX_CALLS the call table.
 */
#ifndef _LINUX_PITH_CALLS_H
#define _LINUX_PITH_CALLS_H

#include <asm/unistd.h>
#include <uapi/linux/pith.h>

#ifdef __NR_arch_prctl
#define PITH_THREAD_POINTER_CALL(X) X(__NR_arch_prctl, sys_arch_prctl)
#else
#define PITH_THREAD_POINTER_CALL(X)
#endif

#ifdef __NR_open
#define PITH_OLD_FILE_CALLS(X)						\
	X(__NR_open, sys_open)						\
	X(__NR_unlink, sys_unlink)
#else
#define PITH_OLD_FILE_CALLS(X)
#endif

/* What a component may call: it acts on itself, or on capabilities it holds. */
#define PITH_COMPONENT_CALLS(X)						\
	X(PITH_NR_CALL, sys_pith_call)					\
	X(PITH_NR_REPLY_WAIT, sys_pith_reply_wait)			\
	X(PITH_NR_SIGNAL, sys_pith_signal)				\
	X(PITH_NR_CONTROL, sys_pith_control)				\
	X(__NR_close, sys_close)	/* drop a capability */		\
	/* a memory object it holds, or a new one it pays */		\
	X(__NR_mmap, sys_mmap)						\
	X(__NR_munmap, sys_munmap)					\
	/* within the rights of what is mapped */			\
	X(__NR_mprotect, sys_mprotect)					\
	X(__NR_clone, sys_clone)	/* a thread of its own */	\
	/* libc: thread exit */						\
	X(__NR_set_tid_address, sys_set_tid_address)			\
	X(__NR_futex, sys_futex)					\
	X(__NR_exit, sys_exit)						\
	X(__NR_exit_group, sys_exit_group)				\
	X(__NR_clock_gettime, sys_clock_gettime)			\
	X(__NR_clock_nanosleep, sys_clock_nanosleep)			\
	X(__NR_sched_yield, sys_sched_yield)				\
	/* keys; where a program it starts has its stack */		\
	X(__NR_getrandom, sys_getrandom)				\
	PITH_THREAD_POINTER_CALL(X)

/* What core may call besides: to read the boot modules and to reboot. */
#define PITH_CORE_CALLS(X)						\
	X(__NR_openat, sys_openat)					\
	X(__NR_read, sys_read)						\
	X(__NR_fstat, sys_newfstat)					\
	X(__NR_getdents64, sys_getdents64)				\
	X(__NR_unlinkat, sys_unlinkat)					\
	/* its children leave no zombies */				\
	X(__NR_rt_sigaction, sys_rt_sigaction)				\
	X(__NR_reboot, sys_reboot)					\
	PITH_OLD_FILE_CALLS(X)

#endif
