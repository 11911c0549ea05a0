/* SPDX-License-Identifier: ((GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * Pith kernel interface: four system calls on capabilities.
 *
 * A capability is a file descriptor that refers to one of the objects below.
 * Rights are fixed when the capability is made and only shrink when it is
 * minted again. Every call returns >= 0 or a negative errno:
 *
 *   EBADF      not a capability, or one of another object type
 *   EPERM      the capability lacks the right, or the caller may not do this
 *   EINVAL     a field is out of range or a reserved one is not zero
 *   EFAULT     an address is not mapped, or not for what was to be done
 *   EDQUOT     the domain that would pay has not enough RAM or capabilities
 *   ENOMEM     the machine has no memory left, whatever the quota says; a
 *              range has a hole
 *   EMFILE     the descriptor table of the receiver is full
 *   EEXIST     something is mapped there already
 *   EPIPE      the endpoint is dead, its server died or dropped the call, or
 *              the object was revoked
 *   ETIMEDOUT  the deadline passed
 *   EINTR      the thread is being killed
 *   EBUSY      a resource is claimed by somebody else, or a thread is not in
 *              the state for this
 *
 * Deadlines are absolute CLOCK_MONOTONIC nanoseconds; PITH_NO_DEADLINE waits
 * for ever, a time in the past polls.
 */
#ifndef _UAPI_LINUX_PITH_H
#define _UAPI_LINUX_PITH_H

#include <linux/types.h>

/* System call numbers, the same on every architecture. */
#define PITH_NR_CALL		500
#define PITH_NR_REPLY_WAIT	501
#define PITH_NR_SIGNAL		502
#define PITH_NR_CONTROL		503

#define PITH_NO_DEADLINE	(~(__u64)0)

/* --- messages ----------------------------------------------------------- */

#define PITH_MSG_BYTES		4096	/* payload of one message, in bytes */
#define PITH_MSG_CAPS		8	/* capabilities in one message */
#define PITH_BUFFER_SIZE	8192	/* header page, then payload page */

/* Values of pith_msg.caps[] after a receive. */
#define PITH_CAP_NONE		(-1)	/* nothing was sent in this slot */
#define PITH_CAP_OWN		(-2)	/* receiver's own endpoint: see cap_badges */
#define PITH_CAP_LOST		(-3)	/* sent, but the receiver's table is full, or
					 * it was revoked on the way */

/*
 * struct pith_msg - header of a thread's message buffer (its first page)
 * @label:	in/out. Method number in a call, status in a reply; the kernel
 *		passes it through.
 * @badge:	out, on receive: badge of the capability that was called, or of
 *		the notification that fired.
 * @count:	out, on a notification: how often it was signalled since the
 *		last receive.
 * @len:	in/out. Payload bytes, 0 .. PITH_MSG_BYTES.
 * @ncaps:	in/out. Entries used in @caps, 0 .. PITH_MSG_CAPS.
 * @caps:	in: descriptors to send a copy of (PITH_CAP_NONE leaves a hole).
 *		out: descriptors new to the receiver, owned by it, or one of
 *		the PITH_CAP_* values.
 * @cap_badges:	out: badge of a PITH_CAP_OWN entry, else 0.
 *
 * The payload starts PITH_MSG_DATA bytes after the header. The kernel reads
 * each field once; what another thread writes meanwhile is either seen or not.
 */
struct pith_msg {
	__u64 label;
	__u64 badge;
	__u64 count;
	__u32 len;
	__u32 ncaps;
	__s32 caps[PITH_MSG_CAPS];
	__u64 cap_badges[PITH_MSG_CAPS];
};

#define PITH_MSG_DATA		4096

/*
 * long pith_call(int ep, __u64 deadline)
 *	Send the message in the calling thread's buffer to endpoint @ep and wait
 *	for the reply, which replaces it. Right: CALL. 0 on success. On an error
 *	the buffer is as it was before the call; after ETIMEDOUT, EPIPE or EINTR
 *	the server may have received the message, capabilities included.
 *
 * long pith_reply_wait(int fd, __u32 flags, __u64 deadline)
 *	PITH_REPLY: send the buffer as the reply to the call this thread received
 *	last (@fd is then an endpoint with RECV), or, if @fd is a reply object, to
 *	the call saved in it. A caller that has gone meanwhile is not an error; a
 *	reply object that was used already is (EPIPE).
 *	PITH_WAIT: then wait for the next call or notification at endpoint @fd
 *	(right RECV). A call that was received and not answered is dropped: its
 *	caller gets EPIPE.
 *	Returns PITH_GOT_CALL or PITH_GOT_NOTIFICATION; without PITH_WAIT 0, or
 *	PITH_CALLER_GONE if nobody waited for the reply any more.
 *
 * long pith_signal(int notification, __u64 count)
 *	Add @count (> 0) to the notification's counter. Right: SIGNAL. Never
 *	blocks and never switches to the receiver at once.
 *
 * long pith_control(int fd, __u32 op, void *arg)
 *	The operations below; @arg points to the struct named with the op, or is
 *	NULL. @fd is -1 where no object is named.
 */
#define PITH_REPLY		1u
#define PITH_WAIT		2u

#define PITH_GOT_CALL		1
#define PITH_GOT_NOTIFICATION	2
#define PITH_CALLER_GONE	3

/* --- rights ------------------------------------------------------------- */

#define PITH_R_CALL		0x01u	/* endpoint: call */
#define PITH_R_RECV		0x02u	/* endpoint: receive, mint, bind to it */
#define PITH_R_SIGNAL		0x04u	/* notification: signal */
#define PITH_R_MANAGE		0x08u	/* notification: bind; irq: bind, ack;
					 * space, thread: all */
#define PITH_R_READ		0x10u	/* memory: map readable; ports: in */
#define PITH_R_WRITE		0x20u	/* memory: map writable; ports: out */
#define PITH_R_EXEC		0x40u	/* memory: map executable */
#define PITH_R_CHARGE		0x80u	/* domain: make objects it pays for */
#define PITH_R_ADMIN		0x100u	/* domain: create, transfer, destroy,
					 * make spaces, set its CPU budget */
#define PITH_R_REVOKE		0x200u	/* memory, irq, ports: revoke the object */

/* --- control operations ------------------------------------------------- */

enum pith_op {
	/* on -1 */
	PITH_OP_BOOTSTRAP = 1,	/* struct pith_bootstrap; first process, once */
	PITH_OP_BUFFER_SET,	/* struct pith_buffer */
	PITH_OP_EP_CREATE,	/* -; returns fd with CALL|RECV */
	PITH_OP_NOTIF_CREATE,	/* -; returns fd with SIGNAL|MANAGE */
	PITH_OP_MEM_CREATE,	/* struct pith_mem_create; returns fd */

	/* on any capability */
	PITH_OP_MINT,		/* struct pith_mint; returns fd */
	PITH_OP_IDENTIFY,	/* struct pith_identify */
	PITH_OP_REVOKE,		/* struct pith_revoke */

	/* on an endpoint */
	PITH_OP_EP_WATCH,	/* struct pith_fd_arg (notification) */
	PITH_OP_EP_SAVE_REPLY,	/* -; returns reply fd for the call received last */

	/* on a notification */
	PITH_OP_NOTIF_BIND,	/* struct pith_bind */

	/* on memory */
	PITH_OP_MEM_INFO,	/* struct pith_mem_info */

	/* on a domain */
	PITH_OP_DOMAIN_CREATE,	/* -; core only: fd of an empty child domain */
	PITH_OP_DOMAIN_TRANSFER,/* struct pith_transfer */
	PITH_OP_DOMAIN_INFO,	/* struct pith_domain_info */
	PITH_OP_DOMAIN_DESTROY,	/* -; kills its processes, returns its quota */
	PITH_OP_DOMAIN_CPU,	/* struct pith_cpu_budget */
	PITH_OP_SPACE_CREATE,	/* struct pith_space_create; returns space fd */

	/* on a space */
	PITH_OP_SPACE_MAP,	/* struct pith_map */
	PITH_OP_SPACE_UNMAP,	/* struct pith_range */
	PITH_OP_SPACE_PROTECT,	/* struct pith_range */
	PITH_OP_SPACE_FAULT_EP,	/* struct pith_fd_arg (endpoint, -1: none) */
	PITH_OP_SPACE_THREAD,	/* -; returns fd of a new thread, paused */
	PITH_OP_SPACE_KILL,	/* - */
	PITH_OP_SPACE_INFO,	/* struct pith_space_info */

	/* on a thread */
	PITH_OP_THREAD_PAUSE,	/* - */
	PITH_OP_THREAD_RESUME,	/* - */
	PITH_OP_THREAD_GET_REGS,/* struct pith_regs */
	PITH_OP_THREAD_SET_REGS,/* struct pith_regs */
	PITH_OP_THREAD_FAULT_EP,/* struct pith_fd_arg (endpoint, -1: the space's) */
	PITH_OP_THREAD_SCHED,	/* struct pith_sched */
	PITH_OP_THREAD_INFO,	/* struct pith_thread_info */

	/* on an irq */
	PITH_OP_IRQ_BIND,	/* struct pith_fd_arg (notification) */
	PITH_OP_IRQ_ACK,	/* - */

	/* on an I/O port range */
	PITH_OP_PORT_IN,	/* struct pith_port */
	PITH_OP_PORT_OUT,	/* struct pith_port */

	/* on the hardware capability */
	PITH_OP_HW_INFO,	/* struct pith_hw_info */
	PITH_OP_HW_CONSOLE,	/* struct pith_text */
	PITH_OP_HW_IO_MEM,	/* struct pith_io_mem; returns memory fd */
	PITH_OP_HW_IO_PORT,	/* struct pith_io_port; returns port fd */
	PITH_OP_HW_IRQ,		/* struct pith_irq; returns irq fd */
	PITH_OP_HW_MSI,		/* struct pith_msi; returns irq fd */
	PITH_OP_HW_MEM_PHYS,	/* struct pith_mem_phys */
	PITH_OP_HW_LOG_READ,	/* struct pith_log_read */
	PITH_OP_HW_PANIC_READ,	/* struct pith_text; returns bytes copied */
};

/*
 * BOOTSTRAP: make the calling process, which must be the first one and may do
 * this once, core: it gets the root domain (all RAM that is free less a reserve
 * for the kernel) and the hardware capability, and from then on may make only
 * the system calls of core's list.
 */
struct pith_bootstrap {
	__s32 domain;		/* out: root domain, rights CHARGE|ADMIN */
	__s32 hardware;		/* out */
};

/*
 * BUFFER_SET: make PITH_BUFFER_SIZE bytes of memory object @mem, from page
 * aligned @offset, the calling thread's message buffer. Right: READ|WRITE.
 * Must be ordinary RAM. Set it again to move it; not during a call.
 */
struct pith_buffer {
	__s32 mem;
	__u32 zero;
	__u64 offset;
};

/*
 * MEM_CREATE: RAM, zeroed, committed at once and charged to @domain (-1: the
 * caller's own; else right CHARGE). Rights of the result: READ|WRITE|EXEC, core's
 * REVOKE too. @size is in bytes, a multiple of 4096, 1 page .. 64 GiB.
 * PITH_MEM_CONTIG asks for physically contiguous memory (<= 4 MiB), with
 * PITH_MEM_DMA32 below 4 GiB.
 */
#define PITH_MEM_CONTIG		1u
#define PITH_MEM_DMA32		2u
struct pith_mem_create {
	__u64 size;
	__u32 flags;
	__s32 domain;
};

/* MEM_INFO: any right. @rights as in PITH_R_*, @io is 1 for device memory. */
struct pith_mem_info {
	__u64 size;		/* bytes reachable through this capability */
	__u32 rights;
	__u32 io;
};

/*
 * MINT: a new capability to the same object with @rights, a subset of the old.
 * Endpoint: needs RECV; the result has CALL only, and @badge.
 * Memory: restricted to @size bytes from @offset (both page aligned, size 0:
 * all that follows).
 * Others: @rights only. Unused fields must be 0. Charged: one capability.
 */
struct pith_mint {
	__u32 rights;
	__u32 zero;
	__u64 badge;
	__u64 offset;
	__u64 size;
};

/*
 * REVOKE: end all capabilities to an object at once, in whatever table they are:
 * every later use fails with EPIPE, and so does a call that waits in its queue.
 * Endpoint: needs RECV; with PITH_REVOKE_BADGE only the capabilities minted with
 * @badge, otherwise the endpoint dies. Others: right REVOKE. Memory is unmapped
 * from every space, on all CPUs, and its pages are given back, before the call
 * returns; an irq is freed, an I/O range is unclaimed. Descriptors stay until
 * they are closed. A call that was received before is still answered. Where a
 * thread has its message buffer in revoked memory, those two pages stay with it,
 * and charged, until it moves the buffer or ends.
 */
#define PITH_REVOKE_BADGE	1u
struct pith_revoke {
	__u64 badge;
	__u32 flags;
	__u32 zero;
};

/* IDENTIFY: what an fd is. @object is equal for equal objects within one boot. */
enum pith_type {
	PITH_T_ENDPOINT = 1, PITH_T_NOTIFICATION, PITH_T_MEMORY, PITH_T_DOMAIN,
	PITH_T_SPACE, PITH_T_THREAD, PITH_T_IRQ, PITH_T_IO_PORT, PITH_T_HARDWARE,
	PITH_T_REPLY,
};
struct pith_identify {
	__u32 type;
	__u32 rights;
	__u64 object;		/* serial number, unique per boot, never reused */
};

/*
 * EP_WATCH: signal notification @fd (right MANAGE) once when the endpoint dies,
 * at once if it is dead already. Any right to the endpoint. A notification
 * watches one endpoint, the latest it was told to, as long as it exists.
 * IRQ_BIND: signal notification @fd at each interrupt, then keep the line
 * masked until IRQ_ACK; one that came before is signalled at once.
 */
struct pith_fd_arg {
	__s32 fd;
	__u32 zero;
};

/* NOTIF_BIND: deliver at @endpoint (right RECV, -1: unbind) with @badge. */
struct pith_bind {
	__s32 endpoint;
	__u32 zero;
	__u64 badge;
};

/* DOMAIN_TRANSFER: move quota, exactly, to domain @to (any right). EDQUOT if
 * less is unused here. Right: ADMIN. */
struct pith_transfer {
	__s32 to;
	__u32 zero;
	__u64 ram;		/* bytes */
	__u64 caps;
};

struct pith_domain_info {
	__u64 ram_limit, ram_used;	/* bytes */
	__u64 caps_limit, caps_used;
	__u64 processes;
};

/*
 * DOMAIN_CPU: the threads of the domain's spaces, and those of all domains below
 * it, may run @budget ns in each @period ns in all, on all CPUs together; what is
 * overrun is taken from the next period. @budget 0: no limit. Right: ADMIN.
 */
struct pith_cpu_budget {
	__u64 budget;		/* ns, 0 or 100,000 .. */
	__u64 period;		/* ns, 1,000,000 .. 1,000,000,000 */
};

/*
 * SPACE_CREATE: an address space with a first thread, which is paused, in
 * capability mode. Its descriptor table holds copies of caps[0 .. ncaps-1] at
 * 0 .. ncaps-1 and nothing else (-1 leaves a hole). Nothing is mapped but the
 * vDSO, at @vdso. @exit_notif (-1: none; right SIGNAL) fires when the last
 * thread ended. The kernel's memory for the space, its page tables and its
 * threads is charged to the domain. Rights of the result: MANAGE. Right: ADMIN.
 */
struct pith_space_create {
	__s32 exit_notif;
	__u32 ncaps;		/* 0 .. 64 */
	__u64 caps;		/* address of __s32[ncaps] */
	__s32 thread;		/* out: the first thread, right MANAGE */
	__u32 zero;
	__u64 vdso;		/* out: address of its ELF header, 0: none */
	char name[32];		/* for logs; NUL terminated, not empty */
};

/*
 * SPACE_MAP: map @size bytes of memory capability @mem from @offset at @address,
 * all page aligned, with @rights, a subset of READ|WRITE|EXEC and of the
 * capability's, never empty. EEXIST if anything is mapped there already.
 */
struct pith_map {
	__s32 mem;
	__u32 rights;
	__u64 address;
	__u64 offset;
	__u64 size;
};

/*
 * SPACE_UNMAP: nothing is mapped in the range when it returns.
 * SPACE_PROTECT: what is mapped there gets @rights, not empty, within those it
 * was mapped with (else EPERM, and nothing changed); ENOMEM if there is a hole.
 * A thread's own mprotect() goes no further either.
 */
struct pith_range {
	__u64 address;
	__u64 size;
	__u32 rights;		/* PROTECT */
	__u32 zero;
};

/* SPACE_INFO: @status is valid once @exited: exit code, or 128 + signal. */
struct pith_space_info {
	__u32 exited;
	__u32 status;
	__u64 cpu_ns;		/* execution time of all its threads so far */
	__u64 threads;
};

/*
 * SPACE_FAULT_EP, THREAD_FAULT_EP: where faults and exceptions go; the capability
 * needs CALL, and its badge tells the server whose it is. The thread stands still
 * and its fault is a call with label PITH_FAULT and a struct pith_fault as
 * payload. Reply label 0: go on, that is, try the instruction again with the
 * registers as they are then; anything else, or a dead endpoint: the space is
 * killed. A kernel access to memory that is not mapped fails with EFAULT and
 * makes no fault.
 */
#define PITH_FAULT		(~(__u64)0)
enum pith_fault_type {
	PITH_FAULT_READ = 1, PITH_FAULT_WRITE, PITH_FAULT_EXEC,
	PITH_FAULT_EXCEPTION,
};
struct pith_fault {
	__u32 type;		/* enum pith_fault_type */
	__u32 code;		/* EXCEPTION: the processor's number */
	__u64 address;		/* that was accessed */
	__u64 ip;
	__u64 thread;		/* object serial number of the thread, IDENTIFY */
};

/*
 * THREAD_PAUSE returns when the thread executes no user instruction any more; a
 * system call that it waits in goes on. GET_REGS, SET_REGS: of a thread that is
 * paused or waits for the answer to its fault; else EBUSY. A new thread is
 * paused: SET_REGS, then RESUME starts it.
 */
struct pith_regs {
#ifdef __aarch64__
	__u64 x[31], sp, ip, flags, tls;
#else
	__u64 ip, sp, flags, tls;
	__u64 ax, bx, cx, dx, si, di, bp;
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
#endif
};

/*
 * THREAD_SCHED: only core may do this. @priority 1 .. 98 is real time, run before
 * all that is lower and until it waits; 0 shares what is left by @nice. While a
 * thread serves a call it has at least the priority of its caller, through any
 * chain of calls, and at least that of the callers in its endpoint's queue.
 */
struct pith_sched {
	__u32 priority;
	__s32 nice;		/* -20 .. 19 */
	__u64 affinity;		/* CPU mask, 0: all */
};

struct pith_thread_info {
	__u32 state;		/* enum pith_thread_state */
	__u32 cpu;		/* where it ran last */
	__u32 priority;		/* own, not inherited */
	__u32 priority_now;
	__u64 cpu_ns;		/* execution time */
	__u64 calls;		/* calls it made */
	__u64 receives;		/* calls and notifications it received */
	__u64 faults;		/* sent to a fault endpoint */
	__u64 switches;		/* context switches */
};
enum pith_thread_state {
	PITH_THREAD_RUNNING, PITH_THREAD_WAITING, PITH_THREAD_PAUSED,
	PITH_THREAD_FAULTED, PITH_THREAD_ENDED,
};

/* PORT_IN, PORT_OUT: @offset from the range's start; @width 1, 2 or 4 bytes. */
struct pith_port {
	__u32 offset;
	__u32 width;
	__u32 value;		/* in: OUT; out: IN */
	__u32 zero;
};

/*
 * A screen that UEFI has set up: @height rows of @pitch bytes in device memory. A
 * pixel is @depth bits wide; a colour is @..._size of these, from bit @..._pos on.
 */
struct pith_screen {
	__u64 base;		/* physical address, 0: no such screen */
	__u64 size;		/* bytes */
	__u32 width;		/* pixels */
	__u32 height;
	__u32 pitch;
	__u32 depth;
	__u8 red_pos;
	__u8 red_size;
	__u8 green_pos;
	__u8 green_size;
	__u8 blue_pos;
	__u8 blue_size;
	__u16 zero;
};

struct pith_hw_info {
	__u64 rsdp;		/* physical address of the ACPI RSDP, 0: unknown */
	__u64 ram_total;	/* bytes of RAM the kernel manages */
	__u64 ram_free;		/* bytes free now */
	__u64 boot_ram_free;	/* bytes free when the first process started */
	__u32 cpus;		/* CPUs online */
	__u32 zero;
	struct pith_screen screen;
};

/*
 * HW_CONSOLE: write @len (1 .. 512) bytes to the kernel log and console. The
 * console follows a little later; @len 0 waits until it has (ETIMEDOUT: 1 s).
 */
struct pith_text {
	__u64 text;		/* address */
	__u32 len;
	__u32 zero;
};

/*
 * HW_IO_MEM: exclusive device memory. @base and @size are page aligned. EPERM
 * for RAM, the kernel's own and interrupt controllers' ranges; EBUSY if any part
 * is claimed. Released when the last capability and mapping are gone.
 */
#define PITH_IO_UNCACHED	0u
#define PITH_IO_WRITE_COMBINED	1u
#define PITH_IO_CACHED		2u	/* for tables in reserved memory; read-only */
struct pith_io_mem {
	__u64 base;
	__u64 size;
	__u32 cache;
	__u32 zero;
};

/* HW_IO_PORT: exclusive; EPERM for ports the kernel drives itself. */
struct pith_io_port {
	__u32 base;
	__u32 size;
};

/* HW_IRQ: a global system interrupt, exclusive. */
struct pith_irq {
	__u32 gsi;
	__u8 level;		/* 1: level triggered */
	__u8 low;		/* 1: active low */
	__u16 zero;
};

/* HW_MSI: a vector; the holder writes @address/@data into the device. */
struct pith_msi {
	__u64 address;		/* out */
	__u32 data;		/* out */
	__u32 zero;
};

/*
 * HW_MEM_PHYS: physical addresses of @count pages of @mem from page @first, for
 * DMA. They stay valid as long as a capability to @mem is held and until it is
 * revoked: stop the device first.
 */
struct pith_mem_phys {
	__s32 mem;
	__u32 count;		/* 1 .. 512 */
	__u64 first;
	__u64 addresses;	/* address of __u64[count] */
};

/*
 * HW_LOG_READ: whole lines of the kernel's log from record @seq on into @text;
 * @seq becomes that of the next record. Returns the bytes copied, 0: no more.
 */
struct pith_log_read {
	__u64 seq;		/* in/out */
	__u64 text;		/* address */
	__u32 len;		/* 256 .. 65536 */
	__u32 lost;		/* out: records overwritten before they were read */
};

/*
 * HW_PANIC_READ: the end of the log of the boot before this one, if it panicked
 * and memory kept it over the reset: the last @len (> 0) bytes, of 32 KiB at
 * most. It is handed out once; 0: there is none.
 */

#endif
