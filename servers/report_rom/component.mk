# SPDX-License-Identifier: BSD-2-Clause
NAME := report_rom
SRCS := main.c ../lib/rom_server.c ../lib/report_server.c ../lib/config_rom.c \
	../lib/policy.c
