/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core: the first process. It holds all authority, turns it into sessions, and
 * has one child, init, which gets everything.
 */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>
#include <pith/entrypoint.h>
#include <pith/id_table.h>
#include <pith/list.h>
#include <session/core.h>
#include <session/parent.h>

struct core {
	struct entrypoint ep;
	int hardware;		/* the hardware capability */
	int root;		/* root domain: core's own */
	int init_domain, init_space;
	uint64_t boot_ram_free;
};
extern struct core core;

struct core_session;

/*
 * A service: open() checks the args and takes what the session needs; call()
 * handles its methods; close() undoes open(). Errors are negative errnos.
 */
struct core_service {
	const char *name;
	int (*open)(struct core_session *s, const char *args);
	ep_call_fn call;
	void (*close)(struct core_session *s);	/* may be NULL */
};

struct core_session {
	const struct core_service *service;
	uint64_t badge;		/* also its id */
	uint64_t ram, caps;	/* donated */
	char label[TRACE_LABEL_MAX];
	int fd;			/* what the session stands for, or -1 */
	int device;		/* IO_MEM, IO_PORT, IRQ: the same, to be revoked */
	int account;		/* PD: the domain that pays; -1: init's */
	union {
		struct { int managing; } pd;
		struct {
			uint64_t priority, affinity;
			struct list threads;
			uint64_t nthreads;
			uint64_t look;	/* so many: which have ended? */
		} cpu;
		struct { const struct rom_module *module; } rom;
		struct { struct irq_reply info; } irq;
	};
};

extern const struct core_service pd_service, cpu_service, rom_service,
	log_service, trace_service, io_mem_service, io_port_service, irq_service;

/* parent.c: the Parent interface, for init. Returns init's parent capability. */
int parent_init(void);
/* A LOG session that core opens itself, for @label: its fd. */
int parent_log_cap(const char *label);
/* A session without its capability and quota: what may fail on its args. Takes
 * @account over. */
struct core_session *session_new(const struct core_service *service,
				 const char *label, const char *args,
				 int account, int *err);

/*
 * cpu.c: threads that have got a priority, by id, while they live and their
 * session does.
 */
struct core_thread {
	struct list all, of_session;
	struct core_session *session;
	uint64_t id;
	struct id_link object;	/* the kernel's number for it */
	int fd;
	char name[CPU_NAME_MAX];
};
extern struct list core_threads;
/* @thread (taken over) of a program that core starts itself, as @label. */
int cpu_adopt(const char *label, int thread);

/* trace.c: is a thread of @label in the subsystem of the session @trace? */
bool trace_sees(const char *trace, const char *label);

/* rom.c: make every file in @dir a module and remove it. Returns their number. */
int rom_load(const char *dir);
/* Memory capability (READ|EXEC) and size of module @name, or -ENOENT. */
int rom_find(const char *name, uint64_t *size);

/* log.c: one line, prefixed with [label], into the log and to the console. */
void core_log(const char *label, const char *text, size_t len);
void core_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Wait until the console, which the kernel writes behind our back, has it all. */
int core_flush(void);
/* Do that, then reboot(@how); back only if that fails. */
void core_stop(int how);
/* If the boot before this one panicked: the end of its log into this one's. */
void core_show_panic(void);

#endif
