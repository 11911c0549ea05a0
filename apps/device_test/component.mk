# SPDX-License-Identifier: BSD-2-Clause
NAME := device_test
SRCS := main.c
