// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Pith knows about the registers of x86: what a thread's are, and which
 * values another thread may give it.
 */
#include <linux/elf.h>
#include <linux/sched/task_stack.h>
#include <asm/fsgsbase.h>
#include <asm/prctl.h>
#include <asm/traps.h>
#include "../../../kernel/pith/pith.h"

/* What a program can change itself, less what is meant for a kernel's use. */
#define USER_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | \
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_AC)

#define COPY(to, from) do {						\
	(to)->ip = (from)->ip; (to)->sp = (from)->sp;			\
	(to)->ax = (from)->ax; (to)->bx = (from)->bx;			\
	(to)->cx = (from)->cx; (to)->dx = (from)->dx;			\
	(to)->si = (from)->si; (to)->di = (from)->di;			\
	(to)->bp = (from)->bp; (to)->r8 = (from)->r8;			\
	(to)->r9 = (from)->r9; (to)->r10 = (from)->r10;			\
	(to)->r11 = (from)->r11; (to)->r12 = (from)->r12;		\
	(to)->r13 = (from)->r13; (to)->r14 = (from)->r14;		\
	(to)->r15 = (from)->r15;					\
} while (0)

void pith_regs_clear(void)
{
	ELF_PLAT_INIT(current_pt_regs(), 0);
	start_thread(current_pt_regs(), 0, 0);
}

void pith_regs_get(struct task_struct *task, struct pith_regs *r)
{
	struct pt_regs *regs = task_pt_regs(task);

	COPY(r, regs);
	r->flags = regs->flags;
	r->tls = x86_fsbase_read_task(task);
}

void pith_regs_set(struct task_struct *task, struct pith_regs *r)
{
	struct pt_regs *regs = task_pt_regs(task);

	COPY(regs, r);
	regs->flags = (regs->flags & ~USER_FLAGS) | (r->flags & USER_FLAGS);
	regs->orig_ax = -1;	/* no system call to be restarted */
	task->thread.fsindex = 0;
	x86_fsbase_write_task(task, r->tls);
}

void pith_fault_decode(struct pith_fault *f)
{
	struct thread_struct *t = &current->thread;

	f->ip = task_pt_regs(current)->ip;
	if (t->trap_nr != X86_TRAP_PF) {
		f->type = PITH_FAULT_EXCEPTION;
		f->code = t->trap_nr;
		return;
	}
	f->address = t->cr2;
	f->type = t->error_code & X86_PF_INSTR ? PITH_FAULT_EXEC :
		  t->error_code & X86_PF_WRITE ? PITH_FAULT_WRITE :
						 PITH_FAULT_READ;
}

int pith_check_arch_prctl(int option)
{
	return current->pith_mode != PITH_MODE_COMPONENT ||
	       option == ARCH_SET_FS || option == ARCH_GET_FS ? 0 : -EPERM;
}
