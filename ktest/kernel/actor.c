// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>
#include "actor.h"

__asm__(".globl ks_client, ks_relay, ks_slow, ks_echo, ks_saver, ks_woken, "
	"ks_spin, ks_touch");

#define BUFFER_SET							\
	"mov %rdi, %rbx\n\tmov %rdi, %rdx\n\tmov $503, %eax\n\t"		\
	"mov $-1, %rdi\n\tmov $2, %esi\n\tsyscall\n\t"
#define RECEIVE(flags)							\
	"mov $501, %eax\n\txor %edi, %edi\n\tmov " flags ", %esi\n\t"	\
	"mov $-1, %rdx\n\tsyscall\n\t"
#define SLEEP								\
	"mov $230, %eax\n\tmov $1, %edi\n\txor %esi, %esi\n\t"		\
	"lea 56(%rbx), %rdx\n\txor %r10d, %r10d\n\tsyscall\n\t"
_Static_assert(PITH_OP_BUFFER_SET == 2 && PITH_OP_EP_SAVE_REPLY == 10,
	       "as in the code");

KS_ASM(client, BUFFER_SET
       "1: mov $500, %eax\n\txor %edi, %edi\n\tmov 16(%rbx), %rsi\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tincq 32(%rbx)\n\ttest %rax, %rax\n\tjnz 2f\n\t"
       "decq 40(%rbx)\n\tjnz 1b\n2:\txor %edi, %edi" KS_EXIT_DI);
KS_ASM(relay, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "cmp $1, %eax\n\tjne 2f\n\tincq 32(%rbx)\n\t"
       "mov $500, %eax\n\tmov $1, %edi\n\tmov 16(%rbx), %rsi\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tmov $3, %r12d\n\tjmp 1b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
KS_ASM(slow, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "cmp $1, %eax\n\tjne 2f\n\tincq 32(%rbx)\n3:\t" SLEEP
       "cmpq $0, 48(%rbx)\n\tje 3b\n\t"
       "decq 48(%rbx)\n\tmov $3, %r12d\n\tjmp 1b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
KS_ASM(echo, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "incq 32(%rbx)\n\tmov $3, %r12d\n\tcmp $1, %eax\n\tje 1b\n\t"
       "mov $7, %edi" KS_EXIT_DI);
KS_ASM(saver, BUFFER_SET "1:\t" RECEIVE("$2")
       "cmp $1, %eax\n\tjne 2f\n\t"
       "mov $503, %eax\n\txor %edi, %edi\n\tmov $10, %esi\n\tsyscall\n\t"
       "mov 32(%rbx), %rcx\n\tmov %rax, 128(%rbx,%rcx,8)\n\tincq 32(%rbx)\n\t"
       "decq 40(%rbx)\n\tjnz 1b\n3:\t" SLEEP
       "mov 48(%rbx), %rdi\n\ttest %rdi, %rdi\n\tje 3b\n\t"
       "mov $501, %eax\n\tmov $1, %esi\n\txor %edx, %edx\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tmovq $0, 48(%rbx)\n\tjmp 3b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
KS_ASM(woken, BUFFER_SET "1:\tmov $2, %r12d\n7:\t" RECEIVE("%r12d")
       "cmp $2, %eax\n\tje 3f\n\tcmp $1, %eax\n\tjne 9f\n\t"
       "mov 32(%rbx), %r13\n\tincq 32(%rbx)\n\t"
       "mov $3, %r12d\n\tcmpq $0, 40(%rbx)\n\tje 7b\n\t"
       "mov $503, %eax\n\txor %edi, %edi\n\tmov $10, %esi\n\tsyscall\n\t"
       "mov %rax, 128(%rbx,%r13,8)\n\tjmp 1b\n"
       "3:\tincq 24(%rbx)\n4:\t" SLEEP
       "mov 48(%rbx), %rdi\n\ttest %rdi, %rdi\n\tje 4b\n\tjs 5f\n\t"
       "mov $501, %eax\n\tmov $1, %esi\n\txor %edx, %edx\n\tsyscall\n\t"
       "movq $0, 48(%rbx)\n\tjmp 4b\n"
       "5:\tmovq $0, 48(%rbx)\n\tjmp 1b\n"
       "9:\tmov $7, %edi" KS_EXIT_DI);
KS_ASM(spin, "1: incq 32(%rdi)\n\tjmp 1b");
KS_ASM(touch, "mov %rdi, %rbx\n\tmov $0x30000000, %eax\n\tmovq $1, (%rax)\n\t"
	      "incq 32(%rbx)\n\txor %edi, %edi" KS_EXIT_DI);

long set_sched(int thread, uint32_t priority, uint64_t affinity)
{
	struct pith_sched arg = { priority, 0, affinity };

	return kt_control(thread, PITH_OP_THREAD_SCHED, &arg);
}

static uint32_t priority_now(struct actor *a)
{
	return ks_thread_info(a->s.thread).priority_now;
}

bool await_priority(struct actor *a, uint32_t priority)
{
	uint64_t end = KT_SOON;

	while (priority_now(a) != priority && kt_now() < end)
		kt_sleep(KT_MS(2));
	return KT_EQ(priority_now(a), priority);
}

void await_waiting(struct actor *a)
{
	uint64_t end = KT_SOON;

	while (ks_thread_info(a->s.thread).state != PITH_THREAD_WAITING &&
	       kt_now() < end)
		kt_sleep(KT_MS(2));
	KT_EQ(ks_thread_info(a->s.thread).state, PITH_THREAD_WAITING);
}

void actor_prepare(struct actor *a, uint32_t priority, const int *eps,
		   unsigned int neps)
{
	int caps[4];

	memset(a, 0, sizeof(*a));
	a->mem = KT_FD(kt_mem_create(-1, PITH_BUFFER_SIZE, 0));
	for (unsigned int i = 0; i < neps; i++)
		caps[i] = eps[i];
	caps[neps] = a->mem;
	ks_open(&a->s, caps, neps + 1);
	a->s.word[W_BUFFER] = neps;	/* struct pith_buffer: its descriptor */
	a->s.word[W_DEADLINE] = PITH_NO_DEADLINE;
	a->s.word[W_REPEAT] = 1;
	a->s.word[W_NSECONDS] = KT_MS(1);
	KT_EQ(set_sched(a->s.thread, priority, 0), 0);
}

void actor_start(struct actor *a, const uint8_t *code, uint32_t priority,
		 const int *eps, unsigned int neps)
{
	actor_prepare(a, priority, eps, neps);
	ks_run(&a->s, code, KS_DATA);
}

void actor_end(struct actor *a)
{
	/* what it took comes back once nobody waits for it or owes it a reply,
	 * and its thread has the CPU to end: looked at after the test */
	ks_end(&a->s);
	kt_domain_end(a->s.domain);
	kt_close(a->mem);
}

unsigned int cpus(void)
{
	struct pith_hw_info info = { 0 };

	KT_EQ(kt_control(kt_hardware, PITH_OP_HW_INFO, &info), 0);
	return info.cpus;
}

void expect_stopped(struct actor *a)
{
	uint64_t seen = a->s.word[W_COUNT];

	kt_sleep(KT_MS(100));
	KT_EQ(a->s.word[W_COUNT], seen);
}

void await_steps(struct actor *a)
{
	uint64_t seen = a->s.word[W_COUNT], end = KT_SOON;

	while (a->s.word[W_COUNT] == seen && kt_now() < end)
		kt_sleep(KT_MS(2));
	KT_TRUE(a->s.word[W_COUNT] != seen);
}
