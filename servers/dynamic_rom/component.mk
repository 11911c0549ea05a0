# SPDX-License-Identifier: BSD-2-Clause
NAME := dynamic_rom
SRCS := main.c ../lib/rom_server.c ../lib/config_rom.c ../lib/hid_text.c \
	../lib/policy.c
