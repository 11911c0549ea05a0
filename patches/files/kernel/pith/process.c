// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: started by core from a memory object, in capability mode before
 * their first instruction, with the descriptors they were given and no others.
 */
#include <linux/binfmts.h>
#include <linux/completion.h>
#include <linux/fdtable.h>
#include <linux/init_task.h>
#include <linux/mmu_context.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/futex.h>
#include "pith.h"
#include "../sched/sched.h"

#define MAX_CAPS	64
#define MAX_THREADS	64
#define MAX_STACK	(8ULL << 20)
#define SPARE_FDS	64
#define SPARE_SPACE	(1ULL << 30)

DEFINE_MUTEX(pith_process_lock);

static void process_free(struct pith_object *obj)
{
	struct pith_process *p = container_of(obj, struct pith_process, obj);

	if (p->exit_notif)
		pith_put(&p->exit_notif->obj);
	put_pid(p->pid);
	if (p->files)
		put_files_struct(p->files);
	if (p->mm)
		mmdrop(p->mm);
	pith_put(&p->domain->obj);
	kfree_rcu(p, rcu);	/* pith_account() looks at it */
}

struct pith_process *pith_process_new(struct pith_domain *d)
{
	struct pith_process *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	pith_object_init(&p->obj, PITH_T_PROCESS, process_free);
	INIT_LIST_HEAD(&p->link);
	INIT_LIST_HEAD(&p->threads);
	mutex_init(&p->lock);
	atomic_set(&p->tasks, 1);
	atomic_set(&p->live, 1);
	pith_get(&d->obj);
	p->domain = d;
	return p;
}

void pith_kill(struct pith_process *p)
{
	if (p->mm)
		pith_space_die(p, SIGKILL);
	else
		kill_pid(p->pid, SIGKILL, 1);
}

/* --- hooks in fork and exit --------------------------------------------------------- */

/* Numbers come again after so many that none of the first is left. */
pid_t pith_next_tid(struct pith_process *p)
{
	return 1 + (u32)(atomic_inc_return(&p->last_tid) - 1) % FUTEX_TID_MASK;
}

/* Under p->lock, when the last task has ended. */
static void forget_threads(struct pith_process *p)
{
	struct pith_thread *th, *next;

	list_for_each_entry_safe(th, next, &p->threads, space_link) {
		list_del_init(&th->space_link);
		pith_put(&th->obj);
	}
}

static void process_exit(struct pith_process *p, struct task_struct *task)
{
	int code = task->signal->group_exit_code ?: task->exit_code;

	if (p->mm) {
		mutex_lock(&p->lock);
		if (p->killed)
			code = p->code;
		forget_threads(p);
		mutex_unlock(&p->lock);
	}
	mutex_lock(&pith_process_lock);
	p->status = code & 0x7f ? 128 + (code & 0x7f) : (code >> 8) & 0xff;
	smp_store_release(&p->exited, true);
	list_del_init(&p->link);
	mutex_unlock(&pith_process_lock);
	pith_uncharge(p->domain, p->charge, 0);
	if (p->exit_notif && p->started)
		pith_notif_signal(p->exit_notif, 1);
}

/*
 * After the task has closed its files and given its memory back. The last task
 * to come here counts, not the last to start dying.
 */
void pith_exit(struct task_struct *task)
{
	struct pith_process *p = task->pith_process;
	struct rq_flags rf;
	struct rq *rq;

	if (!p)
		return;
	mutex_lock(&p->lock);
	p->cpu_ns += task_sched_runtime(task);
	/* another CPU may be accounting our time */
	rq = task_rq_lock(task, &rf);
	task->pith_process = NULL;
	task_rq_unlock(rq, task, &rf);
	mutex_unlock(&p->lock);
	if (atomic_dec_and_test(&p->tasks))
		process_exit(p, task);
	pith_put(&p->obj);
}

#define THREAD_MUST	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD)
#define THREAD_MAY	(THREAD_MUST | CLONE_SYSVSEM | CLONE_SETTLS | \
			 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
			 CLONE_DETACHED)

int pith_check_clone(const struct kernel_clone_args *args)
{
	u64 flags = args->flags;

	if (current->pith_mode != PITH_MODE_COMPONENT || args->pith)
		return 0;
	if ((flags & THREAD_MUST) != THREAD_MUST || (flags & ~THREAD_MAY))
		return -EPERM;
	return get_nr_threads(current) < MAX_THREADS &&
	       atomic_read(&current->pith_process->tasks) < PITH_THREADS ?
		0 : -EAGAIN;
}

/* --- spawn ----------------------------------------------------------------------------- */

struct spawn {
	struct pith_spawn args;
	struct file *binary;
	struct file *files[MAX_CAPS];
	struct pith_process *process;
	struct completion done;
	int err;
};

static void put_files(struct spawn *s)
{
	u32 i;

	for (i = 0; i < MAX_CAPS; i++)
		if (s->files[i])
			fput(s->files[i]);
	if (s->binary)
		fput(s->binary);
}

static int get_binary(struct spawn *s)
{
	struct pith_cap *cap;

	s->binary = pith_fd_file(s->args.binary);
	if (!s->binary)
		return -EBADF;
	cap = pith_cap_of(s->binary);
	if (cap->obj->type != PITH_T_MEMORY)
		return -EBADF;
	return (cap->rights & PITH_R_EXEC) && (cap->rights & PITH_R_READ) ?
		0 : -EPERM;
}

static int get_caps(struct spawn *s)
{
	s32 __user *fds = u64_to_user_ptr(s->args.caps);
	u32 i;

	for (i = 0; i < s->args.ncaps; i++) {
		s32 fd;

		if (get_user(fd, fds + i))
			return -EFAULT;
		if (fd == -1)
			continue;
		s->files[i] = pith_fd_file(fd);
		if (!s->files[i])
			return -EBADF;
	}
	return 0;
}

static bool args_valid(struct pith_spawn *a)
{
	return a->ncaps <= MAX_CAPS && a->nice >= MIN_NICE &&
	       a->nice <= MAX_NICE && a->stack <= MAX_STACK &&
	       a->stack >= PAGE_SIZE && PAGE_ALIGNED(a->charge) &&
	       a->charge >= a->stack &&
	       a->name[0] && strnlen(a->name, sizeof(a->name)) < sizeof(a->name);
}

/* An empty table of its own, then the given files at their places. */
static int child_files(struct spawn *s)
{
	struct files_struct *table = dup_fd(&init_files, NULL), *old;
	u32 i;
	int err;

	if (IS_ERR(table))
		return PTR_ERR(table);
	task_lock(current);
	old = current->files;
	current->files = table;
	task_unlock(current);
	put_files_struct(old);
	for (i = 0; i < s->args.ncaps; i++) {
		if (!s->files[i])
			continue;
		err = replace_fd(i, s->files[i], 0);
		if (err < 0)
			return err;
	}
	return 0;
}

static void child_limits(struct spawn *s)
{
	struct rlimit *rlim = current->signal->rlim;
	u64 caps = READ_ONCE(s->process->domain->caps_limit) + SPARE_FDS;
	u64 fds = min_t(u64, caps, PITH_TABLE);

	u64 private = s->args.charge - s->args.stack;
	u64 space = 2 * s->process->domain->ram_limit + SPARE_SPACE;

	task_lock(current->group_leader);
	/* what the loader maps privately is what was paid for */
	rlim[RLIMIT_DATA] = (struct rlimit) { private, private };
	/* bounds the page tables of objects that are mapped many times */
	rlim[RLIMIT_AS] = (struct rlimit) { space, space };
	rlim[RLIMIT_STACK] = (struct rlimit) { s->args.stack, s->args.stack };
	rlim[RLIMIT_NOFILE] = (struct rlimit) { fds, fds };
	rlim[RLIMIT_CORE] = (struct rlimit) { 0, 0 };
	task_unlock(current->group_leader);
}

static int child_affinity(u64 mask)
{
	cpumask_var_t cpus;
	int cpu, err;

	if (!mask)
		return 0;
	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	for (cpu = 0; cpu < min(64, (int)nr_cpu_ids); cpu++)
		if (mask & BIT_ULL(cpu))
			cpumask_set_cpu(cpu, cpus);
	err = set_cpus_allowed_ptr(current, cpus);
	free_cpumask_var(cpus);
	return err;
}

static int child_setup(struct spawn *s)
{
	const char *argv[] = { s->args.name, NULL };
	const char *envp[] = { NULL };
	int err;

	flush_signal_handlers(current, 1);
	child_limits(s);
	err = child_files(s);
	if (!err)
		err = child_affinity(s->args.affinity);
	if (err)
		return err;
	set_user_nice(current, s->args.nice);
	return kernel_execve_file(s->binary, s->args.name, argv, envp);
}

/* Runs as the new process, in the kernel; returning 0 enters the program. */
static int child_main(void *arg)
{
	struct spawn *s = arg;
	struct pith_process *inherited = current->pith_process;

	pith_get(&s->process->obj);
	current->pith_process = s->process;
	current->pith_tid = pith_next_tid(s->process);
	atomic_dec(&inherited->tasks);
	atomic_dec(&inherited->live);
	pith_put(&inherited->obj);
	current->pith_mode = PITH_MODE_COMPONENT;
	s->process->pid = get_pid(task_pid(current));

	s->err = child_setup(s);
	s->process->started = !s->err;
	if (s->err) {
		/* a failed SPAWN has taken nothing when it returns */
		pith_uncharge(s->process->domain, s->process->charge, 0);
		s->process->charge = 0;
		complete(&s->done);
		do_exit(SIGKILL);
	}
	/* a domain destroyed before this kills it in kill_if_orphan() */
	mutex_lock(&pith_process_lock);
	list_add_tail(&s->process->link, &s->process->domain->processes);
	mutex_unlock(&pith_process_lock);
	complete(&s->done);
	return 0;
}

/* The domain's owner destroyed it while we started a process in it. */
static void kill_if_orphan(struct pith_process *p)
{
	bool dead;

	raw_spin_lock_irq(&p->domain->lock);
	dead = p->domain->dead;
	raw_spin_unlock_irq(&p->domain->lock);
	if (dead)
		pith_kill(p);
}

/* A domain that was destroyed meanwhile kills what starts in it. */
void pith_process_list(struct pith_process *p)
{
	mutex_lock(&pith_process_lock);
	if (!p->exited)
		list_add_tail(&p->link, &p->domain->processes);
	mutex_unlock(&pith_process_lock);
	kill_if_orphan(p);
}

static int start(struct spawn *s)
{
	struct kernel_clone_args args = {
		.flags		= CLONE_VM | CLONE_FILES | CLONE_UNTRACED,
		.exit_signal	= SIGCHLD,
		.fn		= child_main,
		.fn_arg		= s,
	};
	pid_t pid;

	init_completion(&s->done);
	pid = kernel_clone(&args);
	if (pid < 0)
		return pid;
	wait_for_completion(&s->done);
	return s->err;
}

static int spawn(struct pith_domain *d, struct spawn *s)
{
	struct pith_process *p;
	int err, fd;

	if (s->args.exit_notif != -1) {
		struct pith_notif *n = pith_fd_notif(s->args.exit_notif,
						     PITH_R_SIGNAL);

		if (IS_ERR(n))
			return PTR_ERR(n);
		s->process->exit_notif = n;
	}
	err = pith_charge(d, s->args.charge, 0);
	if (err)
		return err;
	p = s->process;
	p->charge = s->args.charge;
	pith_get(&p->obj);
	fd = pith_cap_install(&p->obj, PITH_R_MANAGE);
	if (fd < 0) {
		pith_uncharge(d, p->charge, 0);
		return fd;
	}
	err = start(s);
	if (err) {
		if (!p->pid)	/* its exit does that otherwise */
			pith_uncharge(d, p->charge, 0);
		close_fd(fd);
		return err;
	}
	kill_if_orphan(p);
	return fd;
}

int pith_op_spawn(struct pith_cap *domain, void __user *arg)
{
	struct pith_domain *d = container_of(domain->obj, struct pith_domain,
					     obj);
	struct spawn *s;
	int ret = -ENOMEM;

	if (current->pith_mode != PITH_MODE_CORE)
		return -EPERM;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ret;
	s->process = pith_process_new(d);
	if (!s->process)
		goto out;
	ret = -EFAULT;
	if (copy_from_user(&s->args, arg, sizeof(s->args)))
		goto out;
	ret = args_valid(&s->args) ? get_binary(s) : -EINVAL;
	if (!ret)
		ret = get_caps(s);
	if (!ret)
		ret = spawn(d, s);
out:
	put_files(s);
	if (s->process)
		pith_put(&s->process->obj);
	kfree(s);
	return ret;
}

/* --- on a process capability --------------------------------------------------------------- */

static u64 cpu_time(struct pith_process *p)
{
	struct task_struct *task = get_pid_task(p->pid, PIDTYPE_PID);
	struct task_cputime t = {};

	if (task) {
		thread_group_cputime(task, &t);
		put_task_struct(task);
	}
	return t.sum_exec_runtime;
}

static int process_info(struct pith_process *p, void __user *arg)
{
	struct pith_proc_info info;

	mutex_lock(&pith_process_lock);
	info = (struct pith_proc_info) {
		.exited = p->exited,
		.status = p->status,
		.cpu_ns = p->exited ? p->cpu_ns : cpu_time(p),
	};
	mutex_unlock(&pith_process_lock);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

int pith_process_op(struct pith_cap *cap, u32 op, void __user *arg)
{
	struct pith_process *p = container_of(cap->obj, struct pith_process, obj);

	if (op == PITH_OP_PROC_INFO)
		return process_info(p, arg);
	if (!(cap->rights & PITH_R_MANAGE))
		return -EPERM;
	mutex_lock(&pith_process_lock);
	if (!p->exited)
		pith_kill(p);
	mutex_unlock(&pith_process_lock);
	return 0;
}
