# The first process; the kernel starts it as /init.
NAME := core
KIND := core
SRCS := main.c parent.c pd.c cpu.c rom.c log.c trace.c io.c
