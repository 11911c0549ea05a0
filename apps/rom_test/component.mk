# SPDX-License-Identifier: BSD-2-Clause
NAME := rom_test
SRCS := main.c ../fs_test/check.c ../../servers/lib/config_rom.c
