NAME := platform
SRCS := main.c session.c assigned.c system.c dma.c hw.c policy.c pci.c acpi.c \
	../lib/wait.c
