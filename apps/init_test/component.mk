# SPDX-License-Identifier: BSD-2-Clause
NAME := init_test
SRCS := main.c sub.c child.c ../../servers/lib/config_rom.c
