# SPDX-License-Identifier: BSD-2-Clause
NAME := bench_ipc
KIND := test
SRCS := main.c series.c \
	linux_ipc.c linux_binder.c linux_memory.c linux_process.c \
	pith_ipc.c pith_objects.c pith_space.c pith_device.c curves.c
