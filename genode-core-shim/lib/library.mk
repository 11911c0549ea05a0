# The component library, behind genode-core-shim/include/pith.
SRCS := start.c sys.c rpc.c rpc_cap.c env.c args.c entrypoint.c service.c report.c hid.c hid_fill.c hid_print.c \
	elf.c loader.c region_map.c fs_client.c rom.c id_table.c
