# SPDX-License-Identifier: BSD-2-Clause
NAME := exec
SRCS := main.c
# Out of the way of the programs that it makes itself to.
LINK := -Wl,-Ttext-segment=0x40000000
