# SPDX-License-Identifier: BSD-2-Clause
# The runner of ktest/kernel with other tests.
NAME := attack
KIND := test
SRCS := ../kernel/main.c ../kernel/core.c ../kernel/kt.c ../kernel/panic.c \
	../kernel/checkers.c \
	attack.c buffers.c chains.c descriptors.c fuzz.c fuzz_ops.c memory.c \
	quota.c random.c replies.c revoke.c storms.c
FLAGS := -Iktest/kernel
