NAME := nvme
SRCS := nvme_main.c nvme_block.c nvme.c ../lib/wait.c ../lib/platform_client.c \
	../../servers/lib/block_server.c ../../servers/lib/policy.c
