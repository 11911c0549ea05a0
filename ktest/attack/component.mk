# SPDX-License-Identifier: BSD-2-Clause
# The runner of ktest/kernel with other tests.
NAME := attack
KIND := test
SRCS := ../kernel/main.c ../kernel/core.c ../kernel/kt.c ../kernel/panic.c \
	../kernel/checkers.c ../kernel/cover.c ../kernel/nomem.c ../kernel/space.c \
	../kernel/$(ARCH)/syscall.c \
	attack.c buffers.c chains.c descriptors.c fuzz.c fuzz_make.c \
	fuzz_ops.c fuzz_run.c memory.c \
	quota.c random.c replies.c revoke.c spaces.c storms.c tables.c threads.c
FLAGS := -Iktest/kernel -Iktest/kernel/$(ARCH)
