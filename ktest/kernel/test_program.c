// SPDX-License-Identifier: BSD-2-Clause
/* Programs in spaces: what they begin with, how they end, who pays. */
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include "arch.h"
#include "kt.h"

/* --- exit ------------------------------------------------------------------ */

KT_ROLE(exit_0)
{
	kt_exit(0);
}

KT_ROLE(exit_1)
{
	kt_exit(1);
}

KT_ROLE(exit_255)
{
	kt_exit(255);
}

KT_ROLE(exit_by_syscall)
{
	kt_syscall(SYS_exit, 77, 0, 0, 0, 0, 0);
}

KT_ROLE(end_segv)
{
	kt_crash();
}

static int recurse(volatile int *p, int n)
{
	volatile int here[256] = { n };

	return n ? recurse(here, n - 1) + *p : 0;
}

KT_ROLE(end_stack_overflow)
{
	volatile int x = 0;

	recurse(&x, 1 << 20);
}

static void expect_end(const struct kt_end *end)
{
	struct kt_child c = kt_start(end->role, NULL, 0);

	if (!KT_EQ(kt_finish(&c), end->status))
		KT_FAIL("%s", end->role);
}

KT_CORE(program_exit_status)
{
	static const struct kt_end cases[] = {
		{ "exit_0", 0 }, { "exit_1", 1 }, { "exit_255", 255 },
		{ "exit_by_syscall", 77 }, { "end_segv", 128 + 11 },
		{ "end_stack_overflow", 128 + 11 }, { "no_such_role", 97 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_end(&cases[i]);
	for (unsigned int i = 0; kt_ends[i].role; i++)
		expect_end(&kt_ends[i]);
}

static void outlive_main(void *arg)
{
	(void)arg;
	kt_sleep(KT_MS(100));
	kt_report->shared[0] = 1;
	kt_syscall(SYS_exit, 5, 0, 0, 0, 0, 0);
}

KT_ROLE(main_thread_ends_first)
{
	static struct kt_thread t;

	kt_thread_start(&t, outlive_main, NULL);
	kt_syscall(SYS_exit, 0, 0, 0, 0, 0, 0);
}

KT_CORE(program_exit_with_last_thread)
{
	struct kt_child c = kt_start("main_thread_ends_first", NULL, 0);

	kt_await_exit(&c);
	KT_EQ(kt_report->shared[0], 1);
	KT_EQ(kt_signal(c.exit_notif, 1), 0);
	kt_finish(&c);
}

static void sleep_long(void *arg)
{
	(void)arg;
	kt_sleep(KT_MS(120000));
}

KT_ROLE(exit_with_threads)
{
	static struct kt_thread t[5];

	for (int i = 0; i < 5; i++)
		kt_thread_start(&t[i], sleep_long, NULL);
	kt_exit(9);
}

KT_CORE(program_exit_ends_threads)
{
	struct kt_child c = kt_start("exit_with_threads", NULL, 0);

	KT_EQ(kt_finish(&c), 9);
}

/* --- kill and info --------------------------------------------------------- */

KT_ROLE(spin)
{
	kt_report->shared[0] = 1;
	for (;;)
		;
}

KT_CORE(program_kill)
{
	struct kt_child c = kt_start("spin", NULL, 0);
	struct pith_space_info info;
	int less = KT_FD(kt_mint(c.space, 0));

	kt_await_word(&kt_report->shared[0], 1);
	kt_sleep(KT_MS(50));
	info = kt_space_info(less);
	KT_EQ(info.exited, 0);
	KT_TRUE(info.cpu_ns > KT_MS(1));
	KT_EQ(kt_control(less, PITH_OP_SPACE_KILL, NULL), -EPERM);
	kt_kill(&c);
	KT_EQ(kt_await_exit(&c), 128 + 9);
	kt_kill(&c);	/* dead already: nothing happens */
	KT_EQ(kt_signal(c.exit_notif, 1), 0);
	KT_EQ(kt_finish(&c), 128 + 9);
	info = kt_space_info(less);
	KT_EQ(info.exited, 1);
	KT_TRUE(info.cpu_ns > KT_MS(1));
	kt_close(less);
}

/* Closing the space capability does not end the program. */
KT_CORE(program_closed)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child c = kt_start("client_calls", &ep, 1);

	kt_close(c.space);
	kt_wait_call(ep);
	KT_EQ(kt_reply(ep, 0), 0);
	kt_wait_note(c.ep, 1, 1);
	kt_close(c.exit_notif);
	kt_close(c.ep);
	kt_domain_end(c.domain);
	kt_close(ep);
}

/* --- what a component begins with ------------------------------------------- */

#define TABLE	4096

KT_ROLE(look_at_table)
{
	/* slots 0 and 1 as always; args: notification, hole, endpoint */
	for (int fd = 0; fd < TABLE + 10; fd++) {
		uint32_t type = kt_type(fd), expected = 0;

		if (fd == KT_SLOT_DOMAIN)
			expected = PITH_T_DOMAIN;
		else if (fd == KT_SLOT_REPORT || fd == kt_buf.mem)
			expected = PITH_T_MEMORY;
		else if (fd == KT_SLOT_ARG)
			expected = PITH_T_NOTIFICATION;
		else if (fd == KT_SLOT_ARG + 2)
			expected = PITH_T_ENDPOINT;
		if (type != expected)
			KT_FAIL("fd %d is of type %u, not %u", fd, type,
				expected);
		/* nothing at all there, of no kind */
		if (!expected)
			KT_EQ(kt_close(fd), -EBADF);
	}
	KT_EQ(kt_rights(KT_SLOT_DOMAIN), PITH_R_CHARGE);
	KT_EQ(kt_rights(KT_SLOT_ARG), PITH_R_SIGNAL);
	KT_EQ(kt_rights(KT_SLOT_ARG + 2), PITH_R_CALL);
}

KT_CORE(program_has_only_what_is_named)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int args[3] = { KT_FD(kt_mint(n, PITH_R_SIGNAL)), -1,
			KT_FD(kt_mint_badge(ep, 1)) };
	int extra[32];

	/* much that could leak */
	for (int i = 0; i < 32; i++)
		extra[i] = KT_FD(kt_mint(kt_report_mem, 0));
	kt_run("look_at_table", args, 3);
	for (int i = 0; i < 32; i++)
		kt_close(extra[i]);
	kt_close(args[0]);
	kt_close(args[2]);
	kt_close(n);
	kt_close(ep);
}

extern char **environ;

/* argv[0] is the name; no environment; what libc needs in the vector. */
KT_ROLE(look_at_stack)
{
	const unsigned long *aux = (const unsigned long *)environ;
	const unsigned long *random = (void *)getauxval(AT_RANDOM);

	KT_TRUE(environ && !environ[0]);
	KT_TRUE(((char **)environ)[-1] == NULL);
	KT_TRUE(!strcmp(((char **)environ)[-2], "look_at_stack"));
	KT_EQ(((long *)environ)[-3], 1);
	KT_EQ((uintptr_t)((long *)environ - 3) % 16, 0);
	for (aux++; aux[0] != AT_NULL; aux += 2)
		KT_TRUE(aux[0] != AT_BASE);
	KT_EQ(getauxval(AT_PAGESZ), KT_PAGE);
	KT_TRUE(!strcmp((char *)getauxval(AT_EXECFN), "look_at_stack"));
	KT_TRUE(!memcmp((char *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG));
	KT_EQ(getauxval(AT_SECURE), 0);
	kt_report->shared[kt_report->shared[0] * 3 + 1] = random[0];
	kt_report->shared[kt_report->shared[0] * 3 + 2] = random[1];
	kt_report->shared[kt_report->shared[0] * 3 + 3] = (uintptr_t)environ;
}

KT_CORE(program_stack)
{
	volatile uint64_t *got = kt_report->shared;

	for (int i = 0; i < 4; i++) {
		got[0] = i;
		kt_run("look_at_stack", NULL, 0);
	}
	/* random numbers and the place of the stack are new each time */
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			KT_TRUE(got[3 * i + 1] != got[3 * k + 1] &&
				got[3 * i + 2] != got[3 * k + 2]);
	KT_TRUE(got[3] != got[6] || got[6] != got[9] || got[9] != got[12]);
}

/* Code and constants are the file's own memory, data is a copy. */
static const uint64_t in_constants = 0x5eed;
static volatile uint64_t in_data = 0xda7a, in_zeros[3000];

/* What a constant is now, not when it was compiled. */
static uint64_t read_now(const uint64_t *p)
{
	__asm__ volatile("" : "+r"(p));
	return *(const volatile uint64_t *)p;
}

KT_ROLE(look_at_segments)
{
	uintptr_t constants = (uintptr_t)&in_constants & -KT_PAGE;

	KT_EQ(in_data, 0xda7a);
	for (int i = 0; i < 3000; i++)
		KT_EQ(in_zeros[i], 0);
	in_data = in_zeros[1] = 1;
	KT_EQ(kt_protect((void *)constants, KT_PAGE, KT_R | KT_W), -EACCES);
	KT_EQ(kt_protect((void *)((uintptr_t)&kt_run & -KT_PAGE), KT_PAGE,
			 KT_R | KT_W), -EACCES);
	KT_EQ(kt_protect((void *)((uintptr_t)&in_data & -KT_PAGE), KT_PAGE,
			 KT_R | KT_W | KT_X), -EACCES);
	KT_EQ(read_now(&in_constants), 0x5eed);
}

KT_CORE(program_segments)
{
	kt_run("look_at_segments", NULL, 0);
	kt_run("look_at_segments", NULL, 0);
}

KT_ROLE(write_code)
{
	*(volatile char *)(uintptr_t)&kt_run = 0;
}

KT_ROLE(write_constants)
{
	*(volatile uint64_t *)(uintptr_t)&in_constants = 1;
}

KT_ROLE(run_data)
{
	in_data = KT_RETURN;
	((void (*)(void))(uintptr_t)&in_data)();
}

KT_ROLE(run_stack)
{
	volatile uint32_t code[4] = { KT_RETURN };

	((void (*)(void))(uintptr_t)code)();
}

KT_CORE(program_rights)
{
	static const char *const roles[] = {
		"write_code", "write_constants", "run_data", "run_stack",
	};
	struct kt_child c;

	for (int i = 0; i < 4; i++) {
		c = kt_start(roles[i], NULL, 0);
		if (!KT_EQ(kt_finish(&c), 128 + 11))
			KT_FAIL("%s", roles[i]);
	}
}

/* --- programs -------------------------------------------------------------- */

static int domain;

/* A copy of this program's file, changed by @change, must be refused. */
static void bad_program(void (*change)(uint8_t *file, uint64_t size))
{
	uint64_t size = kt_mem_size(kt_program);
	uint8_t *from = kt_map(kt_program, 0, size, KT_R), *to;
	int mem = KT_FD(kt_mem_create(-1, size, 0));

	to = kt_map(mem, 0, size, KT_R | KT_W);
	KT_NEED(!kt_is_error(from) && !kt_is_error(to));
	memcpy(to, from, size);
	change(to, size);
	KT_EQ(kt_load(domain, mem, "exit_0", NULL, 0, -1), -ENOEXEC);
	kt_unmap(from, size);
	kt_unmap(to, size);
	kt_close(mem);
}

static void zero_all(uint8_t *file, uint64_t size)
{
	memset(file, 0, size);
}

static void script(uint8_t *file, uint64_t size)
{
	(void)size;
	memcpy(file, "#!/init\n", 8);
}

static void headers_far_outside(uint8_t *file, uint64_t size)
{
	(void)size;
	((Elf64_Ehdr *)file)->e_phoff = 1ull << 62;
}

/* An interpreter would be looked up by path: that is not a static program. */
static void interpreter(uint8_t *file, uint64_t size)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)file;
	Elf64_Phdr *p = (Elf64_Phdr *)(file + e->e_phoff);

	for (int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type != PT_GNU_STACK)
			continue;
		p[i].p_type = PT_INTERP;
		p[i].p_offset = size - 16;
		p[i].p_filesz = 6;
	}
	memcpy(file + size - 16, "/init", 6);
}

KT_CORE(program_bad)
{
	struct pith_domain_info before, after;
	int no_exec, no_read;

	domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	before = kt_domain_info(domain);
	bad_program(zero_all);
	bad_program(script);
	bad_program(headers_far_outside);
	bad_program(interpreter);
	no_exec = KT_FD(kt_mint(kt_program, PITH_R_READ));
	no_read = KT_FD(kt_mint(kt_program, PITH_R_EXEC));
	KT_EQ(kt_load(domain, no_exec, "exit_0", NULL, 0, -1), -EPERM);
	KT_EQ(kt_load(domain, no_read, "exit_0", NULL, 0, -1), -EACCES);
	KT_EQ(kt_load(domain, domain, "exit_0", NULL, 0, -1), -EBADF);
	KT_EQ(kt_load(domain, kt_program, "", NULL, 0, -1), -EINVAL);
	KT_EQ(kt_load(domain, kt_program, "0123456789012345678901234567890x",
		      NULL, 0, -1), -EINVAL);
	/* what was made for a start that failed goes as its threads do */
	for (int i = 0; i < 300; i++) {
		after = kt_domain_info(domain);
		if (after.ram_used == before.ram_used)
			break;
		kt_sleep(KT_MS(10));
	}
	KT_EQ(after.ram_used, before.ram_used);
	KT_EQ(after.caps_used, before.caps_used);
	KT_EQ(after.processes, 0);
	kt_close(no_exec);
	kt_close(no_read);
	kt_domain_end(domain);
}

/* With each quota from nothing up to what it takes: all of it comes back. */
KT_CORE(program_quota)
{
	struct pith_domain_info info = { 0 };
	unsigned int tries = 0;
	int ret = -EDQUOT, d;

	for (uint64_t ram = 0; ret < 0 && tries < 200; ram += 4 * KT_PAGE) {
		d = kt_domain(ram, KT_CHILD_CAPS);
		ret = kt_load(d, kt_program, "exit_0", NULL, 0, -1);
		tries++;
		if (ret < 0)	/* ENOMEM: SPACE_PROTECT could not split */
			KT_TRUE(ret == -EDQUOT || ret == -ENOMEM);
		else
			kt_close(ret);
		for (int i = 0; i < 300; i++) {
			info = kt_domain_info(d);
			if (!info.ram_used && !info.caps_used)
				break;
			kt_sleep(KT_MS(10));
		}
		KT_EQ(info.ram_used, 0);
		KT_EQ(info.caps_used, 0);
		kt_domain_end(d);
	}
	KT_TRUE(ret >= 0 && tries > 10);
	kt_console("# a small program takes %u KiB", (tries - 1) * 16);
}
