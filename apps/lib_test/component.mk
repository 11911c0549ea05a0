# SPDX-License-Identifier: BSD-2-Clause
NAME := lib_test
SRCS := main.c signal.c entrypoint.c timeout.c thread.c smp.c trade.c \
	../../servers/lib/config_rom.c
