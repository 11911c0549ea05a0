/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of PCI configuration space.
 *
 * [PCI] PCI Local Bus Specification 3.0
 * [PCIe] PCI Express Base Specification 4.0
 * [PM] PCI Bus Power Management Interface Specification 1.2
 */
#ifndef PLATFORM_PCI_REGS_H
#define PLATFORM_PCI_REGS_H

/* [PCI] 6.1, 6.2: header */
#define PCI_VENDOR		0x00
#define PCI_DEVICE		0x02
#define PCI_COMMAND		0x04
#define   PCI_COMMAND_IO	0x0001
#define   PCI_COMMAND_MEM	0x0002
#define   PCI_COMMAND_MASTER	0x0004
#define   PCI_COMMAND_INTX_OFF	0x0400
#define PCI_STATUS		0x06
#define   PCI_STATUS_CAPS	0x0010
#define PCI_REVISION		0x08
#define PCI_PROG_IF		0x09
#define PCI_SUBCLASS		0x0a
#define PCI_CLASS		0x0b
#define PCI_CACHE_LINE		0x0c
#define PCI_HEADER_TYPE		0x0e
#define   PCI_HEADER_MULTI	0x80
#define   PCI_HEADER_MASK	0x7f
#define   PCI_HEADER_DEVICE	0
#define   PCI_HEADER_BRIDGE	1
#define PCI_BAR0		0x10
#define   PCI_BAR_IO		0x01
#define   PCI_BAR_TYPE		0x06
#define   PCI_BAR_64		0x04
#define   PCI_BAR_PREFETCH	0x08
#define   PCI_BAR_MEM_MASK	0xfffffff0u
#define PCI_SECONDARY		0x19	/* of a bridge */
#define PCI_SUBORDINATE		0x1a	/* of a bridge */
#define PCI_CAPS		0x34
#define PCI_INTERRUPT_LINE	0x3c

/* [PCI] 6.7, appendix H: capabilities */
#define PCI_CAP_PM		0x01
#define PCI_CAP_MSI		0x05
#define PCI_CAP_EXPRESS		0x10
#define PCI_CAP_MSIX		0x11

/* [PCI] 6.8.1 */
#define PCI_MSI_CONTROL		2
#define   PCI_MSI_ENABLE	0x0001
#define   PCI_MSI_COUNT		0x0070	/* vectors in use, log2 */
#define   PCI_MSI_64		0x0080
#define   PCI_MSI_MASKABLE	0x0100
#define PCI_MSI_ADDRESS		4

/* [PCI] 6.8.2 */
#define PCI_MSIX_CONTROL	2
#define   PCI_MSIX_SIZE		0x07ff	/* entries - 1 */
#define   PCI_MSIX_MASK_ALL	0x4000
#define   PCI_MSIX_ENABLE	0x8000
#define PCI_MSIX_TABLE		4
#define PCI_MSIX_PBA		8
#define   PCI_MSIX_BAR		0x7
#define PCI_MSIX_ENTRY		16	/* bytes of a table entry: */
#define   PCI_MSIX_ENTRY_ADDR	0
#define   PCI_MSIX_ENTRY_DATA	8
#define   PCI_MSIX_ENTRY_CTRL	12
#define   PCI_MSIX_ENTRY_MASK	0x1

/* [PM] 3.2 */
#define PCI_PM_CONTROL		4
#define   PCI_PM_STATE		0x0003
#define   PCI_PM_D3HOT		0x0003
#define   PCI_PM_NO_SOFT_RESET	0x0008

/* [PCIe] 7.5.3 */
#define PCI_EXP_DEVCAP		4
#define   PCI_EXP_DEVCAP_FLR	(1u << 28)
#define PCI_EXP_DEVCTL		8
#define   PCI_EXP_DEVCTL_FLR	0x8000
#define PCI_EXP_DEVSTA		10
#define   PCI_EXP_DEVSTA_PEND	0x0020
#define PCI_EXP_LNKCTL		16
#define PCI_EXP_DEVCTL2		40

#endif
