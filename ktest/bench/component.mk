# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_ipc
KIND := test
SRCS := ipc.c
