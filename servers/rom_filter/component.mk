# SPDX-License-Identifier: BSD-2-Clause
NAME := rom_filter
SRCS := main.c filter.c ../lib/rom_server.c ../lib/config_rom.c ../lib/policy.c
