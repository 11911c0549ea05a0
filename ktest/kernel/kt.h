/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel tests: one static program that is core and, started again by itself,
 * every component of the tests.
 *
 * A test is a function in one of three places:
 *   KT_CORE(name)       runs in core
 *   KT_COMPONENT(name)  runs in a component of its own, in capability mode
 *   KT_ROLE(name)       is no test: what a component does that a test starts
 *
 * Every failed check is noted in the report, memory shared by core and all
 * components of a test, so that it does not depend on what is tested. After
 * each test core also checks that all quota has come back.
 */
#ifndef KT_H
#define KT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <linux/pith.h>

/* --- system calls, raw: a negative errno is returned ----------------------- */

long kt_syscall(long nr, long a, long b, long c, long d, long e, long f);
/* clone(); what it makes sets *@made and ends, whatever it is. */
long kt_clone_ends(unsigned long flags, void *stack, volatile uint32_t *number,
		   volatile uint32_t *alive, int *made);

static inline long kt_call(int ep, uint64_t deadline)
{
	return kt_syscall(PITH_NR_CALL, ep, deadline, 0, 0, 0, 0);
}

static inline long kt_reply_wait(int fd, uint32_t flags, uint64_t deadline)
{
	return kt_syscall(PITH_NR_REPLY_WAIT, fd, flags, deadline, 0, 0, 0);
}

static inline long kt_signal(int notif, uint64_t count)
{
	return kt_syscall(PITH_NR_SIGNAL, notif, count, 0, 0, 0, 0);
}

static inline long kt_control(int fd, uint32_t op, void *arg)
{
	return kt_syscall(PITH_NR_CONTROL, fd, op, (long)arg, 0, 0, 0);
}

long kt_close(int fd);
uint64_t kt_now(void);		/* CLOCK_MONOTONIC, ns */

#define KT_MS(n)	((uint64_t)(n) * 1000000)
/* In @ms, or on a kernel that checks itself in ten times as many. */
uint64_t kt_soon(uint64_t ms);
/* Longer than anything takes that works, in emulation too. */
#define KT_SOON		kt_soon(20000)
/* The same for what is done thousands of times. */
#define KT_LATER	kt_soon(60000)
/* Long enough for something that must not happen to happen. */
#define KT_NOT_SOON	(kt_now() + KT_MS(50))

/* --- operations, one function each ------------------------------------------- */

long kt_ep_create(void);
long kt_notif_create(void);
long kt_mem_create(int domain, uint64_t size, uint32_t flags);
long kt_mint(int fd, uint32_t rights);
long kt_mint_badge(int ep, uint64_t badge);
long kt_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size);
long kt_bind(int notif, int ep, uint64_t badge);
long kt_watch(int ep, int notif);
long kt_buffer_set(int mem, uint64_t offset);
long kt_mem_size(int mem);
/* Rights and type; 0 if @fd is no capability. */
uint32_t kt_type(int fd);
uint32_t kt_rights(int fd);
uint64_t kt_object(int fd);
long kt_transfer(int from, int to, uint64_t ram, uint64_t caps);
struct pith_domain_info kt_domain_info(int domain);
/* What a domain pays: for a descriptor in a table of its own, and for a memory
 * object of @size, whoever holds it. */
#define KT_CAP_RAM	512u
uint64_t kt_mem_ram(uint64_t size);

/* mmap and friends; addresses, or a negative errno (kt_is_error()). */
#define KT_R	1
#define KT_W	2
#define KT_X	4
#define KT_PAGE	4096
#define KT_MAP_FIXED	0x10
void *kt_map(int mem, uint64_t offset, uint64_t size, int prot);
void *kt_map_at(void *at, int mem, uint64_t offset, uint64_t size, int prot,
		int flags);
long kt_unmap(void *addr, uint64_t size);
long kt_protect(void *addr, uint64_t size, int prot);

static inline bool kt_is_error(const void *p)
{
	return (uintptr_t)p > (uintptr_t)-4096;
}

/* --- the calling thread's message buffer ----------------------------------- */

/* Memory and mapping of it, in core too. */
struct kt_buffer {
	int mem;
	struct pith_msg *msg;
	uint8_t *data;
};

extern _Thread_local struct kt_buffer kt_buf;

void kt_buffer_init(void);
void kt_buffer_free(void);

#define kt_msg	(kt_buf.msg)
#define kt_data	(kt_buf.data)

/* Prepare the buffer for sending: no payload, no capabilities. */
void kt_prepare(uint64_t label);
/* Call with @label only: 0 or a negative errno. */
long kt_call_label(int ep, uint64_t label, uint64_t deadline);
/* Answer what this thread received last at @ep with @label and no payload. */
long kt_reply(int ep, uint64_t label);
long kt_wait(int ep, uint64_t deadline);
/* Receive a call with a deadline; a failed check if that does not come. */
/* Time for a thread that was started to block. */
void kt_let_block(void);
bool kt_wait_call(int ep);
/* Receive a notification with @badge and @count likewise. */
bool kt_wait_note(int ep, uint64_t badge, uint64_t count);
/* Nothing waits at @ep now. */
bool kt_wait_nothing(int ep);

void kt_sleep(uint64_t ns);

/* --- threads --------------------------------------------------------------- */

/* A thread of this process, with a message buffer of its own. */
struct kt_thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
	int stack_mem;
	void *stack;
	volatile uint64_t done;
	bool no_buffer;		/* set before start: it gets no buffer */
};

/* 0 or a positive errno. */
int kt_thread_try(struct kt_thread *t, void (*fn)(void *), void *arg);
/* The process ends if that fails. */
void kt_thread_start(struct kt_thread *t, void (*fn)(void *), void *arg);
/* Wait for its end; a failed check, if that does not come. */
void kt_thread_join(struct kt_thread *t);
_Noreturn void kt_exit(int code);
/* Touch what is not mapped. */
void kt_crash(void);

/* --- checks ---------------------------------------------------------------- */

#define KT_REPORT_BYTES		4096	/* text of failures */
#define KT_SHARED_WORDS		512	/* for the tests, zeroed before each */
struct kt_report {
	uint32_t used;
	uint32_t failures;
	uint64_t checked;	/* a slow kernel, that checks itself */
	char text[KT_REPORT_BYTES - 16];
	volatile uint64_t shared[KT_SHARED_WORDS];
};
#define KT_REPORT_SIZE	8192
_Static_assert(sizeof(struct kt_report) == KT_REPORT_SIZE, "two pages");

extern struct kt_report *kt_report;

void kt_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define KT_FAIL(...)	kt_fail(__FILE__, __LINE__, __VA_ARGS__)

#define KT_TRUE(cond) \
	((cond) ? true : (KT_FAIL("not so: %s", #cond), false))

/* Both are evaluated once and compared as long. */
#define KT_EQ(value, expected) ({					\
	long kt_v_ = (long)(value), kt_e_ = (long)(expected);		\
	if (kt_v_ != kt_e_)						\
		KT_FAIL("%s is %ld, not %s (%ld)", #value, kt_v_,	\
			#expected, kt_e_);				\
	kt_v_ == kt_e_; })

/* Value that must be >= 0: a descriptor, say. */
#define KT_FD(value) ({							\
	long kt_v_ = (long)(value);					\
	if (kt_v_ < 0)							\
		KT_FAIL("%s is %ld", #value, kt_v_);			\
	kt_v_; })

/* The process ends, as nothing after it would make sense. */
#define KT_NEED(cond) do {						\
	if (!(cond)) {							\
		KT_FAIL("needed: %s", #cond);				\
		kt_exit(1);						\
	}								\
} while (0)

/* --- tests ----------------------------------------------------------------- */

enum kt_place { KT_IN_CORE, KT_IN_COMPONENT, KT_IS_ROLE };

struct kt_test {
	const char *name;
	void (*run)(void);
	enum kt_place place;
};

#define KT_DEFINE(fn, where)						\
	static void fn(void);						\
	static const struct kt_test kt_def_##fn				\
	__attribute__((section("kt_tests"), used, aligned(8))) = {	\
		#fn, fn, where						\
	};								\
	static void fn(void)

#define KT_CORE(fn)		KT_DEFINE(fn, KT_IN_CORE)
#define KT_COMPONENT(fn)	KT_DEFINE(fn, KT_IN_COMPONENT)
#define KT_ROLE(fn)		KT_DEFINE(fn, KT_IS_ROLE)

/* --- components, as core sees them ----------------------------------------- */

/* What each component of a test finds in its table. */
enum kt_slot {
	KT_SLOT_DOMAIN,		/* own, right CHARGE */
	KT_SLOT_REPORT,		/* READ|WRITE */
	KT_SLOT_ARG,		/* first of what the test passes */
};
#define KT_MAX_ARGS	10

#define KT_CHILD_RAM	(12u << 20)
#define KT_CHILD_CAPS	200u
#define KT_CHILD_STACK	(64u << 10)

extern int kt_root;		/* core's domain */
extern int kt_hardware;
extern int kt_program;		/* memory: this ELF file */
extern int kt_report_mem;

struct kt_child {
	int domain;
	int space;
	int exit_notif;		/* bound to @ep */
	int ep;			/* of core, for this child only */
};

/*
 * Start role or test @name with args[0 .. nargs-1] from KT_SLOT_ARG on (-1: a
 * hole). Exits core if that fails.
 */
struct kt_child kt_start(const char *name, const int *args, unsigned int nargs);
/* The same, in @domain; kt_finish() destroys it. */
struct kt_child kt_start_in(int domain, const char *name, const int *args,
			    unsigned int nargs);
/* Wait for its end, close everything, destroy its domain; the exit status. */
int kt_finish(struct kt_child *c);
/* Wait for its end only. */
int kt_await_exit(struct kt_child *c);
void kt_kill(struct kt_child *c);
/* Start, and check that it ends with status 0. */
void kt_run(const char *name, const int *args, unsigned int nargs);

/* A domain of its own with @ram and @caps, from core's. */
int kt_domain(uint64_t ram, uint64_t caps);
void kt_domain_end(int domain);
/* A failed check unless it soon pays for nothing. */
void kt_domain_empties(int domain);
/*
 * Start program @binary as @name in @domain with caps[0 .. ncaps-1] and nothing
 * else; @exit_notif may be -1. Returns the space or an error.
 */
int kt_load(int domain, int binary, const char *name, const int *caps,
	    unsigned int ncaps, int exit_notif);
struct pith_space_info kt_space_info(int space);

/* The test is not for this machine: it has no @what. Core only; then return. */
void kt_skip(const char *what);

/* In ARCH/gates.c: roles that try to get into the kernel, and roles that end
 * with a signal; the last is NULL. */
extern const char *const kt_gates[];
struct kt_end {
	const char *role;
	int status;
};
extern const struct kt_end kt_ends[];

/* Number given as @name=NUMBER to core, or @otherwise. Core only. */
uint64_t kt_option(const char *name, uint64_t otherwise);

void kt_console(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Wait until *@word, which others change, is @value; a failed check if not. */
bool kt_await_word(volatile uint64_t *word, uint64_t value);

#endif
