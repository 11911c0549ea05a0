# SPDX-License-Identifier: BSD-2-Clause
NAME := timer_test
SRCS := main.c
