# SPDX-License-Identifier: BSD-2-Clause
NAME := ktest
KIND := test
# all of the folder: a new test file needs no entry here
SRCS := $(sort $(notdir $(wildcard ktest/kernel/*.c)))
