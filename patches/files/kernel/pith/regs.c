// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that Pith knows about the registers of a processor: what a thread's are,
 * and which values another thread may give it.
 */
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include "pith.h"

#ifdef CONFIG_X86_64
#include <asm/fsgsbase.h>
#include <asm/traps.h>

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
#endif

#ifdef CONFIG_ARM64
#include <asm/esr.h>

void pith_regs_get(struct task_struct *task, struct pith_regs *r)
{
	struct pt_regs *regs = task_pt_regs(task);

	memcpy(r->x, regs->regs, sizeof(r->x));
	r->sp = regs->sp;
	r->ip = regs->pc;
	r->flags = regs->pstate;
	r->tls = task->thread.uw.tp_value;
}

void pith_regs_set(struct task_struct *task, struct pith_regs *r)
{
	struct pt_regs *regs = task_pt_regs(task);
	u64 flags = PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT;

	memcpy(regs->regs, r->x, sizeof(r->x));
	regs->sp = r->sp;
	regs->pc = r->ip;
	regs->pstate = (regs->pstate & ~flags) | (r->flags & flags);
	forget_syscall(regs);
	task->thread.uw.tp_value = r->tls;
}

void pith_fault_decode(struct pith_fault *f)
{
	unsigned long esr = current->thread.fault_code;

	f->ip = task_pt_regs(current)->pc;
	f->address = current->thread.fault_address;
	switch (ESR_ELx_EC(esr)) {
	case ESR_ELx_EC_IABT_LOW:
		f->type = PITH_FAULT_EXEC;
		break;
	case ESR_ELx_EC_DABT_LOW:
		f->type = esr & ESR_ELx_WNR ? PITH_FAULT_WRITE :
					      PITH_FAULT_READ;
		break;
	default:
		f->type = PITH_FAULT_EXCEPTION;
		f->code = ESR_ELx_EC(esr);
	}
}
#endif

bool pith_regs_valid(const struct pith_regs *r)
{
	return r->ip < TASK_SIZE_MAX && r->sp < TASK_SIZE_MAX &&
	       r->tls < TASK_SIZE_MAX;
}
