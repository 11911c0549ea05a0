/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's side of a File_system session's packet stream. */
#ifndef FS_STREAM_H
#define FS_STREAM_H

#include <pith/entrypoint.h>
#include <session/file_system.h>

/* What mapping memory for @size bytes of data costs the server: page tables. */
#define FS_STREAM_COST(size)	(8192 + (size) / 512)

/*
 * Carry out @p, whose operation is known and whose bytes lie at @data, shared with
 * the client. Returns how many were read or written, or a negative errno.
 */
typedef int64_t (*fs_packet_fn)(void *ctx, const struct fs_packet *p,
				void *data);

struct fs_stream {
	struct entrypoint *ep;
	fs_packet_fn fn;
	void *ctx;
	int broken;		/* the client's index was impossible */
	/* none of it is there before fs_stream_open() */
	uint8_t *base;		/* rings and data, the client's memory */
	uint64_t size;		/* of the data */
	struct packet_side requests, completions;
	int kick, sigh;		/* -1: none */
	uint64_t badge;		/* of kick */
};

void fs_stream_init(struct fs_stream *s, struct entrypoint *ep,
		    fs_packet_fn fn, void *ctx);
/* Method STREAM, for a client that can pay @ram bytes. */
int fs_stream_open(struct fs_stream *s, struct ep_request *in, uint64_t ram);
/* Method RUN. */
int fs_stream_run(struct fs_stream *s);
void fs_stream_close(struct fs_stream *s);

#endif
