// SPDX-License-Identifier: BSD-2-Clause
/* File_system sessions on a RAM file system: clients with and without manners. */
/* test-sources: fake_pith.c fs_world.c ../fs_server.c ../fs_path.c ../fs_stream.c ../policy.c ../ram_fs.c ../ram_pages.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pith/rpc.h>

#include "fake_pith.h"
#include "fs_world.h"
#include "../fs_stream.h"
#include "../ram_fs.h"

#define RAM	(FS_SERVER_BOOKS + 65536u)
#define NEW	(FS_O_WRITE | FS_O_CREATE)

static const char text[] =
	"config\n"
	"+ policy | label: all | writeable: yes\n"
	"+ policy | label_prefix: reader\n"
	"+ policy | label_suffix: home | root: /home/../home/ | writeable: yes\n"
	"+ policy | label: lost | root: /nowhere\n"
	"+ policy | label: file | root: /home/note\n"
	"-\n";

static struct entrypoint ep;
static struct fs_server server = { .ep = &ep };

static const struct hid_node *parse(const char *s, char *arena, size_t size)
{
	const struct hid_node *root = NULL;
	struct hid_error err;

	if (hid_parse(s, strlen(s), arena, size, &root, &err))
		printf("# %u:%u: %s\n", err.line, err.col, err.text);
	return root;
}

static void setup(void)
{
	static char arena[HID_ARENA_SIZE(sizeof(text))];
	struct raw r;

	ep_init(&ep);
	server.fs = ram_fs_new(1 << 20);
	server.config = parse(text, arena, sizeof(arena));
	raw_open(&r, &server, "all", "", RAM, 20);
	raw_path(&r, FS_MKDIR, "/home");
	raw_file(&r, "/home/note", NEW);
	raw_close(&r);
}

static void test_policies(void)
{
	struct raw r;
	struct fs_stat st;

	ok(raw_open(&r, &server, "other", "", RAM, 20) == -EACCES, "no policy");
	ok(raw_open(&r, &server, "all -> x", "", RAM, 20) == -EACCES,
	   "label is all of it");
	ok(raw_open(&r, &server, "readers", "", RAM, 20) == -EACCES,
	   "a prefix ends with an element");
	ok(raw_open(&r, &server, "my-home", "", RAM, 20) == -EACCES,
	   "a suffix begins with one");
	ok(raw_open(&r, &server, "lost", "", RAM, 20) == -ENOENT &&
	   raw_open(&r, &server, "file", "", RAM, 20) == -ENOTDIR,
	   "a policy's root that is not there");
	ok(raw_open(&r, &server, "all", "", FS_SERVER_BOOKS - 1, 20) == -EDQUOT &&
	   raw_open(&r, &server, "all", "", RAM, FS_SERVER_CAPS - 1) == -EDQUOT,
	   "too little donated");
	ok(!raw_open(&r, &server, "reader -> a", "", RAM, 20) &&
	   raw_path(&r, FS_MKDIR, "/x") == -EROFS &&
	   raw_path(&r, FS_UNLINK, "/home") == -EROFS &&
	   raw_two(&r, FS_RENAME, "/home", "/x") == -EROFS &&
	   raw_two(&r, FS_SYMLINK, "/l", "x") == -EROFS &&
	   raw_file(&r, "/home/note", FS_O_WRITE) == -EROFS,
	   "a reader changes nothing");
	raw_close(&r);
	ok(!raw_open(&r, &server, "all", "writeable=no", RAM, 20) &&
	   raw_path(&r, FS_MKDIR, "/x") == -EROFS, "nor who gave that up");
	raw_close(&r);
	ok(!raw_open(&r, &server, "reader", "root=/home, writeable=yes", RAM, 20) &&
	   !raw_stat(&r, "/note", &st) && raw_path(&r, FS_MKDIR, "/x") == -EROFS,
	   "args narrow, they do not widen");
	raw_close(&r);
	ok(raw_open(&r, &server, "a -> home", "root=/../..", RAM, 20) == 0 &&
	   !raw_stat(&r, "/note", &st) && raw_stat(&r, "/home", &st) == -ENOENT,
	   "args do not lead above the policy's root");
	raw_close(&r);
}

static void test_confined(void)
{
	struct raw all, r;
	struct fs_stat st, root;
	int64_t h;

	raw_open(&all, &server, "all", "", RAM, 20);
	raw_file(&all, "/secret", NEW);
	raw_open(&r, &server, "home", "", RAM, 20);
	raw_two(&r, FS_SYMLINK, "/up", "../../secret");
	raw_two(&r, FS_SYMLINK, "/abs", "/secret");
	raw_two(&r, FS_SYMLINK, "/self", "/");
	raw_two(&r, FS_SYMLINK, "/note-too", "./self/../note");
	ok(raw_file(&r, "/up", 0) == -ENOENT && raw_file(&r, "/abs", 0) == -ENOENT
	   && raw_file(&r, "/../secret", 0) == -ENOENT &&
	   raw_file(&r, "/self/../../secret", 0) == -ENOENT,
	   "nothing leads out of the root");
	ok(!raw_stat(&r, "/", &root) && !raw_stat(&r, "/..", &st) &&
	   root.inode == st.inode && !raw_stat(&r, "/self/self/.", &st) &&
	   root.inode == st.inode, "the root is above itself");
	h = raw_file(&r, "/self//note-too", 0);
	ok(h >= 0 && !raw_shut(&r, h), "links are followed within it");
	ok(!raw_stat(&r, "/up", &st) && (st.mode & 0170000) == 0120000 &&
	   st.size == 12, "stat shows a link");
	raw_two(&r, FS_SYMLINK, "/a", "b");
	raw_two(&r, FS_SYMLINK, "/b", "a");
	ok(raw_file(&r, "/a", 0) == -ELOOP && raw_file(&r, "/a/x", 0) == -ELOOP,
	   "a circle");
	h = raw_file(&r, "/abs", NEW);
	ok(h >= 0 && !raw_shut(&r, h) && !raw_stat(&all, "/home/secret", &st) &&
	   raw_path(&r, FS_UNLINK, "/secret") == 0,
	   "made through a link: in the root");
	ok(raw_path(&r, FS_UNLINK, "/") == -EBUSY &&
	   raw_path(&r, FS_MKDIR, "/") == -EEXIST &&
	   raw_path(&r, FS_UNLINK, "/self/..") == -EBUSY &&
	   raw_two(&r, FS_RENAME, "/", "/x") == -EBUSY, "the root stays");
	ok(raw_path(&r, FS_UNLINK, "/self") == 0 && !raw_stat(&r, "/note", &st),
	   "unlink removes a link, not its target");
	for (const char *p = "up\0abs\0note-too\0a\0b\0"; *p; p += strlen(p) + 1) {
		char path[32] = "/";

		raw_path(&r, FS_UNLINK, strcat(path, p));
	}
	raw_path(&all, FS_UNLINK, "/secret");
	ok(!strcmp(raw_list(&r, "/"), "note "), "all gone: %s", raw_list(&r, "/"));
	raw_close(&r);
	raw_close(&all);
}

static void test_paths(void)
{
	char longest[FS_PATH_MAX + 2], name[300];
	struct fs_stat st;
	struct raw r;

	raw_open(&r, &server, "all", "", RAM, 20);
	ok(raw_path(&r, FS_MKDIR, "home") == -EINVAL &&
	   raw_stat(&r, "home/note", &st) == -EINVAL, "relative");
	ok(raw_call(&r, FS_STAT, "/home\0x", 7, &st, sizeof(st)) == -EINVAL &&
	   raw_call(&r, FS_STAT, "/home\0", 6, &st, sizeof(st)) == 0, "NUL");
	ok(raw_call(&r, FS_STAT, "", 0, NULL, 0) == -EINVAL &&
	   raw_call(&r, FS_STAT, "\0", 1, NULL, 0) == -ENOENT, "no path");
	memset(longest, '/', sizeof(longest));
	ok(raw_call(&r, FS_STAT, longest, FS_PATH_MAX, &st, sizeof(st)) ==
	   -ENAMETOOLONG && raw_call(&r, FS_STAT, longest, FS_PATH_MAX - 1, &st,
	   sizeof(st)) == 0, "the longest path");
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[256] = 0;
	ok(raw_path(&r, FS_MKDIR, name) == 0 && raw_path(&r, FS_UNLINK, name) == 0,
	   "a name of 255 bytes");
	name[256] = 'n';
	name[257] = 0;
	ok(raw_path(&r, FS_MKDIR, name) == -ENAMETOOLONG, "of 256");
	ok(raw_stat(&r, "/home/note/x", &st) == -ENOTDIR &&
	   raw_path(&r, FS_MKDIR, "/home/note/x") == -ENOTDIR &&
	   raw_path(&r, FS_MKDIR, "/no/x") == -ENOENT &&
	   raw_file(&r, "/no/x", NEW) == -ENOENT, "no such directory");
	ok(raw_two(&r, FS_SYMLINK, "/l", "") == -EINVAL, "an empty target");
	raw_close(&r);
}

static void test_requests(void)
{
	struct { struct fs_two head; char c[8]; } two = { { 9, 0 }, "/a/b/c/" };
	struct fs_open how = { .flags = 16 };
	struct raw r;

	raw_open(&r, &server, "all", "", RAM, 20);
	ok(raw_call(&r, 0, NULL, 0, NULL, 0) == -ENOSYS &&
	   raw_call(&r, FS_WATCH + 1, NULL, 0, NULL, 0) == -ENOSYS &&
	   raw_call(&r, ~0ull, NULL, 0, NULL, 0) == -ENOSYS, "unknown methods");
	for (uint64_t m = FS_OPEN; m <= FS_WATCH; m++)
		ok(m == FS_INFO || m == FS_STREAM || raw_call(&r, m, "1234567", m == FS_STAT ||
		   m == FS_READLINK || m == FS_MKDIR || m == FS_UNLINK ||
		   m == FS_WATCH ? 0 : 7, NULL, 0) == -EINVAL,
		   "method %u: short request", (unsigned int)m);
	ok(raw_call(&r, FS_RENAME, &two, sizeof(two), NULL, 0) == -EINVAL,
	   "a first text longer than all");
	two.head.first_len = ~0u;
	ok(raw_call(&r, FS_RENAME, &two, sizeof(two), NULL, 0) == -EINVAL,
	   "much longer");
	two.head = (struct fs_two) { 2, 1 };
	ok(raw_call(&r, FS_RENAME, &two, sizeof(two), NULL, 0) == -EINVAL,
	   "a reserved field");
	for (how.flags = 2; how.flags < 32; how.flags++)
		if (how.flags & 16 || !(how.flags & 1) ||
		    (how.flags & 6) == FS_O_EXCLUSIVE)
			ok(raw_file(&r, "/home/note", how.flags) == -EINVAL,
			   "flags %u", how.flags);
	ok(raw_file(&r, "/home", FS_O_WRITE) == -EISDIR, "write to a directory");
	ok(raw_file(&r, "/home/note", NEW | FS_O_EXCLUSIVE) == -EEXIST,
	   "exclusive, but it is there");
	raw_close(&r);
}

static void test_handles(void)
{
	int64_t h[FS_SERVER_HANDLES], x;
	struct fs_stat st;
	struct raw r, s;
	unsigned int n = 0;

	raw_open(&r, &server, "all", "", RAM, 20);
	raw_open(&s, &server, "all", "", FS_SERVER_BOOKS + 200, 20);
	while (n < FS_SERVER_HANDLES && (h[n] = raw_file(&r, "/home/note", 0)) >= 0)
		n++;
	ok(n == FS_SERVER_HANDLES && raw_file(&r, "/", 0) == -EMFILE,
	   "%u handles, no more", n);
	ok(raw_call(&s, FS_FSTAT, &h[0], 8, &st, sizeof(st)) == -EBADF,
	   "of no use elsewhere");
	ok(!raw_shut(&r, h[5]) && raw_shut(&r, h[5]) == -EBADF, "closed once");
	x = raw_file(&r, "/home/note", 0);
	ok(x >= 0 && x != h[5] && raw_call(&r, FS_FSTAT, &h[5], 8, &st,
	   sizeof(st)) == -EBADF, "an old number finds nothing");
	ok(raw_call(&r, FS_FSTAT, &(uint64_t){ ~0ull }, 8, &st, sizeof(st)) ==
	   -EBADF, "nor does any");
	ok(raw_file(&s, "/home", 0) >= 0 && raw_file(&s, "/home/note", 0) >= 0 &&
	   raw_file(&s, "/home", 0) == -EDQUOT, "a client pays for its handles");
	raw_close(&s);
	raw_close(&r);
}

static void test_stream(void)
{
	int mem = pith_mem_create(-1, 8192, 0), ro = pith_mint(mem, PITH_R_READ);
	struct rpc rpc = { .ncaps = 1 };
	int64_t h, d;
	struct raw r;

	raw_open(&r, &server, "all", "", FS_SERVER_BOOKS + 16384, 20);
	h = raw_file(&r, "/home/note", FS_O_WRITE);
	d = raw_file(&r, "/home", 0);
	ok(raw_run(&r) == -EINVAL, "no stream");
	ok(raw_stream(&r, 0, -1) == -EINVAL &&
	   raw_stream(&r, FS_DATA_MAX + 4096, -1) == -EINVAL &&
	   raw_stream(&r, 8192, r.cap) == -EINVAL &&
	   raw_call(&r, FS_STREAM, NULL, 0, NULL, 0) == -EINVAL, "wrong ones");
	rpc.caps = &ro;
	ok(rpc_call(r.cap, FS_STREAM, &rpc, fake_clock + 1) == -EACCES,
	   "memory that cannot be written");
	rpc.caps = &r.cap;
	ok(rpc_call(r.cap, FS_STREAM, &rpc, fake_clock + 1) == -EINVAL,
	   "what is no memory");
	rpc.caps = &mem;
	fake_make_device(mem);
	ok(rpc_call(r.cap, FS_STREAM, &rpc, fake_clock + 1) == -EINVAL,
	   "a device's, which can be taken away");
	ok(raw_stream(&r, FS_DATA_MAX, -1) == -EDQUOT, "too large for the donation");
	pith_close(ro);
	pith_close(mem);
	ok(!raw_stream(&r, 8192, -1) && raw_stream(&r, 8192, -1) == -EBUSY, "one");

	ok(raw_write(&r, h, 0, "hello, world") == 12 &&
	   raw_reads(&r, h, "hello, world"), "write and read");
	ok(raw_io(&r, FS_READ, h, 0, 8193) == -EINVAL &&
	   raw_io(&r, FS_READ, h, 0, 0) == -EINVAL &&
	   raw_io(&r, FS_WRITE, h, 0, ~0u) == -EINVAL, "lengths");
	raw_put(&r, FS_READ, h, 0, 8192, 1);
	raw_put(&r, FS_READ, h, 0, ~0u, 1);
	raw_put(&r, FS_READ, h, 0, 8191, 1);
	raw_put(&r, FS_SYNC, h, 0, 0, 1);
	raw_put(&r, FS_SYNC, h, 0, ~0u, 0);
	raw_put(&r, 0, h, 0, 0, 1);
	raw_put(&r, 4, h, 0, 0, 1);
	ok(!raw_run(&r) && raw_get(&r, r.tag - 6) == -EINVAL &&
	   raw_get(&r, r.tag - 5) == -EINVAL && raw_get(&r, r.tag - 4) == 1 &&
	   raw_get(&r, r.tag - 3) == -EINVAL && raw_get(&r, r.tag - 2) == 0 &&
	   raw_get(&r, r.tag - 1) == -EINVAL && raw_get(&r, r.tag) == -EINVAL,
	   "seven at once, most wrong, each with its own answer");
	ok(raw_io(&r, FS_READ, h, ~0ull, 10) == -EFBIG &&
	   raw_io(&r, FS_WRITE, h, INT64_MAX, 10) == -EFBIG &&
	   raw_io(&r, FS_WRITE, h, 1ull << 39, 10) == -EFBIG &&
	   raw_io(&r, FS_READ, h, 1ull << 40, 10) == 0, "offsets");
	ok(raw_io(&r, FS_READ, ~0ull, 0, 10) == -EBADF &&
	   raw_io(&r, FS_WRITE, d, 0, 10) == -EBADF &&
	   raw_io(&r, FS_READ, d, 0, 10) == -EISDIR, "handles");

	*r.requests.end += PACKET_SLOTS + 1;
	ok(raw_run(&r) == -EPROTO, "an index that cannot be");
	*r.requests.end = r.requests.index;
	ok(raw_run(&r) == -EPROTO, "ends the stream for good");
	ok(raw_file(&r, "/home/note", 0) >= 0, "and nothing else");
	raw_close(&r);
}

static unsigned int told;

static void tell(void *ctx, uint64_t count)
{
	(void)ctx;
	told += !!count;
}

/* How often since the last time. */
static unsigned int news(void)
{
	unsigned int n;

	fake_run(&ep);
	n = told;
	told = 0;
	return n;
}

static void test_signals(void)
{
	uint64_t badge;
	int notif = ep_new_notification(&ep, tell, NULL, &badge);
	struct raw r;
	int64_t h;

	raw_open(&r, &server, "all", "", RAM, 20);
	h = raw_file(&r, "/home/note", FS_O_WRITE);
	ok(!raw_stream(&r, 4096, notif), "a stream with signals");
	memset(r.data, 'x', 20);
	raw_put(&r, FS_WRITE, h, 0, 0, 20);
	raw_put(&r, FS_READ, h, 0, 100, 20);
	ok(!news() && raw_get(&r, r.tag) == -EPROTO, "nothing happens by itself");
	pith_signal(r.kick, 1);
	ok(news() == 1 && raw_get(&r, r.tag - 1) == 20 && raw_get(&r, r.tag) == 20
	   && !memcmp(r.data, r.data + 100, 20), "signalled: done, told once");
	for (unsigned int i = 0; i < PACKET_SLOTS; i++)
		raw_put(&r, FS_READ, h, 0, 0, 1);
	pith_signal(r.kick, 1);
	ok(news() == 1 && raw_get(&r, r.tag - 63) == 1, "a full ring");
	*r.requests.end = r.requests.index - 1;
	pith_signal(r.kick, 1);
	ok(news() == 1 && raw_run(&r) == -EPROTO, "a broken one: told as well");
	raw_close(&r);
	ep_remove(&ep, badge);
	pith_close(notif);
}

static void test_watch(void)
{
	uint64_t badge;
	int notif = ep_new_notification(&ep, tell, NULL, &badge);
	struct raw r, w, poor;
	int64_t h, watch, dir;

	raw_open(&r, &server, "all", "", RAM, 20);
	raw_open(&w, &server, "home", "", RAM, 20);
	raw_stream(&r, 4096, -1);
	ok(raw_open(&poor, &server, "home", "", RAM, FS_SERVER_CAPS) == 0 &&
	   raw_watch(&poor, "/x", notif) == -EDQUOT &&
	   raw_watch(&w, "/x", w.cap) == -EINVAL, "not for nothing");
	raw_close(&poor);
	watch = raw_watch(&w, "/no/such", notif);
	ok(watch >= 0 && raw_path(&r, FS_MKDIR, "/home/no") == 0 && news() == 1 &&
	   raw_path(&r, FS_UNLINK, "/home/no") == 0 && news() == 1,
	   "not even its directory is there, then it comes and goes");
	raw_shut(&w, watch);
	watch = raw_watch(&w, "/new", notif);
	ok(watch >= 0 && !news(), "watch what is not there");
	h = raw_file(&r, "/home/new", NEW);
	ok(news() == 1, "it appears");
	raw_write(&r, h, 0, "one");
	ok(!news(), "it is being written");
	raw_io(&r, FS_SYNC, h, 0, 0);
	ok(news() == 1, "it is synced");
	raw_io(&r, FS_SYNC, h, 0, 0);
	raw_shut(&r, h);
	ok(!news(), "it is closed without a change");
	h = raw_file(&r, "/home/new", FS_O_WRITE);
	raw_write(&r, h, 0, "two");
	ok(raw_two(&r, FS_RENAME, "/home/new", "/home/old") == 0 && news() == 1,
	   "it is renamed");
	raw_shut(&r, h);
	ok(!news(), "the file has another name now");
	ok(raw_two(&r, FS_RENAME, "/home/old", "/home/new") == 0 && news() == 1,
	   "and comes back");
	h = raw_file(&r, "/home/new", FS_O_WRITE | FS_O_TRUNCATE);
	ok(news() == 1, "it is emptied");
	raw_shut(&r, h);
	ok(raw_two(&r, FS_RENAME, "/home", "/moved") == 0 && news() == 1 &&
	   raw_two(&r, FS_RENAME, "/moved", "/home") == 0 && news() == 1,
	   "a directory above it goes and comes");
	h = raw_file(&r, "/home/new", FS_O_WRITE);
	raw_write(&r, h, 0, "end");
	dir = raw_watch(&w, "/", notif);
	raw_close(&r);
	ok(news() == 1, "the writer's session ends: that closes the file");
	raw_open(&r, &server, "all", "", RAM, 20);
	raw_shut(&w, watch);
	ok(raw_path(&r, FS_MKDIR, "/home/d") == 0 && news() == 1 &&
	   raw_path(&r, FS_MKDIR, "/home/d/e") == 0 && !news() &&
	   raw_path(&r, FS_MKDIR, "/other") == 0 && !news(),
	   "a directory: what appears in it, not deeper, not beside it");
	raw_shut(&w, dir);
	raw_path(&r, FS_UNLINK, "/home/d/e");
	raw_path(&r, FS_UNLINK, "/home/d");
	raw_path(&r, FS_UNLINK, "/home/new");
	raw_path(&r, FS_UNLINK, "/other");
	ok(!news(), "closed: no more");
	raw_close(&w);
	raw_close(&r);
	ep_remove(&ep, badge);
	pith_close(notif);
}

static void test_config(void)
{
	static const char *const wrong[] = {
		"config\n+ policy\n-\n",
		"config\n+ policy | label: a | label_prefix: b\n-\n",
		"config\n+ default-policy | label: a\n-\n",
		"config\n+ policy | label: a | writeable: maybe\n-\n",
		"config\n+ policy | label: a | root: home\n-\n",
		"config\n+ policy | label: a | rot: /\n-\n",
	};
	char arena[4096];
	struct hid_error err;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(fs_server_check(parse(wrong[i], arena, sizeof(arena)), &err) ==
		   -EINVAL && err.line == 2, "refused: %s", err.text);
	ok(!fs_server_check(server.config, &err), "the right one");
}

int main(void)
{
	unsigned int fds;

	setup();
	fds = fake_open_fds();
	test_config();
	test_policies();
	test_confined();
	test_paths();
	test_requests();
	test_handles();
	test_stream();
	test_signals();
	test_watch();
	ok(!server.sessions && fake_mappings == 0 && fake_open_fds() == fds,
	   "nothing is left");
	return tap_end();
}
