// SPDX-License-Identifier: BSD-2-Clause
/* What core and the components of the tests have in common. */
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include "kt.h"

_Thread_local struct kt_buffer kt_buf;
struct kt_report *kt_report;

long kt_close(int fd)
{
	return kt_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

uint64_t kt_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void kt_sleep(uint64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };
	uint32_t word = 0;

	kt_syscall(SYS_futex, (long)&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0,
		   (long)&ts, 0, 0);
}

bool kt_await_word(volatile uint64_t *word, uint64_t value)
{
	uint64_t end = KT_SOON;

	while (*word != value) {
		if (kt_now() > end) {
			KT_FAIL("a word is still %lu, not %lu", *word, value);
			return false;
		}
		kt_sleep(KT_MS(1));
	}
	return true;
}

/* --- operations ------------------------------------------------------------ */

long kt_ep_create(void)
{
	return kt_control(-1, PITH_OP_EP_CREATE, NULL);
}

long kt_notif_create(void)
{
	return kt_control(-1, PITH_OP_NOTIF_CREATE, NULL);
}

long kt_mem_create(int domain, uint64_t size, uint32_t flags)
{
	struct pith_mem_create arg = { size, flags, domain };

	return kt_control(-1, PITH_OP_MEM_CREATE, &arg);
}

long kt_mint(int fd, uint32_t rights)
{
	struct pith_mint arg = { .rights = rights };

	return kt_control(fd, PITH_OP_MINT, &arg);
}

long kt_mint_badge(int ep, uint64_t badge)
{
	struct pith_mint arg = { .rights = PITH_R_CALL, .badge = badge };

	return kt_control(ep, PITH_OP_MINT, &arg);
}

long kt_mint_range(int mem, uint32_t rights, uint64_t offset, uint64_t size)
{
	struct pith_mint arg = {
		.rights = rights, .offset = offset, .size = size
	};

	return kt_control(mem, PITH_OP_MINT, &arg);
}

long kt_bind(int notif, int ep, uint64_t badge)
{
	struct pith_bind arg = { ep, 0, badge };

	return kt_control(notif, PITH_OP_NOTIF_BIND, &arg);
}

long kt_watch(int ep, int notif)
{
	struct pith_fd_arg arg = { notif, 0 };

	return kt_control(ep, PITH_OP_EP_WATCH, &arg);
}

long kt_buffer_set(int mem, uint64_t offset)
{
	struct pith_buffer arg = { mem, 0, offset };

	return kt_control(-1, PITH_OP_BUFFER_SET, &arg);
}

long kt_mem_size(int mem)
{
	struct pith_mem_info info;
	long err = kt_control(mem, PITH_OP_MEM_INFO, &info);

	return err ? err : (long)info.size;
}

static struct pith_identify kt_identify(int fd)
{
	struct pith_identify id;

	if (kt_control(fd, PITH_OP_IDENTIFY, &id))
		memset(&id, 0, sizeof(id));
	return id;
}

uint32_t kt_type(int fd)
{
	return kt_identify(fd).type;
}

uint32_t kt_rights(int fd)
{
	return kt_identify(fd).rights;
}

uint64_t kt_object(int fd)
{
	return kt_identify(fd).object;
}

long kt_transfer(int from, int to, uint64_t ram, uint64_t caps)
{
	struct pith_transfer arg = { to, 0, ram, caps };

	return kt_control(from, PITH_OP_DOMAIN_TRANSFER, &arg);
}

struct pith_domain_info kt_domain_info(int domain)
{
	struct pith_domain_info info = { 0 };

	KT_EQ(kt_control(domain, PITH_OP_DOMAIN_INFO, &info), 0);
	return info;
}

static int own_domain(void)
{
	return kt_root >= 0 ? kt_root : KT_SLOT_DOMAIN;
}

/* What the kernel's allocator takes for @size bytes. */
static uint64_t allocated(uint64_t size)
{
	uint64_t n = 8;

	while (n < size)
		n *= 2;
	return size > 64 && size <= 96 ? 96 : size > 128 && size <= 192 ? 192 : n;
}

/* Its pages, 8 bytes for each, and the object, whose size is measured. */
uint64_t kt_mem_ram(uint64_t size)
{
	static uint64_t object;
	uint64_t before;
	int mem;

	if (!object) {
		before = kt_domain_info(own_domain()).ram_used;
		mem = KT_FD(kt_mem_create(-1, KT_PAGE, 0));
		object = kt_domain_info(own_domain()).ram_used - before -
			 KT_PAGE - 8 - KT_CAP_RAM;
		kt_close(mem);
	}
	KT_TRUE(object > 100 && object < 2000);
	return size + allocated(size / KT_PAGE * 8) + object;
}

#define KT_MAP_SHARED	1

void *kt_map_at(void *at, int mem, uint64_t offset, uint64_t size, int prot,
		int flags)
{
	return (void *)kt_syscall(SYS_mmap, (long)at, size, prot,
				  KT_MAP_SHARED | flags, mem, offset);
}

void *kt_map(int mem, uint64_t offset, uint64_t size, int prot)
{
	return kt_map_at(NULL, mem, offset, size, prot, 0);
}

long kt_unmap(void *addr, uint64_t size)
{
	return kt_syscall(SYS_munmap, (long)addr, size, 0, 0, 0, 0);
}

long kt_protect(void *addr, uint64_t size, int prot)
{
	return kt_syscall(SYS_mprotect, (long)addr, size, prot, 0, 0, 0);
}

/* --- message buffer -------------------------------------------------------- */

void kt_buffer_init(void)
{
	void *p;

	kt_buf.mem = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));
	p = kt_map(kt_buf.mem, 0, PITH_BUFFER_SIZE, KT_R | KT_W);
	KT_NEED(!kt_is_error(p));
	kt_buf.msg = p;
	kt_buf.data = (uint8_t *)p + PITH_MSG_DATA;
	KT_NEED(kt_buffer_set(kt_buf.mem, 0) == 0);
}

/* The kernel's own hold on the buffer ends with the thread. */
void kt_buffer_free(void)
{
	kt_unmap(kt_buf.msg, PITH_BUFFER_SIZE);
	kt_close(kt_buf.mem);
}

void kt_prepare(uint64_t label)
{
	kt_msg->label = label;
	kt_msg->len = 0;
	kt_msg->ncaps = 0;
}

long kt_call_label(int ep, uint64_t label, uint64_t deadline)
{
	kt_prepare(label);
	return kt_call(ep, deadline);
}

long kt_reply(int ep, uint64_t label)
{
	kt_prepare(label);
	return kt_reply_wait(ep, PITH_REPLY, 0);
}

long kt_wait(int ep, uint64_t deadline)
{
	return kt_reply_wait(ep, PITH_WAIT, deadline);
}

uint64_t kt_soon(uint64_t ms)
{
	return kt_now() + KT_MS(kt_report->checked ? 10 * ms : ms);
}

void kt_let_block(void)
{
	kt_sleep(KT_MS(kt_report->checked ? 2000 : 30));
}

bool kt_wait_call(int ep)
{
	return KT_EQ(kt_wait(ep, KT_SOON), PITH_GOT_CALL);
}

bool kt_wait_note(int ep, uint64_t badge, uint64_t count)
{
	return KT_EQ(kt_wait(ep, KT_SOON), PITH_GOT_NOTIFICATION) &&
	       KT_EQ(kt_msg->badge, badge) && KT_EQ(kt_msg->count, count);
}

bool kt_wait_nothing(int ep)
{
	return KT_EQ(kt_wait(ep, 0), -ETIMEDOUT);
}

/* --- threads --------------------------------------------------------------- */

#define KT_STACK	(64u << 10)

static void *thread_main(void *arg)
{
	struct kt_thread *t = arg;

	if (!t->no_buffer)
		kt_buffer_init();
	t->fn(t->arg);
	if (!t->no_buffer)
		kt_buffer_free();
	t->done = 1;
	return NULL;
}

static void thread_free(struct kt_thread *t)
{
	kt_unmap(t->stack, KT_STACK);
	kt_close(t->stack_mem);
}

int kt_thread_try(struct kt_thread *t, void (*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	int err;

	t->fn = fn;
	t->arg = arg;
	t->done = 0;
	t->stack_mem = KT_FD(kt_mem_create(-1, KT_STACK, 0));
	t->stack = kt_map(t->stack_mem, 0, KT_STACK, KT_R | KT_W);
	KT_NEED(!kt_is_error(t->stack));
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, t->stack, KT_STACK);
	err = pthread_create(&t->id, &attr, thread_main, t);
	if (err)
		thread_free(t);
	return err;
}

void kt_thread_start(struct kt_thread *t, void (*fn)(void *), void *arg)
{
	KT_NEED(kt_thread_try(t, fn, arg) == 0);
}

void kt_thread_join(struct kt_thread *t)
{
	KT_NEED(kt_await_word(&t->done, 1));
	pthread_join(t->id, NULL);
	thread_free(t);
}

static volatile int *volatile nowhere = (volatile int *)16;

void kt_crash(void)
{
	*nowhere = 1;
}

/* --- checks ---------------------------------------------------------------- */

static void kt_report_text(const char *text, size_t len)
{
	uint32_t at = __atomic_fetch_add(&kt_report->used, len,
					 __ATOMIC_RELAXED);

	if (at < sizeof(kt_report->text) && len < sizeof(kt_report->text) - at)
		memcpy(kt_report->text + at, text, len);
}

void kt_fail(const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%s:%d: ", file, line);
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	__atomic_fetch_add(&kt_report->failures, 1, __ATOMIC_RELAXED);
	kt_report_text(text, n);
}
