# SPDX-License-Identifier: BSD-2-Clause
# The VFS, for a component.mk below servers/ or apps/: include servers/lib/vfs.mk
VFS_SRCS := $(addprefix ../../servers/lib/,vfs.c vfs_file.c vfs_tar.c vfs_fs.c \
	vfs_terminal.c vfs_block.c tar.c ram_fs.c ram_pages.c block_client.c \
	fs_path.c hid_text.c policy.c)
