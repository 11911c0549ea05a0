// SPDX-License-Identifier: BSD-2-Clause
/* fs_rom: files as ROMs that change with them. See README.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pith/env.h>
#include <pith/fs_client.h>
#include <pith/service.h>

#include "../lib/policy.h"
#include "../lib/rom_server.h"

#define FILES		64
#define SIZE_MAX_OF_FILE	(1u << 20)
#define RETRY		PITH_SEC(1)

/* A file that at least one session reads. */
struct file {
	struct file *next;
	char path[PARENT_LABEL_MAX + 1];
	struct rom_source source;
	char *text;
	int notif;
	uint64_t badge;
	uint64_t watch;		/* the handle, of connection @generation */
	uint64_t generation;
};

struct reader {
	struct file *file;
	void *client;		/* of rom_server.c */
};

static struct entrypoint ep;
static struct fs_client fs;
static struct file *files;
static struct ep_timer retry;
static int death = -1;		/* notification: the file system died */

/* --- content ------------------------------------------------------------------- */

/* All of the file as new memory: its length, or a negative errno. */
static int64_t read_file(const char *path, char **text)
{
	static struct fs_file f;
	const void *data;
	int64_t done = 0;
	uint64_t size;
	int n = fs_open(&fs, &f, path);

	if (n < 0)
		return n;
	size = f.stat.size;
	if ((f.stat.mode & 0170000) != 0100000 || size > SIZE_MAX_OF_FILE) {
		fs_close(&f);
		return size > SIZE_MAX_OF_FILE ? -EFBIG : -EISDIR;
	}
	*text = malloc(size + 1);
	n = *text ? 0 : -ENOMEM;
	while (!n && (uint64_t)done < size) {
		n = fs_pread(&f, done, size - done, &data);
		if (n <= 0)
			break;
		memcpy(*text + done, data, n);
		done += n;
		n = 0;
	}
	fs_close(&f);
	if (n >= 0)
		return done;
	free(*text);
	return n;
}

static void refresh(struct file *f)
{
	char *text = NULL;
	int64_t len = read_file(f->path, &text);

	if (len < 0) {
		if (len != -ENOENT && len != -ENOTDIR && len != -EISDIR)
			log_error("%s: %s", f->path, strerror(-len));
		if (!fs_connected(&fs))
			return;		/* what was read stays until then */
		if (f->source.data)
			rom_source_set(&f->source, NULL, 0);
	} else if (f->source.data && f->source.size == (uint64_t)len &&
		   !memcmp(f->source.data, text, len)) {
		free(text);
		return;
	} else {
		rom_source_set(&f->source, text, len);
	}
	free(f->text);
	f->text = len < 0 ? NULL : text;
}

static void changed(void *ctx, uint64_t count)
{
	(void)count;
	refresh(ctx);
}

/* --- the file system -------------------------------------------------------------- */

/* Watch and read @f in the present connection. First watch: what changes after
 * that is told. */
static void attach(struct file *f)
{
	int err;

	if (f->generation == fs.generation)
		return;
	err = fs_watch(&fs, f->path, f->notif, &f->watch);
	if (err && err != -ENOSYS)
		log_error("cannot watch %s: %s", f->path, strerror(-err));
	f->generation = fs.generation;
	refresh(f);
}

/* Be told of its death; it may have died already, which is told as well. */
static int connect(void)
{
	int err = fs_connect(&fs);

	return err ? err : pith_ep_watch(fs.session.cap, death);
}

static void try_again(void *ctx)
{
	struct file *f;

	(void)ctx;
	if (connect()) {
		ep_timer_set(&ep, &retry, pith_now() + RETRY);
		return;
	}
	for (f = files; f; f = f->next)
		attach(f);
}

static void died(void *ctx, uint64_t count)
{
	(void)ctx;
	(void)count;
	fs_disconnect(&fs);
	ep_timer_set(&ep, &retry, pith_now());
}

/* --- sessions ---------------------------------------------------------------------- */

static void drop(struct file *f)
{
	struct file **p;

	for (p = &files; *p != f; p = &(*p)->next)
		;
	*p = f->next;
	if (f->generation && f->generation == fs.generation)
		fs_unwatch(&fs, f->watch);
	ep_remove(&ep, f->badge);
	pith_close(f->notif);
	free(f->text);
	free(f);
}

static int add(const char *name, struct file **file)
{
	struct file *f;
	unsigned int n = 0;

	name += strspn(name, "/");
	for (f = files; f; f = f->next, n++) {
		if (!strcmp(f->path + 1, name)) {
			*file = f;
			return 0;
		}
	}
	if (n == FILES)
		return -EDQUOT;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->path[0] = '/';
	strcpy(f->path + 1, name);
	f->notif = ep_new_notification(&ep, changed, f, &f->badge);
	if (f->notif < 0) {
		n = -f->notif;
		free(f);
		return -(int)n;
	}
	f->next = files;
	files = f;
	if (fs_connected(&fs))
		attach(f);
	*file = f;
	return 0;
}

static int open_rom(void *ctx, const struct parent_request *req, void **session)
{
	struct reader *r = calloc(1, sizeof(*r));
	int ret;

	(void)ctx;
	if (!r)
		return -ENOMEM;
	ret = add(label_last(req->label), &r->file);
	if (!ret)
		ret = rom_client_open(&ep, &r->file->source, req, &r->client);
	if (ret >= 0) {
		*session = r;
		return ret;
	}
	if (r->file && !r->file->source.clients)
		drop(r->file);
	free(r);
	return ret;
}

static void close_rom(void *ctx, void *session)
{
	struct reader *r = session;

	(void)ctx;
	rom_client_close(NULL, r->client);
	if (!r->file->source.clients)
		drop(r->file);
	free(r);
}

int component_main(void)
{
	static struct service rom = {
		.name = "ROM", .open = open_rom, .close = close_rom,
	};
	uint64_t badge;
	int err = ep_init(&ep);

	if (!err)
		err = death = ep_new_notification(&ep, died, NULL, &badge);
	if (err < 0)
		env_fatal("no entrypoint: %s", strerror(-err));
	fs_init(&fs, NULL, NULL);
	retry.fire = try_again;
	retry.at = PITH_NO_DEADLINE;
	try_again(NULL);
	err = service_announce(&ep, &rom, 1);
	if (err)
		env_fatal("cannot announce ROM: %s", strerror(-err));
	ep_run(&ep);
}
