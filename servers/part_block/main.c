// SPDX-License-Identifier: BSD-2-Clause
/*
 * part_block: reads the partition table of one disk and offers each partition
 * as a Block session. Read main() first, then session.c, then table.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pith/env.h>

#include "../lib/block_client.h"
#include "../lib/config_rom.h"
#include "policy.h"
#include "session.h"
#include "table.h"

#define DISK_TIMEOUT	PITH_SEC(60)	/* for the driver to come up */
#define SCAN_BYTES	(64u * 1024)	/* data area while reading the table */

static struct entrypoint ep;
static struct block_client scan_client;
static struct table table;
static struct part_server server = { .ep = &ep, .table = &table };
static char disk_args[32];

static const struct hid_node *read_config(void)
{
	static struct rom rom;
	const struct hid_node *config = config_read(&rom);
	struct hid_error err;

	if (part_policy_check(config, &err))
		config_fatal(&err);
	return config;
}

static int scan_read(void *ctx, uint64_t block, uint32_t count, void *buf)
{
	struct block_client *c = ctx;
	uint64_t room = c->data_size < c->info.max_bytes ? c->data_size
							 : c->info.max_bytes;
	uint32_t most = room / c->info.block_size;
	uint8_t *to = buf;

	while (count) {
		uint32_t n = count < most ? count : most;
		size_t bytes = (size_t)n * c->info.block_size;
		int err;

		err = block_client_transfer(c, BLOCK_READ, block, n, 0);
		if (err)
			return err;
		memcpy(to, c->data, bytes);
		to += bytes;
		block += n;
		count -= n;
	}
	return 0;
}

static void log_table(const struct block_info *info)
{
	static const char *const kinds[] = {
		[TABLE_NONE] = "no partition table",
		[TABLE_MBR] = "MBR",
		[TABLE_GPT] = "GPT",
		[TABLE_DAMAGED] = "damaged partition table",
	};

	log_line("disk of %llu blocks of %u bytes: %s, %u partitions",
		 (unsigned long long)info->block_count, info->block_size,
		 kinds[table.kind], table.used);
	for (unsigned int i = 1; i <= PART_MAX; i++)
		if (table.parts[i].count)
			log_line("partition %u: block %llu, %llu blocks", i,
				 (unsigned long long)table.parts[i].first,
				 (unsigned long long)table.parts[i].count);
}

/* Nothing else happens on the entrypoint yet, so waiting on it is fine. */
static void read_table(void)
{
	struct block_client_args a = {
		.args = disk_args, .data_mem = -1, .data_size = SCAN_BYTES,
	};
	struct disk d = { .read = scan_read, .ctx = &scan_client };
	int err;

	err = block_client_open(&scan_client, &ep, &a,
				pith_now() + DISK_TIMEOUT);
	if (err)
		env_fatal("no disk: %s", strerror(-err));
	server.disk = scan_client.info;
	d.blocks = server.disk.block_count;
	d.block_size = server.disk.block_size;
	err = table_read(&table, &d);
	if (err == -ENOMEM)
		env_fatal("no memory for the partition table");
	if (scan_client.state == BLOCK_CLIENT_FAILED)
		env_fatal("the disk went away");
	block_client_close(&scan_client);
	log_table(&server.disk);
}

int component_main(void)
{
	static struct service block = {
		.name = "Block",
		.open = part_session_open,
		.close = part_session_close,
		.ctx = &server,
	};
	uint64_t namespace;
	int err;

	err = ep_init(&ep);
	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	server.config = read_config();
	namespace = hid_number(server.config, "namespace", 0);
	if (namespace)
		snprintf(disk_args, sizeof(disk_args), "namespace=%llu",
			 (unsigned long long)namespace);
	server.disk_args = disk_args;
	read_table();
	err = service_announce(&ep, &block, 1);
	if (err)
		env_fatal("cannot announce Block: %s", strerror(-err));
	ep_run(&ep);
}
