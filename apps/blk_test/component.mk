NAME := blk_test
SRCS := main.c ../../servers/lib/block_client.c
