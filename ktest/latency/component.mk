# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_latency
KIND := test
SRCS := main.c loads.c crowd.c life.c share.c
