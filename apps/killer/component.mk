# SPDX-License-Identifier: BSD-2-Clause
NAME := killer
SRCS := killer.c
