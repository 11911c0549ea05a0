# SPDX-License-Identifier: BSD-2-Clause
NAME := timer
SRCS := main.c
