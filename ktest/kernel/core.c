// SPDX-License-Identifier: BSD-2-Clause
/*
 * The test runner as core: bootstrap, components, quota, KTAP on the console.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <pith/loader.h>
#include "core.h"

int kt_root = -1;
int kt_hardware = -1;
int kt_program = -1;
int kt_report_mem = -1;

static bool is_core;
static pthread_t main_thread;
static jmp_buf test_end;
static char **arguments;
static int narguments;
static const char *skipped;	/* why */

uint64_t kt_option(const char *name, uint64_t otherwise)
{
	size_t len = strlen(name);

	for (int i = 0; i < narguments; i++)
		if (!strncmp(arguments[i], name, len) &&
		    arguments[i][len] == '=')
			return strtoull(arguments[i] + len + 1, NULL, 0);
	return otherwise;
}

/* --- console --------------------------------------------------------------- */

static void console_write(const char *text, uint32_t len)
{
	struct pith_text arg = { (uintptr_t)text, len, 0 };

	kt_control(kt_hardware, PITH_OP_HW_CONSOLE, &arg);
}

void kt_console(const char *fmt, ...)
{
	char text[500];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	console_write(text, n);
}

/* Wait until the console has said all; it follows the log later. */
void console_flush(void)
{
	console_write("", 0);
}

/* A test of core that cannot go on is left; a component ends. */
_Noreturn void kt_exit(int code)
{
	if (is_core && pthread_equal(pthread_self(), main_thread))
		longjmp(test_end, 1);
	for (;;)
		kt_syscall(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

/* --- components ------------------------------------------------------------ */

int kt_domain(uint64_t ram, uint64_t caps)
{
	int domain = kt_control(kt_root, PITH_OP_DOMAIN_CREATE, NULL);

	KT_NEED(domain >= 0);
	KT_NEED(kt_transfer(kt_root, domain, ram, caps) == 0);
	return domain;
}

/* Threads give back what they took when the kernel gets to it. */
void kt_domain_empties(int domain)
{
	struct pith_domain_info i = kt_domain_info(domain);

	for (int n = 0; n < 300 && (i.ram_used || i.caps_used); n++) {
		kt_sleep(KT_MS(10));
		i = kt_domain_info(domain);
	}
	KT_EQ(i.ram_used, 0);
	KT_EQ(i.caps_used, 0);
}

void kt_domain_end(int domain)
{
	KT_EQ(kt_control(domain, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	kt_close(domain);
}

int kt_load(int domain, int binary, const char *name, const int *caps,
	    unsigned int ncaps, int exit_notif)
{
	struct loader l = {
		.name = name, .domain = domain, .binary = binary,
		.exit_notif = exit_notif, .caps = caps, .ncaps = ncaps,
		.stack = KT_CHILD_STACK,
	};
	int err = loader_run(&l);

	return err ? err : l.space;
}

struct pith_space_info kt_space_info(int space)
{
	struct pith_space_info info = { 0 };

	KT_EQ(kt_control(space, PITH_OP_SPACE_INFO, &info), 0);
	return info;
}

struct kt_child kt_start_in(int domain, const char *name, const int *args,
			    unsigned int nargs)
{
	struct kt_child c = { .domain = domain };
	int caps[KT_SLOT_ARG + KT_MAX_ARGS];

	KT_NEED(nargs <= KT_MAX_ARGS);
	c.ep = KT_FD(kt_ep_create());
	c.exit_notif = KT_FD(kt_notif_create());
	KT_EQ(kt_bind(c.exit_notif, c.ep, 1), 0);
	caps[KT_SLOT_DOMAIN] = KT_FD(kt_mint(domain, PITH_R_CHARGE));
	caps[KT_SLOT_REPORT] = kt_report_mem;
	for (unsigned int i = 0; i < nargs; i++)
		caps[KT_SLOT_ARG + i] = args[i];
	c.space = KT_FD(kt_load(domain, kt_program, name, caps,
				KT_SLOT_ARG + nargs, c.exit_notif));
	kt_close(caps[KT_SLOT_DOMAIN]);
	KT_NEED(c.space >= 0);
	return c;
}

struct kt_child kt_start(const char *name, const int *args, unsigned int nargs)
{
	return kt_start_in(kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS), name, args,
			   nargs);
}

int kt_await_exit(struct kt_child *c)
{
	struct pith_space_info info;
	long got;

	got = kt_wait(c->ep, KT_LATER);
	if (got != PITH_GOT_NOTIFICATION) {
		KT_FAIL("a component does not end: %ld", got);
		kt_kill(c);
		return -1;
	}
	info = kt_space_info(c->space);
	KT_EQ(info.exited, 1);
	return info.status;
}

int kt_finish(struct kt_child *c)
{
	int status = kt_await_exit(c);

	kt_close(c->space);
	kt_close(c->exit_notif);
	kt_close(c->ep);
	kt_domain_end(c->domain);
	return status;
}

void kt_kill(struct kt_child *c)
{
	KT_EQ(kt_control(c->space, PITH_OP_SPACE_KILL, NULL), 0);
}

void kt_run(const char *name, const int *args, unsigned int nargs)
{
	struct kt_child c = kt_start(name, args, nargs);

	KT_EQ(kt_finish(&c), 0);
}

/* --- running --------------------------------------------------------------- */

void kt_skip(const char *what)
{
	skipped = what;
}

static void report_clear(void)
{
	skipped = NULL;
	memset(kt_report, 0, sizeof(*kt_report));
	kt_report->checked = kt_option("checked", 0);
}

/* Objects die when the kernel gets to it: give it a moment. */
static void check_returned(const struct pith_domain_info *before)
{
	struct pith_domain_info now;
	uint64_t end = KT_SOON;

	do {
		now = kt_domain_info(kt_root);
		if (!memcmp(&now, before, sizeof(now)))
			return;
		kt_sleep(KT_MS(10));
	} while (kt_now() < end);
	KT_FAIL("left behind: %ld bytes, %ld capabilities; limits %+ld, %+ld",
		(long)(now.ram_used - before->ram_used),
		(long)(now.caps_used - before->caps_used),
		(long)(now.ram_limit - before->ram_limit),
		(long)(now.caps_limit - before->caps_limit));
}

static void print_report(void)
{
	char *line = kt_report->text, *end;

	kt_report->text[sizeof(kt_report->text) - 1] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		kt_console("# %s", line);
		line = end + 1;
	}
	if (kt_report->used > sizeof(kt_report->text))
		kt_console("# more failures than fit here");
}

static bool run_test(const struct kt_test *t)
{
	struct pith_domain_info before;

	report_clear();
	before = kt_domain_info(kt_root);
	if (!setjmp(test_end)) {
		if (t->place == KT_IN_CORE)
			t->run();
		else
			kt_run(t->name, NULL, 0);
	}
	check_returned(&before);
	print_report();
	return kt_report->failures == 0;
}

/* By a pattern among the arguments, or there is none: the rest are options. */
static bool selected(const struct kt_test *t)
{
	int patterns = 0;

	if (t->place == KT_IS_ROLE)
		return false;
	for (int i = 0; i < narguments; i++) {
		if (strchr(arguments[i], '='))
			continue;
		patterns++;
		if (strstr(t->name, arguments[i]))
			return true;
	}
	return patterns == 0;
}

static void run_all(const struct kt_test *first, const struct kt_test *end)
{
	const struct kt_test *t;
	unsigned int n = 0;
	bool ok;

	kt_console("KTAP version 1");
	for (t = first; t < end; t++)
		n += selected(t);
	kt_console("1..%u", n);
	n = 0;
	for (t = first; t < end; t++) {
		if (!selected(t))
			continue;
		n++;
		kt_console("# running %s", t->name);
		ok = run_test(t);
		kt_console("%s %u %s%s%s", ok ? "ok" : "not ok", n, t->name,
			   skipped ? " # SKIP no " : "", skipped ? skipped : "");
		console_flush();
	}
}

/* --- bootstrap ------------------------------------------------------------- */

static void *new_mapped(uint64_t size, int *mem)
{
	void *p;

	*mem = kt_mem_create(-1, size, 0);
	if (*mem < 0) {
		kt_console("# core: no memory: %d", *mem);
		return NULL;
	}
	p = kt_map(*mem, 0, size, KT_R | KT_W);
	if (kt_is_error(p)) {
		kt_console("# core: cannot map: %ld", (long)p);
		return NULL;
	}
	return p;
}

/* This program once more, in memory: what components are started from. */
static bool read_program(void)
{
	int fd = open("/init", O_RDONLY);
	struct stat st;
	uint64_t room, done = 0;
	uint8_t *p = NULL;
	long n;

	if (fd < 0 || fstat(fd, &st))
		return false;
	room = (st.st_size + KT_PAGE - 1) & -(uint64_t)KT_PAGE;
	p = new_mapped(room, &kt_program);
	while (p && (n = read(fd, p + done, room - done)) > 0)
		done += n;
	close(fd);
	if (!p)
		return false;
	kt_unmap(p, room);
	return done == (uint64_t)st.st_size;
}

/* A thread that was joined counts until the kernel is done with it. */
static bool become_core(struct pith_bootstrap *b)
{
	long err = kt_control(-1, PITH_OP_BOOTSTRAP, b);

	for (int i = 0; err == -EPERM && i < 5000; i++) {
		kt_sleep(KT_MS(1));
		err = kt_control(-1, PITH_OP_BOOTSTRAP, b);
	}
	return !err;
}

bool core_init(void)
{
	struct pith_bootstrap b;
	int report = -1;

	signal(SIGCHLD, SIG_IGN);	/* components leave no zombies */
	if (!become_core(&b))
		return false;
	kt_root = b.domain;
	kt_hardware = b.hardware;
	kt_report = new_mapped(KT_REPORT_SIZE, &report);
	/* all components hold it: none may revoke it */
	kt_report_mem = kt_mint(report, PITH_R_READ | PITH_R_WRITE |
				PITH_R_EXEC);
	kt_close(report);
	if (!kt_report || !read_program())
		return false;
	kt_buffer_init();
	return true;
}

void core_arguments(int argc, char **argv)
{
	arguments = argv;
	narguments = argc;
}

_Noreturn void core_main(const struct kt_test *first,
			 const struct kt_test *end, int argc, char **argv)
{
	core_arguments(argc, argv);
	is_core = true;
	main_thread = pthread_self();
	if (boot_try)
		boot_try();
	checkers_open();
	if (setjmp(test_end))
		kt_console("Bail out! core cannot start");
	else if (core_init())
		run_all(first, end);
	checkers_report();
	console_flush();
	kt_syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		   LINUX_REBOOT_CMD_RESTART, 0, 0, 0);
	for (;;)
		kt_sleep(KT_MS(1000));
}
