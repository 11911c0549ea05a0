/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving ROM sessions whose content changes. Each session has memory of its own,
 * filled when the client asks for the newest content: so the client sees one
 * version until it asks again, and pays for what it can make the server keep.
 */
#ifndef ROM_SERVER_H
#define ROM_SERVER_H

#include <pith/entrypoint.h>

struct rom_client;

struct rom_source {
	const void *data;		/* the owner's; NULL: there is none */
	uint64_t size;
	uint64_t version;		/* of the data; 0: none yet */
	struct rom_client *clients;
};

/* The data has changed: @data must stay until the next call. */
void rom_source_set(struct rom_source *s, const void *data, uint64_t size);

/* A session of @source for a client that donated @ram bytes: its capability, the
 * caller's, or a negative errno. For the library of services: open and close. */
int rom_client_open(struct entrypoint *ep, struct rom_source *source,
		    uint64_t ram, struct rom_client **client);
void rom_client_close(struct rom_client *client);

#endif
