# SPDX-License-Identifier: BSD-2-Clause
NAME := trace_test
SRCS := main.c ../../servers/lib/config_rom.c
