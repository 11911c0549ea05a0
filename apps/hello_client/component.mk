# SPDX-License-Identifier: BSD-2-Clause
NAME := hello_client
SRCS := main.c
