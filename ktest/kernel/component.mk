# SPDX-License-Identifier: BSD-2-Clause
NAME := ktest
KIND := test
ARCHES := x86 arm64
# all of the folder, and of that of the architecture: a new file needs no entry
SRCS := $(sort $(notdir $(wildcard ktest/kernel/*.c)) \
	$(patsubst ktest/kernel/%,%,$(wildcard ktest/kernel/$(ARCH)/*.c)))
FLAGS := -Iktest/kernel/$(ARCH)
