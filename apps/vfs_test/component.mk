# SPDX-License-Identifier: BSD-2-Clause
include servers/lib/vfs.mk
NAME := vfs_test
SRCS := main.c parts.c liar.c ../fs_test/check.c ../../servers/lib/config_rom.c \
	../../servers/lib/name_space.c $(VFS_SRCS)
