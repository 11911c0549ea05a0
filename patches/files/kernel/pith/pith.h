/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pith objects and capabilities, private to kernel/pith.
 *
 * A capability is a struct file whose private_data is a struct pith_cap; the
 * cap refers to a reference-counted struct pith_object. Locks are raw and taken
 * in this order: irq -> notification -> inheritance -> endpoint -> reply ->
 * thread -> scheduler; the first two and endpoints' also from hard interrupts,
 * so always with interrupts off.
 * Nothing is allocated under them.
 */
#ifndef _KERNEL_PITH_H
#define _KERNEL_PITH_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pith.h>
#include <linux/plist.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/workqueue.h>
#include <uapi/linux/pith.h>

struct pith_cap;
struct pith_domain;
struct pith_notif;

struct pith_object {
	refcount_t ref;
	u32 type;			/* enum pith_type */
	bool dead;			/* revoked: no capability is any use */
	u64 serial;
	struct pith_domain *payer;	/* of @cost bytes; NULL: nobody */
	size_t cost;
	/* the last reference went, maybe with interrupts off */
	void (*free)(struct pith_object *obj);
	/* last act of a capability, may be NULL; may sleep */
	void (*cap_gone)(struct pith_cap *cap);
	/*
	 * Let go at once of all that the object stands for and set @dead; again
	 * is no harm. The structure stays until the last reference goes.
	 */
	void (*revoke)(struct pith_object *obj);
};

struct pith_cap {
	struct pith_object *obj;
	u32 rights;
	bool dead;			/* endpoint: this badge was revoked */
	union {
		struct {		/* endpoint; the last two: ep->lock */
			u64 badge;
			struct rb_node node;	/* ep->minted */
			struct list_head callers;	/* in the queue */
		};
		struct {		/* memory: the range, in bytes */
			u64 offset, size;
		};
	};
};

/* --- cap.c ------------------------------------------------------------------ */

/*
 * A zeroed structure of @size that begins with a pith_object, or an error. The
 * payer, NULL for none, is charged for it as long as there are references, and
 * for @more bytes.
 */
void *pith_object_new(struct pith_domain *payer, u32 type, size_t size,
		      size_t more, void (*free)(struct pith_object *obj));
void pith_object_end(struct pith_object *obj);
static inline void pith_get(struct pith_object *obj)
{
	refcount_inc(&obj->ref);
}

static inline void pith_put(struct pith_object *obj)
{
	if (refcount_dec_and_test(&obj->ref))
		pith_object_end(obj);
}

static inline bool pith_cap_dead(const struct pith_cap *cap)
{
	return READ_ONCE(cap->dead) || READ_ONCE(cap->obj->dead);
}

/*
 * New capability to @obj as a file: with the badge @first, or for memory the
 * range from @first of @size. Takes over the caller's reference to @obj, also
 * on failure.
 */
struct file *pith_cap_file(struct pith_object *obj, u32 rights, u64 first,
			   u64 size);
/*
 * Put @file, which may be an error, into the caller's table; returns the
 * descriptor, which the caller's domain pays for until it is closed. Takes over
 * the reference, also on failure.
 */
int pith_fd_install(struct file *file);
/* New capability to @obj, all of it, in the caller's table. */
int pith_cap_install(struct pith_object *obj, u32 rights);
/* The capability behind @file, or NULL if it is another kind of file. */
struct pith_cap *pith_cap_of(struct file *file);

/* A descriptor that is looked at, and the capability behind it or an error. */
struct pith_fd {
	struct fd fd;
	struct pith_cap *cap;
};

/* Revoked or not. fdput() when done. */
struct pith_fd pith_fd_any(int fd);
/* With @type (0: any) and all of @rights, and not revoked. Where that has to
 * last, look again under the object's lock. */
struct pith_fd pith_fd_get(int fd, u32 type, u32 rights);
DEFINE_CLASS(pith_fd, struct pith_fd, fdput(_T.fd),
	     pith_fd_get(fd, type, rights), int fd, u32 type, u32 rights)
/* Referenced file of descriptor @fd, if it is a capability, else NULL. */
struct file *pith_fd_file(int fd);

/* The object, a @type, of a capability to one. */
#define pith_cap_to(cap, type)	container_of((cap)->obj, type, obj)

/*
 * A control operation. The table in syscall.c says what @cap is a capability
 * to, with which rights, and what was copied to @arg and is copied from it.
 */
typedef int pith_op_fn(struct pith_cap *cap, void *arg);

pith_op_fn pith_op_mint, pith_op_identify, pith_op_revoke;

/* --- domain.c ----------------------------------------------------------------- */

struct pith_domain {
	struct pith_object obj;
	raw_spinlock_t lock;		/* the figures and @dead */
	atomic_t fault_lines;		/* that the log has */
	struct pith_domain *parent;	/* NULL: root; referenced */
	u64 ram_limit, ram_used;	/* bytes */
	u64 caps_limit, caps_used;
	bool dead;
	u32 depth;			/* below the root */
	struct list_head processes;	/* pith_process_lock */
	struct rcu_head rcu;

	/* CPU time, in ns: budget.c */
	raw_spinlock_t cpu_lock;
	u64 cpu_budget, cpu_period;	/* budget 0: no limit */
	s64 cpu_left;			/* in this period; < 0: overrun */
	u64 cpu_end;			/* of this period, sched_clock() */
	struct swait_queue_head cpu_wait; /* threads that wait for a period */
};

struct pith_domain *pith_domain_new(struct pith_domain *parent);
struct pith_domain *pith_current_domain(void);
int pith_charge(struct pith_domain *d, u64 ram, u64 caps);
void pith_uncharge(struct pith_domain *d, u64 ram, u64 caps);
pith_op_fn pith_op_domain_create, pith_op_domain_transfer, pith_op_domain_info,
	   pith_op_domain_destroy, pith_op_domain_cpu;

/* --- memory.c ----------------------------------------------------------------- */

struct pith_mem {
	struct pith_object obj;		/* RAM: its payer pays the pages too */
	struct inode *inode;		/* its mapping knows all mappers */
	struct page **pages;		/* NULL: device memory */
	u64 npages;
	struct resource claim;		/* device memory: io.c */
	u32 cache;			/* PITH_IO_* */
};

extern const struct file_operations pith_mem_fops;
int pith_mem_mmap(struct file *file, struct vm_area_struct *vma);
pith_op_fn pith_op_mem_create, pith_op_mem_info;
/* Let @vma, not yet in a space, be of the memory behind @file. */
int pith_mem_vma(struct file *file, struct vm_area_struct *vma);
/* The page tables for a mapping, its space locked: who maps pays for them. */
int pith_mem_tables(struct mm_struct *mm, u64 address, u64 end);
struct pith_mem *pith_mem_io(u64 base, u64 size, u32 cache);
/* Nothing if it was not claimed. */
void pith_unclaim(struct resource *claim);
/* Page @n, referenced; NULL if the memory was revoked. */
struct page *pith_mem_page(struct pith_mem *mem, u64 n);
/* Keep @count pages from @first of RAM, and paid for, beyond a revocation. */
int pith_mem_pin(struct pith_mem *mem, u64 first, u64 count);
void pith_mem_unpin(struct pith_mem *mem, u64 first, u64 count);
/* Inode on the private mount for a memory object. */
struct inode *pith_inode(void);

/* --- notification.c -------------------------------------------------------------- */

struct pith_endpoint;

struct pith_notif {
	struct pith_object obj;
	raw_spinlock_t lock;		/* @ep, @badge, @watched */
	struct pith_endpoint *ep;	/* bound to, referenced */
	u64 badge;
	atomic64_t count;
	struct list_head link;		/* ep->notes, if signalled; its lock */
	struct pith_endpoint *watched;	/* referenced; @lock */
	struct list_head watch_link;	/* watched->watchers; its lock */
};

void pith_notif_signal(struct pith_notif *n, u64 count);
pith_op_fn pith_op_notif_create, pith_op_notif_bind;
/* Referenced notification of descriptor @fd with @rights, or an error. */
struct pith_notif *pith_fd_notif(int fd, u32 rights);
/* Let @n fire when @ep, which may be NULL, dies, instead of what it watched. */
void pith_notif_watch(struct pith_notif *n, struct pith_endpoint *ep);

/* --- endpoint.c, endpoint_life.c, buffer.c -------------------------------- */

struct pith_endpoint {
	struct pith_object obj;
	struct rcu_head rcu;
	raw_spinlock_t lock;
	bool dead;
	bool callers_next;		/* whose turn it is, calls or notes */
	atomic_t receivers;		/* capabilities with RECV */
	struct rb_root minted;		/* the others, by badge */
	struct plist_head callers;	/* threads by priority, oldest first */
	int urgency;			/* priority of the first of them */
	struct list_head servers;	/* threads, latest first: warm cache */
	struct list_head members;	/* threads that serve it: sched.c */
	struct list_head unsettled;
	u32 round;			/* in which all of them are settled */
	struct list_head notes;		/* pending notifications */
	struct list_head watchers;	/* notifications */
};

/* What is in flight: label, payload length, references to files. */
struct pith_transfer_state {
	u64 label;
	u32 len;
	u32 ncaps;
	struct file *files[PITH_MSG_CAPS];
};

enum pith_call_state {
	PITH_IDLE,
	PITH_QUEUED,		/* on ep->callers */
	PITH_WAIT_REPLY,	/* a server or a reply object owes the reply */
	PITH_DONE,		/* @result is valid */
};

struct pith_thread {
	struct pith_object obj;
	struct rcu_work gone;
	raw_spinlock_t lock;		/* @state, @seq, @result, @in_space */
	struct task_struct *task;
	struct file *buffer;		/* memory capability, NULL: none yet */
	u64 buffer_page;		/* pinned, with the next */
	struct pith_msg *header;
	void *data;
	u32 room;			/* bytes at @data */

	/* as a caller */
	enum pith_call_state state;
	u64 seq;			/* tells calls of this thread apart */
	int result;
	u64 badge;
	struct pith_thread *server;	/* owes the reply; NULL: none, gone */
	struct pith_endpoint *at;	/* in the queue of; its lock */
	struct plist_node queued;	/* there, or saver->saved */
	struct pith_thread *saver;	/* saved the reply; NULL: nobody */
	struct list_head cap_link;	/* callers of a capability */
	struct pith_transfer_state out;

	/* as a receiver */
	int got;			/* PITH_GOT_* or an error, once decided */
	u64 in_badge, in_count;
	struct pith_transfer_state in;
	struct pith_thread *owed;	/* referenced: caller to be answered */
	u64 owed_seq;
	struct list_head link;		/* ep->servers */

	/* priorities: sched.c */
	int donated;			/* by callers; MAX_RT_PRIO: nothing */
	int prio;			/* donated to servers */
	struct pith_endpoint *serves;
	struct list_head member;	/* serves->members */
	u32 round;			/* in which it was settled there */
	struct plist_head saved;	/* callers whose replies it saved */
	struct list_head unsettled;

	/* as a thread of a space: thread.c */
	struct pith_process *space;	/* referenced; NULL: another thread */
	struct list_head space_link;	/* space->threads */
	struct pid *pid;		/* of its thread group */
	struct file *fault_ep;		/* NULL: that of the space */
	struct callback_head stay;
	bool stay_queued;
	bool in_space;			/* @task is referenced */
	bool paused, faulted;
	u64 calls, receives, faults;
	u64 cpu_ns, switches;		/* once ended */
};

/* A saved reply: a capability to answer one call. */
struct pith_reply {
	struct pith_object obj;
	struct pith_thread *owed;	/* referenced; who takes it out answers */
	u64 seq;
};

static inline void pith_thread_put(struct pith_thread *th)
{
	pith_put(&th->obj);
}
void pith_wake(struct task_struct *task);
/* Let go of capabilities that did not arrive. */
void pith_drop_files(struct pith_transfer_state *t);
/* Let go of the call that @th received last and has not answered. */
void pith_drop_owed(struct pith_thread *th);
/* Let a fresh capability be found by its badge. */
void pith_ep_minted(struct pith_cap *cap);
void pith_ep_revoke_badge(struct pith_endpoint *ep, u64 badge);
pith_op_fn pith_op_ep_create, pith_op_ep_watch, pith_op_ep_save_reply,
	   pith_op_buffer_set;
/* Call @cap's endpoint with @f: 0 if the reply says to go on. */
int pith_fault_call(struct pith_cap *cap, struct pith_thread *th,
		    struct pith_fault *f);
/* Under ep->lock: a thread waits, give it @n's count. False: none waits. */
bool pith_ep_deliver_note(struct pith_endpoint *ep, struct pith_notif *n);
long pith_do_call(int fd, u64 deadline);
long pith_do_reply_wait(int fd, u32 flags, u64 deadline);

/* --- sched.c ------------------------------------------------------------------------ */

/* Work the priority of @th and of all that serve @ep out anew, and what follows
 * from it; either may be NULL. From process context without locks. */
void pith_settle(struct pith_thread *th, struct pith_endpoint *ep);
/* Under ep->lock. */
void pith_queue(struct pith_endpoint *ep, struct pith_thread *c);
void pith_unqueue(struct pith_endpoint *ep, struct pith_thread *c);
/* @th receives at @ep from now on; nobody does any more. */
void pith_serve(struct pith_thread *th, struct pith_endpoint *ep);
void pith_unserve(struct pith_endpoint *ep);
/* The current thread @th still owes the reply to (c, seq), which it saved; the
 * call is over. */
void pith_saved(struct pith_thread *th, struct pith_thread *c, u64 seq);
void pith_unsaved(struct pith_thread *c, u64 seq);
/* The current thread ends. */
void pith_leave(struct pith_thread *th);
/* Fields of a new thread, before others see it. */
void pith_sched_init(struct pith_thread *th);
/* The task of @th, referenced; NULL: it has ended. */
struct task_struct *pith_thread_task(struct pith_thread *th);
pith_op_fn pith_op_thread_sched;
/* --- process.c -------------------------------------------------------------------- */

struct pith_process {
	struct pith_object obj;
	struct rcu_head rcu;
	struct pith_domain *domain;
	struct pith_notif *exit_notif;	/* NULL: none */
	struct list_head link;		/* domain->processes */
	atomic_t tasks;			/* that have not let go of it */
	atomic_t last_tid;		/* numbers of its threads */
	atomic64_t cpu_ns;		/* up to the last tick or switch */
	u32 status;
	bool exited;
	bool started;

	/* as a space */
	struct mm_struct *mm;		/* NULL: a process; holds no users */
	struct mutex lock;		/* what follows */
	struct files_struct *files;	/* while a thread lives */
	struct file *fault_ep;
	struct list_head threads;	/* struct pith_thread, referenced */
	atomic_t live;			/* tasks that have not begun to exit */
	bool killed;
	int code;			/* exit code, once killed */
	char name[32];
};

extern struct mutex pith_process_lock;
/* It takes @more bytes besides. */
struct pith_process *pith_process_new(struct pith_domain *d, size_t more);
/* Kill all threads; @code, like that of do_exit(), becomes the exit status. */
void pith_space_die(struct pith_process *p, int code);
/* A task of @p begins to exit. */
void pith_space_leave(struct pith_process *p);
/* The number of its next thread, as the threads themselves see it. */
pid_t pith_next_tid(struct pith_process *p);
/* Make @p one of its domain's. */
void pith_process_list(struct pith_process *p);

/* --- space.c, thread.c, fault.c -------------------------------------------------- */

pith_op_fn pith_op_space_create, pith_op_space_map, pith_op_space_unmap,
	   pith_op_space_protect, pith_op_space_fault_ep, pith_op_space_thread,
	   pith_op_space_kill, pith_op_space_info;
pith_op_fn pith_op_thread_pause, pith_op_thread_resume,
	   pith_op_thread_get_regs, pith_op_thread_set_regs,
	   pith_op_thread_fault_ep, pith_op_thread_info;
/* That of the calling task, made if need be, or an error. */
struct pith_thread *pith_thread_self(void);
struct pith_thread *pith_thread_of(struct pith_process *p);
/* Make the task of @th, in which @setup runs first; back when it has. */
int pith_thread_create(struct pith_process *p, struct pith_thread *th,
		       int (*setup)(void *arg), void *arg);
/* Under p->lock: forget its thread groups that are gone, or all of them. */
void pith_threads_forget(struct pith_process *p, bool all);
void pith_thread_end(struct pith_thread *th, struct task_struct *task);

/* --- io.c, irq.c, log.c, syscall.c -------------------------------------------------------- */

pith_op_fn pith_op_hw_info, pith_op_hw_console, pith_op_hw_io_mem,
	   pith_op_hw_io_port, pith_op_hw_irq, pith_op_hw_msi,
	   pith_op_hw_mem_phys, pith_op_hw_log_read, pith_op_hw_panic_read;
pith_op_fn pith_op_irq_bind, pith_op_irq_ack;
pith_op_fn pith_op_port_in, pith_op_port_out;
int pith_hw_install(void);
extern u64 pith_boot_free;

/* --- arch/ARCH/kernel/pith_regs.c, pith_device.c -------------------------------- */

/* The caller is new in its space: nothing of its creator's registers is left. */
void pith_regs_clear(void);
/* The task of @th stands still, as thread.c sees to. */
void pith_regs_get(struct task_struct *task, struct pith_regs *r);
void pith_regs_set(struct task_struct *task, struct pith_regs *r);
/* What the calling thread's exception was. */
void pith_fault_decode(struct pith_fault *f);

/* Physical addresses are lower. */
u64 pith_phys_limit(void);
/* Is part of it interrupt controllers', the kernel's clock's or its console's? */
bool pith_kernel_range(u64 base, u64 size);
#ifdef CONFIG_PITH_PL011
/* Is part of it the console's? */
bool pith_console_at(u64 base, u64 size);
#else
static inline bool pith_console_at(u64 base, u64 size) { return false; }
#endif
static inline bool pith_overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Can there be such an interrupt? */
bool pith_irq_valid(const struct pith_irq *a);
/* Linux' number of an interrupt until it is unmapped, or <= 0. */
int pith_irq_map(const struct pith_irq *a);
void pith_irq_unmap(int irq);
/* One that is signalled by a write, or <= 0: with CONFIG_PITH_MSI. */
int pith_msi_alloc(void);

/* Limits of the descriptor tables of a component and of core. */
#define PITH_TABLE	4096
#define PITH_CORE_TABLE	131072
/* Domains between a domain and the root: each tick may go through all of them. */
#define PITH_DEPTH	64
/* Mappings that a process may have. */
#define PITH_MAPPINGS	1024
/* Tasks that a space may have. */
#define PITH_THREADS	256
/* Lowest address that can be mapped: what a null pointer may reach. */
#define PITH_LOWEST	0x10000

#endif
