/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device registers, memory shared with a device, and waiting for hardware.
 *
 * Register accesses are single, of exactly the named width, and never moved or
 * merged by the compiler. @base is a mapped BAR, @offset in bytes, naturally
 * aligned; the caller has checked that it lies inside the mapping.
 */
#ifndef UDRIVERS_LIB_MMIO_H
#define UDRIVERS_LIB_MMIO_H

#include <stdint.h>

#define MMIO_ACCESSORS(bits)						\
static inline uint##bits##_t mmio_read##bits(const volatile void *base,	\
					     uint64_t offset)		\
{									\
	const volatile uint8_t *p = base;				\
									\
	return *(const volatile uint##bits##_t *)(p + offset);		\
}									\
									\
static inline void mmio_write##bits(volatile void *base,		\
				    uint64_t offset,			\
				    uint##bits##_t value)		\
{									\
	volatile uint8_t *p = base;					\
									\
	*(volatile uint##bits##_t *)(p + offset) = value;		\
}

MMIO_ACCESSORS(8)
MMIO_ACCESSORS(16)
MMIO_ACCESSORS(32)
MMIO_ACCESSORS(64)

/*
 * Order between memory that a device also accesses and its registers.
 * dma_wmb(): what was written to memory is visible to the device before what
 * is written next, a doorbell included. dma_rmb(): what is read next is not
 * older than what was read before.
 */
#if defined(__x86_64__)
/* Stores leave in order and loads are made in order: the compiler is left. */
static inline void dma_wmb(void) { __asm__ volatile("" ::: "memory"); }
static inline void dma_rmb(void) { __asm__ volatile("" ::: "memory"); }
#elif defined(__aarch64__)
static inline void dma_wmb(void) { __asm__ volatile("dsb st" ::: "memory"); }
static inline void dma_rmb(void) { __asm__ volatile("dsb ld" ::: "memory"); }
#else
#error "barriers of this architecture are not written"
#endif

/*
 * Wait until @done(@ctx) is not 0, at most until @deadline (absolute, as in
 * pith_now()): 0, the negative value that @done returned, or -ETIMEDOUT. This
 * is the only polling loop of the drivers; it spins for a moment and then
 * sleeps between the polls. A call being handled is not dropped by it.
 */
int poll_until(int (*done)(void *ctx), void *ctx, uint64_t deadline);

/* Wait until (register & @mask) == @want: 0 or -ETIMEDOUT. */
int mmio_wait32(const volatile void *base, uint64_t offset, uint32_t mask,
		uint32_t want, uint64_t deadline);

/* Sleep until @deadline. */
void sleep_until(uint64_t deadline);

#endif
