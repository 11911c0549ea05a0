# SPDX-License-Identifier: BSD-2-Clause
include servers/lib/vfs.mk
NAME := fs_report
SRCS := main.c ../lib/report_server.c ../lib/config_rom.c ../lib/name_space.c \
	$(VFS_SRCS)
