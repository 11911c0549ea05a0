/* SPDX-License-Identifier: BSD-2-Clause */
/* The content of a ROM, which is its server's memory or a copy by its server. */
#include <errno.h>
#include <pith/env.h>
#include <pith/rpc.h>
#include <session/core.h>

#define ROM_PAGE	4096u
#define ROM_ATTEMPTS	8	/* to have room for what a ROM holds */

void rom_free(struct rom *rom)
{
	pith_close(rom->mem);
	rom->mem = -1;
	rom->own = 0;
}

/* Room for @size bytes, in place of what there is. */
static int rom_room(struct rom *rom, int domain, uint64_t size)
{
	int mem;

	rom_free(rom);
	if (size > INT64_MAX - ROM_PAGE)
		return -EPROTO;
	size = (size + ROM_PAGE - 1) / ROM_PAGE * ROM_PAGE;
	mem = pith_mem_create(domain, size ? size : ROM_PAGE, 0);
	if (mem < 0)
		return mem;
	rom->mem = pith_mint(mem, PITH_R_READ | PITH_R_WRITE);
	pith_close(mem);
	rom->own = rom->mem >= 0;
	return rom->own ? 0 : rom->mem;
}

/* The newest content into rom->mem; its size, also if there is no room for it. */
static int rom_get(struct rom *rom, uint64_t deadline)
{
	struct rom_dataspace ds = { .size = 0 };
	int mem;
	struct rpc r = {
		.caps = &rom->mem, .ncaps = rom->own,
		.rep = &ds, .rep_len = sizeof(ds),
		.rep_caps = &mem, .nrep_caps = 1,
	};
	int err = rpc_call(rom->session.cap, ROM_DATASPACE, &r, deadline);

	rom->size = ds.size;
	if (!err && mem == PITH_CAP_LOST)
		return -EDQUOT;
	if (!err && mem >= 0) {
		rom_free(rom);
		rom->mem = mem;
	}
	return err;
}

/* Content may grow between two calls, but not for ever. */
int rom_content(struct rom *rom, int domain, uint64_t deadline)
{
	int64_t room = -1;
	int err = 0;

	for (unsigned int i = 0; !err && i < ROM_ATTEMPTS; i++) {
		err = rom_get(rom, deadline);
		room = rom->mem < 0 ? -1 : pith_mem_lent(rom->mem);
		if (err || (room >= 0 && rom->size <= (uint64_t)room))
			break;
		err = rom->mem >= 0 && !rom->own ? -EPROTO :
					rom_room(rom, domain, rom->size);
	}
	return err || (room >= 0 && rom->size <= (uint64_t)room) ? err : -EAGAIN;
}
