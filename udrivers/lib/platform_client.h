/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver's side of the Platform session: calls with the checks that a caller
 * would have to repeat. All return >= 0 or a negative errno: those of the session
 * (session/platform.h), of rpc_call(), and EPROTO for a senseless answer.
 */
#ifndef UDRIVERS_LIB_PLATFORM_CLIENT_H
#define UDRIVERS_LIB_PLATFORM_CLIENT_H

#include <pith/env.h>
#include <session/platform.h>

#define PLATFORM_TIMEOUT	PITH_SEC(10)	/* of a call; a reset takes 0.2 s */

/* Describe the first @max devices of the session: their number. */
int platform_devices(const struct session *s, struct platform_device *devices,
		     unsigned int max, uint32_t *iommu);
int platform_acquire(const struct session *s, uint32_t device);

/* Map BAR @bar: its address and bytes, or NULL and *@err. Stays mapped until the
 * process ends. */
void *platform_map_bar(const struct session *s, uint32_t device, uint32_t bar,
		       uint64_t *size, int *err);

/* Irq capability of @vector. */
int platform_irq(const struct session *s, uint32_t device, uint32_t vector);

/*
 * Map @mem for the device: its bus address of each page in @addresses, which has
 * room for @pages, the number of pages that @mem has.
 */
int platform_dma_map(const struct session *s, uint32_t device, int mem,
		     uint64_t *addresses, uint64_t pages, uint64_t *handle);
int platform_dma_unmap(const struct session *s, uint64_t handle);

#endif
