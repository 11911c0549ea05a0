/* SPDX-License-Identifier: BSD-2-Clause */
/* A File_system client without manners, for tests of servers: calls and packets as
 * raw as they come. */
#ifndef FS_WORLD_H
#define FS_WORLD_H

#include "../fs_server.h"

struct raw {
	struct fs_server *server;
	void *session;
	int cap, mem, kick;
	uint8_t *data;
	struct fs_rings *rings;
	struct packet_side requests, completions;
	uint32_t tag;
};

/* A session with @ram bytes and @caps donated: 0 or a negative errno. */
int raw_open(struct raw *r, struct fs_server *server, const char *label,
	     const char *args, uint64_t ram, uint64_t caps);
void raw_close(struct raw *r);

int raw_call(struct raw *r, uint64_t method, const void *req, size_t len,
	     void *rep, size_t rep_len);
int raw_path(struct raw *r, uint64_t method, const char *path);
int raw_two(struct raw *r, uint64_t method, const char *a, const char *b);
/* The handle, or a negative errno. */
int64_t raw_file(struct raw *r, const char *path, uint32_t flags);
int raw_shut(struct raw *r, int64_t handle);
int64_t raw_watch(struct raw *r, const char *path, int notification);
int raw_stat(struct raw *r, const char *path, struct fs_stat *st);

/* Memory with room for @size bytes; @sigh -1: none. */
int raw_stream(struct raw *r, uint64_t size, int sigh);
void raw_put(struct raw *r, uint32_t op, uint64_t handle, uint64_t offset,
	     uint32_t data, uint32_t len);
int raw_run(struct raw *r);
/* The next completion: its count or negative errno. -EPROTO: none, or not of the
 * packet that is due. */
int64_t raw_get(struct raw *r, uint32_t tag);
/* One packet at the begin of the data area. */
int64_t raw_io(struct raw *r, uint32_t op, uint64_t handle, uint64_t offset,
	       uint32_t len);
/* Write and read a text. */
int64_t raw_write(struct raw *r, uint64_t handle, uint64_t offset,
		  const char *text);
bool raw_reads(struct raw *r, uint64_t handle, const char *text);
/* All of the names in @path, "a b c " in order; "?" on an error. */
const char *raw_list(struct raw *r, const char *path);

#endif
