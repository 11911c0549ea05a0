/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of code that spaces run, position independent, at most KS_PIECE bytes
 * each: in ARCH/code.c, as they are in the processor's own language. Each begins
 * with one argument; what ends does so with an exit status.
 */
#ifndef KT_CODE_H
#define KT_CODE_H

#include <stdint.h>

/* --- ends -------------------------------------------------------------------- */

/* With its argument; with 44. */
extern const uint8_t ks_leave[], ks_leave_44[];
/* The status is the byte at the argument. */
extern const uint8_t ks_read_byte[];
/* Writes 1 to the argument; the status is 11. */
extern const uint8_t ks_write_one[];
/* Counts up, as one step for all CPUs, at the argument; only the thread ends. */
extern const uint8_t ks_add_and_end[];
/* Closes 0 .. 499, the results in words from the argument on; 0. */
extern const uint8_t ks_close_all[];
/* mprotect(argument, a page, all rights); the status is the negative result. */
extern const uint8_t ks_widen[];
/* Writes to each of the KS_PAGES pages from the argument on, then has their sum
 * at KS_DATA; 0. */
#define KS_PAGES	256
extern const uint8_t ks_touch_all[];

/* --- exceptions: the status is 1 if what follows was skipped to ---------------- */

extern const uint8_t ks_undefined[], ks_breakpoint[], ks_privileged[];

/* --- does not end -------------------------------------------------------------- */

/* Counts at the argument; with a system call each time. */
extern const uint8_t ks_count[], ks_count_calls[];
/* Goes where the argument says. */
extern const uint8_t ks_jump[];

/* --- calls; what they work on is at the argument --------------------------------- */

/* BUFFER_SET of what is there, call descriptor 0; the status is the result. */
extern const uint8_t ks_call[];
/* PAUSE of descriptor 0, 1,000 times; the status is the last result. */
extern const uint8_t ks_pause_1000[];
/* BUFFER_SET, receive at 1, write 1 to where word 2 says, answer; the result. */
extern const uint8_t ks_serve[];
/*
 * A pager: faults received at 1 are answered by mapping with the struct pith_map
 * at word 3 into space 2, after writing 1 to where word 2 says. The message
 * buffer is mapped where word 8 says.
 */
extern const uint8_t ks_pager[];

/* --- actors: see actor.h, also for the words they use ------------------------------ */

/* Call 0 W_REPEAT times, or until that fails. */
extern const uint8_t ks_client[];
/* Receive at 0, call 1 until W_DEADLINE, answer, and so on. */
extern const uint8_t ks_relay[];
/* Receive at 0, look at W_GO each ms until it is set, answer, and so on. */
extern const uint8_t ks_slow[];
/* Receive at 0 and answer at once. */
extern const uint8_t ks_echo[];
/* Save W_REPEAT calls at 0, then answer those whose reply W_GO names. */
extern const uint8_t ks_saver[];
/*
 * Receive at 0. If W_REPEAT is set, save the reply of a call, at W_SAVED and so
 * on; else answer it with the next receive. Woken by a notification, count it in
 * W_RESULT, answer what W_GO names, and receive again when that is negative.
 */
extern const uint8_t ks_woken[];
/* Count, and nothing else. */
extern const uint8_t ks_spin[];
/* Write to KS_AT, where nothing is mapped, and end. */
extern const uint8_t ks_touch[];

#endif
