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

#define CALL(nr)	"mov x8, #" nr "\n\tsvc #0\n\t"
#define EXIT		"\n\t" CALL("94") "udf #0\n"
/* One more, or less, in the data page; flags say whether it is 0 then. */
#define ADD(at)		"ldr x9, [x19, #" at "]\n\tadds x9, x9, #1\n\t"	\
			"str x9, [x19, #" at "]\n\t"
#define SUB(at)		"ldr x9, [x19, #" at "]\n\tsubs x9, x9, #1\n\t"	\
			"str x9, [x19, #" at "]\n\t"
#define BUFFER_SET							\
	"mov x19, x0\n\tmov x2, x0\n\tmov x0, #-1\n\tmov x1, #2\n\t" CALL("503")
#define RECEIVE(flags)							\
	"mov x0, #0\n\tmov x1, " flags "\n\tmov x2, #-1\n\t" CALL("501")
#define ANSWER(fd)							\
	"mov x0, " fd "\n\tmov x1, #1\n\tmov x2, #0\n\t" CALL("501")
#define SAVE								\
	"mov x0, #0\n\tmov x1, #10\n\tmov x2, #0\n\t" CALL("503")
#define SLEEP								\
	"mov x0, #1\n\tmov x1, #0\n\tadd x2, x19, #56\n\tmov x3, #0\n\t"	\
	CALL("115")

PIECE(leave, EXIT);
PIECE(leave_44, "mov x0, #44" EXIT);
PIECE(read_byte, "ldrb w0, [x0]" EXIT);
PIECE(write_one, "mov x9, #1\n\tstr x9, [x0]\n\tmov x0, #11" EXIT);
PIECE(add_and_end, "1: ldxr x9, [x0]\n\tadd x9, x9, #1\n\t"
		   "stxr w10, x9, [x0]\n\tcbnz w10, 1b\n\t"
		   "mov x0, #0\n\t" CALL("93") "udf #0");
PIECE(close_all, "mov x19, x0\n\tmov x20, #0\n"
		 "1: mov x0, x20\n\t" CALL("57")
		 "str x0, [x19, x20, lsl #3]\n\tadd x20, x20, #1\n\t"
		 "cmp x20, #500\n\tb.lo 1b\n\tmov x0, #0" EXIT);
PIECE(widen, "mov x1, #4096\n\tmov x2, #7\n\t" CALL("226") "neg x0, x0" EXIT);
PIECE(touch_all, "mov x19, x0\n\tmov x1, #1\n"
		 "1: str x1, [x19]\n\tadd x19, x19, #4096\n\tadd x1, x1, #1\n\t"
		 "cmp x1, #257\n\tb.lo 1b\n\tmov x1, #256\n\tmov x2, #0\n"
		 "2: sub x19, x19, #4096\n\tldr x3, [x19]\n\tadd x2, x2, x3\n\t"
		 "subs x1, x1, #1\n\tb.ne 2b\n\t"
		 "mov x3, #0x20000000\n\tstr x2, [x3]\n\tmov x0, #0" EXIT);

PIECE(undefined, "mov x0, #0\n\tudf #0\n\tadd x0, x0, #1" EXIT);
PIECE(breakpoint, "mov x0, #0\n\tbrk #1\n\tadd x0, x0, #1" EXIT);
PIECE(privileged, "mov x0, #0\n\tmsr daifset, #2\n\tadd x0, x0, #1" EXIT);

PIECE(count, "1: ldr x9, [x0]\n\tadd x9, x9, #1\n\tstr x9, [x0]\n\tb 1b");
PIECE(count_calls, "mov x19, x0\n1:\t" ADD("0") CALL("124") "b 1b");
PIECE(jump, "br x0");

PIECE(call, BUFFER_SET "mov x0, #0\n\tmov x1, #-1\n\t" CALL("500") EXIT);
PIECE(pause_1000, "mov x20, #1000\n"
		  "1: mov x0, #0\n\tmov x1, #26\n\tmov x2, #0\n\t" CALL("503")
		  "cbnz x0, 2f\n\tsubs x20, x20, #1\n\tb.ne 1b\n2:" EXIT);
PIECE(serve, BUFFER_SET
      "mov x0, #1\n\tmov x1, #2\n\tmov x2, #-1\n\t" CALL("501")
      "ldr x9, [x19, #16]\n\tmov x10, #1\n\tstr x10, [x9]\n\t"
      ANSWER("#1") EXIT);
PIECE(pager, BUFFER_SET "mov x1, #2\n"
      "1: mov x0, #1\n\tmov x2, #-1\n\t" CALL("501")
      "ldr x9, [x19, #16]\n\tmov x10, #1\n\tstr x10, [x9]\n\t"
      "mov x0, #2\n\tmov x1, #19\n\tadd x2, x19, #24\n\t" CALL("503")
      "ldr x9, [x19, #64]\n\tmov w0, w0\n\tstr x0, [x9]\n\t"
      "str wzr, [x9, #24]\n\tmov x1, #3\n\tb 1b");

PIECE(client, BUFFER_SET
      "1: mov x0, #0\n\tldr x1, [x19, #16]\n\t" CALL("500")
      "str x0, [x19, #24]\n\t" ADD("32") "cbnz x0, 2f\n\t"
      SUB("40") "b.ne 1b\n2:\tmov x0, #0" EXIT);
PIECE(relay, BUFFER_SET "mov x20, #2\n1:\t" RECEIVE("x20")
      "cmp w0, #1\n\tb.ne 2f\n\t" ADD("32")
      "mov x0, #1\n\tldr x1, [x19, #16]\n\t" CALL("500")
      "str x0, [x19, #24]\n\tmov x20, #3\n\tb 1b\n"
      "2:\tmov x0, #7" EXIT);
PIECE(slow, BUFFER_SET "mov x20, #2\n1:\t" RECEIVE("x20")
      "cmp w0, #1\n\tb.ne 2f\n\t" ADD("32") "3:\t" SLEEP
      "ldr x9, [x19, #48]\n\tcbz x9, 3b\n\t"
      SUB("48") "mov x20, #3\n\tb 1b\n"
      "2:\tmov x0, #7" EXIT);
PIECE(echo, BUFFER_SET "mov x20, #2\n1:\t" RECEIVE("x20")
      ADD("32") "mov x20, #3\n\tcmp w0, #1\n\tb.eq 1b\n\t"
      "mov x0, #7" EXIT);
PIECE(saver, BUFFER_SET "1:\t" RECEIVE("#2")
      "cmp w0, #1\n\tb.ne 2f\n\t" SAVE
      "ldr x10, [x19, #32]\n\tadd x11, x19, #128\n\t"
      "str x0, [x11, x10, lsl #3]\n\t" ADD("32")
      SUB("40") "b.ne 1b\n3:\t" SLEEP
      "ldr x0, [x19, #48]\n\tcbz x0, 3b\n\t" ANSWER("x0")
      "str x0, [x19, #24]\n\tstr xzr, [x19, #48]\n\tb 3b\n"
      "2:\tmov x0, #7" EXIT);
PIECE(woken, BUFFER_SET "1:\tmov x20, #2\n7:\t" RECEIVE("x20")
      "cmp w0, #2\n\tb.eq 3f\n\tcmp w0, #1\n\tb.ne 9f\n\t"
      "ldr x21, [x19, #32]\n\t" ADD("32")
      "mov x20, #3\n\tldr x9, [x19, #40]\n\tcbz x9, 7b\n\t" SAVE
      "add x11, x19, #128\n\tstr x0, [x11, x21, lsl #3]\n\tb 1b\n"
      "3:\t" ADD("24") "4:\t" SLEEP
      "ldr x0, [x19, #48]\n\tcbz x0, 4b\n\ttbnz x0, #63, 5f\n\t" ANSWER("x0")
      "str xzr, [x19, #48]\n\tb 4b\n"
      "5:\tstr xzr, [x19, #48]\n\tb 1b\n"
      "9:\tmov x0, #7" EXIT);
PIECE(spin, "1: ldr x9, [x0, #32]\n\tadd x9, x9, #1\n\tstr x9, [x0, #32]\n\t"
	    "b 1b");
PIECE(touch, "mov x19, x0\n\tmov x1, #0x30000000\n\tmov x9, #1\n\t"
	     "str x9, [x1]\n\t" ADD("32") "mov x0, #0" EXIT);
