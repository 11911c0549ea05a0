// SPDX-License-Identifier: BSD-2-Clause
/* bench_member: says when its first instruction ran. See README.md. */
#include <stdio.h>
#include <pith/env.h>

#define IDLE		PITH_SEC(20)	/* others start meanwhile */

/* Where the program begins: time, then libc. */
uint64_t first_time;
#if defined(__x86_64__)
__asm__(".pushsection .text.first, \"ax\"\n"
	".globl first\n"
	"first:	rdtsc\n"
	"	shl $32, %rdx\n"
	"	or %rdx, %rax\n"
	"	mov %rax, first_time(%rip)\n"
	"	xor %edx, %edx\n"
	"	jmp _start\n"
	".popsection");
#elif defined(__aarch64__)
__asm__(".pushsection .text.first, \"ax\"\n"
	".globl first\n"
	"first:	mrs x9, cntvct_el0\n"
	"	adrp x10, first_time\n"
	"	str x9, [x10, :lo12:first_time]\n"
	"	b _start\n"
	".popsection");
#endif

int component_main(void)
{
	struct session_quota donation = { .ram = 4096, .caps = 4 };
	int ep = pith_ep_create();
	struct session s;
	char args[40];

	if (ep < 0)
		env_fatal("no endpoint");
	pith_reply_wait(ep, PITH_WAIT, pith_now() + IDLE);
	snprintf(args, sizeof(args), "first=%llu",
		 (unsigned long long)first_time);
	if (env_session(&s, "Bench", "", args, &donation,
			pith_now() + PITH_SEC(60)))
		env_fatal("no Bench");
	pith_reply_wait(ep, PITH_WAIT, PITH_NO_DEADLINE);
	return 0;
}
