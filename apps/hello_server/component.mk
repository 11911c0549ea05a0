# SPDX-License-Identifier: BSD-2-Clause
NAME := hello_server
SRCS := main.c
