# SPDX-License-Identifier: BSD-2-Clause
NAME := vfs
SRCS := main.c ../lib/vfs.c ../lib/vfs_file.c ../lib/fs_server.c ../lib/fs_path.c \
	../lib/fs_stream.c ../lib/policy.c ../lib/ram_fs.c ../lib/ram_pages.c \
	../lib/hid_text.c ../lib/config_rom.c
