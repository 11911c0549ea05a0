// SPDX-License-Identifier: BSD-2-Clause
/* fs_report: reports become files. See README.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/label.h>

#include "../lib/config_rom.h"
#include "../lib/name_space.h"
#include "../lib/policy.h"
#include "../lib/report_server.h"
#include "../lib/vfs.h"

#define RETRY		PITH_SEC(1)
#define SUFFIX		".new"	/* of a file that is being written */

struct writer {
	struct writer *next;
	struct report_client *client;
	char path[FS_PATH_MAX];
	int watch;		/* < 0: none */
	char *text;		/* the report; NULL: none yet */
	uint64_t len;
	bool dirty;		/* it is not in its file */
};

static struct entrypoint ep;
static struct name_space ns;
static struct writer *writers;
static struct ep_timer retry;

/* --- files --------------------------------------------------------------------- */

/* "/a/b" for label "a -> b"; -EINVAL if that would be something else. */
static int path_of(const char *label, char path[FS_PATH_MAX])
{
	size_t at = 0, len;
	const char *end;

	for (; label; label = end ? end + LABEL_ARROW_LEN : NULL) {
		end = strstr(label, LABEL_ARROW);
		len = end ? (size_t)(end - label) : strlen(label);
		if (!len || memchr(label, '/', len) || label[0] == '.' ||
		    len + sizeof(SUFFIX) > FS_NAME_MAX ||
		    at + len + sizeof("/" SUFFIX) > FS_PATH_MAX)
			return -EINVAL;
		at += snprintf(path + at, FS_PATH_MAX - at, "/%.*s", (int)len,
			       label);
	}
	len = strlen(SUFFIX);
	return at > len && !strcmp(path + at - len, SUFFIX) ? -EINVAL : 0;
}

static int make_dirs(char *path)
{
	int err = 0;

	for (char *c = strchr(path + 1, '/'); c && !err; c = strchr(c + 1, '/')) {
		*c = 0;
		err = ns_mkdir(&ns, path);
		*c = '/';
		err = err == -EEXIST ? 0 : err;
	}
	return err;
}

static int write_all(const char *path, const char *text, uint64_t len)
{
	int fd = ns_open(&ns, path, O_WRONLY | O_CREAT | O_TRUNC), err = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	for (uint64_t done = 0; done < len && !err; done += n) {
		n = ns_write(&ns, fd, text + done, len - done);
		if (n <= 0)
			err = n ? n : -EIO;
	}
	if (!err)
		err = ns_fsync(&ns, fd);
	ns_close(&ns, fd);
	return err;
}

/* Who reads the file sees one report or another, never a part of one. */
static int store(struct writer *w)
{
	char path[FS_PATH_MAX + sizeof(SUFFIX)];
	int err = make_dirs(w->path);

	snprintf(path, sizeof(path), "%s" SUFFIX, w->path);
	if (!err)
		err = write_all(path, w->text, w->len);
	if (!err)
		err = ns_rename(&ns, path, w->path);
	w->dirty = err;
	if (!err)
		return 0;
	ns_unlink(&ns, path);
	log_error("%s: %s", w->path, strerror(-err));
	return err;
}

/* --- what could not be written, or is gone ------------------------------------------- */

static void later(uint64_t at)
{
	ep_timer_set(&ep, &retry, at);
}

static void try_again(void *ctx)
{
	bool left = false;

	(void)ctx;
	for (struct writer *w = writers; w; w = w->next)
		left |= w->dirty && store(w);
	if (left)
		later(pith_now() + RETRY);
}

/* Its file system may have died and come back empty. */
static void changed(void *ctx)
{
	struct writer *w = ctx;
	struct fs_stat st;

	if (!w->text || w->dirty || ns_lstat(&ns, w->path, &st) != -ENOENT)
		return;
	w->dirty = true;
	later(pith_now());
}

/* --- sessions ------------------------------------------------------------------------ */

/* An error is the client's to know, but the report is not forgotten. */
static int submitted(void *ctx, char *text, uint64_t len)
{
	struct writer *w = ctx;
	int err;

	free(w->text);
	w->text = text;
	w->len = len;
	err = store(w);
	if (err)
		later(pith_now() + RETRY);
	return err;
}

static int open_report(void *ctx, const struct parent_request *req,
		       void **session)
{
	struct writer *w = calloc(1, sizeof(*w)), *other = writers;
	int ret = w ? path_of(req->label, w->path) : -ENOMEM;

	(void)ctx;
	while (!ret && other && strcmp(other->path, w->path))
		other = other->next;
	if (!ret && other)
		ret = -EBUSY;
	if (!ret)
		ret = report_client_open(&ep, submitted, w, req, &w->client);
	if (ret < 0) {
		free(w);
		return ret;
	}
	w->watch = ns_watch(&ns, w->path, changed, w);
	w->next = writers;
	writers = w;
	*session = w;
	return ret;
}

static void close_report(void *ctx, void *session)
{
	struct writer *w = session, **p;

	(void)ctx;
	for (p = &writers; *p != w; p = &(*p)->next)
		;
	*p = w->next;
	ns_unwatch(&ns, w->watch);
	report_client_close(w->client);
	free(w->text);
	free(w);
}

static void read_config(void)
{
	static struct rom rom;
	const struct hid_node *config = config_read(&rom), *n;
	struct hid_error err;
	struct fs *fs = NULL;

	n = hid_first(config, NULL);
	if (!n || !hid_is(n, "vfs") || hid_next(n, NULL)) {
		hid_refuse(&err, config->line, config->col,
			     "expected one vfs node");
		config_fatal(&err);
	}
	if (!config_attrs(config, "", &err))
		fs = vfs_make(n, &ep, &err);
	if (!fs)
		config_fatal(&err);
	ns_init(&ns, fs);
}

int component_main(void)
{
	static struct service report = {
		.name = "Report", .open = open_report, .close = close_report,
	};
	int err = ep_init(&ep);

	if (err)
		env_fatal("no entrypoint: %s", strerror(-err));
	retry.at = PITH_NO_DEADLINE;
	retry.fire = try_again;
	read_config();
	err = service_announce(&ep, &report, 1);
	if (err)
		env_fatal("cannot announce Report: %s", strerror(-err));
	ep_run(&ep);
}
