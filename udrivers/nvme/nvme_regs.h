/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NVM Express: registers, commands and data structures, as the specifications
 * give them and nothing else.
 *
 * [Base] NVM Express Base Specification 1.4; section numbers are its own
 * [Base2] NVM Express Base Specification 2.0
 */
#ifndef NVME_REGS_H
#define NVME_REGS_H

#include <stdint.h>

/* --- controller registers, [Base] 3.1 ------------------------------------- */

#define NVME_CAP		0x00	/* 3.1.1, 64 bits */
#define   NVME_CAP_MQES(c)	((uint32_t)((c) & 0xffff))  /* entries - 1 */
#define   NVME_CAP_TO(c)	((uint32_t)((c) >> 24 & 0xff)) /* 500 ms units */
#define   NVME_CAP_DSTRD(c)	((uint32_t)((c) >> 32 & 0xf))
#define   NVME_CAP_CSS_NVM	(1ull << 37)
#define   NVME_CAP_CSS_IOCS	(1ull << 43)	/* [Base2] figure 36 */
#define   NVME_CAP_MPSMIN(c)	((uint32_t)((c) >> 48 & 0xf))
#define NVME_VS			0x08	/* 3.1.2 */
#define   NVME_VS_1_1		0x00010100u
#define NVME_CC			0x14	/* 3.1.5 */
#define   NVME_CC_EN		(1u << 0)
#define   NVME_CC_CSS_IOCS	(6u << 4)	/* else 0: NVM command set */
#define   NVME_CC_IOSQES	(6u << 16)	/* 2^6 bytes: submission */
#define   NVME_CC_IOCQES	(4u << 20)	/* 2^4 bytes: completion */
#define NVME_CSTS		0x1c	/* 3.1.6 */
#define   NVME_CSTS_RDY		(1u << 0)
#define   NVME_CSTS_CFS		(1u << 1)
#define NVME_AQA		0x24	/* 3.1.8 */
#define NVME_ASQ		0x28	/* 3.1.9, 64 bits */
#define NVME_ACQ		0x30	/* 3.1.10, 64 bits */
#define NVME_DOORBELLS		0x1000	/* 3.1.24, 3.1.25 */

/* --- queue entries, [Base] 4.2, 4.6 --------------------------------------- */

struct nvme_sqe {
	uint32_t cdw0;		/* opcode, PRP (bits 15:14 = 0), CID << 16 */
	uint32_t nsid;
	uint32_t reserved[2];
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct nvme_sqe) == 64, "[Base] figure 105");

struct nvme_cqe {
	uint32_t result;
	uint32_t reserved;
	uint32_t dw2;		/* SQID << 16 | SQHD */
	uint32_t dw3;		/* status << 17 | phase << 16 | CID */
};
_Static_assert(sizeof(struct nvme_cqe) == 16, "[Base] figure 121");

#define NVME_CQE_PHASE		(1u << 16)
/* Status code type << 8 | status code: [Base] 4.6.1 */
#define NVME_CQE_STATUS(dw3)	((dw3) >> 17 & 0x7ff)
#define   NVME_SC_WRITE_PROTECTED	0x020	/* figure 126 */
#define   NVME_SC_READ_ONLY_RANGE	0x182	/* figure 128 */

/* --- admin commands, [Base] 5 --------------------------------------------- */

#define NVME_ADMIN_CREATE_SQ	0x01	/* 5.4 */
#define NVME_ADMIN_CREATE_CQ	0x05	/* 5.3 */
#define NVME_ADMIN_IDENTIFY	0x06	/* 5.15 */
#define NVME_ADMIN_ABORT	0x08	/* 5.1 */
#define NVME_ADMIN_SET_FEATURES	0x09	/* 5.21 */

#define NVME_QUEUE_CONTIGUOUS	(1u << 0)	/* CDW11 of both creates */
#define NVME_QUEUE_INTERRUPT	(1u << 1)	/* CDW11 of CREATE_CQ */

#define NVME_CNS_NAMESPACE	0x00	/* figure 246 */
#define NVME_CNS_CONTROLLER	0x01
#define NVME_CNS_ACTIVE_LIST	0x02

#define NVME_FEATURE_QUEUES	0x07	/* 5.21.1.7 */

/* Identify Controller, figure 247: byte offsets */
#define NVME_IDC_SN		4	/* 20 characters */
#define NVME_IDC_MN		24	/* 40 characters */
#define NVME_IDC_FR		64	/* 8 characters */
#define NVME_IDC_MDTS		77	/* log2 of CAP.MPSMIN pages, 0: no limit */
#define NVME_IDC_SQES		512	/* bits 3:0: least, 7:4: most */
#define NVME_IDC_CQES		513
#define NVME_IDC_NN		516	/* 32 bits */
#define NVME_IDC_VWC		525	/* bit 0: volatile write cache */

/* Identify Namespace, figure 245: byte offsets */
#define NVME_IDN_NSZE		0	/* 64 bits: blocks */
#define NVME_IDN_NLBAF		25	/* formats - 1 */
#define NVME_IDN_FLBAS		26	/* format in use: bits 3:0, high bits 6:5 */
#define NVME_IDN_NSATTR		99	/* bit 0: write protected */
#define NVME_IDN_LBAF		128	/* 32 bits each: */
#define   NVME_LBAF_MS(f)	((f) & 0xffff)		/* metadata bytes */
#define   NVME_LBAF_LBADS(f)	((f) >> 16 & 0xff)	/* log2 of block size */

/* --- NVM commands, [Base] 6 ----------------------------------------------- */

#define NVME_CMD_FLUSH		0x00	/* 6.8 */
#define NVME_CMD_WRITE		0x01	/* 6.15 */
#define NVME_CMD_READ		0x02	/* 6.9 */

#endif
