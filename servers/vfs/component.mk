# SPDX-License-Identifier: BSD-2-Clause
include servers/lib/vfs.mk
NAME := vfs
SRCS := main.c ../lib/fs_server.c ../lib/fs_stream.c ../lib/config_rom.c $(VFS_SRCS)
