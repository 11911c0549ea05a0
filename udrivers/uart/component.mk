# SPDX-License-Identifier: BSD-2-Clause
NAME := uart
SRCS := main.c config.c terminal.c uart.c
