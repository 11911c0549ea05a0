# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_system
SRCS := main.c growth.c cost.c sessions.c ../../servers/lib/config_rom.c
