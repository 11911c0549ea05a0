# SPDX-License-Identifier: BSD-2-Clause
NAME := shell
SRCS := main.c exec.c out.c term.c editor.c parse.c text.c \
	cmd_file.c cmd_ls.c cmd_misc.c cmd_ps.c cmd_sys.c cmd_trace.c
LIBS := sodium
INCS := libsodium
