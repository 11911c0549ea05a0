// SPDX-License-Identifier: BSD-2-Clause
/* The component that runs the programs of the fuzzer, with two threads. */
#include <string.h>
#include "fuzz.h"

#define REGION		((uint8_t *)0x20000000)
#define REGION_SIZE	(FUZZ_REGION_PAGES * KT_PAGE)
#define LONGEST_WAIT	1000000ull	/* ns */

static struct fuzz_board *board;
static uint8_t data[FUZZ_DATA] __attribute__((aligned(4096)));
static volatile int recent[FUZZ_KEPT];
static volatile uint32_t nrecent;
static int own_memory, first_free;

/* What new threads may be started with, at the start of own_memory: one that
 * yields for ever, one that faults, one that ends. */
__asm__(".pushsection .rodata\n"
	"fuzz_code:\n"
	"1:	mov	$24, %eax\n"
	"	syscall\n"
	"	jmp	1b\n"
	"	.balign	256\n"
	"	mov	%rdi, (%rdi)\n"
	"	jmp	1b\n"
	"	.balign	256\n"
	"	mov	$60, %eax\n"
	"	syscall\n"
	"	.balign	256\n"
	"	ud2\n"
	"	.balign	256\n"
	"	.popsection");
extern const uint8_t fuzz_code[];

static const int slot_of[] = {
	[PITH_T_ENDPOINT] = W_ENDPOINT, [PITH_T_NOTIFICATION] = W_NOTIF,
	[PITH_T_DOMAIN] = W_DOMAIN, [PITH_T_SPACE] = W_SPACE,
	[PITH_T_IRQ] = W_IRQ, [PITH_T_IO_PORT] = W_PORT,
	[PITH_T_HARDWARE] = W_HARDWARE,
};

static int newest(uint32_t type, uint32_t k)
{
	for (unsigned int i = 0; i < FUZZ_KEPT; i++) {
		int fd = recent[(nrecent - 1 - i) % FUZZ_KEPT];

		if (fd > 0 && kt_type(fd) == type && !k--)
			return fd;
	}
	return -1;
}

static int descriptor(uint64_t word, uint32_t type)
{
	if (word >= FUZZ_RAW - 2)
		return (int)(word - FUZZ_RAW);
	if (word >= FUZZ_RECENT)
		return recent[(nrecent - 1 - word) % FUZZ_KEPT];
	if (word >= FUZZ_NEWEST && type != FUZZ_ANY)
		return newest(type, word - FUZZ_NEWEST);
	if (type == PITH_T_MEMORY)
		return own_memory;
	if (type == FUZZ_ANY)	/* the slots in their order */
		return W_ENDPOINT + word % (W_SLOTS - W_ENDPOINT);
	return type < COUNT(slot_of) && slot_of[type] ? slot_of[type] :
							newest(type, 0);
}

static uint64_t pointer(uint64_t word)
{
	return word < FUZZ_DATA ? (uintptr_t)data + word : word;
}

static uint64_t value_of(uint32_t kind, uint64_t word)
{
	static const uint32_t types[] = { FUZZ_ANY, PITH_T_MEMORY,
		PITH_T_ENDPOINT, PITH_T_NOTIFICATION, PITH_T_DOMAIN };

	if (kind >= K_ANY)
		return descriptor(word, types[kind - K_ANY]);
	if (kind == K_POINTER)
		return pointer(word);
	if (kind == K_REGION)
		return (uintptr_t)REGION + word % FUZZ_REGION_PAGES * KT_PAGE;
	if (kind == K_SOON)
		return word ? kt_now() + word % LONGEST_WAIT : 0;
	return word;
}

static void remember(long fd)
{
	if (fd > first_free && fd < 4096)
		recent[__atomic_fetch_add(&nrecent, 1, __ATOMIC_RELAXED) %
		       FUZZ_KEPT] = fd;
}

static void succeeded(uint32_t op)
{
	attack_count(&board->succeeded);
	attack_count(&board->by_op[op]);
}

/* --- control operations ----------------------------------------------------- */

static void control(const struct fuzz_step *s, const struct fuzz_op *op, int fd,
		    const uint64_t *values)
{
	uint64_t arg[FUZZ_ARG / 8] = { 0 };
	long ret;

	for (unsigned int i = 0; i < fuzz_words(op); i++) {
		const struct fuzz_field *f = &op->fields[i];

		memcpy((uint8_t *)arg + f->offset, &values[i],
		       f->size < 8 ? f->size : 8);
	}
	ret = kt_control(op->object ? fd : -1, s->op,
			 s->arg ? (void *)pointer(s->arg) : arg);
	if (ret < 0)
		return;
	succeeded(s->op);
	remember(ret);
	if (s->op == PITH_OP_SPACE_CREATE && !s->arg)
		remember(((struct pith_space_create *)arg)->thread);
}

/* --- the other calls -------------------------------------------------------- */

static void prepare(const uint64_t *v, unsigned int caps)
{
	kt_msg->label = v[0];
	kt_msg->len = v[1];
	kt_msg->ncaps = caps ? v[2] : 0;
	for (unsigned int i = 0; i < PITH_MSG_CAPS; i++)
		kt_msg->caps[i] = i < caps ? (int)v[3 + i] : PITH_CAP_NONE;
}

static long received(long got)
{
	if (got == PITH_GOT_CALL)
		for (uint32_t i = 0; i < kt_msg->ncaps && i < PITH_MSG_CAPS; i++)
			remember(kt_msg->caps[i]);
	return got;
}

/* Not beyond the region: there is what this component needs itself. */
static uint64_t size_at(uint64_t at, uint64_t size)
{
	uint64_t room = (uintptr_t)REGION + REGION_SIZE - at;

	return size < room ? size : room;
}

static long call(uint32_t op, int fd, const uint64_t *v)
{
	switch (op) {
	case FUZZ_CALL:
		prepare(v, 4);
		return kt_call(fd, v[7]);
	case FUZZ_RECEIVE:
		prepare(v, 3);
		return received(kt_reply_wait(fd, v[6], v[7]));
	case FUZZ_REPLY:
		prepare(v, 0);
		return kt_reply_wait(fd, PITH_REPLY, 0);
	case FUZZ_SIGNAL:
		return kt_signal(fd, v[0]);
	case FUZZ_MMAP: {
		void *p = kt_map_at((void *)v[0], fd, v[1], size_at(v[0], v[2]),
				    v[3] & 7, KT_MAP_FIXED);

		return kt_is_error(p) ? -1 : 0;
	}
	case FUZZ_MUNMAP:
		return kt_unmap((void *)v[0], size_at(v[0], v[1]));
	case FUZZ_MPROTECT:
		return kt_protect((void *)v[0], size_at(v[0], v[1]), v[2]);
	case FUZZ_CLOSE:
		return fd > first_free ? kt_close(fd) : -1;
	}
	return -1;
}

static void step(const struct fuzz_step *s)
{
	const struct fuzz_op *op = fuzz_op(s->op);
	uint64_t values[FUZZ_WORDS] = { 0 };
	int fd = op->object ? descriptor(s->object, op->object) : -1;

	for (unsigned int i = 0; i < fuzz_words(op); i++)
		values[i] = value_of(op->fields[i].kind, s->words[i]);
	attack_count(&board->steps);
	if (s->op < FUZZ_CALL)
		control(s, op, fd, values);
	else if (call(s->op, fd, values) >= 0)
		succeeded(s->op);
}

/* --- programs --------------------------------------------------------------- */

static void run(unsigned int which)
{
	const struct fuzz_program *p = &board->program;

	for (unsigned int i = 0; i < p->n; i++)
		step(&p->steps[(i + which * (p->n / 3)) % p->n]);
}

/* Wait for the number of a program after @last. */
static uint64_t next_program(uint64_t last)
{
	while (board->go == last)
		kt_sleep(50000);
	return board->go;
}

static void second_runner(void *arg)
{
	uint64_t n = 0;

	*(volatile bool *)arg = true;
	for (;;) {
		n = next_program(n);
		run(1);
		kt_buffer_set(kt_buf.mem, 0);
		board->done[1] = n;
	}
}

/* As it was before a program, as far as a component can. */
static void clean(void)
{
	for (int fd = first_free; fd < 400; fd++)
		kt_close(fd);
	kt_unmap(REGION, REGION_SIZE);
	kt_buffer_set(kt_buf.mem, 0);
	memset((void *)recent, 0, sizeof(recent));
	while (kt_wait(W_ENDPOINT, 0) > 0)
		;
}

KT_ROLE(fuzz_worker)
{
	static struct kt_thread second;
	static volatile bool ready;
	uint64_t n = 0;
	void *p;

	board = kt_map(W_BOARD, 0, FUZZ_BOARD, KT_R | KT_W);
	own_memory = KT_FD(kt_mem_create(-1, 16 * KT_PAGE, 0));
	p = kt_map(own_memory, 0, KT_PAGE, KT_R | KT_W);
	KT_NEED(!kt_is_error(board) && !kt_is_error(p));
	memcpy(p, fuzz_code, 4 * 256);
	kt_unmap(p, KT_PAGE);
	kt_thread_start(&second, second_runner, (void *)&ready);
	while (!ready)
		kt_sleep(KT_MS(1));
	first_free = KT_FD(kt_ep_create());
	kt_close(first_free);
	for (;;) {
		n = next_program(n);
		run(0);
		kt_await_word(&board->done[1], n);
		clean();
		board->done[0] = n;
	}
}
