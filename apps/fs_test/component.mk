# SPDX-License-Identifier: BSD-2-Clause
NAME := fs_test
SRCS := main.c
