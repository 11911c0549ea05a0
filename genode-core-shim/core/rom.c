/* SPDX-License-Identifier: BSD-2-Clause */
/* ROM: the files of the boot archive, moved into memory objects. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pith/env.h>
#include <pith/label.h>
#include "core.h"

struct rom_module {
	struct rom_module *next;
	char name[64];
	uint64_t size;
	int mem;		/* READ|EXEC; passed on as it is, never minted */
};

static struct rom_module *modules;

static const struct rom_module *find(const char *name)
{
	for (struct rom_module *m = modules; m; m = m->next)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

int rom_find(const char *name, uint64_t *size)
{
	const struct rom_module *m = find(name);

	if (!m)
		return -ENOENT;
	*size = m->size;
	return m->mem;
}

static int read_all(int fd, char *to, uint64_t size)
{
	while (size) {
		ssize_t n = read(fd, to, size);

		if (n <= 0)
			return n ? -errno : -EIO;
		to += n;
		size -= n;
	}
	return 0;
}

/* The content of open file @fd as a memory object, for reading and executing. */
static int load_content(int fd, uint64_t size)
{
	uint64_t room = (size + 4095) & ~4095ull;
	int mem = pith_mem_create(-1, room ? room : 4096, 0), err, ro;
	void *at;

	if (mem < 0)
		return mem;
	at = pith_map(mem, 0, 0, PITH_MAP_READ | PITH_MAP_WRITE, &err);
	if (at) {
		err = read_all(fd, at, size);
		pith_unmap(at, room ? room : 4096);
	}
	ro = err ? err : pith_mint(mem, PITH_R_READ | PITH_R_EXEC);
	pith_close(mem);
	return ro;
}

static int load_file(const char *path, struct rom_module *m)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -errno;
	m->mem = fstat(fd, &st) ? -errno : load_content(fd, st.st_size);
	m->size = st.st_size;
	close(fd);
	return m->mem < 0 ? m->mem : 0;
}

static int load(const char *dir, const char *name)
{
	struct rom_module *m = calloc(1, sizeof(*m));
	char path[128];
	int err;

	if (!m)
		return -ENOMEM;
	if (strlen(name) >= sizeof(m->name)) {
		free(m);
		return -ENAMETOOLONG;
	}
	strcpy(m->name, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	err = load_file(path, m);
	if (err) {
		core_say("error: module %s: error %d", name, err);
		free(m);
		return err;
	}
	unlink(path);		/* its RAM is a memory object now */
	m->next = modules;
	modules = m;
	return 0;
}

int rom_load(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0, err = 0;

	if (!d)
		return -errno;
	while (!err && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		err = load(dir, e->d_name);
		n++;
	}
	closedir(d);
	return err ? err : n;
}

/* --- sessions ------------------------------------------------------------- */

/* The last element of the label names the module. */
static int rom_open_session(struct core_session *s, const char *args)
{
	(void)args;
	s->rom.module = find(label_last(s->label));
	return s->rom.module ? 0 : -ENOENT;
}

static int rom_call(void *ctx, struct ep_request *in)
{
	struct core_session *s = ctx;
	struct rom_dataspace rep = { .size = s->rom.module->size };

	if (in->method != ROM_DATASPACE)
		return -ENOSYS;
	ep_reply_cap(in, s->rom.module->mem, 0);
	return ep_reply_data(&core.ep, in, &rep, sizeof(rep));
}

const struct core_service rom_service = {
	"ROM", rom_open_session, rom_call, NULL
};
