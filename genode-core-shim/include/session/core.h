/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services of core: PD, CPU, ROM, LOG, TRACE, IO_MEM, IO_PORT, IRQ.
 * Names and meaning follow Genode; every method is a short call that never
 * blocks. Session args are named with each service.
 */
#ifndef SESSION_CORE_H
#define SESSION_CORE_H

#include <stdint.h>

/* --- PD: a protection domain. Args: managing_system=yes ------------------- */
enum pd_method {
	/*
	 * DOMAIN: -> cap: the kernel domain, rights CHARGE|ADMIN. Its quota is
	 * what the session was donated; move more with pith_domain_transfer().
	 */
	PD_DOMAIN = 1,
	/* DMA_ADDR: struct pd_dma_addr + cap 0 (memory) -> struct
	 * pd_dma_addr_reply. EACCES unless the session is managing_system. */
	PD_DMA_ADDR,
	/* SYSTEM: struct pd_system -> REBOOT and HALT do not return if they
	 * work; FLUSH returns when the log is on the console. EACCES unless
	 * managing_system. */
	PD_SYSTEM,
	/* HW_INFO: -> struct pith_hw_info, RSDP and screen of the firmware among
	 * it. EACCES unless managing_system. */
	PD_HW_INFO,
	/* FUND: struct pd_quota -> nothing. Moves that from the account of the
	 * session (whose PARENT_SESSION named it) to its domain. EDQUOT. */
	PD_FUND,
};

struct pd_quota {
	uint64_t ram;		/* bytes, a multiple of 4096 */
	uint64_t caps;
};

#define PD_DMA_PAGES	256	/* at most, in one call */
struct pd_dma_addr {
	uint64_t first;		/* page index in the memory object */
	uint32_t count;		/* 1 .. PD_DMA_PAGES */
	uint32_t zero;
};
struct pd_dma_addr_reply {
	uint32_t count;		/* addresses follow, uint64_t each */
	uint32_t zero;
};
enum pd_system_action { PD_SYSTEM_REBOOT = 1, PD_SYSTEM_HALT, PD_SYSTEM_FLUSH };
struct pd_system {
	uint32_t action;
	uint32_t zero;
};

/* --- CPU: time for threads. Args: priority=0 .. 65535 (0 highest), affinity=
 * mask of CPUs (0: all) -------------------------------------------------------
 * Who holds a thread or a space starts, pauses, resumes and ends it, and reads
 * its registers and execution time, without core: see <linux/pith.h>. Core only
 * keeps the priority and CPUs of a thread within what its session was granted,
 * and knows it from then on, for TRACE. */
#define CPU_PRIORITY_MAX	65535u
#define CPU_NAME_MAX		32	/* with the NUL */
#define CPU_THREAD_RAM		1024u	/* of the donation, per thread, */
#define CPU_THREAD_CAPS		1u	/* after what any session costs: */
#define CORE_SESSION_RAM	4096u
#define CORE_SESSION_CAPS	4u
enum cpu_method {
	/*
	 * SCHED: struct cpu_sched + cap 0: thread (MANAGE) -> nothing. The thread
	 * is the session's from the first time on. EINVAL: none of the CPUs is
	 * there, or the session's; priority out of range; no NUL in the name.
	 * EDQUOT: the donation does not pay for another thread. EBUSY: it is
	 * another session's. EPIPE: it has ended.
	 */
	CPU_SCHED = 1,
};
struct cpu_sched {
	uint64_t affinity;	/* mask of CPUs; 0: all of the session's */
	uint32_t priority;	/* below the session's by that; 0: the same */
	uint32_t zero;
	char name[CPU_NAME_MAX];	/* for who traces; may be "" */
};

/* --- ROM: read-only data, of core the boot modules. Label: the name ---------- */
enum rom_method {
	/* DATASPACE: cap 0 (optional): memory (READ|WRITE) of the client's ->
	 * struct rom_dataspace. The newest content, which stays as it is until
	 * DATASPACE is called again. It comes in one of two ways:
	 * - a cap: memory, READ, of core EXEC as well; what the client gave was
	 *   not looked at. For content that is there anyhow and that the client
	 *   can keep without anybody else paying.
	 * - no cap: it was copied into the client's memory, followed by zeros, if
	 *   it fits there; otherwise nothing was, and its size says what to
	 *   bring. So what a client keeps costs no server anything.
	 * ENOENT: there is no content now. */
	ROM_DATASPACE = 1,
	/* SIGH: cap 0: notification (SIGNAL), signalled when there is newer
	 * content than the client has -> nothing. Replaces the one before.
	 * ENOSYS: the content never changes. */
	ROM_SIGH,
};
struct rom_dataspace {
	uint64_t size;		/* bytes of content; the rest of the page is 0 */
};

/* --- LOG: text lines to the system log, prefixed with the session label ----- */
#define LOG_MAX		232	/* bytes in one write */
enum log_method {
	/* WRITE: 1 .. LOG_MAX bytes of text, at most 4 lines -> nothing. Control
	 * characters but newline are shown as '.'; empty lines are left out, a
	 * missing final newline is added. */
	LOG_WRITE = 1,
};

/* --- TRACE: the system log, and what threads do -----------------------------------
 * A session sees the threads of its own subsystem: those whose label begins with
 * what stands before the last " -> " of the session's label. */
enum trace_method {
	/*
	 * LOG_READ: struct trace_log_read -> struct trace_log_reply, text after
	 * it: up to TRACE_TEXT_MAX bytes, whole lines, of the kernel, which have
	 * no label, and of LOG sessions. Starts with record @record or, if that
	 * is not kept any more, with the oldest that is. No text: no more.
	 * EACCES: the session is of a nested subsystem, the log is of all.
	 */
	TRACE_LOG_READ = 1,
	/*
	 * SUBJECTS: struct trace_subjects -> struct trace_subjects_reply, as many
	 * struct trace_subject after it: threads that live, by id, from @first
	 * on. 0 of them: no more. Ask again with the last id + 1.
	 */
	TRACE_SUBJECTS,
};
#define TRACE_TEXT_MAX	3072u
struct trace_log_read {
	uint64_t record;	/* 0: from the start */
};
struct trace_log_reply {
	uint64_t next;		/* record after the last that is returned */
	uint32_t lost;		/* records from @record on that are not kept */
	uint32_t zero;
};
struct trace_subjects {
	uint64_t first;		/* id; 0: from the start */
};
struct trace_subjects_reply {
	uint32_t count;		/* 0 .. TRACE_SUBJECTS_MAX */
	uint32_t zero;
};
#define TRACE_SUBJECTS_MAX	15
#define TRACE_LABEL_MAX		168	/* with the NUL */
struct trace_subject {
	uint64_t id;		/* never used again within a boot */
	char label[TRACE_LABEL_MAX];	/* of its CPU session */
	char name[CPU_NAME_MAX];	/* "": the first thread, usually */
	uint32_t state;		/* enum pith_thread_state */
	uint32_t cpu;		/* where it ran last */
	uint32_t priority;	/* real time, 0: none; own, then inherited too */
	uint32_t priority_now;
	uint64_t cpu_ns;	/* execution time, and counters since its start: */
	uint64_t calls;		/* calls it made */
	uint64_t receives;	/* calls and notifications it received */
	uint64_t faults;	/* sent to a fault endpoint */
	uint64_t switches;	/* context switches */
};

/* --- IO_MEM. Args: base, size (bytes, page aligned), cache=uc|wc|cached ------ */
enum io_mem_method {
	/* DATASPACE: -> cap: memory, READ|WRITE (cached: READ). Session opening
	 * fails with EACCES for RAM and kernel ranges, EBUSY if claimed. */
	IO_MEM_DATASPACE = 1,
};

/* --- IO_PORT. Args: base, size ------------------------------------------------ */
enum io_port_method {
	/* CAP: -> cap: port range, READ|WRITE, for pith_port_in() and _out() */
	IO_PORT_CAP = 1,
};

/* --- IRQ. Args: irq=GSI, trigger=level|edge, polarity=low|high; or type=msi --- */
enum irq_method {
	/* CAP: -> struct irq_reply + cap: irq, MANAGE, for pith_irq_bind() */
	IRQ_CAP = 1,
};
struct irq_reply {
	uint64_t msi_address;	/* 0 unless type=msi */
	uint32_t msi_data;
	uint32_t zero;
};

#endif
