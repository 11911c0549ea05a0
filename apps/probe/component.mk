# SPDX-License-Identifier: BSD-2-Clause
NAME := probe
SRCS := main.c
