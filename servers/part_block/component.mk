# SPDX-License-Identifier: BSD-2-Clause
NAME := part_block
SRCS := main.c policy.c session.c table.c gpt.c mbr.c \
	../lib/block_client.c ../lib/block_server.c ../lib/config_rom.c ../lib/policy.c
