# SPDX-License-Identifier: BSD-2-Clause
NAME := hello_client_rs
SRCS :=
RUST := 1
