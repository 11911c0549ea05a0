// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <session/core.h>
#include <session/file_system.h>
#include <session/init_control.h>
#include <session/platform.h>
#include <session/terminal.h>

#include "fake.h"

struct fake fake;

enum { CAP_TERM = 100, CAP_FS, CAP_INIT, CAP_TRACE, CAP_SYSTEM, CAP_OTHER };

static struct {
	int signalled;		/* the Terminal's notification */
	ep_notify_fn notify;
	void *notify_ctx;
	int term_alive, fs_alive;
	int die_in;		/* FS calls until it dies, 0: never */
	/* what FS_STREAM gives: rings and data */
	_Alignas(4096) uint8_t stream[FS_DATA_OFFSET + (1 << 17)];
	struct packet_side requests, completions;
	int handle_node[16];	/* index into nodes, -1: free */
	char report[8192];
} world;

/* --- the disk --------------------------------------------------------------------- */

static const struct node {
	const char *path;
	uint32_t mode;
	const char *text;	/* content or target */
	uint64_t size;
} nodes[] = {
	{ "/", 040755, NULL, 4096 },
	{ "/etc", 040755, NULL, 4096 },
	{ "/etc/.hidden", 0100600, "secret\n", 7 },
	{ "/etc/hosts", 0100644, "127.0.0.1 localhost\n", 20 },
	{ "/etc/os-release", 0100644, "NAME=Pith\n", 10 },
	{ "/big", 0100644, NULL, FAKE_BIG },
	{ "/link", 0120777, "etc/os-release", 14 },
	{ "/dangling", 0120777, "nowhere", 7 },
	{ "/evil\x1b[2J\nname", 0100644, "x", 1 },
	{ "/damaged", 0100644, "EUCLEAN", 7 },
	{ "/empty", 0100644, "", 0 },
	{ "/spaced name", 0100644, "spaced\n", 7 },
};
#define NODES	(sizeof(nodes) / sizeof(*nodes))

uint8_t fake_big(size_t i)
{
	return (i * 2654435761u) >> 13;
}

static int find_node(const char *path, int follow)
{
	char plain[FS_PATH_MAX];
	size_t i, len = strlen(path);

	strcpy(plain, path);
	while (len > 1 && plain[len - 1] == '/')
		plain[--len] = '\0';
	if (follow && !strcmp(plain, "/link"))
		strcpy(plain, "/etc/os-release");
	if (follow && !strcmp(plain, "/dangling"))
		return -ENOENT;
	if (!strncmp(plain, "/big/", 5))
		return -ENOTDIR;
	for (i = 0; i < NODES; i++)
		if (!strcmp(nodes[i].path, plain))
			return i;
	return -ENOENT;
}

static void fill_stat(int n, struct fs_stat *st)
{
	*st = (struct fs_stat){
		.inode = 100 + n, .size = nodes[n].size, .mode = nodes[n].mode,
		.blocks = (nodes[n].size + 511) / 512, .links = 1,
		.uid = 0, .gid = 5, .mtime = 1709210096,
	};
	if (fake.fs_changed && fake.fs_sessions > 1)
		st->mtime++;
}

/* --- replies ------------------------------------------------------------------------ */

static int reply(struct rpc *r, const void *rep, size_t len, const void *tail,
		 size_t tail_len)
{
	if (r->rep_len != len || tail_len > r->rep_tail_size)
		return -EPROTO;
	if (len)
		memcpy(r->rep, rep, len);
	if (tail_len)
		memcpy(r->rep_tail, tail, tail_len);
	r->rep_tail_len = tail_len;
	return 0;
}

static int bad_call(void)
{
	fake.bad_calls++;
	return -EINVAL;
}

/* --- Terminal ------------------------------------------------------------------------ */

static int term_write(struct rpc *r)
{
	struct terminal_count c = { 0 };

	if (++fake.term_writes == fake.term_die_at) {
		world.term_alive = 0;
		return -EPIPE;
	}
	if (!r->tail_len)
		return bad_call();
	c.count = r->tail_len;
	if (fake.term_room && c.count > fake.term_room)
		c.count = fake.term_room;
	if (fake.term_stuck)
		c.count = 0;
	if (c.count > sizeof(fake.out) - 1 - fake.out_len)
		return bad_call();
	memcpy(fake.out + fake.out_len, r->tail, c.count);
	fake.out_len += c.count;
	world.signalled |= c.count < r->tail_len && !fake.term_stuck;
	return reply(r, &c, sizeof(c), NULL, 0);
}

static int term_read(struct rpc *r)
{
	const char *text = fake.typed_early ? fake.typed_early : "";

	fake.typed_early = NULL;
	return reply(r, NULL, 0, text, strlen(text));
}

static int term_call(uint64_t method, struct rpc *r)
{
	if (!world.term_alive)
		return -EPIPE;
	switch (method) {
	case TERMINAL_WRITE:	return term_write(r);
	case TERMINAL_READ:	return term_read(r);
	case TERMINAL_SIGH:	return reply(r, NULL, 0, NULL, 0);
	case TERMINAL_DRAIN:
		fake.drained = fake.out_len + 1;
		return reply(r, NULL, 0, NULL, 0);
	}
	return bad_call();
}

/* --- File_system ----------------------------------------------------------------------- */

static void fs_die(void)
{
	size_t i;

	world.fs_alive = 0;
	fake.open_handles = 0;
	for (i = 0; i < 16; i++)
		world.handle_node[i] = -1;
}

static int fs_path(struct rpc *r, char path[FS_PATH_MAX])
{
	if (r->tail_len >= FS_PATH_MAX || !r->tail_len ||
	    *(const char *)r->tail != '/')
		return bad_call();
	memcpy(path, r->tail, r->tail_len);
	path[r->tail_len] = '\0';
	return 0;
}

static int fs_do_open(struct rpc *r, const char *path)
{
	struct fs_handle h = { 0 };
	int n = find_node(path, 1);

	if (n < 0)
		return n;
	while (h.handle < 16 && world.handle_node[h.handle] >= 0)
		h.handle++;
	if (h.handle == 16)
		return -EMFILE;
	world.handle_node[h.handle] = n;
	fake.open_handles++;
	return reply(r, &h, sizeof(h), NULL, 0);
}

static int fs_stream(struct rpc *r)
{
	struct fs_rings *rings = (struct fs_rings *)world.stream;

	if (r->ncaps != 1 || r->nrep_caps)
		return bad_call();
	memset(rings, 0, sizeof(*rings));
	world.requests = packet_side_of(&rings->requests);
	world.completions = packet_side_of(&rings->completions);
	return reply(r, NULL, 0, NULL, 0);
}

/* Carry out one packet: the content into the data area. */
static int fs_packet(const struct fs_packet *p, uint32_t *count)
{
	uint8_t *to = world.stream + FS_DATA_OFFSET;
	int n = p->handle < 16 ? world.handle_node[p->handle] : -1;
	size_t i;

	if (n < 0 || p->op != FS_READ || !p->len || p->data ||
	    p->len > sizeof(world.stream) - FS_DATA_OFFSET)
		return bad_call();
	if (nodes[n].mode >> 12 == 4)
		return -EISDIR;
	if (nodes[n].text && !strcmp(nodes[n].text, "EUCLEAN"))
		return -EUCLEAN;
	if (p->offset < nodes[n].size)
		*count = nodes[n].size - p->offset;
	if (*count > p->len)
		*count = p->len;
	for (i = 0; i < *count; i++)
		to[i] = nodes[n].text ? nodes[n].text[p->offset + i]
				      : fake_big(p->offset + i);
	return 0;
}

static int fs_run(struct rpc *r)
{
	struct fs_packet p;

	fake.fs_reads++;
	if (fake.fs_reads == fake.interrupt_at) {
		fake.typed_early = "lost\x03";
		world.signalled = 1;
	}
	if (fake.fs_reads == fake.fs_slow_at)
		return -ETIMEDOUT;
	while (packet_get(&world.requests, &p, sizeof(p)) > 0) {
		struct fs_completion c = { .tag = p.tag };

		c.status = -fs_packet(&p, &c.count);
		if (fake.fs_lies == LIE_READ_MORE)
			c.count = p.len + 1;
		if (fake.fs_lies == LIE_TAG)
			c.tag--;
		if (fake.fs_lies == LIE_STATUS)
			c.status = 4096;
		if (fake.fs_lies == LIE_NOTHING)
			continue;
		packet_put(&world.completions, &c, sizeof(c));
		if (fake.fs_lies == LIE_RING)
			*world.completions.end += PACKET_SLOTS;
	}
	return reply(r, NULL, 0, NULL, 0);
}

static size_t put_entry(uint8_t *at, const char *name, uint8_t type)
{
	struct fs_dirent e = { .inode = 1, .next = 1, .type = type,
			       .name_len = strlen(name) };

	memset(at, 0, sizeof(e) + 264);
	memcpy(at, &e, sizeof(e));
	memcpy(at + sizeof(e), name, e.name_len);
	return sizeof(e) + ((e.name_len + 7) & ~7u);
}

/* Spoil the first entry, or what is said of all. */
static void lie(struct fs_dirents *d, uint8_t *data, size_t *len)
{
	uint8_t *name_len = data + offsetof(struct fs_dirent, name_len);
	char *name = (char *)data + sizeof(struct fs_dirent);

	switch (fake.fs_lies) {
	case LIE_DIR_CUT:	*len = sizeof(struct fs_dirent) - 1; break;
	case LIE_NAME_CUT:	*name_len = 255; break;
	case LIE_NAME_EMPTY:	*name_len = 0; break;
	case LIE_NAME_SLASH:	name[0] = '/'; break;
	case LIE_NAME_NUL:	name[0] = '\0'; break;
	case LIE_DIR_COUNT:	d->count++; break;
	case LIE_DIR_ENDLESS:	d->next = 1; d->count = 0; *len = 0; break;
	}
}

/* Two entries in one reply, so that a directory takes several. */
static int fs_do_readdir(struct rpc *r, int dir)
{
	const struct fs_readdir *req = r->req;
	struct fs_dirents d = { 0 };
	size_t prefix = strlen(nodes[dir].path), len = 0, i;
	uint8_t data[1024];

	if (nodes[dir].mode >> 12 != 4)
		return -ENOTDIR;
	prefix = prefix > 1 ? prefix : 0;
	for (i = req->position; i < NODES && d.count < 2; i++) {
		const char *name = nodes[i].path + prefix + 1;

		if (strncmp(nodes[i].path, nodes[dir].path, prefix) ||
		    nodes[i].path[prefix] != '/' || !*name || strchr(name, '/'))
			continue;
		len += put_entry(data + len, name, FS_TYPE_UNKNOWN);
		d.count++;
	}
	d.next = i < NODES ? i : 0;
	if (d.next && !d.count)
		return bad_call();
	lie(&d, data, &len);
	return reply(r, &d, sizeof(d), data, len);
}

static int fs_handle_call(uint64_t method, struct rpc *r)
{
	uint64_t h = *(const uint64_t *)r->req;
	struct fs_stat st;
	int n = h < 16 ? world.handle_node[h] : -1;

	if (n < 0)
		return bad_call();
	switch (method) {
	case FS_CLOSE:
		world.handle_node[h] = -1;
		fake.open_handles--;
		return reply(r, NULL, 0, NULL, 0);
	case FS_FSTAT:
		fill_stat(n, &st);
		if (fake.fs_lies == LIE_STAT_SHORT)
			return -EPROTO;	/* what the library makes of it */
		return reply(r, &st, sizeof(st), NULL, 0);
	default:
		return fs_do_readdir(r, n);
	}
}

static int fs_path_call(uint64_t method, struct rpc *r)
{
	char path[FS_PATH_MAX];
	struct fs_stat st;
	int n = fs_path(r, path);

	if (n < 0)
		return n;
	if (method == FS_OPEN)	/* flags, always 0 */
		return r->req_len != sizeof(struct fs_open) ||
		       *(const uint64_t *)r->req ? bad_call() :
		       fs_do_open(r, path);
	n = find_node(path, 0);
	if (n < 0)
		return n;
	if (method == FS_READLINK && fake.fs_lies == LIE_LINK_LONG)
		return -EPROTO;	/* what the library makes of it */
	if (method == FS_READLINK)
		return nodes[n].mode >> 12 != 10 ? -EINVAL :
		       reply(r, NULL, 0, nodes[n].text, strlen(nodes[n].text));
	fill_stat(n, &st);
	return reply(r, &st, sizeof(st), NULL, 0);
}

static int fs_call(uint64_t method, struct rpc *r)
{
	static const struct fs_info info = {
		.type = "ext4", .name = "disk", .uuid = "1-2-3",
		.size = 64 << 20, .free = 16 << 20, .clean = 0,
	};

	if (!world.fs_alive)
		return -EPIPE;
	if (fake.fs_hangs)
		return -ETIMEDOUT;
	if (++fake.fs_calls == fake.fs_die_at || (world.die_in &&
						  !--world.die_in)) {
		world.die_in = fake.fs_die_again;
		fs_die();
		return -EPIPE;
	}
	switch (method) {
	case FS_OPEN: case FS_STAT: case FS_READLINK:
		return fs_path_call(method, r);
	case FS_CLOSE: case FS_FSTAT: case FS_READDIR:
		return fs_handle_call(method, r);
	case FS_STREAM:
		return fs_stream(r);
	case FS_RUN:
		return fs_run(r);
	case FS_INFO:
		return reply(r, &info, sizeof(info), NULL, 0);
	}
	return bad_call();
}

/* --- Init_control, TRACE, System -------------------------------------------------------- */

static int init_call(uint64_t method, struct rpc *r)
{
	const struct init_state *req = r->req;
	struct init_state_reply rep = { strlen(world.report) };
	size_t n;

	if (method == INIT_KILL) {
		snprintf(fake.killed, sizeof(fake.killed), "%.*s",
			 (int)r->tail_len, (const char *)r->tail);
		return strcmp(fake.killed, "nvme") ? -ENOENT :
		       reply(r, NULL, 0, NULL, 0);
	}
	if (method != INIT_STATE || req->offset > rep.size)
		return bad_call();
	/* small pieces, so that there are many */
	n = rep.size - req->offset < 100 ? rep.size - req->offset : 100;
	return reply(r, &rep, sizeof(rep), world.report + req->offset, n);
}

/* Thread i has id 2 i; its label is that of component i % 3. It takes i thousandths
 * of a CPU, and calls 10 i times in a second. Thread 4 was not there at first. */
static int trace_subjects(struct rpc *r)
{
	static const char *const labels[] = {
		"init", "init -> nvme", "init -> sub -> nvme\033",
	};
	const struct trace_subjects *req = r->req;
	struct trace_subjects_reply rep = { 0, 0 };
	struct trace_subject list[TRACE_SUBJECTS_MAX] = { 0 };
	uint64_t s = fake.now / PITH_SEC(1);

	for (uint64_t i = 1; i <= fake.threads; i++) {
		struct trace_subject *t = &list[rep.count];

		if (2 * i < req->first || rep.count == TRACE_SUBJECTS_MAX ||
		    (i == 4 && s < 3))
			continue;
		t->id = fake.trace_lies ? 7 : 2 * i;
		strcpy(t->label, labels[i % 3]);
		if (i > 3)
			strcpy(t->name, "worker");
		t->state = i % 2 ? PITH_THREAD_RUNNING : PITH_THREAD_WAITING;
		t->cpu_ns = fake.now / 1000 * i;
		t->calls = s * 10 * i;
		t->faults = i;
		rep.count++;
	}
	return reply(r, &rep, sizeof(rep), list, rep.count * sizeof(list[0]));
}

/* Lines "line 0" .. with the first hundred no longer kept, if there are more. */
static int trace_call(struct rpc *r)
{
	const struct trace_log_read *req = r->req;
	struct trace_log_reply rep = { req->record, 0, 0 };
	char text[3072];
	size_t n = 0;

	if (rep.next < 100 && fake.log_lines > 100) {
		rep.lost = 100 - rep.next;
		rep.next = 100;
	}
	for (int i = 0; i < 50 && rep.next < fake.log_lines; i++, rep.next++)
		n += snprintf(text + n, sizeof(text) - n, "line %4u\n",
			      (unsigned int)rep.next);
	return reply(r, &rep, sizeof(rep), text, n);
}

/* --- the library -------------------------------------------------------------------------- */

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	int err;

	if (deadline <= fake.now)
		fake.bad_calls++;
	switch (cap) {
	case CAP_TERM:
		err = term_call(method, r);
		break;
	case CAP_FS:
		err = fs_call(method, r);
		break;
	case CAP_INIT:
		err = init_call(method, r);
		break;
	case CAP_TRACE:
		err = method == TRACE_SUBJECTS ? trace_subjects(r) :
						 trace_call(r);
		break;
	case CAP_SYSTEM:
		if (fake.no_power)
			return -EIO;
		longjmp(fake.end, method == SYSTEM_POWEROFF ? FAKE_POWEROFF :
							      FAKE_REBOOT);
	default:
		err = bad_call();
	}
	if (err == -ETIMEDOUT)
		fake.now = deadline;
	return err;
}

int env_session(struct session *s, const char *service, const char *label,
		const char *args, const struct session_quota *quota,
		uint64_t deadline)
{
	static const char *const names[] = {
		"Terminal", "File_system", "Init_control", "TRACE", "System",
	};
	unsigned int i;

	(void)label;
	(void)args;
	(void)quota;
	if (deadline <= fake.now)
		fake.bad_calls++;
	for (i = 0; i < 5 && strcmp(service, names[i]); i++)
		;
	if (i == 5 || (i == 1 && fake.fs_absent))
		return -ENOENT;
	if (i == 0)
		world.term_alive = 1;
	if (i == 1) {
		world.fs_alive = 1;
		fake.fs_sessions++;
		fake.now += PITH_MS(300);
	}
	*s = (struct session){ .cap = CAP_TERM + i, .id = i + 1 };
	return 0;
}

void env_close(struct session *s)
{
	if (s->cap == CAP_FS)
		fs_die();
	*s = (struct session){ .cap = -1 };
}

int rom_open(struct rom *rom, const char *name)
{
	if (strcmp(name, "commands") || !fake.commands)
		return -ENOENT;
	rom->data = fake.commands;
	rom->size = strlen(fake.commands);
	return 0;
}

static void log_add(const char *fmt, va_list ap)
{
	size_t n = strlen(fake.log);

	vsnprintf(fake.log + n, sizeof(fake.log) - n, fmt, ap);
	n = strlen(fake.log);
	snprintf(fake.log + n, sizeof(fake.log) - n, "\n");
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_add(fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_add(fmt, ap);
	va_end(ap);
}

void env_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_add(fmt, ap);
	va_end(ap);
	longjmp(fake.end, FAKE_FATAL);
}

int ep_init(struct entrypoint *ep)
{
	ep->ep = CAP_OTHER;
	return 0;
}

int ep_new_notification(struct entrypoint *ep, ep_notify_fn notify, void *ctx,
			uint64_t *badge)
{
	(void)ep;
	world.notify = notify;
	world.notify_ctx = ctx;
	*badge = 1;
	return CAP_OTHER;
}

int ep_dispatch(struct entrypoint *ep, uint64_t deadline)
{
	(void)ep;
	if (world.signalled) {
		world.signalled = 0;
		world.notify(world.notify_ctx, 1);
		return 1;
	}
	if (deadline <= fake.now)
		return 0;
	/* a long wait is one for input */
	if (deadline - fake.now > PITH_SEC(5)) {
		if (!fake.input)
			longjmp(fake.end, FAKE_IDLE);
		fake.typed_early = fake.input;
		fake.input = NULL;
		world.notify(world.notify_ctx, 1);
		return 1;
	}
	fake.now = deadline;
	return 0;
}

uint64_t pith_now(void)
{
	return fake.now;
}

int pith_mint(int fd, uint32_t rights)
{
	(void)rights;
	return fd;
}

int pith_ep_watch(int ep, int notif)
{
	(void)ep;
	(void)notif;
	return 0;
}

int pith_mem_create(int domain, uint64_t size, uint32_t flags)
{
	(void)domain;
	(void)flags;
	return size == sizeof(world.stream) ? CAP_OTHER : -EDQUOT;
}

void *pith_map(int mem, uint64_t offset, uint64_t size, unsigned int prot,
	       int *err)
{
	(void)mem;
	(void)offset;
	(void)prot;
	(void)err;
	if (size != sizeof(world.stream))
		fake.bad_calls++;
	return world.stream;
}

int pith_unmap(void *addr, uint64_t size)
{
	(void)addr;
	(void)size;
	return 0;
}

void pith_close(int fd)
{
	(void)fd;
}

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&world, 0, sizeof(world));
	fs_die();
	fake.now = PITH_SEC(2);
	strcpy(world.report,
	       "state\n"
	       "+ init\n"
	       "  + ram | quota: 104857600 | used: 1048576\n"
	       "  + caps | quota: 900 | used: 77\n"
	       "+ child nvme | binary: nvme | state: running | restarts: 3\n"
	       "             | cpu_ms: 61250 | exited: 137\n"
	       "  + ram | assigned: 8388608 | quota: 8380416 | used: 4194304\n"
	       "  + caps | assigned: 60 | quota: 60 | used: 21\n"
	       "  + provides | + service Block | announced: yes\n"
	       "  + session Platform | label: nvme | server: platform | id: 4 | state: open\n"
	       "  + session LOG | label: nvme | server: core | id: 5 | state: open\n"
	       "+ child test | binary: test | state: exited | restarts: 0\n"
	       "-\n");
}
