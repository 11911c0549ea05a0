/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Platform: a driver's virtual bus. It shows only the devices that the platform
 * driver's policy gives to the session's label.
 *
 * On close the platform driver first stops the device (bus mastering off,
 * function reset), then drops the DMA mappings, then the memory: a device whose
 * driver died writes nowhere.
 */
#ifndef SESSION_PLATFORM_H
#define SESSION_PLATFORM_H

#include <stdint.h>

#define PLATFORM_BARS		6
#define PLATFORM_DMA_PAGES	256	/* addresses in one reply */

enum platform_method {
	/* DEVICES: -> struct platform_devices, struct platform_device each */
	PLATFORM_DEVICES = 1,
	/*
	 * ACQUIRE: struct platform_dev -> nothing. Resets the function, enables
	 * memory decoding, leaves bus mastering off until the first DMA mapping.
	 * EBUSY: acquired already.
	 */
	PLATFORM_ACQUIRE,
	/* RELEASE: struct platform_dev -> nothing */
	PLATFORM_RELEASE,
	/*
	 * IO_MEM: struct platform_bar -> struct platform_bar_reply + cap.
	 * The pages of the MSI-X table and PBA are never part of it: a BAR that
	 * holds them is cut short in front of them.
	 */
	PLATFORM_IO_MEM,
	/* IRQ: struct platform_irq -> cap: irq, bound by the driver with
	 * pith_irq_bind(). MSI-X, else MSI, of which there is vector 0. ENOENT:
	 * the device has fewer vectors. */
	PLATFORM_IRQ,
	/*
	 * DMA_MAP: struct platform_dma_map + cap 0 (RAM) -> struct
	 * platform_dma_reply, then uint64_t bus address per page of the first
	 * min(pages, PLATFORM_DMA_PAGES). The memory stays pinned and mapped for
	 * the device until DMA_UNMAP or close, whoever else drops it.
	 */
	PLATFORM_DMA_MAP,
	/* DMA_ADDR: struct platform_dma_addr -> platform_dma_reply + addresses
	 * from page @first on */
	PLATFORM_DMA_ADDR,
	/* DMA_UNMAP: struct platform_dma -> nothing */
	PLATFORM_DMA_UNMAP,
};

struct platform_devices {
	uint32_t count;
	uint32_t iommu;		/* 1: DMA is confined by an IOMMU */
};

struct platform_device {
	uint32_t index;		/* names it in the calls below */
	uint16_t vendor, device;
	uint8_t class_code, subclass, prog_if, revision;
	uint16_t bdf;		/* bus << 8 | device << 3 | function */
	uint16_t vectors;	/* interrupts that IRQ can give */
	uint64_t bar_size[PLATFORM_BARS];	/* bytes, 0: none or port I/O */
};

struct platform_dev {
	uint32_t device;
	uint32_t zero;
};

struct platform_bar {
	uint32_t device;
	uint32_t bar;
};
struct platform_bar_reply {
	uint64_t size;		/* bytes that the capability covers */
};

struct platform_irq {
	uint32_t device;
	uint32_t vector;
};

struct platform_dma_map {
	uint32_t device;
	uint32_t zero;
};
struct platform_dma_reply {
	uint64_t handle;
	uint64_t pages;		/* of the memory object in all */
	uint32_t count;		/* addresses that follow */
	uint32_t zero;
};
struct platform_dma_addr {
	uint64_t handle;
	uint64_t first;
};
struct platform_dma {
	uint64_t handle;
};

/* --- System: power. A service of its own, for who may switch the machine off -- */
enum system_method {
	/* Do not return if they work; EIO if the machine did not react. */
	SYSTEM_POWEROFF = 1,
	SYSTEM_REBOOT,
};

#endif
