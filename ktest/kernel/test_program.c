// SPDX-License-Identifier: BSD-2-Clause
/* Starting components: what they begin with, how they end. */
#include <elf.h>
#include <string.h>
#include <sys/syscall.h>
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

KT_ROLE(end_ill)
{
	__asm__ volatile("ud2");
}

KT_ROLE(end_fpe)
{
	__asm__ volatile("xor %%ecx, %%ecx\n\t"
			 "mov $1, %%eax\n\t"
			 "cdq\n\t"
			 "idiv %%ecx" : : : "eax", "ecx", "edx");
}

KT_ROLE(end_gp)
{
	__asm__ volatile("cli");
}

KT_ROLE(end_trap)
{
	__asm__ volatile("int3");
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

KT_CORE(spawn_exit_status)
{
	static const struct { const char *role; int status; } cases[] = {
		{ "exit_0", 0 }, { "exit_1", 1 }, { "exit_255", 255 },
		{ "exit_by_syscall", 77 }, { "end_segv", 128 + 11 },
		{ "end_ill", 128 + 4 }, { "end_fpe", 128 + 8 },
		{ "end_gp", 128 + 11 }, { "end_trap", 128 + 5 },
		{ "end_stack_overflow", 128 + 11 }, { "no_such_role", 97 },
	};
	struct kt_child c;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		c = kt_start(cases[i].role, NULL, 0);
		if (!KT_EQ(kt_finish(&c), cases[i].status))
			KT_FAIL("%s", cases[i].role);
	}
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

KT_CORE(spawn_exit_with_last_thread)
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

KT_CORE(spawn_exit_ends_threads)
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

KT_CORE(process_kill)
{
	struct kt_child c = kt_start("spin", NULL, 0);
	struct pith_proc_info info;
	int less = KT_FD(kt_mint(c.process, 0));

	kt_await_word(&kt_report->shared[0], 1);
	kt_sleep(KT_MS(50));
	KT_EQ(kt_control(less, PITH_OP_PROC_INFO, &info), 0);
	KT_EQ(info.exited, 0);
	KT_TRUE(info.cpu_ns > KT_MS(1));
	KT_EQ(kt_control(less, PITH_OP_PROC_KILL, NULL), -EPERM);
	kt_kill(&c);
	KT_EQ(kt_await_exit(&c), 128 + 9);
	kt_kill(&c);	/* dead already: nothing happens */
	KT_EQ(kt_signal(c.exit_notif, 1), 0);
	KT_EQ(kt_finish(&c), 128 + 9);
	KT_EQ(kt_control(less, PITH_OP_PROC_INFO, &info), 0);
	KT_EQ(info.exited, 1);
	KT_TRUE(info.cpu_ns > KT_MS(1));
	kt_close(less);
}

/* Closing the process capability does not end the process. */
KT_CORE(process_closed)
{
	int ep = KT_FD(kt_ep_create());
	struct kt_child c = kt_start("client_calls", &ep, 1);

	kt_close(c.process);
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

KT_CORE(spawn_only_what_is_named)
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

/* argv[0] is the name; no environment; nothing of the system in auxv. */
KT_ROLE(look_at_stack)
{
	const unsigned long *aux = (const unsigned long *)environ;

	KT_TRUE(environ && !environ[0]);
	KT_TRUE(((char **)environ)[-1] == NULL);
	KT_TRUE(!strcmp(((char **)environ)[-2], "look_at_stack"));
	KT_EQ(((long *)environ)[-3], 1);
	for (aux++; aux[0] != AT_NULL; aux += 2) {
		if (aux[0] == AT_BASE)
			KT_EQ(aux[1], 0);
		if (aux[0] == AT_PAGESZ)
			KT_EQ(aux[1], KT_PAGE);
		if (aux[0] == AT_EXECFN)
			KT_TRUE(!strcmp((char *)aux[1], "look_at_stack"));
	}
}

KT_CORE(spawn_stack)
{
	kt_run("look_at_stack", NULL, 0);
}

/* --- arguments ------------------------------------------------------------- */

static int32_t spawn_caps[80];
static int spawn_domain;

static struct pith_spawn good(void)
{
	return (struct pith_spawn){
		.binary = kt_program, .exit_notif = -1,
		.caps = (uintptr_t)spawn_caps, .ncaps = 3,
		.stack = KT_CHILD_STACK, .charge = KT_CHILD_CHARGE,
		.name = "sleeper",
	};
}

static void refused(struct pith_spawn s, long err)
{
	struct pith_domain_info before = kt_domain_info(spawn_domain), after;
	long ret = kt_control(spawn_domain, PITH_OP_SPAWN, &s);

	KT_EQ(ret, err);
	if (ret >= 0)
		kt_close(ret);
	after = kt_domain_info(spawn_domain);
	KT_EQ(after.processes, before.processes);
	for (int i = 0; i < 100 && after.ram_used != before.ram_used; i++) {
		kt_sleep(KT_MS(10));
		after = kt_domain_info(spawn_domain);
	}
	KT_EQ(after.ram_used, before.ram_used);
	KT_EQ(after.caps_used, before.caps_used);
}

#define REFUSED(err, field, value) do {		\
	struct pith_spawn s_ = good();		\
	s_.field = value;			\
	refused(s_, err);			\
} while (0)

static void setup_spawn(void)
{
	spawn_domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	memset(spawn_caps, 0xff, sizeof(spawn_caps));
	spawn_caps[KT_SLOT_DOMAIN] = spawn_domain;
	spawn_caps[KT_SLOT_REPORT] = kt_report_mem;
}

KT_CORE(spawn_args)
{
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create());
	int manage = KT_FD(kt_mint(n, PITH_R_MANAGE));
	int no_exec = KT_FD(kt_mint(kt_program, PITH_R_READ | PITH_R_WRITE));
	struct pith_spawn s;

	setup_spawn();
	REFUSED(-EBADF, binary, ep);
	REFUSED(-EBADF, binary, -1);
	REFUSED(-EBADF, binary, 4000);
	REFUSED(-EPERM, binary, no_exec);
	REFUSED(-EBADF, exit_notif, ep);
	REFUSED(-EBADF, exit_notif, -2);
	REFUSED(-EBADF, exit_notif, 4000);
	REFUSED(-EPERM, exit_notif, manage);
	REFUSED(-EINVAL, ncaps, 65);
	REFUSED(-EINVAL, ncaps, ~0u);
	REFUSED(-EINVAL, nice, -21);
	REFUSED(-EINVAL, nice, 20);
	REFUSED(-EINVAL, nice, 0x7fffffff);
	REFUSED(-EINVAL, charge, 1);
	REFUSED(-EINVAL, charge, ~0ull);
	REFUSED(-EDQUOT, charge, KT_CHILD_RAM + KT_PAGE);
	REFUSED(-EDQUOT, charge, -(uint64_t)KT_PAGE);
	REFUSED(-EINVAL, stack, 1ull << 40);
	REFUSED(-EINVAL, stack, ~0ull);
	REFUSED(-EINVAL, affinity, 1ull << 63);
	REFUSED(-EFAULT, caps, 0);
	REFUSED(-EFAULT, caps, 0xffff888000000000);
	REFUSED(-EINVAL, name[0], '\0');
	s = good();
	memset(s.name, 'x', sizeof(s.name));	/* no NUL */
	refused(s, -EINVAL);
	for (int i = 0; i < 3; i++) {
		int32_t old = spawn_caps[i];

		spawn_caps[i] = 4000;
		refused(good(), -EBADF);
		spawn_caps[i] = -2;
		refused(good(), -EBADF);
		spawn_caps[i] = old;
	}
	kt_domain_end(spawn_domain);
	kt_close(no_exec);
	kt_close(manage);
	kt_close(n);
	kt_close(ep);
}

KT_ROLE(count_caps)
{
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += kt_type(fd) != 0 && fd != kt_buf.mem;
	KT_EQ(n, 64);
}

KT_CORE(spawn_64_caps)
{
	struct pith_spawn s = good();
	int ep = KT_FD(kt_ep_create()), n = KT_FD(kt_notif_create()), process;

	setup_spawn();
	KT_EQ(kt_bind(n, ep, 1), 0);
	for (int i = 2; i < 64; i++)
		spawn_caps[i] = kt_report_mem;
	s.ncaps = 64;
	s.exit_notif = n;
	process = KT_FD(kt_spawn_raw(spawn_domain, &s, "count_caps"));
	kt_wait_note(ep, 1, 1);
	kt_close(process);
	kt_domain_end(spawn_domain);
	kt_close(n);
	kt_close(ep);
}

/* Components do not start components, whatever they hold. */
KT_ROLE(try_to_spawn)
{
	int32_t caps[2] = { KT_SLOT_DOMAIN, KT_SLOT_REPORT };
	struct pith_spawn s = {
		.binary = KT_SLOT_ARG + 1, .exit_notif = -1,
		.caps = (uintptr_t)caps, .ncaps = 2, .stack = KT_CHILD_STACK,
		.charge = KT_CHILD_CHARGE, .name = "exit_0",
	};

	KT_EQ(kt_rights(KT_SLOT_ARG), PITH_R_CHARGE | PITH_R_ADMIN);
	KT_EQ(kt_control(KT_SLOT_ARG, PITH_OP_SPAWN, &s), -EPERM);
}

KT_CORE(spawn_only_core)
{
	int domain = kt_domain(KT_CHILD_RAM, KT_CHILD_CAPS);
	int args[2] = { domain, kt_program };

	kt_run("try_to_spawn", args, 2);
	kt_domain_end(domain);
}

/* --- programs -------------------------------------------------------------- */

/* A copy of this program's file, changed by @change, must be refused. */
static void bad_program(void (*change)(uint8_t *file, uint64_t size))
{
	uint64_t size = kt_mem_size(kt_program);
	struct pith_spawn s = good();
	uint8_t *from = kt_map(kt_program, 0, size, KT_R), *to;
	int mem = KT_FD(kt_mem_create(-1, size, 0));
	long ret;

	to = kt_map(mem, 0, size, KT_R | KT_W);
	KT_NEED(!kt_is_error(from) && !kt_is_error(to));
	memcpy(to, from, size);
	change(to, size);
	s.binary = mem;
	ret = kt_spawn_raw(spawn_domain, &s, "exit_0");
	if (ret != -ENOEXEC && ret != -EINVAL)
		KT_FAIL("a broken program: %ld", ret);
	if (ret >= 0)
		kt_close(ret);
	kt_unmap(from, size);
	kt_unmap(to, size);
	kt_close(mem);
}

static void zero_all(uint8_t *file, uint64_t size)
{
	memset(file, 0, size);
}

static void no_magic(uint8_t *file, uint64_t size)
{
	(void)size;
	file[0] = 0;
}

static void script(uint8_t *file, uint64_t size)
{
	(void)size;
	memcpy(file, "#!/init\n", 8);
}

static void other_machine(uint8_t *file, uint64_t size)
{
	(void)size;
	((Elf64_Ehdr *)file)->e_machine = EM_AARCH64;
}

static void not_executable(uint8_t *file, uint64_t size)
{
	(void)size;
	((Elf64_Ehdr *)file)->e_type = ET_REL;
}

static void headers_outside(uint8_t *file, uint64_t size)
{
	((Elf64_Ehdr *)file)->e_phoff = size;
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

KT_CORE(spawn_bad_programs)
{
	setup_spawn();
	bad_program(zero_all);
	bad_program(no_magic);
	bad_program(script);
	bad_program(other_machine);
	bad_program(not_executable);
	bad_program(headers_outside);
	bad_program(headers_far_outside);
	bad_program(interpreter);
	kt_domain_end(spawn_domain);
}
