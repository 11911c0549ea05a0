# SPDX-License-Identifier: BSD-2-Clause
NAME := trace_test
SRCS := main.c
