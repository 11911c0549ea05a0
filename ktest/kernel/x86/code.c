// SPDX-License-Identifier: BSD-2-Clause
#include "../actor.h"

_Static_assert(PITH_OP_BUFFER_SET == 2 && PITH_OP_EP_SAVE_REPLY == 10 &&
	       PITH_OP_SPACE_MAP == 19 && PITH_OP_THREAD_PAUSE == 26,
	       "as in the code");
_Static_assert(offsetof(struct pith_msg, label) == 0 &&
	       offsetof(struct pith_msg, len) == 24, "as in the code");

/* A piece that others know. */
#define PIECE(name, text)						\
	__asm__(".globl ks_" #name);					\
	KS_ASM(name, text)

#define BUFFER_SET							\
	"mov %rdi, %rbx\n\tmov %rdi, %rdx\n\tmov $503, %eax\n\t"		\
	"mov $-1, %rdi\n\tmov $2, %esi\n\tsyscall\n\t"
#define RECEIVE(flags)							\
	"mov $501, %eax\n\txor %edi, %edi\n\tmov " flags ", %esi\n\t"	\
	"mov $-1, %rdx\n\tsyscall\n\t"
#define SLEEP								\
	"mov $230, %eax\n\tmov $1, %edi\n\txor %esi, %esi\n\t"		\
	"lea 56(%rbx), %rdx\n\txor %r10d, %r10d\n\tsyscall\n\t"

PIECE(leave, KS_EXIT_DI);
PIECE(leave_44, "mov $44, %edi" KS_EXIT_DI);
PIECE(read_byte, "movzbl (%rdi), %edi" KS_EXIT_DI);
PIECE(write_one, "movq $1, (%rdi)\n\tmov $11, %edi" KS_EXIT_DI);
PIECE(add_and_end, "lock incq (%rdi)\n\txor %edi, %edi\n\t"
		   "mov $60, %eax\n\tsyscall\n\tud2");
PIECE(close_all, "mov %rdi, %rbx\n\txor %ebp, %ebp\n"
		 "1: mov $3, %eax\n\tmov %ebp, %edi\n\tsyscall\n\t"
		 "mov %rax, (%rbx,%rbp,8)\n\tinc %ebp\n\t"
		 "cmp $500, %ebp\n\tjb 1b\n\txor %edi, %edi" KS_EXIT_DI);
PIECE(widen, "mov $4096, %esi\n\tmov $7, %edx\n\tmov $10, %eax\n\tsyscall\n\t"
	     "neg %eax\n\tmov %eax, %edi" KS_EXIT_DI);
PIECE(touch_all, "mov %rdi, %rbx\n\tmov $1, %ecx\n"
		 "1: mov %rcx, (%rbx)\n\tadd $4096, %rbx\n\tinc %ecx\n\t"
		 "cmp $257, %ecx\n\tjb 1b\n\t"
		 "mov $256, %ecx\n\txor %eax, %eax\n"
		 "2: sub $4096, %rbx\n\tadd (%rbx), %rax\n\tloop 2b\n\t"
		 "mov %rax, 0x20000000\n\txor %edi, %edi" KS_EXIT_DI);

PIECE(undefined, "xor %edi, %edi\n\tud2\n\tinc %edi" KS_EXIT_DI);
PIECE(breakpoint, "xor %edi, %edi\n\tint3\n\tinc %edi" KS_EXIT_DI);
PIECE(privileged, "xor %edi, %edi\n\tcli\n\tinc %edi" KS_EXIT_DI);

PIECE(count, "1: incq (%rdi)\n\tjmp 1b");
PIECE(count_calls, "mov %rdi, %rbx\n"
		   "1: incq (%rbx)\n\tmov $24, %eax\n\tsyscall\n\tjmp 1b");
PIECE(jump, "jmp *%rdi");

PIECE(call, "mov %rdi, %rdx\n\tmov $503, %eax\n\tmov $-1, %rdi\n\t"
	    "mov $2, %esi\n\tsyscall\n\t"
	    "mov $500, %eax\n\txor %edi, %edi\n\tmov $-1, %rsi\n\tsyscall\n\t"
	    "mov %eax, %edi" KS_EXIT_DI);
PIECE(pause_1000, "mov $1000, %ebx\n1: mov $503, %eax\n\txor %edi, %edi\n\t"
		  "mov $26, %esi\n\txor %edx, %edx\n\tsyscall\n\t"
		  "mov %eax, %edi\n\ttest %eax, %eax\n\tjnz 2f\n\t"
		  "dec %ebx\n\tjnz 1b\n2:" KS_EXIT_DI);
PIECE(serve, BUFFER_SET
      "mov $501, %eax\n\tmov $1, %edi\n\tmov $2, %esi\n\t"
      "mov $-1, %rdx\n\tsyscall\n\t"
      "mov 16(%rbx), %rcx\n\tmovq $1, (%rcx)\n\t"
      "mov $501, %eax\n\tmov $1, %edi\n\tmov $1, %esi\n\t"
      "xor %edx, %edx\n\tsyscall\n\tmov %eax, %edi" KS_EXIT_DI);
PIECE(pager, BUFFER_SET "mov $2, %esi\n"
      "1: mov $501, %eax\n\tmov $1, %edi\n\tmov $-1, %rdx\n\tsyscall\n\t"
      "mov 16(%rbx), %rcx\n\tmovq $1, (%rcx)\n\t"
      "mov $503, %eax\n\tmov $2, %edi\n\tmov $19, %esi\n\t"
      "lea 24(%rbx), %rdx\n\tsyscall\n\t"
      "mov 64(%rbx), %rcx\n\tmov %eax, %eax\n\tmov %rax, (%rcx)\n\t"
      "movl $0, 24(%rcx)\n\tmov $3, %esi\n\tjmp 1b");

PIECE(client, BUFFER_SET
       "1: mov $500, %eax\n\txor %edi, %edi\n\tmov 16(%rbx), %rsi\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tincq 32(%rbx)\n\ttest %rax, %rax\n\tjnz 2f\n\t"
       "decq 40(%rbx)\n\tjnz 1b\n2:\txor %edi, %edi" KS_EXIT_DI);
PIECE(relay, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "cmp $1, %eax\n\tjne 2f\n\tincq 32(%rbx)\n\t"
       "mov $500, %eax\n\tmov $1, %edi\n\tmov 16(%rbx), %rsi\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tmov $3, %r12d\n\tjmp 1b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
PIECE(slow, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "cmp $1, %eax\n\tjne 2f\n\tincq 32(%rbx)\n3:\t" SLEEP
       "cmpq $0, 48(%rbx)\n\tje 3b\n\t"
       "decq 48(%rbx)\n\tmov $3, %r12d\n\tjmp 1b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
PIECE(echo, BUFFER_SET "mov $2, %r12d\n1:\t" RECEIVE("%r12d")
       "incq 32(%rbx)\n\tmov $3, %r12d\n\tcmp $1, %eax\n\tje 1b\n\t"
       "mov $7, %edi" KS_EXIT_DI);
PIECE(saver, BUFFER_SET "1:\t" RECEIVE("$2")
       "cmp $1, %eax\n\tjne 2f\n\t"
       "mov $503, %eax\n\txor %edi, %edi\n\tmov $10, %esi\n\tsyscall\n\t"
       "mov 32(%rbx), %rcx\n\tmov %rax, 128(%rbx,%rcx,8)\n\tincq 32(%rbx)\n\t"
       "decq 40(%rbx)\n\tjnz 1b\n3:\t" SLEEP
       "mov 48(%rbx), %rdi\n\ttest %rdi, %rdi\n\tje 3b\n\t"
       "mov $501, %eax\n\tmov $1, %esi\n\txor %edx, %edx\n\tsyscall\n\t"
       "mov %rax, 24(%rbx)\n\tmovq $0, 48(%rbx)\n\tjmp 3b\n"
       "2:\tmov $7, %edi" KS_EXIT_DI);
PIECE(woken, BUFFER_SET "1:\tmov $2, %r12d\n7:\t" RECEIVE("%r12d")
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
PIECE(spin, "1: incq 32(%rdi)\n\tjmp 1b");
PIECE(touch, "mov %rdi, %rbx\n\tmov $0x30000000, %eax\n\tmovq $1, (%rax)\n\t"
	      "incq 32(%rbx)\n\txor %edi, %edi" KS_EXIT_DI);
