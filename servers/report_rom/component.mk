# SPDX-License-Identifier: BSD-2-Clause
NAME := report_rom
SRCS := main.c ../lib/rom_server.c
