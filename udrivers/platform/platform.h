/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform driver's parts, put together in main.c. */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include <pith/service.h>

#include "dma.h"
#include "hw.h"
#include "pci.h"
#include "policy.h"

/* A function that a session has acquired. */
struct assigned;

struct platform {
	struct entrypoint ep;
	struct session pd;		/* at core, managing_system */
	struct acpi_info acpi;
	struct hw_ecam ecam;
	struct pci_bus bus;
	struct policy policy;
	struct assigned *assigned[PCI_FUNCTIONS_MAX];	/* NULL: free */
};

/* Callbacks of service "Platform"; @ctx: struct platform. */
int platform_open(void *ctx, const struct parent_request *req, void **session);
void platform_close(void *ctx, void *session);

/* Callbacks of service "System"; @ctx: struct platform. */
int system_open(void *ctx, const struct parent_request *req, void **session);
void system_close(void *ctx, void *session);

#endif
