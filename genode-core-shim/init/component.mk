# SPDX-License-Identifier: BSD-2-Clause
NAME := init
SRCS := main.c child.c session.c parent.c local.c report.c config.c \
	config_route.c route.c restart.c quota.c
