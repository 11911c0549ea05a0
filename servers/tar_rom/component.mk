# SPDX-License-Identifier: BSD-2-Clause
NAME := tar_rom
SRCS := main.c ../lib/tar.c ../lib/rom_server.c ../lib/config_rom.c ../lib/policy.c
