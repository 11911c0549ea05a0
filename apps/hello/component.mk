# SPDX-License-Identifier: BSD-2-Clause
NAME := hello
SRCS := hello.c
