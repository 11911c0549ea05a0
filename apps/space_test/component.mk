# SPDX-License-Identifier: BSD-2-Clause
NAME := space_test
SRCS := main.c kid.c rm.c cpu.c bench.c ../../servers/lib/config_rom.c
