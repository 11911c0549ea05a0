# SPDX-License-Identifier: BSD-2-Clause
NAME := ext4
SRCS := main.c session.c path.c dir.c file.c volume.c io.c disk.c \
	../lib/block_client.c ../lib/fs_stream.c
LIBS := ext2fs com_err
INCS := e2fsprogs
