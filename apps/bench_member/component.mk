# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_member
SRCS := main.c
LINK := -Wl,-e,first
