# SPDX-License-Identifier: BSD-2-Clause
NAME := fs_rom
SRCS := main.c ../lib/rom_server.c ../lib/policy.c
