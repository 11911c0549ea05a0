# SPDX-License-Identifier: BSD-2-Clause
NAME := fs_test
SRCS := main.c check.c raw.c ../../servers/lib/config_rom.c
