# SPDX-License-Identifier: BSD-2-Clause
NAME := ktest
KIND := test
SRCS := main.c core.c kt.c test_args.c test_capmode.c test_device.c \
	test_domain.c test_endpoint.c test_hw.c test_leak.c test_memory.c \
	test_message.c test_notification.c test_revoke.c test_program.c
