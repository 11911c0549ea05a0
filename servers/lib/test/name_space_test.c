// SPDX-License-Identifier: BSD-2-Clause
/* Files of a component's own name space, and the parts of it that have a server
 * behind them, which dies, lies or is full. */
/* test-sources: fake_pith.c fake_disk.c ../block_server.c ../name_space.c ../vfs.c ../vfs_file.c ../vfs_tar.c ../vfs_fs.c ../vfs_terminal.c ../vfs_block.c ../tar.c ../block_client.c ../fs_server.c ../fs_path.c ../fs_stream.c ../policy.c ../ram_fs.c ../ram_pages.c ../hid_text.c ../../../genode-core-shim/lib/fs_client.c ../../../genode-core-shim/lib/hid.c ../../../genode-core-shim/lib/hid_fill.c ../../../genode-core-shim/lib/hid_print.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <session/terminal.h>

#include "fake_disk.h"
#include "../fs_server.h"
#include "../name_space.h"
#include "../ram_fs.h"
#include "../vfs.h"

static struct entrypoint ep, far;	/* ours, and that of all servers */
static struct name_space ns;

/* What stays as long as the component. */
static void *keep(void *what)
{
	static void *kept[64];
	static unsigned int n;

	return kept[n++ % 64] = what;
}

static const struct hid_node *parse(const char *s)
{
	char *arena = keep(malloc(HID_ARENA_SIZE(strlen(s))));
	const struct hid_node *root = NULL;
	struct hid_error err;

	if (hid_parse(s, strlen(s), arena, HID_ARENA_SIZE(strlen(s)), &root,
		      &err))
		printf("# %u:%u: %s\n", err.line, err.col, err.text);
	return root;
}

static void make(const char *config)
{
	struct hid_error err = { 0 };
	struct fs *fs = keep(vfs_make(parse(config), &ep, &err));

	ok(fs, "a name space %s", fs ? "" : err.text);
	ns_init(&ns, fs);
}

/* What a file holds, "?" if it cannot be read. */
static const char *content(const char *path)
{
	static char text[8192];
	int fd = ns_open(&ns, path, O_RDONLY);
	ssize_t n = fd < 0 ? fd : ns_read(&ns, fd, text, sizeof(text) - 1);

	if (fd >= 0)
		ns_close(&ns, fd);
	if (n < 0)
		return "?";
	text[n] = 0;
	return text;
}

static int store(const char *path, const char *text)
{
	int fd = ns_open(&ns, path, O_WRONLY | O_CREAT | O_TRUNC);
	ssize_t n = fd < 0 ? fd : ns_write(&ns, fd, text, strlen(text));
	int err = fd < 0 ? 0 : ns_close(&ns, fd);

	return n < 0 ? (int)n : n != (ssize_t)strlen(text) ? -EIO : err;
}

/* The names in @path, "a b ", @some at a time. */
static const char *names(const char *path, unsigned int some)
{
	static char out[65536];
	struct ns_dirent e[16];
	int fd = ns_open(&ns, path, O_RDONLY | O_DIRECTORY), n;

	out[0] = 0;
	if (fd < 0)
		return "?";
	while ((n = ns_readdir(&ns, fd, e, some)) > 0)
		for (int i = 0; i < n; i++)
			strcat(strcat(out, e[i].name), " ");
	ns_close(&ns, fd);
	return n < 0 ? "?" : out;
}

/* --- the functions, on RAM ------------------------------------------------------------ */

static void test_open(void)
{
	int fd[NS_FILES], n = 0;

	ok(ns_open(&ns, "/none", O_RDONLY) == -ENOENT &&
	   ns_open(&ns, "none", O_RDONLY) == -EINVAL &&
	   ns_open(&ns, "/", O_WRONLY) == -EISDIR &&
	   ns_open(&ns, "/f", O_RDONLY | O_TRUNC) == -EINVAL &&
	   ns_open(&ns, "/f", O_RDONLY | O_EXCL) == -EINVAL &&
	   ns_open(&ns, "/f", O_ACCMODE) == -EINVAL &&
	   ns_open(&ns, "/f", O_RDWR | O_DIRECTORY) == -EINVAL &&
	   ns_open(&ns, "/f", O_RDONLY | O_NONBLOCK) == -EINVAL, "refused");
	fd[0] = ns_open(&ns, "/f", O_RDONLY | O_CREAT);
	ok(fd[0] == 0 && ns_write(&ns, 0, "x", 1) == -EBADF &&
	   ns_read(&ns, 0, fd, 1) == 0 &&
	   ns_open(&ns, "/f", O_RDWR | O_CREAT | O_EXCL) == -EEXIST,
	   "made, and there once");
	ok(ns_open(&ns, "/f", O_RDONLY | O_DIRECTORY) == -ENOTDIR &&
	   ns_open(&ns, "/ro", O_RDONLY | O_CREAT) == 1 && !ns_close(&ns, 1) &&
	   ns_open(&ns, "/ro", O_WRONLY) == -EROFS,
	   "to be there is enough for what only can be read");
	ok(ns_close(&ns, 1) == -EBADF && ns_close(&ns, -1) == -EBADF &&
	   ns_close(&ns, NS_FILES) == -EBADF && ns_fsync(&ns, 5) == -EBADF &&
	   ns_ftruncate(&ns, 0, 0) == -EBADF, "descriptors that are none");
	while (n < NS_FILES && (fd[n] = ns_open(&ns, "/f", O_RDONLY)) >= 0)
		n++;
	ok(n == NS_FILES - 1 && fd[n] == -EMFILE, "%d more, then EMFILE", n);
	ns_close(&ns, 7);
	ok(ns_open(&ns, "/f", O_RDONLY) == 7, "the lowest that is free");
	for (n = 0; n < NS_FILES; n++)
		ns_close(&ns, n);
	ok(!ns_unlink(&ns, "/f"), "all closed");
}

static void test_content(void)
{
	char buf[16] = "";
	int fd = ns_open(&ns, "/f", O_RDWR | O_CREAT), more;

	ok(ns_write(&ns, fd, "hello", 5) == 5 && ns_read(&ns, fd, buf, 9) == 0 &&
	   ns_lseek(&ns, fd, 1, SEEK_SET) == 1 && ns_read(&ns, fd, buf, 3) == 3 &&
	   !strcmp(buf, "ell") && ns_lseek(&ns, fd, 0, SEEK_CUR) == 4,
	   "write, seek, read");
	ok(ns_lseek(&ns, fd, -1, SEEK_END) == 4 && ns_read(&ns, fd, buf, 9) == 1 &&
	   ns_lseek(&ns, fd, -6, SEEK_END) == -EINVAL &&
	   ns_lseek(&ns, fd, INT64_MAX, SEEK_CUR) == -EINVAL &&
	   ns_lseek(&ns, fd, 0, 7) == -EINVAL && ns_lseek(&ns, fd, 0, SEEK_CUR) == 5,
	   "a wrong seek moves nothing");
	ok(ns_pwrite(&ns, fd, "J", 1, 0) == 1 && ns_pread(&ns, fd, buf, 5, 0) == 5 &&
	   !memcmp(buf, "Jello", 5) && ns_pread(&ns, fd, buf, 5, -1) == -EINVAL &&
	   ns_pwrite(&ns, fd, "x", 1, INT64_MAX) == -EINVAL &&
	   ns_pread(&ns, fd, buf, 0, 0) == 0, "at an offset");
	more = ns_open(&ns, "/f", O_WRONLY | O_APPEND);
	ok(ns_write(&ns, more, "!", 1) == 1 && !strcmp(content("/f"), "Jello!") &&
	   ns_read(&ns, more, buf, 1) == -EBADF, "appended");
	ok(!ns_ftruncate(&ns, fd, 2) && !strcmp(content("/f"), "Je") &&
	   ns_write(&ns, more, "t", 1) == 1 && !strcmp(content("/f"), "Jet") &&
	   ns_ftruncate(&ns, fd, -1) == -EINVAL, "cut, appended");
	ns_unlink(&ns, "/f");
	ok(!strcmp(content("/f"), "?") && ns_pread(&ns, fd, buf, 9, 0) == 3,
	   "gone, but whoever has it open reads on");
	ns_close(&ns, fd);
	ns_close(&ns, more);
}

static void test_names(void)
{
	char name[300], deep[FS_PATH_MAX + 4] = "";
	struct fs_stat st;
	unsigned int n = 0;

	ok(!ns_mkdir(&ns, "/d") && ns_mkdir(&ns, "/d") == -EEXIST &&
	   ns_mkdir(&ns, "/") == -EEXIST && !store("/d/a", "a") &&
	   ns_unlink(&ns, "/d") == -EISDIR && ns_rmdir(&ns, "/d/a") == -ENOTDIR &&
	   ns_rmdir(&ns, "/d") == -ENOTEMPTY && ns_rmdir(&ns, "/") == -EBUSY,
	   "directories and files");
	ok(!ns_symlink(&ns, "d/a", "/l") && !ns_stat(&ns, "/l", &st) &&
	   (st.mode & 0170000) == 0100000 && !ns_lstat(&ns, "/l", &st) &&
	   (st.mode & 0170000) == 0120000 &&
	   ns_readlink(&ns, "/l", name, sizeof(name)) == 3 &&
	   ns_readlink(&ns, "/d", name, sizeof(name)) == -EINVAL &&
	   ns_open(&ns, "/l", O_RDONLY | O_NOFOLLOW) == -ELOOP &&
	   ns_symlink(&ns, "", "/m") == -EINVAL, "links");
	ok(!ns_rename(&ns, "/d/a", "/d/b") && !strcmp(names("/d", 1), "b ") &&
	   ns_rename(&ns, "/d", "/d/b/c") == -EINVAL &&
	   ns_rename(&ns, "/none", "/x") == -ENOENT &&
	   ns_rename(&ns, "/", "/x") == -EBUSY &&
	   ns_rename(&ns, "/ro", "/x") == -EBUSY, "renamed");
	ok(!ns_unlink(&ns, "/l") && !ns_unlink(&ns, "/../d/./b") &&
	   !ns_rmdir(&ns, "/d") && !strcmp(names("/", 16), "ro "),
	   "removed: %s", names("/", 16));
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[257] = 0;
	ok(ns_mkdir(&ns, name) == -ENAMETOOLONG &&
	   ns_open(&ns, name, O_WRONLY | O_CREAT) == -ENAMETOOLONG,
	   "a name that is too long");
	while (!ns_mkdir(&ns, strcat(deep, "/d")))
		n++;
	ok(n == (FS_PATH_MAX - 1) / 2 && ns_mkdir(&ns, deep) == -ENAMETOOLONG,
	   "%u directories deep", n);
	for (; n; n--) {
		deep[2 * n] = 0;
		if (ns_rmdir(&ns, deep))
			break;
	}
	ok(!n, "and all of them gone");
}

static void test_directory(void)
{
	struct ns_dirent e[4];
	char path[32];
	unsigned int seen = 0;
	int fd, n;

	ns_mkdir(&ns, "/many");
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/many/%u", i);
		store(path, "");
	}
	fd = ns_open(&ns, "/many", O_RDONLY);
	ok(ns_readdir(&ns, fd, e, 0) == -EINVAL &&
	   ns_read(&ns, fd, e, 1) == -EISDIR, "a directory is not read");
	/* what is removed meanwhile makes nothing else disappear */
	while ((n = ns_readdir(&ns, fd, e, 3)) > 0) {
		for (int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "/many/%.20s", e[i].name);
			seen += !ns_unlink(&ns, path);
		}
	}
	ok(!n && seen == 100 && !ns_rmdir(&ns, "/many"), "%u removed as they came",
	   seen);
	ok(!ns_readdir(&ns, fd, e, 1) && ns_lseek(&ns, fd, 1, SEEK_SET) == -EINVAL,
	   "the end");
	ns_close(&ns, fd);
}

static void test_full(void)
{
	static char block[4096], path[16];
	unsigned int n = 0, dirs = 0;
	int fd = ns_open(&ns, "/f", O_WRONLY | O_CREAT);
	ssize_t ret;

	memset(block, 'x', sizeof(block));
	while ((ret = ns_write(&ns, fd, block, sizeof(block))) == sizeof(block))
		n++;
	ok(n > 10 && ret == -ENOSPC, "%u pages fit", n);
	do
		snprintf(path, sizeof(path), "/d%u", dirs);
	while (!ns_mkdir(&ns, path) && ++dirs < 10);
	ok(dirs < 10 && ns_mkdir(&ns, path) == -ENOSPC &&
	   store(path, "x") == -ENOSPC &&
	   ns_write(&ns, fd, block, 1) == -ENOSPC, "full");
	ns_close(&ns, fd);
	ok(!ns_unlink(&ns, "/f") && !store("/g", "x") && !ns_unlink(&ns, "/g"),
	   "and not any more");
}

/* --- a File_system behind ----------------------------------------------------------- */

static struct fs_server server;
static const struct hid_node *policies;
static struct fs *ram;
static int refuse;		/* errno for a new session */

/* Sessions of the server: the capability that the client got finds its own. */
static struct remote {
	int cap;		/* ours, to kill it */
	uint64_t object;
	void *session;
} remotes[8];

/* How the server lies. */
enum lie {
	HONEST, TAG, AHEAD, COUNT, STATUS, NO_ANSWER, SLASH, EMPTY, ZERO_NEXT,
	ENDLESS, DOTS, CUT, TARGET, HIGH, LIES,
};
static const char *const lies[] = {
	"nothing", "another tag", "an index 65 ahead", "more than asked for",
	"an errno that is none", "no completion", "a name with a slash",
	"a name of no bytes", "a position of 0 to go on from",
	"an empty part that goes on", "dots without end", "half an entry",
	"a link's target that is too long", "a position of 2^64 - 1",
};
static enum lie lie;
static int lied_cap, lied_mem;		/* the honest session, its stream */
static uint64_t lied_badge;

static uint64_t object_of(int cap)
{
	struct pith_identify id = { 0 };

	pith_identify(cap, &id);
	return id.object;
}

static int open_remote(const char *service, const char *label, const char *args)
{
	struct parent_request req = { .ram = 65536, .caps = 20 };
	struct remote *r = remotes;

	if (strcmp(service, "File_system"))
		return -ENOENT;
	if (refuse)
		return -refuse;
	snprintf(req.label, sizeof(req.label), "%s", label);
	snprintf(req.args, sizeof(req.args), "%s", args);
	while (r->session)
		r++;
	r->cap = fs_server_open(&server, &req, &r->session);
	if (r->cap < 0) {
		r->session = NULL;
		return r->cap;
	}
	r->object = object_of(r->cap);
	return pith_mint(r->cap, PITH_R_CALL);
}

static void end_remote(struct remote *r)
{
	fs_server_close(&server, r->session);
	pith_close(r->cap);
	r->session = NULL;
}

static void close_remote(int cap)
{
	for (struct remote *r = remotes; r < remotes + 8; r++)
		if (r->session && r->object == object_of(cap))
			end_remote(r);
}

/* The server dies and is there again, with the files that are in @ram. */
static void kill_server(void)
{
	for (struct remote *r = remotes; r < remotes + 8; r++) {
		if (!r->session)
			continue;
		fake_kill(r->cap);
		end_remote(r);
	}
}

static void serve(void)
{
	policies = parse("config\n"
			 "+ policy | label: all | writeable: yes\n"
			 "+ policy | label: home | writeable: yes | root: /home\n-\n");
	ram = ram_fs_new(400000);
	keep(ram);
	fs_server_init(&server, &far, ram, policies);
	fake_session = open_remote;
	fake_session_closed = close_remote;
}

static const char fs_config[] =
	"vfs\n"
	"+ dir all | + fs | label: all\n"
	"+ dir ro | + fs | label: all | writeable: no\n"
	"+ dir home\n"
	"  + inline note | : from the config\n"
	"  + fs | label: home\n"
	"+ dir sub | + fs | label: all | root: /home\n"
	"-\n";

static void test_fs(void)
{
	struct fs_stat st;

	refuse = ENOENT;
	make(fs_config);
	ok(!strcmp(names("/", 3), "all ro home sub ") &&
	   ns_stat(&ns, "/all/x", &st) == -EIO && !ns_stat(&ns, "/all", &st) &&
	   !strcmp(names("/all", 3), "?") && store("/all/x", "x") == -EIO &&
	   !strcmp(content("/home/note"), "from the config\n"),
	   "no server: its directory is there, nothing in it can be said");
	refuse = 0;
	ok(ns_stat(&ns, "/all/x", &st) == -EIO, "it is not asked at each call");
	fake_clock += PITH_SEC(10);
	ok(ns_stat(&ns, "/all/x", &st) == -ENOENT, "there it is");
	ok(!ns_mkdir(&ns, "/all/home") && !store("/all/home/a", "one") &&
	   !strcmp(content("/home/a"), "one") && !strcmp(content("/sub/a"), "one")
	   && !strcmp(content("/ro/home/a"), "one"), "one file in four places");
	ok(store("/ro/home/a", "x") == -EROFS && ns_mkdir(&ns, "/ro/d") == -EROFS &&
	   ns_unlink(&ns, "/ro/home/a") == -EROFS, "read only");
	ok(!store("/all/home/note", "hidden") &&
	   !strcmp(content("/home/note"), "from the config\n") &&
	   !strcmp(names("/home", 2), "note a "), "the first counts, once: %s",
	   names("/home", 2));
	ok(!ns_symlink(&ns, "../../../all/home/a", "/home/up") &&
	   !strcmp(content("/home/up"), "one") &&
	   !strcmp(content("/home/../home/../../../home/a"), "one") &&
	   ns_stat(&ns, "/home/../x", &st) == -ENOENT,
	   "a link is followed in the name space, not by the server");
	ok(ns_rename(&ns, "/home/a", "/all/a") == -EXDEV &&
	   !ns_rename(&ns, "/home/a", "/home/b") && !ns_unlink(&ns, "/home/b") &&
	   !ns_unlink(&ns, "/home/up") && !ns_unlink(&ns, "/all/home/note"),
	   "names");
}

/* Larger than the stream, and than a reply with entries. */
static void test_fs_large(void)
{
	static char out[300000], in[300000];
	int fd = ns_open(&ns, "/all/large", O_RDWR | O_CREAT);
	char path[64];
	unsigned int n = 0;
	const char *all;

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = i * 31 ^ i >> 8;
	ok(ns_write(&ns, fd, out, sizeof(out)) == sizeof(out) &&
	   ns_pread(&ns, fd, in, sizeof(in), 0) == sizeof(in) &&
	   !memcmp(in, out, sizeof(in)) &&
	   ns_pread(&ns, fd, in, sizeof(in), 1) == sizeof(in) - 1 &&
	   !ns_fsync(&ns, fd), "300,000 bytes");
	ok(ns_pwrite(&ns, fd, out, sizeof(out), 300000) > 0 &&
	   ns_lseek(&ns, fd, 0, SEEK_END) < 600000 &&
	   ns_pwrite(&ns, fd, out, 1, 600000) == -ENOSPC, "then it is full");
	ns_close(&ns, fd);
	ns_unlink(&ns, "/all/large");
	for (unsigned int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/all/home/a file with number %u;", i);
		store(path, "");
	}
	all = names("/home", 7);
	for (unsigned int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "number %u;", i);
		n += !!strstr(all, path);
	}
	ok(n == 200 && strstr(all, "note ") == all, "200 names");
	for (unsigned int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/home/a file with number %u;", i);
		n -= !ns_unlink(&ns, path);
	}
	ok(!n, "all removed");
}

static void test_fs_death(void)
{
	struct fs_stat st;
	char buf[8] = "";
	int r, w, d;

	store("/all/f", "kept");
	r = ns_open(&ns, "/all/f", O_RDONLY);
	w = ns_open(&ns, "/all/f", O_WRONLY);
	d = ns_open(&ns, "/all", O_RDONLY);
	kill_server();
	ok(ns_pread(&ns, r, buf, 8, 0) == 4 && !memcmp(buf, "kept", 4),
	   "killed: what only reads reads on");
	ok(ns_write(&ns, w, "lost", 4) == -ESTALE && ns_fsync(&ns, w) == -ESTALE &&
	   !ns_close(&ns, w), "who writes is told");
	kill_server();
	fake_run(&ep);		/* nobody uses it meanwhile */
	ok(!store("/all/f", "more") && !strcmp(content("/all/f"), "more"),
	   "killed while idle: the next one just works");
	ok(ns_pread(&ns, r, buf, 8, 0) == 4, "still the same file");
	kill_server();
	ok(!store("/all/g", "x"), "killed before a file is made: it is");
	kill_server();
	ns_unlink(&ns, "/all/f");
	ns_unlink(&ns, "/all/f");
	store("/all/other", "");
	ok(store("/all/f", "another") == 0 &&
	   ns_pread(&ns, r, buf, 8, 0) == -ESTALE, "another file of that name");
	ns_close(&ns, r);
	kill_server();
	refuse = EACCES;
	ok(ns_stat(&ns, "/all/f", &st) == -EIO && ns_stat(&ns, "/all/f", &st) == -EIO
	   && !strcmp(content("/home/note"), "from the config\n"),
	   "refused: only what is there is");
	refuse = 0;
	fake_clock += PITH_SEC(10);
	ok(!ns_stat(&ns, "/all/f", &st) && !ns_close(&ns, d), "and back");
	ns_unlink(&ns, "/all/f");
	ns_unlink(&ns, "/all/g");
	ns_unlink(&ns, "/all/other");
}

static unsigned int told;

static void tell(void *ctx)
{
	(void)ctx;
	told++;
}

static bool news(void)
{
	bool was;

	fake_run(&far);
	fake_run(&ep);
	was = told;
	told = 0;
	return was;
}

static void test_fs_watch(void)
{
	int w = ns_watch(&ns, "/home/log", tell, NULL), many[NS_WATCHES], n = 0;

	ok(w >= 0 && !news(), "watched before it is there");
	ok(!store("/all/home/log", "x") && news() && !store("/all/x", "x") && !news(),
	   "another session writes it");
	kill_server();
	ok(news() && !store("/all/home/log", "y") && news(),
	   "the server dies: told, and watched again");
	kill_server();
	refuse = ENOENT;
	fake_run(&ep);
	told = 0;
	refuse = 0;
	fake_clock += PITH_SEC(10);
	ok(news() && !store("/all/home/log", "z") && news(),
	   "it comes back later: the same");
	ok(!ns_unwatch(&ns, w) && ns_unwatch(&ns, w) == -EBADF &&
	   ns_unwatch(&ns, -1) == -EBADF && ns_unwatch(&ns, 99) == -EBADF &&
	   !store("/all/home/log", "") && !news(), "no more");
	while (n < NS_WATCHES && (many[n] = ns_watch(&ns, "/home", tell, NULL)) >= 0)
		n++;
	ok(n > 4 && (n == NS_WATCHES || many[n] == -EDQUOT), "%d watches", n);
	while (n--)
		ns_unwatch(&ns, many[n]);
	ns_unlink(&ns, "/all/home/log");
	ns_unlink(&ns, "/all/x");
}

/* --- a server that lies ------------------------------------------------------------------- */

static void lie_in_ring(void)
{
	struct fs_rings *rings = fake_memory(lied_mem);
	uint32_t last = rings->completions.end - 1;
	struct fs_completion *c = &rings->completions.slots[last % PACKET_SLOTS];

	switch (lie) {
	case TAG:
		c->tag ^= 1;
		break;
	case AHEAD:
		rings->completions.end += PACKET_SLOTS;
		break;
	case COUNT:
		c->count = 1u << 30;
		break;
	case STATUS:
		c->status = 70000;
		break;
	case NO_ANSWER:
		rings->completions.end--;
		break;
	default:
		break;
	}
}

static size_t lie_in_list(uint8_t *reply, size_t len)
{
	struct fs_dirents *all = (void *)reply;
	struct fs_dirent *first = (void *)(all + 1);
	char *name = (char *)(first + 1);

	switch (lie) {
	case SLASH:
		name[0] = '/';
		break;
	case EMPTY:
		first->name_len = 0;
		break;
	case ZERO_NEXT:
		first->next = 0;
		break;
	case HIGH:
		first->next = ~0ull;
		break;
	case ENDLESS:
		all->next = 1;
		all->count = 0;
		return sizeof(*all);
	case DOTS:
		all->next = all->count = 1;
		*first = (struct fs_dirent) {
			.next = 1, .type = FS_TYPE_DIR, .name_len = 1,
		};
		memcpy(name, ".\0\0\0\0\0\0\0", 8);
		return sizeof(*all) + sizeof(*first) + 8;
	case CUT:
		return len - 8;
	default:
		break;
	}
	return len;
}

/* Between the client and an honest session. */
static int lying_call(void *ctx, struct ep_request *in)
{
	static uint8_t reply[PITH_MSG_BYTES] __attribute__((aligned(8)));
	int kick = -1, err;
	struct rpc r = {
		.req = in->data, .req_len = in->len, .caps = in->caps,
		.ncaps = in->ncaps, .rep_tail = reply,
		.rep_tail_size = sizeof(reply), .rep_caps = &kick,
		.nrep_caps = 1,
	};
	size_t len;

	(void)ctx;
	err = rpc_call(lied_cap, in->method, &r, fake_clock + 1);
	if (err)
		return err;
	len = r.rep_tail_len;
	if (in->method == FS_STREAM)
		lied_mem = ep_take_cap(in, 0);
	if (in->method == FS_RUN)
		lie_in_ring();
	if (in->method == FS_READDIR)
		len = lie_in_list(reply, len);
	if (in->method == FS_READLINK && lie == TARGET)
		len = FS_PATH_MAX + 100;
	if (kick >= 0)
		ep_reply_cap(in, kick, 1);
	return ep_reply_data(&ep, in, reply, len);
}

static int open_lying(const char *service, const char *label, const char *args)
{
	(void)label;
	lied_cap = open_remote(service, "all", args);
	return ep_new_object(&ep, lying_call, NULL, &lied_badge);
}

static void close_lying(int cap)
{
	(void)cap;
	ep_remove(&ep, lied_badge);
	close_remote(lied_cap);
	pith_close(lied_cap);
	pith_close(lied_mem);
	lied_mem = -1;
}

static void test_lies(void)
{
	char buf[FS_PATH_MAX];
	struct ns_dirent e[4];
	int fd, n = 0;
	ssize_t got = 0;

	store("/all/a", "one");
	ns_symlink(&ns, "a", "/all/l");
	fake_session = open_lying;
	fake_session_closed = close_lying;
	lied_mem = -1;
	make("vfs\n+ dir x | + fs | label: all\n-\n");
	for (lie = HONEST; lie < LIES; lie++) {
		fake_clock += PITH_SEC(10);
		fd = ns_open(&ns, "/x/a", O_RDONLY);
		got = ns_read(&ns, fd, buf, 10);
		ok(lie >= TAG && lie <= NO_ANSWER ? got == -EIO : got == 3,
		   "lie: %s: read %zd", lies[lie], got);
		ns_close(&ns, fd);
		fake_clock += PITH_SEC(10);
		fd = ns_open(&ns, "/x", O_RDONLY);
		n = ns_readdir(&ns, fd, e, 4);
		ok(lie >= SLASH && lie != TARGET ? n == -EIO : n == 3,
		   "lie: %s: list %d", lies[lie], n);
		ns_close(&ns, fd);
		fake_clock += PITH_SEC(10);
		got = ns_readlink(&ns, "/x/l", buf, sizeof(buf));
		ok(lie == TARGET ? got == -EIO : got == 1, "lie: %s: link %zd",
		   lies[lie], got);
	}
	lie = HONEST;
	ok(!strcmp(content("/x/l"), "one"), "it lies no more");
}

/* --- an archive --------------------------------------------------------------------------- */

static uint8_t archive[16384];
static size_t archive_len;

static void put(const char *name, char type, const char *content_of,
		const char *target)
{
	uint8_t *h = archive + archive_len;
	size_t size = strlen(content_of);
	unsigned int sum = 0;

	memset(h, 0, 1024);
	strcpy((char *)h, name);
	strcpy((char *)h + 100, "0000750");
	snprintf((char *)h + 124, 12, "%011o", (unsigned int)size);
	strcpy((char *)h + 136, "00000001234");
	strcpy((char *)h + 157, target);
	memcpy(h + 257, "ustar\00000", 8);
	h[156] = type;
	memset(h + 148, ' ', 8);
	for (unsigned int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	memcpy(h + 512, content_of, size);
	archive_len += size ? 1024 : 512;
}

static void test_tar(void)
{
	struct hid_error err;
	struct fs_stat st;

	put("b/c/d", '0', "deep", "");
	put("./a", '0', "old", "");
	put("a", '0', "new", "");
	put("b", '5', "", "");
	put("link", '2', "", "b/c/d");
	put("up", '2', "", "../../../a");
	put("x", '0', "a file?", "");
	put("x/y", '0', "then x is a directory", "");
	put("dev", '3', "", "");
	put("../out", '0', "out", "");
	put("b0", '0', "after b/", "");
	fake_rom_data = archive;
	fake_rom_size = archive_len + 1024;
	make("vfs\n+ dir t | + tar some.tar\n"
	     "+ dir u\n  + inline a | : first\n  + tar some.tar\n"
	     "  + ram | size: 100000\n-\n");
	ok(!strcmp(names("/t", 2), "a b b0 link up x ") &&
	   !strcmp(names("/t/b", 1), "c ") && !strcmp(names("/t/b/c", 5), "d ") &&
	   !strcmp(names("/t/x", 5), "y "), "lists: %s", names("/t", 2));
	ok(!strcmp(content("/t/a"), "new") && !strcmp(content("/t/link"), "deep") &&
	   !strcmp(content("/t/x/y"), "then x is a directory") &&
	   !strcmp(content("/t/b/../../t/b0"), "after b/"), "content");
	ok(ns_stat(&ns, "/t/dev", &st) == -ENOENT &&
	   ns_stat(&ns, "/t/a/b", &st) == -ENOTDIR &&
	   ns_stat(&ns, "/t/b/none/x", &st) == -ENOENT &&
	   ns_stat(&ns, "/t/out", &st) == -ENOENT &&
	   ns_stat(&ns, "/t/up", &st) == -ENOENT, "what is not there");
	ok(!ns_stat(&ns, "/t/a", &st) && st.mode == 0100750 && st.size == 3 &&
	   st.mtime == 01234 && !ns_stat(&ns, "/t/b", &st) &&
	   st.mode == 0040750, "stat");
	ok(store("/t/a", "x") == -EROFS && store("/t/new", "x") == -EROFS &&
	   store("/t/none/x", "x") == -ENOENT && ns_unlink(&ns, "/t/a") == -EROFS &&
	   ns_mkdir(&ns, "/t/d") == -EROFS && ns_mkdir(&ns, "/t/b") == -EEXIST &&
	   ns_rename(&ns, "/t/a", "/t/z") == -EROFS &&
	   ns_symlink(&ns, "a", "/t/s") == -EROFS &&
	   ns_open(&ns, "/t/a", O_RDWR | O_CREAT | O_EXCL) == -EEXIST &&
	   ns_open(&ns, "/t/b", O_WRONLY) == -EISDIR, "nothing can be changed");
	ok(!strcmp(content("/u/a"), "first\n") && !store("/u/more", "in RAM") &&
	   store("/u/b0", "x") == -EROFS && !ns_mkdir(&ns, "/u/dir") &&
	   !strcmp(names("/u", 3), "a b b0 link up x more dir "),
	   "with RAM behind it: %s", names("/u", 3));
	fake_rom_size = archive_len - 600;
	ok(!vfs_make(parse("vfs\n+ tar some.tar\n-\n"), &ep, &err) &&
	   err.line == 2 && strstr(err.text, "damaged at byte"), "%s", err.text);
	fake_rom_data = NULL;
}

/* --- a terminal ---------------------------------------------------------------------------- */

static struct {
	char typed[64], shown[64];
	unsigned int room;
	int cap, sigh, lies;
	uint64_t badge;
} term = { .cap = -1, .sigh = -1 };

static int term_call(void *ctx, struct ep_request *in)
{
	struct terminal_count took = { in->len < term.room ? in->len : term.room,
				       0 };
	size_t len = strlen(term.typed);

	(void)ctx;
	switch (in->method) {
	case TERMINAL_READ:
		ep_reply_data(&far, in, term.typed, len);
		term.typed[0] = 0;
		return 0;
	case TERMINAL_WRITE:
		strncat(term.shown, in->data, took.count);
		term.room -= took.count;
		took.count += term.lies * 5000;
		return ep_reply_data(&far, in, &took, sizeof(took));
	case TERMINAL_SIGH:
		pith_close(term.sigh);
		term.sigh = ep_take_cap(in, 0);
		if (term.typed[0])
			pith_signal(term.sigh, 1);
		return 0;
	case TERMINAL_DRAIN:
		return 0;
	}
	return -ENOSYS;
}

static int open_term(const char *service, const char *label, const char *args)
{
	(void)args;
	if (strcmp(service, "Terminal") || strcmp(label, "console") || refuse)
		return -ENOENT;
	term.cap = ep_new_object(&far, term_call, NULL, &term.badge);
	return pith_mint(term.cap, PITH_R_CALL);
}

static void close_term(int cap)
{
	(void)cap;
	ep_remove(&far, term.badge);
	pith_close(term.cap);
	pith_close(term.sigh);
	term.cap = term.sigh = -1;
}

static void type(const char *text)
{
	strcat(term.typed, text);
	if (term.sigh >= 0)
		pith_signal(term.sigh, 1);
}

static void test_terminal(void)
{
	char buf[16] = "";
	int fd, w;

	fake_session = open_term;
	fake_session_closed = close_term;
	refuse = 1;
	make("vfs\n+ dir dev | + terminal tty | label: console\n-\n");
	ok(ns_open(&ns, "/dev/tty", O_RDWR) == -EIO &&
	   !strcmp(names("/dev", 1), "tty "), "no terminal yet");
	refuse = 0;
	fake_clock += PITH_SEC(2);
	fd = ns_open(&ns, "/dev/tty", O_RDWR | O_TRUNC);
	w = ns_watch(&ns, "/dev/tty", tell, NULL);
	ok(fd >= 0 && ns_read(&ns, fd, buf, 16) == -EAGAIN && !news(),
	   "nothing was typed");
	type("hello");
	ok(news() && ns_read(&ns, fd, buf, 3) == 3 && !memcmp(buf, "hel", 3) &&
	   ns_read(&ns, fd, buf, 16) == 2 && !memcmp(buf, "lo", 2) &&
	   ns_read(&ns, fd, buf, 16) == -EAGAIN, "typed: told, and read in pieces");
	term.room = 3;
	ok(ns_write(&ns, fd, "abcdef", 6) == 3 &&
	   ns_write(&ns, fd, "def", 3) == -EAGAIN, "it takes what it has room for");
	term.room = 9;
	ok(ns_write(&ns, fd, "def", 3) == 3 && !strcmp(term.shown, "abcdef") &&
	   !ns_fsync(&ns, fd), "and more later");
	fake_kill(term.cap);
	ok(ns_read(&ns, fd, buf, 16) == -EAGAIN, "its server dies: read from the next");
	fake_kill(term.cap);
	news();
	type("x");
	ok(news() && ns_read(&ns, fd, buf, 16) == 1 && buf[0] == 'x',
	   "it dies again: watched again");
	fake_kill(term.cap);
	ok(ns_write(&ns, fd, "lost", 4) == -EIO, "it dies before a write: told");
	term.room = 9;
	term.lies = 1;
	ok(ns_write(&ns, fd, "z", 1) == -EIO, "it took more than there was: no");
	term.lies = 0;
	ns_unwatch(&ns, w);
	ns_close(&ns, fd);
	if (term.cap >= 0)
		fake_kill(term.cap);
	refuse = 1;
	fake_run(&ep);
	fake_session_closed = NULL;
}

/* --- a disk ------------------------------------------------------------------------------ */

static int (*disk_idle)(void);

/* While we wait, the server gets its turn. */
static int idle(void)
{
	int busy = 0;

	fake_idle = NULL;
	while (ep_dispatch(&far, fake_clock))
		busy = 1;
	busy |= disk_idle();
	fake_idle = idle;
	return busy;
}

static void test_block(void)
{
	static char out[200000], in[200000];
	struct fs_stat st;
	char path[] = "/dev/disk";
	int fd, r;

	fake_quiet = 1;
	fake_disk_init(&far, 1000, 512);
	disk_idle = fake_idle;
	fake_idle = idle;
	disk.refuse = ENOENT;
	make("vfs\n+ dir dev\n  + block disk | label: d | writeable: yes\n"
	     "  + block ro | label: d\n-\n");
	ok(ns_open(&ns, path, O_RDONLY) == -EIO &&
	   !strcmp(names("/dev", 4), "disk ro ") && !ns_stat(&ns, path, &st),
	   "no disk yet");
	disk.refuse = 0;
	fake_clock += PITH_SEC(10);
	fd = ns_open(&ns, path, O_RDWR | O_TRUNC);
	r = ns_open(&ns, "/dev/ro", O_RDONLY);
	ok(fd >= 0 && r >= 0 && !ns_fstat(&ns, fd, &st) && st.size == 512000 &&
	   (st.mode & 0170000) == 0060000 && ns_lseek(&ns, fd, 0, SEEK_END) == 512000,
	   "a disk of 512,000 bytes");
	ok(ns_open(&ns, "/dev/ro", O_RDWR) == -EROFS && ns_write(&ns, r, "x", 1) ==
	   -EBADF && ns_open(&ns, "/dev/disk/x", O_RDONLY) == -ENOTDIR &&
	   ns_ftruncate(&ns, fd, 0) == -EINVAL && ns_unlink(&ns, path) == -EBUSY,
	   "what a disk is not");
	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = i * 7 ^ i >> 9;
	memset(disk.bytes, 0xee, 512000);
	ok(ns_pwrite(&ns, fd, out, sizeof(out), 1001) == sizeof(out) &&
	   disk.bytes[1000] == 0xee && disk.bytes[1001 + 200000] == 0xee &&
	   !memcmp(disk.bytes + 1001, out, sizeof(out)) &&
	   ns_pread(&ns, r, in, sizeof(in), 1001) == sizeof(in) &&
	   !memcmp(in, out, sizeof(in)), "200,000 bytes from byte 1,001 on");
	ok(ns_pwrite(&ns, fd, "abc", 3, 511) == 3 && disk.bytes[510] == 0xee &&
	   !memcmp(disk.bytes + 511, "abc", 3) && disk.bytes[514] == 0xee,
	   "three over an edge");
	ok(ns_pwrite(&ns, fd, out, 1000, 511900) == 100 &&
	   ns_pwrite(&ns, fd, out, 1, 512000) == -ENOSPC &&
	   ns_pwrite(&ns, fd, out, 1, 1ll << 60) == -ENOSPC &&
	   ns_pread(&ns, fd, in, 1000, 511900) == 100 &&
	   ns_pread(&ns, fd, in, 1, 512000) == 0 &&
	   ns_pread(&ns, fd, in, 1, 1ll << 60) == 0, "its end");
	disk.bad_block = 3;
	ok(ns_pread(&ns, fd, in, 512, 1536) == -EIO &&
	   ns_pwrite(&ns, fd, out, 1, 1536) == -EIO &&
	   ns_pread(&ns, fd, in, 512, 2048) == 512, "a bad block");
	disk.bad_block = ~0ull;
	ok(!ns_fsync(&ns, fd) && disk.syncs == 1, "sync");
	disk.die_after = 1;
	ok(ns_pread(&ns, fd, in, sizeof(in), 1001) == sizeof(in) &&
	   !memcmp(in, out, sizeof(in)), "its server dies meanwhile");
	disk.hold = 1;
	ok(ns_pread(&ns, fd, in, 1, 0) == -EIO, "a server that never answers");
	disk.hold = 0;
	fake_clock += PITH_SEC(10);
	ok(ns_pread(&ns, fd, in, 1, 0) == 1, "the next one does");
	fake_disk_die();
	disk.info.block_count = 500;
	ok(ns_pread(&ns, fd, in, 1, 0) == -EIO, "another disk");
	fake_clock += PITH_SEC(10);
	ok(ns_pread(&ns, fd, in, 1, 0) == -ESTALE && !ns_close(&ns, fd) &&
	   (fd = ns_open(&ns, path, O_RDONLY)) >= 0 &&
	   ns_pread(&ns, fd, in, 1, 0) == 1, "to be opened again");
	ns_close(&ns, fd);
	ns_close(&ns, r);
	fake_disk_free();
	fake_quiet = 0;
}

int main(void)
{
	ep_init(&ep);
	ep_init(&far);
	make("vfs\n+ inline ro | : fixed\n+ ram | size: 1M\n-\n");
	test_open();
	test_content();
	test_names();
	test_directory();
	make("vfs\n+ ram | size: 100000\n-\n");
	test_full();
	serve();
	test_fs();
	test_fs_large();
	test_fs_death();
	test_fs_watch();
	test_lies();
	test_tar();
	test_terminal();
	test_block();
	return tap_end();
}
