# SPDX-License-Identifier: BSD-2-Clause
NAME := init
SRCS := main.c apply.c child.c balance.c session.c parent.c upward.c local.c \
	report.c config.c config_route.c config_self.c route.c restart.c quota.c
