// SPDX-License-Identifier: BSD-2-Clause
/* Spaces that the attacker may make, and its own seen from outside. */
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include "attack.h"
#include "space.h"

#define RW	(PITH_R_READ | PITH_R_WRITE)
#define RX	(PITH_R_READ | PITH_R_EXEC)
#define PAGES	16

/* Writes to each page from rdi on, over and over; counts rounds at the data. */
KS_ASM(writer, "1: mov $16, %ecx\n\tmov %rdi, %rax\n"
	       "2: movq %rcx, (%rax)\n\tadd $4096, %rax\n\tloop 2b\n\t"
	       "incq 0x20000000\n\tjmp 1b");
KS_ASM(ends, "xor %edi, %edi" KS_EXIT_DI);
/* A system call whose return address is the end of user space. */
KS_ASM(to_the_end, "mov $24, %eax\n\tjmp *%rdi");

/* The end of user space: a page before the sign bit, with 4 or 5 levels. */
uint64_t attack_top(struct ks *s)
{
	struct pith_map m = { A_ROM, PITH_R_READ, 1ull << 47, 0, KT_PAGE };
	struct pith_range r = { 1ull << 47, KT_PAGE, 0, 0 };

	if (kt_control(s->space, PITH_OP_SPACE_MAP, &m))
		return (1ull << 47) - KT_PAGE;
	KT_EQ(kt_control(s->space, PITH_OP_SPACE_UNMAP, &r), 0);
	return (1ull << 56) - KT_PAGE;
}

static volatile uint64_t over;

static int own_memory(uint64_t pages)
{
	return KT_FD(kt_mem_create(-1, pages * KT_PAGE, 0));
}

/* A_OWN uses what it used: soon, as the kernel gets to it. */
static void own_quota_back(const struct pith_domain_info *before)
{
	struct pith_domain_info now = { 0 };

	for (int i = 0; i < 500; i++) {
		now = kt_domain_info(A_OWN);
		if (now.ram_used == before->ram_used && !now.processes)
			break;
		kt_sleep(KT_MS(10));
	}
	KT_EQ(now.ram_used, before->ram_used);
	KT_EQ(now.caps_used, before->caps_used);
	KT_EQ(now.processes, 0);
}

static void await_rounds(struct ks *s, uint64_t more)
{
	uint64_t enough = s->word[0] + more, end = KT_SOON;

	while (s->word[0] < enough && kt_now() < end)
		kt_sleep(KT_MS(1));
	KT_TRUE(s->word[0] >= enough);
}

ATTACK(space_edges, "map at the edges of an address space and beyond them")
{
	static const uint64_t low[] = { 0, KT_PAGE, 0xf000, 1ull << 56,
		1ull << 63, 0xffff800000000000, 0xffffffff80000000,
		0xffffffffff600000, ~0xfffull };
	static const uint64_t sizes[] = { 1ull << 44, 1ull << 56, 1ull << 63,
		~0xfffull };
	uint64_t bad[COUNT(low) + 2], top;
	struct ks s;
	int mem = own_memory(2);

	ks_open_in(&s, A_OWN, NULL, 0);
	top = attack_top(&s);
	memcpy(bad, low, sizeof(low));
	bad[COUNT(low)] = top;
	bad[COUNT(low) + 1] = top + KT_PAGE;
	for (unsigned int i = 0; i < COUNT(bad); i++) {
		KT_EQ(ks_map(&s, mem, 0, bad[i], KT_PAGE, RW), -EINVAL);
		KT_EQ(ks_unmap(&s, bad[i], KT_PAGE), -EINVAL);
		KT_EQ(ks_protect(&s, bad[i], KT_PAGE, RW), -EINVAL);
	}
	for (unsigned int i = 0; i < COUNT(sizes); i++) {
		KT_TRUE(ks_map(&s, mem, 0, KS_AT, sizes[i], RW) < 0);
		KT_EQ(ks_map(&s, mem, sizes[i], KS_AT, KT_PAGE, RW), -EINVAL);
		KT_EQ(ks_unmap(&s, KS_AT, -sizes[i] - KS_AT), -EINVAL);
	}
	KT_EQ(ks_map(&s, mem, KT_PAGE, KS_AT, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, top - KT_PAGE, 2 * KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, mem, 0, top - KT_PAGE, KT_PAGE, RW), 0);
	KT_EQ(ks_map(&s, mem, 0, 0x10000, KT_PAGE, RW), 0);
	/* all of it at once */
	KT_EQ(ks_unmap(&s, 0x10000, top - 0x10000), 0);
	kt_close(mem);
	ks_end(&s);
}

ATTACK(space_rights, "map and protect beyond what the capability allows")
{
	struct ks s;
	int mem = own_memory(1);
	int less[3] = { KT_FD(kt_mint(mem, PITH_R_READ)),
			KT_FD(kt_mint(mem, PITH_R_READ | PITH_R_WRITE)),
			KT_FD(kt_mint(mem, PITH_R_WRITE | PITH_R_EXEC)) };

	ks_open_in(&s, A_OWN, NULL, 0);
	for (uint32_t r = 0; r < 0x800; r++) {
		bool valid = r && !(r & ~(RW | PITH_R_EXEC));

		if (valid && (r & ~PITH_R_READ))
			KT_EQ(ks_map(&s, less[0], 0, KS_AT, KT_PAGE, r),
			      -EPERM);
		else if (!valid)
			KT_EQ(ks_map(&s, mem, 0, KS_AT, KT_PAGE, r), -EINVAL);
		if (valid)
			KT_EQ(ks_map(&s, less[2], 0, KS_AT, KT_PAGE, r),
			      -EPERM);
	}
	KT_EQ(ks_map(&s, less[1], 0, KS_AT, KT_PAGE, PITH_R_READ), 0);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, PITH_R_EXEC), -EPERM);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, 0), -EINVAL);
	KT_EQ(ks_map(&s, A_ROM, 0, KS_AT + KT_PAGE, KT_PAGE, RX), -EPERM);
	for (int i = 0; i < 3; i++)
		kt_close(less[i]);
	kt_close(mem);
	ks_end(&s);
}

static void refused_map(void *p)
{
	if (!kt_is_error(p))
		KT_FAIL("mapped");
}

ATTACK(space_vdso, "unmap, widen, cover and replace the vDSO, from both sides")
{
	uint8_t *at = (void *)getauxval(AT_SYSINFO_EHDR);
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	KT_NEED(s.vdso);
	KT_EQ(ks_protect(&s, s.vdso, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_protect(&s, s.vdso, KT_PAGE, RW | PITH_R_EXEC), -EPERM);
	KT_EQ(ks_protect(&s, s.vdso - KT_PAGE, KT_PAGE, RW), -EPERM);
	KT_EQ(ks_map(&s, A_ROM, 0, s.vdso, KT_PAGE, PITH_R_READ), -EEXIST);
	KT_EQ(ks_unmap(&s, s.vdso - 4 * KT_PAGE, 8 * KT_PAGE), 0);
	KT_EQ(ks_map(&s, A_ROM, 0, s.vdso, KT_PAGE, PITH_R_READ), 0);
	ks_run(&s, ks_ends, 0);
	KT_EQ(ks_status(&s), 0);
	ks_end(&s);
	/* one's own */
	KT_NEED(at);
	for (int prot = 0; prot < 8; prot++)
		if (prot & KT_W)
			KT_EQ(kt_protect(at, KT_PAGE, prot), -EACCES);
	KT_EQ(kt_unmap(at - 4 * KT_PAGE, 8 * KT_PAGE), 0);
	refused_map(kt_map_at(at, A_ROM, 0, KT_PAGE, KT_R | KT_W, KT_MAP_FIXED));
	KT_TRUE(!kt_is_error(kt_map_at(at, A_ROM, 0, KT_PAGE, KT_R,
				       KT_MAP_FIXED)));
	kt_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);	/* no clock any more */
}

ATTACK(space_create_lies, "spaces of nothing, of too much, of what one lacks")
{
	struct pith_domain_info before = kt_domain_info(A_OWN);
	struct pith_space_create good = { .exit_notif = -1, .name = "x" }, c;
	int caps[65], none = KT_FD(kt_mint(A_BELL, 0)), mem = own_memory(1);
	void *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);

	for (int i = 0; i < 65; i++)
		caps[i] = A_ROM;
#define LIE(error, ...) do {						\
	c = good;							\
	__VA_ARGS__;							\
	KT_EQ(kt_control(A_OWN, PITH_OP_SPACE_CREATE, &c), error);	\
} while (0)
	LIE(-EINVAL, c.zero = 1);
	LIE(-EINVAL, c.name[0] = 0);
	LIE(-EINVAL, memset(c.name, 'x', sizeof(c.name)));
	LIE(-EINVAL, c.ncaps = 65, c.caps = (uintptr_t)caps);
	LIE(-EINVAL, c.ncaps = ~0u, c.caps = (uintptr_t)caps);
	LIE(-EFAULT, c.ncaps = 1);
	LIE(-EFAULT, c.ncaps = 64, c.caps = 0xffffffff81000000);
	LIE(-EBADF, c.ncaps = 64, c.caps = (uintptr_t)caps, caps[63] = 4000);
	LIE(-EBADF, c.exit_notif = A_ROM);
	LIE(-EBADF, c.exit_notif = -2);
	LIE(-EPERM, c.exit_notif = none);
#undef LIE
	KT_EQ(kt_control(KT_SLOT_DOMAIN, PITH_OP_SPACE_CREATE, &good), -EPERM);
	/* all is well but that the kernel cannot tell */
	memcpy(p, &good, sizeof(good));
	KT_EQ(kt_protect(p, KT_PAGE, KT_R), 0);
	KT_EQ(kt_control(A_OWN, PITH_OP_SPACE_CREATE, p), -EFAULT);
	own_quota_back(&before);
	kt_unmap(p, KT_PAGE);
	kt_close(mem);
	kt_close(none);
}

ATTACK(space_bomb, "spaces and threads until there is no quota, all at once gone")
{
	struct pith_domain_info before = kt_domain_info(A_OWN);
	struct pith_space_create c;
	int fds[80], n, last = -1;

	for (int round = 0; round < 3; round++) {
		for (n = 0; n + 2 < (int)COUNT(fds); n += 2) {
			c = (struct pith_space_create){ .exit_notif = -1,
							.name = "bomb" };
			fds[n] = kt_control(A_OWN, PITH_OP_SPACE_CREATE, &c);
			if (fds[n] < 0)
				break;
			fds[n + 1] = c.thread;
			last = fds[n];
		}
		/* they stay: a kernel that checks itself, whose stacks are
		 * larger, may have no quota for more in the next round */
		KT_TRUE(round || n > 4);
		while (n < (int)COUNT(fds)) {
			fds[n] = kt_control(last, PITH_OP_SPACE_THREAD, NULL);
			if (fds[n] < 0)
				break;
			n++;
		}
		attack_victim_answers();
		while (n--)
			kt_close(fds[n]);
	}
	/* not started, and nobody holds them: they live as their domain does */
	KT_EQ(kt_control(A_OWN, PITH_OP_DOMAIN_DESTROY, NULL), 0);
	own_quota_back(&before);
	KT_EQ(kt_control(A_OWN, PITH_OP_SPACE_CREATE, &c), -EDQUOT);
}

ATTACK(space_many_mappings, "mappings without end, then one split in the middle")
{
	int mem = own_memory(3);
	uint64_t at = KS_AT;
	long err = 0;
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	for (int n = 0; n < 3000 && !err; n++, at += 4 * KT_PAGE)
		err = ks_map(&s, mem, 0, at, 3 * KT_PAGE, RW);
	KT_TRUE(err == -ENOMEM || err == -EDQUOT);
	if (err == -ENOMEM) {
		KT_EQ(ks_protect(&s, KS_AT + KT_PAGE, KT_PAGE, PITH_R_READ),
		      -ENOMEM);
		KT_EQ(ks_unmap(&s, KS_AT + KT_PAGE, KT_PAGE), -ENOMEM);
	}
	KT_EQ(ks_unmap(&s, KS_AT, at - KS_AT), 0);
	attack_victim_answers();
	kt_close(mem);
	ks_end(&s);
}

/* --- races ------------------------------------------------------------------ */

struct race {
	struct ks s;
	int mem;
};

/* Whatever is touched is mapped, unless it was revoked or the space has ended. */
static void pager(void *arg)
{
	struct race *r = arg;
	long got = kt_wait(r->s.ep, kt_now() + KT_MS(100));

	while (!over || got == PITH_GOT_CALL) {
		uint64_t label = 1;

		if (got != PITH_GOT_CALL) {
			got = kt_wait(r->s.ep, kt_now() + KT_MS(20));
			continue;
		}
		if (kt_msg->label == PITH_FAULT) {
			uint64_t at = ks_fault().address & ~0xfffull;
			long err = ks_map(&r->s, r->mem, at - KS_AT, at,
					  KT_PAGE, RW);

			/* another answer, or another thread, was faster */
			if (err == -EEXIST)
				err = ks_protect(&r->s, at, KT_PAGE, RW);
			label = err && err != -ENOMEM;
		}
		kt_prepare(label);
		got = kt_reply_wait(r->s.ep, PITH_REPLY | PITH_WAIT,
				    kt_now() + KT_MS(20));
	}
}

static void disturb(void *arg)
{
	uint64_t random = (uintptr_t)&random | 1;
	struct race *r = arg;

	while (!over) {
		uint64_t n = attack_random(&random);
		uint64_t at = KS_AT + n % PAGES * KT_PAGE;
		uint64_t size = ((n >> 8) % 4 + 1) * KT_PAGE;

		if (n >> 16 & 1)
			ks_unmap(&r->s, at, size);
		else
			ks_protect(&r->s, at, size, n >> 17 & 1 ? RW :
							   PITH_R_READ);
	}
}

static void race_begin(struct race *r, struct kt_thread *t, int mem)
{
	over = 0;
	r->mem = mem;
	ks_open_in(&r->s, A_OWN, NULL, 0);
	memset(t, 0, 3 * sizeof(*t));
	kt_thread_start(&t[0], pager, r);
	kt_thread_start(&t[1], disturb, r);
	kt_thread_start(&t[2], disturb, r);
	ks_run(&r->s, ks_writer, KS_AT);
}

static void race_end(struct race *r, struct kt_thread *t)
{
	KT_EQ(kt_control(r->s.space, PITH_OP_SPACE_KILL, NULL), 0);
	over = 1;
	for (int i = 0; i < 3; i++)
		kt_thread_join(&t[i]);
	ks_end(&r->s);
}

ATTACK(space_unmap_raced, "pages are unmapped and protected under a writer")
{
	struct kt_thread t[3];
	int mem = own_memory(PAGES);
	struct race r;

	race_begin(&r, t, mem);
	for (int i = 0; i < 10; i++)
		await_rounds(&r.s, 5);
	race_end(&r, t);
	kt_close(mem);
}

ATTACK(space_revoke_raced, "memory is revoked while it is mapped into a space")
{
	struct pith_revoke all = { 0 };
	struct kt_thread t[3];
	struct race r;

	for (int i = 0; i < 8; i++) {
		int mem = attack_memory(PAGES);

		race_begin(&r, t, mem);
		await_rounds(&r.s, 1);
		KT_EQ(kt_control(mem, PITH_OP_REVOKE, &all), 0);
		KT_EQ(ks_map(&r.s, mem, 0, KS_AT + (1 << 20), KT_PAGE, RW),
		      -EPIPE);
		race_end(&r, t);
		kt_close(mem);
	}
}

ATTACK(space_kill_raced, "everything is asked of a space while it dies")
{
	struct pith_domain_info before = kt_domain_info(A_OWN);
	struct kt_thread t[3];
	int mem = own_memory(PAGES);
	struct race r;

	for (int i = 0; i < 20; i++) {
		race_begin(&r, t, mem);
		kt_sleep(i * 100000);
		KT_EQ(kt_control(r.s.space, PITH_OP_SPACE_KILL, NULL), 0);
		for (int k = 0; k < 20; k++) {
			long fd = kt_control(r.s.space, PITH_OP_SPACE_THREAD,
					     NULL);

			KT_TRUE(fd >= 0 || fd == -EPIPE || fd == -EDQUOT);
			if (fd >= 0)
				kt_close(fd);
			ks_map(&r.s, mem, 0, KS_AT + k * KT_PAGE, KT_PAGE, RW);
			ks_start(r.s.thread, KS_CODE, 0);
			kt_control(r.s.thread, PITH_OP_THREAD_PAUSE, NULL);
			ks_info(&r.s);
		}
		race_end(&r, t);
	}
	kt_close(mem);
	own_quota_back(&before);
}

/* --- one's own space -------------------------------------------------------- */

ATTACK(space_self, "use one's own space as its holder would")
{
	struct ks s = { .space = attack_own_space() };
	int mem = own_memory(2);
	volatile uint8_t *p = (void *)KS_AT;
	static uint8_t own_data[2 * KT_PAGE] __attribute__((aligned(4096)));

	KT_EQ(ks_map(&s, mem, 0, KS_AT, 2 * KT_PAGE, RW), 0);
	p[0] = p[KT_PAGE] = 1;
	KT_EQ(ks_unmap(&s, KS_AT, KT_PAGE), 0);
	KT_EQ(kt_control(A_ROM, PITH_OP_MEM_INFO, (void *)KS_AT), -EFAULT);
	KT_EQ(p[KT_PAGE], 1);
	/* code cannot be made writable, data not executable, from there either */
	KT_EQ(ks_protect(&s, (uintptr_t)attack_victim_answers & ~0xfffull,
			 KT_PAGE, RW | PITH_R_EXEC), -EPERM);
	KT_EQ(ks_protect(&s, (uintptr_t)own_data, KT_PAGE, RX), -EPERM);
	KT_EQ(ks_map(&s, mem, 0, (uintptr_t)own_data, KT_PAGE, RW), -EEXIST);
	KT_EQ(ks_unmap(&s, KS_AT, 2 * KT_PAGE), 0);
	KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, A_PEER), 0);
	KT_EQ(ks_fault_ep(s.space, PITH_OP_SPACE_FAULT_EP, -1), 0);
	attack_victim_answers();
	kt_close(mem);
	kt_close(s.space);
}

ATTACK_KILLED(space_self_fault, "be the only one who could answer one's own fault")
{
	int space = attack_own_space();

	KT_EQ(ks_fault_ep(space, PITH_OP_SPACE_FAULT_EP, A_PEER), 0);
	kt_report->shared[A_WORD_READY] = 1;
	kt_crash();
	KT_FAIL("it went on");
}

ATTACK_DIES(space_self_kill, "end one's own space in the middle of a call")
{
	kt_control(attack_own_space(), PITH_OP_SPACE_KILL, NULL);
	KT_FAIL("alive");
}

/* --- devices, ends ---------------------------------------------------------- */

ATTACK(space_io_memory, "execute, share and revoke device memory in a space")
{
	struct pith_revoke all = { 0 };
	int io = attack_io_memory();
	struct ks s;

	ks_open_in(&s, A_OWN, NULL, 0);
	KT_EQ(ks_map(&s, io, 0, KS_AT, KT_PAGE, RX), -EPERM);
	KT_EQ(ks_map(&s, io, KT_PAGE, KS_AT, KT_PAGE, RW), -EINVAL);
	KT_EQ(ks_map(&s, io, 0, KS_AT, KT_PAGE, RW), 0);
	KT_EQ(ks_protect(&s, KS_AT, KT_PAGE, RX), -EPERM);
	KT_EQ(kt_buffer_set(io, 0), -EINVAL);
	/* the writer meets no memory behind it, and goes on to fault */
	ks_run(&s, ks_writer, KS_AT);
	ks_wait_fault(&s, PITH_FAULT_WRITE, KS_AT + KT_PAGE);
	KT_EQ(kt_control(io, PITH_OP_REVOKE, &all), 0);
	KT_EQ(ks_map(&s, io, 0, KS_AT + KT_PAGE, KT_PAGE, RW), -EPIPE);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	kt_close(io);
	ks_end(&s);
}

ATTACK(space_last_byte, "a system call in the last bytes of user space")
{
	static const uint8_t syscall_insn[] = { 0x0f, 0x05 };
	int mem = own_memory(1);
	uint8_t *p = kt_map(mem, 0, KT_PAGE, KT_R | KT_W);
	struct ks s;
	uint64_t top;

	KT_NEED(!kt_is_error(p));
	memcpy(p + KT_PAGE - 2, syscall_insn, 2);
	ks_open_in(&s, A_OWN, NULL, 0);
	top = attack_top(&s);
	KT_EQ(ks_map(&s, mem, 0, top - KT_PAGE, KT_PAGE, RX), 0);
	ks_run(&s, ks_to_the_end, top - 2);
	ks_wait_fault(&s, PITH_FAULT_EXEC, top);
	KT_EQ(ks_fault().ip, top);
	ks_answer(&s, 1);
	KT_EQ(ks_status(&s), 128 + 11);
	ks_end(&s);
	kt_unmap(p, KT_PAGE);
	kt_close(mem);
}
