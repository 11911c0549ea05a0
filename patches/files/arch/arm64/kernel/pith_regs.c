// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Pith knows about the registers of arm64: what a thread's are, and which
 * values another thread may give it.
 */
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <asm/esr.h>
#include "../../../kernel/pith/pith.h"

/* What a program can change itself. */
#define USER_FLAGS	(PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT)

/* Vector registers, thread pointer and keys were copied with the task. */
void pith_regs_clear(void)
{
	flush_thread();
	arch_setup_new_exec();
	start_thread(current_pt_regs(), 0, 0);
	forget_syscall(current_pt_regs());
}

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

	memcpy(regs->regs, r->x, sizeof(r->x));
	regs->sp = r->sp;
	regs->pc = r->ip;
	regs->pstate = (regs->pstate & ~USER_FLAGS) | (r->flags & USER_FLAGS);
	regs->pstate &= ~PSR_BTYPE_MASK;	/* no jump led there */
	forget_syscall(regs);			/* to be restarted */
	task->thread.uw.tp_value = r->tls;
}

/* Is something else to be mapped, or mapped otherwise? */
static bool about_mapping(unsigned long esr)
{
	return esr_fsc_is_translation_fault(esr) ||
	       esr_fsc_is_permission_fault(esr) ||
	       esr_fsc_is_access_flag_fault(esr);
}

void pith_fault_decode(struct pith_fault *f)
{
	unsigned long esr = current->thread.pith_esr;

	f->ip = task_pt_regs(current)->pc;
	f->type = PITH_FAULT_EXCEPTION;
	f->code = ESR_ELx_EC(esr);
	if (!about_mapping(esr))
		return;
	if (f->code == ESR_ELx_EC_IABT_LOW)
		f->type = PITH_FAULT_EXEC;
	else if (f->code == ESR_ELx_EC_DABT_LOW)
		f->type = esr & ESR_ELx_WNR && !(esr & ESR_ELx_CM) ?
			  PITH_FAULT_WRITE : PITH_FAULT_READ;
	else
		return;
	f->code = 0;
	f->address = current->thread.fault_address;
}
