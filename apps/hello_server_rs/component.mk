# SPDX-License-Identifier: BSD-2-Clause
NAME := hello_server_rs
SRCS :=
RUST := 1
