# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_flame
KIND := test
SRCS := flame.c
